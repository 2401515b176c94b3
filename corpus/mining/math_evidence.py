"""How mathematical a text is to a reader who knows the words of the subject in many languages.

This stands in for the person who looks at sample pages between two rounds (DeepSeekMath section 2.1); it never scores
pages for the corpus. The words are in `glossary.yaml`.
"""

import re
import unicodedata
from functools import cache
from pathlib import Path

import yaml

from corpus.mining.features import CJK, tokens_of

DATA_FILES = ("glossary.yaml",)
_MOST_FORMULAS = 50
MANY = (
    20  # tokens added to every text's length, so that a text of three words cannot be all evidence
)
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
def glossaries() -> tuple[Glossary, Glossary, frozenset[str]]:
    """The words of mathematics that come with the project, those it shares with others, and TeX commands."""
    path = Path(__file__).with_name("glossary.yaml")
    sections = yaml.safe_load(path.read_text(encoding="utf-8"))
    commands = frozenset("\\" + command for command in sections["tex"])
    return Glossary(sections["mathematics"]), Glossary(sections["shared"]), commands


def evidence(text: str, formulas: int, limit: int) -> float:
    """Weighted share (0 and up, rarely over 1) of mathematics among the first `limit` tokens of a text.

    A word of the subject, a formula (at most 50) or a TeX command of formulas counts 1, a shared word 0.5, a sign on
    no keyboard 2. One-letter names count 0.5 each, but no more than all else: they are notes in a songbook.

    Args:
        formulas: how many the extraction found on the page.
    """
    tokens = tokens_of(text, limit)
    subject, shared, commands = glossaries()
    running = "".join(token if _CJK.match(token) else " " for token in tokens)
    found = len(subject.terms.findall(running)) + 0.5 * len(shared.terms.findall(running))
    names = 0.0
    for token in tokens:
        if len(token) == 1:
            names += 0.5 * _is_name(token)
            found += 2 * _is_rare_sign(token)
        elif token in commands or subject.has(token):
            found += 1
        elif shared.has(token):
            found += 0.5
    return (found + min(names, found) + min(formulas, _MOST_FORMULAS)) / (len(tokens) + MANY)


@cache
def _is_name(sign: str) -> bool:
    return (
        "a" <= sign <= "z" and sign not in "ai"
    ) or "α" <= sign <= "ω"  # a, i: words of several languages


@cache
def _is_rare_sign(sign: str) -> bool:
    return unicodedata.category(sign) == "Sm" and sign not in "+<>=|~"


def _plain(word: str) -> str:
    """Without accents: inflected Greek, French or Czech forms move or lose them."""
    if word.isascii() or _CJK.search(word):
        return word
    return "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))
