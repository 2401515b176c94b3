"""Find URL duplicates, equal texts and near duplicates over all shards.

Reads  the folder of page tables (`corpus/pages/<shard>.parquet`): those that `--shards FILE` names, one a line, or all.
Writes a folder with
    bands/<shard>.parquet    for each page of the shard band keys and sketch (corpus.duplicates.lsh_bands)
    shards/<shard>.parquet   for each page of the shard doc_id, kept, duplicate ("", "url", "text", "near"), and
                             keeper: the doc_id of the page that stays
    kept.parquet             the pages that stay, sorted by doc_id: doc_id, url, domain, path, language, n_tokens
    manifest.json            counts by kind of duplicate, sizes of clusters

    python -m corpus.dedup --config results/mini/config/corpus.dedup.json \\
        --pages results/mini/corpus/pages --out results/mini/corpus/dedup

Of one URL the newest page stays, of equal or similar texts the longest, then the smallest doc_id;
neither the number nor the order of shards changes the result. Texts are never changed, and nothing is
deleted from the page tables.

DeepSeekMath section 2.1 names "URL-based deduplication and near-deduplication" of Common Crawl, which
leave 40 billion pages; how it finds near duplicates it does not say.
"""

import argparse
import math
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.duplicates.clusters import Buckets, Duplicates, clusters
from corpus.duplicates.lsh_bands import write_bands
from corpus.tables.database import one_row, open_database
from corpus.tables.pages import ROW_GROUP, read_table
from corpus.tables.shards import read_shard_list, shard_files
from pipeline.artifacts.write import atomic_folder, payload, write_manifest
from pipeline.config.corpus import Dedup
from pipeline.config.read import read_section
from pipeline.errors import run_main
from pipeline.process_pool import run_jobs
from pipeline.progress import track

# How a page can be a duplicate; a page that stays has the first, empty one. The numbers are written
# into arrays of one byte a page.
KINDS = ("", "url", "text", "near")
KEPT, BY_URL, BY_TEXT, NEAR = range(len(KINDS))

# The best page first. The global row number only ever decides between copies of one record.
_BEST_FIRST = "n_chars DESC, doc_id, row"


def main(argv: list[str] | None = None) -> None:
    args = _parse_args(argv)
    settings = read_section(args.config, Dedup)
    shards = read_shard_list(args.shards) if args.shards else None
    files = shard_files(args.pages, shards)

    with atomic_folder(args.out) as folder:
        counts = deduplicate(files, folder, settings, args.workers)
        write_manifest(
            folder / "manifest.json",
            "corpus.dedup",
            settings=settings.model_dump(),
            inputs=files,
            counts=counts,
            files=payload(folder),
        )

    shares = ", ".join(f"{counts[kind]} by {kind}" for kind in KINDS[1:])
    print(f"dedup: {counts['pages']} pages, {counts['kept']} kept; duplicates {shares}")


def deduplicate(files: list[Path], folder: Path, settings: Dedup, workers: int = 1) -> dict:
    """Write all side files under `folder`; return the counts of the manifest."""
    bands = folder / "bands"
    jobs = [(file, bands / file.name, settings) for file in files]
    signatures = run_jobs(write_bands, jobs, workers)
    for _ in track(signatures, "dedup signatures", total=len(jobs), unit="shards"):
        pass

    # No query relies on the order in which rows were inserted; to keep it would cost memory.
    database = open_database(folder / ".spill", preserve_insertion_order=False)
    shards = _load_documents(database, files)

    # Each pass looks only at pages that the passes before have left, cheapest pass first.
    outcome = Outcome.all_kept(shards.total)
    outcome.remove(_equal(database, "url_key", f"crawl_date DESC, {_BEST_FIRST}"), BY_URL)
    outcome.remove(_equal(database, "text_key", _BEST_FIRST), BY_TEXT)
    outcome.remove(_near(database, shards, bands, settings.similarity), NEAR)
    outcome.follow_keepers()

    doc_ids = database.execute("SELECT doc_id FROM documents ORDER BY row").fetchnumpy()["doc_id"]
    _write_shards(shards, folder / "shards", doc_ids, outcome)
    _write_kept(database, files, folder)
    return outcome.counts()


@dataclass(frozen=True, slots=True)
class Shards:
    """The page tables of all shards, their rows numbered through: the global row numbers."""

    files: list[Path]
    starts: np.ndarray  # [shards + 1] first row of each shard, and the number of all rows

    @property
    def total(self) -> int:
        return int(self.starts[-1])

    def __iter__(self) -> Iterator[tuple[Path, int, int]]:
        """Each file with its first row and the one past its last."""
        starts = self.starts.tolist()
        yield from zip(self.files, starts[:-1], starts[1:], strict=True)


@dataclass(slots=True)
class Outcome:
    """What becomes of each page, by global row number."""

    kind: np.ndarray  # [rows] int8: index into KINDS
    keeper: np.ndarray  # [rows] int64: the page that stays in its place; of a kept page its own row

    @classmethod
    def all_kept(cls, rows: int) -> "Outcome":
        return cls(np.full(rows, KEPT, dtype=np.int8), np.arange(rows))

    def remove(self, duplicates: Duplicates, kind: int) -> None:
        self.kind[duplicates.page] = kind
        self.keeper[duplicates.page] = duplicates.keeper

    def follow_keepers(self) -> None:
        """Make every keeper a page that stays."""
        # A pass removes pages in favour of pages it leaves, so with three passes a keeper may itself
        # have been removed twice, by the second and by the third.
        for _ in range(2):
            self.keeper = self.keeper[self.keeper]

    def counts(self) -> dict:
        """The manifest's counts: pages, those kept, each kind of duplicate, clusters by their size."""
        counts: dict = {"pages": len(self.kind)}
        counts["kept"] = int((self.kind == KEPT).sum())
        for number, name in enumerate(KINDS):
            if number != KEPT:
                counts[name] = int((self.kind == number).sum())

        _, cluster_sizes = np.unique(self.keeper, return_counts=True)
        sizes, clusters_of_size = np.unique(cluster_sizes, return_counts=True)
        by_size = zip(sizes.tolist(), clusters_of_size.tolist(), strict=True)
        counts["cluster_sizes"] = {str(size): number for size, number in by_size}
        return counts


# ---- The three passes


def _load_documents(database: duckdb.DuckDBPyConnection, files: list[Path]) -> Shards:
    """Make the table `documents`, one row a page; `remaining` holds until a pass finds a duplicate."""
    database.execute("""
        CREATE TABLE documents (
            row BIGINT, doc_id UBIGINT, url_key UBIGINT, text_key UBIGINT, crawl_date VARCHAR,
            n_chars BIGINT, remaining BOOLEAN
        )
    """)

    starts = [0]
    for file in files:
        database.execute(
            """
            INSERT INTO documents
            SELECT file_row_number + ?, doc_id, url_key, text_key, crawl_date, n_chars, true
            FROM read_parquet(?, file_row_number=true)
            """,
            [starts[-1], str(file)],
        )
        starts.append(starts[-1] + pq.ParquetFile(file).metadata.num_rows)

    return Shards(files, np.array(starts))


def _equal(database: duckdb.DuckDBPyConnection, column: str, order: str) -> Duplicates:
    """Of remaining pages with an equal `column` all but the first by `order`."""
    pairs = database.execute(f"""
        SELECT row, first_value(row) OVER (PARTITION BY {column} ORDER BY {order}) AS keeper
        FROM documents
        WHERE remaining
        QUALIFY row != keeper
    """).fetchnumpy()

    _mark_removed(database, pairs["row"])
    return Duplicates(pairs["row"], pairs["keeper"])


def _near(
    database: duckdb.DuckDBPyConnection, shards: Shards, bands: Path, threshold: float
) -> Duplicates:
    """Near duplicates among the remaining pages."""
    width = _load_shared_keys(database, shards, bands)

    # A candidate's number is its rank: 0 is the best page.
    database.execute(f"""
        CREATE TABLE candidates AS
        SELECT row, row_number() OVER (ORDER BY {_BEST_FIRST}) - 1 AS rank
        FROM documents
        WHERE row IN (SELECT row FROM shared)
    """)
    ranked = database.execute("SELECT row FROM candidates ORDER BY rank").fetchnumpy()["row"]

    buckets = (_buckets(database, band) for band in range(width))
    with tempfile.TemporaryDirectory(dir=bands.parent) as scratch:
        sketches = _sketches(shards, bands, ranked, Path(scratch) / "sketches")
        found = clusters(buckets, sketches, threshold)
        del sketches  # unmaps the file before its folder is deleted

    database.execute("DROP TABLE shared")
    duplicates = Duplicates(ranked[found.page], ranked[found.keeper])
    _mark_removed(database, duplicates.page)
    return duplicates


def _load_shared_keys(database: duckdb.DuckDBPyConnection, shards: Shards, bands: Path) -> int:
    """Make the table `shared` of the keys that more than one remaining page has; the number of bands."""
    database.execute("CREATE TABLE bands (row BIGINT, keys UBIGINT[])")
    for file, start, _ in shards:
        database.execute(
            """
            INSERT INTO bands
            SELECT file_row_number + ?, keys
            FROM read_parquet(?, file_row_number=true)
            WHERE keys IS NOT NULL
            """,
            [start, str(bands / file.name)],
        )

    (longest,) = one_row(database, "SELECT max(len(keys)) FROM bands")
    width = longest or 0  # none where no page has a word
    database.execute("CREATE TABLE shared (band UTINYINT, key UBIGINT, row BIGINT)")
    # Band by band: all keys of all bands in one table would be as large as the texts' signatures.
    for band in range(width):
        database.execute(f"""
            INSERT INTO shared
            SELECT {band}, keys[{band + 1}] AS key, row
            FROM bands JOIN documents USING (row)
            WHERE remaining
            QUALIFY count(*) OVER (PARTITION BY key) > 1
        """)

    database.execute("DROP TABLE bands")
    return width


def _buckets(database: duckdb.DuckDBPyConnection, band: int) -> Buckets:
    found = database.execute(
        """
        SELECT key, rank
        FROM shared JOIN candidates USING (row)
        WHERE band = ?
        ORDER BY key, rank
        """,
        [band],
    ).fetchnumpy()
    return Buckets(found["key"], found["rank"])


def _sketches(shards: Shards, bands: Path, rows: np.ndarray, scratch: Path) -> np.ndarray:
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

        column = read_table(bands / file.name, ["sketch"])["sketch"].take(rows_in_file)
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


def _mark_removed(database: duckdb.DuckDBPyConnection, rows: np.ndarray) -> None:
    database.register("found", pa.table({"row": rows}))
    database.execute(
        "UPDATE documents SET remaining = false FROM found WHERE documents.row = found.row"
    )
    database.unregister("found")


# ---- The side files


def _write_shards(shards: Shards, folder: Path, doc_ids: np.ndarray, outcome: Outcome) -> None:
    """One table a shard, with a row for each of its page table."""
    folder.mkdir()
    for file, start, end in shards:
        rows = slice(start, end)
        kind = outcome.kind[rows]
        names = pa.DictionaryArray.from_arrays(pa.array(kind), pa.array(KINDS))

        table = pa.table(
            {
                "doc_id": doc_ids[rows],
                "kept": kind == KEPT,
                "duplicate": names.cast(pa.string()),
                "keeper": doc_ids[outcome.keeper[rows]],
            }
        )
        pq.write_table(table, folder / file.name, compression="zstd")


def _write_kept(database: duckdb.DuckDBPyConnection, files: list[Path], folder: Path) -> None:
    """The light table that rounds work on: no text, in an order that shards do not change."""
    database.execute("""
        CREATE TABLE kept (
            doc_id UBIGINT, url VARCHAR, domain VARCHAR, path VARCHAR, language VARCHAR,
            n_tokens BIGINT
        )
    """)

    # The paper's domain is "all pages sharing one base URL". Here that is the host without `www.`, not
    # the registrable domain of the page table: one owner's hosts differ in subject.
    for file in files:
        database.execute(
            r"""
            INSERT INTO kept
            SELECT page.doc_id, url, regexp_replace(host, '^www\.', ''), path, language, n_tokens
            FROM read_parquet($1, file_row_number=true) page
            JOIN read_parquet($2, file_row_number=true) decision USING (file_row_number)
            WHERE kept
            """,
            [str(file), str(folder / "shards" / file.name)],
        )

    database.execute(f"""
        COPY (SELECT * FROM kept ORDER BY doc_id) TO '{folder / "kept.parquet"}'
        (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP})
    """)


def _parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", required=True, help="JSON of the section corpus.dedup")
    parser.add_argument("--pages", required=True, type=Path, help="folder of page tables")
    parser.add_argument(
        "--shards", type=Path, help="text file with the shards' names, one a line; default: all"
    )
    parser.add_argument("--out", required=True, type=Path, help="folder to write")
    parser.add_argument("--workers", type=int, default=1, help="processes that compute signatures")
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_main(main)
