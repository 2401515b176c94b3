"""Log-ratios of solutions, the rewards of their steps, and what each solution adds to the gradient of the loss."""

from collections.abc import Sequence

import numpy as np
from transformers import PreTrainedModel

from pipeline.forward.batches import Row
from pipeline.forward.layout import layout_for, row_log_probs
from pipeline.model import distributed


def solution_row(
    prompt: Sequence[int], ids: Sequence[int], written: Sequence[bool] | np.ndarray | None = None
) -> Row:
    """A solution behind its prompt, read at the tokens that the model wrote (all, where `written` is None)."""
    of_ids = np.ones(len(ids), dtype=bool) if written is None else np.asarray(written, dtype=bool)
    loss_mask = np.concatenate([np.zeros(len(prompt), dtype=bool), of_ids])
    return Row(np.array([*prompt, *ids], dtype=np.int32), loss_mask, {})


def log_probs_of(
    model: PreTrainedModel, rows: Sequence[Row], max_tokens: int, precision: str
) -> list[np.ndarray]:
    """For each row [T] the log-probabilities of its tokens, 0 where it is not read; processes share the rows."""
    mine = row_log_probs(
        model,
        distributed.shard_for_rank(rows),
        max_tokens,
        precision=precision,
        layout=layout_for(model, shared_prefix=True),
    )
    return distributed.gather(mine)


def step_rewards(log_ratio: np.ndarray, ends: Sequence[int], beta: float) -> np.ndarray:
    """[K] beta times the sum of the log-ratios [T] of each step's tokens.

    Args:
        log_ratio: [T] over the tokens of the output.
        ends: [K] index of the last token of each step, in rising order.
    """
    sums = np.cumsum(log_ratio, dtype=np.float64)
    up_to_end = sums[np.asarray(ends, dtype=np.int64)] if len(ends) else np.zeros(0)
    return beta * np.diff(up_to_end, prepend=0.0)


def coefficients(
    scores: np.ndarray, right: np.ndarray, problems: Sequence[str], kind: str
) -> np.ndarray:
    """[n] minus the derivative of the loss by each solution's score, which is its log-odds of being right.

    Args:
        scores: [n] beta x log-ratio of a whole solution.
        right: [n] bool, the rule's verdict.
        problems: [n] the problem of each.
        kind: "cross_entropy": the mean of -log sigmoid(+-score). "pairwise": for each problem with both kinds the mean
            over its pairs of -log sigmoid(score of the right - score of the wrong), then over problems; a shift that
            all solutions of a problem share, how hard it is, has no part in it.
    """
    if kind == "cross_entropy":
        return (right - _sigmoid(scores)) / len(scores)

    result = np.zeros(len(scores))
    names = np.asarray(problems)
    mixed = [name for name in dict.fromkeys(problems) if 0 < right[names == name].mean() < 1]
    for name in mixed:
        better = np.flatnonzero((names == name) & right)
        worse = np.flatnonzero((names == name) & ~right)
        pull = _sigmoid(scores[worse][None, :] - scores[better][:, None])
        result[better] += pull.mean(1) / (len(better) * len(mixed))
        result[worse] -= pull.mean(0) / (len(worse) * len(mixed))
    return result


def weighted_rows(
    rows: Sequence[Row],
    log_probs: Sequence[np.ndarray],
    ref_log_probs: Sequence[np.ndarray],
    right: np.ndarray,
    problems: Sequence[str],
    beta: float,
    kind: str,
) -> list[Row]:
    """The rows with the column "weight" for `rl.objectives.likelihood_loss`, whose gradient is then the loss's own.

    Scores are those of the current weights, so that the weights hold for one update.
    """
    pairs = zip(log_probs, ref_log_probs, strict=True)
    scores = beta * np.array([(own - ref).sum(dtype=np.float64) for own, ref in pairs])

    result = []
    for row, factor in zip(rows, coefficients(scores, right, problems, kind), strict=True):
        weight = (row.loss_mask * (beta * factor)).astype(np.float32)
        result.append(Row(row.input_ids, row.loss_mask, row.columns | {"weight": weight}))
    return result


def _sigmoid(values: np.ndarray) -> np.ndarray:
    """The logistic function without overflow."""
    return np.exp(-np.logaddexp(0.0, -values))
