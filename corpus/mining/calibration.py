"""How good a round's classifier is, on held-out pages: AUC, precision and recall at the cut, calibration.

Held-out negatives are unlabelled pages, a few of them mathematical: precision and AUC are lower bounds.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.measures import auc

BINS = 10


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Scores (float32) of the pages of both classes that were kept from training."""

    positive: np.ndarray
    negative: np.ndarray


def held_out_metrics(held_out: HeldOut, cut: float) -> dict:
    """AUC, precision and recall of "score >= cut", and calibration by tenths of the score."""
    positive, negative = held_out.positive, held_out.negative
    scores = np.concatenate([positive, negative]).astype(np.float64)
    is_positive = np.arange(len(scores)) < len(positive)

    collected_positive = int((positive >= cut).sum())
    collected = collected_positive + int((negative >= cut).sum())
    area = auc(scores, is_positive)

    return {
        "positives": len(positive),
        "negatives": len(negative),
        "auc": None if area is None else round(area, 6),
        "precision": _share(collected_positive, collected),
        "recall": _share(collected_positive, len(positive)),
        "calibration": _calibration(scores, is_positive),
    }


def _calibration(scores: np.ndarray, is_positive: np.ndarray) -> list[dict]:
    """For each tenth of the score that has pages: how many, their mean score, the share of positives."""
    tenth = np.minimum((scores * BINS).astype(int), BINS - 1)  # a score of 1 is of the last

    rows = []
    for number in range(BINS):
        inside = tenth == number
        if not inside.any():
            continue
        rows.append(
            {
                "from": number / BINS,
                "pages": int(inside.sum()),
                "mean_score": round(float(scores[inside].mean()), 6),
                "positive_share": round(float(is_positive[inside].mean()), 6),
            }
        )
    return rows


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None
