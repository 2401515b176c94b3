"""The shards of a crawl: their page tables, and the pages of each that survive deduplication."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from corpus.tables.pages import read_table
from pipeline.artifacts.write import write_text
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
        """The shards that were deduplicated: other page tables in the folder are of other runs.

        UserError where there are none, or where one of them is no page table.
        """
        decided = _visible(Path(dedup) / "shards")
        if not decided:
            raise UserError(f"{dedup}: no shards/*.parquet there; run corpus.dedup first")

        return cls.part(pages, dedup, [file.stem for file in decided])

    @classmethod
    def part(cls, pages: str | Path, dedup: str | Path, shards: Iterable[str]) -> "Crawl":
        """These shards alone. UserError where one of them is no page table, or was not deduplicated."""
        crawl = cls(Path(pages), Path(dedup), tuple(sorted(shards)))
        shard_files(pages, crawl.shards)
        for shard in crawl.shards:
            if not crawl.dedup_file(shard).is_file():
                raise UserError(f"{crawl.dedup_file(shard)}: no such file; run corpus.dedup first")
        return crawl

    def page_file(self, shard: str) -> Path:
        return self.pages / f"{shard}.parquet"

    def dedup_file(self, shard: str) -> Path:
        """For each row of the page table: doc_id, kept, duplicate, keeper."""
        return self.dedup / "shards" / f"{shard}.parquet"

    @property
    def page_files(self) -> list[Path]:
        return [self.page_file(shard) for shard in self.shards]

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


def shard_files(pages: str | Path, shards: Iterable[str] | None = None) -> list[Path]:
    """The page tables of these shards, or all of a folder, in the order of their names."""
    files = _visible(Path(pages))
    if shards is not None:
        files = [Path(pages) / f"{shard}.parquet" for shard in sorted(shards)]
    if not files:
        raise UserError(f"{pages}: no page tables (*.parquet) there; run corpus.extract first")

    for file in files:
        if not file.is_file():
            raise UserError(f"{file}: no such page table; run corpus.extract first")
        try:
            names = pq.read_schema(file).names
        except (OSError, pa.ArrowInvalid) as error:
            raise UserError(f"{file}: not a readable Parquet file ({error})") from None
        if "doc_id" not in names:
            raise UserError(f"{file}: not a page table of corpus.extract (no column doc_id)")

    return files


def batches(shards: Iterable[str], size: int) -> dict[str, list[str]]:
    """Name -> shards, at most `size` of them: what one job does of a step that is spread over machines."""
    names = list(shards)
    groups = [names[start : start + size] for start in range(0, len(names), size)]
    return {f"{number:05}": group for number, group in enumerate(groups)}


def read_shard_list(path: str | Path) -> list[str]:
    """Names of shards, one a line."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as a list of shards ({error})") from None

    names = [line for line in lines if line.strip()]
    if not names:
        raise UserError(f"{path}: names no shard (one a line)")
    return names


def write_shard_list(path: str | Path, shards: Iterable[str]) -> str:
    """Write what `read_shard_list` reads, unless the file says so already; return its path."""
    path = Path(path)
    names = "".join(f"{shard}\n" for shard in shards)
    if not path.is_file() or path.read_text(encoding="utf-8") != names:
        write_text(path, names)
    return str(path)


def _visible(folder: Path) -> list[Path]:
    """The Parquet files of a folder; hidden ones are what killed jobs left half written."""
    return sorted(file for file in folder.glob("*.parquet") if not file.name.startswith("."))
