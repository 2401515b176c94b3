"""Intervals, verdicts and power against worked numbers and simulated truths."""

import math

import numpy as np
import pytest
from scipy.stats import t as student

from findings.claims import Condition, Spread
from findings.statistics import (
    Estimate,
    Sample,
    combined,
    detectable,
    estimate,
    seeds_needed,
    verdict,
)


def sample(values, problems="p"):
    return Sample(problems, np.asarray(values, dtype=float))


def test_one_value_a_seed_gives_students_interval():
    """0.1, 0.2, 0.6: mean 0.3, standard error 0.1528, t(2) 4.303."""
    found = estimate([sample([v], str(v)) for v in (0.1, 0.2, 0.6)], None)
    half = student.ppf(0.975, 2) * np.std([0.1, 0.2, 0.6], ddof=1) / math.sqrt(3)
    assert found.mean == pytest.approx(0.3)
    assert found.high - found.mean == pytest.approx(half, rel=0.05)
    assert found.seeds == 3 and found.problems == 3 and found.by_seed == (0.1, 0.2, 0.6)


def test_answers_to_the_same_problems_are_compared_problem_by_problem():
    hard = np.arange(200) % 2.0
    better = hard.copy()
    better[:10] = 1
    paired = estimate([sample(better)], [sample(hard)])
    apart = estimate([sample(better, "a")], [sample(hard, "b")])
    assert paired.mean == pytest.approx(apart.mean) == pytest.approx(0.025)
    assert paired.high - paired.low < 0.5 * (apart.high - apart.low)


def test_problems_that_all_seeds_share_keep_their_uncertainty():
    """Five seeds that answer the same ten problems alike say no more about other problems than one does."""
    values = [1, 1, 1, 1, 1, 0, 0, 0, 0, 0]
    shared = estimate([sample(values)] * 5, None)
    standard_error = 0.5 / math.sqrt(10)
    assert shared.high - shared.mean > 1.96 * standard_error


def test_an_interval_is_the_same_each_time_and_needs_a_seed():
    seeds = [sample([0.2, 0.4], "a"), sample([0.3, 0.1], "b")]
    assert estimate(seeds, None) == estimate(seeds, None)
    with pytest.raises(ValueError, match="at least one seed"):
        estimate([], None)


@pytest.mark.parametrize("shared", [False, True])
def test_intervals_hold_the_truth_as_often_as_they_say(shared):
    rng = np.random.default_rng(5)
    hits = 0
    for trial in range(100):
        problems = rng.normal(0, 0.4, 40)
        seeds = []
        for seed in range(5):
            own = problems if shared else rng.normal(0, 0.4, 40)
            values = 0.05 + rng.normal(0, 0.05) + own + rng.normal(0, 0.3, 40)
            seeds.append(sample(values, "p" if shared else str(seed)))
        found = estimate(seeds, None, seed=trial)
        hits += found.low <= 0.05 <= found.high
    assert hits >= 89  # 95 of 100 expected; below 89 once in a hundred trials


@pytest.mark.parametrize(
    ("condition", "low", "high", "expected"),
    [
        ({"more_than": 0.02}, 0.001, 0.05, "reproduced"),
        ({"more_than": 0.02}, -0.001, 0.05, "open"),
        ({"more_than": 0.02}, -0.05, 0.019, "not reproduced"),
        ({"more_than": 0.02}, 0.001, 0.019, "not reproduced"),  # real, and too small to count
        ({"at_least": -0.02}, -0.02, 0.1, "reproduced"),
        ({"at_least": -0.02}, -0.03, 0.1, "open"),
        ({"at_least": -0.02}, -0.09, -0.03, "not reproduced"),
        ({"at_most": 0.02}, -0.1, 0.02, "reproduced"),
        ({"at_most": 0.02}, 0.01, 0.03, "open"),
        ({"at_most": 0.02}, 0.021, 0.03, "not reproduced"),
    ],
)
def test_verdicts_follow_the_interval(condition, low, high, expected):
    found = Estimate((low + high) / 2, low, high, 5, 100, ())
    assert verdict(Condition(measure="m", of="a", **condition), found) == expected


def test_all_conditions_must_hold_and_one_that_fails_refutes():
    assert combined(["reproduced", "reproduced"]) == "reproduced"
    assert combined(["reproduced", "open"]) == "open"
    assert combined(["open", "not reproduced"]) == "not reproduced"


def test_power_is_that_of_the_repetitions_it_speaks_of():
    """A true difference of just the detectable size is found in about four of five simulated studies."""
    spread = Spread(seeds=0.02, within=0.4, problems=50)
    size = detectable(spread, 5)
    rng = np.random.default_rng(0)
    found = 0
    for _ in range(2000):
        means = size + rng.normal(0, 0.02, 5) + rng.normal(0, 0.4, (5, 50)).mean(1)
        error = means.std(ddof=1) / math.sqrt(5)
        found += means.mean() - student.ppf(0.975, 4) * error > 0
    assert found / 2000 == pytest.approx(0.8, abs=0.05)


def test_the_seeds_needed_are_the_fewest_that_see_the_effect():
    spread = Spread(seeds=0.03, within=0.45, problems=600)
    seeds = seeds_needed(spread, 0.02)
    assert detectable(spread, seeds) <= 0.02 < detectable(spread, seeds - 1)
    assert seeds_needed(spread, 0.0) is None
    assert seeds_needed(Spread(seeds=10, within=0, problems=1), 1e-6) is None
