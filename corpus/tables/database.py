"""DuckDB as the corpus stage uses it: it spills to disk in the place of running out of memory."""

from pathlib import Path

import duckdb

Setting = str | bool | int | float | list[str]


def open_database(spill: Path, **settings: Setting) -> duckdb.DuckDBPyConnection:
    """A connection to a new database in memory, whose large sorts and joins go to the folder `spill`."""
    config: dict[str, Setting] = {"temp_directory": str(spill), **settings}
    return duckdb.connect(config=config)


def one_row(
    database: duckdb.DuckDBPyConnection, query: str, parameters: list[str] | None = None
) -> tuple:
    """The row of a query that always has exactly one, such as a count."""
    row = database.execute(query, parameters).fetchone()
    if row is None:
        raise ValueError(f"no row: {query}")
    return row
