"""What a step reports: rewards and outputs, the update, speeds and memory."""

import resource
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch

from pipeline.inference.engine import Sample
from rl.advantages import has_spread
from rl.reward_hacking import agreement
from rl.rollouts import Group

TOKEN_MEANS = ("kl", "entropy", "mismatch", "clipped_low", "clipped_high")
"""Sums over scored tokens that losses report; `entropy` is estimated as -log-probability of what was sampled."""


def group_metrics(groups: list[Group]) -> dict[str, float]:
    """Rewards, their parts and the shape of the outputs, over all outputs of a step."""
    rewards = np.concatenate([group.rewards for group in groups])
    lengths = np.concatenate([group.lengths for group in groups])
    metrics = {
        "reward": float(rewards.mean()),
        "reward_std": float(rewards.std()),
        "right": float(np.mean([group.right.mean() for group in groups])),
        "zero_variance_groups": float(np.mean([not has_spread(group.rewards) for group in groups])),
        "length": float(lengths.mean()),
        "length_max": int(lengths.max()),
        "truncated": float(
            np.mean([sample.finish == "length" for group in groups for sample in group.samples])
        ),
    }
    calls = [_tool_calls(sample) for group in groups for sample in group.samples]
    if any(calls):
        metrics["tool_calls"] = float(np.mean(calls))
    metrics["reward_span"] = float(np.ptp(rewards))
    metrics["outputs"] = len(rewards)
    for name in groups[0].parts:
        metrics[f"reward_{name}"] = float(
            np.concatenate([group.parts[name] for group in groups]).mean()
        )
        agrees = agreement(groups, name) if name.endswith("_model") else None
        if agrees is not None:
            metrics[f"agreement_{name}"] = agrees
    return metrics


def _tool_calls(sample: Sample) -> int:
    """How often a tool wrote behind what the model wrote."""
    return int((np.diff(sample.sampled.astype(np.int8)) == -1).sum())


def peak_memory_mb() -> int:
    """Peak memory of this process: of the accelerator if there is one, else resident."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() // 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def update_metrics(
    updates: Sequence[Mapping[str, float]], sampled_tokens: int, seconds: Mapping[str, float]
) -> dict[str, float]:
    """Means over the scored tokens of the last update, and seconds and speed of every phase."""
    last = updates[-1]
    scored = max(last["scored"], 1)
    line = {name: last[name] / scored for name in TOKEN_MEANS if name in last}
    line |= {name: last[name] for name in ("loss", "grad_norm", "value_error") if name in last}
    line |= {f"{phase}_seconds": round(value, 3) for phase, value in seconds.items()}
    line["sampled_tokens"] = sampled_tokens
    line["sample_tokens_per_second"] = round(sampled_tokens / max(seconds["sample"], 1e-9))
    trained = sum(update["tokens"] for update in updates)
    line["update_tokens_per_second"] = round(trained / max(seconds["update"], 1e-9))
    return line


def state_mb(trained: Iterable[torch.nn.Module], frozen: Iterable[torch.nn.Module]) -> float:
    """MiB of weights, plus gradients and AdamW's two moments (the weights' size each) where a model is trained."""

    def size(model: torch.nn.Module) -> int:
        return sum(p.numel() * p.element_size() for p in model.parameters())

    return (4 * sum(map(size, trained)) + sum(map(size, frozen))) / 2**20
