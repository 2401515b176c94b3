"""Columns of the final corpus and of the removal log, and the way from the table of pages to them.

The names and types of FineMath's columns come first, so that code written for it reads this corpus; ours follow.
"""

import json
import re
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from corpus.tables.pages import PAGES
from corpus.tables.quality import letter_share, repeated_line_share

FINAL = pa.schema(
    [
        pa.field("url", pa.string()),
        pa.field("fetch_time", pa.int64()),  # nanoseconds since 1970-01-01 UTC
        pa.field("content_mime_type", pa.string()),
        pa.field("warc_filename", pa.string()),
        pa.field("warc_record_offset", pa.int64()),
        pa.field("warc_record_length", pa.int64()),
        pa.field("text", pa.string()),
        pa.field("token_count", pa.int64()),  # estimate
        pa.field("char_count", pa.int64()),
        pa.field("metadata", pa.string()),  # JSON: formulas by kind of markup, charset, extraction
        pa.field("score", pa.float64()),  # the last round's classifier, 0..1
        pa.field("int_score", pa.int64()),  # score times five, rounded
        pa.field("crawl", pa.string()),
        pa.field("snapshot_type", pa.string()),
        pa.field("language", pa.string()),
        pa.field("language_score", pa.float64()),
        pa.field("doc_id", pa.uint64()),
        pa.field("host", pa.string()),
        pa.field("domain", pa.string()),
        pa.field("title", pa.string()),
        pa.field("crawl_date", pa.string()),
        pa.field("round", pa.int32()),  # the round that collected the page first
        pa.field("n_words", pa.int64()),
        pa.field("n_math", pa.int64()),
        pa.field("letter_share", pa.float32()),
        pa.field("repeated_line_share", pa.float32()),
    ]
)

DESCRIPTIONS = {
    "url": "Address as recorded by the crawler",
    "fetch_time": "Time of the fetch, nanoseconds since 1970-01-01 UTC",
    "content_mime_type": "Declared media type",
    "warc_filename": "WARC file that holds the page",
    "warc_record_offset": "Byte of that file at which the record begins",
    "warc_record_length": "Bytes of the record in the file, -1 if unknown",
    "text": "Extracted text, formulas as TeX in `$…$` or `$$…$$`",
    "token_count": "Tokens, estimated from the text",
    "char_count": "Characters of the text",
    "metadata": "JSON: formulas by kind of markup, character set, whether the main-content heuristic was overruled",
    "score": "Score of the last round's classifier, 0 to 1",
    "int_score": "Five times the score, rounded. A classifier's certainty, not FineMath's grade of educational value",
    "crawl": "Name of the crawl as far as the WARC file's name tells",
    "snapshot_type": "`latest`: of several captures of one address the newest is kept",
    "language": "ISO 639-1 code, `und` if unknown",
    "language_score": "Confidence of the language, 0 to 1",
    "doc_id": "64-bit identity of the page; the files are sorted by it",
    "host": "Host name",
    "domain": "Registrable domain",
    "title": "Title of the page",
    "crawl_date": "Time of the fetch, ISO 8601",
    "round": "Mining round that collected the page first",
    "n_words": "Words (a Chinese or Japanese character counts as one)",
    "n_math": "Formulas in the text",
    "letter_share": "Letters per character, blanks not counted",
    "repeated_line_share": "Share of the text's lines that stood in it before",
}

REMOVED = pa.schema(
    [
        pa.field("url", pa.string()),
        pa.field("benchmark", pa.string()),
        pa.field("item", pa.string()),
        pa.field("ngram", pa.string()),
        pa.field("rule", pa.string()),
        pa.field("part", pa.string()),
        pa.field("row", pa.int64()),
        pa.field("ngrams", pa.int64()),  # n-grams of that item on the page
        pa.field("also", pa.string()),  # JSON: the other items found on the page
        pa.field("doc_id", pa.uint64()),
        pa.field("n_tokens", pa.int64()),
        pa.field("round", pa.int32()),
    ]
)

PAGE_COLUMNS = [
    name for name in PAGES.names if name not in ("url_key", "path", "text_key", "extractor_version")
]
_CRAWL_NAME = re.compile(r"(.+?)-\d{3,}")


def final_table(pages: pa.Table, score: np.ndarray, first_round: np.ndarray) -> pa.Table:
    """Pages (columns of `corpus.tables.pages.PAGES`) with scores and rounds, [rows] each, as rows of the corpus."""
    same = {name: pages[name] for name in FINAL.names if name in pages.column_names}
    texts = pages["text"].to_pylist()
    columns = same | {
        "fetch_time": [_nanoseconds(date) for date in pages["crawl_date"].to_pylist()],
        "content_mime_type": pages["mime"],
        "warc_filename": pages["warc_file"],
        "warc_record_offset": pages["warc_offset"],
        "warc_record_length": pages["warc_length"],
        "token_count": pages["n_tokens"],
        "char_count": pages["n_chars"],
        "metadata": [_metadata(row) for row in pages.select(_METADATA).to_pylist()],
        "score": score.astype(np.float64),
        "int_score": np.rint(np.clip(score, 0, 1) * 5).astype(np.int64),
        "crawl": [_crawl(name) for name in pages["warc_file"].to_pylist()],
        "snapshot_type": ["latest"] * len(pages),
        "round": first_round.astype(np.int32),
        "letter_share": np.array([letter_share(text) for text in texts], dtype=np.float32),
        "repeated_line_share": np.array(
            [repeated_line_share(text) for text in texts], dtype=np.float32
        ),
    }
    arrays = [_column(columns[field.name], field.type) for field in FINAL]
    return pa.Table.from_arrays(arrays, schema=FINAL)


def _column(values: object, kind: pa.DataType) -> pa.ChunkedArray | pa.Array:
    return values.cast(kind) if isinstance(values, pa.ChunkedArray) else pa.array(values, type=kind)


_METADATA = ["n_math", "math_kinds", "fallback", "charset"]


def _metadata(row: dict) -> str:
    kinds = json.loads(row["math_kinds"] or "{}")
    value = {
        "found_math": row["n_math"] > 0,
        "math_kinds": kinds,
        "fallback": row["fallback"],
        "charset": row["charset"],
    }
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _nanoseconds(date: str) -> int | None:
    """ISO 8601 to nanoseconds since 1970; None where the crawler gave no date."""
    try:
        moment = datetime.fromisoformat(date)
    except ValueError:
        return None
    return int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()) * 1_000_000_000


def _crawl(warc_file: str) -> str:
    """`CC-MAIN-20241201162023-…` is CC-MAIN: the name before the first number of three digits or more."""
    match = _CRAWL_NAME.match(warc_file)
    return match[1] if match else warc_file.split(".")[0]
