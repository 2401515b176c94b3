"""Credit: from rewards to a number for every token of every output. Pure functions of NumPy arrays.

Shapes: G outputs of one question; K_i steps and T_i tokens of output i.
"""

import math
from collections.abc import Sequence

import numpy as np

_DUST = 1e-9  # relative spread below which rewards count as equal: 0.1 + 0.2 and 0.3 are the same reward


def normalise(
    rewards: np.ndarray, how: str = "population", pool: np.ndarray | None = None
) -> np.ndarray:
    """What is better than the others and by how much: `rewards` measured against `pool` (default: themselves).

    "population", "sample": (reward - mean) / standard deviation, which of the two the paper does not say;
    "none": reward - mean (Dr. GRPO, arXiv 2503.20783);
    "robust": (reward - median) / interquartile range, for rewards with outliers; where the range is 0, as with 0/1
    rewards of which more than three quarters agree, "population" takes its place;
    "rank": the rank in the pool (ties share the mean rank), then as "population": only the order counts.

    Where all rewards are equal there is nothing to compare: the result is exactly 0, never 0/0 and never rounding
    dust divided by rounding dust.
    """
    rewards = np.asarray(rewards, dtype=np.float64)
    pool = rewards if pool is None else np.asarray(pool, dtype=np.float64)
    if not has_spread(pool):
        return np.zeros_like(rewards)
    if how == "rank":
        rewards, pool = _ranks(rewards, pool), _ranks(pool, pool)
    if how == "robust":
        low, median, high = np.quantile(pool, [0.25, 0.5, 0.75])
        if has_spread(np.array([low, high])):
            return (rewards - median) / (high - low)
    centred = rewards - pool.mean()
    if how == "none":
        return centred
    return centred / pool.std(ddof=1 if how == "sample" else 0)


def _ranks(rewards: np.ndarray, pool: np.ndarray) -> np.ndarray:
    """Place of each reward in the pool: how many lie below, plus half of those equal to it."""
    ordered = np.sort(pool)
    return (
        np.searchsorted(ordered, rewards, "left") + np.searchsorted(ordered, rewards, "right")
    ) / 2


def has_spread(rewards: np.ndarray) -> bool:
    """Whether the rewards of a group differ, so that the group teaches anything."""
    rewards = np.asarray(rewards, dtype=np.float64)
    return rewards.size > 1 and float(np.ptp(rewards)) > _DUST * max(
        1.0, float(np.abs(rewards).max())
    )


def outcome_advantages(
    rewards: np.ndarray, lengths: Sequence[int], how: str = "population", decay: float = 1.0
) -> list[np.ndarray]:
    """Outcome supervision (paper 4.1.2): every token of an output gets the output's normalised reward.

    rewards [G] -> G arrays [T_i]. `decay` < 1 weighs later tokens more, token t of T by decay^(T - t): the article's
    time-weighted advantage, which is plain discounting; 1 is GRPO itself.
    """
    values = normalise(rewards, how)
    return [
        value * decay ** np.arange(length - 1, -1, -1.0)
        for value, length in zip(values, lengths, strict=True)
    ]


def process_advantages(
    step_rewards: Sequence[np.ndarray],
    step_ends: Sequence[np.ndarray],
    lengths: Sequence[int],
    how: str = "population",
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
        np.add.at(at_token, np.asarray(ends, dtype=np.int64), normalise(rewards, how, pool))
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


def adapted_group_size(rule: str, spread: float, span: float, most: int, least: int = 8) -> int:
    """Outputs per question after rewards with standard deviation `spread` and `span` = greatest minus least.

    "literal" is the article's max(8, min(64, 2 std)), rounded up: rewards would have to span more than 8 for it to
    leave 8 at all, so with 0/1 rewards it is a constant. "scaled" measures the spread against the largest that the
    span allows (half of it): from `least` where all agree to `most` where half are right. "fixed" is `most`.
    """
    if rule == "fixed":
        return most
    if rule == "literal":
        return max(least, min(most, math.ceil(2 * spread)))
    share = min(1.0, 2 * spread / span) if span > 0 else 0.0
    return min(least, most) + math.ceil(max(0, most - least) * share)
