"""How good a round's classifier is, on held-out pages: AUC, precision and recall at the cut, calibration.

Held-out negatives are unlabelled pages, a few of them mathematical: precision and AUC are lower bounds.
"""

import numpy as np

BINS = 10


def auc(positive: np.ndarray, negative: np.ndarray) -> float | None:
    """Probability that a positive scores above a negative, ties counting half; None without one of either."""
    if not len(positive) or not len(negative):
        return None
    ordered = np.sort(negative)
    below = np.searchsorted(ordered, positive, side="left")
    upto = np.searchsorted(ordered, positive, side="right")
    return float((below + upto).sum() / (2 * len(positive) * len(negative)))


def held_out_metrics(positive: np.ndarray, negative: np.ndarray, cut: float) -> dict:
    """Metrics of held-out scores: precision and recall of "score >= cut", and calibration by tenths of the score."""
    true, false = int((positive >= cut).sum()), int((negative >= cut).sum())
    value = auc(positive, negative)
    return {
        "positives": len(positive),
        "negatives": len(negative),
        "auc": None if value is None else round(value, 6),
        "precision": round(true / (true + false), 6) if true + false else None,
        "recall": round(true / len(positive), 6) if len(positive) else None,
        "calibration": calibration(positive, negative),
    }


def calibration(positive: np.ndarray, negative: np.ndarray) -> list[dict]:
    """For each tenth of the score: pages, their mean score, and the share of positives among them."""
    scores = np.concatenate([positive, negative]).astype(np.float64)
    truth = np.arange(len(scores)) < len(positive)
    bins = np.minimum((scores * BINS).astype(int), BINS - 1)
    return [
        {
            "from": number / BINS,
            "pages": int((bins == number).sum()),
            "mean_score": round(float(scores[bins == number].mean()), 6),
            "positive_share": round(float(truth[bins == number].mean()), 6),
        }
        for number in range(BINS)
        if (bins == number).any()
    ]
