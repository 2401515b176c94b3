"""Scores with intervals: accuracy, Maj@K and Pass@K."""

from collections import Counter
from collections.abc import Sequence
from math import comb, sqrt

Z95 = 1.959963984540054


def wilson(right: float, n: int) -> tuple[float, float]:
    """95 % Wilson interval of the share right/n; right may be fractional (shared ties)."""
    if n == 0:
        return 0.0, 1.0
    share = right / n
    centre = (share + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    half = Z95 / (1 + Z95**2 / n) * sqrt(share * (1 - share) / n + Z95**2 / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def pass_at_k(n: int, right: int, k: int) -> float:
    """Unbiased chance that one of k samples is right, from n samples of which `right` are (HumanEval's estimator)."""
    if not 0 < k <= n:
        raise ValueError(f"k = {k}: must be between 1 and the number of samples, {n}")
    return 1.0 - comb(n - right, k) / comb(n, k)


def majority(answers: Sequence[str | None], correct: Sequence[bool]) -> float:
    """Chance that the majority vote is right: 1 or 0, or the share of right answers among the tied.

    `answers` are canonical forms, so that equal answers are equal strings; None (no answer) does not vote.
    """
    votes = Counter(answer for answer in answers if answer is not None)
    if not votes:
        return 0.0
    top = max(votes.values())
    tied = {answer for answer, count in votes.items() if count == top}
    right = {answer for answer, ok in zip(answers, correct, strict=True) if ok and answer is not None}
    return len(tied & right) / len(tied)
