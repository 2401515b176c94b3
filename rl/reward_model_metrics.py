"""How good a reward model is on problems that it was not trained on."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.measures import auc
from rl.advantages import process_advantages
from rl.step_labels import LabelledSolution


def judge(solutions: Sequence[LabelledSolution], scores: Sequence[np.ndarray]) -> dict[str, Any]:
    """Accuracy, AUC and calibration of the labels, and how well right solutions are told from wrong ones.

    Args:
        solutions: held-out solutions with labels.
        scores: for each solution the probabilities [K_i] at its positions. The solution's own score is the least.

    Returns:
        labels: how many there are.
        accuracy, auc: of the labels; majority: the accuracy of always giving the more frequent label.
        solution_auc: AUC of whole solutions against the rule's verdict.
        auc_within: the same among solutions of one problem only, as GRPO's advantages compare them; None where no
            problem has both a right and a wrong one.
        calibration, calibration_error: see `calibration_table` and `calibration_error`.
        best_of: share of problems whose best-scored solution is right. It lies between `mean`, the share of right
            solutions (choosing blindly), and `any`, the share of problems with a right one at all.
    """
    labels = np.concatenate([solution.labels for solution in solutions])
    probabilities = np.concatenate(scores)
    is_positive = labels >= 0.5

    # A solution is as good as its weakest step.
    right = np.array([solution.right for solution in solutions])
    solution_scores = np.array([values.min() for values in scores])

    groups = _places_of_problems(solutions)

    best_is_right = [right[places[solution_scores[places].argmax()]] for places in groups]
    any_is_right = [right[places].any() for places in groups]
    share_right = [right[places].mean() for places in groups]

    return {
        "labels": len(labels),
        "accuracy": float(((probabilities >= 0.5) == is_positive).mean()),
        "majority": float(max(is_positive.mean(), (labels < 0.5).mean())),
        "auc": auc(probabilities, is_positive),
        "solution_auc": auc(solution_scores, right),
        "auc_within": _auc_within(solution_scores, right, groups),
        "calibration_error": calibration_error(probabilities, labels),
        "calibration": calibration_table(probabilities, labels),
        "best_of": float(np.mean(best_is_right)),
        "any": float(np.mean(any_is_right)),
        "mean": float(np.mean(share_right)),
    }


def _auc_within(
    scores: np.ndarray, right: np.ndarray, groups: Sequence[np.ndarray]
) -> float | None:
    """AUC over the pairs of a right and a wrong solution of one problem; None without such a pair."""
    signs = []
    for places in groups:
        right_scores = scores[places[right[places]]]
        wrong_scores = scores[places[~right[places]]]
        signs.append(np.sign(right_scores[:, None] - wrong_scores).ravel())

    # +1 where the right one scores higher, -1 where the wrong one does, 0 for a tie.
    pairs = np.concatenate(signs)
    return float((pairs.mean() + 1) / 2) if len(pairs) else None


def length_correlation(
    solutions: Sequence[LabelledSolution],
    rewards: Sequence[np.ndarray],
    ends: Sequence[Sequence[int]],
) -> float | None:
    """Correlation between what process supervision would credit a solution with and its number of steps.

    Both are taken less their problem's mean, since advantages compare solutions of one problem. Near -1 or 1 the model
    mostly pays for fewer or for more lines. None where no problem has solutions of different numbers of steps.

    Args:
        rewards: for each solution those of its steps [K_i].
        ends: for each solution the index of the last token of each step.
    """
    credits: list[float] = []
    steps: list[float] = []
    for places in _places_of_problems(solutions):
        if len(places) < 2:
            continue
        advantages = process_advantages(
            [rewards[i] for i in places],
            [np.asarray(ends[i]) for i in places],
            [len(solutions[i].ids) for i in places],
        )
        of_problem = np.array([advantage.mean() for advantage in advantages])
        counts = np.array([len(ends[i]) for i in places], dtype=np.float64)
        credits += (of_problem - of_problem.mean()).tolist()
        steps += (counts - counts.mean()).tolist()

    if not np.any(steps) or not np.any(credits):
        return None
    return float(np.corrcoef(credits, steps)[0, 1])


def _places_of_problems(solutions: Sequence[LabelledSolution]) -> list[np.ndarray]:
    """For each problem the places of its solutions."""
    places_of_problem = defaultdict(list)
    for place, solution in enumerate(solutions):
        places_of_problem[solution.problem_id].append(place)
    return [np.array(places) for places in places_of_problem.values()]


def calibration_table(
    probabilities: np.ndarray, labels: np.ndarray, bins: int = 10
) -> list[dict[str, float]]:
    """For each bin of the scale from 0 to 1 that is not empty: how many, the mean probability, the mean label."""
    # A probability of exactly 1 belongs to the last bin.
    bin_of = np.minimum((probabilities * bins).astype(int), bins - 1)

    table = []
    for each in range(bins):
        inside = bin_of == each
        if not inside.any():
            continue
        table.append(
            {
                "n": int(inside.sum()),
                "predicted": float(probabilities[inside].mean()),
                "observed": float(labels[inside].mean()),
            }
        )
    return table


def calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Expected calibration error: mean distance of predicted and observed over the bins, weighted by their size."""
    weighted_distances = [
        row["n"] * abs(row["predicted"] - row["observed"])
        for row in calibration_table(probabilities, labels)
    ]
    return float(sum(weighted_distances) / len(labels))
