"""The table of extracted pages: its columns, and reading and writing it as Parquet.

Written by `corpus.extract`, one file a shard; read by every later step of the corpus stage. Text is never changed
after extraction: later steps write side files keyed by `doc_id`. The columns are a superset of what FineMath
publishes, under our names (see `corpus/final/README.md` of a run for the mapping).
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import xxhash

from pipeline.artifacts.write import atomic_path
from pipeline.errors import UserError

EXTRACTOR_VERSION = "1"
ROW_GROUP = 20_000  # rows
GROUP_BYTES = 128 << 20  # characters of text

PAGES = pa.schema(
    [
        pa.field(
            "doc_id", pa.uint64(), nullable=False
        ),  # xxh3_64 of canonical URL, crawl date, payload
        pa.field("url", pa.string(), nullable=False),  # as recorded by the crawler
        pa.field("url_key", pa.uint64(), nullable=False),  # xxh3_64 of the canonical URL
        pa.field("host", pa.string(), nullable=False),
        pa.field("domain", pa.string(), nullable=False),  # registrable domain
        pa.field("path", pa.string(), nullable=False),
        pa.field("crawl_date", pa.string(), nullable=False),  # ISO 8601, UTC, whole seconds
        pa.field("warc_file", pa.string(), nullable=False),  # file name without folders
        pa.field(
            "warc_offset", pa.int64(), nullable=False
        ),  # byte where the record (its gzip member) begins
        pa.field(
            "warc_length", pa.int64(), nullable=False
        ),  # bytes of the record in the file, -1 if unknown
        pa.field("mime", pa.string(), nullable=False),
        pa.field("charset", pa.string(), nullable=False),  # the one used to decode
        pa.field(
            "language", pa.string(), nullable=False
        ),  # ISO 639-1, "und" when nothing can be said
        pa.field("language_score", pa.float32(), nullable=False),  # 0..1
        pa.field("title", pa.string(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
        pa.field("n_chars", pa.int64(), nullable=False),
        pa.field(
            "n_words", pa.int64(), nullable=False
        ),  # between white space; Chinese and Japanese: characters
        pa.field(
            "n_tokens", pa.int64(), nullable=False
        ),  # estimate, see corpus.html.page.estimate_tokens
        pa.field("n_math", pa.int64(), nullable=False),  # formulas in `text`
        pa.field(
            "math_kinds", pa.string(), nullable=False
        ),  # JSON: kind of markup -> number of formulas
        pa.field(
            "fallback", pa.bool_(), nullable=False
        ),  # main content lost formulas, the whole body was taken
        pa.field("text_key", pa.uint64(), nullable=False),  # xxh3_64 of the normalised text
        pa.field("extractor_version", pa.string(), nullable=False),
    ]
)

REJECTS = pa.schema(
    [
        pa.field("url", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("detail", pa.string(), nullable=False),
        pa.field("warc_file", pa.string(), nullable=False),
        pa.field("warc_offset", pa.int64(), nullable=False),
        pa.field("record_type", pa.string(), nullable=False),
    ]
)


def key64(text: str) -> int:
    """xxh3_64 of the UTF-8 bytes (lone surrogates replaced): the key of URLs and texts everywhere in this stage."""
    return xxhash.xxh3_64_intdigest(text.encode("utf-8", "replace"))


def normalised_text(text: str) -> str:
    """What counts as the same text: lower case, every run of white space one space."""
    return " ".join(text.lower().split())


class TableWriter:
    """Write rows as Parquet, zstd level 3; the file appears when the context ends without an exception.

    A table without rows is a valid file with the schema. Memory is bounded: a row group is written after ROW_GROUP
    rows or GROUP_BYTES of text, whichever comes first. Keys of a row that are no columns are left out.
    """

    def __init__(self, path: str | Path, schema: pa.Schema):
        self.schema, self.rows, self.bytes, self.count = schema, [], 0, 0
        self.whole = atomic_path(path)

    def __enter__(self) -> "TableWriter":
        self.writer = pq.ParquetWriter(self.whole.__enter__(), self.schema, **_OPTIONS)
        return self

    def add(self, row: dict) -> None:
        self.rows.append(row)
        self.bytes += len(row.get("text", ""))
        if len(self.rows) == ROW_GROUP or self.bytes > GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        self.writer.write_table(pa.Table.from_pylist(self.rows, schema=self.schema))
        self.count += len(self.rows)
        self.rows, self.bytes = [], 0

    def __exit__(self, *error: object) -> None:
        if self.rows and error[0] is None:
            self._flush()
        self.writer.close()
        self.whole.__exit__(*error)


def read_table(path: str | Path, columns: list[str] | None = None) -> pa.Table:
    """Read a Parquet file, or those columns of it; UserError when it is missing or not Parquet."""
    try:
        return pq.read_table(path, columns=columns)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except pa.ArrowInvalid as error:
        raise UserError(f"{path}: not a readable Parquet file ({error})") from None


_OPTIONS = {
    "compression": "zstd",
    "compression_level": 3,
    "use_dictionary": ["host", "domain", "language", "mime"],
}
