"""Columns of the final corpus and of the removal log, and how rows of the page table become theirs.

The names and types of FineMath's columns come first, so that code written for it reads this corpus;
ours follow. Nothing is dropped here: measures of a text's quality are reported as columns.
"""

import json
import re
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from corpus.tables.pages import PAGES

FINAL = pa.schema(
    [
        # FineMath's columns.
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
        # Ours.
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

# What the dataset card says about each column.
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
    "repeated_line_share": "Share of the text's lines that repeat an earlier one",
}

# One row a removed page: the benchmark item that it shares most n-grams with.
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

# Columns of the page table that a row of the corpus is made from: all but keys for comparing pages.
PAGE_COLUMNS = [
    name for name in PAGES.names if name not in ("url_key", "path", "text_key", "extractor_version")
]

# The name of a crawl ends before the first number of three digits or more:
# `CC-MAIN-20241201162023-00000.warc.gz` is of CC-MAIN.
_CRAWL_NAME = re.compile(r"(.+?)-\d{3,}")

_NANOSECONDS = 1_000_000_000


def final_table(pages: pa.Table, score: np.ndarray, first_round: np.ndarray) -> pa.Table:
    """Rows of the corpus for some pages.

    Args:
        pages: the columns PAGE_COLUMNS of the page table.
        score: [rows] the last round's score of each page.
        first_round: [rows] the round that collected it first.
    """
    texts = pages["text"].to_pylist()
    letters = [letter_share(text) for text in texts]
    repeated = [repeated_line_share(text) for text in texts]
    stars = np.clip(score, 0, 1) * 5

    fetch_times = [_nanoseconds(date) for date in pages["crawl_date"].to_pylist()]
    crawls = [_crawl_name(name) for name in pages["warc_file"].to_pylist()]

    unchanged = {name: pages[name] for name in FINAL.names if name in pages.column_names}

    columns = unchanged | {
        "fetch_time": fetch_times,
        "content_mime_type": pages["mime"],
        "warc_filename": pages["warc_file"],
        "warc_record_offset": pages["warc_offset"],
        "warc_record_length": pages["warc_length"],
        "token_count": pages["n_tokens"],
        "char_count": pages["n_chars"],
        "metadata": _metadata(pages),
        "score": score.astype(np.float64),
        "int_score": np.rint(stars).astype(np.int64),
        "crawl": crawls,
        "snapshot_type": ["latest"] * len(pages),
        "round": first_round.astype(np.int32),
        "letter_share": np.array(letters, dtype=np.float32),
        "repeated_line_share": np.array(repeated, dtype=np.float32),
    }

    arrays = [_typed(columns[field.name], field.type) for field in FINAL]
    return pa.Table.from_arrays(arrays, schema=FINAL)


def _typed(values: object, kind: pa.DataType) -> pa.ChunkedArray | pa.Array:
    if isinstance(values, pa.ChunkedArray):
        return values.cast(kind)
    return pa.array(values, type=kind)


def _metadata(pages: pa.Table) -> list[str]:
    """A JSON object for each page; `found_math` is FineMath's name."""
    objects = []
    for row in pages.select(["n_math", "math_kinds", "fallback", "charset"]).to_pylist():
        value = {
            "found_math": row["n_math"] > 0,
            "math_kinds": json.loads(row["math_kinds"] or "{}"),
            "fallback": row["fallback"],
            "charset": row["charset"],
        }
        objects.append(json.dumps(value, sort_keys=True, ensure_ascii=False))
    return objects


def _nanoseconds(date: str) -> int | None:
    """ISO 8601 to nanoseconds since 1970; None where the crawler gave no date."""
    try:
        moment = datetime.fromisoformat(date)
    except ValueError:
        return None

    in_utc = moment.replace(tzinfo=moment.tzinfo or UTC)
    return int(in_utc.timestamp()) * _NANOSECONDS


def _crawl_name(warc_file: str) -> str:
    match = _CRAWL_NAME.match(warc_file)
    return match[1] if match else warc_file.split(".")[0]


# ---- Quality of a text (after Gopher, Rae et al. 2021): reported, never used to drop a page


def letter_share(text: str) -> float:
    """Letters per character, white space not counted; 0 for an empty text."""
    visible = "".join(text.split())
    if not visible:
        return 0.0
    letters = sum(map(str.isalpha, visible))
    return letters / len(visible)


def repeated_line_share(text: str) -> float:
    """Share of the lines that also occur earlier in the text; blank lines do not count."""
    stripped = [line.strip() for line in text.splitlines()]
    lines = [line for line in stripped if line]
    if not lines:
        return 0.0
    return 1 - len(set(lines)) / len(lines)
