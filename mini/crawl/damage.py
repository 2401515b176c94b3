"""What goes wrong on the way from a page to an archive: charsets, broken HTML, codings, cut payloads."""

import gzip
import random
import re
from dataclasses import dataclass, field

from mini.crawl.warc_writer import chunked

DAMAGES = ("charset", "no_charset", "broken_html", "truncated", "gzip", "chunked")
"""Kinds of damage; `gzip` and `chunked` are proper codings that a reader has to undo."""

# Browsers read both labels as the larger gb18030 (WHATWG Encoding Standard, decoder of gbk).
_CODECS = {"gb2312": "gb18030", "gbk": "gb18030"}
_WRONG_CHARSETS = {
    "zh": ("utf-8", "iso-8859-1", "x-unknown-8"),
    "en": ("gb18030", "shift_jis", "us-ascii", "x-unknown-8"),
}


@dataclass
class Payload:
    """A response body with the HTTP headers that describe it."""

    body: bytes
    headers: list[tuple[str, str]] = field(default_factory=list)
    truncated: str | None = None


def payload(
    html: str, charset: str, language: str, damage: str | None, rng: random.Random
) -> Payload:
    """`html` in bytes, damaged as asked. Characters the charset lacks become character references."""
    if damage == "broken_html":
        html = break_html(html, rng)

    # The most common form of a wrong charset: the server's default says one thing, the file is another.
    said = rng.choice(_WRONG_CHARSETS[language]) if damage == "charset" else charset
    body = html.encode(_CODECS.get(charset, charset), errors="xmlcharrefreplace")

    # Some servers name no charset and leave it to the page.
    says_nothing = damage == "no_charset" or rng.random() < 0.2
    content_type = f"text/html; charset={said}"
    if says_nothing and damage != "charset":
        content_type = "text/html"
    headers = [("Content-Type", content_type)]

    match damage:
        case "truncated":
            length = int(len(body) * rng.uniform(0.6, 0.85))
            return Payload(body[:length], headers, "length")
        case "gzip":
            packed = gzip.compress(body, 6, mtime=0)  # no time: the same bytes on every day
            return Payload(packed, [*headers, ("Content-Encoding", "gzip")])
        case "chunked":
            return Payload(chunked(body), [*headers, ("Transfer-Encoding", "chunked")])
        case _:
            return Payload(body, headers)


def break_html(html: str, rng: random.Random) -> str:
    """HTML with the mistakes that browsers forgive: missing ends, stray ends, wrong nesting, bare ampersands."""
    for mistake in rng.sample(_MISTAKES, rng.randint(2, 3)):
        html = mistake(html)
    return html


def _drop_ends(html: str) -> str:
    return re.sub(r"</(?:p|li|td|tr|body|html)>", "", html)


def _stray_ends(html: str) -> str:
    html = html.replace("</h1>", "</h1></div></span></b>", 1)
    return html.replace("<h2>", "</td><h2>", 1)


def _wrong_nesting(html: str) -> str:
    html = html.replace("<p>", "<p><b><i>", 1)
    return html.replace("</p>", "</b></i></p>", 1)


def _bare_ampersands(html: str) -> str:
    return html.replace("</h1>", " &copy &nbsp Q&A</h1>", 1)


def _no_frame(html: str) -> str:
    return re.sub(r"<!DOCTYPE html>|</?(?:html|head|body)[^>]*>", "", html)


def _doubled_attributes(html: str) -> str:
    return html.replace("<p>", '<p class="a" class=b id=>', 2)


# The order is part of the draws.
_MISTAKES = (
    _drop_ends,
    _stray_ends,
    _wrong_nesting,
    _bare_ampersands,
    _no_frame,
    _doubled_attributes,
)
