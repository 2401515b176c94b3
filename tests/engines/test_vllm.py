"""vLLM as an engine: what it samples, whether it has the policy's weights, GRPO through it.

`make test_vllm` makes the environment that it needs. Starting it costs a quarter of a minute, so the tests share one.
"""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from eval import run as eval_run
from pipeline.config.engines import VLLM
from pipeline.config.prompts import Prompts, Suffixes
from pipeline.errors import UserError
from pipeline.inference.engine import SampleRequest, SamplingSettings
from pipeline.inference.sampler import Sampler
from pipeline.inference.vllm_engine import VLLMEngine
from pipeline.inference.vllm_process import python_with_vllm
from pipeline.model.chat import encode_prompts
from pipeline.model.load import load_model, load_tokenizer
from tests.support.rl_toy import learner, make_start


def reason_to_skip() -> str:
    try:
        python_with_vllm(VLLM())
    except UserError as error:
        return str(error)
    return ""


pytestmark = [
    pytest.mark.skipif(bool(reason_to_skip()), reason=reason_to_skip()),
    pytest.mark.xdist_group("vllm"),
]

SMALL = VLLM(cache_mb=64)
CLOSE = 1e-4
"""Nats by which log-probabilities in fp32 may differ; some 1e-7 is usual."""


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """A tiny model that answers with a random boxed digit; its heads have a size that vLLM knows."""
    heads = {"hidden_size": 64, "num_attention_heads": 2, "num_key_value_heads": 2}
    return make_start(tmp_path_factory.mktemp("toy"), head_dim=32, **heads)


@pytest.fixture(scope="module")
def tokenizer(start):
    return load_tokenizer(start / "sft")


@pytest.fixture(scope="module")
def engine(start, tokenizer):
    model = load_model(start / "sft")
    engine = VLLMEngine.of_model(model, tokenizer, SMALL, max_batch=64, bf16=False)
    yield engine
    engine.process.close()
    assert not engine.handover.folder.exists()


@pytest.fixture
def model(start, engine):
    """The model as it was trained, and the engine with its weights."""
    model = load_model(start / "sft")
    engine.load(model)
    return model


def prompts_of(tokenizer, count=30):
    # Of different lengths, and none of them one that the model was trained on.
    questions = [("And " * (i % 5) + f"N{i}?", "cot", "en") for i in range(count)]
    return encode_prompts(tokenizer, questions, Prompts(cot=Suffixes(en="", zh="")))


def samples(engine, tokenizer, count=1, **settings):
    asked = SamplingSettings(**({"max_new_tokens": 20, "seed": 3} | settings))
    groups = engine.sample(SampleRequest(prompts_of(tokenizer), count, asked))
    return [sample for group in groups for sample in group]


def assert_same(found, expected):
    for mine, own in zip(found, expected, strict=True):
        assert (mine.ids, mine.finish, mine.stop) == (own.ids, own.finish, own.stop)
        assert mine.logprobs == pytest.approx(own.logprobs, abs=CLOSE)


@pytest.mark.parametrize("stop", [(), ("boxed",), ("{1", "{2", "}")])
def test_greedy_outputs_are_those_of_the_own_sampler(engine, model, tokenizer, stop):
    own = Sampler(model, tokenizer)
    found = samples(engine, tokenizer, temperature=0, stop=stop)
    assert_same(found, samples(own, tokenizer, temperature=0, stop=stop))
    assert any(sample.stop for sample in found) == bool(stop)


@pytest.mark.parametrize("temperature", [1.0, 0.6])
def test_log_probabilities_are_those_of_the_distribution_that_was_sampled(
    engine, model, tokenizer, temperature
):
    found = samples(engine, tokenizer, count=4, temperature=temperature)
    prompts = [prompt for prompt in prompts_of(tokenizer) for _ in range(4)]
    for prompt, sample in zip(prompts, found, strict=True):
        with torch.no_grad():
            logits = model(torch.tensor([prompt + sample.ids])).logits[0, len(prompt) - 1 : -1]
        expected = (logits / temperature).log_softmax(-1)[range(len(sample.ids)), sample.ids]
        assert sample.logprobs == pytest.approx(expected.tolist(), abs=CLOSE)
    assert len({tuple(sample.ids) for sample in found}) > 10


def test_the_same_request_gives_the_same_samples_and_another_seed_others(engine, model, tokenizer):
    first = [sample.ids for sample in samples(engine, tokenizer, count=4)]
    assert [sample.ids for sample in samples(engine, tokenizer, count=4)] == first
    assert [sample.ids for sample in samples(engine, tokenizer, count=4, seed=4)] != first


def test_new_weights_take_the_place_of_the_old_ones(engine, model, tokenizer):
    before = samples(engine, tokenizer, temperature=0)
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    engine.sleep()
    engine.load(model)

    after = samples(engine, tokenizer, temperature=0)
    assert_same(after, samples(Sampler(model, tokenizer), tokenizer, temperature=0))
    assert [sample.ids for sample in after] != [sample.ids for sample in before]


def test_a_prompt_without_room_gives_an_empty_sample(engine, model, tokenizer):
    long = [5] * engine.context
    settings = SamplingSettings(max_new_tokens=8, temperature=0)
    full, cut = engine.sample(SampleRequest([long, long[3:]], 1, settings))
    assert (full[0].ids, full[0].finish) == ([], "length")
    assert (len(cut[0].ids), cut[0].finish) == (3, "length")


def test_grpo_goes_on_through_it_with_the_weights_of_each_step(start):
    trainer = learner(start, engine="vllm", vllm=SMALL.model_dump())
    assert trainer.settings.importance == "truncated"
    before = torch.cat([p.detach().flatten().clone() for p in trainer.policy.parameters()])

    lines = [trainer.step(step) for step in range(3)]
    trainer.sampler.process.close()

    # Old weights would differ by far more than rounding does: an update moves each by some thousandths.
    after = torch.cat([p.detach().flatten() for p in trainer.policy.parameters()])
    assert float((after - before).abs().max()) > 2e-3
    learnt = [line for line in lines if "mismatch_p99" in line]
    assert len(learnt) >= 2, "a step whose outputs are all rewarded alike says nothing"
    assert all(line["mismatch_p99"] < CLOSE for line in learnt)
    assert all(line["importance_capped"] == 0 for line in learnt)
    assert all(np.isfinite(line["loss"]) and line["length"] > 1 for line in lines)


def test_an_evaluation_through_it_gives_the_rows_of_the_own_sampler(start, tmp_path):
    settings = {"modes": ["cot"], "samples": 0, "max_new_tokens": 14, "vllm": SMALL.model_dump()}
    (tmp_path / "eval.json").write_text(json.dumps(settings))
    rows = {}
    for name in ("own", "vllm"):
        arguments = ["--model", start / "sft", "--benchmark", f"toy={start / 'heldout.jsonl'}"]
        arguments += ["--config", tmp_path / "eval.json", "--engine", name]
        arguments += ["--cache", tmp_path / "cache", "--out", tmp_path / name]
        eval_run.main([str(argument) for argument in arguments])
        rows[name] = pq.read_table(tmp_path / name / "toy.cot.parquet").to_pylist()

    for own, through_vllm in zip(rows["own"], rows["vllm"], strict=True):
        assert through_vllm["logprob"] == pytest.approx(own["logprob"], abs=1e-3)
        for changing in ("seconds", "logprob"):
            del own[changing], through_vllm[changing]
        assert through_vllm == own


def test_a_process_that_is_killed_ends_the_run_with_one_line(start, tokenizer):
    model = load_model(start / "sft")
    engine = VLLMEngine.of_model(model, tokenizer, SMALL, max_batch=8, bf16=False)
    engine.process._process.kill()
    with pytest.raises(UserError, match=r"its process ended \(signal 9\); its log: /"):
        engine.sample(SampleRequest([[5]], 1, SamplingSettings()))
    engine.process.close()
    assert not engine.handover.folder.exists()
