"""How far raters agree with one another, and how far a reward model agrees with them."""

from collections.abc import Sequence

import numpy as np

from rl.ratings.records import Scores


def krippendorff_alpha(rated: Sequence[Scores]) -> float | None:
    """Krippendorff's alpha for interval scales: 1 is full agreement, 0 what chance would give.

    1 - observed / expected disagreement, where disagreement is the mean squared difference of two scores: of one
    answer, and of any two answers. Answers with one score say nothing. None where nothing can be compared.
    """
    units = [np.array(list(scores.values())) for scores in rated if len(scores) > 1]
    if not units:
        return None

    # The mean squared difference of all ordered pairs of n values is 2 n/(n-1) times their variance.
    observed = sum(2 * len(unit) * len(unit) / (len(unit) - 1) * unit.var() for unit in units)
    everything = np.concatenate(units)
    n = len(everything)
    expected = 2 * n / (n - 1) * everything.var()
    return float(1 - observed / n / expected) if expected > 0 else None


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float | None:
    """Spearman's rank correlation; ties share their mean rank. None where either side has no order."""
    first, second = np.asarray(first, float), np.asarray(second, float)
    if len(first) < 2 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    return float(np.corrcoef(ranks(first), ranks(second))[0, 1])


def ranks(values: np.ndarray) -> np.ndarray:
    """Rank of each value from 0; equal ones share the mean of their ranks."""
    ordered = np.sort(values)
    smaller = np.searchsorted(ordered, values, "left")
    not_greater = np.searchsorted(ordered, values, "right")
    return (smaller + not_greater - 1) / 2


def within_correlation(
    first: np.ndarray, second: np.ndarray, groups: Sequence[str]
) -> float | None:
    """Rank correlation among the answers to one question, as advantages compare them: the mean over questions, each
    weighted by its number of answers. None where no question has two answers that differ."""
    places: dict[str, list[int]] = {}
    for place, group in enumerate(groups):
        places.setdefault(group, []).append(place)

    found, weights = [], []
    for members in places.values():
        value = rank_correlation(first[members], second[members])
        if value is not None:
            found.append(value)
            weights.append(len(members))
    return float(np.average(found, weights=weights)) if found else None
