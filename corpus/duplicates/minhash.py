"""MinHash signatures of whole batches of texts, vectorised over characters instead of Python strings.

Words are runs of letters and digits, and single Han, kana and Hangul characters (these scripts have no spaces);
a shingle is a run of consecutive words. The signature is datasketch's `affine32` scheme: its permutations are
taken from that library and, given the same shingle hashes, our signatures equal its signatures bit for bit.

Broder 1997; b-bit sketches: Li and Koenig 2010.
"""

import sys
import unicodedata
from collections.abc import Iterator
from functools import cache

import numpy as np
from datasketch import MinHash

SCHEME = (
    "affine32-v1"  # named in every side file: signatures of other schemes must never be compared
)
_PRIME = np.uint64(0x9E3779B97F4A7C15)  # odd, so multiplication is a bijection of 64-bit numbers
_BLOCK = (
    16_384  # shingles hashed at a time, so that a permutation's work stays in the processor's cache
)
_BATCH = 200_000  # characters
_SINGLE = (
    (0x3040, 0x30FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xAC00, 0xD7AF),
    (0xF900, 0xFAFF),
    (0x20000, 0x323AF),
)


def signatures(texts: list[str], shingle_words: int, permutations: int, seed: int) -> np.ndarray:
    """Signatures, shape (texts, permutations), uint32. A text without words has the row of all ones' maximum."""
    result = np.empty((len(texts), permutations), dtype=np.uint32)
    start = 0
    for end in _batch_ends(texts):
        hashes, ends = shingle_hashes(texts[start:end], shingle_words)
        result[start:end] = signatures_of_hashes(hashes, ends, permutations, seed)
        start = end
    return result


def _batch_ends(texts: list[str]) -> Iterator[int]:
    """Cut the texts into batches of about 200,000 characters: their arrays stay in the processor's cache."""
    size = 0
    for number, text in enumerate(texts, start=1):
        size += len(text)
        if size >= _BATCH or number == len(texts):
            yield number
            size = 0


def signatures_of_hashes(
    hashes: np.ndarray, ends: np.ndarray, permutations: int, seed: int
) -> np.ndarray:
    """Signatures of sets of uint32 hashes; the set of text i is hashes[ends[i-1]:ends[i]] (repeats do no harm)."""
    a, b = MinHash(num_perm=permutations, seed=seed, scheme="affine32").permutations
    a, b = a.astype(np.uint32), b.astype(np.uint32)
    result = np.full((len(ends), permutations), np.iinfo(np.uint32).max, dtype=np.uint32)
    mixed = _murmur_finaliser(hashes)
    owners = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0))
    for start in range(0, len(mixed), _BLOCK):
        block, own = mixed[start : start + _BLOCK], owners[start : start + _BLOCK]
        firsts = np.flatnonzero(np.diff(own, prepend=own[0] - 1))
        rows = own[firsts]
        hashed = np.empty_like(block)
        for p in range(permutations):
            np.multiply(block, a[p], out=hashed)
            np.add(hashed, b[p], out=hashed)
            least = np.minimum.reduceat(hashed, firsts)
            result[rows, p] = np.minimum(result[rows, p], least)
    return result


def shingle_hashes(texts: list[str], shingle_words: int) -> tuple[np.ndarray, np.ndarray]:
    """Hashes of all shingles (uint32) and, for each text, where its shingles end.

    A text of fewer words than a shingle counts as one shingle; one without words has none.
    """
    words, word_ends = word_hashes(texts)
    counts = np.diff(word_ends, prepend=0)
    starts = word_ends - counts
    shingles = np.maximum(counts - shingle_words + 1, (counts > 0).astype(np.int64))
    ends = np.cumsum(shingles)
    first_word = np.repeat(starts - (ends - shingles), shingles) + np.arange(
        ends[-1] if len(ends) else 0
    )
    last_word = np.repeat(word_ends, shingles) - 1
    rolled = np.zeros(len(first_word), dtype=np.uint64)
    for offset in range(shingle_words):  # words beyond the end of a short text add nothing
        index = first_word + offset
        inside = index <= last_word
        rolled *= _PRIME
        rolled[inside] += words[index[inside]] if not inside.all() else words[index]
    return (_mix64(rolled) >> np.uint64(32)).astype(np.uint32), ends


def word_hashes(texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """64-bit hashes of all words of all texts in order, and for each text where its words end."""
    joined = "\n".join(texts)
    code = np.frombuffer(joined.lower().encode("utf-32-le", "replace"), dtype=np.uint32)
    if len(code) != len(
        joined
    ):  # some capital letters change length in lower case: go text by text
        lowered = [text.lower() for text in texts]
        code = np.frombuffer("\n".join(lowered).encode("utf-32-le", "replace"), dtype=np.uint32)
        text_ends = np.cumsum([len(text) + 1 for text in lowered])
    else:
        text_ends = np.cumsum([len(text) + 1 for text in texts])
    kind = _character_kinds()[code]
    begins = kind > 0
    begins[1:] &= (kind[1:] == 2) | (kind[:-1] != 1)
    first = np.flatnonzero(begins).astype(np.int32)
    if not len(first):
        return np.zeros(0, dtype=np.uint64), np.zeros(len(texts), dtype=np.int64)
    # A letter's place in its word picks its multiplier, so that the order of letters matters; the characters
    # between two words count as zeros at the end of the first.
    spans = np.diff(first, append=np.int32(len(code)))
    place = np.arange(first[0], len(code), dtype=np.int32) - np.repeat(first, spans)
    value = np.where(kind[first[0] :] > 0, code[first[0] :] + np.uint32(1), np.uint32(0)).astype(
        np.uint64
    )
    value *= _powers()[np.minimum(place, len(_powers()) - 1)]
    hashed = _mix64(np.add.reduceat(value, first - first[0]))
    return hashed, np.searchsorted(first, text_ends).astype(np.int64)


def band_keys(signature: np.ndarray, bands: int, rows: int) -> np.ndarray:
    """Bucket keys, shape (texts, bands), uint64: equal keys in one band make two texts candidates."""
    keys = np.zeros((len(signature), bands), dtype=np.uint64)
    for row in range(rows):
        keys = _mix64(
            keys * _PRIME
            + signature[:, row : bands * rows : rows].astype(np.uint64)
            + np.uint64(row)
        )
    return keys


def sketches(signature: np.ndarray) -> np.ndarray:
    """The lowest byte of each hash, shape (texts, permutations), uint8: enough to estimate similarity."""
    return (signature & np.uint32(0xFF)).astype(np.uint8)


def similarity(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Estimated Jaccard similarity of rows of sketches; one byte agrees by chance once in 256."""
    agree = (left == right).mean(axis=-1)
    return (agree - 1 / 256) / (1 - 1 / 256)


@cache
def _powers() -> np.ndarray:
    return np.multiply.accumulate(np.full(64, _PRIME, dtype=np.uint64))


@cache
def _character_kinds() -> np.ndarray:
    """For each code point: 0 no part of a word, 1 letter or digit, 2 a word of its own."""
    kinds = np.zeros(sys.maxunicode + 1, dtype=np.uint8)
    for point in range(0x30000):
        if unicodedata.category(chr(point))[0] in "LNM":
            kinds[point] = 1
    for low, high in _SINGLE:
        kinds[low : high + 1] = np.where(kinds[low : high + 1] > 0, 2, 0)
    return kinds


def _murmur_finaliser(values: np.ndarray) -> np.ndarray:
    """MurmurHash3's 32-bit finaliser, which datasketch applies before its affine permutations."""
    mixed = values.copy()
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        mixed ^= mixed >> np.uint32(shift)
        mixed *= np.uint32(factor)
    return mixed ^ (mixed >> np.uint32(16))


def _mix64(values: np.ndarray) -> np.ndarray:
    """SplitMix64's finaliser."""
    mixed = values ^ (values >> np.uint64(30))
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
