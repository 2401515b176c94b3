"""Whether a shard's table was finished before: an entry in its metadata says what it was made from."""

import os
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

_MADE_FROM = b"made_from"


def marked(schema: pa.Schema, made_from: str) -> pa.Schema:
    """The schema of a table that is made from inputs and settings with this fingerprint."""
    return schema.with_metadata({_MADE_FROM: made_from.encode()})


def is_finished(file: Path, made_from: str) -> bool:
    """Whether the table is there, whole, and made from the same. Its name appears when it is whole."""
    if not file.is_file():
        return False
    try:
        metadata = pq.read_schema(file).metadata or {}
    except (OSError, pa.ArrowInvalid):
        return False
    return metadata.get(_MADE_FROM) == made_from.encode()


def link(source: Path, target: Path) -> None:
    """Give a finished file a second name, in a folder that is thus complete without the first."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without such links
        shutil.copyfile(source, target)
