"""What a round reads into DuckDB and writes from it.

Tables of a round, made one after the other: kept, positives, scores, collected, explored, domains.
"""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import yaml

from corpus.mining.annotations import Annotation, Decisions, decide
from corpus.mining.url_prefixes import Prefix, as_yaml_rows
from corpus.tables.database import open_database
from corpus.tables.pages import read_table
from corpus.tables.shards import Crawl
from corpus.tables.urls import url_key
from pipeline.artifacts.records import read_jsonl
from pipeline.artifacts.write import write_text
from pipeline.errors import UserError

_FETCH = 100_000  # rows of a query in memory at a time

_HEADER = """\
# URL prefixes inside mathematical domains, most pages collected first; see corpus/mining/annotations.py for the form.
# To decide yourself: copy this file (or use `python -m corpus.annotate_page`), edit the decisions, and name your copy
# in `sources.url_annotations`.
"""


# ---- Reading


def open_tables(crawl: Crawl, spill: Path) -> duckdb.DuckDBPyConnection:
    """A connection whose view `kept` is the pages that survived deduplication; it spills under `spill`."""
    kept = crawl.dedup / "kept.parquet"
    database = open_database(spill / ".spill")
    database.execute(f"CREATE VIEW kept AS SELECT * FROM read_parquet('{kept}')")
    return database


def register_ids(
    database: duckdb.DuckDBPyConnection, name: str, doc_ids: np.ndarray | list[int]
) -> None:
    """Make, or replace, the one-column table `name` (doc_id)."""
    column = pa.array(doc_ids, pa.uint64())
    database.register(name, pa.table({"doc_id": column}))


def seed_ids(seeds: Path, crawl: Crawl) -> np.ndarray:
    """doc_ids (sorted, uint64) of the kept pages at the seeds' addresses; of a duplicate, its keeper.

    Args:
        seeds: JSON Lines with `url`. An address that the crawl does not have is passed over.
    """
    keys = set()
    for row in read_jsonl(seeds):
        if not isinstance(row.get("url"), str):
            raise UserError(f"{seeds}: a line without a `url`: {str(row)[:100]}")
        keys.add(url_key(row["url"]))
    wanted = pa.array(sorted(keys), pa.uint64())

    found = []
    for shard in crawl.shards:
        page_keys = read_table(crawl.page_file(shard), ["url_key"])["url_key"]
        keeper = read_table(crawl.dedup_file(shard), ["keeper"])["keeper"]
        is_seed = pc.is_in(page_keys, value_set=wanted)
        found.append(keeper.filter(is_seed).to_numpy())
    return np.unique(np.concatenate(found)).astype(np.uint64)


def annotated_pages(
    database: duckdb.DuckDBPyConnection, decisions: Decisions
) -> Iterator[tuple[int, Annotation | None]]:
    """Kept pages of the domains with a prefix that is not rejected: (doc_id, the decision that covers the page).

    Needs the table `mixed_domains`.
    """
    rows = database.execute("""
        SELECT doc_id, domain || path
        FROM kept
        WHERE domain IN (FROM mixed_domains)
        ORDER BY doc_id
    """)
    while batch := rows.fetchmany(_FETCH):
        for doc_id, address in batch:
            yield doc_id, decide(address, decisions)


# ---- Writing


def write_tables(database: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """collected.parquet (best first) and domains.parquet (most found first)."""
    for table, order in (("collected", "score DESC, doc_id"), ("domains", "found DESC, domain")):
        database.execute(f"""
            COPY (SELECT * FROM {table} ORDER BY {order}) TO '{folder / table}.parquet'
            (FORMAT parquet, COMPRESSION zstd)
        """)


def write_yaml(
    database: duckdb.DuckDBPyConnection,
    path: Path,
    decisions: Decisions,
    prefixes: dict[str, Prefix],
    samples: int,
) -> None:
    """url_prefixes.yaml: every decision, with counts and sample pages where this round has them.

    Args:
        samples: how many URLs of pages to name for each prefix.
    """
    asked: set[int] = set()
    for prefix in prefixes.values():
        asked.update(prefix.members[:samples])
    register_ids(database, "asked", sorted(asked))
    found = database.execute("SELECT doc_id, url FROM kept WHERE doc_id IN (FROM asked)")
    url_of = dict(found.fetchall())

    sample_urls = {}
    for name, prefix in prefixes.items():
        sample_urls[name] = [url_of[page] for page in prefix.members[:samples]]
    rows = as_yaml_rows(decisions, prefixes, sample_urls)
    # One line a value, however long: a person edits the file.
    body = yaml.safe_dump(
        {"version": 1, "prefixes": rows}, sort_keys=False, allow_unicode=True, width=1000
    )
    write_text(path, _HEADER + body)
