"""The last step of mining: the collected pages, without those that hold benchmark problems, as a data set.

Reads the pages (`corpus/pages/*.parquet`), which of them are no duplicates (`corpus/dedup`), every round's
`collected.parquet`, and the benchmarks. Writes
`decontaminated.parquet` (one row for each removed page: url, benchmark, item, ngram, …) and the folder `final`:
`part-*.parquet` sorted by doc_id, a dataset card `README.md`, and `manifest.json` last.

    cd results/mini; python -m corpus.final --config config/corpus.decontamination.json --pages corpus/pages \\
        --dedup corpus/dedup --rounds corpus/round_{1,2,3,4}/collected.parquet --benchmarks exam=test.jsonl \\
        --removed corpus/decontaminated.parquet --out corpus/final

The pages of the last round named are the corpus; the earlier ones tell in which round a page was first collected.
With `--resume DIR` finished shards are kept there until the end. Memory: the ids of collected pages, the index of
benchmark n-grams, and a row group of pages for each worker; the sort spills to disk.

Not done: nothing is dropped for its quality, and nothing is shuffled.
"""

import argparse
import hashlib
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.decontaminate import load_benchmarks, removal, search
from corpus.leaks.index import LeakIndex
from corpus.tables.dataset_card import write_card
from corpus.tables.final import FINAL, PAGE_COLUMNS, REMOVED, final_table
from corpus.tables.merge import merge, write_removed
from corpus.tables.pages import read_table
from corpus.tables.process_pool import each_shard
from corpus.tables.shards import kept_batches, shard_files
from pipeline.artifacts.resume import claim_folder
from pipeline.artifacts.write import atomic_folder, atomic_path, file_digest, write_manifest
from pipeline.config.corpus import Decontamination
from pipeline.config.load import read_section
from pipeline.errors import UserError, run_main
from pipeline.progress import Progress


@dataclass(slots=True)
class Collected:
    """The pages of the last round, by ascending id."""

    doc_id: np.ndarray  # [n] uint64
    score: np.ndarray  # [n] float32
    first_round: np.ndarray  # [n] int32

    def find(self, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """For page ids: which were collected [len(ids)], and where those stand here [number collected]."""
        place = np.minimum(np.searchsorted(self.doc_id, ids), max(len(self.doc_id) - 1, 0))
        known = self.doc_id[place] == ids if len(self.doc_id) else np.zeros(len(ids), dtype=bool)
        return known, place[known]


def main(argv: list[str] | None = None) -> None:
    options = _options(argv)
    settings = (
        read_section(options.config, Decontamination) if options.config else Decontamination()
    )
    collected = read_collected(options.rounds)
    shards = shard_files(options.pages)
    benchmarks = load_benchmarks(options.benchmarks)
    index = LeakIndex(benchmarks, settings)
    fingerprint = _fingerprint(options, settings, shards)
    with _work_folder(options.resume, fingerprint) as work:
        with Progress("decontaminate", total=len(shards), unit="shards") as progress:
            jobs = [
                (options.pages, options.dedup, shard.stem, work / shard.stem) for shard in shards
            ]
            for counts in each_shard(finish_shard, jobs, (collected, index), options.workers):
                progress.add(1, **counts)
        counts = write_removed(work, [shard.stem for shard in shards], options.removed)
        with atomic_folder(options.out) as folder:
            counts |= merge(work, [shard.stem for shard in shards], folder)
            counts |= {
                "collected": len(collected.doc_id),
                "benchmark_items": dict(
                    sorted(Counter(item.benchmark for item in benchmarks).items())
                ),
            }
            _check(counts)
            write_card(folder, counts, settings)
            write_manifest(
                folder / "manifest.json",
                "corpus.final",
                settings=settings.model_dump(mode="json"),
                inputs=[source.partition("=")[2] or source for source in options.benchmarks],
                counts=counts,
            )


def read_collected(rounds: list[str]) -> Collected:
    """The last round's pages with their scores; `first_round` is the number of the first round that has the page."""
    last = read_table(rounds[-1], ["doc_id", "score"])
    doc_id = last["doc_id"].to_numpy()
    order = np.argsort(doc_id, kind="stable")
    ids = doc_id[order]
    if len(np.unique(ids)) != len(ids):
        raise UserError(f"{rounds[-1]}: a doc_id occurs twice")
    first = np.full(len(ids), len(rounds), dtype=np.int32)
    for number in range(len(rounds) - 1, 0, -1):
        first[np.isin(ids, read_table(rounds[number - 1], ["doc_id"])["doc_id"].to_numpy())] = (
            number
        )
    return Collected(ids, last["score"].to_numpy()[order], first)


def finish_shard(
    pages: str, dedup: str, shard: str, out: Path, collected: Collected, index: LeakIndex
) -> dict[str, int]:
    """Write the shard's kept pages to `out`/kept.parquet and the removed ones to `out`/removed.parquet."""
    counts: Counter[str] = Counter(kept=0, removed=0)
    if (out / "removed.parquet").exists():
        return counts
    out.mkdir(parents=True, exist_ok=True)
    removed: list[dict] = []
    with (
        atomic_path(out / "kept.parquet") as path,
        pq.ParquetWriter(path, FINAL, compression="zstd") as writer,
    ):
        for batch in kept_batches(pages, dedup, shard, PAGE_COLUMNS):
            known, place = collected.find(batch["doc_id"].to_numpy())
            table = batch.filter(pa.array(known))
            clean = _search(table, collected.first_round[place], index, removed)
            place = place[clean]
            kept = table.filter(pa.array(clean))
            writer.write_table(
                final_table(kept, collected.score[place], collected.first_round[place])
            )
            counts["kept"] += int(clean.sum())
    counts["removed"] = len(removed)
    with atomic_path(
        out / "removed.parquet"
    ) as path:  # last: its presence means that the shard is done
        pq.write_table(pa.Table.from_pylist(removed, schema=REMOVED), path)
    return counts


def _search(
    pages: pa.Table, first_round: np.ndarray, index: LeakIndex, removed: list[dict]
) -> np.ndarray:
    """[pages] whether a page is clean; the others are appended to `removed`."""
    rows = pages.select(["url", "text", "doc_id", "n_tokens"]).to_pylist()
    clean = np.ones(len(rows), dtype=bool)
    for number, (page, leaks) in enumerate(search(index, rows)):
        if leaks:
            clean[number] = False
            log = removal(leaks)
            log |= {"item": str(log["item"]), "also": json.dumps(log["also"], ensure_ascii=False)}
            keys = {key: page[key] for key in ("url", "doc_id", "n_tokens")}
            removed.append(log | keys | {"round": int(first_round[number])})
    return clean


def _check(counts: dict) -> None:
    missing = counts["collected"] - counts["pages"] - counts["removed"]
    if missing:
        raise UserError(
            f"{missing} collected pages are in no page table: rounds and pages come from different runs"
        )


def _fingerprint(options: argparse.Namespace, settings: Decontamination, shards: list[Path]) -> str:
    sources = [source.partition("=")[2] or source for source in options.benchmarks]
    parts = [settings.model_dump_json(), *map(file_digest, [*options.rounds, *sources])]
    parts += [f"{shard.name} {shard.stat().st_size} {shard.stat().st_mtime_ns}" for shard in shards]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@contextmanager
def _work_folder(resume: str | None, fingerprint: str) -> Iterator[Path]:
    """Where finished shards lie: a temporary folder, or `resume` if what is there was made from the same inputs."""
    folder = Path(resume) if resume else Path(tempfile.mkdtemp(prefix="corpus-final-"))
    claim_folder(folder, fingerprint)
    try:
        yield folder
    except BaseException:
        if resume is None:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", help="settings as JSON (Decontamination)")
    parser.add_argument("--pages", required=True, help="folder of page tables")
    parser.add_argument("--dedup", required=True, help="folder of the deduplication")
    parser.add_argument(
        "--rounds",
        required=True,
        nargs="+",
        help="collected.parquet of round 1, 2, …; the last counts",
    )
    parser.add_argument("--benchmarks", required=True, nargs="+", metavar="[NAME=]FILE")
    parser.add_argument("--removed", required=True, help="table of removed pages to write")
    parser.add_argument("--out", required=True, help="folder of the corpus to write")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--resume", metavar="DIR", help="folder for finished shards")
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_main(main)
