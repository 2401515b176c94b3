"""LoRA: what is trained, what is sampled from, and what is saved is the model with its adapters merged."""

import sys

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from pipeline.config.training import Lora, Optimisation
from pipeline.errors import UserError
from pipeline.forward.batches import Row
from pipeline.inference.engine import SampleRequest, SamplingSettings
from pipeline.inference.sampler import Sampler
from pipeline.model.adapters import add_adapters, parameter_count
from pipeline.model.load import load_model, save_model
from pipeline.training.prepare import prepare
from pipeline.training.step import adamw, set_learning_rate, train_step, weighted_nll
from tests.support.tiny_model import tiny_model, tiny_tokenizer

PROMPT = [5, 17, 33, 90]


def rows() -> list[Row]:
    draw = np.random.default_rng(0)
    made = []
    for length in (12, 9, 20):
        ids = draw.integers(0, 250, length).astype(np.int32)
        weight = np.full(length, 1 / 40, np.float32)
        made.append(Row(ids, np.arange(length) > 0, {"weight": weight}))
    return made


def logits(model) -> torch.Tensor:
    with torch.no_grad():
        return model(torch.tensor([PROMPT])).logits


def greedy(model) -> list[int]:
    settings = SamplingSettings(temperature=0, max_new_tokens=12)
    return (
        Sampler(model, tiny_tokenizer(), 4).sample(SampleRequest([PROMPT], 1, settings))[0][0].ids
    )


def test_without_the_package_one_line_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(UserError, match=r"lora\.rank = 4: needs the package peft"):
        add_adapters(tiny_model(), Lora(rank=4))


def test_rank_0_changes_nothing():
    model = tiny_model()
    add_adapters(model, Lora())
    assert all(parameter.requires_grad for parameter in model.parameters())


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("recompute", ["never", "always"])
def test_adapters_are_trained_sampled_from_and_saved_merged(tmp_path, recompute, tied):
    pytest.importorskip("peft")
    model = tiny_model(tie_word_embeddings=tied)
    before, plain = logits(model), parameter_count(model)
    start = {name: weight.clone() for name, weight in model.state_dict().items()}

    add_adapters(model, Lora(rank=4))
    assert torch.equal(logits(model), before), "adapters begin as zero"
    trained = [name for name, weight in model.named_parameters() if weight.requires_grad]
    assert len(trained) == 2 * 7 * 2 and all("lora_" in name for name in trained)

    prepare(model, Optimisation(precision="fp32", activation_checkpointing=recompute))
    optimiser = adamw(model)
    set_learning_rate(optimiser, 0.05)
    losses = [
        train_step(model, optimiser, rows(), weighted_nll, max_tokens=30, packed=True)["loss"]
        for _ in range(5)
    ]
    assert losses[-1] < losses[0]
    state = model.state_dict()
    assert all(
        torch.equal(state[name.replace(".weight", ".base_layer.weight")], start[name])
        for name in start
        if "_proj" in name
    )

    save_model(tmp_path / "m", model, tiny_tokenizer(), card="", stage="sft.train", settings={})
    saved = load_model(tmp_path / "m")
    assert set(load_file(tmp_path / "m" / "model.safetensors")) == {
        name for name, _ in tiny_model(tie_word_embeddings=tied).named_parameters()
    }
    assert parameter_count(model) == plain == saved.num_parameters()
    assert torch.allclose(logits(model.eval()), logits(saved), atol=1e-4)
    assert not torch.allclose(logits(saved), before, atol=1e-2)
    assert greedy(model) == greedy(saved)
