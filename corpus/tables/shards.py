"""The shards of a crawl: their page tables, and the pages of each that survive deduplication."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from corpus.tables.pages import read_table
from pipeline.errors import UserError

_ROWS = 2000  # pages in memory at a time: some megabytes of text


@dataclass(frozen=True, slots=True)
class Crawl:
    """The extracted pages, and what deduplication decided about them, shard by shard.

    Attributes:
        pages: folder written by corpus.extract, one table a shard.
        dedup: folder written by corpus.dedup.
        shards: names of the shards, without extension, sorted.
    """

    pages: Path
    dedup: Path
    shards: tuple[str, ...]

    @classmethod
    def open(cls, pages: str | Path, dedup: str | Path) -> "Crawl":
        """All shards of the folder; UserError where there are none, or other files than page tables."""
        shards = tuple(file.stem for file in shard_files(pages))
        return cls(Path(pages), Path(dedup), shards)

    def page_file(self, shard: str) -> Path:
        return self.pages / f"{shard}.parquet"

    def dedup_file(self, shard: str) -> Path:
        """For each row of the page table: doc_id, kept, duplicate, keeper."""
        return self.dedup / "shards" / f"{shard}.parquet"

    def kept_pages(self, shard: str, columns: list[str]) -> Iterator[pa.Table]:
        """The kept pages of one shard, in the order of the page table, some rows at a time."""
        decisions = read_table(self.dedup_file(shard), ["kept"])
        kept = decisions["kept"].combine_chunks()
        pages = pq.ParquetFile(self.page_file(shard))

        start = 0
        for batch in pages.iter_batches(batch_size=_ROWS, columns=columns):
            table = pa.Table.from_batches([batch])
            yield table.filter(kept.slice(start, len(batch)))
            start += len(batch)


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
