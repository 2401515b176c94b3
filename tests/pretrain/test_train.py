import json
import math
import shutil

import numpy as np
import pytest
import torch

from pipeline.artifacts.write import read_json
from pipeline.config.load import load_preset
from pipeline.errors import UserError
from pipeline.forward.batches import context_rows
from pipeline.model.load import load_model, load_tokenizer
from pretrain import coder, continued_training, tokens, train
from pretrain.held_out import HeldOutText
from tests.support.tiny_model import tiny_model, tiny_tokenizer


@pytest.fixture
def folder(tmp_path):
    coder_folder = tmp_path / "coder"
    tiny_model().save_pretrained(coder_folder)
    tiny_tokenizer().save_pretrained(coder_folder)
    settings = {
        "mixture": {"a": {"path": "x", "weight": 0.75}, "b": {"path": "x", "weight": 0.25}},
        "tokens": 8 * 4 * 32,
        "batch_tokens": 4 * 32,
        "context": 32,
        "heldout_bytes": 300,
        "optimisation": {
            "schedule": {"peak": 0.01, "warmup_steps": 2},
            "checkpoint_every": 2,
            "precision": "fp32",
        },
    }
    (tmp_path / "config.json").write_text(json.dumps(settings))
    for name, text in (
        ("a", "one plus one is two. "),
        ("b", "def f(x): return x\n"),
        ("held", "one plus two. "),
    ):
        (tmp_path / f"{name}.jsonl").write_text(
            "".join(json.dumps({"text": text * 5}) + "\n" for _ in range(12))
        )
    common = ["--config", str(tmp_path / "config.json")]
    tokens.main(
        [
            *common,
            *("--tokenizer", str(coder_folder), "--out", str(tmp_path / "tokens")),
            *("--source", f"a={tmp_path / 'a.jsonl'}", "--source", f"b={tmp_path / 'b.jsonl'}"),
        ]
    )
    return tmp_path


def run(folder, out, *more):
    train.main(
        [
            *("--config", str(folder / "config.json"), "--coder", str(folder / "coder")),
            *(
                "--tokens",
                str(folder / "tokens" / "manifest.json"),
                "--heldout",
                f"math={folder / 'held.jsonl'}",
            ),
            *("--out", str(folder / out), *more),
        ]
    )
    return folder / out


def test_base_learns_its_corpus_and_records_bits_per_byte_and_the_mixture(folder):
    out = run(folder, "base")
    manifest = read_json(out / "manifest.json")
    bits = manifest["metrics"]["bits_per_byte"]["math"]
    assert bits["after"] < bits["before"] and bits["change"] == pytest.approx(
        bits["after"] / bits["before"] - 1, abs=1e-3
    )
    mixture = manifest["counts"]["mixture"]
    assert mixture["a"]["share"] == 0.75 and mixture["a"]["tokens"] == 24 * 32
    steps = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert (
        sum("loss" in line for line in steps) == 8
        and sum("bits_per_byte.math" in line for line in steps) == 2
    )
    assert load_tokenizer(out).chat_template == tiny_tokenizer().chat_template


def test_two_runs_give_the_same_bytes_but_for_the_speed(folder):
    one, two = run(folder, "one"), run(folder, "two")
    for name in ("model.safetensors", "manifest.json", "README.md"):
        assert (one / name).read_bytes() == (two / name).read_bytes()


def test_a_resumed_run_ends_with_the_same_weights(folder, monkeypatch):
    whole = run(folder, "whole")
    original, calls = continued_training.context_rows, []

    def dies_at_the_sixth(*args):
        calls.append(1)
        if len(calls) == 6:
            raise KeyboardInterrupt
        return original(*args)

    monkeypatch.setattr(continued_training, "context_rows", dies_at_the_sixth)
    with pytest.raises(KeyboardInterrupt):
        run(folder, "resumed", "--resume", str(folder / "resume"))
    assert not (folder / "resumed").exists() and list((folder / "resume").glob("step-*.pt"))
    resumed = run(folder, "resumed", "--resume", str(folder / "resume"))
    assert len(calls) == 6 + 4, "it began anew instead of going on from step 4"
    assert (resumed / "model.safetensors").read_bytes() == (
        whole / "model.safetensors"
    ).read_bytes()
    assert not (folder / "resume").exists()


def test_tokens_of_another_tokenizer_are_refused(folder):
    path = folder / "coder" / "tokenizer.json"
    path.write_text(path.read_text() + "\n")
    with pytest.raises(UserError, match="not made with the tokenizer"):
        run(folder, "base")


def test_bits_per_byte_is_the_likelihood_of_all_bytes_also_over_several_contexts():
    model, tokenizer = tiny_model(), tiny_tokenizer()
    text = "abc" * 20
    held = HeldOutText([text], tokenizer, context=64, max_bytes=1000)
    ids = torch.tensor([[tokenizer.bos_token_id, *tokenizer.encode(text)]])
    loss = model(input_ids=ids, labels=ids).loss.item()
    assert held.bits_per_byte(model, 1000) == pytest.approx(loss / math.log(2), rel=1e-4)
    pieces = HeldOutText([text], tokenizer, context=16, max_bytes=1000)
    assert sum(int(row.loss_mask.sum()) for row in pieces.rows) == 60


def test_held_out_text_is_whole_documents_up_to_the_limit():
    held = HeldOutText(["ab", "cd", "ef"], tiny_tokenizer(), context=16, max_bytes=5)
    assert held.bytes == 4


def test_contexts_weigh_every_target_the_same_and_can_be_cut_at_documents():
    ids = np.array([256, 1, 2, 257, 256, 3, 257, 256], dtype=np.int32)
    (whole,) = context_rows([ids], 256)
    assert (
        whole.columns["weight"][whole.loss_mask].sum() == pytest.approx(1)
        and whole.loss_mask.sum() == 7
    )
    pieces = context_rows([ids], 256, attend_across_documents=False)
    assert [row.input_ids.tolist() for row in pieces] == [[256, 1, 2, 257], [256, 3, 257], [256]]
    assert sum(row.columns["weight"][row.loss_mask].sum() for row in pieces) == pytest.approx(1)


def test_an_existing_checkpoint_is_copied_with_our_chat_template(folder):
    coder.main(["--source", str(folder / "coder"), "--out", str(folder / "checked")])
    a, b = load_model(folder / "coder"), load_model(folder / "checked")
    assert all(torch.equal(x, y) for x, y in zip(a.parameters(), b.parameters(), strict=True))


def test_embeddings_smaller_than_the_tokenizer_are_enlarged_and_two_runs_write_the_same_bytes(
    folder,
):
    tiny_model(vocab_size=258).save_pretrained(folder / "small")
    tiny_tokenizer().save_pretrained(folder / "small")
    for out in ("checked", "again"):
        coder.main(["--source", str(folder / "small"), "--out", str(folder / out)])
    before, after = load_model(folder / "small"), load_model(folder / "checked")
    assert after.get_input_embeddings().weight.shape[0] == 259 == after.config.vocab_size
    assert torch.equal(
        after.get_input_embeddings().weight[:258], before.get_input_embeddings().weight
    )
    weights = [(folder / out / "model.safetensors").read_bytes() for out in ("checked", "again")]
    assert weights[0] == weights[1]


@pytest.mark.parametrize("vocabulary", [258, 320])
def test_a_coder_whose_embeddings_and_tokenizer_differ_in_size_is_trained_and_loads_again(
    folder, vocabulary
):
    tiny_model(vocab_size=vocabulary).save_pretrained(folder / "other")
    tiny_tokenizer().save_pretrained(folder / "other")
    shutil.rmtree(folder / "coder")
    coder.main(["--source", str(folder / "other"), "--out", str(folder / "coder")])
    out = run(folder, "base")
    assert load_model(out).get_output_embeddings().weight.shape[0] == max(vocabulary, 259)
    bits = read_json(out / "manifest.json")["metrics"]["bits_per_byte"]["math"]
    assert bits["after"] < bits["before"]


def test_a_checkpoint_folder_without_tokenizer_is_refused(folder):
    (folder / "coder" / "tokenizer.json").unlink()
    (folder / "coder" / "tokenizer_config.json").unlink()
    with pytest.raises(UserError, match="no tokenizer in this folder"):
        coder.main(["--source", str(folder / "coder"), "--out", str(folder / "checked")])


def test_mixture_weights_must_add_up_to_one():
    with pytest.raises(UserError, match=r"weights add up to 0\.5"):
        load_preset(
            "mini", {"pretrain": {"mixture": {"corpus": {"path": "corpus", "weight": 0.5}}}}
        )
