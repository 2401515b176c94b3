"""A table of n-grams of benchmark texts, and the search for them among those of many pages.

Shapes: E entries of the table.
"""

from dataclasses import dataclass

import numpy as np

_U64 = np.uint64
_BIT = (1 << np.arange(8)).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class Entry:
    """An n-gram of a benchmark text."""

    text: int  # index into the texts
    first: int  # its first gram, among those of all texts


@dataclass(frozen=True, slots=True)
class NgramTable:
    """The n-grams of one n that are looked for, by ascending key; equal keys of different texts side by side."""

    key: np.ndarray  # [E] uint64
    text: np.ndarray  # [E] int32: index into the texts
    first: np.ndarray  # [E] int64: first gram, among those of all texts

    # A bit for each value of the top bits of a key: most n-grams of a page are refused by it, far
    # faster than by a binary search.
    bits: np.ndarray  # uint8
    shift: np.uint64

    @classmethod
    def build(cls, key: np.ndarray, text: np.ndarray, first: np.ndarray) -> "NgramTable":
        order = np.lexsort((first, key))

        # 16 to 32 bits an entry, so that few of other keys are set; at most half a gigabyte.
        width = min(max(len(key).bit_length() + 4, 12), 32)
        shift = _U64(64 - width)
        bits = np.zeros(1 << (width - 3), dtype=np.uint8)
        place = key >> shift
        np.bitwise_or.at(bits, place >> _U64(3), _BIT[place & _U64(7)])

        return cls(key[order], text[order], first[order], bits, shift)

    def find(self, key: np.ndarray) -> np.ndarray:
        """Positions in `key` of keys that are in the table."""
        place = key >> self.shift
        byte, bit = self.bits[place >> _U64(3)], _BIT[place & _U64(7)]
        maybe = np.flatnonzero(byte & bit)

        nearest = np.searchsorted(self.key, key[maybe])
        nearest = np.minimum(nearest, len(self.key) - 1)
        return maybe[self.key[nearest] == key[maybe]]

    def entries_of(self, key: np.uint64) -> list[Entry]:
        low = np.searchsorted(self.key, key, "left")
        high = np.searchsorted(self.key, key, "right")
        texts = self.text[low:high].tolist()
        firsts = self.first[low:high].tolist()
        return [Entry(text, first) for text, first in zip(texts, firsts, strict=True)]
