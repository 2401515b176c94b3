"""Scores with intervals: accuracy, Maj@K, Pass@K, and the difference between two models on the same problems.

A score is the mean of one value a problem. Right-or-wrong values have a Wilson interval, fractional ones (Maj@K and
Pass@K) a bootstrap over problems; both 95 %. Everything here is deterministic: the resamples are seeded.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import combinations
from math import comb, sqrt

import numpy as np
from numpy.typing import NDArray

Z95 = 1.959963984540054  # the normal distribution's 97.5 % quantile
RESAMPLES = 2000
SUBSETS = 100  # random subsets of K of the samples that Maj@K is averaged over where K is below their number


def wilson(right: float, n: int) -> tuple[float, float]:
    """95 % Wilson interval of the share right/n."""
    if n == 0:
        return 0.0, 1.0
    share = right / n
    shrinkage = 1 + Z95**2 / n
    centre = (share + Z95**2 / (2 * n)) / shrinkage
    half_width = Z95 / shrinkage * sqrt(share * (1 - share) / n + Z95**2 / (4 * n * n))

    return max(0.0, centre - half_width), min(1.0, centre + half_width)


def bootstrap(
    values: Sequence[float], scale: tuple[float, float] | None = (0.0, 1.0)
) -> tuple[float, float]:
    """95 % percentile interval of the mean of `values` (one a problem), by resampling problems.

    `scale` holds the lowest and the highest value there can be. Where all values are at one end of it the resamples
    have no spread: then Wilson's interval is given, stretched to the scale. None: a scale without ends, where
    values without spread give a point.

    Raises:
        ValueError: a value is outside the scale, or there is neither a value nor a scale.
    """
    if scale is None:
        if not values:
            raise ValueError("no values: their mean has no interval on a scale without ends")
        return _percentiles(values)

    lowest, highest = scale
    tolerance = 1e-6 * (highest - lowest)  # means of fractions may miss an end by a rounding error
    for value in values:
        if not lowest - tolerance <= value <= highest + tolerance:
            raise ValueError(f"value {value}: outside the scale from {lowest} to {highest}")

    # Without any value both ends are possible, and Wilson's interval of 0 of 0 says so.
    at_end = all(value == lowest for value in values) or all(value == highest for value in values)
    if at_end:
        at_top = sum(value == highest for value in values)
        low, high = wilson(at_top, len(values))
        span = highest - lowest
        return lowest + span * low, lowest + span * high

    return _percentiles(values)


def _percentiles(values: Sequence[float]) -> tuple[float, float]:
    """The middle 95 % of the means of the resamples."""
    array = np.asarray(values, dtype=np.float32)
    if array.min() == array.max():
        return float(values[0]), float(values[0])

    means = _resamples(len(array)) @ array
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


@lru_cache(maxsize=2)
def _resamples(n: int) -> NDArray[np.float32]:
    """(RESAMPLES, n): how much each problem weighs in each resample; rows sum to 1.

    The same for all scores over n problems, so that they are drawn once.
    """
    generator = np.random.default_rng(n)
    draws = np.empty((RESAMPLES, n), dtype=np.float32)

    for row in draws:
        drawn = generator.integers(0, n, n)
        row[:] = np.bincount(drawn, minlength=n)

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
    representatives: list[str] = []  # the first answer of each group
    group_of: dict[str, int] = {}

    for answer in answers:
        if answer is None or answer in group_of:
            continue

        for group, representative in enumerate(representatives):
            if same(representative, answer):
                group_of[answer] = group
                break
        else:
            group_of[answer] = len(representatives)
            representatives.append(answer)

    return [None if answer is None else group_of[answer] for answer in answers]


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

    # Suffixes: n samples, G groups, D subsets (draws) of k samples
    votes_nG = np.array([[group == name for name in names] for group in groups], dtype=np.int32)
    first_vote_G = votes_nG.argmax(0)
    right_G = np.array([bool(correct[index]) for index in first_vote_G])

    counts_DG = votes_nG[_subsets(n, k)].sum(1)
    top_D1 = counts_DG.max(1, keepdims=True)
    tied_DG = (counts_DG == top_D1) & (top_D1 > 0)  # a subset without any vote has no winner

    right_and_tied_D = (tied_DG & right_G).sum(1)
    tied_D = np.maximum(tied_DG.sum(1), 1)
    return float((right_and_tied_D / tied_D).mean())


@lru_cache(maxsize=64)
def _subsets(n: int, k: int) -> NDArray[np.int64]:
    """(D, k) subsets of n samples; where they are drawn, the same for every problem."""
    if comb(n, k) <= SUBSETS:
        return np.array(list(combinations(range(n), k)))

    generator = np.random.default_rng(n)
    orders = generator.permuted(np.tile(np.arange(n), (SUBSETS, 1)), axis=1)
    return orders[:, :k]


def compare(first: Sequence[bool], second: Sequence[bool]) -> dict[str, float]:
    """How much better `second` is than `first` on the same problems, in the same order.

    `difference` with its bootstrap interval `low`, `high`; `wins` and `losses` of the second; `p`: the two-sided
    exact McNemar test, the chance of a split at least this uneven if both were equally good.
    """
    pairs = list(zip(first, second, strict=True))
    wins = sum(after and not before for before, after in pairs)
    losses = sum(before and not after for before, after in pairs)
    changes = [float(after) - float(before) for before, after in pairs]

    low, high = bootstrap(changes, scale=(-1.0, 1.0)) if any(changes) else (0.0, 0.0)

    changed = wins + losses
    tail = sum(comb(changed, i) for i in range(min(wins, losses) + 1))
    return {
        "difference": sum(changes) / max(len(changes), 1),
        "low": low,
        "high": high,
        "wins": wins,
        "losses": losses,
        "p": min(1.0, 2 * tail / 2**changed),
    }
