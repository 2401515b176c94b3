"""How mathematical a text is to a reader who knows the words of the subject in many languages.

This stands in for the person who looks at sample pages between two rounds (DeepSeekMath section 2.1);
it never scores pages for the corpus. The words are in `glossary.yaml`.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from corpus.mining.features import CJK, tokens_of

DATA_FILES = ("glossary.yaml",)

# More formulas than this add nothing: one table of symbols must not outweigh a page of prose.
_MOST_FORMULAS = 50
# Tokens added to every text's length, so that a text of three words cannot be all evidence.
MANY = 20
_SHORTEST_STEM = 3

_CJK = re.compile(f"[{CJK}]")
_NEVER = r"(?!)"  # matches nothing


class Glossary:
    """Word forms of mathematical concepts: exact words, stems ("geometr*"), and terms of scripts
    without spaces, which are found inside running text."""

    def __init__(self, concepts: dict[str, list[str]]):
        self.words: set[str] = set()
        self.stems: set[str] = set()
        terms: set[str] = set()
        for forms in concepts.values():
            for written in forms:
                form = _without_accents(str(written).lower())
                if _CJK.search(form):
                    terms.add(form)
                elif form.endswith("*"):
                    self.stems.add(form[:-1])
                else:
                    self.words.add(form)

        # Longest first: an alternation takes the first that fits.
        ordered = sorted(terms, key=lambda term: (-len(term), term))
        alternatives = "|".join(map(re.escape, ordered))
        self.terms = re.compile(alternatives or _NEVER)
        self._known: dict[str, bool] = {}

    def has(self, word: str) -> bool:
        """Whether a lower-case word, without regard to accents, is a form of a concept."""
        if word not in self._known:
            self._known[word] = self._look_up(_without_accents(word))
        return self._known[word]

    def _look_up(self, word: str) -> bool:
        if word in self.words:
            return True
        beginnings = (word[:end] for end in range(_SHORTEST_STEM, len(word) + 1))
        return any(beginning in self.stems for beginning in beginnings)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the annotator knows; see `glossary.yaml`."""

    subject: Glossary  # words that hardly occur outside mathematics
    shared: Glossary  # words that programming and daily life use as well
    commands: frozenset[str]  # TeX commands of formulas, with their backslash


@cache
def vocabulary() -> Vocabulary:
    """The words that come with the project."""
    path = Path(__file__).with_name("glossary.yaml")
    sections = yaml.safe_load(path.read_text(encoding="utf-8"))
    return Vocabulary(
        subject=Glossary(sections["mathematics"]),
        shared=Glossary(sections["shared"]),
        commands=frozenset("\\" + command for command in sections["tex"]),
    )


def evidence(text: str, formulas: int, limit: int) -> float:
    """Weighted share (0 and up, rarely over 1) of mathematics among the first `limit` tokens of a text.

    A word of the subject, a formula (at most 50) or a TeX command of formulas counts 1, a shared word
    0.5, a sign on no keyboard 2. Signs count no more than the words, for the signatures of a
    programming language's reference are full of arrows and lambdas. One-letter names count 0.5 each,
    but no more than all else: they are notes in a songbook.

    Args:
        formulas: how many the extraction found on the page.
    """
    words = vocabulary()
    tokens = tokens_of(text, limit)

    # Terms of scripts without spaces: their characters are single tokens, so join them again.
    running = "".join(token if _CJK.match(token) else " " for token in tokens)
    found: float = len(words.subject.terms.findall(running))
    found += 0.5 * len(words.shared.terms.findall(running))

    signs = 0
    names = 0.0
    for token in tokens:
        if len(token) == 1:
            if _is_name(token):
                names += 0.5
            elif _is_rare_sign(token):
                signs += 2
        elif token in words.commands or words.subject.has(token):
            found += 1
        elif words.shared.has(token):
            found += 0.5

    found += min(signs, found)
    total = found + min(names, found) + min(formulas, _MOST_FORMULAS)
    return total / (len(tokens) + MANY)


@cache
def _is_name(sign: str) -> bool:
    """Whether a letter may be a variable's name: Latin but for "a" and "i", words themselves; Greek."""
    if "a" <= sign <= "z":
        return sign not in "ai"
    return "α" <= sign <= "ω"


@cache
def _is_rare_sign(sign: str) -> bool:
    """Whether it is one of Unicode's mathematical symbols that no keyboard has."""
    return unicodedata.category(sign) == "Sm" and sign not in "+<>=|~"


def _without_accents(word: str) -> str:
    """Inflected Greek, French or Czech forms move or lose their accents."""
    if word.isascii() or _CJK.search(word):
        return word
    decomposed = unicodedata.normalize("NFKD", word)
    return "".join(character for character in decomposed if not unicodedata.combining(character))
