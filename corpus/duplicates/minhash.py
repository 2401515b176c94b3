"""MinHash signatures of whole batches of texts, vectorised over characters instead of Python strings.

Words are runs of letters and digits, and single Han, kana and Hangul characters (these scripts have no
spaces); a shingle is a run of consecutive words. The signature is datasketch's `affine32` scheme: its
permutations are taken from that library and, given the same shingle hashes, our signatures equal its
signatures bit for bit.

Broder 1997; b-bit sketches: Li and Koenig 2010.
"""

import sys
import unicodedata
from collections.abc import Iterator
from functools import cache

import numpy as np

# Named in every side file: signatures of different schemes must never be compared.
SCHEME = "affine32-v1"
NO_SHINGLE = np.iinfo(np.uint32).max  # the signature of a text without words, in every place

_PRIME = np.uint64(0x9E3779B97F4A7C15)  # odd, so multiplication is a bijection of 64-bit numbers

# Arrays of these sizes stay in the processor's cache while every permutation passes over them.
_BLOCK = 16_384  # shingles
_BATCH = 200_000  # characters

# Classes of characters. A mark or digit belongs to the word around it, a Han character is a word.
_SEPARATOR, _PART_OF_WORD, _WORD = range(3)
_SINGLE_CHARACTER_WORDS = (
    (0x3040, 0x30FF),  # hiragana, katakana
    (0x3400, 0x4DBF),  # Han, extension A
    (0x4E00, 0x9FFF),  # Han
    (0xAC00, 0xD7AF),  # Hangul syllables
    (0xF900, 0xFAFF),  # Han, compatibility
    (0x20000, 0x323AF),  # Han, further extensions
)
_LAST_LETTER = 0x30000  # all letters and marks of other scripts come before it


def signatures(texts: list[str], shingle_words: int, permutations: int, seed: int) -> np.ndarray:
    """Signatures, [texts, permutations] uint32. A text without words has NO_SHINGLE everywhere."""
    result = np.empty((len(texts), permutations), dtype=np.uint32)
    start = 0
    for end in _batch_ends(texts):
        hashes, ends = shingle_hashes(texts[start:end], shingle_words)
        result[start:end] = signatures_of_hashes(hashes, ends, permutations, seed)
        start = end
    return result


def _batch_ends(texts: list[str]) -> Iterator[int]:
    """Where to cut the texts into batches of about _BATCH characters."""
    size = 0
    for number, text in enumerate(texts, start=1):
        size += len(text)
        if size >= _BATCH or number == len(texts):
            yield number
            size = 0


def signatures_of_hashes(
    hashes: np.ndarray, ends: np.ndarray, permutations: int, seed: int
) -> np.ndarray:
    """Signatures of sets of hashes.

    Args:
        hashes: [H] uint32, the sets one behind the other. A hash may occur twice in a set.
        ends: [sets] where each set ends: set i is hashes[ends[i - 1] : ends[i]].

    Returns [sets, permutations] uint32.
    """
    # datasketch loads scipy, which takes longer than the rest of the program.
    from datasketch import MinHash

    factors, offsets = MinHash(num_perm=permutations, seed=seed, scheme="affine32").permutations
    factors, offsets = factors.astype(np.uint32), offsets.astype(np.uint32)

    result = np.full((len(ends), permutations), NO_SHINGLE, dtype=np.uint32)
    mixed = _murmur_finaliser(hashes)
    owners = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0))

    for start in range(0, len(mixed), _BLOCK):
        block = mixed[start : start + _BLOCK]
        owner = owners[start : start + _BLOCK]

        # Where in the block each set begins, and which sets these are.
        firsts = np.flatnonzero(np.diff(owner, prepend=owner[0] - 1))
        rows = owner[firsts]

        permuted = np.empty_like(block)
        for p in range(permutations):
            np.multiply(block, factors[p], out=permuted)
            np.add(permuted, offsets[p], out=permuted)
            least = np.minimum.reduceat(permuted, firsts)
            # A set may have begun in the block before.
            result[rows, p] = np.minimum(result[rows, p], least)

    return result


def shingle_hashes(texts: list[str], shingle_words: int) -> tuple[np.ndarray, np.ndarray]:
    """Hashes of all shingles (uint32) and, for each text, where its shingles end.

    A text of fewer words than a shingle counts as one shingle; one without words has none.
    """
    words, word_ends = word_hashes(texts)
    word_counts = np.diff(word_ends, prepend=0)
    word_starts = word_ends - word_counts

    at_least = (word_counts > 0).astype(np.int64)
    counts = np.maximum(word_counts - shingle_words + 1, at_least)
    ends = np.cumsum(counts)
    total = ends[-1] if len(ends) else 0

    # Shingles are numbered through all texts; in a text each begins one word after the one before.
    shift = word_starts - (ends - counts)
    first_word = np.arange(total) + np.repeat(shift, counts)
    last_word = np.repeat(word_ends, counts) - 1

    rolled = np.zeros(total, dtype=np.uint64)
    for offset in range(shingle_words):
        index = first_word + offset
        inside = index <= last_word
        rolled *= _PRIME
        if inside.all():  # nearly always: only a text shorter than a shingle ends before it
            rolled += words[index]
        else:
            rolled[inside] += words[index[inside]]

    return (_mix64(rolled) >> np.uint64(32)).astype(np.uint32), ends


def word_hashes(texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """64-bit hashes of all words of all texts in order, and for each text where its words end."""
    code, text_ends = _lower_case_codes(texts)
    kind = _character_kinds()[code]

    # A word begins with a character that is one, and where a run of others begins.
    begins = kind != _SEPARATOR
    begins[1:] &= (kind[1:] == _WORD) | (kind[:-1] != _PART_OF_WORD)
    first = np.flatnonzero(begins).astype(np.int32)
    if not len(first):
        return np.zeros(0, dtype=np.uint64), np.zeros(len(texts), dtype=np.int64)

    # A letter's place in its word picks its multiplier, so that the order of letters matters; the
    # characters between two words count as zeros at the end of the first.
    start = first[0]
    spans = np.diff(first, append=np.int32(len(code)))
    place = np.arange(start, len(code), dtype=np.int32) - np.repeat(first, spans)
    place = np.minimum(place, len(_powers()) - 1)

    in_word = kind[start:] != _SEPARATOR
    letter = code[start:] + np.uint32(1)  # 0 is for what counts as nothing
    value = np.where(in_word, letter, np.uint32(0)).astype(np.uint64)
    value *= _powers()[place]

    hashed = _mix64(np.add.reduceat(value, first - start))
    word_ends = np.searchsorted(first, text_ends).astype(np.int64)
    return hashed, word_ends


def _lower_case_codes(texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Code points (uint32) of the texts with a line break between them, and where each text ends."""
    joined = "\n".join(texts)
    code = _codes(joined.lower())

    if len(code) != len(joined):
        # Some capital letters (İ) grow in lower case and shift all texts behind them.
        texts = [text.lower() for text in texts]
        code = _codes("\n".join(texts))

    text_ends = np.cumsum([len(text) + 1 for text in texts])
    return code, text_ends


def _codes(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le", "replace"), dtype=np.uint32)


def band_keys(signature: np.ndarray, bands: int, rows: int) -> np.ndarray:
    """Bucket keys, [texts, bands] uint64: equal keys in one band make two texts candidates."""
    keys = np.zeros((len(signature), bands), dtype=np.uint64)
    for row in range(rows):
        # The signature's places are dealt out in runs of `rows`, one run a band.
        place_of_each_band = signature[:, row : bands * rows : rows].astype(np.uint64)
        keys = _mix64(keys * _PRIME + place_of_each_band + np.uint64(row))
    return keys


def sketches(signature: np.ndarray) -> np.ndarray:
    """The lowest byte of each hash, [texts, permutations] uint8: enough to estimate similarity."""
    return (signature & np.uint32(0xFF)).astype(np.uint8)


def similarity(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Estimated Jaccard similarity of rows of sketches."""
    agree = (left == right).mean(axis=-1)
    by_chance = 1 / 256  # one byte in 256 agrees though the hashes differ
    return (agree - by_chance) / (1 - by_chance)


# ---- Tables and hash functions


@cache
def _powers() -> np.ndarray:
    """Multipliers of a word's first 64 letters; the letters after them share the last."""
    return np.multiply.accumulate(np.full(64, _PRIME, dtype=np.uint64))


@cache
def _character_kinds() -> np.ndarray:
    """The class of each code point, [code points] uint8."""
    kinds = np.full(sys.maxunicode + 1, _SEPARATOR, dtype=np.uint8)
    for point in range(_LAST_LETTER):
        # Unicode's letters, numbers and marks; an accent may be a character of its own.
        if unicodedata.category(chr(point))[0] in "LNM":
            kinds[point] = _PART_OF_WORD

    for low, high in _SINGLE_CHARACTER_WORDS:
        block = kinds[low : high + 1]
        block[block == _PART_OF_WORD] = _WORD
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
