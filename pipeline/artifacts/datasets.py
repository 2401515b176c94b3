"""Records of a data source: JSON Lines, Parquet, folders of these, one JSON file, or a dataset of
the Hub, streamed.

data/arxiv                     a folder: its .jsonl, .jsonl.gz, .jsonl.zst, .json.gz and .parquet files
data/MathInstruct.json         one file with a list of records, or with one under "Instances" (Lila)
hub:open-web-math/open-web-math              a Hub id (or a local folder in a layout of the Hub's)
hub:HuggingFaceFW/fineweb:sample-100BT       with a configuration
hub:EleutherAI/proof-pile-2/arxiv/train/*.jsonl.zst      with a pattern of files
"""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import pyarrow.parquet as pq
import zstandard

from pipeline.artifacts.records import numbered_lines
from pipeline.errors import UserError

HUB = "hub:"
SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".json.gz", ".parquet")


def input_files(path: str, split: bool = False) -> list[str]:
    """The files of a source in a fixed order.

    A Hub source is one unit, or with `split` one for each file of its set.
    """
    if path.startswith(HUB):
        return _hub_parts(path) if split else [path]

    folder = Path(path)
    if folder.is_file():
        return [path]
    if not folder.is_dir():
        raise UserError(
            f"{path}: no such file or folder (a source is {', '.join(SUFFIXES)}, a folder, or hub:…)"
        )

    files = sorted(str(file) for file in folder.rglob("*") if _is_data(file.name))
    if not files:
        raise UserError(f"{path}: no {', '.join(SUFFIXES)} files in this folder")
    return files


def _is_data(name: str) -> bool:
    """Hidden files are other programs' halves."""
    return name.endswith(SUFFIXES) and not name.startswith(".")


def read_rows(file: str, field: str | None = None) -> Iterator[dict]:
    """Yield the records of one file or Hub dataset; of Parquet files only the column `field` when
    it is given."""
    if file.startswith(HUB):
        return _hub_rows(file.removeprefix(HUB))
    if file.endswith(".parquet"):
        return _parquet_rows(file, field)
    if file.endswith(".json"):
        return _json_records(file)
    return _json_rows(file)


def read_documents(file: str, field: str) -> Iterator[str | None]:
    """Yield each document's text, None for a record that has none."""
    for row in read_rows(file, field):
        text = row.get(field)
        yield text if isinstance(text, str) and text.strip() else None


def _parquet_rows(file: str, field: str | None) -> Iterator[dict]:
    try:
        table = pq.ParquetFile(file)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{file}: not a readable Parquet file ({reason})") from None

    columns = table.schema_arrow.names
    if field is not None and field not in columns:
        raise UserError(f"{file}: no column {field!r}; there are {', '.join(columns)}")
    for batch in table.iter_batches(columns=field and [field], batch_size=1024):
        yield from batch.to_pylist()


def _json_rows(file: str) -> Iterator[dict]:
    with _open_text(file) as stream:
        try:
            for number, line in numbered_lines(stream, file):
                if line.strip():
                    yield _parsed(line, file, number)
        except (UnicodeDecodeError, EOFError, gzip.BadGzipFile, zstandard.ZstdError) as error:
            raise UserError(f"{file}: unreadable ({error})") from None


def _open_text(file: str) -> TextIO:
    match Path(file).suffix:
        case ".gz":
            return gzip.open(file, "rt", encoding="utf-8")
        case ".zst":
            return zstandard.open(file, "rt", encoding="utf-8")
        case _:
            return open(file, encoding="utf-8")


def _json_records(file: str) -> Iterator[dict]:
    """A file that is one JSON value: a list of records, or an object with the list under
    "Instances".

    Several objects, one a line, are read as JSON Lines whatever the file is called.
    """
    text = Path(file).read_text(encoding="utf-8")
    try:
        value = json.loads(text)
    except ValueError:
        return _json_rows(file)

    records = value.get("Instances", [value]) if isinstance(value, dict) else value
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise UserError(f"{file}: expected a list of JSON objects")
    return iter(records)


def _parsed(line: str, file: str, number: int) -> dict:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{file}, line {number}: not JSON ({error})") from None
    if not isinstance(row, dict):
        raise UserError(
            f"{file}, line {number}: expected a JSON object, found {type(row).__name__}"
        )
    return row


def _hub_rows(name: str) -> Iterator[dict]:
    """Stream the training split, or of it part k of n (`…#k/n`)."""
    name, _, part = name.partition("#")
    stream = _hub_stream(name)
    if part:
        index, _, number = part.partition("/")
        stream = stream.shard(num_shards=int(number), index=int(index))
    # The stream is opened lazily: an address that is gone shows here only.
    try:
        yield from stream
    except (OSError, ValueError) as error:
        raise UserError(f"{HUB}{name}: cannot be read ({_first_line(error)})") from None


def _hub_parts(path: str) -> list[str]:
    """Names of the parts in which a Hub set can be read side by side."""
    number = _hub_stream(path.removeprefix(HUB)).num_shards
    return [f"{path}#{index}/{number}" for index in range(number)] if number > 1 else [path]


def _hub_stream(name: str) -> Any:
    """The training split of `<owner>/<set>[/<pattern of files>][:<configuration>]`, or of a local
    folder."""
    from datasets import load_dataset  # takes seconds

    name, _, config = name.partition(":")
    pattern = None
    if not Path(name).is_dir() and name.count("/") > 1:
        owner, dataset, pattern = name.split("/", 2)
        name = f"{owner}/{dataset}"
    try:
        return load_dataset(name, config or None, data_files=pattern, split="train", streaming=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise UserError(f"{HUB}{name}: cannot be read ({_first_line(error)})") from None


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
