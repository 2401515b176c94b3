"""Credit assignment: from rewards to a number for every token of every output.

Pure functions of NumPy arrays. Shapes: a question has G outputs; output i has K_i steps and T_i tokens.

normalise               rewards measured against those of the group
combined_advantages     several rewards, each normalised by itself
outcome_advantages      outcome supervision, section 4.1.2
process_advantages      process supervision, section 4.1.3
generalised_advantages  PPO's estimator (GAE)
token_weights           the denominators of the loss
adapted_group_size      how many outputs the next step samples
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from rl.own_code.load import checked_numbers, own_function

RELATIVE_TOLERANCE = 1e-9
"""Rewards that differ by less, relative to their size, count as equal: 0.1 + 0.2 and 0.3 are the same reward."""


def normalise(
    rewards: np.ndarray, how: str = "population", pool: np.ndarray | None = None
) -> np.ndarray:
    """How much better each reward is than those of `pool` (by default, than the rewards themselves).

    Args:
        rewards: [n].
        how: "population" or "sample" is (reward - mean) / standard deviation; the paper does not say which of the
            two deviations it means. "none" is reward - mean (Dr. GRPO, arXiv 2503.20783). "robust" is
            (reward - median) / interquartile range, for rewards with outliers; where that range is 0, as with 0/1
            rewards of which more than three quarters agree, it falls back to "population". "rank" replaces each
            reward with its rank in the pool (ties share the mean rank) and continues as "population".
            `module:function` names one of your own, (rewards [n], pool [m]) -> [n].
        pool: [m], the rewards to compare with.

    Returns:
        [n], float64. Exactly 0 where all rewards of the pool are equal: there is nothing to compare, and a division
        would only magnify rounding errors.
    """
    rewards = np.asarray(rewards, dtype=np.float64)
    pool = rewards if pool is None else np.asarray(pool, dtype=np.float64)

    if not has_spread(pool):
        return np.zeros_like(rewards)

    if ":" in how:
        return checked_numbers(own_function(how)(rewards, pool), len(rewards), f"{how}:")

    # Only the order counts: ranks take the place of the values on both sides.
    if how == "rank":
        rewards, pool = _ranks(rewards, pool), _ranks(pool, pool)

    if how == "robust":
        low, median, high = np.quantile(pool, [0.25, 0.5, 0.75])
        # More than three quarters of 0/1 rewards may agree: then there is no range to divide by.
        if has_spread(np.array([low, high])):
            return (rewards - median) / (high - low)

    centred = rewards - pool.mean()
    if how == "none":
        return centred

    # Bessel's correction for the sample deviation: the mean was estimated from the same rewards.
    degrees_lost = 1 if how == "sample" else 0
    return centred / pool.std(ddof=degrees_lost)


def _ranks(rewards: np.ndarray, pool: np.ndarray) -> np.ndarray:
    """Rank of each reward in the pool: how many are smaller, plus half of those that are equal."""
    ordered = np.sort(pool)
    smaller = np.searchsorted(ordered, rewards, "left")
    smaller_or_equal = np.searchsorted(ordered, rewards, "right")
    return (smaller + smaller_or_equal) / 2


def has_spread(rewards: np.ndarray) -> bool:
    """Whether the rewards of a group differ, so that the group has anything to teach."""
    rewards = np.asarray(rewards, dtype=np.float64)
    if rewards.size <= 1:
        return False

    scale = max(1.0, float(np.abs(rewards).max()))
    spread = float(np.ptp(rewards))
    return spread > RELATIVE_TOLERANCE * scale


def outcome_advantages(
    rewards: np.ndarray, lengths: Sequence[int], how: str = "population", decay: float = 1.0
) -> list[np.ndarray]:
    """Outcome supervision (section 4.1.2): every token of an output gets the output's normalised reward.

    Args:
        rewards: [G].
        lengths: the G lengths T_i, in tokens.
        how: see `normalise`.
        decay: below 1, token t of T is weighted by decay^(T - t), so that later tokens count more. This is the
            "time-weighted advantage" of some write-ups, and plain discounting; 1 is GRPO itself.

    Returns:
        G arrays [T_i].
    """
    return spread_over_tokens(normalise(rewards, how), lengths, decay)


def combined_advantages(
    parts: Mapping[str, np.ndarray], weights: Mapping[str, float], how: str = "population"
) -> np.ndarray:
    """The weighted sum [G] of rewards that are each normalised by itself (GDPO, arXiv 2601.05242, Eq. 4).

    A sum that is normalised as a whole merges rewards: (1, 0) and (0, 1) become one value, and a reward whose spread
    is narrow beside another's hardly counts. The paper's further normalisation over the batch is left out: the rate
    does its work.

    Args:
        parts: each reward by name, [G].
        weights: of those that count.
    """
    weighted = [weight * normalise(parts[name], how) for name, weight in weights.items()]
    return np.asarray(sum(weighted))


def spread_over_tokens(
    values: np.ndarray, lengths: Sequence[int], decay: float = 1.0
) -> list[np.ndarray]:
    """Each output's advantage at each of its tokens: G arrays [T_i]. `decay` as in `outcome_advantages`."""
    advantages = []
    for value, length in zip(values, lengths, strict=True):
        tokens_left = np.arange(length - 1, -1, -1.0)
        advantages.append(value * decay**tokens_left)
    return advantages


def process_advantages(
    step_rewards: Sequence[np.ndarray],
    step_ends: Sequence[np.ndarray],
    lengths: Sequence[int],
    how: str = "population",
    credit: str = "sum",
) -> list[np.ndarray]:
    """Process supervision (section 4.1.3): a token gets the sum of the normalised rewards of this and later steps.

    Args:
        step_rewards: G arrays [K_i]. They are normalised over all steps of all outputs of the group.
        step_ends: G arrays [K_i], the index of the token with which each step ends, counted from 0.
        lengths: the G lengths T_i, in tokens.
        how: see `normalise`.
        credit: "sum" as in the paper, or "min": the least of those rewards (PURE, arXiv 2504.15275). A sum of many
            steps outweighs one of few, so that the number of steps is rewarded or punished itself; a minimum is not.

    Returns:
        G arrays [T_i]. Tokens behind the end of the last step get 0.
    """
    # All steps of all outputs are compared with one another, whichever output they belong to.
    pool = np.concatenate([np.asarray(rewards, dtype=np.float64) for rewards in step_rewards])

    advantages = []
    for rewards, ends, length in zip(step_rewards, step_ends, lengths, strict=True):
        # Two steps may end in one token, hence `add.at` and not an assignment.
        reward_at_token = np.zeros(length)
        normalised = normalise(rewards, how, pool)
        end_tokens = np.asarray(ends, dtype=np.int64)
        if credit == "min":
            advantages.append(_least_to_come(normalised, end_tokens, length))
            continue
        np.add.at(reward_at_token, end_tokens, normalised)

        # The sum from each token to the end is a cumulative sum read backwards.
        reversed_sums = np.cumsum(reward_at_token[::-1])
        advantages.append(reversed_sums[::-1])
    return advantages


def _least_to_come(rewards: np.ndarray, ends: np.ndarray, length: int) -> np.ndarray:
    """For each token [T] the least reward of the steps that end with it or later; 0 behind the last step."""
    least = np.full(length, np.inf)
    np.minimum.at(least, ends, rewards)
    reversed_least = np.minimum.accumulate(least[::-1])
    found = reversed_least[::-1]
    return np.where(np.isinf(found), 0.0, found)


def generalised_advantages(
    rewards: np.ndarray, values: np.ndarray, gamma: float, gae_lambda: float
) -> tuple[np.ndarray, np.ndarray]:
    """Generalised advantage estimation (arXiv 1506.02438) for one finished output.

    Args:
        rewards: [T].
        values: [T], the value before each token; behind the last token it is 0, since the output has ended.
        gamma: discount of rewards.
        gae_lambda: discount of temporal differences.

    Returns:
        Advantages [T], and returns [T], which are the value model's targets.
    """
    length = len(rewards)
    advantages = np.zeros(length)
    following = 0.0

    # From the last token to the first, since each advantage contains the discounted ones behind it.
    for t in reversed(range(length)):
        next_value = values[t + 1] if t + 1 < length else 0.0
        # Kept in one expression: another order of the sum would change the last bits.
        following = rewards[t] + gamma * next_value - values[t] + gamma * gae_lambda * following
        advantages[t] = following

    return advantages, advantages + values


def token_weights(lengths: Sequence[int], aggregation: str, max_new_tokens: int) -> list[float]:
    """The factor of every token's term, for each output of a step, such that the sum of all terms is the loss.

    Args:
        lengths: tokens of all outputs of the step, over all processes.
        aggregation: "sequence" is the mean over an output's tokens and then over outputs (Eq. 3); "token" the mean
            over all tokens (DAPO, arXiv 2503.14476); "constant" divides by outputs x `max_new_tokens` (Dr. GRPO).
            `module:function` names one of your own, (lengths, max_new_tokens) -> a weight for each output.
        max_new_tokens: the longest output that was allowed.

    Returns:
        One weight for each output. Outputs without tokens get 0 and count in no denominator.
    """
    if ":" in aggregation:
        given = own_function(aggregation)(list(lengths), max_new_tokens)
        weights = checked_numbers(given, len(lengths), f"{aggregation}:")
        return [float(w) if length else 0.0 for w, length in zip(weights, lengths, strict=True)]

    # An output that ended before its first token has nothing to learn and counts nowhere.
    outputs = sum(length > 0 for length in lengths)

    if aggregation == "sequence":
        return [1.0 / (outputs * length) if length else 0.0 for length in lengths]

    divisor = sum(lengths) if aggregation == "token" else outputs * max_new_tokens
    return [1.0 / divisor if length else 0.0 for length in lengths]


def adapted_group_size(rule: str, spread: float, span: float, most: int, least: int = 8) -> int:
    """Outputs per question after a step whose rewards had a given spread.

    Args:
        rule: "fixed" is `most`. "literal" is max(8, min(64, 2 std)), as it stands in write-ups: rewards would have to
            span more than 8 for it ever to leave 8, so it is a constant for 0/1 rewards. "scaled" compares the spread
            with the largest that the span allows (half of it): `least` where all outputs agree, `most` where half of
            them are right.
        spread: standard deviation of the rewards of the step.
        span: greatest minus least reward.
        most: the largest group.
        least: the smallest group.
    """
    if rule == "fixed":
        return most

    if rule == "literal":
        return max(least, min(most, math.ceil(2 * spread)))

    # The standard deviation of values within a span is at most half of it.
    share = min(1.0, 2 * spread / span) if span > 0 else 0.0
    room = max(0, most - least)
    return min(least, most) + math.ceil(room * share)
