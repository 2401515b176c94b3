"""A page as the classifier sees it: one line of tokens.

Lower case; TeX commands keep their backslash; digits, operators, punctuation and single Chinese, Japanese and Korean
characters are tokens of their own, because fastText splits on spaces only and never learns from what it cannot split.
"""

import re
import unicodedata

CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_TOKEN = re.compile(rf"\\[a-z]+|[{CJK}]|\d|(?:(?![{CJK}])[^\W\d_])+|[^\w\s]|_")
_CHARACTERS_PER_TOKEN = 16  # read so much text for each token wanted; more than any language needs


def tokens_of(text: str, limit: int) -> list[str]:
    """At most `limit` tokens of a text, from its beginning."""
    start = text[: limit * _CHARACTERS_PER_TOKEN]
    if not start.isascii():
        start = unicodedata.normalize("NFKC", start.encode("utf-8", "replace").decode())
    return _TOKEN.findall(start.lower())[:limit]


def line_of(text: str, limit: int) -> str:
    """The tokens joined by spaces, without a line end; empty when the text has none."""
    return " ".join(tokens_of(text, limit))
