"""From the values of several seeds to an interval, a verdict and the power of a claim.

A seed gives a value for each of its problems. Intervals are paired: where both arms answered the same problems of the
same seed, the difference is taken problem by problem. Seeds are resampled, and so are problems that several seeds share
(hierarchical bootstrap); where each seed has problems of its own, the spread of seeds holds that of problems already.
The spread found is widened for the small number of seeds: by n / (n - 1) in the variance, and by Student's t.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from findings.claims import Condition, Spread

REPLICATES = 2000
CONFIDENCE = 0.95
POWER = 0.8
MOST_SEEDS = 1000


@dataclass(frozen=True, slots=True)
class Sample:
    """One measure of one arm in one seed: a value for each problem."""

    problems: str
    """Digest of the problems, which says whether two samples are of the same ones."""

    values: np.ndarray
    """[P] float64."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over seeds with its 95 % interval."""

    mean: float
    low: float
    high: float
    seeds: int
    problems: int
    """Of all seeds together."""

    by_seed: tuple[float, ...]


def estimate(first: Sequence[Sample], second: Sequence[Sample] | None, seed: int = 0) -> Estimate:
    """The mean of `first`, or of `first` - `second`, over seeds and their problems.

    Args:
        first, second: one sample for each seed, in the same order of seeds.
        seed: of the resampling.

    With one seed the interval is over its problems only. Raises ValueError without a seed.
    """
    if not first:
        raise ValueError("an estimate needs at least one seed")
    parts_of_seed = _parts(first, second)
    means = [sum(part.values.mean() for part in parts) for parts in parts_of_seed]

    seeds = len(means)
    spread = float(_replicates(parts_of_seed, np.random.default_rng(seed)).std())
    problems = sum(len(sample.values) for sample in first)
    if seeds > 1:
        # Resampling n seeds shows (n - 1) / n of their variance.
        spread *= math.sqrt(seeds / (seeds - 1))
        freedom = seeds - 1
    else:
        freedom = max(1, problems - 1)

    mean = float(np.mean(means))
    half = float(student.ppf((1 + CONFIDENCE) / 2, freedom)) * spread
    return Estimate(mean, mean - half, mean + half, seeds, problems, tuple(map(float, means)))


def _parts(first: Sequence[Sample], second: Sequence[Sample] | None) -> list[list[Sample]]:
    """For each seed the samples whose means add up to its value; paired problems are one sample of differences."""
    if second is None:
        return [[sample] for sample in first]

    parts = []
    for upper, lower in zip(first, second, strict=True):
        if upper.problems == lower.problems:
            parts.append([Sample(upper.problems, upper.values - lower.values)])
        else:
            parts.append([upper, Sample(lower.problems, -lower.values)])
    return parts


def _replicates(parts_of_seed: list[list[Sample]], rng: np.random.Generator) -> np.ndarray:
    """[R] means of resampled seeds and problems."""
    seeds = len(parts_of_seed)
    resampled_RS = np.zeros((REPLICATES, seeds))
    names = [part.problems for parts in parts_of_seed for part in parts]

    # One draw for each set of problems: seeds that share their problems share the draw, too.
    weights: dict[tuple[str, int], np.ndarray] = {}
    for place, parts in enumerate(parts_of_seed):
        for part in parts:
            count = len(part.values)
            key = (part.problems, count)
            if seeds > 1 and names.count(part.problems) == 1:
                resampled_RS[:, place] += part.values.mean()
                continue
            if key not in weights:
                weights[key] = rng.multinomial(count, np.full(count, 1 / count), REPLICATES) / count
            resampled_RS[:, place] += weights[key] @ part.values

    if seeds == 1:
        return resampled_RS[:, 0]
    chosen_RS = rng.integers(0, seeds, (REPLICATES, seeds))
    return np.take_along_axis(resampled_RS, chosen_RS, axis=1).mean(1)


def verdict(condition: Condition, found: Estimate) -> str:
    """ "reproduced", "not reproduced" or "open": where the interval lies."""
    if condition.more_than is not None:
        # An effect smaller than the least one that counts refutes the claim, even where it is surely positive.
        if found.high < condition.more_than:
            return "not reproduced"
        return "reproduced" if found.low > 0 else "open"

    if condition.at_least is not None:
        holds, fails = found.low >= condition.at_least, found.high < condition.at_least
    else:
        holds, fails = found.high <= condition.threshold, found.low > condition.threshold
    if holds:
        return "reproduced"
    return "not reproduced" if fails else "open"


def combined(verdicts: Sequence[str]) -> str:
    """Of a claim with several conditions: all must hold, and one that fails refutes it."""
    if all(verdict == "reproduced" for verdict in verdicts):
        return "reproduced"
    return "not reproduced" if "not reproduced" in verdicts else "open"


def detectable(spread: Spread, seeds: int) -> float:
    """The difference that `seeds` seeds would show in four of five repetitions, with the spread assumed beforehand."""
    variance = spread.seeds**2 / seeds + spread.within**2 / (seeds * spread.problems)
    quantiles = student.ppf((1 + CONFIDENCE) / 2, seeds - 1) + student.ppf(POWER, seeds - 1)
    return float(quantiles * math.sqrt(variance))


def seeds_needed(spread: Spread, effect: float) -> int | None:
    """The fewest seeds that would show `effect`; None where `effect` is 0 or takes more than MOST_SEEDS."""
    if effect == 0:
        return None
    for seeds in range(2, MOST_SEEDS + 1):
        if detectable(spread, seeds) <= abs(effect):
            return seeds
    return None
