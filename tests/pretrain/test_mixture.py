import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.config.pretrain import TOLERANCE, Pretrain
from pretrain.mixture import plan_mixture

PAPER = {
    "corpus": 0.56,
    "algebraic_stack": 0.04,
    "arxiv": 0.10,
    "code": 0.20,
    "natural_language": 0.10,
}


def plan(weights, windows, steps, contexts, seed=0):
    return plan_mixture(weights, windows, steps=steps, contexts=contexts, context=16, seed=seed)


def test_the_papers_shares_are_met_within_half_a_percent_also_at_small_steps():
    made = plan(PAPER, dict.fromkeys(PAPER, 50), steps=100, contexts=7)
    for name, row in made.table().items():
        assert row["share"] == pytest.approx(PAPER[name], rel=0.005)
        assert row["tokens"] == row["contexts"] * 16
        assert row["epochs"] == pytest.approx(row["contexts"] / 50)


@settings(max_examples=80, deadline=None)
@given(
    raw=st.lists(st.floats(0.01, 1), min_size=1, max_size=6),
    steps=st.integers(1, 40),
    contexts=st.integers(1, 9),
)
def test_after_any_step_every_source_is_near_its_share_and_every_step_is_full(raw, steps, contexts):
    weights = {str(i): w / sum(raw) for i, w in enumerate(raw)}
    made = plan(weights, dict.fromkeys(weights, 5), steps, contexts)
    shares = np.array(list(weights.values()))
    for step in range(steps):
        assert len(made.of_step(step)) == contexts
        assert (np.abs(made.taken[step + 1] - shares * (step + 1) * contexts) < len(raw)).all()


def test_an_epoch_reads_every_window_once_and_the_next_in_another_order():
    made = plan({"a": 1.0}, {"a": 40}, steps=20, contexts=4)
    windows = [index for step in range(20) for _, index in made.of_step(step)]
    assert sorted(windows[:40]) == sorted(windows[40:]) == list(range(40))
    assert windows[:40] != windows[40:]


def test_the_order_is_a_pure_function_of_seed_and_step():
    one, same, other = (plan(PAPER, dict.fromkeys(PAPER, 30), 10, 8, seed) for seed in (1, 1, 2))
    assert [same.of_step(step) for step in (9, 3)] == [one.of_step(9), one.of_step(3)]
    assert one.of_step(3) != other.of_step(3)


def test_tokens_asked_for_and_tokens_trained_on_agree_within_half_a_percent_or_the_preset_is_refused():
    paper = Pretrain()
    assert (paper.steps, paper.contexts) == (50_000, 2441)
    assert paper.steps * paper.contexts * paper.context == pytest.approx(500e9, rel=TOLERANCE)
    with pytest.raises(
        ValidationError, match="1 contexts of 768 are 768 tokens; choose a multiple"
    ):
        Pretrain(tokens=100_000, batch_tokens=1000, context=768)


def test_any_step_can_be_computed_again_without_the_steps_before():
    made = plan(PAPER, dict.fromkeys(PAPER, 50), steps=40, contexts=7, seed=3)
    forwards = [made.of_step(step) for step in range(40)]
    again = plan(PAPER, dict.fromkeys(PAPER, 50), steps=40, contexts=7, seed=3)
    assert [again.of_step(step) for step in reversed(range(40))] == forwards[::-1]
    assert (
        plan(PAPER, dict.fromkeys(PAPER, 50), steps=40, contexts=7, seed=4).of_step(9)
        != forwards[9]
    )
