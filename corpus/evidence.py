"""How mathematical a text is to a reader who knows the words of the subject in many languages.

This stands in for the person who looks at sample pages between two rounds (DeepSeekMath section 2.1); it never scores
pages for the corpus. Evidence is the share of tokens that are mathematical words (`glossary.yaml`, section
`mathematics`), TeX commands, mathematical signs or one-letter names.
"""

import re
import unicodedata
from functools import cache
from pathlib import Path

import yaml

from corpus.features import CJK, tokens_of

MANY = 20  # tokens added to every text's length, so that a text of three words cannot be all evidence
_CJK = re.compile(f"[{CJK}]")


class Glossary:
    """Word forms of mathematical concepts: exact words, stems, and terms of scripts without spaces."""

    def __init__(self, concepts: dict[str, list[str]]):
        forms = [_plain(str(form).lower()) for words in concepts.values() for form in words]
        terms = sorted({f for f in forms if _CJK.search(f)}, key=lambda f: (-len(f), f))
        self.words = {f for f in forms if not _CJK.search(f) and not f.endswith("*")}
        self.stems = {f[:-1] for f in forms if f.endswith("*")}
        self.terms = re.compile("|".join(map(re.escape, terms)) or r"(?!)")
        self._known: dict[str, bool] = {}

    def has(self, word: str) -> bool:
        """Whether a lower-case word, without regard to accents, is a form of a concept."""
        if word not in self._known:
            plain = _plain(word)
            stems = any(plain[:end] in self.stems for end in range(3, len(plain) + 1))
            self._known[word] = plain in self.words or stems
        return self._known[word]


@cache
def mathematics() -> Glossary:
    """The glossary that comes with the project."""
    path = Path(__file__).with_name("glossary.yaml")
    return Glossary(yaml.safe_load(path.read_text(encoding="utf-8"))["mathematics"])


def evidence(text: str, limit: int) -> float:
    """Weighted share (0 and up, rarely over 1) of mathematical tokens among the first `limit` tokens of a text.

    A word or TeX command counts 1, a sign that is not on every keyboard 2, a one-letter name 0.5.
    """
    tokens = tokens_of(text, limit)
    glossary = mathematics()
    found = float(len(glossary.terms.findall("".join(t if _CJK.match(t) else " " for t in tokens))))
    for token in tokens:
        if len(token) == 1:
            found += _weight_of_sign(token)
        elif token[0] == "\\" or glossary.has(token):
            found += 1
    return found / (len(tokens) + MANY)


@cache
def _weight_of_sign(sign: str) -> float:
    if "a" <= sign <= "z":
        return 0.0 if sign in "ai" else 0.5  # words of English, Spanish, Italian
    if "α" <= sign <= "ω":
        return 0.5
    return 2.0 if unicodedata.category(sign) == "Sm" and sign not in "+<>=|~" else 0.0


def _plain(word: str) -> str:
    """Without accents: inflected Greek, French or Czech forms move or lose them."""
    if word.isascii() or _CJK.search(word):
        return word
    return "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))
