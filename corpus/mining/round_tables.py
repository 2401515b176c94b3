"""What a round reads into DuckDB and writes from it."""

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import yaml

from corpus.mining.annotations import Annotation
from corpus.mining.url_prefixes import Prefix, as_yaml_rows
from corpus.tables.pages import read_table
from corpus.tables.urls import url_key
from pipeline.artifacts.records import read_jsonl
from pipeline.artifacts.write import write_text
from pipeline.errors import UserError

_HEADER = """\
# URL prefixes inside mathematical domains, most pages collected first; see corpus/mining/annotations.py for the form.
# To decide yourself: copy this file (or use `python -m corpus.annotate_page`), edit the decisions, and name your copy
# in `sources.url_annotations`.
"""


def open_tables(dedup: Path, spill: Path) -> duckdb.DuckDBPyConnection:
    """A connection whose view `kept` is the pages that survived deduplication; it spills under `spill`."""
    database = duckdb.connect(config={"temp_directory": str(spill / ".spill")})
    database.execute(f"CREATE VIEW kept AS SELECT * FROM read_parquet('{dedup / 'kept.parquet'}')")
    return database


def seed_ids(seeds: Path, pages: Path, dedup: Path, shards: list[str]) -> np.ndarray:
    """doc_ids (sorted, uint64) of the kept pages that stand for the seeds: a duplicate's keeper stands for it."""
    keys = [url_key(row["url"]) for row in read_jsonl(seeds) if _has_url(row, seeds)]
    wanted = pa.array(sorted(set(keys)), pa.uint64())
    found = []
    for shard in shards:
        rows = read_table(pages / f"{shard}.parquet", ["url_key"])["url_key"]
        keeper = read_table(dedup / "shards" / f"{shard}.parquet", ["keeper"])["keeper"]
        found.append(keeper.filter(pc.is_in(rows, value_set=wanted)).to_numpy())
    return np.unique(np.concatenate(found)).astype(np.uint64)


def _has_url(row: dict, origin: Path) -> bool:
    if not isinstance(row.get("url"), str):
        raise UserError(f"{origin}: a line without a `url`: {str(row)[:100]}")
    return True


def write_tables(database: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """collected.parquet (best first) and domains.parquet (most found first)."""
    for table, order in (("collected", "score DESC, doc_id"), ("domains", "found DESC, domain")):
        database.execute(
            f"COPY (SELECT * FROM {table} ORDER BY {order}) TO '{folder / table}.parquet'"
            " (FORMAT parquet, COMPRESSION zstd)"
        )


def write_yaml(
    database: duckdb.DuckDBPyConnection,
    path: Path,
    decisions: dict[str, Annotation],
    prefixes: dict[str, Prefix],
    samples: int,
) -> None:
    """url_prefixes.yaml: every decision, with counts and the URLs of sample pages where this round has them."""
    members = {name: prefix.members[:samples] for name, prefix in prefixes.items()}
    asked = sorted({doc_id for ids in members.values() for doc_id in ids})
    database.register("asked", pa.table({"doc_id": pa.array(asked, pa.uint64())}))
    urls = dict(
        database.execute("SELECT doc_id, url FROM kept WHERE doc_id IN (FROM asked)").fetchall()
    )
    rows = as_yaml_rows(
        decisions, prefixes, {name: [urls[i] for i in ids] for name, ids in members.items()}
    )
    body = yaml.safe_dump(
        {"version": 1, "prefixes": rows}, sort_keys=False, allow_unicode=True, width=1000
    )
    write_text(path, _HEADER + body)
