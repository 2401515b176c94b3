"""Every architecture of docs/models.md: our log-probabilities, samples and gradients against its own logits."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.errors import UserError
from pipeline.forward.batches import Row
from pipeline.forward.layout import layout_for, row_log_probs
from pipeline.forward.row_attention import use_row_attention
from pipeline.forward.traits import traits_of
from pipeline.inference.engine import SampleRequest, SamplingSettings
from pipeline.inference.forward_sampler import sampler_for
from pipeline.training.step import train_step, weighted_nll
from rl.score_model import score_class
from tests.support.architectures import ARCHITECTURES, model_of, table_row
from tests.support.small_llama import byte_tokenizer

PROMPTS = [[1, 5, 9, 12, 7, 8, 30, 31, 32, 33, 34, 35], [1, 7], [1, 40, 41, 42]]


def own_log_probs(model, ids: list[int]) -> torch.Tensor:
    """Log-probabilities [T - 1] of each token after the first, by the model's own forward pass."""
    input_ids = torch.tensor([ids])
    logits = model(input_ids=input_ids, use_cache=False).logits[0, :-1].float()
    return logits.log_softmax(-1).gather(-1, input_ids[0, 1:, None])[:, 0]


def rows_of_groups(answers: int = 3) -> list[Row]:
    """Groups of answers to three prompts; lengths differ, and some exceed the windows of 8."""
    draw = np.random.default_rng(1)
    rows = []
    for prompt in PROMPTS:
        for _ in range(answers):
            ids = [*prompt, *draw.integers(3, 259, size=draw.integers(2, 16))]
            mask = np.arange(len(ids)) >= len(prompt)
            weight = draw.normal(size=len(ids)).astype(np.float32)
            rows.append(Row(np.array(ids, dtype=np.int32), mask, {"weight": weight}))
    return rows


@pytest.fixture(params=ARCHITECTURES)
def model(request):
    return model_of(request.param)


@torch.no_grad()
@pytest.mark.parametrize("shared_prefix", [False, True])
def test_log_probabilities_are_the_models_own(model, shared_prefix):
    rows = rows_of_groups()
    layout = layout_for(model, shared_prefix=shared_prefix)
    found = row_log_probs(model, rows, 200, layout=layout, precision="fp32")

    for row, values in zip(rows, found, strict=True):
        expected = own_log_probs(model, row.input_ids.tolist()).numpy()
        np.testing.assert_allclose(
            values[1:][row.loss_mask[1:]], expected[row.loss_mask[1:]], atol=2e-4
        )


@torch.no_grad()
def test_samples_are_greedy_and_carry_the_models_own_log_probabilities(model):
    sampler = sampler_for(model, byte_tokenizer(), 8)
    greedy = SamplingSettings(temperature=0, max_new_tokens=20)
    drawn = SamplingSettings(temperature=1.0, max_new_tokens=20, seed=3)

    for settings, samples in ((greedy, 1), (drawn, 3)):
        groups = sampler.sample(SampleRequest(PROMPTS, samples, settings))
        for prompt, group in zip(PROMPTS, groups, strict=True):
            for sample in group:
                ids = [*prompt, *sample.ids]
                expected = own_log_probs(model, ids)[len(prompt) - 1 :]
                np.testing.assert_allclose(sample.logprobs, expected, atol=3e-4)

                if settings is greedy:
                    logits = model(input_ids=torch.tensor([ids])).logits[0, len(prompt) - 1 : -1]
                    assert logits.argmax(-1).tolist() == sample.ids


def test_a_step_has_the_gradient_of_the_naive_loss(model):
    rows = rows_of_groups(2)
    naive = copy.deepcopy(model)
    loss = torch.zeros(())
    for row in rows:
        mask = torch.from_numpy(row.loss_mask[1:])
        weight = torch.from_numpy(row.columns["weight"][1:])[mask]
        loss = loss - (own_log_probs(naive, row.input_ids.tolist())[mask] * weight).sum()
    loss.backward()
    expected = {name: p.grad for name, p in naive.named_parameters() if p.grad is not None}

    # A rate of 0 leaves the weights; the gradients stay, unclipped.
    optimiser = torch.optim.SGD(model.parameters(), lr=0.0)
    layout = layout_for(model, shared_prefix=True)
    kept: dict[str, torch.Tensor] = {}

    def remember(*_) -> None:
        kept.update({n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None})

    optimiser.register_step_pre_hook(remember)
    train_step(
        model,
        optimiser,
        rows,
        weighted_nll,
        max_tokens=200,
        clip_norm=1e9,
        precision="fp32",
        layout=layout,
    )

    scale = max(float(gradient.abs().max()) for gradient in expected.values())
    for name, gradient in expected.items():
        found = kept.get(name, torch.zeros_like(gradient))
        assert float((found - gradient).abs().max()) < 2e-4 * scale, name


@torch.no_grad()
def test_reward_models_read_every_position(model):
    try:
        scoring = score_class(model.config).from_config(model.config)
    except UserError:
        pytest.skip("no scoring head in transformers")
    scoring.eval()
    use_row_attention(scoring)

    rows = rows_of_groups()
    found = row_log_probs(scoring, rows, 200, precision="fp32")
    for row, values in zip(rows, found, strict=True):
        input_ids = torch.tensor(row.input_ids.tolist())[None]
        hidden = scoring.base_model(input_ids=input_ids, use_cache=False).last_hidden_state
        expected = scoring.score(hidden)[0, :-1, 0].numpy()
        mask = row.loss_mask[1:]
        np.testing.assert_allclose(values[1:][mask], expected[mask], atol=2e-4)


def test_the_table_of_the_documentation_is_what_is_true():
    text = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
    text = text.partition("\n## ")[0].partition("\n# Engines")[0]
    rows = [line for line in text.splitlines() if line.startswith("| ") and "`" in line]
    assert rows == ["| " + " | ".join(table_row(name)) + " |" for name in ARCHITECTURES]


def test_a_model_with_unknown_changes_of_its_logits_is_refused():
    model = model_of("Gemma")
    forward = model.forward

    def changed(*args, **options):
        outputs = forward(*args, **options)
        outputs.logits = outputs.logits * 0.5
        return outputs

    model.forward = changed
    with pytest.raises(UserError, match="gemma"):
        layout_for(model)


def test_rows_that_would_see_each_other_are_padded():
    """A body that ignores restarting positions leaks from row to row when rows lie end to end."""
    model = model_of("OLMo 2")
    body = model.model.forward

    def without_positions(*args, position_ids=None, **options):
        return body(*args, **options)

    model.model.forward = without_positions
    rows = rows_of_groups()
    assert not traits_of(model).packs_rows

    found = row_log_probs(model, rows, 200, precision="fp32")
    for row, values in zip(rows, found, strict=True):
        expected = own_log_probs(model, row.input_ids.tolist()).detach().numpy()
        np.testing.assert_allclose(
            values[1:][row.loss_mask[1:]], expected[row.loss_mask[1:]], atol=2e-4
        )
