"""What a model folder holds around the weights, and what is refused when a folder is not what it should be."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModelForCausalLM,
    BertConfig,
    BertLMHeadModel,
    Gemma3TextConfig,
    LlamaConfig,
)

from pipeline.config.prompts import Prompts
from pipeline.errors import UserError
from pipeline.model.card import (
    Card,
    Origin,
    hub_id,
    origin_of,
    origin_of_checkpoint,
    split_front_matter,
    write_card,
)
from pipeline.model.load import check_tokenizer_fits, load_model, load_tokenizer, save_model
from pipeline.model.model_prompts import ModelPrompts
from pipeline.model.older_releases import _older_config, write_older_fields
from tests.support.tiny_model import VOCABULARY, tiny_model, tiny_tokenizer

ASKING = ModelPrompts.of("chat", None, Prompts(), {"max_new_tokens": 7})


def card(**more):
    usual = {"title": "A model", "description": "For a test.", "parameters": 1234, "context": 256}
    return Card(**(usual | {"origin": Origin(), "asking": ASKING} | more))


@pytest.fixture
def folder(tmp_path):
    """A model folder as the trainings write it."""
    model = tiny_model(rope_parameters={"rope_type": "default", "rope_theta": 100.0})
    save_model(
        tmp_path / "model",
        model,
        tiny_tokenizer(),
        card=write_card(card()),
        asking=ASKING,
        stage="sft.train",
        settings={},
    )
    return tmp_path / "model"


# Fields of older releases of transformers; the releases themselves are tried by benchmarks.model_folders.


def test_old_and_new_names_stand_side_by_side_and_load_here(folder):
    config = json.loads((folder / "config.json").read_text())
    assert config["rope_theta"] == config["rope_parameters"]["rope_theta"] == 100.0
    assert config["torch_dtype"] == config["dtype"] == "float32"
    tokenizer = json.loads((folder / "tokenizer_config.json").read_text())
    assert tokenizer["tokenizer_class"] == "PreTrainedTokenizerFast"

    model = load_model(folder)
    assert model.config.rope_parameters["rope_theta"] == 100.0
    ids = torch.tensor([[256, 10, 20, 30]])
    wanted = tiny_model(rope_parameters={"rope_type": "default", "rope_theta": 100.0})(ids).logits
    assert torch.equal(model(ids).logits, wanted)
    assert load_tokenizer(folder)("a b")["input_ids"] == tiny_tokenizer()("a b")["input_ids"]


def test_scaled_and_layered_rotary_positions_come_back_as_they_were(tmp_path):
    scaled = {"rope_type": "linear", "factor": 4.0, "rope_theta": 5000.0}
    old = _older_config({"rope_parameters": scaled})
    assert old["rope_scaling"] == {"type": "linear", "rope_type": "linear", "factor": 4.0}

    for name, config in (
        ("llama", LlamaConfig(rope_parameters=dict(scaled))),
        ("gemma", Gemma3TextConfig()),
    ):
        config.save_pretrained(tmp_path / name)
        write_older_fields(tmp_path / name)
        again = type(config).from_pretrained(tmp_path / name)
        kept = {key: value for key, value in again.rope_parameters.items() if key != "type"}
        assert kept == config.rope_parameters
    written = json.loads((tmp_path / "gemma" / "config.json").read_text())
    assert written["rope_local_base_freq"] == 10_000.0 and written["rope_theta"] == 1_000_000.0


def test_additional_special_tokens_are_a_list_under_the_old_name(tmp_path):
    tokenizer = tiny_tokenizer()
    tokenizer.add_special_tokens({"extra_special_tokens": ["<mark>"]})
    tokenizer.save_pretrained(tmp_path)
    write_older_fields(tmp_path)
    written = json.loads((tmp_path / "tokenizer_config.json").read_text())
    assert written["additional_special_tokens"] == ["<mark>"]
    assert "extra_special_tokens" not in written
    assert load_tokenizer(tmp_path)("<mark>")["input_ids"] == tokenizer("<mark>")["input_ids"]


# Damaged and foreign folders.


def rewrite(folder, change):
    file = folder / "model.safetensors"
    tensors = load_file(file)
    change(tensors)
    save_file(tensors, file, metadata={"format": "pt"})


def test_missing_misshapen_and_nan_tensors_are_one_line(folder):
    name = "model.layers.0.mlp.up_proj.weight"
    whole = (folder / "model.safetensors").read_bytes()

    rewrite(folder, lambda tensors: tensors.pop(name))
    with pytest.raises(UserError, match=f"lack 1 tensors.*{name}"):
        load_model(folder)

    (folder / "model.safetensors").write_bytes(whole)
    rewrite(folder, lambda tensors: tensors.update({name: torch.zeros(3, 3)}))
    with pytest.raises(UserError, match="model"):
        load_model(folder)

    (folder / "model.safetensors").write_bytes(whole)
    rewrite(folder, lambda tensors: tensors[name].view(-1)[5:6].fill_(float("nan")))
    with pytest.raises(UserError, match=f"{name}.*not finite"):
        load_model(folder)

    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="cannot load the model"):
        load_model(folder)


def test_a_model_that_reads_both_ways_is_refused(tmp_path):
    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    BertLMHeadModel(BertConfig(**small, vocab_size=VOCABULARY)).save_pretrained(tmp_path)
    with pytest.raises(UserError, match="bert reads text in both directions"):
        load_model(tmp_path)


def test_tokens_without_embeddings_are_refused_but_for_padding():
    model, tokenizer = tiny_model(vocab_size=258), tiny_tokenizer()
    check_tokenizer_fits("m", model, tokenizer)
    assert tokenizer.pad_token == tokenizer.eos_token

    with pytest.raises(UserError, match="2 tokens beyond the model's 257 embeddings"):
        check_tokenizer_fits("m", tiny_model(vocab_size=257), tiny_tokenizer())


# The card.


def test_a_card_names_origin_and_licence_and_the_next_model_inherits_them(tmp_path):
    origin = Origin("owner/base", "mit", ("en",)).with_languages(("zh", "en"))
    (tmp_path / "README.md").write_text(
        write_card(card(origin=origin, trained_on=["openai/gsm8k", "a.jsonl"]))
    )
    values, text = split_front_matter((tmp_path / "README.md").read_text())
    assert (values["base_model"], values["license"]) == ("owner/base", "mit")
    assert values["language"] == ["en", "zh"] and values["datasets"] == ["openai/gsm8k"]
    assert "`a.jsonl`" in text and "4.51.3 or newer" in text
    assert origin_of(tmp_path) == origin


def test_an_unknown_licence_is_said_to_be_unknown_and_never_invented(tmp_path):
    checkpoint = tmp_path / "their model"
    checkpoint.mkdir()
    (checkpoint / "README.md").write_text("A model. No front matter.")
    origin = origin_of_checkpoint(str(checkpoint))
    assert origin == Origin("their model", "", ())

    (tmp_path / "README.md").write_text(write_card(card(origin=origin)))
    values, text = split_front_matter((tmp_path / "README.md").read_text())
    assert not {"license", "base_model"} & values.keys()
    assert "Licence: unknown" in text and "apache" not in text
    assert origin_of(tmp_path) == origin


def test_a_checkpoints_own_card_is_read(tmp_path):
    front = "---\nlicense: [other]\nlanguage: en\nbase_model: [x/y]\n---\n# Theirs\n"
    (tmp_path / "README.md").write_text(front)
    assert origin_of_checkpoint(str(tmp_path)) == Origin(tmp_path.name, "other", ("en",))
    (tmp_path / "README.md").write_text("---\n: [\n---\n")
    assert origin_of_checkpoint(str(tmp_path)).licence == ""


def test_a_hub_sources_id_is_its_first_two_names():
    assert hub_id("hub:openai/gsm8k:main") == "openai/gsm8k"
    assert hub_id("hub:EleutherAI/proof-pile-2/arxiv/*.zst") == "EleutherAI/proof-pile-2"
    assert hub_id("corpus") == ""


@pytest.mark.parametrize("style", ["chat", "few-shot"])
def test_the_snippet_of_a_card_works_when_copied(folder, style, monkeypatch, capsys):
    asking = ModelPrompts.of(style, ASKING, None, None)
    text = write_card(card(asking=asking))
    snippet = text.partition("```python\n")[2].partition("```")[0]
    monkeypatch.chdir(folder)
    exec(compile(snippet, "README.md", "exec"), {})

    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), load_tokenizer(folder)
    if style == "chat":
        prompt = f"<bos>User: What is 2 + 3?\n{Prompts().cot.en}\n\nAssistant:"
    else:
        prompt = "<bos>Problem:\nWhat is 2 + 3?\n\nSolution:\n"
    ids = torch.tensor([tokenizer(prompt)["input_ids"]])
    output = model.generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=7, do_sample=False
    )
    wanted = tokenizer.decode(output[0, ids.shape[1] :], skip_special_tokens=True)
    assert capsys.readouterr().out == wanted + "\n"
