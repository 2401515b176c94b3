"""How well mining works on hosts that it has not seen: the loop without a person, fold by fold.

    python -m benchmarks.mining --web real=WEB --web manuals=WEB2 --out results/folds

A web is a folder with `pages` and `dedup` (corpus.extract, corpus.dedup), `seeds.jsonl` (url) and
`labels.jsonl` (url, label math or nonmath, confidence). A fold is the part of a web whose hosts a hash
chooses: the hosts are halved in several ways, and the loop runs on each half by itself. Seeds' hosts
are in every fold. A web named with --whole is one fold as it is.

Prints recall and precision of every round and fold over all labelled pages, and their mean and worst.
Pages are extracted once; a fold trains and scores only.
"""

import argparse
import json
import os
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus.measure_truth import measure
from corpus.round import Given, run_round
from corpus.tables.pages import key64, read_table
from corpus.tables.shards import Crawl
from corpus.tables.urls import url_key
from pipeline.artifacts.records import read_jsonl
from pipeline.config.corpus import Classifier, Selection

# A few thousand pages, so the settings of a small web (config/mini.yaml).
CLASSIFIER = {"dimension": 64, "negatives_per_positive": 3}
SELECTION = {"budget_tokens": "auto", "explore_share": 0.03, "domain_pages": 5}
SHARD = "fold"


@dataclass(frozen=True, slots=True)
class Web:
    """A crawl with its truth."""

    name: str
    folder: Path

    @property
    def seeds(self) -> Path:
        return self.folder / "seeds.jsonl"

    @property
    def labels(self) -> Path:
        return self.folder / "labels.jsonl"

    def crawl(self) -> Crawl:
        return Crawl.open(self.folder / "pages", self.folder / "dedup")


@dataclass(frozen=True, slots=True)
class Fold:
    """A part of a web; hosts None: all of it."""

    name: str
    web: Web
    hosts: frozenset[str] | None


@dataclass(slots=True)
class Found:
    """Recall and precision of one fold, by round."""

    fold: str
    recall: list[float] = field(default_factory=list)
    precision: list[float] = field(default_factory=list)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--web", action="append", default=[], metavar="NAME=FOLDER", help="halved")
    parser.add_argument("--whole", action="append", default=[], metavar="NAME=FOLDER")
    parser.add_argument("--halvings", type=int, default=3, help="two folds each (3)")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--selection", type=json.loads, default={}, help="settings, JSON")
    parser.add_argument("--classifier", type=json.loads, default={}, help="settings, JSON")
    parser.add_argument("--only", default="", help="folds whose name contains this")
    parser.add_argument("--out", type=Path, required=True, help="folder for folds and rounds")
    args = parser.parse_args(argv)

    classifier = Classifier.model_validate(CLASSIFIER | args.classifier)
    selection = Selection.model_validate(SELECTION | args.selection)

    results = []
    for fold in all_folds(args.web, args.whole, args.halvings):
        if args.only not in fold.name:
            continue
        start = time.monotonic()
        found = run_fold(fold, args.out / fold.name, classifier, selection, args.rounds)
        results.append(found)
        print(line_of(found), f"{time.monotonic() - start:5.0f} s", flush=True)

    print(summary(results))
    print(f"load {os.getloadavg()[0]:.1f}")


def all_folds(halved: list[str], whole: list[str], halvings: int) -> Iterable[Fold]:
    for given in whole:
        name, _, folder = given.partition("=")
        yield Fold(name, Web(name, Path(folder)), None)

    for given in halved:
        name, _, folder = given.partition("=")
        web = Web(name, Path(folder))
        hosts = sorted(set(domains_of(web.crawl())))
        with_seeds = seed_domains(web)
        for halving in range(halvings):
            # A hash shares hosts out by halves; what is judged on one half was never seen by the other.
            for half in (0, 1):
                chosen = {host for host in hosts if key64(f"{halving} {host}") % 2 == half}
                yield Fold(f"{name}-{halving}{'ab'[half]}", web, frozenset(chosen | with_seeds))


def domains_of(crawl: Crawl) -> list[str]:
    return pq.read_table(crawl.dedup / "kept.parquet", columns=["domain"])["domain"].to_pylist()


def seed_domains(web: Web) -> set[str]:
    kept = pq.read_table(web.folder / "dedup" / "kept.parquet", columns=["url", "domain"])
    keys = {url_key(row["url"]) for row in read_jsonl(web.seeds)}
    rows = zip(kept["url"].to_pylist(), kept["domain"].to_pylist(), strict=True)
    return {domain for url, domain in rows if url_key(url) in keys}


def cut_out(fold: Fold, folder: Path) -> None:
    """Write the fold's pages as a crawl of one shard."""
    crawl = fold.web.crawl()
    kept = pq.read_table(crawl.dedup / "kept.parquet")
    if fold.hosts is not None:
        kept = kept.filter(pc.is_in(kept["domain"], value_set=pa.array(sorted(fold.hosts))))
    stay = kept["doc_id"].combine_chunks()

    pages, decisions = [], []
    for shard in crawl.shards:
        decided = read_table(crawl.dedup_file(shard))
        chosen = pc.is_in(decided["keeper"], value_set=stay)
        pages.append(pq.read_table(crawl.page_file(shard)).filter(chosen))
        decisions.append(decided.filter(chosen))

    for place, table in (
        (folder / "pages" / f"{SHARD}.parquet", pa.concat_tables(pages)),
        (folder / "dedup" / "shards" / f"{SHARD}.parquet", pa.concat_tables(decisions)),
        (folder / "dedup" / "kept.parquet", kept),
    ):
        place.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, place, compression="zstd")
    # The manifests of the rounds name it.
    shutil.copy(crawl.dedup / "manifest.json", folder / "dedup")


def run_fold(
    fold: Fold, folder: Path, classifier: Classifier, selection: Selection, rounds: int
) -> Found:
    if not (folder / "pages").is_dir():
        cut_out(fold, folder)

    crawl = Crawl.open(folder / "pages", folder / "dedup")
    previous: Path | None = None
    for number in range(1, rounds + 1):
        out = folder / f"round_{number}"
        out.mkdir(exist_ok=True)
        given = Given(number, crawl, fold.web.seeds, previous, None, classifier, selection, 1)
        run_round(given, out)
        previous = out

    found = Found(fold.name)
    # Truth is read here alone, when all rounds are done.
    for entry in measure(folder, fold.web.labels):
        row = entry["languages"]["all"]
        found.recall.append(row["recall"] or 0.0)
        found.precision.append(row["precision"] or 0.0)
    return found


def line_of(found: Found) -> str:
    pairs = [f"{r:.3f}/{p:.3f}" for r, p in zip(found.recall, found.precision, strict=True)]
    return f"{found.fold:<14}" + "  ".join(pairs)


def summary(results: list[Found]) -> str:
    """Mean and worst of each round."""
    recall = np.array([found.recall for found in results])
    precision = np.array([found.precision for found in results])
    lines = []
    for name, of in (("mean", np.mean), ("worst", np.min)):
        pairs = zip(of(recall, axis=0), of(precision, axis=0), strict=True)
        lines.append(f"{name:<14}" + "  ".join(f"{r:.3f}/{p:.3f}" for r, p in pairs))
    return "\n".join(lines)


if __name__ == "__main__":
    main()
