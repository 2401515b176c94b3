"""The fused forward against transformers: log-probabilities and gradients, and its pieces against autograd."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from pipeline.forward import fused_shared_prefix
from pipeline.forward.batches import Row, target_positions
from pipeline.forward.fused_llama import supports
from pipeline.forward.fused_ops import Gated, Normalised, TargetLogProbs, rotate
from pipeline.forward.layout import Layout, layout_for, row_log_probs
from pipeline.forward.shared_prefix import shared_prefix_batches
from tests.support.small_llama import SHAPES, llama


def rows_of(prompts: dict[tuple[int, ...], list[int]]) -> list[Row]:
    """A row for each answer length of each prompt."""
    generator, rows = np.random.default_rng(0), []
    for prompt, lengths in prompts.items():
        for length in lengths:
            ids = np.array([*prompt, *generator.integers(3, 250, length)], dtype=np.int32)
            rows.append(
                Row(
                    ids,
                    np.arange(len(ids)) >= len(prompt),
                    {"weight": np.ones(len(ids), np.float32)},
                )
            )
    return rows


ROWS = rows_of({(1, 5, 9): [4, 1, 7], (1, 8): [2], (1, 30, 31, 32, 33, 34): [9, 3, 3, 1]})


def fused(model) -> Layout:
    layout = layout_for(model, shared_prefix=True)
    assert layout.score is fused_shared_prefix.token_log_probs
    return layout


def plain(model) -> Layout:
    return layout_for(model, shared_prefix=True, allow_fused=False)


def gradients(model, layout, rows, tokens: int) -> torch.Tensor:
    total = 0
    for batch in layout.cut(rows, tokens):
        logprobs = layout.score(model, batch, 0.7)
        total = total + (logprobs * torch.sin(batch.targets.float())).sum()
    return torch.cat([g.flatten() for g in torch.autograd.grad(total, list(model.parameters()))])


@pytest.mark.parametrize("shape", SHAPES)
def test_fused_log_probabilities_and_gradients_are_those_of_transformers(shape):
    model = llama(**SHAPES[shape])
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.normal_(parameter, std=0.3)
        if name.endswith("norm.weight"):
            torch.nn.init.uniform_(parameter, 0.5, 1.5)
    assert supports(model)
    for tokens in (12, 1000):
        mine = row_log_probs(
            model, ROWS, tokens, temperature=0.7, layout=fused(model), precision="fp32"
        )
        theirs = row_log_probs(
            model, ROWS, 1000, temperature=0.7, layout=plain(model), precision="fp32"
        )
        assert all(a == pytest.approx(b, abs=2e-5) for a, b in zip(mine, theirs, strict=True))
        expected = gradients(model, plain(model), ROWS, 1000)
        assert torch.allclose(
            gradients(model, fused(model), ROWS, tokens), expected, atol=2e-5, rtol=1e-4
        )


def test_bf16_differs_from_fp32_by_rounding_only():
    model = llama()
    exact = row_log_probs(model, ROWS, 1000, layout=fused(model), precision="fp32")
    rounded = row_log_probs(model, ROWS, 1000, layout=fused(model), precision="bf16")
    differences = np.concatenate([abs(a - b) for a, b in zip(exact, rounded, strict=True)])
    assert 0 < differences.max() < 0.3 and differences.mean() < 0.05


def test_an_answer_does_not_depend_on_other_answers_or_other_prompts():
    model = llama()
    together = row_log_probs(model, ROWS, 1000, layout=fused(model), precision="fp32")
    for row, values in zip(ROWS, together, strict=True):
        [alone] = row_log_probs(model, [row], 1000, layout=fused(model), precision="fp32")
        assert alone == pytest.approx(values, abs=2e-5)


def test_real_tokens_fill_the_batches_not_padding():
    longest = max(len(row) for row in ROWS)
    [padded] = shared_prefix_batches(ROWS, 1000)
    [unpadded] = shared_prefix_batches(ROWS, 1000, padded=False)
    assert len(list(shared_prefix_batches(ROWS, longest, padded=False))) <= len(
        list(shared_prefix_batches(ROWS, longest))
    )
    assert padded.rows == unpadded.rows
    targets = np.concatenate([ROWS[i].input_ids[target_positions(ROWS[i])] for i in unpadded.rows])
    assert unpadded.targets.tolist() == targets.tolist()
    assert len(fused_shared_prefix.token_log_probs(llama(), unpadded)) == len(targets)


def test_other_models_and_dropout_are_left_to_transformers():
    model = llama(attention_dropout=0.1)
    assert supports(model) and not supports(model.train())
    model = llama()
    model.model.layers[0].mlp.up_proj = torch.nn.Sequential(torch.nn.Linear(32, 48))
    model.model.layers[0].mlp.up_proj.in_features = 32
    assert not supports(model)


def doubles(*shape: int) -> torch.Tensor:
    return torch.randn(
        *shape,
        dtype=torch.float64,
        generator=torch.Generator().manual_seed(sum(shape)),
        requires_grad=True,
    )


def same_gradients(mine, plain, *inputs: torch.Tensor) -> None:
    expected = plain(*inputs)
    weight = torch.cos(torch.arange(expected.numel(), dtype=torch.float64)).view(expected.shape)
    found = mine(*inputs)
    assert torch.allclose(found.double(), expected, atol=1e-6)
    for a, b in zip(
        torch.autograd.grad((found * weight).sum(), inputs),
        torch.autograd.grad((expected * weight).sum(), inputs),
        strict=True,
    ):
        assert torch.allclose(a.double(), b, atol=1e-5)


def test_each_piece_has_the_gradient_of_its_plain_formula():
    same_gradients(
        lambda x: Normalised.apply(x, 1e-3, torch.float64),
        lambda x: x / (x.square().mean(-1, keepdim=True) + 1e-3).sqrt(),
        doubles(5, 8),
    )
    same_gradients(Gated.apply, lambda x: F.silu(x[:, :4]) * x[:, 4:], doubles(5, 8))
    targets = torch.tensor([3, 0, 2])
    same_gradients(
        lambda h, w: TargetLogProbs.apply(h, w, targets, 0.6),
        lambda h, w: (h @ w.t() / 0.6).log_softmax(-1).gather(-1, targets[:, None])[:, 0],
        doubles(3, 8),
        doubles(4, 8),
    )


def test_the_rotation_with_the_other_sign_is_the_inverse():
    x, angle = torch.randn(6, 2, 8), torch.randn(6, 1, 4).repeat(1, 1, 2)
    turned = rotate(x, angle.cos(), angle.sin())
    assert torch.allclose(rotate(turned, angle.cos(), angle.sin(), -1), x, atol=1e-6)
    first, second = x.chunk(2, -1)
    expected = x * angle.cos() + torch.cat([-second, first], -1) * angle.sin()
    assert torch.allclose(turned, expected, atol=1e-6)
