"""Texts of certain pages, from some shards: a round's training examples, or the pages that its annotator judges.

Reads  a table of doc_ids (`corpus.round --until learn` or `--until judge`), the page tables and the folder of
       corpus.dedup.
Writes <shard>.parquet with doc_id, text and n_math of these pages into the folder `--out`, and `--done`, a JSON
       object with the shards and the number of the pages found there, last.

    python -m corpus.read_shards --asked results/mini/corpus/passes/round_1/learn/asked.parquet \\
        --pages results/mini/corpus/pages --dedup results/mini/corpus/dedup --shards mini-00000 mini-00001 \\
        --out results/mini/corpus/passes/round_1/learn --done results/mini/corpus/passes/round_1/learn/00000.json

Shards whose file is there already, made for the same ids, are passed over. Row groups without any of the
pages are not read.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.tables.finished import is_finished, marked
from corpus.tables.pages import read_table
from corpus.tables.shards import Crawl
from pipeline.artifacts.resume import fingerprint
from pipeline.artifacts.write import atomic_path, file_digest, write_json
from pipeline.errors import run_main
from pipeline.process_pool import run_jobs
from pipeline.progress import track

TEXTS = pa.schema(
    [
        pa.field("doc_id", pa.uint64(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
        pa.field("n_math", pa.int64(), nullable=False),
    ]
)


def main(argv: list[str] | None = None) -> None:
    args = _parse_args(argv)
    crawl = Crawl.part(args.pages, args.dedup, args.shards)

    pages = read_shards(crawl, args.asked, args.out, args.workers)
    write_json(args.done, {"shards": list(crawl.shards), "pages": pages})


def read_shards(crawl: Crawl, asked: Path, out: Path, workers: int) -> int:
    """Write the texts of the pages in the table `asked`, a file a shard, into `out`; the number of pages."""
    doc_ids = np.sort(read_table(asked, ["doc_id"])["doc_id"].to_numpy())
    made_from = fingerprint(file_digest(asked), file_digest(crawl.dedup / "manifest.json"))

    jobs = [(shard, out / f"{shard}.parquet") for shard in crawl.shards]
    counts = run_jobs(read_shard, jobs, workers, shared=(crawl, doc_ids, made_from))
    return sum(track(counts, "texts", total=len(jobs), unit="shards"))


def read_shard(shard: str, out: Path, crawl: Crawl, doc_ids: np.ndarray, made_from: str) -> int:
    """Write one shard's part unless it is there already.

    Args:
        doc_ids: of the pages that are wanted, ascending; those of other shards are passed over.
    """
    if is_finished(out, made_from):
        return pq.read_metadata(out).num_rows

    count = 0
    schema = marked(TEXTS, made_from)
    with (
        atomic_path(out) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd") as writer,
    ):
        for found in _kept_pages(shard, crawl, doc_ids):
            writer.write_table(found.cast(schema))
            count += len(found)
    return count


def _kept_pages(shard: str, crawl: Crawl, doc_ids: np.ndarray) -> Iterator[pa.Table]:
    """Those of the pages that are kept pages of the shard, row group by row group."""
    decisions = read_table(crawl.dedup_file(shard), ["doc_id", "kept"])
    wanted = decisions["kept"].to_numpy() & np.isin(decisions["doc_id"].to_numpy(), doc_ids)

    pages = pq.ParquetFile(crawl.page_file(shard))
    start = 0
    for group in range(pages.num_row_groups):
        end = start + pages.metadata.row_group(group).num_rows
        here = wanted[start:end]
        if here.any():
            yield pages.read_row_group(group, columns=TEXTS.names).filter(pa.array(here))
        start = end


def _parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--asked", required=True, type=Path, help="table with a column doc_id")
    parser.add_argument("--pages", required=True, type=Path, help="folder of page tables")
    parser.add_argument("--dedup", required=True, type=Path, help="folder written by corpus.dedup")
    parser.add_argument("--shards", required=True, nargs="+", help="names of the shards")
    parser.add_argument("--out", required=True, type=Path, help="folder of the texts")
    parser.add_argument("--done", required=True, type=Path, help="JSON to write in the end")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_main(main)
