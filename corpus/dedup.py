"""Find URL duplicates, equal texts and near duplicates over all shards.

Reads  the folder of page tables (`corpus/pages/<shard>.parquet`).
Writes a folder with
    bands/<shard>.parquet    band keys and sketches, beside the pages row by row (see corpus.duplicates.lsh_bands)
    shards/<shard>.parquet   row by row: doc_id, kept, duplicate ("", "url", "text", "near"), keeper (a doc_id)
    kept.parquet             the pages that stay, sorted by doc_id: doc_id, url, domain, path, language, n_tokens
    manifest.json            counts by kind of duplicate, sizes of clusters

    python -m corpus.dedup --config results/mini/config/corpus.dedup.json \\
        --pages results/mini/corpus/pages --out results/mini/corpus/dedup

Of one URL the newest page stays, of equal or similar texts the longest, then the smallest doc_id; neither the number
nor the order of shards changes the result. Texts are never changed, and nothing is deleted from the page tables.
"""

import argparse
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.duplicates.clusters import clusters
from corpus.duplicates.lsh_bands import write_bands
from corpus.tables.pages import ROW_GROUP, read_table
from corpus.tables.shards import shard_files
from pipeline.artifacts.write import atomic_folder, write_manifest
from pipeline.config.corpus import Dedup
from pipeline.config.load import read_section
from pipeline.errors import run_main
from pipeline.progress import track

KINDS = ("", "url", "text", "near")
_ORDER = "n_chars DESC, doc_id, g"  # the best page first; g only ever decides between copies of one record


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", required=True, help="JSON of the section corpus.dedup")
    parser.add_argument("--pages", required=True, type=Path, help="folder of page tables")
    parser.add_argument("--out", required=True, type=Path, help="folder to write")
    parser.add_argument("--workers", type=int, default=1, help="processes that compute signatures")
    options = parser.parse_args(argv)
    settings = read_section(options.config, Dedup)
    files = shard_files(options.pages)
    with atomic_folder(options.out) as folder:
        counts = deduplicate(files, folder, settings, options.workers)
        write_manifest(
            folder / "manifest.json",
            "corpus.dedup",
            settings=settings.model_dump(),
            inputs=files,
            counts=counts,
        )
    shares = ", ".join(f"{counts[kind]} by {kind}" for kind in KINDS[1:])
    print(f"dedup: {counts['pages']} pages, {counts['kept']} kept; duplicates {shares}")


def deduplicate(files: list[Path], folder: Path, settings: Dedup, workers: int = 1) -> dict:
    """Write all side files under `folder`; return the counts of the manifest."""
    _write_all_bands(files, folder / "bands", settings, workers)
    database = duckdb.connect(
        config={"temp_directory": str(folder / ".spill"), "preserve_insertion_order": False}
    )
    starts = _load(database, files)
    total = int(starts[-1])
    keeper, kind = np.arange(total), np.zeros(total, dtype=np.int8)
    for number, (column, order) in enumerate(
        (("url_key", f"crawl_date DESC, {_ORDER}"), ("text_key", _ORDER)), 1
    ):
        fallen, by = _exact(database, column, order)
        keeper[fallen], kind[fallen] = by, number
    fallen, by = _near(database, files, folder / "bands", starts, settings.similarity)
    keeper[fallen], kind[fallen] = by, 3
    for _ in range(2):  # a page may fall to one that falls to another, at most twice
        keeper = keeper[keeper]
    doc_ids = database.execute("SELECT doc_id FROM documents ORDER BY g").fetchnumpy()["doc_id"]
    _write_shards(files, folder / "shards", starts, doc_ids, kind, keeper)
    _write_kept(database, files, folder)
    sizes = (
        np.bincount(np.unique(keeper, return_counts=True)[1]) if total else np.zeros(0, dtype=int)
    )
    counts = {"pages": total, "kept": int((kind == 0).sum())}
    counts |= {name: int((kind == number).sum()) for number, name in enumerate(KINDS) if name}
    return counts | {"cluster_sizes": {str(size): int(n) for size, n in enumerate(sizes) if n}}


def _write_all_bands(files: list[Path], folder: Path, settings: Dedup, workers: int) -> None:
    jobs = [(file, folder / file.name, settings) for file in files]
    if workers == 1 or len(files) == 1:
        for job in track(jobs, "signatures", unit="shards"):
            write_bands(*job)
        return
    with ProcessPoolExecutor(min(workers, len(files)), mp_context=get_context("spawn")) as pool:
        for future in track(
            [pool.submit(write_bands, *job) for job in jobs], "signatures", unit="shards"
        ):
            future.result()


def _load(database: duckdb.DuckDBPyConnection, files: list[Path]) -> np.ndarray:
    """Table `documents`, one row a page with a global row number g; returns where each shard begins, and the end."""
    database.execute(
        "CREATE TABLE documents (g BIGINT, doc_id UBIGINT, url_key UBIGINT, text_key UBIGINT, crawl_date VARCHAR,"
        " n_chars BIGINT, alive BOOLEAN)"
    )
    starts = [0]
    for file in files:
        database.execute(
            "INSERT INTO documents SELECT file_row_number + ?, doc_id, url_key, text_key, crawl_date, n_chars, true"
            " FROM read_parquet(?, file_row_number=true)",
            [starts[-1], str(file)],
        )
        starts.append(starts[-1] + pq.ParquetFile(file).metadata.num_rows)
    return np.array(starts)


def _exact(
    database: duckdb.DuckDBPyConnection, column: str, order: str
) -> tuple[np.ndarray, np.ndarray]:
    """Among pages still alive, those of equal `column` but the first by `order` fall to that first one."""
    pairs = database.execute(
        f"SELECT g, first_value(g) OVER (PARTITION BY {column} ORDER BY {order}) AS keeper FROM documents"
        " WHERE alive QUALIFY g != keeper"
    ).fetchnumpy()
    _bury(database, pairs["g"])
    return pairs["g"], pairs["keeper"]


def _near(
    database: duckdb.DuckDBPyConnection,
    files: list[Path],
    bands: Path,
    starts: np.ndarray,
    threshold: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Near duplicates among pages still alive, as (page, keeper) by global row number."""
    database.execute("CREATE TABLE bands (g BIGINT, keys UBIGINT[])")
    for file, start in zip(files, starts, strict=False):
        database.execute(
            "INSERT INTO bands SELECT file_row_number + ?, keys FROM read_parquet(?, file_row_number=true)"
            " WHERE keys IS NOT NULL",
            [int(start), str(bands / file.name)],
        )
    width = database.execute("SELECT max(len(keys)) FROM bands").fetchone()[0] or 0
    database.execute("CREATE TABLE shared (band UTINYINT, key UBIGINT, g BIGINT)")
    for band in range(width):
        database.execute(
            f"INSERT INTO shared SELECT {band}, keys[{band + 1}] AS key, g FROM bands JOIN documents USING (g)"
            " WHERE alive QUALIFY count(*) OVER (PARTITION BY key) > 1"
        )
    database.execute("DROP TABLE bands")
    # A candidate's number is its rank: 0 is the best page.
    database.execute(
        f"CREATE TABLE candidates AS SELECT g, row_number() OVER (ORDER BY {_ORDER}) - 1 AS rank FROM documents"
        " WHERE g IN (SELECT g FROM shared)"
    )
    ranked = database.execute("SELECT g FROM candidates ORDER BY rank").fetchnumpy()["g"]
    buckets = (_bucket(database, band) for band in range(width))
    with tempfile.TemporaryDirectory(dir=bands.parent) as scratch:
        sketches = _sketches(files, bands, starts, ranked, Path(scratch) / "sketches")
        fallen, keeper = clusters(buckets, sketches, threshold)
        del sketches
    database.execute("DROP TABLE shared")
    _bury(database, ranked[fallen])
    return ranked[fallen], ranked[keeper]


def _bucket(database: duckdb.DuckDBPyConnection, band: int) -> tuple[np.ndarray, np.ndarray]:
    """(key, candidate) of one band, sorted by both."""
    found = database.execute(
        "SELECT key, rank FROM shared JOIN candidates USING (g) WHERE band = ? ORDER BY key, rank",
        [band],
    ).fetchnumpy()
    return found["key"], found["rank"]


def _sketches(
    files: list[Path], bands: Path, starts: np.ndarray, rows: np.ndarray, scratch: Path
) -> np.ndarray:
    """Sketches of the pages with these global row numbers, read shard by shard; they lie in a file, not in memory."""
    parts: np.ndarray | None = None
    order = np.argsort(rows, kind="stable")
    bounds = np.searchsorted(rows[order], starts)
    for file, start, low, high in zip(files, starts, bounds, bounds[1:], strict=False):
        if low == high:
            continue
        mine = order[low:high]
        column = read_table(bands / file.name, ["sketch"])["sketch"].take(
            pa.array(rows[mine] - start)
        )
        values = np.frombuffer(b"".join(column.to_pylist()), dtype=np.uint8).reshape(len(mine), -1)
        if parts is None:
            parts = np.memmap(
                scratch, dtype=np.uint8, mode="w+", shape=(len(rows), values.shape[1])
            )
        parts[mine] = values
    return np.zeros((0, 1), dtype=np.uint8) if parts is None else parts


def _bury(database: duckdb.DuckDBPyConnection, rows: np.ndarray) -> None:
    database.register("fallen", pa.table({"g": rows}))
    database.execute("UPDATE documents SET alive = false FROM fallen WHERE documents.g = fallen.g")
    database.unregister("fallen")


def _write_shards(
    files: list[Path],
    folder: Path,
    starts: np.ndarray,
    doc_ids: np.ndarray,
    kind: np.ndarray,
    keeper: np.ndarray,
) -> None:
    folder.mkdir()
    for file, start, end in zip(files, starts, starts[1:], strict=False):
        rows = slice(start, end)
        names = pa.DictionaryArray.from_arrays(pa.array(kind[rows]), pa.array(KINDS)).cast(
            pa.string()
        )
        table = pa.table(
            {
                "doc_id": doc_ids[rows],
                "kept": kind[rows] == 0,
                "duplicate": names,
                "keeper": doc_ids[keeper[rows]],
            }
        )
        pq.write_table(table, folder / file.name, compression="zstd")


def _write_kept(database: duckdb.DuckDBPyConnection, files: list[Path], folder: Path) -> None:
    """The light table that rounds work on: no text, in an order that shards do not change."""
    database.execute(
        "CREATE TABLE kept (doc_id UBIGINT, url VARCHAR, domain VARCHAR, path VARCHAR,"
        " language VARCHAR, n_tokens BIGINT)"
    )
    for file in files:
        database.execute(
            "INSERT INTO kept SELECT p.doc_id, url, regexp_replace(host, '^www\\.', ''), path, language, n_tokens"
            " FROM read_parquet($1, file_row_number=true) p JOIN read_parquet($2, file_row_number=true) d"
            " USING (file_row_number) WHERE kept",
            [str(file), str(folder / "shards" / file.name)],
        )
    database.execute(
        f"COPY (SELECT * FROM kept ORDER BY doc_id) TO '{folder / 'kept.parquet'}'"
        f" (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP})"
    )


if __name__ == "__main__":
    run_main(main)
