"""Records of a data source: JSON Lines, Parquet, folders of these, or a dataset of the Hub, streamed."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq

from pipeline.errors import UserError

HUB = "hub:"
SUFFIXES = (".jsonl", ".jsonl.gz", ".json.gz", ".parquet")


def input_files(path: str) -> list[str]:
    """The files of a source in a fixed order; a Hub source is one unit, named as it is."""
    if path.startswith(HUB):
        return [path]
    folder = Path(path)
    if folder.is_file():
        return [path]
    if not folder.is_dir():
        raise UserError(f"{path}: no such file or folder (a source is {', '.join(SUFFIXES)}, a folder, or hub:…)")
    files = sorted(str(p) for p in folder.rglob("*") if p.name.endswith(SUFFIXES) and not p.name.startswith("."))
    if not files:
        raise UserError(f"{path}: no {', '.join(SUFFIXES)} files in this folder")
    return files


def read_rows(file: str, field: str | None = None) -> Iterator[dict]:
    """Yield the records of one file or Hub dataset, of Parquet files only the column `field` when it is given."""
    if file.startswith(HUB):
        return _hub_rows(file.removeprefix(HUB))
    return _parquet_rows(file, field) if file.endswith(".parquet") else _json_rows(file)


def read_documents(file: str, field: str) -> Iterator[str | None]:
    """Yield each document's text, None for a record that has none."""
    for row in read_rows(file, field):
        text = row.get(field)
        yield text if isinstance(text, str) and text.strip() else None


def _parquet_rows(file: str, field: str | None) -> Iterator[dict]:
    try:
        table = pq.ParquetFile(file)
    except (OSError, ValueError) as error:
        raise UserError(f"{file}: not a readable Parquet file ({str(error).splitlines()[0]})") from None
    if field is not None and field not in table.schema_arrow.names:
        raise UserError(f"{file}: no column {field!r}; there are {', '.join(table.schema_arrow.names)}")
    for batch in table.iter_batches(columns=field and [field], batch_size=1024):
        yield from batch.to_pylist()


def _json_rows(file: str) -> Iterator[dict]:
    with (gzip.open if file.endswith(".gz") else open)(file, "rt", encoding="utf-8") as stream:
        try:
            for number, line in enumerate(stream, 1):
                if line.strip():
                    yield _parsed(line, file, number)
        except (UnicodeDecodeError, EOFError, gzip.BadGzipFile) as error:
            raise UserError(f"{file}: unreadable ({error})") from None


def _parsed(line: str, file: str, number: int) -> dict:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise UserError(f"{file}, line {number}: not JSON ({error})") from None
    if not isinstance(row, dict):
        raise UserError(f"{file}, line {number}: expected a JSON object, found {type(row).__name__}")
    return row


def _hub_rows(name: str) -> Iterator[dict]:
    """Stream the training split; `name` is `id` or `id:config` (a local folder works too)."""
    from datasets import load_dataset

    identity, _, config = name.partition(":")
    try:
        yield from load_dataset(identity, config or None, split="train", streaming=True)
    except (OSError, ValueError) as error:
        raise UserError(f"{HUB}{name}: cannot be read ({str(error).splitlines()[0]})") from None
