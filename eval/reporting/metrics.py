"""Scores with intervals: accuracy, Maj@K, Pass@K, and the difference between two models on the same problems.

A score is the mean of one value a problem. Right-or-wrong values have a Wilson interval, fractional ones (Maj@K and
Pass@K) a bootstrap over problems; both 95 %. Everything here is deterministic: the resamples are seeded.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import combinations
from math import comb, sqrt

import numpy as np

Z95 = 1.959963984540054
RESAMPLES = 2000
SUBSETS = 100  # random subsets of K of the samples that Maj@K is averaged over where K is below their number


def wilson(right: float, n: int) -> tuple[float, float]:
    """95 % Wilson interval of the share right/n."""
    if n == 0:
        return 0.0, 1.0
    share = right / n
    centre = (share + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    half = Z95 / (1 + Z95**2 / n) * sqrt(share * (1 - share) / n + Z95**2 / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def bootstrap(values: Sequence[float]) -> tuple[float, float]:
    """95 % percentile interval of the mean of `values` (one a problem), by resampling problems.

    Where all values are 0 or all are 1 the resamples have no spread: then Wilson's interval is given.
    """
    array = np.asarray(values, dtype=np.float32)
    if not len(array) or (array.min() == array.max() and array[0] in (0, 1)):
        return wilson(float(array.sum()), len(array))
    low, high = np.percentile(_resamples(len(array)) @ array, [2.5, 97.5])
    return float(low), float(high)


@lru_cache(maxsize=2)
def _resamples(n: int) -> np.ndarray:
    """(RESAMPLES, n): how much each problem weighs in each resample; rows sum to 1."""
    generator = np.random.default_rng(n)
    draws = np.empty((RESAMPLES, n), dtype=np.float32)
    for row in draws:
        row[:] = np.bincount(generator.integers(0, n, n), minlength=n)
    return draws / np.float32(n)


def pass_at_k(n: int, right: int, k: int) -> float:
    """Unbiased chance that one of k samples is right, from n samples of which `right` are (HumanEval's estimator)."""
    if not 0 < k <= n:
        raise ValueError(f"k = {k}: must be between 1 and the number of samples, {n}")
    return 1.0 - comb(n - right, k) / comb(n, k)


def group_answers(
    answers: Sequence[str | None], same: Callable[[str, str], bool]
) -> list[int | None]:
    """The number of each answer's group: an answer joins the first group whose first answer is the `same` one.

    Equal strings are one answer; None (no answer) belongs to no group.
    """
    first: list[str] = []
    known: dict[str, int] = {}
    for answer in answers:
        if answer is not None and answer not in known:
            known[answer] = next(
                (i for i, other in enumerate(first) if same(other, answer)), len(first)
            )
            if known[answer] == len(first):
                first.append(answer)
    return [None if answer is None else known[answer] for answer in answers]


def majority(groups: Sequence[object], correct: Sequence[bool]) -> float:
    """Chance that the majority vote is right: 1 or 0, or the share of right groups among the tied.

    `groups` name each sample's answer so that equal answers have equal names; None (no answer) does not vote. A
    group is as right as its first sample. Without any vote the problem is wrong.
    """
    return maj_at_k(groups, correct, len(groups))


def maj_at_k(groups: Sequence[object], correct: Sequence[bool], k: int) -> float:
    """`majority` of k of the n samples, averaged over all subsets, or over SUBSETS random ones where there are more."""
    n = len(groups)
    if not 0 < k <= n:
        raise ValueError(f"k = {k}: must be between 1 and the number of samples, {n}")
    names = list(dict.fromkeys(group for group in groups if group is not None))
    if not names:
        return 0.0
    votes_nG = np.array([[group == name for name in names] for group in groups], dtype=np.int32)
    right_G = np.array(
        [bool(correct[votes_nG[:, column].argmax()]) for column in range(len(names))]
    )
    counts_DG = votes_nG[_subsets(n, k)].sum(1)
    top_D = counts_DG.max(1)
    tied_DG = (counts_DG == top_D[:, None]) & (top_D[:, None] > 0)
    shares_D = (tied_DG & right_G).sum(1) / np.maximum(tied_DG.sum(1), 1)
    return float(shares_D.mean())


@lru_cache(maxsize=64)
def _subsets(n: int, k: int) -> np.ndarray:
    """(D, k) subsets of n samples; where they are drawn, the same for every problem."""
    if comb(n, k) <= SUBSETS:
        return np.array(list(combinations(range(n), k)))
    orders = np.random.default_rng(n).permuted(np.tile(np.arange(n), (SUBSETS, 1)), axis=1)
    return orders[:, :k]


def compare(first: Sequence[bool], second: Sequence[bool]) -> dict[str, float]:
    """How much better `second` is than `first` on the same problems, in the same order.

    `difference` with its bootstrap interval `low`, `high`; `wins` and `losses` of the second; `p`: the two-sided
    exact McNemar test, the chance of a split at least this uneven if both were equally good.
    """
    wins = sum(b and not a for a, b in zip(first, second, strict=True))
    losses = sum(a and not b for a, b in zip(first, second, strict=True))
    changes = [float(b) - float(a) for a, b in zip(first, second, strict=True)]
    low, high = (0.0, 0.0) if not any(changes) else bootstrap(changes)
    apart = wins + losses
    tail = sum(comb(apart, i) for i in range(min(wins, losses) + 1))
    return {
        "difference": sum(changes) / max(len(changes), 1), "low": low, "high": high, "wins": wins, "losses": losses,
        "p": min(1.0, 2 * tail / 2**apart),
    }  # fmt: skip
