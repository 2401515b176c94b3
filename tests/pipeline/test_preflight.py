"""What the first minute finds: broken checkpoints, unreadable files, dates, memory. No torch is loaded for it."""

import json
import os
import re
import struct
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.config.learning_rates import RATES, scaled
from pipeline.config.load import load_preset
from pipeline.errors import UserError
from pipeline.memory.card import Card
from pipeline.preflight import inputs, memory
from pipeline.preflight.check import check_checkpoint, check_files
from pipeline.preflight.checkpoint import check_tokenizer, read_checkpoint

SHAPE = {
    "model_type": "llama",
    "architectures": ["LlamaForCausalLM"],
    "hidden_size": 8,
    "num_attention_heads": 2,
    "num_hidden_layers": 1,
    "vocab_size": 12,
    "max_position_embeddings": 64,
}


def write_weights(path: Path, shapes: dict[str, tuple[int, ...]], type: str = "F32") -> None:
    """A safetensors file of zeros, written by hand: the format is a length, a header and the numbers."""
    header, offset = {}, 0
    for name, shape in shapes.items():
        size = 4
        for side in shape:
            size *= side
        header[name] = {"dtype": type, "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(offset))


def write_tokenizer(folder: Path, size: int) -> None:
    from tokenizers import Tokenizer, models

    vocabulary = {chr(97 + n): n for n in range(size)}
    Tokenizer(models.WordLevel(vocabulary, unk_token="a")).save(str(folder / "tokenizer.json"))


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "config.json").write_text(json.dumps(SHAPE))
    write_weights(tmp_path / "model.safetensors", {"model.embed_tokens.weight": (12, 8)})
    write_tokenizer(tmp_path, 12)
    return tmp_path


def configured(folder: Path, **changes) -> None:
    (folder / "config.json").write_text(json.dumps(SHAPE | changes))


def test_a_sound_checkpoint_is_measured_by_its_headers(folder):
    model = read_checkpoint(folder)
    assert (model.parameters, model.hidden, model.head_size, model.context) == (96, 8, 4, 64)
    assert check_tokenizer(model) is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"architectures": ["BertForMaskedLM"]}, "no causal language model"),
        ({"model_type": "nonsense"}, "unknown to the installed transformers"),
        ({"model_type": None}, "no model_type"),
        ({"hidden_size": "8"}, "hidden_size = '8'"),
        ({"hidden_size": 9}, "no multiple of 2 heads"),
        ({"num_key_value_heads": 3}, "no multiple of 3"),
        ({"vocab_size": 13}, "12 rows, config.json says vocab_size = 13"),
        ({"quantization_config": {"bits": 4}}, "quantised"),
    ],
)
def test_a_configuration_that_would_stop_a_run_is_one_line(folder, changes, said):
    configured(folder, **changes)
    with pytest.raises(UserError, match=said):
        read_checkpoint(folder)


def test_every_architecture_that_the_docs_name_is_known(folder):
    page = (Path(__file__).resolve().parents[2] / "docs" / "models.md").read_text()
    kinds = set(re.findall(r"^\| [^|]+ \| `(\w+)` \|", page, re.M))
    assert len(kinds) > 15
    for kind in kinds:
        configured(folder, model_type=kind)
        assert read_checkpoint(folder).model_type == kind


def test_a_cut_off_file_of_weights_is_named(folder):
    weights = folder / "model.safetensors"
    whole = weights.read_bytes()
    for size in (0, 5, 60, len(whole) - 1):
        weights.write_bytes(whole[:size])
        with pytest.raises(UserError, match=r"model\.safetensors"):
            read_checkpoint(folder)


def test_missing_shards_and_tensors_are_counted(folder):
    (folder / "model.safetensors").unlink()
    files = {"a.weight": "one.safetensors", "b.weight": "two.safetensors"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": files}))
    write_weights(folder / "one.safetensors", {"a.weight": (2,)})
    with pytest.raises(UserError, match=r"1 of 2 weight files are missing \(two"):
        read_checkpoint(folder)

    write_weights(folder / "two.safetensors", {"c.weight": (2,)})
    with pytest.raises(UserError, match=r"1 tensors of the index are in no file \(b"):
        read_checkpoint(folder)


def test_weights_of_whole_numbers_and_other_formats_are_refused(folder):
    write_weights(folder / "model.safetensors", {"model.embed_tokens.weight": (12, 8)}, "I32")
    with pytest.raises(UserError, match="is I32"):
        read_checkpoint(folder)

    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"x")
    with pytest.raises(UserError, match=r"pytorch_model\.bin has to be converted"):
        read_checkpoint(folder)


def test_a_tokenizer_of_another_model_is_refused_and_a_few_added_tokens_are_said(folder):
    write_tokenizer(folder, 20)
    with pytest.raises(UserError, match="a tokenizer of another model"):
        check_tokenizer(read_checkpoint(folder))

    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(UserError, match="not a tokenizer"):
        check_tokenizer(read_checkpoint(folder))

    configured(folder, vocab_size=300)
    write_weights(folder / "model.safetensors", {"model.embed_tokens.weight": (300, 8)})
    write_tokenizer(folder, 301)
    assert "its embeddings are enlarged" in str(check_tokenizer(read_checkpoint(folder)))


def settings(folder: Path, **changes):
    overlay = {"sources": {"coder": str(folder)}, **changes}
    return load_preset("smoke", overlay)


def test_a_context_above_the_checkpoint_s_names_the_setting(folder):
    with pytest.raises(UserError, match=r"pretrain\.context = 256: .* at most 64 tokens"):
        check_checkpoint(settings(folder), on_this_machine=False)


def test_sizes_and_rates_are_printed(folder):
    configured(folder, max_position_embeddings=4096)
    lines = check_checkpoint(settings(folder), on_this_machine=True)
    assert "llama, 0M parameters" in lines[0]
    assert lines[1].startswith("rates   pretrain 0.001, sft 0.008")


def test_memory_is_an_error_only_where_weights_and_moments_do_not_fit(folder):
    card = Card("memory", 2**40, on_gpu=False)
    found = memory.needs_of(settings(folder), read_checkpoint(folder), card)
    pretrain = next(need for need in found if need.stage == "pretrain")
    parts = pretrain.parts
    assert parts["weights"] == 4 * 96 and parts["moments"] == 8 * 96, "four bytes each"

    most = max(need.total for need in found)
    assert memory.warnings_of(found, replace(card, memory=2 * most)) == ([], None)
    warnings, error = memory.warnings_of(found, replace(card, memory=int(0.99 * most)))
    assert len(warnings) >= 1 and "takes about" in warnings[0] and error is None
    assert memory.warnings_of(found, replace(card, memory=1000))[1]


def test_rates_scale_with_size_and_batch():
    by_key = {rate.key: rate for rate in RATES}
    sft = by_key["sft.optimisation.schedule.peak"]
    assert scaled(sft, 6.9e9, 2**20) == 5e-5, "the paper's, at its size and batch"
    assert scaled(sft, 6.9e9, 2**18) == 2.5e-5, "a quarter of the batch: half the rate"
    assert scaled(sft, 6.9e9, 2**24) == 5e-5, "a larger batch raises nothing"
    sizes = [1e7, 1.35e8, 1.3e9, 7e9, 7e10]
    rates = [scaled(sft, size, 2**20) for size in sizes]
    assert rates == sorted(rates, reverse=True) and max(rates) < 1e-3


def test_auto_takes_preset_mini_s_rates_for_its_own_coder_and_none_of_them_for_another(tmp_path):
    assert load_preset("local").sft.optimisation.schedule.peak == 1e-3
    hub = load_preset("local", {"sources": {"coder": "someone/model-1.3b-base"}})
    assert 1e-6 < hub.sft.optimisation.schedule.peak < 1e-4
    with pytest.raises(UserError, match="give a number"):
        load_preset("local", {"sources": {"coder": "someone/model"}})


# The user's files.


def lines(path: Path, *rows: object) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def test_an_empty_file_a_bad_line_and_a_missing_field_are_named_with_their_place(tmp_path):
    for text, said in (
        ("", "holds no records"),
        ('{"url": "http://a"}\nnonsense\n', "line 2: not JSON"),
        ('{"address": "http://a"}\n', r"record 1: no url \(there are: address\)"),
        ("[1]\n", "line 1: expected a JSON object"),
        ("[" * 100_000 + "\n", "line 1: not JSON"),
    ):
        seeds = tmp_path / "seeds.jsonl"
        seeds.write_text(text)
        overlay = {"sources": {"seed_positives": str(seeds)}}
        with pytest.raises(UserError, match=said):
            check_files(load_preset("smoke", overlay))


def test_one_bad_row_among_good_ones_is_left_to_the_job(tmp_path):
    path = lines(tmp_path / "seeds.jsonl", {"address": 1}, {"url": "http://a"})
    inputs.check_rows("seeds", path, inputs.lacks("url"), "a url")


def test_files_and_results_from_the_future_are_refused(tmp_path):
    path = tmp_path / "seeds.jsonl"
    lines(path, {"url": "http://a"})
    inputs.check_path("sources.seed_positives", str(path))
    tomorrow = time.time() + 86_400
    os.utime(path, (tomorrow, tomorrow))
    with pytest.raises(UserError, match=r"dated in the future .* touch the file"):
        inputs.check_path("sources.seed_positives", str(path))

    model = tmp_path / "results" / "models" / "rl"
    model.mkdir(parents=True)
    inputs.check_results(tmp_path / "results")
    (model / ".snakemake_timestamp").touch()
    os.utime(model / ".snakemake_timestamp", (tomorrow, tomorrow))
    with pytest.raises(UserError, match="--touch"):
        inputs.check_results(tmp_path / "results")


@pytest.mark.parametrize("name", ["a/b", "a=b", "{x}", "-x", ".x", "x" * 101, "a\nb"])
def test_names_that_would_lead_elsewhere_are_refused(name):
    with pytest.raises(UserError, match="the name"):
        inputs.check_names("sources.benchmarks", [name])


def test_odd_names_are_allowed():
    inputs.check_names("sources.benchmarks", ["it's $(x) ü 数学", "gsm8k"])


def test_the_checks_load_no_torch():
    code = "import sys, pipeline.preflight.check, sft.first_rows, eval.first_rows; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
