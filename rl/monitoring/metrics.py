"""What a step reports: rewards and outputs, the update, speed and memory."""

import resource
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch

from pipeline.inference.engine import Sample
from rl.advantages import has_spread
from rl.monitoring.reward_hacking import agreement
from rl.rollouts import Group

TOKEN_MEANS = ("kl", "entropy", "mismatch", "clipped_low", "clipped_high")
"""Sums over scored tokens that losses report, shown as means. The entropy is estimated as the mean of
-log-probability of the tokens that were sampled."""

UPDATE_VALUES = ("loss", "grad_norm", "value_error")
"""Values of the update that are shown as they are."""


def group_metrics(groups: list[Group]) -> dict[str, float]:
    """Rewards, their parts and the shape of the outputs, over all outputs of a step."""
    samples = [sample for group in groups for sample in group.samples]
    rewards = np.concatenate([group.rewards for group in groups])
    lengths = np.concatenate([group.lengths for group in groups])

    # Groups whose outputs are all rewarded equally have no gradient but that of the KL term.
    is_uniform = [not has_spread(group.rewards) for group in groups]
    right_of_group = [group.right.mean() for group in groups]
    is_truncated = [sample.finish == "length" for sample in samples]

    metrics: dict[str, float] = {
        "reward": float(rewards.mean()),
        "reward_std": float(rewards.std()),
        "right": float(np.mean(right_of_group)),
        "zero_variance_groups": float(np.mean(is_uniform)),
        "length": float(lengths.mean()),
        "length_max": int(lengths.max()),
        "truncated": float(np.mean(is_truncated)),
    }

    # Only where tools are in use: a column of zeros would say nothing.
    tool_calls = [_tool_calls(sample) for sample in samples]
    if any(tool_calls):
        metrics["tool_calls"] = float(np.mean(tool_calls))

    metrics["reward_span"] = float(np.ptp(rewards))
    metrics["outputs"] = len(rewards)

    # Each reward by itself, and for reward models how far they agree with the rule.
    for name in groups[0].parts:
        part = np.concatenate([group.parts[name] for group in groups])
        metrics[f"reward_{name}"] = float(part.mean())
        # A curve for each reward, whatever it is called, and how often it gave nothing.
        metrics[f"rewards/{name}"] = float(part.mean())
        metrics[f"reward_zeros/{name}"] = float((part == 0).mean())
        agrees = agreement(groups, name) if name.endswith("_model") else None
        if agrees is not None:
            metrics[f"agreement_{name}"] = agrees
    return metrics


def distributions(groups: list[Group]) -> dict[str, dict[str, int]]:
    """How many of a step's outputs have each reward and each length, rounded to two digits.

    Two digits are enough for a histogram with any bins, and keep a line of metrics short.
    """
    rewards = np.concatenate([group.rewards for group in groups])
    lengths = np.concatenate([group.lengths for group in groups])
    return {"reward_counts": _counts(rewards), "length_counts": _counts(lengths)}


def _counts(values: np.ndarray) -> dict[str, int]:
    rounded = Counter(float(f"{value:.1e}") for value in values)
    return {f"{value:g}": rounded[value] for value in sorted(rounded)}


def _tool_calls(sample: Sample) -> int:
    """How often a tool wrote behind something that the model wrote."""
    # -1 is a step from a token of the model to one of a tool.
    changes = np.diff(sample.sampled.astype(np.int8))
    return int((changes == -1).sum())


def update_metrics(
    updates: Sequence[Mapping[str, float]], sampled_tokens: int, seconds: Mapping[str, float]
) -> dict[str, float]:
    """What the update did, and how long each phase of the step took.

    Args:
        updates: what each update of the step returned, at least one.
        sampled_tokens: tokens that the model wrote in this step.
        seconds: duration of each phase; "sample" and "update" must be among them.

    Returns:
        Means over the scored tokens of the last update, and seconds and tokens/s.
    """
    last = updates[-1]
    # An update may have had no rows: nothing was right, or the value model warms up.
    scored = max(last["scored"], 1)
    trained_tokens = sum(update["tokens"] for update in updates)

    line = {name: last[name] / scored for name in TOKEN_MEANS if name in last}
    line |= {name: last[name] for name in UPDATE_VALUES if name in last}
    line |= {f"{phase}_seconds": round(value, 3) for phase, value in seconds.items()}

    line["sampled_tokens"] = sampled_tokens
    line["sample_tokens_per_second"] = round(sampled_tokens / max(seconds["sample"], 1e-9))
    line["update_tokens_per_second"] = round(trained_tokens / max(seconds["update"], 1e-9))
    return line


def peak_memory_mb() -> int:
    """Peak memory of this process in MiB: the accelerator's if there is one, else resident memory."""
    # ru_maxrss is in KiB on Linux.
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() // 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def state_mb(trained: Iterable[torch.nn.Module], frozen: Iterable[torch.nn.Module]) -> float:
    """MiB of the models' state: weights, and where a model is trained also gradients and AdamW's two moments.

    Each of these three has the size of the weights.
    """
    trained_bytes = 4 * sum(map(_weight_bytes, trained))
    frozen_bytes = sum(map(_weight_bytes, frozen))
    return (trained_bytes + frozen_bytes) / 2**20


def _weight_bytes(model: torch.nn.Module) -> int:
    return sum(parameter.numel() * parameter.element_size() for parameter in model.parameters())
