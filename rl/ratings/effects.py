"""How strict and how noisy each rater is, and what each answer deserves without that.

The model is the usual one for several raters of several objects (a two-way layout with unequal variances):

    score of rater r for answer i = quality_i + severity_r + noise,   noise ~ N(0, variance_r)

fitted by iterated weighted least squares. Severities add up to 0: without an outside standard, all raters together
are the standard, and a bias that all have in common cannot be seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rl.ratings.records import Scores

ROUNDS = 50
"""Iterations at most; a few are enough."""

ENOUGH = 1e-6
"""A change of the severities below which the fit has ended."""

LEAST_VARIANCE = 0.05
"""Smallest variance of a rater, in squared points: whole-number scores are no more exact than that."""


@dataclass(frozen=True, slots=True)
class RaterEffects:
    """What was found out about each rater."""

    severity: dict[str, float]
    """Points that a rater adds: below 0 is strict."""

    variance: dict[str, float]
    """Of the rater's noise, in squared points."""

    def quality(self, scores: Scores) -> float:
        """The quality of an answer: its scores without severities, exact raters counting more."""
        known = [rater for rater in scores if rater in self.severity]
        if not known:
            return float(np.mean(list(scores.values())))

        weights = np.array([1 / self.variance[rater] for rater in known])
        points = np.array([scores[rater] - self.severity[rater] for rater in known])
        return float(weights @ points / weights.sum())


def no_effects() -> RaterEffects:
    """For whoever wants plain means."""
    return RaterEffects({}, {})


def fit_raters(rated: Sequence[Scores]) -> RaterEffects:
    """Fit the model to the scores of many answers; raters may miss answers."""
    raters = sorted({rater for scores in rated for rater in scores})
    place = {rater: column for column, rater in enumerate(raters)}
    points = np.full((len(rated), len(raters)), np.nan)
    for row, scores in enumerate(rated):
        for rater, score in scores.items():
            points[row, place[rater]] = score

    given = ~np.isnan(points)
    filled = np.where(given, points, 0.0)
    severity, variance = np.zeros(len(raters)), np.ones(len(raters))

    for _ in range(ROUNDS):
        quality = _quality(filled, given, severity, variance)
        residuals = np.where(given, filled - quality[:, None], 0.0)
        count = np.maximum(given.sum(axis=0), 1)

        found = residuals.sum(axis=0) / count
        found -= found.mean()
        variance = _variances(residuals, given, found, variance)
        change = np.abs(found - severity).max()
        severity = found
        if change < ENOUGH:
            break

    return RaterEffects(
        dict(zip(raters, severity.tolist(), strict=True)),
        dict(zip(raters, variance.tolist(), strict=True)),
    )


def _quality(
    filled: np.ndarray, given: np.ndarray, severity: np.ndarray, variance: np.ndarray
) -> np.ndarray:
    """The weighted mean of each row's scores without severities."""
    weights = given / variance
    return (weights * (filled - severity)).sum(axis=1) / weights.sum(axis=1)


def _variances(
    residuals: np.ndarray, given: np.ndarray, severity: np.ndarray, earlier: np.ndarray
) -> np.ndarray:
    """Mean squared noise of each rater.

    A rater's own score pulls the answer's quality towards it, the more the fewer others there are: the squares are
    divided by what that leaves of them.
    """
    squares = np.where(given, (residuals - severity) ** 2, 0.0)
    weights = given / earlier
    own_share = weights / weights.sum(axis=1, keepdims=True)
    left = np.where(given, 1 - own_share, 0.0).sum(axis=0)
    return np.maximum(squares.sum(axis=0) / np.maximum(left, 1e-9), LEAST_VARIANCE)
