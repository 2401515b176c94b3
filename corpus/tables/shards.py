"""The shards of a corpus: their page tables, and the pages of each that survive deduplication."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from corpus.tables.pages import read_table
from pipeline.errors import UserError


def shard_files(pages: str | Path) -> list[Path]:
    """The page tables of a folder in the order of their names."""
    files = sorted(Path(pages).glob("*.parquet"))
    if not files:
        raise UserError(f"{pages}: no page tables (*.parquet) there; run corpus.extract first")
    for file in files:
        try:
            names = pq.read_schema(file).names
        except (OSError, pa.ArrowInvalid) as error:
            raise UserError(f"{file}: not a readable Parquet file ({error})") from None
        if "doc_id" not in names:
            raise UserError(f"{file}: not a page table of corpus.extract (no column doc_id)")
    return files


def kept_batches(
    pages: str | Path, dedup: str | Path, shard: str, columns: list[str], rows: int = 2000
) -> Iterator[pa.Table]:
    """The kept pages of one shard with these columns, in the order of the page table, some rows at a time.

    Args:
        pages, dedup: the folders written by corpus.extract and corpus.dedup.
        shard: name of the shard, without extension.
    """
    kept = read_table(Path(dedup) / "shards" / f"{shard}.parquet", ["kept"])[
        "kept"
    ].combine_chunks()
    start = 0
    for batch in pq.ParquetFile(Path(pages) / f"{shard}.parquet").iter_batches(
        batch_size=rows, columns=columns
    ):
        yield pa.Table.from_batches([batch]).filter(kept.slice(start, len(batch)))
        start += len(batch)
