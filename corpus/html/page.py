"""One archive record or HTML file to one page, or to the one reason why it is none.

`page_of_record` reads from top to bottom: the record, its HTTP response, the body, the characters,
the text, the row.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xxhash

from corpus.archives.charset import decode_page
from corpus.archives.http_payload import (
    Http,
    PayloadError,
    decoded_body,
    looks_like_text,
    media_types,
    parse_http,
)
from corpus.archives.record import Record
from corpus.html.language import detect_language
from corpus.html.main_text import PageText, TooDeep, extract_text
from corpus.tables.pages import EXTRACTOR_VERSION, key64
from corpus.tables.urls import Address, parse_url
from pipeline.config.corpus import Extraction

Row = dict[str, Any]  # columns of `corpus.tables.pages.PAGES`, and `escaped_dollars`

_HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
# Declared by servers that do not know what they send: HTML is recognised by its beginning.
_UNTOLD_TYPES = frozenset(
    {"", "application/octet-stream", "unknown", "unknown/unknown", "text/plain", "application/xml"}
)
# The beginning of an HTML document: byte order mark, XML declaration and comments may come first.
_MARKUP = re.compile(
    rb"\s*(?:\xef\xbb\xbf)?(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b",
    re.I | re.S,
)
_BLANK = b"\0 \t\r\n"
# First bytes of PDF, images, archives, sound and programs, which some servers declare as HTML.
_MAGIC = (
    b"%PDF-",
    b"\x89PNG",
    b"GIF8",
    b"\xff\xd8\xff",
    b"PK\x03\x04",
    b"\x1f\x8b",
    b"RIFF",
    b"OggS",
    b"\x7fELF",
    b"ID3",
)
_EAST_ASIAN = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")


class Rejected(ValueError):
    """The record is no page; `reason` is one of those that `corpus.extract` lists."""

    def __init__(self, reason: str, detail: str = ""):
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a page came from."""

    url: str
    address: Address
    date: str  # ISO 8601, "" when unknown
    file: str  # name without folders
    offset: int  # byte in the file
    length: int  # bytes in the file, -1 when unknown


@dataclass(frozen=True, slots=True)
class _Html:
    """The body of a page, its encodings undone."""

    body: bytes
    mime: str


def page_of_record(record: Record, file: str, settings: Extraction) -> Row:
    """The row of an archive's record; raises Rejected when it is no page.

    Args:
        record: as `corpus.archives.warc.read_records` gives it.
        file: name of the archive, for the row.
        settings: largest page, deepest nesting.
    """
    if record.problem:
        raise Rejected(record.problem, record.detail)
    if record.kind != "response":
        raise Rejected("record_type", record.kind)

    http = _response(record)
    if not record.url:
        raise Rejected("warc_header", "no WARC-Target-URI")
    if not record.date:
        raise Rejected("warc_header", "no valid WARC-Date")
    try:
        address = parse_url(record.url)
    except ValueError as error:
        raise Rejected("bad_url", str(error)) from None
    # None: the header has no status line, which tells nothing against the page.
    if http.status not in (200, None):
        raise Rejected("http_status", str(http.status))

    origin = Origin(record.url, address, record.date, file, record.offset, record.length)
    return _page(origin, http, settings)


def page_of_html(body: bytes, name: str, settings: Extraction) -> Row:
    """The row of an HTML file, or Rejected.

    Its name, as given, is taken for the URL, and there is no date.
    """
    if len(body) > settings.max_page_mb * 1e6:
        raise Rejected("too_large", f"{len(body)} bytes")

    address = Address("", "", name, name)
    origin = Origin(name, address, "", Path(name).name, 0, len(body))
    return _page(origin, Http(None, {}, body), settings)


def estimate_tokens(text: str) -> int:
    """About how many tokens DeepSeek's tokenizer makes of a text.

    0.3 for a character of ASCII, 0.6 for any other: the rule of thumb of the model's provider
    (DeepSeek API documentation, "Token & token usage").
    """
    ascii_characters = len(text.encode("ascii", "ignore"))
    other_characters = len(text) - ascii_characters
    return round(0.3 * ascii_characters + 0.6 * other_characters)


def count_words(text: str, spaced: int | None = None) -> int:
    """Words between white space; in Chinese and Japanese, characters.

    Args:
        text: the text of a page.
        spaced: number of words between white space, where they were counted before.
    """
    if text.isascii() or not _EAST_ASIAN.search(text):
        return len(text.split()) if spaced is None else spaced
    spaces, characters = _EAST_ASIAN.subn(" ", text)
    return characters + len(spaces.split())


def _response(record: Record) -> Http:
    """The HTTP response in a record."""
    # ARC files declare the page's own type where WARC files say application/http.
    is_page = record.mime.startswith(("application/http", "text/html", "application/xhtml"))
    if record.mime and not is_page and not record.block.startswith(b"HTTP/"):
        raise Rejected("mime", record.mime)
    return parse_http(record.block)


def _page(origin: Origin, http: Http, settings: Extraction) -> Row:
    html = _html_body(http, int(settings.max_page_mb * 1e6))
    source, charset = decode_page(html.body, http.get("content-type"))

    try:
        page = extract_text(source, settings.max_depth)
    except TooDeep as error:
        raise Rejected("too_deep", str(error)) from None
    if not page.text.strip():
        raise Rejected("no_text", page.title[:200])

    digest = xxhash.xxh3_64_hexdigest(html.body)
    address = origin.address
    language, score = detect_language(page.text)
    return {
        "doc_id": key64(f"{address.canonical}\0{origin.date}\0{digest}"),
        "url": origin.url,
        "url_key": key64(address.canonical),
        "host": address.host,
        "domain": address.domain,
        "path": address.path,
        "crawl_date": origin.date,
        "warc_file": origin.file,
        "warc_offset": origin.offset,
        "warc_length": origin.length,
        "mime": html.mime,
        "charset": charset,
        "language": language,
        "language_score": score,
        **_text_columns(page),
        "extractor_version": EXTRACTOR_VERSION,
    }


def _text_columns(page: PageText) -> Row:
    text = page.text
    words = text.lower().split()
    counted = {**page.kinds, "left_out": page.left_out} if page.left_out else page.kinds
    kinds = ",".join(f'"{kind}":{count}' for kind, count in sorted(counted.items()))
    return {
        "title": page.title,
        "text": text,
        "n_chars": len(text),
        "n_words": count_words(text, len(words)),
        "n_tokens": estimate_tokens(text),
        "n_math": page.n_math,
        "math_kinds": f"{{{kinds}}}",
        "escaped_dollars": page.escaped,
        "fallback": page.fallback,
        # The key of `corpus.tables.pages.normalised_text`; the words are at hand here.
        "text_key": key64(" ".join(words)),
    }


def _html_body(http: Http, limit: int) -> _Html:
    """The decoded body and its MIME type; Rejected unless it is HTML of at most `limit` bytes."""
    mime = _declared_type(http)
    is_html = mime in _HTML_TYPES
    if not is_html and mime not in _UNTOLD_TYPES:
        raise Rejected("mime", mime)

    try:
        body = decoded_body(http, limit)
    except PayloadError as error:
        raise Rejected(error.reason, error.detail) from None

    if len(body) > limit:
        raise Rejected("too_large", f"{len(body)} bytes")
    # Nearly every page is not blank in its first bytes already.
    if not (body[:4096].strip(_BLANK) or body.strip(_BLANK)):
        raise Rejected("empty_body", "")
    if body.startswith(_MAGIC):
        raise Rejected("binary", f"begins with {body[:4]!r}")
    # Without any header it is an HTML file, which its name or its first byte has told.
    if not is_html and http.headers and not _MARKUP.match(body[:4096]):
        raise Rejected("mime", mime or "none declared, not HTML")
    if not looks_like_text(body):
        raise Rejected("binary", "control characters")
    return _Html(body, mime or "text/html")


def _declared_type(http: Http) -> str:
    """The MIME type of the header: the first that is HTML where there are several."""
    values = http.headers.get("content-type", [])
    types = [name for value in values for name in media_types(value)]
    for name in types:
        if name in _HTML_TYPES:
            return name
    return types[0] if types else ""
