"""How good a reward model is on problems it was not trained on."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from pipeline.measures import auc
from rl.step_labels import LabelledSolution


def judge(solutions: Sequence[LabelledSolution], scores: Sequence[np.ndarray]) -> dict[str, object]:
    """Accuracy, AUC and calibration of the labels, and what the model is for: telling right solutions from wrong.

    `scores[i]` are probabilities at solution i's positions. A solution's score is the least of them. `best_of` is the
    share of problems whose best-scored solution is right, `any` the share with a right one at all (the ceiling) and
    `mean` the share of right solutions (the floor: choosing blindly). `auc_within` compares only solutions of the same
    problem, as GRPO's advantages do: None where no problem has a right and a wrong one.
    """
    labels = np.concatenate([solution.labels for solution in solutions])
    probabilities = np.concatenate(scores)
    right = np.array([solution.right for solution in solutions])
    whole = np.array([values.min() for values in scores])
    by_problem = defaultdict(list)
    for place, solution in enumerate(solutions):
        by_problem[solution.problem_id].append(place)
    groups = [np.array(places) for places in by_problem.values()]
    return {
        "labels": len(labels),
        "accuracy": float(((probabilities >= 0.5) == (labels >= 0.5)).mean()),
        "majority": float(max((labels >= 0.5).mean(), (labels < 0.5).mean())),
        "auc": auc(probabilities, labels >= 0.5),
        "solution_auc": auc(whole, right),
        "auc_within": _auc_within(whole, right, groups),
        "calibration_error": calibration_error(probabilities, labels),
        "calibration": calibration_table(probabilities, labels),
        "best_of": float(np.mean([right[places[whole[places].argmax()]] for places in groups])),
        "any": float(np.mean([right[places].any() for places in groups])),
        "mean": float(np.mean([right[places].mean() for places in groups])),
    }


def _auc_within(
    scores: np.ndarray, right: np.ndarray, groups: Sequence[np.ndarray]
) -> float | None:
    """`auc` over the pairs of a right and a wrong solution of one problem."""
    ahead = [
        np.sign(scores[places[right[places]], None] - scores[places[~right[places]]]).ravel()
        for places in groups
    ]
    pairs = np.concatenate(ahead)
    return float((pairs.mean() + 1) / 2) if len(pairs) else None


def calibration_table(
    probabilities: np.ndarray, labels: np.ndarray, bins: int = 10
) -> list[dict[str, float]]:
    """For each filled tenth of the scale: how many, the mean probability and the mean label."""
    places = np.minimum((probabilities * bins).astype(int), bins - 1)
    return [
        {
            "n": int((places == b).sum()),
            "predicted": float(probabilities[places == b].mean()),
            "observed": float(labels[places == b].mean()),
        }
        for b in range(bins)
        if (places == b).any()
    ]


def calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Expected calibration error: mean distance of predicted and observed over the tenths, weighted by size."""
    table = calibration_table(probabilities, labels)
    return float(
        sum(row["n"] * abs(row["predicted"] - row["observed"]) for row in table) / len(labels)
    )
