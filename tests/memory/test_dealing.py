"""Outputs dealt out to processes: everyone has as much to do, and the samples are those of one process."""

import itertools

import pytest
import torch

from pipeline.forward.layout import layout_for, row_log_probs
from pipeline.inference import sampler as sampling
from pipeline.inference.engine import SampleRequest, SamplingSettings
from pipeline.inference.forward_sampler import ForwardSampler
from pipeline.inference.sampler import Sampler
from pipeline.memory.shape import Shape
from pipeline.training.prepare import store_products_in_bf16
from rl.rollouts import parts_of_group
from tests.memory.measure import rows_of
from tests.support.tiny_model import tiny_model, tiny_tokenizer

PROMPTS = [[5, 17, 33], [90, 4, 8, 15, 16], [23]]
SETTINGS = SamplingSettings(max_new_tokens=12, seed=3)


@pytest.mark.parametrize("kind", [Sampler, ForwardSampler])
def test_parts_of_a_group_are_the_samples_of_the_whole_group(kind):
    engine = kind(tiny_model(), tiny_tokenizer(), 8)
    whole = engine.sample(SampleRequest(PROMPTS, 6, SETTINGS, keys="abc"))

    order = list(itertools.product(range(3), (0, 2, 4)))[::-1]
    parts = engine.sample(
        SampleRequest(
            [PROMPTS[place] for place, _ in order],
            2,
            SETTINGS,
            keys=["abc"[place] for place, _ in order],
            first_indices=[first for _, first in order],
        )
    )
    for (place, first), part in zip(order, parts, strict=True):
        assert [s.ids for s in part] == [s.ids for s in whole[place][first : first + 2]]


def test_a_group_is_cut_only_where_that_keeps_processes_busy():
    assert parts_of_group(16, 64, 1) == parts_of_group(16, 64, 8) == 1
    # 16 questions for 64 processes: each has a quarter of a question's outputs.
    assert parts_of_group(16, 64, 64) == 4

    for questions, group, processes in itertools.product((1, 3, 16), (4, 7, 64), (1, 2, 5, 64)):
        parts = parts_of_group(questions, group, processes)
        assert group % parts == 0
        busiest = -(-questions * parts // processes) * (group // parts)
        assert busiest <= -(-questions // processes) * group


def test_caches_that_fill_free_memory_run_fewer_sequences_and_give_the_same_samples(monkeypatch):
    whole = Sampler(tiny_model(), tiny_tokenizer(), 64)
    request = SampleRequest(PROMPTS, 20, SETTINGS)
    expected = [[s.ids for s in group] for group in whole.sample(request)]

    small = Sampler(tiny_model(), tiny_tokenizer(), 64)
    of_token = small.decoder.bytes_per_token
    # Room for two blocks of 16 sequences of one block of tokens, each with its prompt, beside the prefill.
    room = of_token * (sampling.PREFILL_TOKENS + 2 * 16 * 64 + 100) / sampling.CACHE_SHARE
    monkeypatch.setattr(sampling, "free_memory", lambda device: room)
    assert small.slots_that_fit(32, 32) == 32
    assert [[s.ids for s in group] for group in small.sample(request)] == expected

    monkeypatch.setattr(sampling, "free_memory", lambda device: 0)
    assert small.slots_that_fit(32, 32) == 16, "a block of rows there always is"


@pytest.mark.parametrize("tied", [False, True])
def test_products_stored_in_bf16_give_the_numbers_that_autocast_gives(tied):
    model = tiny_model(tie_word_embeddings=tied)
    rows = rows_of(Shape(16, 32, 2, 2, 2, 8, 250), 256, 1)

    def log_probs():
        layout = layout_for(model, allow_fused=False)
        return row_log_probs(model, rows, 512, layout=layout, precision="bf16")

    before = log_probs()
    full = sum(p.numel() * p.element_size() for p in model.parameters())
    store_products_in_bf16(model)
    assert all((a == b).all() for a, b in zip(before, log_probs(), strict=True))
    assert sum(p.numel() * p.element_size() for p in model.parameters()) < 0.85 * full
    assert model.get_input_embeddings().weight.dtype == torch.float32


def test_an_engine_that_gave_its_weights_back_takes_them_again():
    engine = Sampler(tiny_model(), tiny_tokenizer(), 8)
    request = SampleRequest(PROMPTS, 2, SETTINGS)
    before = [[s.ids for s in group] for group in engine.sample(request)]
    engine.decoder.release()
    assert engine.decoder.is_released
    assert [[s.ids for s in group] for group in engine.sample(request)] == before
