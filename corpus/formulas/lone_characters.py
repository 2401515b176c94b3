"""Characters that are alone between two tags, protected from the choice of the main content.

resiliparse 2.0.1 takes a text node of a single character of three UTF-8 bytes for an ornament and
leaves it out of the main content. Most of them are ornaments, but `<b>群</b>`, `<i>x</i> ∈ <i>A</i>`
and a full stop after a link are text. A mark in front of such a character makes the node longer;
`unmarked` takes it out again.
"""

import html
import re

MARK = "\uf5f2"  # private use, beside those of corpus.formulas.placeholders

# Letters, quotation marks, dashes, letterlike and mathematical signs, East Asian characters; not
# spaces, bullets, pointers, boxes and dingbats.
_TEXT = (
    "\u0800-\u1fff\u2010-\u201f\u2026\u2030-\u2038\u2070-\u218f\u2192\u21a6\u21d2\u21d4\u2200-\u22ff"
    "\u27c0-\u27ef\u2a00-\u2aff\u2c00-\u2fff\u3001-\ud7ff\uf900-\uffdc"
)
_IS_TEXT = re.compile(f"[{_TEXT}]")

# Between two tags: white space, one such character or one entity, white space. Left alone are
# MathML's leaves, annotations and scripts: they hold formulas, which are read from the tree.
# The pattern begins with a fixed letter and never backtracks (*+, ++): it runs at memory speed.
_LONE = re.compile(
    rf">(\s*+)([{_TEXT}]|&#?\w++;)(?=\s*+<(?!/(?:\w+:)?(?:m[inos]|mtext|annotation|script)>))"
)


def marked(source: str) -> str:
    """HTML with MARK in front of every three-byte character that is alone between two tags."""
    return _LONE.sub(_with_mark, source)


def unmarked(text: str) -> str:
    """Text without MARK."""
    return text.replace(MARK, "") if MARK in text else text


def _with_mark(match: re.Match[str]) -> str:
    spaces, written = match[1], match[2]

    # An entity may stand for any character.
    character = html.unescape(written) if len(written) > 1 else written
    if not _IS_TEXT.fullmatch(character):
        return match[0]
    return f">{spaces}{MARK}{written}"
