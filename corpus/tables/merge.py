"""Shards of finished pages to one sorted data set: a global sort that spills to disk, cut into parts."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus.tables.final import FINAL, REMOVED
from pipeline.artifacts.write import atomic_path

PART_CHARACTERS = 1_500_000_000  # about 500 MB of compressed Parquet
ROW_GROUP = 10_000
TOP_LANGUAGES = 50


def merge(work: Path, shards: list[str], out: Path, part_characters: int = PART_CHARACTERS) -> dict:
    """Write `out`/part-*.parquet, sorted by doc_id; return counts of pages, tokens, characters, by language."""
    counts: Counter[str] = Counter(pages=0, tokens=0, characters=0, formulas=0, parts=0)
    languages: Counter[str] = Counter()
    writer, size = None, 0
    for table in _sorted(work, [work / shard / "kept.parquet" for shard in shards]):
        if writer is None or size >= part_characters:
            if writer:
                writer.close()
            writer, size = _part(out, counts["parts"]), 0
            counts["parts"] += 1
        writer.write_table(table, row_group_size=ROW_GROUP)
        size += pc.sum(table["char_count"]).as_py() or 0
        counts["pages"] += len(table)
        for name, column in (
            ("tokens", "token_count"),
            ("characters", "char_count"),
            ("formulas", "n_math"),
        ):
            counts[name] += pc.sum(table[column]).as_py() or 0
        languages.update(table["language"].to_pylist())
    if writer is None:  # a corpus without pages still opens
        writer = _part(out, 0)
        counts["parts"] = 1
    writer.close()
    return dict(counts) | {"languages": dict(languages.most_common(TOP_LANGUAGES))}


def write_removed(work: Path, shards: list[str], path: str | Path) -> dict:
    """Write the log of removed pages, sorted by doc_id; return counts."""
    tables = [pq.read_table(work / shard / "removed.parquet") for shard in shards]
    rows = pa.concat_tables(tables).to_pylist() if tables else []
    rows.sort(key=lambda row: row["doc_id"])
    with atomic_path(path) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=REMOVED), temporary, compression="zstd")
    by_benchmark = Counter(row["benchmark"] for row in rows)
    return {
        "removed": len(rows),
        "removed_tokens": sum(row["n_tokens"] for row in rows),
        "removed_by_benchmark": dict(sorted(by_benchmark.items())),
    }


def _part(out: Path, number: int) -> pq.ParquetWriter:
    path = out / f"part-{number:05d}.parquet"
    return pq.ParquetWriter(path, FINAL, compression="zstd", compression_level=3)


def _sorted(work: Path, files: list[Path]) -> Iterator[pa.Table]:
    """All rows of the files by ascending doc_id, some at a time."""
    with duckdb.connect(
        config={"temp_directory": str(work / "spill"), "threads": "2"}
    ) as connection:
        columns = ", ".join(f'"{name}"' for name in FINAL.names)
        query = f"SELECT {columns} FROM read_parquet(?) ORDER BY doc_id"
        rows = connection.sql(query, params=[[str(path) for path in files]])
        for batch in rows.to_arrow_reader(ROW_GROUP):
            if len(batch):
                yield pa.Table.from_batches([batch]).cast(FINAL)
