"""How far a sampler's log-probabilities are from the trainer's, where truncated importance sampling weighs by them.

Two implementations of one policy round differently. The weight of a token's term, min(trainer / sampler, cap), takes
care of that; a difference that grows from step to step, or begins large, says that they are not one policy.
"""

from collections.abc import Sequence

import numpy as np

from pipeline.forward.batches import Row

HIGH = 0.99
"""The quantile that is reported: the largest of many thousand differences says nothing."""

SUSPICIOUS = 0.1
"""Mean difference, in nats, from which on another cause than rounding is likely: in bf16 it is some hundredths."""


def mismatch_metrics(rows: Sequence[Row], cap: float) -> dict[str, float]:
    """The difference |trainer - sampler| of a step's tokens before the update, and how many weights the cap cuts.

    Empty where rows do not hold both: without truncated importance sampling the trainer's are not computed apart.
    """
    ratios = [
        (row.columns["old_log_probs"] - row.columns["sampler_log_probs"])[row.loss_mask]
        for row in rows
        if "sampler_log_probs" in row.columns
    ]
    of_token = np.concatenate(ratios) if ratios else np.zeros(0)
    if not len(of_token):
        return {}

    differences = np.abs(of_token)
    return {
        "mismatch_mean": float(differences.mean()),
        "mismatch_p99": float(np.quantile(differences, HIGH)),
        "mismatch_max": float(differences.max()),
        "importance_capped": float((of_token > np.log(cap)).mean()),
    }


def note_of_mismatch(metrics: dict[str, float], cap: float) -> str:
    """What is said of it at the first step."""
    mean, high = metrics["mismatch_mean"], metrics["mismatch_p99"]
    found = f"log-probabilities of sampler and trainer differ by {mean:.1e} on average, {high:.1e} in one of a hundred"
    if mean > SUSPICIOUS:
        return f"warning: {found}; rounding alone makes less: the sampler may not have the trainer's weights"
    return f"{found}; a token's term is weighed by their ratio, up to {cap:g}"
