"""The table of extracted pages: its columns, and reading and writing it as Parquet.

Written by `corpus.extract`, one file a shard; read by every later step of the corpus stage. Text is
never changed after extraction: later steps write side files keyed by `doc_id`. The columns are a
superset of what FineMath publishes, under our names (see `corpus/final/README.md` of a run for the
mapping).
"""

import sys
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq
import xxhash

from pipeline.artifacts.write import atomic_path
from pipeline.errors import UserError

EXTRACTOR_VERSION = "2"

# A row group is written after so many rows or so many characters of text, whichever comes first:
# together they bound the memory of a writer.
ROW_GROUP = 20_000
GROUP_BYTES = 128 << 20

_PARQUET_OPTIONS = {
    "compression": "zstd",
    "compression_level": 3,
    "use_dictionary": ["host", "domain", "language", "mime"],
}


def _column(name: str, kind: pa.DataType) -> pa.Field:
    return pa.field(name, kind, nullable=False)


PAGES = pa.schema(
    [
        # Identity: xxh3_64 of canonical URL, crawl date and payload.
        _column("doc_id", pa.uint64()),
        # The address as the crawler recorded it, and its parts; url_key is xxh3_64 of its canonical
        # form, `domain` the registrable one.
        _column("url", pa.string()),
        _column("url_key", pa.uint64()),
        _column("host", pa.string()),
        _column("domain", pa.string()),
        _column("path", pa.string()),
        # ISO 8601, UTC, whole seconds.
        _column("crawl_date", pa.string()),
        # The record: name of its file without folders, the byte where its gzip member begins, and
        # its bytes in the file, -1 if unknown.
        _column("warc_file", pa.string()),
        _column("warc_offset", pa.int64()),
        _column("warc_length", pa.int64()),
        # What the payload was declared as, and the character set used to decode it.
        _column("mime", pa.string()),
        _column("charset", pa.string()),
        # ISO 639-1, "und" when nothing can be said; confidence 0 to 1.
        _column("language", pa.string()),
        _column("language_score", pa.float32()),
        _column("title", pa.string()),
        _column("text", pa.string()),
        # Sizes of the text. Words are separated by white space, and each Chinese or Japanese
        # character is one; tokens are an estimate (corpus.html.page.estimate_tokens).
        _column("n_chars", pa.int64()),
        _column("n_words", pa.int64()),
        _column("n_tokens", pa.int64()),
        # Formulas in the text, and JSON: kind of markup -> number of formulas.
        _column("n_math", pa.int64()),
        _column("math_kinds", pa.string()),
        # Whether the main content had lost formulas, so that the whole body was taken.
        _column("fallback", pa.bool_()),
        # xxh3_64 of the normalised text.
        _column("text_key", pa.uint64()),
        _column("extractor_version", pa.string()),
    ]
)

REJECTS = pa.schema(
    [
        _column("url", pa.string()),
        _column("reason", pa.string()),
        _column("detail", pa.string()),
        _column("warc_file", pa.string()),
        _column("warc_offset", pa.int64()),
        _column("record_type", pa.string()),
    ]
)


def key64(text: str) -> int:
    """xxh3_64 of the UTF-8 bytes (lone surrogates replaced): the key of URLs and texts in this stage."""
    return xxhash.xxh3_64_intdigest(text.encode("utf-8", "replace"))


def normalised_text(text: str) -> str:
    """What counts as the same text: lower case, every run of white space one space."""
    return " ".join(text.lower().split())


class TableWriter:
    """Write rows as Parquet; the file appears when the context ends without an exception.

    A table without rows is a valid file with the schema. Keys of a row that are no columns are left
    out.
    """

    def __init__(self, path: str | Path, schema: pa.Schema):
        self.schema = schema
        self._rows: list[dict] = []
        self._characters = 0
        self._whole_file = atomic_path(path)

    def __enter__(self) -> "TableWriter":
        temporary = self._whole_file.__enter__()
        self._writer = pq.ParquetWriter(temporary, self.schema, **_PARQUET_OPTIONS)
        return self

    def add(self, row: dict) -> None:
        """Append one row."""
        self._rows.append(row)
        self._characters += len(row.get("text", ""))

        is_full = len(self._rows) == ROW_GROUP
        is_large = self._characters > GROUP_BYTES
        if is_full or is_large:
            self._write_group()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if self._rows and kind is None:
                self._write_group()
            self._writer.close()
        except BaseException:
            # A disk that is full shows here at the latest.
            self._whole_file.__exit__(*sys.exc_info())
            raise
        self._whole_file.__exit__(kind, error, traceback)

    def _write_group(self) -> None:
        table = pa.Table.from_pylist(self._rows, schema=self.schema)
        self._writer.write_table(table)
        self._rows = []
        self._characters = 0


def read_table(path: str | Path, columns: list[str] | None = None) -> pa.Table:
    """Read a Parquet file, or those columns of it; UserError when it is missing or not Parquet."""
    try:
        return pq.read_table(path, columns=columns)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except pa.ArrowInvalid as error:
        raise UserError(f"{path}: not a readable Parquet file ({error})") from None
