"""Texts to grams and rolling hashes, a batch of texts at a time in numpy.

A gram is a run of letters, a run of decimal digits, or one Chinese character; everything else separates. So "2x" and
"2 x" are the same two grams, and x^2, x² and x_2 the same. Kana and letters of a script written without spaces stay
whole runs. A comma between groups of digits (12,000) does not split the number; soft hyphens and other invisible
characters count as absent. Shapes: C characters of a batch, T grams of a batch.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

SEPARATOR, LETTER, HIRAGANA, KATAKANA, DIGIT, IDEOGRAPH, INVISIBLE, COMPOUND = range(8)
NUMBER, SYMBOL, WORD = range(3)
"""Kinds of gram: digits; a single letter such as a variable; a word or a Chinese character."""

_TABLE_END = 0x323B0  # beyond the last ideograph of Unicode nothing is written with letters
_BASE = 0x9E3779B97F4A7C15 | 1
_INVERSE = pow(_BASE, -1, 1 << 64)
_U64 = np.uint64


@dataclass(slots=True)
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
        spans = zip(self.start[first : first + count], self.end[first : first + count], strict=True)
        return " ".join(self.codes[a:b].tobytes().decode("utf-32-le", "replace") for a, b in spans)


def cut(texts: list[str]) -> Grams:
    """The grams of texts without markup (`corpus.leaks.normalise.plain`), in lower-case NFKC."""
    codes, ends = _encode(texts)
    classes = _tables()[0][np.minimum(codes, _TABLE_END)]
    compound = np.flatnonzero(classes == COMPOUND)
    if len(compound):  # one table look-up a character cannot normalise these texts
        texts = list(texts)
        for place in np.unique(np.searchsorted(ends, compound, side="right")):
            texts[place] = unicodedata.normalize("NFKC", texts[place])
        codes, ends = _encode(texts)
        classes = _tables()[1][np.minimum(codes, _TABLE_END)]
    codes = np.where(codes < _TABLE_END, _tables()[2][np.minimum(codes, _TABLE_END)], codes)
    _join_digit_groups(codes, classes)
    invisible = np.flatnonzero(classes == INVISIBLE)
    if len(invisible):
        ends = ends - np.searchsorted(invisible, ends)
        codes, classes = np.delete(codes, invisible), np.delete(classes, invisible)
    start, end = _runs(classes)
    first = classes[start]
    kind = np.where(first == DIGIT, NUMBER, WORD).astype(np.uint8)
    kind[(end - start == 1) & (first != DIGIT) & (first != IDEOGRAPH)] = SYMBOL
    counts = np.diff(np.searchsorted(start, ends), prepend=0)
    text = np.repeat(np.arange(len(texts), dtype=np.int32), counts)
    return Grams(codes, start, end, kind, text, _hashes(codes, start, end), len(texts))


def join(parts: list[Grams]) -> Grams:
    """Batches of texts as one: characters, grams and texts are numbered through."""
    codes = np.cumsum([0] + [len(part.codes) for part in parts])
    texts = np.cumsum([0] + [part.texts for part in parts])
    return Grams(
        np.concatenate([part.codes for part in parts]),
        np.concatenate([part.start + shift for part, shift in zip(parts, codes[:-1], strict=True)]),
        np.concatenate([part.end + shift for part, shift in zip(parts, codes[:-1], strict=True)]),
        np.concatenate([part.kind for part in parts]),
        np.concatenate([part.text + shift for part, shift in zip(parts, texts[:-1], strict=True)]),
        np.concatenate([part.key for part in parts]),
        int(texts[-1]),
    )


def rolling(key: np.ndarray, longest: int) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (n, [T - n + 1] uint64 hash of every n consecutive grams) for n = 1 … longest, while T allows."""
    total = np.zeros(len(key), dtype=_U64)
    for n, factor in enumerate(_factors(longest), 1):
        if len(key) < n:
            return
        total = total[: len(key) - n + 1] + key[n - 1 :] * factor
        yield n, total


def _encode(texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Code points of the texts with a line break behind each, and where each text ends (past its line break)."""
    joined = "\n".join(texts) + "\n"
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    return codes, np.cumsum(np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)) + 1)


def _runs(classes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First and past-the-end positions of grams: runs of one class, ideographs each alone."""
    change = np.empty(len(classes) + 1, dtype=bool)
    change[0] = change[-1] = True
    np.not_equal(classes[1:], classes[:-1], out=change[1:-1])
    change[:-1] |= classes == IDEOGRAPH
    bounds = np.flatnonzero(change)
    start, end = bounds[:-1], bounds[1:]
    grams = classes[start] != SEPARATOR if len(classes) else np.zeros(0, dtype=bool)
    return start[grams], end[grams]


def _join_digit_groups(codes: np.ndarray, classes: np.ndarray) -> None:
    """Make the comma of 12,000 invisible: a digit before it and exactly three behind it."""
    comma = np.flatnonzero(codes == ord(","))
    comma = comma[(comma > 0) & (comma + 3 < len(codes))]
    digit = classes == DIGIT
    inside = digit[comma - 1] & digit[comma + 1] & digit[comma + 2] & digit[comma + 3]
    behind = np.minimum(comma + 4, len(codes) - 1)
    inside &= ~(digit[behind] & (comma + 4 < len(codes)))
    classes[comma[inside]] = INVISIBLE


def _hashes(codes: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """A hash of each gram's characters, from one running sum: sum of code · base^position, shifted back to 0."""
    power, inverse = _powers(1 << max(16, len(codes).bit_length()))
    prefix = np.zeros(len(codes) + 1, dtype=_U64)
    np.cumsum((codes + np.uint32(1)) * power[: len(codes)], out=prefix[1:])
    value = (prefix[end] - prefix[start]) * inverse[start]
    value ^= value >> _U64(32)
    value *= _U64(0xD6E8FEB86659FD93)
    value ^= value >> _U64(32)
    return value


@cache
def _powers(count: int) -> tuple[np.ndarray, np.ndarray]:
    """base^i and base^-i modulo 2^64 for i < count."""
    tables = []
    for base in (_BASE, _INVERSE):
        table = np.full(count, _U64(base), dtype=_U64)
        table[0] = 1
        tables.append(np.multiply.accumulate(table))
    return tables[0], tables[1]


@cache
def _factors(count: int) -> list[np.uint64]:
    """Odd multipliers, one for each place in an n-gram."""
    return [_U64(pow(0xBF58476D1CE4E5B9, 2 * place + 1, 1 << 64)) for place in range(count)]


@cache
def _tables() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """By code point: class with COMPOUND, class after NFKC, and the lower-case NFKC form of single characters.

    COMPOUND marks what NFKC may merge with its neighbour (marks, Hangul letters) or turn into several characters
    with a letter or digit among them (½, ﬁ, ™). What it turns into blanks and accents only is a separator.
    """
    plain = np.full(_TABLE_END + 1, SEPARATOR, dtype=np.uint8)
    fold = np.arange(_TABLE_END + 1, dtype=np.uint32)
    compound = np.zeros(_TABLE_END + 1, dtype=bool)
    for code in range(_TABLE_END):
        character = chr(code)
        plain[code] = _class(code, unicodedata.category(character))
        normal = unicodedata.normalize("NFKC", character).lower()
        if len(normal) == 1:
            fold[code] = ord(normal)
        elif code != 0x130:  # İ, whose lower case carries a dot of its own
            compound[code] = any(unicodedata.category(part)[0] in "LN" for part in normal)
    fold[0x130] = ord("i")
    single = plain[fold]
    single[compound] = COMPOUND
    marks = [
        code
        for code in range(_TABLE_END)
        if unicodedata.category(chr(code))[0] == "M" and plain[code] == LETTER
    ]
    single[marks] = COMPOUND
    single[0x1100:0x1200] = COMPOUND
    return single, plain, fold


def _class(code: int, category: str) -> int:
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
    han = (
        0x3400 <= code < 0x4DC0
        or 0x4E00 <= code < 0xA000
        or 0xF900 <= code < 0xFB00
        or code >= 0x20000
    )
    return IDEOGRAPH if han else LETTER
