import re
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.forward import log_probs as log_probs_module
from pipeline.forward.batches import Row, micro_batches
from pipeline.forward.layout import layout_for, row_log_probs
from pipeline.forward.log_probs import target_log_probs, token_log_probs
from tests.support.tiny_model import tiny_model


def make_rows(lengths, seed=0):
    draw = np.random.default_rng(seed)
    rows = []
    for n in lengths:
        scored = draw.random(n) < 0.6
        scored[-1] = True
        rows.append(
            Row(
                draw.integers(0, 250, n).astype(np.int32),
                scored,
                {"weight": draw.random(n, dtype=np.float32)},
            )
        )
    return rows


def plain_logprobs(model, row, temperature=1.0):
    """The whole softmax of one row alone: what everything else must agree with."""
    ids = torch.from_numpy(row.input_ids.astype(np.int64))[None]
    logits = model(input_ids=ids, use_cache=False).logits[0].float() / temperature
    logprobs = torch.log_softmax(logits[:-1], dim=-1).gather(1, ids[0, 1:, None])[:, 0]
    return logprobs[torch.from_numpy(row.loss_mask[1:])]


@pytest.mark.parametrize("attention", ["sdpa", "eager", "sdpa_rows"])
@pytest.mark.parametrize("packed", [False, True])
def test_batched_logprobs_and_gradients_are_those_of_the_row_alone(attention, packed):
    model = tiny_model(attention=attention)
    rows = make_rows([5, 9, 3, 12])
    batches = list(micro_batches(rows, 100, packed=packed))
    assert len(batches) == 1
    got = token_log_probs(model, batches[0])
    want = torch.cat([plain_logprobs(model, rows[i]) for i in batches[0].rows])
    assert torch.allclose(got, want, atol=1e-5)
    weights = torch.linspace(-1, 1, len(got))
    gradients = [
        torch.autograd.grad((value * weights).sum(), list(model.parameters()))
        for value in (got, want)
    ]
    for a, b in zip(*gradients, strict=True):
        assert torch.allclose(a, b, atol=1e-4)


def test_a_packed_row_does_not_depend_on_its_neighbours():
    model = tiny_model()
    first, second, other = make_rows([8, 8, 8])
    alone = row_log_probs(model, [first, second], 100)[1]
    beside_other = row_log_probs(model, [other, second], 100)[1]
    assert np.allclose(alone, beside_other, atol=1e-6)


@pytest.mark.parametrize("temperature", [0.6, 1.0, 1.7])
def test_temperature_divides_the_logits(temperature):
    model, (row,) = tiny_model(), make_rows([10])
    got = row_log_probs(model, [row], 100, temperature=temperature)[0][
        row.loss_mask & (np.arange(10) > 0)
    ]
    assert np.allclose(got, plain_logprobs(model, row, temperature).detach().numpy(), atol=1e-5)


def test_chunked_scoring_gives_the_same_values_and_gradients(monkeypatch):
    model = tiny_model()
    batch = next(micro_batches(make_rows([9, 14, 11]), 100))
    whole = token_log_probs(model, batch)
    expected = torch.autograd.grad(whole.sum(), list(model.parameters()))
    monkeypatch.setattr(log_probs_module, "LOGITS_AT_ONCE", 5 * 260)
    chunked = token_log_probs(model, batch)
    assert torch.allclose(chunked, whole, atol=1e-6)
    for a, b in zip(
        torch.autograd.grad(chunked.sum(), list(model.parameters())), expected, strict=True
    ):
        assert torch.allclose(a, b, atol=1e-4)


def test_the_logits_of_a_large_vocabulary_never_exist_whole(monkeypatch):
    model = tiny_model(vocab_size=5000)
    row = make_rows([200])[0]
    row.loss_mask[:] = True
    largest = 0
    original = torch.nn.functional.cross_entropy

    def spy(logits, *args, **kwargs):
        nonlocal largest
        largest = max(largest, logits.numel())
        return original(logits, *args, **kwargs)

    monkeypatch.setattr(log_probs_module, "LOGITS_AT_ONCE", 50_000)
    monkeypatch.setattr(log_probs_module.F, "cross_entropy", spy)
    token_log_probs(model, next(micro_batches([row], 1000))).sum().backward()
    assert 0 < largest <= 50_000


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(2, 40), min_size=1, max_size=30),
    budget=st.integers(1, 120),
    packed=st.booleans(),
)
def test_micro_batches_hold_every_row_once_within_the_budget(lengths, budget, packed):
    rows = make_rows(lengths)
    batches = list(micro_batches(rows, budget, packed=packed))
    assert sorted(i for batch in batches for i in batch.rows) == list(range(len(rows)))
    assert all(batch.tokens <= budget or len(batch.rows) == 1 for batch in batches)
    for batch in batches:
        want = np.concatenate([rows[i].input_ids[1:][rows[i].loss_mask[1:]] for i in batch.rows])
        weights = np.concatenate(
            [rows[i].columns["weight"][1:][rows[i].loss_mask[1:]] for i in batch.rows]
        )
        assert np.array_equal(batch.targets.numpy(), want)
        assert np.array_equal(batch.columns["weight"].numpy(), weights)


@pytest.mark.parametrize("packed", [False, True])
def test_row_log_probs_come_back_in_the_order_given_and_zero_where_not_scored(packed):
    model, rows = tiny_model(), make_rows([30, 4, 17, 4, 25])
    layout = layout_for(model, packed=packed)
    found = row_log_probs(model, rows, 40, layout=layout)
    for row, values in zip(rows, found, strict=True):
        where = np.flatnonzero(row.loss_mask[1:]) + 1
        assert np.allclose(values[where], plain_logprobs(model, row).detach().numpy(), atol=1e-5)
        assert not values[np.setdiff1d(np.arange(len(row)), where)].any()


def test_the_first_token_is_never_a_target_even_if_marked():
    row = Row(np.array([7, 8, 9], np.int32), np.array([True, False, True]), {})
    assert next(micro_batches([row], 10)).targets.tolist() == [9]


def test_a_vocabulary_of_100_thousand_costs_a_chunk_of_memory_and_not_all_logits():
    """1,024 tokens x 100,000 words are 391 MiB of logits, as much again of gradients; a chunk is 64 MiB."""
    try:
        Path("/proc/self/clear_refs").write_text("5")  # forget the process's peak so far
    except OSError as error:
        pytest.skip(f"the peak of memory cannot be measured here: {error}")
    model = tiny_model(vocab_size=100_000, max_position_embeddings=1024)
    batch = next(micro_batches([Row(np.arange(1025, dtype=np.int32), np.ones(1025, bool))], 4096))
    hidden = torch.randn(1024, 16, requires_grad=True)
    head = model.get_output_embeddings().weight
    before = memory_mib("VmRSS")
    logprobs = target_log_probs(model, hidden, batch.targets, 1.0)
    gradients = torch.autograd.grad(logprobs.sum(), [hidden, head])
    assert memory_mib("VmHWM") - before < 300
    with torch.no_grad():
        logits = hidden[:8] @ head.T
        assert torch.allclose(
            logprobs[:8], logits.log_softmax(-1).gather(1, batch.targets[:8, None])[:, 0], atol=1e-4
        )
        # The gradient with respect to a hidden state is the target's row minus the mean row under the model.
        expected = head[batch.targets[:8]] - logits.softmax(-1) @ head
    assert torch.allclose(gradients[0][:8], expected, atol=1e-4)


def memory_mib(name):
    status = Path("/proc/self/status").read_text()
    return int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) / 1024
