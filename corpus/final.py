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
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from corpus.clean_shards import CANDIDATES, clean_shards, cleaning_fingerprint, read_collected
from corpus.decontaminate import benchmark_source, load_benchmarks
from corpus.tables.dataset_card import Made, write_card
from corpus.tables.finished import is_finished
from corpus.tables.leak_counts import leak_counts
from corpus.tables.merge import SPILL, merge, write_removed
from corpus.tables.provenance import commit
from corpus.tables.shards import Crawl
from pipeline.artifacts.check import check_artifact, check_inputs
from pipeline.artifacts.code_digest import code_digest
from pipeline.artifacts.records import read_jsonl
from pipeline.artifacts.resume import claim_folder
from pipeline.artifacts.write import (
    atomic_folder,
    payload,
    read_json,
    write_jsonl,
    write_manifest,
)
from pipeline.config.corpus import Decontamination
from pipeline.config.read import read_section
from pipeline.errors import UserError, run_main


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
    made_from = cleaning_fingerprint(args.rounds, args.benchmarks, settings, crawl)

    with _work_folder(args.cleaned, args.resume, made_from) as work:
        if args.cleaned:
            _check_cleaned(work, crawl.shards, made_from)
        else:
            clean_shards(crawl, collected, benchmarks, settings, work, made_from, args.workers)

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


def _read_candidates(work: Path, shards: Sequence[str]) -> list[dict]:
    """The candidates of all shards, by page and item."""
    rows = [row for shard in shards for row in read_jsonl(work / shard / CANDIDATES)]
    return sorted(rows, key=lambda row: (row["doc_id"], row["benchmark"], row["item"]))


def _check_complete(counts: dict) -> None:
    missing = counts["collected"] - counts["pages"] - counts["removed"]
    if missing:
        raise UserError(
            f"{missing} collected pages are in no page table: rounds and pages come from different runs"
        )


def _benchmark_files(args: argparse.Namespace) -> list[str]:
    return [benchmark_source(source)[1] for source in args.benchmarks]


def _check_cleaned(work: Path, shards: Sequence[str], made_from: str) -> None:
    """Raise a UserError for a shard whose part is missing, or made from something else."""
    for shard in shards:
        if not is_finished(work / shard / "removed.parquet", made_from):
            raise UserError(
                f"--cleaned {work / shard}: missing, or of other rounds, benchmarks or settings; "
                "run corpus.clean_shards"
            )


@contextmanager
def _work_folder(cleaned: Path | None, resume: Path | None, made_from: str) -> Iterator[Path]:
    """Where finished shards lie: `cleaned`; or `resume`, emptied if it was made from other inputs; or a
    temporary folder.

    The last two are deleted in the end; after a failure `resume` stays, for the next run to go on from.
    """
    if cleaned is not None:
        # What the jobs have made stays: the sort's own files do not.
        yield cleaned
        shutil.rmtree(cleaned / SPILL, ignore_errors=True)
        return

    folder = Path(tempfile.mkdtemp(prefix="corpus-final-")) if resume is None else resume
    claim_folder(folder, made_from)
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
    parser.add_argument("--resume", type=Path, metavar="DIR", help="folder for finished shards")
    parser.add_argument(
        "--cleaned",
        type=Path,
        metavar="DIR",
        help="folder written by corpus.clean_shards; default: made here",
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_main(main)
