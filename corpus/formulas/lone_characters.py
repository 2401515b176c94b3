"""Texts of three bytes that are alone between two tags, protected from the choice of the main content.

resiliparse 2.0.1 takes a text node of three UTF-8 bytes that is not plain ASCII for an ornament and
leaves it out of the main content. Most of them are ornaments, but `<b>群</b>`, `<td>x²</td>`,
`<i>2π</i>`, the French `<i>où</i>` and a full stop after a link are text. A mark in front makes the
node longer; `unmarked` takes it out again.
"""

import html
import re

MARK = "\uf5f2"  # private use, beside those of corpus.formulas.placeholders

# Marks of corpus.html.repair: around a link, and at the beginning of an h1 and of other headings.
LINK, LINK_END = "\uf5f4" * 2, "\uf5f5" * 2
TITLE, HEADING = "\uf5f6" * 2, "\uf5f7" * 2
OUR_MARKS = MARK + LINK[0] + LINK_END[0] + TITLE[0] + HEADING[0]
_ANY_MARK = re.compile(f"[{OUR_MARKS}]")

_LONE_BYTES = 3

# Letters, quotation marks, dashes, letterlike and mathematical signs, enclosed numbers, East Asian
# characters; not spaces, bullets, pointers, boxes and most dingbats.
_TEXT = (
    "\u0800-\u1fff\u2010-\u201f\u2026\u2030-\u2038\u2044\u2070-\u218f\u2192\u2194\u21a6\u21d0-\u21d5"
    "\u2200-\u22ff\u2300\u2308-\u230b\u2329\u232a\u2460-\u24ff\u266d-\u266f\u27c0-\u27ff"
    "\u2900-\u297f\u2980-\u29ff\u2a00-\u2aff\u2c00-\u2fff\u3001-\ud7ff\uf900-\uffdc"
)
# Signs of mathematics that pages also use as buttons and ornaments: text unless a link ends here.
_SIGNS = "\u2190-\u21ff\u25a1\u25b3\u25bd\u25c7\u25ca\u2713\u2717"
_IS_TEXT = re.compile(f"[{_TEXT}{_SIGNS}]")

# Between two tags: white space, one such character, or one of ASCII and one of two bytes, or an
# entity with or without a character before it. Left alone are MathML's leaves, annotations and
# scripts: they hold formulas, which are read from the tree.
# The pattern begins with a fixed letter and never backtracks (*+, ++): it runs at memory speed.
_LONE = re.compile(
    rf">(\s*+)([{_TEXT}]|[{_SIGNS}](?!\s*+</a>)|[!-;=-~][\x80-\u07ff]|[!-%\x27-;=-~]?+&#?\w++;)"
    rf"(?=\s*+<(?!/(?:\w+:)?(?:m[inos]|mtext|annotation|script)>))"
)


def marked(source: str) -> str:
    """HTML with MARK in front of every such text."""
    return _LONE.sub(_with_mark, source)


def unmarked(text: str) -> str:
    """Text without MARK and without the marks of links and headings."""
    return text if text.isascii() else _ANY_MARK.sub("", text)


def _with_mark(match: re.Match[str]) -> str:
    spaces, written = match[1], match[2]

    # An entity may stand for any character.
    text = html.unescape(written) if "&" in written else written
    if len(text) == 1 and not _IS_TEXT.fullmatch(text):
        return match[0]
    if len(text) == 2 and len(text.encode("utf-8", "replace")) != _LONE_BYTES:
        return match[0]
    return f">{spaces}{MARK}{written}"
