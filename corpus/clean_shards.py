"""The collected pages of some shards, without those that hold benchmark problems: a part spread over machines.

Reads  the page tables, the folder of corpus.dedup, every round's `collected.parquet`, and the benchmarks.
Writes into the folder `--out` for each shard `<shard>/kept.parquet`, `candidates.jsonl` and `removed.parquet` (see
       corpus.final, which puts them together), and `--done`, a JSON object with shards and numbers of pages, last.

    cd results/mini; python -m corpus.clean_shards --config config/corpus.decontamination.json --pages corpus/pages \\
        --dedup corpus/dedup --rounds corpus/round_{1,2,3,4}/collected.parquet --benchmarks exam=test.jsonl \\
        --shards mini-00000 mini-00001 --out corpus/cleaned --done corpus/cleaned/00000.json

Shards that are finished already, with the same settings, rounds and benchmarks, are passed over. Memory:
the ids of collected pages, the index of benchmark n-grams, and a batch of pages for each worker.
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.decontaminate import Examined, benchmark_source, examine, load_benchmarks, removal
from corpus.leaks.benchmark_texts import QUESTION, Item
from corpus.leaks.candidates import SHOWN, NumberSequences
from corpus.leaks.index import LeakIndex
from corpus.tables.final import FINAL, PAGE_COLUMNS, REMOVED, final_table
from corpus.tables.finished import is_finished, marked
from corpus.tables.pages import read_table
from corpus.tables.shards import Crawl
from pipeline.artifacts.resume import fingerprint
from pipeline.artifacts.write import atomic_path, file_digest, write_json, write_jsonl
from pipeline.config.corpus import Decontamination
from pipeline.config.read import read_section
from pipeline.errors import UserError, run_main
from pipeline.process_pool import run_jobs
from pipeline.progress import Progress

CANDIDATES = "candidates.jsonl"


def main(argv: list[str] | None = None) -> None:
    args = _parse_args(argv)
    settings = read_section(args.config, Decontamination)
    crawl = Crawl.part(args.pages, args.dedup, args.shards)
    made_from = cleaning_fingerprint(args.rounds, args.benchmarks, settings, crawl)

    counts = clean_shards(
        crawl,
        read_collected(args.rounds),
        load_benchmarks(args.benchmarks),
        settings,
        args.out,
        made_from,
        args.workers,
    )
    write_json(args.done, {"shards": list(crawl.shards), **counts})


def clean_shards(
    crawl: Crawl,
    collected: "Collected",
    benchmarks: list[Item],
    settings: Decontamination,
    out: Path,
    made_from: str,
    workers: int,
) -> Counter[str]:
    """Write `out`/<shard> for every shard of the crawl; the numbers of pages kept and removed."""
    index = LeakIndex(benchmarks, settings)
    counts: Counter[str] = Counter(kept=0, removed=0)

    with Progress("decontaminate", total=len(crawl.shards), unit="shards") as progress:
        jobs = [(shard, out / shard) for shard in crawl.shards]
        # Forked, for the index of all benchmarks' n-grams is large and never written to.
        shared = (crawl, collected, index, NumberSequences(benchmarks), made_from)
        for done in run_jobs(finish_shard, jobs, workers, shared=shared, start="fork"):
            progress.add(1, **done)
            counts.update(done)
    return counts


def cleaning_fingerprint(
    rounds: list[str], benchmarks: list[str], settings: Decontamination, crawl: Crawl
) -> str:
    """What finished shards depend on; the manifest of the deduplication knows the page tables."""
    files: list[str | Path] = [crawl.dedup / "manifest.json", *rounds]
    for source in benchmarks:
        files.append(benchmark_source(source)[1])
    digests = [file_digest(file) for file in files]
    return fingerprint(settings.model_dump_json(), digests)


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
    made_from: str,
) -> dict[str, int]:
    """Write the shard's collected pages to `out`/kept.parquet, the leaking ones to `out`/removed.parquet.

    Returns how many there are of each; nothing is done for a shard that was finished before.

    Args:
        made_from: a fingerprint of all that decides which pages go.
    """
    if is_finished(out / "removed.parquet", made_from):
        return {
            name: pq.read_metadata(out / f"{name}.parquet").num_rows for name in ("kept", "removed")
        }

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
        pq.write_table(pa.Table.from_pylist(removed, schema=marked(REMOVED, made_from)), path)

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


def _parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", required=True, help="settings as JSON (Decontamination)")
    parser.add_argument("--pages", required=True, help="folder of page tables")
    parser.add_argument("--dedup", required=True, help="folder of the deduplication")
    parser.add_argument(
        "--rounds", required=True, nargs="+", help="collected.parquet of round 1, 2, …"
    )
    parser.add_argument("--benchmarks", required=True, nargs="+", metavar="[NAME=]FILE")
    parser.add_argument("--shards", required=True, nargs="+", help="names of the shards")
    parser.add_argument("--out", required=True, type=Path, help="folder to write")
    parser.add_argument("--done", required=True, type=Path, help="JSON to write in the end")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_main(main)
