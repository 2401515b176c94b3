"""Packed rows through the fused forward against transformers: numbers, gradients, blocks, and when it stands back."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config.training import Optimisation
from pipeline.forward import fused_packed
from pipeline.forward import log_probs as log_probs_module
from pipeline.forward.batches import Row, micro_batches
from pipeline.forward.fused_packed import LENGTH_RATIO, blocks_of, is_fused
from pipeline.forward.layout import layout_for, row_log_probs
from pipeline.training.prepare import prepare
from pipeline.training.step import adamw, train_step, weighted_nll
from rl.score_model import load_score_model, row_scores, scored_row
from tests.support.small_llama import SHAPES, llama


def rows_of(lengths: list[int]) -> list[Row]:
    draw = np.random.default_rng(len(lengths))
    weight = 1 / sum(lengths)
    return [
        Row(
            draw.integers(3, 250, n).astype(np.int32),
            np.arange(n) >= n // 2,
            {"weight": np.full(n, weight, "f4")},
        )
        for n in lengths
    ]


ROWS = rows_of([4, 5, 9, 9, 17, 30, 33, 41])


def prepared(**shape):
    model = prepare(llama(**shape), Optimisation(precision="fp32"))
    for name, parameter in model.named_parameters():
        if name.endswith("norm.weight"):
            torch.nn.init.uniform_(parameter, 0.5, 1.5)
    return model


class Kept:
    """An optimiser that keeps the gradient and moves nothing."""

    def __init__(self, model):
        self.model, self.zero_grad = model, lambda set_to_none: model.zero_grad()

    def step(self):
        self.gradient = torch.cat([p.grad.flatten() for p in self.model.parameters()])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("rows", [ROWS, rows_of([12, 12, 12])], ids=["many lengths", "one length"])
def test_log_probabilities_and_gradients_are_those_of_transformers(shape, rows):
    model = prepared(**SHAPES[shape])
    assert layout_for(model).score is fused_packed.token_log_probs
    padded = layout_for(model, packed=False)
    for tokens in (40, 1000):
        mine = row_log_probs(model, rows, tokens, temperature=0.7, precision="fp32")
        theirs = row_log_probs(model, rows, 1000, layout=padded, temperature=0.7, precision="fp32")
        assert all(a == pytest.approx(b, abs=2e-5) for a, b in zip(mine, theirs, strict=True))
        steps = []
        for layout in (None, padded):
            kept = Kept(model)
            options = {"max_tokens": tokens, "clip_norm": 1e9, "precision": "fp32", "packed": True}
            train_step(model, kept, rows, weighted_nll, layout=layout, **options)
            steps.append(kept.gradient)
        assert torch.allclose(*steps, atol=2e-6, rtol=1e-4)


@pytest.mark.parametrize("shape", SHAPES)
def test_short_rows_in_bf16_have_the_gradient_of_torchs_kernel(monkeypatch, shape):
    model, gradients = prepared(**SHAPES[shape]), {}
    for short in (0, 1000):
        monkeypatch.setattr(fused_packed, "SHORT", short)
        kept = Kept(model)
        options = {"max_tokens": 1000, "clip_norm": 1e9, "precision": "bf16", "packed": True}
        train_step(model, kept, ROWS, weighted_nll, **options)
        gradients[short] = kept.gradient

    kernel, plainly = gradients.values()
    assert not torch.equal(kernel, plainly)
    assert torch.cosine_similarity(kernel, plainly, dim=0) > 0.998


def test_logits_of_a_large_vocabulary_in_chunks_give_the_same_gradient(monkeypatch):
    model, gradients = prepared(), []
    for at_once in (2**24, 1000):
        monkeypatch.setattr(log_probs_module, "LOGITS_AT_ONCE", at_once)
        kept = Kept(model)
        train_step(
            model,
            kept,
            ROWS,
            weighted_nll,
            max_tokens=1000,
            clip_norm=1e9,
            precision="fp32",
            packed=True,
        )
        gradients.append(kept.gradient)
    assert torch.allclose(*gradients, atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(2, 60), min_size=1, max_size=12))
def test_blocks_hold_every_token_once_with_little_padding(lengths):
    (batch,) = micro_batches(rows_of(lengths), 10_000, packed=True)
    blocks = blocks_of(batch)
    places = sum(rows * length for rows, length in blocks.shapes)
    if blocks.layout is None:
        assert places == batch.tokens and len(set(lengths)) == 1
        return
    token_at, place_of = blocks.layout.token_at, blocks.layout.place_of
    assert len(token_at) == places and sum(rows for rows, _ in blocks.shapes) == len(lengths)
    assert token_at[place_of].tolist() == list(range(batch.tokens))
    assert len(set(place_of.tolist())) == batch.tokens <= places <= LENGTH_RATIO * batch.tokens
    # a row's tokens stand side by side, from the place of its first one on
    steps = place_of - blocks.positions
    assert torch.equal(steps[1:] == steps[:-1], batch.position_ids[0][1:] > 0)


def test_settings_that_choose_how_layers_run_leave_the_work_to_transformers():
    assert is_fused(prepared())
    for chosen in (
        {"activation_checkpointing": "always"},
        {"compile": True},
        {"attention": "eager"},
    ):
        model = llama(attn_implementation="eager") if "attention" in chosen else llama()
        assert not is_fused(prepare(model, Optimisation(**chosen)))
    for changes in ({"packed": False}, {"allow_fused": False}):
        assert layout_for(prepared(), **changes).score is log_probs_module.token_log_probs


def test_scores_and_their_gradients_are_those_of_transformers(tmp_path):
    llama().save_pretrained(tmp_path)
    torch.manual_seed(3)
    model = load_score_model(tmp_path)
    torch.nn.init.uniform_(model.model.norm.weight, 0.5, 1.5)
    rows = [scored_row([1, 5], [9] * n, [0, n - 1], weight=[0.1, 0.2]) for n in (2, 7, 4)]
    found = []
    for implementation in ("sdpa_rows", "eager"):
        model.set_attn_implementation(implementation)
        assert is_fused(model) == (implementation == "sdpa_rows")
        kept = Kept(model)
        options = {"max_tokens": 1000, "clip_norm": 1e9, "precision": "fp32", "packed": True}
        train_step(
            model,
            kept,
            rows,
            lambda scores, columns: scores.square() * columns["weight"],
            **options,
        )
        found.append((np.concatenate(row_scores(model, rows, 1000, "fp32")), kept.gradient))
    assert found[0][0] == pytest.approx(found[1][0], abs=1e-5)
    assert torch.allclose(found[0][1], found[1][1], atol=1e-5)


def test_a_step_has_the_same_bits_again():
    results = []
    for _ in range(2):
        model = prepared()
        for _ in range(3):
            train_step(
                model,
                adamw(model),
                ROWS,
                weighted_nll,
                max_tokens=50,
                precision="fp32",
                packed=True,
            )
        results.append(torch.cat([p.detach().flatten() for p in model.parameters()]))
    assert torch.equal(*results)
