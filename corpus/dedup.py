"""Find URL duplicates, equal texts and near duplicates over all shards.

Reads  the folder of page tables (`corpus/pages/<shard>.parquet`): those that `--shards FILE` names, one a line, or all.
Writes a folder with
    bands/<shard>.parquet    for each page of the shard keys, band keys and sketch (corpus.duplicates.lsh_bands)
    shards/<shard>.parquet   for each page of the shard doc_id, kept, duplicate ("", "url", "text", "near"), and
                             keeper: the doc_id of the page that stays
    kept.parquet             the pages that stay, sorted by doc_id: doc_id, url, domain, path, language, n_tokens
    manifest.json            counts by kind of duplicate, sizes of clusters

    python -m corpus.dedup --config results/mini/config/corpus.dedup.json \\
        --pages results/mini/corpus/pages --out results/mini/corpus/dedup

Of one URL the newest page stays, of equal or similar texts the longest, then the smallest doc_id;
neither the number nor the order of shards changes the result. Texts are never changed, and nothing is
deleted from the page tables.

Signatures are made here, shard by shard, or beforehand on many machines by `corpus.hash_shards`
(`--signatures`). What remains for one machine is sorting keys and clustering; no text is read.

`--earlier` names folders that this command wrote for earlier crawls. Their pages stay as they are, of
whatever date or length; a page of this crawl that is a duplicate of one of theirs goes, its `keeper`
being the page there that stays. Only `bands` and `shards` of those folders are read: neither their
page tables nor their texts need to exist any more.

DeepSeekMath section 2.1 names "URL-based deduplication and near-deduplication" of Common Crawl, which
leave 40 billion pages; how it finds near duplicates it does not say.
"""

import argparse
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.duplicates.clusters import Buckets, Duplicates, clusters
from corpus.duplicates.documents import Shards, earlier_bands, load_documents, read_sketches
from corpus.duplicates.lsh_bands import page_table_digest
from corpus.hash_shards import hash_shards
from corpus.tables.database import one_row, open_database
from corpus.tables.finished import link
from corpus.tables.pages import ROW_GROUP
from corpus.tables.shards import read_shard_list, shard_files
from pipeline.artifacts.resume import claim_folder
from pipeline.artifacts.write import (
    atomic_folder,
    file_digests,
    payload,
    write_manifest,
)
from pipeline.config.corpus import Dedup
from pipeline.config.read import read_section
from pipeline.errors import UserError, run_main

# How a page can be a duplicate; a page that stays has the first, empty one. The numbers are written
# into arrays of one byte a page.
KINDS = ("", "url", "text", "near")
KEPT, BY_URL, BY_TEXT, NEAR = range(len(KINDS))

# The best page first. The global row number only ever decides between copies of one record.
_BEST_FIRST = "n_chars DESC, doc_id, row"
# Which of the passes look at a page; an earlier crawl's own duplicates take part until they were removed.
_PASSES = {"url_key": 1, "text_key": 2, "keys": 3}


def main(argv: list[str] | None = None) -> None:
    args = _parse_args(argv)
    settings = read_section(args.config, Dedup)
    shards = read_shard_list(args.shards) if args.shards else None
    files = shard_files(args.pages, shards)
    earlier = earlier_bands(args.earlier)
    if args.resume:
        claim_folder(args.resume, "corpus.dedup")

    with atomic_folder(args.out) as folder:
        signatures = args.signatures
        if signatures is None:
            signatures = args.resume or folder / ".signatures"
            hash_shards(files, signatures, settings, args.workers)

        counts = deduplicate(files, folder, settings, signatures, earlier)
        shutil.rmtree(folder / ".signatures", ignore_errors=True)

        bands = [folder / "bands" / file.name for file in files]
        made_from = map(page_table_digest, bands)
        write_manifest(
            folder / "manifest.json",
            "corpus.dedup",
            settings=settings.model_dump(),
            inputs=files,
            counts=counts,
            files=payload(folder),
            known=dict(zip(files, made_from, strict=True)) | file_digests(bands, args.workers),
        )

    if args.resume:
        shutil.rmtree(args.resume, ignore_errors=True)
    shares = ", ".join(f"{counts[kind]} by {kind}" for kind in KINDS[1:])
    print(f"dedup: {counts['pages']} pages, {counts['kept']} kept; duplicates {shares}")


def deduplicate(
    files: list[Path],
    folder: Path,
    settings: Dedup,
    signatures: Path,
    earlier: list[Path] | None = None,
) -> dict:
    """Write all side files under `folder`; return the counts of the manifest.

    Args:
        files: the page tables.
        signatures: folder with the side file of each of them.
        earlier: side files of earlier crawls, whose pages stay whatever this crawl holds.
    """
    bands = _link(signatures, [file.name for file in files], folder / "bands")

    # No query relies on the order in which rows were inserted; to keep it would cost memory.
    database = open_database(folder / ".spill", preserve_insertion_order=False)
    shards = load_documents(database, bands, earlier or [], settings)

    # Each pass looks only at pages that the passes before have left, cheapest pass first.
    outcome = Outcome.all_kept(shards.total)
    outcome.remove(_equal(database, "url_key", f"crawl_date DESC, {_BEST_FIRST}"), BY_URL)
    outcome.remove(_equal(database, "text_key", _BEST_FIRST), BY_TEXT)
    outcome.remove(_near(database, shards, folder, settings.similarity), NEAR)
    outcome.follow_keepers()

    found = database.execute("SELECT doc_id, keeper_id FROM documents ORDER BY row").fetchnumpy()
    _write_shards(shards, folder / "shards", found["doc_id"], found["keeper_id"], outcome)
    _write_kept(database, files, folder)
    return outcome.counts(shards)


def _link(signatures: Path, names: list[str], bands: Path) -> list[Path]:
    """The side files under a second name in the folder of the result."""
    for name in names:
        source = signatures / name
        if not source.is_file():
            raise UserError(f"{source}: no such file of signatures; run corpus.hash_shards first")
        link(source, bands / name)
    return [bands / name for name in names]


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

    def counts(self, shards: Shards) -> dict:
        """The manifest's counts: pages, those kept, each kind of duplicate, clusters by their size.

        Where there are earlier crawls, also their pages, and the duplicates of these; a cluster's size is
        that of its part in this crawl.
        """
        kind, keeper = self.kind[: shards.own_rows], self.keeper[: shards.own_rows]
        counts: dict = {"pages": len(kind)}
        counts["kept"] = int((kind == KEPT).sum())
        for number, name in enumerate(KINDS):
            if number != KEPT:
                counts[name] = int((kind == number).sum())

        if shards.total > shards.own_rows:
            counts["earlier_pages"] = shards.total - shards.own_rows
            counts["of_earlier_pages"] = int((keeper >= shards.own_rows).sum())

        _, cluster_sizes = np.unique(keeper, return_counts=True)
        sizes, clusters_of_size = np.unique(cluster_sizes, return_counts=True)
        by_size = zip(sizes.tolist(), clusters_of_size.tolist(), strict=True)
        counts["cluster_sizes"] = {str(size): number for size, number in by_size}
        return counts


# ---- The three passes


def _equal(database: duckdb.DuckDBPyConnection, column: str, order: str) -> Duplicates:
    """Of remaining pages with an equal `column` all but the first by `order`; earlier crawls' pages stay."""
    pairs = database.execute(f"""
        SELECT row, first_value(row) OVER (PARTITION BY {column} ORDER BY earlier DESC, {order}) AS keeper
        FROM documents
        WHERE remaining AND passes >= {_PASSES[column]}
        QUALIFY row != keeper AND NOT earlier
    """).fetchnumpy()

    _mark_removed(database, pairs["row"])
    return Duplicates(pairs["row"], pairs["keeper"])


def _near(
    database: duckdb.DuckDBPyConnection, shards: Shards, folder: Path, threshold: float
) -> Duplicates:
    """Near duplicates among the remaining pages; `folder` has room for large files."""
    width = _load_shared_keys(database, shards)

    # A candidate's number is its rank: 0 is the best page.
    database.execute(f"""
        CREATE TABLE candidates AS
        SELECT row, row_number() OVER (ORDER BY earlier DESC, {_BEST_FIRST}) - 1 AS rank
        FROM documents
        WHERE row IN (SELECT row FROM shared)
    """)
    ranked = database.execute("SELECT row FROM candidates ORDER BY rank").fetchnumpy()["row"]

    buckets = (_buckets(database, band) for band in range(width))
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        sketches = read_sketches(shards, ranked, Path(scratch) / "sketches")
        found = clusters(buckets, sketches, threshold)
        del sketches  # unmaps the file before its folder is deleted

    database.execute("DROP TABLE shared")
    pages, keepers = ranked[found.page], ranked[found.keeper]
    own = pages < shards.own_rows
    duplicates = Duplicates(pages[own], keepers[own])
    _mark_removed(database, duplicates.page)
    return duplicates


def _load_shared_keys(database: duckdb.DuckDBPyConnection, shards: Shards) -> int:
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
            [start, str(file)],
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
            WHERE remaining AND passes >= {_PASSES["keys"]}
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


def _mark_removed(database: duckdb.DuckDBPyConnection, rows: np.ndarray) -> None:
    database.register("found", pa.table({"row": rows}))
    database.execute(
        "UPDATE documents SET remaining = false FROM found WHERE documents.row = found.row"
    )
    database.unregister("found")


# ---- The side files


def _write_shards(
    shards: Shards, folder: Path, doc_ids: np.ndarray, keeper_ids: np.ndarray, outcome: Outcome
) -> None:
    """One table a shard, with a row for each of its page table.

    Args:
        doc_ids: [rows] of all pages.
        keeper_ids: [rows] the page in whose favour a page was removed by an earlier crawl, else itself.
    """
    folder.mkdir()
    for file, start, end in shards.of_the_crawl():
        rows = slice(start, end)
        kind = outcome.kind[rows]
        names = pa.DictionaryArray.from_arrays(pa.array(kind), pa.array(KINDS))

        table = pa.table(
            {
                "doc_id": doc_ids[rows],
                "kept": kind == KEPT,
                "duplicate": names.cast(pa.string()),
                "keeper": keeper_ids[outcome.keeper[rows]],
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
    parser.add_argument(
        "--signatures", type=Path, help="folder written by corpus.hash_shards; default: made here"
    )
    parser.add_argument(
        "--earlier",
        type=Path,
        nargs="+",
        default=[],
        metavar="DIR",
        help="folders written by this command for earlier crawls, whose pages stay",
    )
    parser.add_argument(
        "--resume",
        type=Path,
        metavar="DIR",
        help="folder for finished signatures, deleted at the end",
    )
    parser.add_argument("--workers", type=int, default=1, help="processes that compute signatures")
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_main(main)
