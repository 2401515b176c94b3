"""Accuracy intervals, Maj@K and Pass@K against numbers worked by hand."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.metrics import majority, pass_at_k, wilson


def test_wilson_interval_of_half_of_a_hundred():
    low, high = wilson(50, 100)
    assert low == pytest.approx(0.4038, abs=1e-4) and high == pytest.approx(0.5962, abs=1e-4)


def test_wilson_interval_of_nothing_right_starts_at_zero_and_has_width():
    low, high = wilson(0, 20)
    assert low == 0.0 and high == pytest.approx(0.1611, abs=1e-4)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 8).flatmap(lambda n: st.tuples(st.lists(st.booleans(), min_size=n, max_size=n), st.integers(1, n)))
)
def test_pass_at_k_is_the_share_of_k_subsets_with_a_right_sample(case):
    samples, k = case
    subsets = list(combinations(samples, k))
    assert pass_at_k(len(samples), sum(samples), k) == pytest.approx(sum(map(any, subsets)) / len(subsets))


def test_pass_at_k_refuses_more_than_was_sampled():
    with pytest.raises(ValueError, match="k = 9"):
        pass_at_k(8, 1, 9)


def test_majority_ignores_samples_without_an_answer():
    assert majority([None, None, None, "7"], [False, False, False, True]) == 1.0


def test_majority_shares_a_tie():
    assert majority(["7", "7", "8", "8", "9"], [True, True, False, False, False]) == 0.5


def test_majority_of_no_answers_is_wrong():
    assert majority([None, None], [False, False]) == 0.0
