"""Accuracy intervals, Maj@K and Pass@K against numbers worked by hand."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.reporting.metrics import (
    bootstrap,
    compare,
    group_answers,
    maj_at_k,
    majority,
    pass_at_k,
    wilson,
)


def test_wilson_interval_of_half_of_a_hundred():
    low, high = wilson(50, 100)
    assert low == pytest.approx(0.4038, abs=1e-4) and high == pytest.approx(0.5962, abs=1e-4)


def test_wilson_interval_of_nothing_right_starts_at_zero_and_has_width():
    low, high = wilson(0, 20)
    assert low == 0.0 and high == pytest.approx(0.1611, abs=1e-4)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 8).flatmap(
        lambda n: st.tuples(st.lists(st.booleans(), min_size=n, max_size=n), st.integers(1, n))
    )
)
def test_pass_at_k_is_the_share_of_k_subsets_with_a_right_sample(case):
    samples, k = case
    subsets = list(combinations(samples, k))

    assert pass_at_k(len(samples), sum(samples), k) == pytest.approx(
        sum(map(any, subsets)) / len(subsets)
    )


def test_pass_at_k_refuses_more_than_was_sampled():
    with pytest.raises(ValueError, match="k = 9"):
        pass_at_k(8, 1, 9)


def test_majority_ignores_samples_without_an_answer():
    assert majority([None, None, None, "7"], [False, False, False, True]) == 1.0


def test_majority_shares_a_tie():
    assert majority(["7", "7", "8", "8", "9"], [True, True, False, False, False]) == 0.5


def test_majority_of_no_answers_is_wrong():
    assert majority([None, None], [False, False]) == 0.0


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b", "c", None]), st.booleans()), min_size=1, max_size=6
    ),
    st.data(),
)
def test_maj_at_k_lies_between_the_worst_and_the_best_subset(samples, data):
    k = data.draw(st.integers(1, len(samples)))
    by_answer = {
        answer: right for answer, right in reversed(samples)
    }  # a group is as right as its first sample
    answers, right = [a for a, _ in samples], [by_answer[a] for a, _ in samples]
    values = [
        majority([answers[i] for i in s], [right[i] for i in s])
        for s in combinations(range(len(samples)), k)
    ]

    assert min(values) - 1e-9 <= maj_at_k(answers, right, k) <= max(values) + 1e-9


def test_maj_at_k_is_the_mean_over_all_subsets():
    answers, right = ["7", "7", "8", "8", "8", "9"], [True, True, False, False, False, False]
    exact = [
        majority([answers[i] for i in s], [right[i] for i in s]) for s in combinations(range(6), 3)
    ]

    assert maj_at_k(answers, right, 3) == pytest.approx(sum(exact) / len(exact))


def test_maj_at_k_of_many_samples_is_close_to_the_mean_over_all_subsets():
    answers = ["7"] * 9 + ["8"] * 8 + ["9"] * 3
    right = [answer == "7" for answer in answers]
    drawn, exact = (
        maj_at_k(answers, right, 3),
        [majority(s, [a == "7" for a in s]) for s in combinations(answers, 3)],
    )

    assert drawn == pytest.approx(sum(exact) / len(exact), abs=0.12)


def test_bootstrap_of_a_share_is_close_to_wilson():
    low, high = bootstrap([1.0] * 150 + [0.0] * 150)
    assert (low, high) == pytest.approx(wilson(150, 300), abs=0.01)


def test_bootstrap_of_equal_values_has_the_width_of_wilson():
    assert bootstrap([0.0] * 20) == wilson(0, 20) and bootstrap([1.0] * 20) == wilson(20, 20)


def test_bootstrap_of_nothing_says_nothing():
    assert bootstrap([]) == (0.0, 1.0)


def test_paired_comparison_by_hand():
    first = [True] * 5 + [False] * 5 + [True] * 10
    second = [False] + [True] * 9 + [True] * 10
    result = compare(first, second)

    assert (result["wins"], result["losses"]) == (5, 1) and result["difference"] == pytest.approx(
        0.2
    )
    assert result["p"] == pytest.approx(
        2 * (1 + 6) / 64
    )  # two-sided exact McNemar on 6 changed problems
    assert result["low"] < 0.2 < result["high"]


def test_two_equal_models_differ_by_nothing():
    result = compare([True, False], [True, False])
    assert (result["difference"], result["low"], result["high"], result["p"]) == (
        0.0,
        0.0,
        0.0,
        1.0,
    )


def test_equal_answers_share_a_group_and_none_has_no_group():
    assert group_answers(["1", None, "1.0", "2"], lambda a, b: float(a) == float(b)) == [
        0,
        None,
        0,
        1,
    ]


def test_bootstrap_knows_the_ends_of_its_scale():
    low, high = wilson(20, 20)
    assert bootstrap([5.0] * 20, scale=(1, 5)) == (1 + 4 * low, 1 + 4 * high)
    assert bootstrap([1.0] * 20, scale=(0, 5)) == (1.0, 1.0)
    assert bootstrap([1.0] * 20, scale=None) == (1.0, 1.0)
    with pytest.raises(ValueError, match="outside the scale"):
        bootstrap([1.0, 3.0])
