"""All pages of a crawl, and of earlier ones, as rows that are numbered through: what duplicates are sought among."""

import math
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.duplicates.lsh_bands import check_bands
from corpus.tables.pages import read_table
from pipeline.config.corpus import Dedup
from pipeline.errors import UserError


@dataclass(frozen=True, slots=True)
class Shards:
    """The side files with band keys, their rows numbered through: the global row numbers.

    Those of the crawl itself come first, then those of earlier crawls.
    """

    files: list[Path]
    starts: np.ndarray  # [files + 1] first row of each file, and the number of all rows
    own: int  # how many of the files are the crawl's

    @property
    def total(self) -> int:
        return int(self.starts[-1])

    @property
    def own_rows(self) -> int:
        """Pages of the crawl; the rows from here on are of earlier ones."""
        return int(self.starts[self.own])

    def __iter__(self) -> Iterator[tuple[Path, int, int]]:
        """Each file with its first row and the one past its last."""
        starts = self.starts.tolist()
        yield from zip(self.files, starts[:-1], starts[1:], strict=True)

    def of_the_crawl(self) -> Iterator[tuple[Path, int, int]]:
        for number, shard in enumerate(self):
            if number < self.own:
                yield shard


def earlier_bands(crawls: Iterable[Path]) -> list[Path]:
    """The side files of crawls that were deduplicated before (folders of corpus.dedup)."""
    files: list[Path] = []
    for crawl in crawls:
        found = sorted((crawl / "bands").glob("[!.]*.parquet"))
        if not found:
            raise UserError(f"{crawl}: no bands/*.parquet there; name a folder of corpus.dedup")
        files += found
    return files


def load_documents(
    database: duckdb.DuckDBPyConnection, own: list[Path], earlier: list[Path], settings: Dedup
) -> Shards:
    """Make the table `documents`, one row a page.

    Columns beside the page's own: `keeper_id`, the doc_id of the page that stays in its place; `earlier`,
    whether it is of an earlier crawl; `passes`, in how many of the three passes it takes part; and
    `remaining`, which holds until a pass finds a duplicate.
    """
    database.execute("""
        CREATE TABLE documents (
            row BIGINT, doc_id UBIGINT, url_key UBIGINT, text_key UBIGINT, crawl_date VARCHAR,
            n_chars BIGINT, keeper_id UBIGINT, earlier BOOLEAN, passes TINYINT, remaining BOOLEAN
        )
    """)

    starts = [0]
    for file in [*own, *earlier]:
        check_bands(file, settings)
        if len(starts) <= len(own):
            _load_own(database, file, starts[-1])
        else:
            _load_earlier(database, file, starts[-1])
        starts.append(starts[-1] + pq.ParquetFile(file).metadata.num_rows)

    return Shards([*own, *earlier], np.array(starts), len(own))


def _load_own(database: duckdb.DuckDBPyConnection, file: Path, start: int) -> None:
    database.execute(
        """
        INSERT INTO documents
        SELECT file_row_number + ?, doc_id, url_key, text_key, crawl_date, n_chars,
               doc_id, false, 3, true
        FROM read_parquet(?, file_row_number=true)
        """,
        [start, str(file)],
    )


def _load_earlier(database: duckdb.DuckDBPyConnection, file: Path, start: int) -> None:
    """Pages of an earlier crawl, also those that were removed there: each took part until its pass."""
    decided = file.parent.parent / "shards" / file.name
    if not decided.is_file():
        raise UserError(f"{decided}: no such file; name a folder of corpus.dedup")

    database.execute(
        """
        INSERT INTO documents
        SELECT file_row_number + $1, page.doc_id, url_key, text_key, crawl_date, n_chars, keeper, true,
               CASE duplicate WHEN 'url' THEN 1 WHEN 'text' THEN 2 ELSE 3 END, true
        FROM read_parquet($2, file_row_number=true) page
        JOIN read_parquet($3, file_row_number=true) USING (file_row_number)
        """,
        [start, str(file), str(decided)],
    )


def read_sketches(shards: Shards, rows: np.ndarray, scratch: Path) -> np.ndarray:
    """Sketches of the pages with these global row numbers, [rows, permutations] uint8.

    They are read shard by shard into the file `scratch`, which is mapped into memory.
    """
    sketches: np.ndarray | None = None
    order = np.argsort(rows, kind="stable")
    bounds = np.searchsorted(rows[order], shards.starts)

    for (file, start, _), low, high in zip(shards, bounds[:-1], bounds[1:], strict=True):
        if low == high:
            continue
        of_this_shard = order[low:high]
        rows_in_file = pa.array(rows[of_this_shard] - start)

        column = read_table(file, ["sketch"])["sketch"].take(rows_in_file)
        values = np.frombuffer(b"".join(column.to_pylist()), dtype=np.uint8)
        values = values.reshape(len(of_this_shard), -1)

        if sketches is None:
            shape = (len(rows), values.shape[1])
            # A mapped file that the disk has no room for would kill the process by a signal.
            with open(scratch, "wb") as file_of_sketches:
                os.posix_fallocate(file_of_sketches.fileno(), 0, math.prod(shape))
            sketches = np.memmap(scratch, dtype=np.uint8, mode="r+", shape=shape)
        sketches[of_this_shard] = values

    return np.zeros((0, 1), dtype=np.uint8) if sketches is None else sketches
