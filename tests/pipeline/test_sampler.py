"""The sampler against transformers: greedy text, log-probabilities, stopping, and independence of the batch."""

import copy
import re
import shutil

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from pipeline.errors import UserError
from pipeline.inference.engine import SampleRequest, SamplingSettings
from pipeline.inference.sample_token import choose
from pipeline.inference.sampler import Sampler
from tests.support.small_llama import SHAPES, byte_tokenizer, llama

PROMPTS = [[1, 5, 9, 12], [1, 7], [1, 30, 31, 32, 33, 34, 35, 36], [1, 40, 41]]


def scores_of(model, prompt: list[int], ids: list[int], temperature: float = 1.0) -> torch.Tensor:
    with torch.no_grad():
        logits = (
            model(torch.tensor([prompt + ids])).logits[0, len(prompt) - 1 : -1].double()
            / temperature
        )
    return logits.log_softmax(-1)


@pytest.mark.parametrize("shape", SHAPES)
def test_greedy_samples_equal_transformers_generate(shape):
    model, tokenizer = llama(**SHAPES[shape]), byte_tokenizer()
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.normal_(parameter, std=0.5)
    groups = Sampler(model, tokenizer).sample(
        SampleRequest(PROMPTS, 1, SamplingSettings(temperature=0, max_new_tokens=20))
    )
    for prompt, [sample] in zip(PROMPTS, groups, strict=True):
        ids = torch.tensor([prompt])
        expected = model.generate(
            ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=20
        )
        assert sample.ids == expected[0, len(prompt) :].tolist()


@pytest.mark.parametrize("heads", [4, 2])
def test_a_long_beginning_that_prompts_share_is_computed_once_with_the_same_results(
    heads, monkeypatch
):
    model, tokenizer = (
        llama(num_key_value_heads=heads, max_position_embeddings=160),
        byte_tokenizer(),
    )
    shots = [1, *range(40, 130)]
    other = [1, *range(140, 230)]
    prompts = [[*shots, 7, 8], [*other, 9], [*shots, 7, 8, 9, 10, 11], [*other, 30, 31], [1, 5, 9]]
    settings = SamplingSettings(temperature=0, max_new_tokens=20)
    shared = Sampler(model, tokenizer).sample(SampleRequest(prompts, 1, settings))
    monkeypatch.setattr("pipeline.inference.decoder.WORTH_SHARING", 10**9)
    apart = Sampler(model, tokenizer).sample(SampleRequest(prompts, 1, settings))
    assert [group[0].ids for group in shared] == [group[0].ids for group in apart]
    for (one,), (other,) in zip(shared, apart, strict=True):
        assert one.logprobs == pytest.approx(other.logprobs, abs=1e-4)


@pytest.mark.parametrize("temperature", [0.6, 1.0, 1.7])
def test_logprobs_are_those_of_the_sampled_ids_at_the_sampling_temperature(temperature):
    model = llama()
    settings = SamplingSettings(temperature=temperature, max_new_tokens=12, seed=3)
    for prompt, group in zip(
        PROMPTS,
        Sampler(model, byte_tokenizer()).sample(SampleRequest(PROMPTS, 3, settings)),
        strict=True,
    ):
        for sample in group:
            expected = scores_of(model, prompt, sample.ids, temperature)
            expected = expected.gather(-1, torch.tensor(sample.ids)[:, None])[:, 0]
            assert torch.allclose(torch.tensor(sample.logprobs).double(), expected, atol=1e-4)


def test_nucleus_samples_stay_inside_and_are_scored_under_the_truncated_distribution():
    model = llama()
    settings = SamplingSettings(temperature=1.0, top_p=0.7, max_new_tokens=8, seed=1)
    [group] = Sampler(model, byte_tokenizer()).sample(SampleRequest(PROMPTS[:1], 20, settings))
    for sample in group:
        for token, logprob, row in zip(
            sample.ids, sample.logprobs, scores_of(model, PROMPTS[0], sample.ids).exp(), strict=True
        ):
            ordered, order = row.sort(descending=True)
            size = int((ordered.cumsum(0) < 0.7).sum()) + 1
            assert token in order[:size].tolist()
            assert logprob == pytest.approx(
                float((row[token] / ordered[:size].sum()).log()), abs=1e-4
            )


def test_token_frequencies_follow_the_softmax():
    logits = torch.tensor([2.0, 0.0, 1.0, float("-inf"), -1.0])
    uniforms = (torch.arange(10_000) + 0.5) / 10_000
    tokens, logprobs = choose(logits.repeat(10_000, 1), uniforms, 0.5, 1.0)
    expected = (logits / 0.5).softmax(-1)
    assert torch.allclose(torch.bincount(tokens, minlength=5) / 10_000, expected, atol=2e-4)
    assert torch.allclose(logprobs.exp(), expected[tokens], atol=1e-5)


def test_a_token_of_probability_zero_is_never_chosen():
    logits = torch.tensor([[float("-inf"), 0.0, float("-inf")]])
    for uniform in (0.0, 1 - 2**-24, 1.0):
        assert choose(logits, torch.tensor([uniform]), 1.0, 1.0)[0].item() == 1


@pytest.mark.parametrize("pad", ["<pad>", "</s>"])
def test_an_ended_sample_holds_its_end_token_once_and_a_cut_one_holds_none(pad):
    model = llama()
    with torch.no_grad():
        model.lm_head.weight[2] *= 3  # endings early and late
    tokenizer = byte_tokenizer(pad)
    groups = Sampler(model, tokenizer).sample(
        SampleRequest(PROMPTS, 30, SamplingSettings(max_new_tokens=25, seed=2))
    )
    samples = [sample for group in groups for sample in group]
    ended = [sample for sample in samples if sample.finish == "stop"]
    assert 10 < len(ended) < 110
    assert all(
        sample.ids[-1] == 2 and sample.ids.count(2) == 1 and sample.stop is None for sample in ended
    )
    cut = [sample for sample in samples if sample.finish == "length"]
    assert all(2 not in sample.ids and len(sample.ids) == 25 for sample in cut)
    assert all(len(sample.ids) == len(sample.logprobs) for sample in samples)


def test_samples_do_not_depend_on_batch_size_order_or_company():
    model, tokenizer = llama(), byte_tokenizer()
    with torch.no_grad():
        model.lm_head.weight[2] *= 3
    settings, keys = SamplingSettings(max_new_tokens=30, seed=5), ["a", "b", "c", "d"]
    whole = dict(
        zip(
            keys,
            Sampler(model, tokenizer, 64).sample(SampleRequest(PROMPTS, 6, settings, keys)),
            strict=True,
        )
    )
    order = [2, 0, 3, 1]
    for slots in (1, 3, 7):
        other = Sampler(model, tokenizer, slots).sample(
            SampleRequest([PROMPTS[i] for i in order], 6, settings, [keys[i] for i in order])
        )
        for i, group in zip(order, other, strict=True):
            assert [s.ids for s in group] == [s.ids for s in whole[keys[i]]]
            for mine, theirs in zip(group, whole[keys[i]], strict=True):
                assert mine.logprobs == pytest.approx(theirs.logprobs, abs=1e-4)
    [alone] = Sampler(model, tokenizer).sample(SampleRequest(PROMPTS[:1], 2, settings, keys[:1]))
    assert [s.ids for s in alone] == [s.ids for s in whole["a"][:2]]


def test_samples_differ_by_seed_key_and_index_and_repeat_exactly():
    sampler, settings = (
        Sampler(llama(), byte_tokenizer()),
        SamplingSettings(max_new_tokens=10, seed=1),
    )
    [first] = sampler.sample(SampleRequest(PROMPTS[:1], 4, settings, ["x"]))
    [again] = sampler.sample(SampleRequest(PROMPTS[:1], 4, settings, ["x"]))
    assert first == again
    assert len({tuple(sample.ids) for sample in first}) == 4
    [key] = sampler.sample(SampleRequest(PROMPTS[:1], 4, settings, ["y"]))
    [seed] = sampler.sample(
        SampleRequest(PROMPTS[:1], 4, SamplingSettings(max_new_tokens=10, seed=2), ["x"])
    )
    assert first[0].ids != key[0].ids and first[0].ids != seed[0].ids


def test_a_stop_string_ends_a_sample_as_soon_as_it_stands_in_the_text():
    model, tokenizer = llama(), byte_tokenizer()
    sampler = Sampler(model, tokenizer)
    [[free]] = sampler.sample(
        SampleRequest(PROMPTS[:1], 1, SamplingSettings(max_new_tokens=30, seed=4, temperature=2.0))
    )
    stop = re.search("[!-~]{2}", tokenizer.decode(free.ids)[5:])[0]
    settings = SamplingSettings(max_new_tokens=30, seed=4, temperature=2.0, stop=("zzzzzz", stop))
    [[sample]] = sampler.sample(SampleRequest(PROMPTS[:1], 1, settings))
    assert sample.finish == "stop" and sample.stop == stop
    first = next(n for n in range(1, 31) if stop in tokenizer.decode(free.ids[:n]))
    assert sample.ids == free.ids[:first]


def test_the_name_of_a_special_token_is_no_text_that_could_hold_a_stop_string():
    sampler = Sampler(llama(), byte_tokenizer())
    settings = SamplingSettings(
        max_new_tokens=30, seed=4, temperature=2.0, stop=("<pad>", "<s>", "d>")
    )
    [samples] = sampler.sample(SampleRequest(PROMPTS[:1], 64, settings))
    assert any({0, 1} & set(sample.ids) for sample in samples)
    assert all(sample.stop is None for sample in samples)


class CastsOfWeights(TorchDispatchMode):
    """Counts conversions of numbers of a weight's shape to another type."""

    def __init__(self, model):
        super().__init__()
        self.shapes, self.casts = {tuple(p.shape) for p in model.parameters() if p.dim() > 1}, 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        copies = torch.ops.aten._to_copy, torch.ops.aten.to  # the second in inference mode
        if function.overloadpacket in copies and result.dtype != args[0].dtype:
            shape = tuple(args[0].shape)
            fused = any(shape[1:] == known[1:] and shape[0] > known[0] for known in self.shapes)
            self.casts += shape in self.shapes or fused
        return result


def test_weights_are_cast_once_a_rollout_and_not_once_a_token():
    model = llama(hidden_size=64, intermediate_size=96)
    sampler = Sampler(model, byte_tokenizer(), dtype=torch.bfloat16)
    with CastsOfWeights(model) as counter:
        sampler.load(model)
        loaded = counter.casts
        sampler.sample(SampleRequest(PROMPTS[:1], 3, SamplingSettings(max_new_tokens=20, seed=1)))
    assert loaded == 2 + 4 * len(sampler.decoder.layers), (
        "embedding, head, and a layer's four fused matrices"
    )
    assert counter.casts == loaded


@pytest.mark.skipif(shutil.which("c++") is None, reason="torch.compile needs a C++ compiler")
def test_a_compiled_step_gives_the_same_greedy_text_and_is_not_compiled_anew_when_the_cache_grows():
    model, tokenizer = llama(num_hidden_layers=1), byte_tokenizer()
    prompts = [[1, *range(20, 20 + n)] for n in (3, 9, 40, 45)]
    settings = SamplingSettings(temperature=0, max_new_tokens=36)  # caches hold 32 tokens at first
    plain = Sampler(model, tokenizer).sample(SampleRequest(prompts, 3, settings))
    before = torch._dynamo.utils.counters["stats"]["unique_graphs"]
    compiled = Sampler(model, tokenizer, compiled=True).sample(SampleRequest(prompts, 3, settings))
    assert [[s.ids for s in group] for group in compiled] == [
        [s.ids for s in group] for group in plain
    ]
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] - before == 1


def test_a_stop_id_ends_a_sample():
    sampler = Sampler(llama(), byte_tokenizer())
    [[free]] = sampler.sample(
        SampleRequest(PROMPTS[:1], 1, SamplingSettings(max_new_tokens=20, seed=4))
    )
    settings = SamplingSettings(max_new_tokens=20, seed=4, stop_ids=(free.ids[7],))
    [[sample]] = sampler.sample(SampleRequest(PROMPTS[:1], 1, settings))
    assert sample.finish == "stop" and sample.ids == free.ids[: free.ids.index(free.ids[7]) + 1]


def test_a_sample_ends_where_the_context_ends():
    sampler = Sampler(llama(max_position_embeddings=16), byte_tokenizer())
    prompts = [[1] * 10, [1] * 16, [1, 4]]
    groups = sampler.sample(
        SampleRequest(prompts, 1, SamplingSettings(temperature=0, max_new_tokens=9, stop_ids=()))
    )
    assert [len(group[0].ids) for group in groups] == [6, 0, 9]
    assert [group[0].finish for group in groups] == ["length"] * 3


def test_load_takes_over_changed_weights():
    model, other = llama(0), llama(1)
    settings = SamplingSettings(temperature=0, max_new_tokens=10)
    sampler = Sampler(copy.deepcopy(model), byte_tokenizer())
    sampler.load(other)
    expected = Sampler(other, byte_tokenizer()).sample(SampleRequest(PROMPTS, 1, settings))
    assert sampler.sample(SampleRequest(PROMPTS, 1, settings)) == expected
    assert expected != Sampler(model, byte_tokenizer()).sample(SampleRequest(PROMPTS, 1, settings))


@pytest.mark.parametrize(
    "wrong", [{"temperature": -1}, {"top_p": 0}, {"top_p": 1.2}, {"max_new_tokens": 0}]
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(UserError):
        SamplingSettings(**wrong)


def test_an_empty_prompt_and_a_foreign_architecture_are_refused():
    with pytest.raises(UserError, match="empty"):
        Sampler(llama(), byte_tokenizer()).sample(SampleRequest([[]], 1, SamplingSettings()))
    model = llama()
    model.config.model_type = "mamba"
    with pytest.raises(UserError, match="mamba"):
        Sampler(model, byte_tokenizer())
