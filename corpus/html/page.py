"""One archive record or HTML file to one page or one reason why it is none."""

import re
from dataclasses import dataclass
from pathlib import Path

import xxhash

from corpus.archives.charset import decode_page
from corpus.archives.http_payload import (
    Http,
    PayloadError,
    decoded_body,
    looks_like_text,
    parse_http,
)
from corpus.archives.warc import Record
from corpus.html.language import detect_language
from corpus.html.main_text import PageText, TooDeep, extract_text
from corpus.tables.pages import EXTRACTOR_VERSION, key64
from corpus.tables.urls import Address, parse_url
from pipeline.config.corpus import Extraction

_HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
_UNTOLD_TYPES = frozenset(
    {"", "application/octet-stream", "unknown", "unknown/unknown", "text/plain", "application/xml"}
)
_MARKUP = re.compile(
    rb"\s*(?:\xef\xbb\xbf)?(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b",
    re.I | re.S,
)
_BLANK = b"\0 \t\r\n"
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
    """The record is no page; `reason` is one word of the list in the documentation of `corpus.extract`."""

    def __init__(self, reason: str, detail: str = ""):
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail = reason, detail


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a page came from."""

    url: str
    address: Address
    date: str
    file: str
    offset: int
    length: int


def page_of_record(record: Record, file: str, settings: Extraction) -> dict:
    """The page's row (columns of `corpus.tables.pages.PAGES`, and `escaped_dollars`), or Rejected."""
    if record.problem:
        raise Rejected(record.problem, record.detail)
    if record.kind != "response":
        raise Rejected("record_type", record.kind)
    http = _response(record)
    if not record.url or not record.date:
        raise Rejected(
            "warc_header", "no WARC-Target-URI" if not record.url else "no valid WARC-Date"
        )
    try:
        address = parse_url(record.url)
    except ValueError as error:
        raise Rejected("bad_url", str(error)) from None
    if http.status not in (200, None):
        raise Rejected("http_status", str(http.status))
    origin = Origin(record.url, address, record.date, file, record.offset, record.length)
    return _page(origin, http, settings)


def page_of_html(body: bytes, name: str, settings: Extraction) -> dict:
    """The row of an HTML file; its name, as given, stands for the URL, and there is no date."""
    if len(body) > settings.max_page_mb * 1e6:
        raise Rejected("too_large", f"{len(body)} bytes")
    address = Address("", "", name, name)
    return _page(
        Origin(name, address, "", Path(name).name, 0, len(body)), Http(None, {}, body), settings
    )


def estimate_tokens(text: str) -> int:
    """About how many tokens DeepSeek's tokenizer makes of a text: 0.3 a character of ASCII, 0.6 of any other.

    The rule of thumb of the model's provider (DeepSeek API documentation, "Token & token usage").
    """
    ascii_characters = len(text.encode("ascii", "ignore"))
    return round(0.3 * ascii_characters + 0.6 * (len(text) - ascii_characters))


def count_words(text: str, spaced: int | None = None) -> int:
    """Words between white space (`spaced`, where they were counted before); in Chinese and Japanese, characters."""
    if text.isascii() or not _EAST_ASIAN.search(text):
        return len(text.split()) if spaced is None else spaced
    spaces, characters = _EAST_ASIAN.subn(" ", text)
    return characters + len(spaces.split())


def _response(record: Record) -> Http:
    is_page = record.mime.startswith(("application/http", "text/html", "application/xhtml"))
    if record.mime and not is_page and not record.block.startswith(b"HTTP/"):
        raise Rejected("mime", record.mime)
    return parse_http(record.block)


def _page(origin: Origin, http: Http, settings: Extraction) -> dict:
    body, mime = _html_body(http, int(settings.max_page_mb * 1e6))
    source, charset = decode_page(body, http.get("content-type"))
    try:
        page = extract_text(
            source, settings.max_depth, None if charset.startswith("utf-16") else body
        )
    except TooDeep as error:
        raise Rejected("too_deep", str(error)) from None
    if not page.text.strip():
        raise Rejected("no_text", page.title[:200])
    digest = xxhash.xxh3_64_hexdigest(body)
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
        "mime": mime,
        "charset": charset,
        "language": language,
        "language_score": score,
        **_text_columns(page),
        "extractor_version": EXTRACTOR_VERSION,
    }


def _text_columns(page: PageText) -> dict:
    text = page.text
    words = text.lower().split()
    kinds = ",".join(f'"{kind}":{count}' for kind, count in sorted(page.kinds.items()))
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
        "text_key": key64(" ".join(words)),  # of `normalised_text`
    }


def _html_body(http: Http, limit: int) -> tuple[bytes, str]:
    """The decoded body and its MIME type, if it is HTML."""
    types = [
        value.partition(";")[0].strip().lower() for value in http.headers.get("content-type", ())
    ]
    mime = next((value for value in types if value in _HTML_TYPES), types[0] if types else "")
    if mime not in _HTML_TYPES and mime not in _UNTOLD_TYPES:
        raise Rejected("mime", mime)
    try:
        body = decoded_body(http, limit)
    except PayloadError as error:
        raise Rejected(error.reason, error.detail) from None
    if len(body) > limit:
        raise Rejected("too_large", f"{len(body)} bytes")
    if not (body[:4096].strip(_BLANK) or body.strip(_BLANK)):
        raise Rejected("empty_body", "")
    if body.startswith(_MAGIC):
        raise Rejected("binary", f"begins with {body[:4]!r}")
    if mime not in _HTML_TYPES and not _MARKUP.match(body[:4096]) and http.headers:
        raise Rejected("mime", mime or "none declared, not HTML")
    if not looks_like_text(body):
        raise Rejected("binary", "control characters")
    return body, mime or "text/html"
