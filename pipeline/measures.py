"""Measures of a scorer that more than one stage reports."""

import numpy as np


def auc(scores: np.ndarray, positive: np.ndarray) -> float | None:
    """Area under the ROC curve: how probably a positive scores above a negative, ties counting half.

    Args:
        scores: [n] one score for each example.
        positive: [n] bool, which examples are positive.

    Returns None without examples of both kinds, and NaN where a score is NaN.
    """
    positives, negatives = scores[positive], np.sort(scores[~positive])
    if not len(positives) or not len(negatives):
        return None
    if np.isnan(scores).any():
        return float("nan")  # sorting would rank NaN above every number

    below = np.searchsorted(negatives, positives, side="left")
    below_or_equal = np.searchsorted(negatives, positives, side="right")

    # Counted in whole numbers, so that the result does not depend on the order of the examples.
    twice_the_wins = (below + below_or_equal).sum()
    return float(twice_the_wins / (2 * len(positives) * len(negatives)))
