"""Credit: the paper's worked numbers, zero variance, and where process rewards reach."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rl.advantages import (
    generalised_advantages,
    has_spread,
    normalise,
    outcome_advantages,
    process_advantages,
    token_weights,
)

REWARDS = st.lists(st.floats(-5, 5), min_size=2, max_size=12)


@pytest.mark.parametrize(
    ("rewards", "spread", "expected"),
    [
        ([1, 0, 0, 1], "population", [1, -1, -1, 1]),
        ([1, 0, 0, 0], "population", [1.7321, -0.5774, -0.5774, -0.5774]),
        ([1, 0, 0, 1], "sample", [0.8660, -0.8660, -0.8660, 0.8660]),
        ([1, 0, 0, 0], "sample", [1.5, -0.5, -0.5, -0.5]),
        ([1, 0, 0, 0], "none", [0.75, -0.25, -0.25, -0.25]),
    ],
)
def test_normalised_rewards_are_the_worked_numbers(rewards, spread, expected):
    assert normalise(rewards, spread) == pytest.approx(expected, abs=5e-5)


def test_one_right_output_of_64_has_the_worked_advantage():
    rewards = np.eye(64)[0]
    assert normalise(rewards)[:2] == pytest.approx([7.9373, -0.1260], abs=5e-5)
    assert normalise(rewards, "sample")[:2] == pytest.approx([7.875, -0.125])


@pytest.mark.parametrize("rewards", [[0.1] * 7, [0.0] * 4, [1.0], [-3.3] * 64, [0.1 + 0.2, 0.3]])
@pytest.mark.parametrize("spread", ["population", "sample", "none"])
def test_equal_rewards_give_exactly_zero(rewards, spread):
    assert not has_spread(rewards)
    assert (normalise(rewards, spread) == 0).all()


@given(REWARDS, st.sampled_from(["population", "sample"]))
@settings(max_examples=60, deadline=None)
def test_normalised_rewards_have_mean_0_and_std_1_and_keep_the_order(rewards, spread):
    values = normalise(rewards, spread)
    if not has_spread(rewards):
        return
    assert values.mean() == pytest.approx(0, abs=1e-6)
    assert values.std(ddof=1 if spread == "sample" else 0) == pytest.approx(1)
    order = np.argsort(rewards, kind="stable")
    assert (np.diff(values[order]) >= 0).all()


@given(REWARDS, st.floats(0.1, 10), st.floats(-5, 5))
@settings(max_examples=60, deadline=None)
def test_scaling_and_shifting_all_rewards_changes_no_advantage(rewards, scale, shift):
    rewards = np.round(rewards, 3)
    assert normalise(scale * rewards + shift) == pytest.approx(normalise(rewards), abs=1e-6)


def test_outcome_supervision_gives_all_tokens_of_an_output_the_same():
    advantages = outcome_advantages(np.array([1, 0, 0, 1]), [3, 1, 2, 0])
    assert [a.tolist() for a in advantages] == [[1, 1, 1], [-1], [-1, -1], []]


def test_process_supervision_gives_the_worked_numbers():
    first, second = process_advantages(
        [np.array([0.9, 0.5]), np.array([0.8, 0.2, 0.1])],
        [np.array([1, 4]), np.array([0, 2, 3])],
        [5, 4],
    )
    assert first == pytest.approx([1.2649, 1.2649, 0, 0, 0], abs=5e-5)
    assert second == pytest.approx([-1.2649, -2.2136, -2.2136, -1.2649], abs=5e-5)


def test_tokens_behind_the_last_step_get_nothing_and_equal_step_rewards_exactly_zero():
    advantages = process_advantages(
        [np.array([1.0]), np.array([0.0])], [np.array([1]), np.array([0])], [4, 2]
    )
    assert [a.tolist() for a in advantages] == [[1, 1, 0, 0], [-1, 0]]
    advantages = process_advantages(
        [np.full(3, 0.1), np.full(2, 0.1)], [np.arange(3), np.arange(2)], [3, 2]
    )
    assert all((a == 0).all() for a in advantages)


def test_one_step_that_ends_with_the_output_is_outcome_supervision():
    rewards, lengths = np.array([0.3, 0.9, 0.1]), [4, 2, 5]
    process = process_advantages(
        [rewards[i : i + 1] for i in range(3)], [[n - 1] for n in lengths], lengths
    )
    for mine, theirs in zip(process, outcome_advantages(rewards, lengths), strict=True):
        assert mine == pytest.approx(theirs)


@given(st.lists(st.tuples(st.floats(-2, 2), st.floats(-2, 2)), min_size=1, max_size=8))
@settings(max_examples=40, deadline=None)
def test_gae_without_discount_is_reward_to_go_minus_value(pairs):
    rewards, values = np.array(pairs).T
    advantages, returns = generalised_advantages(rewards, values, gamma=1.0, gae_lambda=1.0)
    to_go = np.cumsum(rewards[::-1])[::-1]
    assert returns == pytest.approx(to_go, abs=1e-9)
    assert advantages == pytest.approx(to_go - values, abs=1e-9)


def test_gae_with_lambda_0_is_the_one_step_error():
    advantages, _ = generalised_advantages(
        np.array([1.0, 0.0, 2.0]), np.array([0.5, 1.0, -1.0]), 0.9, 0.0
    )
    assert advantages == pytest.approx([1 + 0.9 - 0.5, -0.9 - 1.0, 3.0])


@pytest.mark.parametrize(
    ("aggregation", "expected"),
    [
        ("sequence", [1 / 2, 0, 1 / 10]),
        ("token", [1 / 6, 0, 1 / 6]),
        ("constant", [1 / 20, 0, 1 / 20]),
    ],
)
def test_token_weights_of_lengths_1_0_and_5(aggregation, expected):
    assert token_weights([1, 0, 5], aggregation, 10) == pytest.approx(expected)


def test_sequence_and_token_means_differ_by_the_known_numbers():
    # One output of 1 token with value 10 (say) and one of 5 tokens: 3.3333 is the token mean, 6 the sequence mean.
    terms, lengths = [[10.0], [2.0] * 5], [1, 5]
    total = {
        how: sum(w * sum(t) for w, t in zip(token_weights(lengths, how, 5), terms, strict=True))
        for how in ("token", "sequence")
    }
    assert total == {"token": pytest.approx(10 / 3), "sequence": pytest.approx(6)}
