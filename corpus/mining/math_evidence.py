"""How mathematical a text is to a reader who knows the words of the subject in many languages.

One of the two views of the automatic annotator (`corpus.mining.annotator`), for the setting
`vocabulary: mathematics`; it never scores pages for the corpus. The words are in `glossary.yaml`.
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
        # From a form to its concept; of two concepts with one form the first.
        self._words: dict[str, str] = {}
        self._stems: dict[str, str] = {}
        self._terms: dict[str, str] = {}
        for concept, forms in concepts.items():
            for written in forms:
                form = _without_accents(str(written).lower())
                if _CJK.search(form):
                    self._terms.setdefault(form, concept)
                elif form.endswith("*"):
                    self._stems.setdefault(form[:-1], concept)
                else:
                    self._words.setdefault(form, concept)

        # Longest first: an alternation takes the first that fits.
        ordered = sorted(self._terms, key=lambda term: (-len(term), term))
        alternatives = "|".join(map(re.escape, ordered))
        self._term = re.compile(alternatives or _NEVER)
        self._known: dict[str, str | None] = {}

    def concept(self, word: str) -> str | None:
        """The concept that a lower-case word, without regard to accents, is a form of."""
        if word not in self._known:
            self._known[word] = self._look_up(_without_accents(word))
        return self._known[word]

    def has(self, word: str) -> bool:
        return self.concept(word) is not None

    def terms_in(self, running: str) -> list[str]:
        """The concept of each term of a script without spaces, in the order of the text."""
        return [self._terms[term] for term in self._term.findall(running)]

    def _look_up(self, word: str) -> str | None:
        if word in self._words:
            return self._words[word]
        for end in range(_SHORTEST_STEM, len(word) + 1):
            if word[:end] in self._stems:
                return self._stems[word[:end]]
        return None


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

    running = _running(tokens)
    found: float = len(words.subject.terms_in(running))
    found += 0.5 * len(words.shared.terms_in(running))

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


def concepts(text: str, limit: int) -> frozenset[str]:
    """The concepts named among the first `limit` tokens of a text, shared ones too.

    A page of the subject names several; one word that a menu repeats on every page is one concept.
    """
    words = vocabulary()
    tokens = tokens_of(text, limit)
    running = _running(tokens)

    found: set[str | None] = set()
    for glossary in (words.subject, words.shared):
        found.update(glossary.terms_in(running))
        found.update(glossary.concept(token) for token in set(tokens) if len(token) > 1)
    return frozenset(concept for concept in found if concept is not None)


def _running(tokens: list[str]) -> str:
    """Scripts without spaces as running text again: their characters are single tokens."""
    return "".join(token if _CJK.match(token) else " " for token in tokens)


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
