"""Computing a prompt once for all its answers gives the same log-probabilities, gradients and updates."""

import copy

import numpy as np
import pytest
import torch

from pipeline.forward import log_probs, shared_prefix
from pipeline.forward.batches import Row, micro_batches
from pipeline.forward.layout import layout_for, row_log_probs
from pipeline.forward.shared_prefix import shared_prefix_batches
from pipeline.training.step import adamw, train_step, weighted_nll
from tests.support.small_llama import llama

SHAPES = {
    "plain": {},
    "grouped-query": {"num_key_value_heads": 2},
    "tied": {"tie_word_embeddings": True},
}


def rows_of(seed: int = 0, tool_gap: bool = True) -> list[Row]:
    """Three prompts with 4, 1 and 3 answers of different lengths; in one a stretch is not scored."""
    generator = np.random.default_rng(seed)
    rows = []
    for prompt_length, answers in ((5, (1, 7, 3, 2)), (9, (4,)), (2, (6, 1, 5))):
        prompt = generator.integers(3, 250, prompt_length)
        for length in answers:
            ids = np.concatenate([prompt, generator.integers(3, 250, length)]).astype(np.int32)
            scored = np.arange(len(ids)) >= prompt_length
            if tool_gap and length == 7:
                scored[prompt_length + 2 : prompt_length + 4] = False
            rows.append(Row(ids, scored, {"weight": generator.random(len(ids)).astype(np.float32)}))
    return rows


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("shape", SHAPES)
def test_log_probabilities_equal_those_of_rows_computed_alone(shape, attention):
    model, rows = llama(**SHAPES[shape], attn_implementation=attention), rows_of()
    for temperature in (1.0, 0.6):
        alone = [row_log_probs(model, [row], 1000, temperature=temperature)[0] for row in rows]
        for tokens in (10, 40, 1000):
            layout = layout_for(model, shared_prefix=True, allow_fused=False)
            shared = row_log_probs(model, rows, tokens, layout=layout, temperature=temperature)
            for mine, theirs in zip(shared, alone, strict=True):
                assert np.abs(mine - theirs).max() < 1e-5


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_gradients_equal_those_of_padded_rows(attention):
    model, rows = llama(attn_implementation=attention), rows_of()
    gradients = []
    for cut, logprobs in (
        (micro_batches, log_probs.token_log_probs),
        (shared_prefix_batches, shared_prefix.token_log_probs),
    ):
        [batch] = cut(rows, 1000)
        loss = (weighted_nll(logprobs(model, batch, 1.0), batch.columns)).sum()
        gradients.append(torch.autograd.grad(loss, list(model.parameters())))
    for mine, theirs in zip(*gradients, strict=True):
        assert torch.allclose(mine, theirs, atol=1e-4)


def test_an_update_does_not_depend_on_the_layout():
    model, rows, results = llama(), rows_of(), []
    for layout in (None, layout_for(model, shared_prefix=True, allow_fused=False)):
        trained = copy.deepcopy(model)
        results.append(
            train_step(trained, adamw(trained), rows, weighted_nll, max_tokens=100, layout=layout)
        )
    for name in ("loss", "grad_norm", "scored"):
        assert results[0][name] == pytest.approx(results[1][name], rel=1e-4)
    assert results[1]["tokens"] < results[0]["tokens"]


def test_every_row_is_in_one_batch_with_its_columns():
    rows = rows_of()
    unscored = Row(
        np.array([1, 2, 3], dtype=np.int32), np.zeros(3, dtype=bool), {"weight": np.zeros(3)}
    )
    for tokens, prompts in ((25, 4), (1000, 3)):
        batches = list(shared_prefix_batches([*rows, unscored], tokens))
        assert sorted(index for batch in batches for index in batch.rows) == list(range(len(rows)))
        assert sum(len(batch.prompts) for batch in batches) == prompts
        for batch in batches:
            expected = np.concatenate(
                [rows[i].columns["weight"][rows[i].loss_mask] for i in batch.rows]
            )
            assert torch.equal(batch.columns["weight"], torch.from_numpy(expected))
