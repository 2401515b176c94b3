"""Finished shards to one sorted data set: a global sort that spills to disk, cut into parts."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus.tables.database import open_database
from corpus.tables.final import FINAL, REMOVED
from pipeline.artifacts.write import atomic_path

PART_CHARACTERS = 1_500_000_000  # about 500 MB of compressed Parquet
ROW_GROUP = 10_000
TOP_LANGUAGES = 50
SPILL = "spill"
"""Folder below that of the finished shards that the sort uses when memory is short."""


def merge(
    work: Path, shards: Sequence[str], out: Path, part_characters: int = PART_CHARACTERS
) -> dict:
    """Write `out`/part-*.parquet, sorted by doc_id.

    Args:
        work: folder with `<shard>/kept.parquet` of each shard.
        part_characters: characters of text from which a new part is begun.

    Returns counts of pages, tokens, characters, formulas, bytes in memory and parts, and pages by
    language and by crawl.
    """
    counts: Counter[str] = Counter(pages=0, tokens=0, characters=0, formulas=0, bytes=0)
    languages: Counter[str] = Counter()
    crawls: Counter[str] = Counter()

    files = [work / shard / "kept.parquet" for shard in shards]
    with _Parts(out, part_characters) as parts:
        for table in _sorted_rows(work, files):
            characters = _sum(table, "char_count")
            parts.write(table, characters)

            counts["pages"] += len(table)
            counts["tokens"] += _sum(table, "token_count")
            counts["characters"] += characters
            counts["formulas"] += _sum(table, "n_math")
            counts["bytes"] += table.nbytes
            languages.update(table["language"].to_pylist())
            crawls.update(table["crawl"].to_pylist())

    return {
        **counts,
        "parts": parts.count,
        "languages": dict(languages.most_common(TOP_LANGUAGES)),
        "crawls": dict(sorted(crawls.items())),
    }


def write_removed(work: Path, shards: Sequence[str], path: str | Path) -> list[dict]:
    """Write the log of removed pages, sorted by doc_id; return its rows."""
    rows = []
    for shard in shards:
        rows += pq.read_table(work / shard / "removed.parquet").to_pylist()
    rows.sort(key=lambda row: row["doc_id"])

    table = pa.Table.from_pylist(rows, schema=REMOVED)
    with atomic_path(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")
    return rows


class _Parts:
    """Parquet files `part-00000.parquet`, … in a folder, a new one whenever the last is large enough."""

    def __init__(self, folder: Path, part_characters: int):
        self.folder = folder
        self.part_characters = part_characters
        self.count = 0
        self._begin()

    def __enter__(self) -> "_Parts":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._writer.close()

    def write(self, table: pa.Table, characters: int) -> None:
        """Append rows whose texts have so many characters together."""
        if self._characters >= self.part_characters:
            self._writer.close()
            self._begin()

        self._writer.write_table(table, row_group_size=ROW_GROUP)
        self._characters += characters

    def _begin(self) -> None:
        """Open the next part. The first is opened before any row, so that an empty corpus still opens."""
        path = self.folder / f"part-{self.count:05d}.parquet"
        self._writer = pq.ParquetWriter(path, FINAL, compression="zstd", compression_level=3)
        self._characters = 0
        self.count += 1


def _sorted_rows(work: Path, files: list[Path]) -> Iterator[pa.Table]:
    """All rows of the files by ascending doc_id, some at a time."""
    quoted = [f'"{name}"' for name in FINAL.names]
    columns = ", ".join(quoted)
    query = f"SELECT {columns} FROM read_parquet(?) ORDER BY doc_id"

    # Each thread sorts in a buffer of its own: few of them, for rows hold whole texts.
    with open_database(work / SPILL, threads="2") as database:
        names = [str(path) for path in files]
        rows = database.sql(query, params=[names])
        for batch in rows.to_arrow_reader(ROW_GROUP):
            if not len(batch):
                continue
            table = pa.Table.from_batches([batch])
            yield table.cast(FINAL)


def _sum(table: pa.Table, column: str) -> int:
    return pc.sum(table[column]).as_py() or 0
