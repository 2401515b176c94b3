"""Credit: from rewards to a number for every token of every output. Pure functions of NumPy arrays.

Shapes: G outputs of one question; K_i steps and T_i tokens of output i.
"""

from collections.abc import Sequence

import numpy as np

_DUST = 1e-9  # relative spread below which rewards count as equal: 0.1 + 0.2 and 0.3 are the same reward


def normalise(rewards: np.ndarray, spread: str = "population", pool: np.ndarray | None = None) -> np.ndarray:
    """(reward - mean) / std over `pool` (default: `rewards` themselves), same shape as `rewards`.

    `spread` is "population" or "sample" (which standard deviation; the paper does not say) or "none" (no division,
    Dr. GRPO). Where all rewards are equal there is nothing to compare: the result is exactly 0, never 0/0 and never
    rounding dust divided by rounding dust.
    """
    rewards = np.asarray(rewards, dtype=np.float64)
    pool = rewards if pool is None else np.asarray(pool, dtype=np.float64)
    if not has_spread(pool):
        return np.zeros_like(rewards)
    centred = rewards - pool.mean()
    if spread == "none":
        return centred
    return centred / pool.std(ddof=1 if spread == "sample" else 0)


def has_spread(rewards: np.ndarray) -> bool:
    """Whether the rewards of a group differ, so that the group teaches anything."""
    rewards = np.asarray(rewards, dtype=np.float64)
    return rewards.size > 1 and float(np.ptp(rewards)) > _DUST * max(1.0, float(np.abs(rewards).max()))


def outcome_advantages(rewards: np.ndarray, lengths: Sequence[int], spread: str = "population") -> list[np.ndarray]:
    """Outcome supervision (paper 4.1.2): every token of an output gets the output's normalised reward.

    rewards [G] -> G arrays [T_i].
    """
    values = normalise(rewards, spread)
    return [np.full(length, value) for value, length in zip(values, lengths, strict=True)]


def process_advantages(
    step_rewards: Sequence[np.ndarray],
    step_ends: Sequence[np.ndarray],
    lengths: Sequence[int],
    spread: str = "population",
) -> list[np.ndarray]:
    """Process supervision (paper 4.1.3): a token gets the sum of the normalised rewards of its own and later steps.

    `step_rewards[i]` [K_i] and `step_ends[i]` [K_i], the token index at which each step ends (from 0). Rewards are
    normalised over all steps of all outputs of the group. Tokens behind the last step's end get 0. Returns G arrays
    [T_i].
    """
    pool = np.concatenate([np.asarray(rewards, dtype=np.float64) for rewards in step_rewards])
    results = []
    for rewards, ends, length in zip(step_rewards, step_ends, lengths, strict=True):
        at_token = np.zeros(length)
        np.add.at(at_token, np.asarray(ends, dtype=np.int64), normalise(rewards, spread, pool))
        results.append(np.cumsum(at_token[::-1])[::-1])
    return results


def generalised_advantages(
    rewards: np.ndarray, values: np.ndarray, gamma: float, gae_lambda: float
) -> tuple[np.ndarray, np.ndarray]:
    """Generalised advantage estimation for one finished output: rewards [T], values [T] -> advantages, returns [T].

    `values[t]` is the value before token t; behind the last token it is 0. The returns are the value model's targets.
    """
    advantages, following = np.zeros(len(rewards)), 0.0
    for t in range(len(rewards) - 1, -1, -1):
        next_value = values[t + 1] if t + 1 < len(rewards) else 0.0
        following = rewards[t] + gamma * next_value - values[t] + gamma * gae_lambda * following
        advantages[t] = following
    return advantages, advantages + values


def token_weights(lengths: Sequence[int], aggregation: str, max_new_tokens: int) -> list[float]:
    """What each token's term is multiplied with, for every output of a step, so that the sum of all is the loss.

    "sequence": mean over an output's tokens, then over outputs (the paper); "token": mean over all tokens (DAPO);
    "constant": over outputs x max_new_tokens (Dr. GRPO). Outputs without tokens count in no denominator.
    """
    outputs, total = sum(length > 0 for length in lengths), sum(lengths)
    if aggregation == "sequence":
        return [1.0 / (outputs * length) if length else 0.0 for length in lengths]
    divisor = total if aggregation == "token" else outputs * max_new_tokens
    return [1.0 / divisor if length else 0.0 for length in lengths]
