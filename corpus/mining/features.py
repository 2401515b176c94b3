"""A page as the classifier sees it: one line of tokens.

Lower case; TeX commands keep their backslash; digits, operators, punctuation and single Chinese,
Japanese and Korean characters are tokens of their own, because fastText splits on spaces only and
never learns from what it cannot split.
"""

import re
import unicodedata

# Inside a character class: kana, Han with extension A, Hangul syllables, compatibility Han.
CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"

# A TeX command, a character of these scripts, a digit, a run of other letters, any other sign.
_TOKEN = re.compile(rf"\\[a-z]+|[{CJK}]|\d|(?:(?![{CJK}])[^\W\d_])+|[^\w\s]|_")

_CHARACTERS_PER_TOKEN = 16  # text read for each token wanted; more than any language needs


def tokens_of(text: str, limit: int) -> list[str]:
    """At most `limit` tokens of a text, from its beginning."""
    start = text[: limit * _CHARACTERS_PER_TOKEN]

    if not start.isascii():
        # Wide letters and digits become ordinary ones; lone surrogates have no normal form.
        encodable = start.encode("utf-8", "replace").decode()
        start = unicodedata.normalize("NFKC", encodable)

    return _TOKEN.findall(start.lower())[:limit]


def line_of(text: str, limit: int) -> str:
    """The tokens joined by spaces, without a line end; empty when the text has none."""
    return " ".join(tokens_of(text, limit))
