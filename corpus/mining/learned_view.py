"""What the pages of other domains teach about a page: one of the two views of the automatic annotator.

A logistic regression on the tokens of a page and their pairs, trained on pages that are taken for the
subject and on pages that are taken for something else. Both kinds carry errors. The domains are shared
out over a few groups, and the pages of a group are scored by a model that has seen none of its domains
(cross-fitting): what a site repeats on every page, its menus and its manner, says nothing about other
sites and so cannot confirm itself. Within a training set a domain counts by the square root of its
pages, so that the largest one does not drown the rest.
"""

import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from corpus.mining.features import tokens_of

if TYPE_CHECKING:  # scipy takes longer to load than the rest of the program
    from scipy.sparse import csr_matrix

_COLUMNS = 1 << 17  # features are hashed into so many
_TOKENS = 600  # of a page that are read
_GROUPS = 4  # of domains
_SEEN_ON = 3  # pages from which a feature counts

# A page is called one of the subject when it scores above this share of the others in its group.
_QUANTILE = 0.95
_FEWEST_OTHERS = 30  # to take that quantile of a group alone

_STEPS, _STEP, _MOMENTUM, _PENALTY = 40, 10.0, 0.9, 1e-4

_PAIR = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)


@dataclass(frozen=True, slots=True)
class Features:
    """A page as columns, sorted and each once, and a value for each."""

    columns: np.ndarray  # [n] int32
    values: np.ndarray  # [n] float32: 1 + the logarithm of how often it occurs
    tokens: int  # that were read


def features_of(text: str) -> Features:
    """The tokens at the beginning of a text and their pairs; digits are all the same."""
    hashes = [_hash(token) for token in tokens_of(text, _TOKENS)]
    single = np.array(hashes, dtype=np.uint64)

    pair = (single[:-1] * _PAIR) ^ single[1:]
    mixed = np.concatenate([single, pair]) * _MIX
    # The high bits depend on all bits of both tokens.
    column = (mixed >> np.uint64(64 - 17)).astype(np.int32)

    columns, counts = np.unique(column, return_counts=True)
    return Features(columns, (1 + np.log(counts)).astype(np.float32), len(hashes))


@lru_cache(maxsize=1 << 18)
def _hash(token: str) -> int:
    masked = "0" if token.isdigit() else token
    return zlib.crc32(masked.encode("utf-8", "replace")) + 1


@dataclass(frozen=True, slots=True)
class Sample:
    """Pages to learn from and to score; all arrays have one entry a page."""

    features: list[Features]
    domain: np.ndarray  # str
    subject: np.ndarray  # bool: taken for pages of the subject
    other: np.ndarray  # bool: taken for pages of something else; most pages are neither


def cross_fitted(sample: Sample) -> np.ndarray:
    """[pages] float64: how far above the others a page scores that are judged with it; 0 is the border.

    No page is judged by a model that has seen a page of its domain. Where one kind is missing, nothing
    can be learned, and every page is below the border.
    """
    below = np.full(len(sample.features), -1.0)
    if not sample.subject.any() or not sample.other.any():
        return below

    matrix = _matrix(sample.features)
    group = _groups(sample)
    scores = below

    for number in range(_GROUPS):
        inside = group == number
        if not inside.any():
            continue

        subject, other = sample.subject & ~inside, sample.other & ~inside
        if not subject.any():  # one domain holds all of them: better its own teacher than none
            subject = sample.subject
        if not other.any():
            other = sample.other

        weights = _regression(matrix, sample.domain, subject, other)
        raw = matrix @ weights
        border = _border(raw, sample.other, inside)
        scores[inside] = raw[inside] - border
    return scores


def _border(raw: np.ndarray, other: np.ndarray, inside: np.ndarray) -> float:
    """The score that one in twenty of the other pages exceeds, and at least 0: no weight either way."""
    judged = other & inside
    if judged.sum() < _FEWEST_OTHERS:
        judged = other
    return max(0.0, float(np.quantile(raw[judged], _QUANTILE)))


def _matrix(pages: list[Features]) -> "csr_matrix":
    """[pages, columns]: rare columns weigh more, rows have length 1."""
    from scipy.sparse import csr_matrix

    columns = np.concatenate([page.columns for page in pages])
    values = np.concatenate([page.values for page in pages])
    row_starts = np.cumsum([0] + [len(page.columns) for page in pages])

    seen_on = np.bincount(columns, minlength=_COLUMNS)
    rarity = np.log(1 + len(pages) / np.maximum(seen_on, 1))
    rarity[seen_on < _SEEN_ON] = 0
    values = values * rarity[columns]

    matrix = csr_matrix((values, columns, row_starts), shape=(len(pages), _COLUMNS))
    length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    matrix.data /= np.repeat(np.maximum(length, 1e-9), np.diff(row_starts))
    return matrix


def _groups(sample: Sample) -> np.ndarray:
    """[pages] the group of each page's domain; each group lacks some of the domains of the subject."""
    domains, place = np.unique(sample.domain, return_inverse=True)
    taught = np.bincount(place, weights=sample.subject, minlength=len(domains))

    # By the number of their pages of the subject, dealt out like cards.
    order = np.lexsort((domains, -taught))
    group = np.empty(len(domains), dtype=np.int64)
    group[order] = np.arange(len(domains)) % _GROUPS
    return group[place]


def _regression(
    matrix: "csr_matrix", domain: np.ndarray, subject: np.ndarray, other: np.ndarray
) -> np.ndarray:
    """[columns] weights of a logistic regression in which both kinds count the same as a whole.

    Gradient descent with Nesterov's momentum, a fixed number of steps from zero: always the same result.
    """
    chosen = np.flatnonzero(subject | other)
    wanted = subject[chosen].astype(np.float64)
    importance = np.zeros(len(chosen))
    for kind in (wanted == 1, wanted == 0):
        _, place, pages = np.unique(domain[chosen[kind]], return_inverse=True, return_counts=True)
        by_root = 1 / np.sqrt(pages[place])
        importance[kind] = by_root / by_root.sum() / 2

    rows = matrix[chosen]
    columns = rows.T.tocsr()
    weights, velocity = np.zeros(matrix.shape[1]), np.zeros(matrix.shape[1])
    constant, constant_velocity = 0.0, 0.0
    for _ in range(_STEPS):
        ahead = weights + _MOMENTUM * velocity
        margin = rows @ ahead + constant + _MOMENTUM * constant_velocity
        error = importance * (1 / (1 + np.exp(-margin)) - wanted)

        velocity = _MOMENTUM * velocity - _STEP * (columns @ error + _PENALTY * ahead)
        constant_velocity = _MOMENTUM * constant_velocity - _STEP * float(error.sum())
        weights = weights + velocity
        constant += constant_velocity
    return weights
