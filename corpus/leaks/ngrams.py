"""Texts to grams and rolling hashes, a batch of texts at a time in numpy.

A gram is a run of letters, a run of decimal digits, or one Chinese character; everything else
separates. So "2x" and "2 x" are the same two grams, and x^2, x² and x_2 the same. Kana and letters of a
script written without spaces stay whole runs. A comma between groups of digits (12,000) does not split
the number; soft hyphens and other invisible characters count as absent.

Shapes: C characters of a batch, T grams of a batch.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

SEPARATOR, LETTER, HIRAGANA, KATAKANA, DIGIT, IDEOGRAPH, INVISIBLE, COMPOUND = range(8)
"""Classes of characters. COMPOUND: the class is known only after NFKC; see `_CharacterTables`."""

NUMBER, SYMBOL, WORD = range(3)
"""Kinds of gram: digits; a single letter such as a variable; a word or a Chinese character."""

_TABLE_END = 0x323B0  # beyond the last ideograph of Unicode nothing is written with letters
_CAPITAL_I_WITH_DOT = 0x130  # İ

# Base of the hash of a gram's characters, and its inverse modulo 2^64; an odd number has one.
_BASE = 0x9E3779B97F4A7C15
_INVERSE = pow(_BASE, -1, 1 << 64)
_U64 = np.uint64


@dataclass(frozen=True, slots=True)
class Grams:
    """The grams of a batch of texts, in order."""

    codes: np.ndarray  # [C] uint32: characters without the invisible ones
    start: np.ndarray  # [T] first character of each gram
    end: np.ndarray  # [T] one past its last
    kind: np.ndarray  # [T] NUMBER, SYMBOL or WORD
    text: np.ndarray  # [T] index of the text it belongs to
    key: np.ndarray  # [T] uint64 hash
    texts: int  # number of texts, those without grams included

    def words(self, first: int, count: int) -> str:
        """`count` grams from `first`, separated by blanks."""
        starts = self.start[first : first + count]
        ends = self.end[first : first + count]
        grams = []
        for start, end in zip(starts, ends, strict=True):
            grams.append(self.codes[start:end].tobytes().decode("utf-32-le", "replace"))
        return " ".join(grams)


def cut(texts: list[str]) -> Grams:
    """The grams of texts without markup (`corpus.leaks.normalise.plain`), in lower-case NFKC."""
    tables = _character_tables()
    codes, ends = _encode(texts)
    classes = tables.class_before[np.minimum(codes, _TABLE_END)]

    compound = np.flatnonzero(classes == COMPOUND)
    if len(compound):
        # One look-up for each character cannot normalise these texts: it takes its neighbours, too.
        texts = list(texts)
        for place in np.unique(np.searchsorted(ends, compound, side="right")):
            texts[place] = unicodedata.normalize("NFKC", texts[place])
        codes, ends = _encode(texts)
        classes = tables.class_after[np.minimum(codes, _TABLE_END)]

    folded = tables.fold[np.minimum(codes, _TABLE_END)]
    codes = np.where(codes < _TABLE_END, folded, codes)

    _join_digit_groups(codes, classes)
    invisible = np.flatnonzero(classes == INVISIBLE)
    if len(invisible):
        ends = ends - np.searchsorted(invisible, ends)
        codes = np.delete(codes, invisible)
        classes = np.delete(classes, invisible)

    start, end = _runs(classes)
    first = classes[start]
    kind = np.where(first == DIGIT, NUMBER, WORD).astype(np.uint8)
    single_letter = (end - start == 1) & (first != DIGIT) & (first != IDEOGRAPH)
    kind[single_letter] = SYMBOL

    grams_of_text = np.diff(np.searchsorted(start, ends), prepend=0)
    return Grams(
        codes=codes,
        start=start,
        end=end,
        kind=kind,
        text=np.repeat(np.arange(len(texts), dtype=np.int32), grams_of_text),
        key=_hashes(codes, start, end),
        texts=len(texts),
    )


def join(parts: list[Grams]) -> Grams:
    """Batches of texts as one: characters, grams and texts are numbered through."""
    codes_before = np.cumsum([0] + [len(part.codes) for part in parts])
    texts_before = np.cumsum([0] + [part.texts for part in parts])
    shifted = list(zip(parts, codes_before[:-1], texts_before[:-1], strict=True))

    return Grams(
        codes=np.concatenate([part.codes for part in parts]),
        start=np.concatenate([part.start + codes for part, codes, _ in shifted]),
        end=np.concatenate([part.end + codes for part, codes, _ in shifted]),
        kind=np.concatenate([part.kind for part in parts]),
        text=np.concatenate([part.text + texts for part, _, texts in shifted]),
        key=np.concatenate([part.key for part in parts]),
        texts=int(texts_before[-1]),
    )


def rolling(key: np.ndarray, longest: int) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (n, [T - n + 1] uint64 hash of every n consecutive grams) for n = 1 … longest, while T allows."""
    total: np.ndarray = np.zeros(len(key), dtype=_U64)
    for n, factor in enumerate(_factors(longest), 1):
        if len(key) < n:
            return
        # The hash of n grams is that of the first n - 1 and the last one's key times its place's factor.
        total = total[: len(key) - n + 1] + key[n - 1 :] * factor
        yield n, total


# ---- From characters to grams


def _encode(texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Code points of the texts with a line break behind each, and where each text ends (past its line break)."""
    joined = "\n".join(texts) + "\n"
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    return codes, np.cumsum(lengths + 1)


def _runs(classes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First and past-the-end positions of grams: runs of one class, ideographs each alone."""
    # boundary[i]: something ends before character i and something begins with it.
    boundary = np.empty(len(classes) + 1, dtype=bool)
    boundary[0] = boundary[-1] = True
    np.not_equal(classes[1:], classes[:-1], out=boundary[1:-1])
    boundary[:-1] |= classes == IDEOGRAPH

    bounds = np.flatnonzero(boundary)
    start, end = bounds[:-1], bounds[1:]
    is_gram = classes[start] != SEPARATOR
    return start[is_gram], end[is_gram]


def _join_digit_groups(codes: np.ndarray, classes: np.ndarray) -> None:
    """Make the comma of 12,000 invisible: a digit before it and exactly three behind it."""
    comma = np.flatnonzero(codes == ord(","))
    comma = comma[(comma > 0) & (comma + 3 < len(codes))]

    digit = classes == DIGIT
    inside = digit[comma - 1]
    for offset in (1, 2, 3):
        inside &= digit[comma + offset]

    # No fourth digit: 1,2345 is two numbers.
    fourth = np.minimum(comma + 4, len(codes) - 1)
    inside &= ~(digit[fourth] & (comma + 4 < len(codes)))

    classes[comma[inside]] = INVISIBLE


def _hashes(codes: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """A hash of each gram's characters, [T] uint64."""
    # One running sum of code · base^position serves all grams: a gram's part of it, shifted back to
    # position 0 by a power of the inverse, does not depend on where the gram is.
    power, inverse = _powers(1 << max(16, len(codes).bit_length()))
    terms = (codes + np.uint32(1)) * power[: len(codes)]
    prefix = np.zeros(len(codes) + 1, dtype=_U64)
    np.cumsum(terms, out=prefix[1:])
    value = (prefix[end] - prefix[start]) * inverse[start]

    # The low bits of such a sum are poor: mix them with the high ones.
    value ^= value >> _U64(32)
    value *= _U64(0xD6E8FEB86659FD93)
    value ^= value >> _U64(32)
    return value


@cache
def _powers(count: int) -> tuple[np.ndarray, np.ndarray]:
    """base^i and base^-i modulo 2^64 for i < count."""
    return _powers_of(_BASE, count), _powers_of(_INVERSE, count)


def _powers_of(base: int, count: int) -> np.ndarray:
    factors = np.full(count, _U64(base), dtype=_U64)
    factors[0] = 1
    return np.multiply.accumulate(factors)


@cache
def _factors(count: int) -> list[np.uint64]:
    """Odd multipliers, one for each place in an n-gram."""
    return [_U64(pow(0xBF58476D1CE4E5B9, 2 * place + 1, 1 << 64)) for place in range(count)]


# ---- Tables of characters


@dataclass(frozen=True, slots=True)
class _CharacterTables:
    """By code point below _TABLE_END; the last entry is for all others.

    A character is COMPOUND before NFKC when that may merge it with its neighbour (marks, Hangul letters)
    or turn it into several characters with a letter or digit among them (½, ﬁ, ™). What it turns into
    blanks and accents only is a separator.
    """

    class_before: np.ndarray  # uint8: class of a text's character as it is
    class_after: np.ndarray  # uint8: class of a character of a text in NFKC
    fold: np.ndarray  # uint32: lower-case NFKC form of characters that have a single one


@cache
def _character_tables() -> _CharacterTables:
    class_after = np.full(_TABLE_END + 1, SEPARATOR, dtype=np.uint8)
    fold = np.arange(_TABLE_END + 1, dtype=np.uint32)
    compound = np.zeros(_TABLE_END + 1, dtype=bool)

    for code in range(_TABLE_END):
        character = chr(code)
        category = unicodedata.category(character)
        class_after[code] = _class(code, category)

        normal = unicodedata.normalize("NFKC", character).lower()
        if len(normal) == 1:
            fold[code] = ord(normal)
        else:
            compound[code] = any(unicodedata.category(part)[0] in "LN" for part in normal)

        # A mark joins the letter before it.
        if category[0] == "M" and class_after[code] == LETTER:
            compound[code] = True

    # Its lower case carries a dot of its own; readers write a plain i.
    compound[_CAPITAL_I_WITH_DOT] = False
    fold[_CAPITAL_I_WITH_DOT] = ord("i")

    compound[0x1100:0x1200] = True  # Hangul letters make up syllables

    class_before = class_after[fold]
    class_before[compound] = COMPOUND
    return _CharacterTables(class_before, class_after, fold)


def _class(code: int, category: str) -> int:
    """The class of a character by its Unicode category and its block."""
    if category == "Cf" or 0xFE00 <= code < 0xFE10:  # format characters, variation selectors
        return INVISIBLE
    if category == "Nd":
        return DIGIT
    if category[0] not in "LM":
        return SEPARATOR
    if 0x3041 <= code < 0x30A0:
        return HIRAGANA
    if 0x30A1 <= code < 0x3100:
        return KATAKANA

    is_han = (
        0x3400 <= code < 0x4DC0  # extension A
        or 0x4E00 <= code < 0xA000
        or 0xF900 <= code < 0xFB00  # compatibility
        or code >= 0x20000  # further extensions
    )
    return IDEOGRAPH if is_han else LETTER
