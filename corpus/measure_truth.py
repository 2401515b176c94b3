"""Recall and precision of every round against a truth that mining never reads.

Reads  a corpus folder (pages, dedup, round_<n>) and a truth in JSON Lines: the built-in world's
       `world/truth/pages.jsonl` (url, math, language, duplicate_of) or labels of real pages (url, label math or
       nonmath, confidence, lang).
Prints a table by round and language, or JSON with --json.

    python -m corpus.measure_truth --corpus results/mini/corpus --labels results/mini/world/truth/pages.jsonl

Pages without a label and of low confidence do not count. A page counts once with its duplicates: it is
found when any page of its cluster is collected. Recall is also given over all labelled pages,
extraction's losses included.
"""

import argparse
import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from corpus.tables.pages import read_table
from corpus.tables.rounds import round_folders
from corpus.tables.shards import Crawl
from corpus.tables.urls import url_key
from pipeline.artifacts.records import read_jsonl
from pipeline.errors import UserError, run_main

ALL = "all"  # the group of all languages
_MOST_MISSED = 10  # hosts named


@dataclass(frozen=True, slots=True)
class Label:
    """What is true of a page."""

    mathematical: bool
    language: str
    host: str


Truth = dict[int, Label]
"""By url_key, or by doc_id of the page that stays for its duplicates."""


@dataclass(slots=True)
class Tally:
    """Pages of one language, or of all."""

    pages: int = 0
    mathematical: int = 0
    collected: int = 0
    found: int = 0  # mathematical and collected

    def add(self, mathematical: bool, collected: bool) -> None:
        self.pages += 1
        self.mathematical += mathematical
        self.collected += collected
        self.found += mathematical and collected


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, required=True, help="corpus folder of a run")
    parser.add_argument("--labels", type=Path, required=True, help="JSON Lines with the truth")
    parser.add_argument("--json", action="store_true", help="print JSON")
    args = parser.parse_args(argv)

    rounds = measure(args.corpus, args.labels)
    print(json.dumps(rounds, indent=1) if args.json else table(rounds))


def measure(corpus: Path, labels: Path) -> list[dict]:
    """One dict a round: {"round", "languages": {language or "all": {"pages", "mathematical", "found", "collected",
    "recall", "precision", "recall_of_all"}}}, and under "missed_domains" where most pages were missed."""
    truth = read_truth(labels)
    keeper_of = _keepers(Crawl.open(corpus / "pages", corpus / "dedup"))
    present = _labels_of_keepers(truth, keeper_of)

    # Mathematical pages that extraction dropped.
    lost: Counter[str] = Counter()
    for key, label in truth.items():
        if label.mathematical and key not in keeper_of:
            lost[ALL] += 1
            lost[label.language] += 1

    rounds = []
    for number, folder in round_folders(corpus):
        collected = read_table(folder / "collected.parquet", ["doc_id"])["doc_id"].to_pylist()
        rounds.append({"round": number, **_compare(present, set(collected), lost)})
    return rounds


def read_truth(path: Path) -> Truth:
    """url_key -> label of every page with one that can be relied on."""
    truth = {}
    for row in read_jsonl(path):
        url = row.get("url")
        mathematical = _is_mathematical(row)
        if mathematical is None or row.get("confidence") == "low":
            continue
        if not isinstance(url, str):
            continue

        language = row.get("language") or row.get("lang") or "und"
        truth[url_key(url)] = Label(mathematical, language, urlsplit(url).netloc)

    if not truth:
        raise UserError(f"{path}: no labelled page (a line needs url, and math or label)")
    return truth


def _is_mathematical(row: dict) -> bool | None:
    """The built-in world writes `math`, people write `label`; None where neither says."""
    if "math" in row:
        return None if row["math"] is None else bool(row["math"])
    match row.get("label"):
        case "math":
            return True
        case "nonmath":
            return False
    return None


def _keepers(crawl: Crawl) -> dict[int, int]:
    """url_key of each extracted page -> doc_id of the page that stays for it and its duplicates."""
    keeper_of: dict[int, int] = {}
    for shard in crawl.shards:
        keys = read_table(crawl.page_file(shard), ["url_key"])["url_key"].to_pylist()
        keepers = read_table(crawl.dedup_file(shard), ["keeper"])["keeper"].to_pylist()
        keeper_of.update(zip(keys, keepers, strict=True))
    return keeper_of


def _labels_of_keepers(truth: Truth, keeper_of: dict[int, int]) -> Truth:
    """doc_id of a page that stays -> its label: mathematical if any of its duplicates is labelled so."""
    present: Truth = {}
    for key, label in truth.items():
        if key not in keeper_of:
            continue
        doc_id = keeper_of[key]
        known = present.get(doc_id)
        if known is None:
            present[doc_id] = label
        else:
            mathematical = known.mathematical or label.mathematical
            present[doc_id] = Label(mathematical, known.language, known.host)
    return present


def _compare(present: Truth, collected: set[int], lost: Counter[str]) -> dict:
    tallies: dict[str, Tally] = defaultdict(Tally)
    missed: Counter[str] = Counter()
    for doc_id, label in present.items():
        taken = doc_id in collected
        for group in (ALL, label.language):
            tallies[group].add(label.mathematical, taken)
        if label.mathematical and not taken:
            missed[label.host] += 1

    most_mathematics_first = sorted(
        tallies.items(), key=lambda item: (-item[1].mathematical, item[0])
    )
    languages = {}
    for group, tally in most_mathematics_first:
        languages[group] = {
            "pages": tally.pages,
            "mathematical": tally.mathematical,
            "collected": tally.collected,
            "found": tally.found,
            "recall": _share(tally.found, tally.mathematical),
            "precision": _share(tally.found, tally.collected),
            "recall_of_all": _share(tally.found, tally.mathematical + lost[group]),
        }

    worst = sorted(((count, host) for host, count in missed.items()), reverse=True)
    return {
        "languages": languages,
        "missed_domains": {host: count for count, host in worst[:_MOST_MISSED]},
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def table(rounds: list[dict]) -> str:
    """The numbers as text: one line a round and language, languages with mathematics only."""
    heading = f"{'round':>5} {'language':<9}{'pages':>7}{'math':>6}{'taken':>7}"
    lines = [f"{heading}{'recall':>8}{'precision':>10}"]

    for entry in rounds:
        for group, row in entry["languages"].items():
            if not row["mathematical"]:
                continue
            counts = f"{row['pages']:>7}{row['mathematical']:>6}{row['collected']:>7}"
            precision = "-" if row["precision"] is None else f"{row['precision']:.3f}"
            shares = f"{row['recall']:>8.3f}{precision:>10}"
            lines.append(f"{entry['round']:>5} {group:<9}{counts}{shares}")
    return "\n".join(lines)


if __name__ == "__main__":
    run_main(main)
