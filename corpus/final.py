"""The last step of mining: the collected pages, without those that hold benchmark problems, as a data set.

Reads  the pages (`corpus/pages/*.parquet`), which of them are no duplicates (`corpus/dedup`), every round's
       `collected.parquet`, and the benchmarks.
Writes `decontaminated.parquet` (one row for each removed page: url, benchmark, item, ngram, …) and the folder `final`:
       `part-*.parquet` sorted by doc_id, a dataset card `README.md`, and `manifest.json` last. With `--candidates` a
       list for a person (JSON Lines): pages that were kept though they have the numbers of a benchmark question in
       its order, as translations and paraphrases do.

    cd results/mini; python -m corpus.final --config config/corpus.decontamination.json --pages corpus/pages \\
        --dedup corpus/dedup --rounds corpus/round_{1,2,3,4}/collected.parquet --benchmarks exam=test.jsonl \\
        --removed corpus/decontaminated.parquet --out corpus/final

The pages of the last round named are the corpus; the earlier ones tell in which round a page was first
collected. With `--resume DIR` finished shards are kept there until the end. Memory: the ids of
collected pages, the index of benchmark n-grams, and a row group of pages for each worker; the sort
spills to disk.

Not done: nothing is dropped for its quality, and nothing is shuffled.
"""

import argparse
import hashlib
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.decontaminate import Examined, benchmark_source, examine, load_benchmarks, removal
from corpus.leaks.benchmark_texts import QUESTION
from corpus.leaks.candidates import SHOWN, NumberSequences
from corpus.leaks.index import LeakIndex
from corpus.tables.dataset_card import Made, write_card
from corpus.tables.final import FINAL, PAGE_COLUMNS, REMOVED, final_table
from corpus.tables.leak_counts import leak_counts
from corpus.tables.merge import merge, write_removed
from corpus.tables.pages import read_table
from corpus.tables.provenance import commit
from corpus.tables.shards import Crawl
from pipeline.artifacts.check import check_artifact, check_inputs
from pipeline.artifacts.code_digest import code_digest
from pipeline.artifacts.records import read_jsonl
from pipeline.artifacts.resume import claim_folder
from pipeline.artifacts.write import (
    atomic_folder,
    atomic_path,
    file_digest,
    payload,
    read_json,
    write_jsonl,
    write_manifest,
)
from pipeline.config.corpus import Decontamination
from pipeline.config.read import read_section
from pipeline.errors import UserError, run_main
from pipeline.process_pool import run_jobs
from pipeline.progress import Progress

CANDIDATES = "candidates.jsonl"


def main(argv: list[str] | None = None) -> None:
    args = _parse_args(argv)
    settings = Decontamination()
    if args.config:
        settings = read_section(args.config, Decontamination)

    for folder in (args.dedup, *(Path(file).parent for file in args.rounds)):
        check_artifact(folder)
    collected = read_collected(args.rounds)
    check_inputs(args.dedup, args.pages)
    crawl = Crawl.open(args.pages, args.dedup)
    benchmarks = load_benchmarks(args.benchmarks)
    index = LeakIndex(benchmarks, settings)

    with _work_folder(args.resume, _fingerprint(args, settings, crawl)) as work:
        with Progress("decontaminate", total=len(crawl.shards), unit="shards") as progress:
            jobs = [(shard, work / shard) for shard in crawl.shards]
            # Forked, for the index of all benchmarks' n-grams is large and never written to.
            shared = (crawl, collected, index, NumberSequences(benchmarks))
            for done in run_jobs(finish_shard, jobs, args.workers, shared=shared, start="fork"):
                progress.add(1, **done)

        removed = write_removed(work, crawl.shards, args.removed)
        candidates = _read_candidates(work, crawl.shards)
        if args.candidates:
            write_jsonl(args.candidates, candidates)
        items = Counter(item.benchmark for item in benchmarks)
        leaks = leak_counts(removed, items)
        with atomic_folder(args.out) as folder:
            counts = merge(work, crawl.shards, folder)
            counts["removed"] = len(removed)
            counts["removed_tokens"] = sum(row["n_tokens"] for row in removed)
            counts["removed_by_benchmark"] = {row["benchmark"]: row["pages"] for row in leaks}
            counts["candidates"] = len(candidates)
            counts["collected"] = len(collected.doc_id)
            counts["rounds"] = len(args.rounds)
            counts["benchmark_items"] = dict(sorted(items.items()))
            _check_complete(counts)

            made = Made(
                counts=counts,
                leaks=leaks,
                duplicates=read_json(crawl.dedup / "manifest.json")["counts"],
                settings=settings,
                built_in_world=args.built_in_world,
                commit=commit(),
                code=code_digest("corpus.final"),
            )
            write_card(folder, made)
            write_manifest(
                folder / "manifest.json",
                "corpus.final",
                settings=settings.model_dump(mode="json"),
                inputs=_benchmark_files(args),
                counts=counts,
                files=payload(folder),
            )


@dataclass(frozen=True, slots=True)
class Collected:
    """The pages of the last round, by ascending id."""

    doc_id: np.ndarray  # [n] uint64
    score: np.ndarray  # [n] float32
    first_round: np.ndarray  # [n] int32: the first round that collected the page

    def find(self, doc_ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which pages were collected [len(doc_ids)] bool, and their places here [number collected]."""
        if not len(self.doc_id):
            nothing = np.zeros(0, dtype=np.int64)
            return np.zeros(len(doc_ids), dtype=bool), nothing

        # A binary search for each id: these are few, the collected ones may be millions.
        place = np.searchsorted(self.doc_id, doc_ids)
        place = np.minimum(place, len(self.doc_id) - 1)  # an id above all lands one past the end
        known = self.doc_id[place] == doc_ids
        return known, place[known]


def read_collected(rounds: list[str]) -> Collected:
    """The pages of the last of these files with their scores, and when each was first collected."""
    last = read_table(rounds[-1], ["doc_id", "score"])
    unsorted = last["doc_id"].to_numpy()
    order = np.argsort(unsorted, kind="stable")
    doc_ids = unsorted[order]
    if len(np.unique(doc_ids)) != len(doc_ids):
        raise UserError(f"{rounds[-1]}: a doc_id occurs twice")

    # From the last round back: the earliest that has a page is written last.
    first_round = np.full(len(doc_ids), len(rounds), dtype=np.int32)
    for number, file in reversed(list(enumerate(rounds[:-1], 1))):
        collected_then = read_table(file, ["doc_id"])["doc_id"].to_numpy()
        first_round[np.isin(doc_ids, collected_then)] = number

    return Collected(doc_ids, last["score"].to_numpy()[order], first_round)


def finish_shard(
    shard: str,
    out: Path,
    crawl: Crawl,
    collected: Collected,
    index: LeakIndex,
    sequences: NumberSequences,
) -> dict[str, int]:
    """Write the shard's collected pages to `out`/kept.parquet, the leaking ones to `out`/removed.parquet.

    Returns how many there are of each; nothing is done for a shard that an earlier run finished.
    """
    if (out / "removed.parquet").exists() and (out / CANDIDATES).exists():
        return {"kept": 0, "removed": 0}

    out.mkdir(parents=True, exist_ok=True)
    kept_count = 0
    removed: list[dict] = []
    candidates: list[dict] = []

    with (
        atomic_path(out / "kept.parquet") as path,
        pq.ParquetWriter(path, FINAL, compression="zstd") as writer,
    ):
        for batch in crawl.kept_pages(shard, PAGE_COLUMNS):
            known, place = collected.find(batch["doc_id"].to_numpy())
            pages = batch.filter(pa.array(known))

            examined = list(examine(index, sequences, _rows(pages)))
            log = _leaks(examined, collected.first_round[place])
            removed += [entry for entry in log if entry is not None]
            candidates += _candidates(examined, index)

            is_clean = np.array([entry is None for entry in log], dtype=bool)
            clean = pages.filter(pa.array(is_clean))
            place = place[is_clean]
            table = final_table(clean, collected.score[place], collected.first_round[place])
            writer.write_table(table)
            kept_count += len(table)

    write_jsonl(out / CANDIDATES, candidates)
    # Last: its presence means that the shard is done.
    with atomic_path(out / "removed.parquet") as path:
        pq.write_table(pa.Table.from_pylist(removed, schema=REMOVED), path)

    return {"kept": kept_count, "removed": len(removed)}


def _rows(pages: pa.Table) -> list[dict]:
    return pages.select(["url", "text", "language", "doc_id", "n_tokens"]).to_pylist()


def _candidates(examined: list[Examined], index: LeakIndex) -> Iterator[dict]:
    """Rows of the list for a person; what is removed anyhow is not in it."""
    for one in examined:
        if one.leaks:
            continue
        for candidate in one.candidates:
            item = index.items[candidate.item]
            question = next(text.raw for text in item.texts if text.part == QUESTION)
            yield {
                "doc_id": one.page["doc_id"],
                "url": one.page["url"],
                "language": one.page["language"],
                "benchmark": item.benchmark,
                "item": str(item.item),
                "numbers": candidate.numbers,
                "question": question[:SHOWN],
                "page": candidate.words[:SHOWN],
            }


def _read_candidates(work: Path, shards: Sequence[str]) -> list[dict]:
    """The candidates of all shards, by page and item."""
    rows = [row for shard in shards for row in read_jsonl(work / shard / CANDIDATES)]
    return sorted(rows, key=lambda row: (row["doc_id"], row["benchmark"], row["item"]))


def _leaks(examined: list[Examined], first_round: np.ndarray) -> list[dict | None]:
    """[pages] the row of the removal log for each page that holds a benchmark item, None for the others."""
    log: list[dict | None] = []
    for one in examined:
        page = one.page
        if not one.leaks:
            log.append(None)
            continue

        entry = removal(one.leaks)
        entry["item"] = str(entry["item"])  # a number in one benchmark, a name in another
        entry["also"] = json.dumps(entry["also"], ensure_ascii=False)

        entry["url"] = page["url"]
        entry["doc_id"] = page["doc_id"]
        entry["n_tokens"] = page["n_tokens"]
        entry["round"] = int(first_round[len(log)])
        log.append(entry)
    return log


def _check_complete(counts: dict) -> None:
    missing = counts["collected"] - counts["pages"] - counts["removed"]
    if missing:
        raise UserError(
            f"{missing} collected pages are in no page table: rounds and pages come from different runs"
        )


def _fingerprint(args: argparse.Namespace, settings: Decontamination, crawl: Crawl) -> str:
    """What finished shards depend on. Page tables are large: their sizes and times count, not their contents."""
    parts = [settings.model_dump_json()]
    for path in [*args.rounds, *_benchmark_files(args)]:
        parts.append(file_digest(path))
    for shard in crawl.shards:
        file = crawl.page_file(shard)
        status = file.stat()
        parts.append(f"{file.name} {status.st_size} {status.st_mtime_ns}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _benchmark_files(args: argparse.Namespace) -> list[str]:
    return [benchmark_source(source)[1] for source in args.benchmarks]


@contextmanager
def _work_folder(resume: str | None, fingerprint: str) -> Iterator[Path]:
    """Where finished shards lie: `resume`, emptied if it was made from other inputs, or a temporary folder.

    It is deleted in the end; after a failure `resume` stays, for the next run to go on from.
    """
    folder = Path(resume) if resume else Path(tempfile.mkdtemp(prefix="corpus-final-"))
    claim_folder(folder, fingerprint)
    try:
        yield folder
    except BaseException:
        if resume is None:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)


def _parse_args(argv: list[str] | None) -> argparse.Namespace:
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
    parser.add_argument(
        "--candidates", help="list of kept pages to read by hand, to write (JSON Lines)"
    )
    parser.add_argument("--out", required=True, help="folder of the corpus to write")
    parser.add_argument(
        "--built-in-world",
        action="store_true",
        help="the pages are those of the built-in world; the dataset card says so",
    )
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--resume", metavar="DIR", help="folder for finished shards")
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_main(main)
