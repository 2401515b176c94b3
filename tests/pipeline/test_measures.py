"""The AUC against its definition, pair by pair."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.measures import auc


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=1, max_size=40))
@settings(max_examples=100, deadline=None)
def test_auc_counts_the_pairs_in_the_right_order_and_ties_as_half(examples):
    scores = np.array([score / 7 for score, _ in examples])
    positive = np.array([kind for _, kind in examples])
    pairs = [(a > b) + 0.5 * (a == b) for a in scores[positive] for b in scores[~positive]]
    found = auc(scores, positive)
    assert (found is None) if not pairs else found == pytest.approx(np.mean(pairs))


def test_a_score_that_is_nan_makes_the_auc_nan():
    assert math.isnan(auc(np.array([0.1, np.nan]), np.array([True, False])))
