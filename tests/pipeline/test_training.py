import json
import os
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from tensorboardX.proto.event_pb2 import Event

from pipeline.artifacts.tensorboard import EVENTS
from pipeline.artifacts.write import file_digest, write_jsonl
from pipeline.config.schedule import Schedule, constant, learning_rate
from pipeline.config.training import Optimisation
from pipeline.errors import UserError
from pipeline.forward.batches import Row, micro_batches
from pipeline.model.load import load_model, load_tokenizer, save_model
from pipeline.training.checkpoint import Checkpoints
from pipeline.training.intact import is_intact
from pipeline.training.loop import Plan, train
from pipeline.training.prepare import prepare
from pipeline.training.step import adamw, set_learning_rate, train_step, weighted_nll
from tests.support.tiny_model import tiny_model, tiny_tokenizer

ROOT = Path(__file__).resolve().parents[2]


def make_rows(lengths, seed=0, scored=True):
    draw = np.random.default_rng(seed)
    rows = [Row(draw.integers(0, 250, n).astype(np.int32), np.full(n, scored), {}) for n in lengths]
    total = sum(n - 1 for n in lengths)
    for row in rows:
        row.columns["weight"] = np.full(len(row), 1 / total, np.float32)
    return rows


class KeepGradient(torch.optim.SGD):
    """An optimiser that keeps the gradient it was given instead of stepping."""

    def __init__(self, model):
        super().__init__(model.parameters(), lr=0.0)
        self.model = model

    def step(self):
        self.seen = torch.cat([p.grad.flatten() for p in self.model.parameters()]).clone()


def gradient_of(rows, max_tokens, packed=False, loss=weighted_nll):
    model = tiny_model()
    keeper = KeepGradient(model)
    metrics = train_step(
        model,
        keeper,
        rows,
        loss,
        max_tokens=max_tokens,
        clip_norm=1e9,
        packed=packed,
        precision="fp32",
    )
    return keeper.seen, metrics


@pytest.mark.parametrize("rows_at_once", [1, 2, 4, 8])
@pytest.mark.parametrize("packed", [False, True])
def test_gradient_accumulation_leaves_loss_and_gradient_unchanged(rows_at_once, packed):
    rows = make_rows([12, 5, 9, 12, 3, 7, 12, 2])
    expected, whole = gradient_of(rows, 10_000)
    got, metrics = gradient_of(rows, 12 * rows_at_once, packed)
    assert torch.allclose(got, expected, atol=1e-6)
    assert metrics["loss"] == pytest.approx(whole["loss"], abs=1e-5)
    assert metrics["grad_norm"] == pytest.approx(expected.norm().item(), rel=1e-4)


def test_padding_every_row_by_seven_changes_nothing():
    rows = make_rows([12, 5, 9])
    padded = [
        Row(
            np.concatenate([row.input_ids, np.full(7, 259, np.int32)]),
            np.concatenate([row.loss_mask, np.zeros(7, bool)]),
            {"weight": np.concatenate([row.columns["weight"], np.ones(7, np.float32)])},
        )
        for row in rows
    ]
    assert torch.allclose(gradient_of(rows, 50)[0], gradient_of(padded, 50)[0], atol=1e-6)


def test_a_fully_masked_row_changes_nothing():
    rows = make_rows([12, 5, 9])
    masked = make_rows([20], scored=False)
    assert torch.equal(gradient_of(rows, 1000)[0], gradient_of(rows + masked, 1000)[0])


def test_a_step_with_nothing_to_learn_is_zero_finite_and_moves_no_weight():
    model = tiny_model()
    before = [p.clone() for p in model.parameters()]
    optimiser = adamw(model)
    set_learning_rate(optimiser, 1.0)
    metrics = train_step(
        model, optimiser, make_rows([6], scored=False), weighted_nll, max_tokens=100
    )
    assert metrics["loss"] == 0.0 and metrics["grad_norm"] == 0.0 and metrics["scored"] == 0
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_the_loss_is_the_mean_negative_log_likelihood():
    model, rows = tiny_model(), make_rows([6, 9])
    total = 0.0
    for row in rows:
        ids = torch.from_numpy(row.input_ids.astype(np.int64))[None]
        logits = model(input_ids=ids).logits[0, :-1]
        total += torch.nn.functional.cross_entropy(logits, ids[0, 1:], reduction="sum").item()
    assert gradient_of(rows, 100)[1]["loss"] == pytest.approx(total / 13, rel=1e-5)


def test_the_loss_functions_own_sums_are_added_over_micro_batches():
    def loss(logprobs, columns):
        return -logprobs * columns["weight"], {"count": torch.ones_like(logprobs).sum()}

    assert gradient_of(make_rows([6, 9, 4]), 9, loss=loss)[1]["count"] == 16


def test_clipping_bounds_the_step_and_reports_the_norm_before():
    rows = make_rows([12, 5])
    free, metrics = gradient_of(rows, 100)
    model = tiny_model()
    keeper = KeepGradient(model)
    clipped = train_step(
        model, keeper, rows, weighted_nll, max_tokens=100, clip_norm=0.1, precision="fp32"
    )
    assert (
        clipped["grad_norm"] == pytest.approx(metrics["grad_norm"]) and metrics["grad_norm"] > 0.1
    )
    assert torch.allclose(keeper.seen, free * 0.1 / free.norm(), atol=1e-6)


# The paper's derived numbers: total steps, first drop, second drop, the three rates.
@pytest.mark.parametrize(
    "peak, total, first, second, rates",
    [
        (4.2e-4, 50_000, 40_000, 45_000, (4.2e-4, 1.327e-4, 4.2e-5)),
        (5.3e-4, 37_500, 30_000, 33_750, (5.3e-4, 1.675e-4, 5.3e-5)),
    ],
)
def test_multi_step_schedule_has_the_papers_steps_and_rates(peak, total, first, second, rates):
    schedule = Schedule(peak=peak)
    at = [
        learning_rate(schedule, step, total)
        for step in (2000, first - 1, first, second - 1, second, total - 1)
    ]
    assert at == pytest.approx(
        [rates[0], rates[0], rates[1], rates[1], rates[2], rates[2]], rel=1e-3
    )


def test_warm_up_is_linear_over_two_thousand_steps_and_never_zero():
    schedule = Schedule()
    assert learning_rate(schedule, 0, 50_000) == pytest.approx(4.2e-4 / 2000)
    assert learning_rate(schedule, 999, 50_000) == pytest.approx(2.1e-4)
    assert learning_rate(schedule, 1999, 50_000) == pytest.approx(4.2e-4)


def test_a_constant_schedule_is_constant():
    assert {learning_rate(constant(5e-5), step, 500) for step in range(500)} == {5e-5}


def run_training(folder, steps=12):
    model = tiny_model()
    plan = Plan("test", steps, constant(1e-2), max_tokens=64, checkpoint_every=3, precision="fp32")

    def rows_of_step(step):
        if os.environ.get("SLOW"):
            time.sleep(0.15)
        return make_rows([9, 14, 6], seed=step)

    checkpoints = Checkpoints(Path(folder) / "resume", "same")
    history = train(model, adamw(model), rows_of_step, weighted_nll, plan, checkpoints)
    write_jsonl(Path(folder) / "metrics.jsonl", history.lines)
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def test_a_run_killed_midway_and_started_again_ends_bit_identical(tmp_path):
    expected = run_training(tmp_path / "whole")
    code = f"import tests.pipeline.test_training as t; t.run_training({str(tmp_path / 'killed')!r})"
    environment = os.environ | {"SLOW": "1", "PYTHONPATH": str(ROOT)}
    child = subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stderr=subprocess.DEVNULL
    )
    resume = tmp_path / "killed" / "resume"
    while not list(resume.glob("step-*.pt")) and child.poll() is None:
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL, "the child ended before it could be killed"
    assert torch.equal(run_training(tmp_path / "killed"), expected)
    lines = [
        json.loads(line)
        for line in (tmp_path / "killed" / "metrics.jsonl").read_text().splitlines()
    ]
    assert [line["step"] for line in lines] == list(range(1, 13))


def test_checkpoints_keep_the_last_two_and_belong_to_one_run(tmp_path):
    model = tiny_model()
    optimiser = adamw(model)
    checkpoints = Checkpoints(tmp_path / "resume", "one", keep=2)
    for step in (1, 2, 3):
        checkpoints.save(step, model, optimiser, {"cursor": step})
    assert len(list((tmp_path / "resume").glob("step-*.pt"))) == 2
    assert Checkpoints(tmp_path / "resume", "one").load(model, optimiser) == (3, {"cursor": 3})
    assert Checkpoints(tmp_path / "resume", "another").load(model, optimiser) == (0, {})


def run_killed_before_its_end(folder: Path, monkeypatch) -> list[Path]:
    """A training that was stopped at step 10 with checkpoints of steps 6 and 9."""
    steps = iter(range(10))
    rows = make_rows

    def rows_until_killed(lengths, seed):
        if next(steps, None) is None:
            raise KeyboardInterrupt
        return rows(lengths, seed=seed)

    with monkeypatch.context() as patched:
        patched.setitem(run_training.__globals__, "make_rows", rows_until_killed)
        with pytest.raises(KeyboardInterrupt):
            run_training(folder)
    return sorted((folder / "resume").glob("step-*"))


def flip(file: Path, place: int) -> None:
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize("damaged", [1, 2])
def test_a_damaged_checkpoint_is_passed_over_and_the_end_has_the_same_bits(
    damaged, tmp_path, monkeypatch, capsys
):
    expected = run_training(tmp_path / "whole")
    files = run_killed_before_its_end(tmp_path / "run", monkeypatch)
    for number, file in enumerate(files[-damaged:]):
        if number:
            os.truncate(file, file.stat().st_size // 2)
        else:
            flip(file, file.stat().st_size // 2)

    assert torch.equal(run_training(tmp_path / "run"), expected)
    assert capsys.readouterr().err.count("this checkpoint is damaged") == damaged


def test_no_flipped_bit_of_a_checkpoint_is_loaded(tmp_path):
    """Some bits of an archive mean nothing (padding, dates): then what is loaded is what was saved."""
    saved = {"weights": torch.arange(500.0), "step": 3}
    file = tmp_path / "step-1.pt"
    torch.save(saved, file)
    content = file.read_bytes()
    noticed = 0
    for place in range(0, len(content), 7):
        file.write_bytes(content)
        flip(file, place)
        if not is_intact(file):
            noticed += 1
            continue
        loaded = torch.load(file)
        assert torch.equal(loaded["weights"], saved["weights"]) and loaded["step"] == 3
    assert noticed > len(content) / 7 / 2


def test_parts_of_a_sharded_checkpoint_are_checked_tensor_by_tensor(tmp_path):
    import torch.distributed.checkpoint as dcp

    place = tmp_path / "step-1"
    dcp.save({"a": torch.arange(300.0), "b": torch.ones(40)}, checkpoint_id=place, no_dist=True)
    torch.save({"step": 1}, place / "state.pt")
    assert is_intact(place)

    for name in [path.name for path in place.iterdir()]:
        whole = (place / name).read_bytes()
        os.truncate(place / name, len(whole) // 2)
        assert not is_intact(place), name
        (place / name).unlink()
        assert not is_intact(place), name
        (place / name).write_bytes(whole)

    (part,) = place.glob("*.distcp")
    flip(part, part.stat().st_size // 4)
    assert not is_intact(place)


def test_a_saved_model_loads_again_with_tokenizer_template_card_and_manifest(tmp_path):
    model, tokenizer = tiny_model(), tiny_tokenizer()
    save_model(
        tmp_path / "m",
        model,
        tokenizer,
        card="A test.",
        stage="pipeline.model.load",
        settings={"a": 1},
    )
    again = load_model(tmp_path / "m")
    assert all(
        torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters(), strict=True)
    )
    assert load_tokenizer(tmp_path / "m").chat_template == tokenizer.chat_template
    names = {path.name for path in (tmp_path / "m").iterdir()}
    assert {
        "README.md",
        "manifest.json",
        "config.json",
        "model.safetensors",
        "tokenizer.json",
    } <= names


def test_a_folder_without_tokenizer_or_weights_is_one_clear_line(tmp_path):
    tiny_model().save_pretrained(tmp_path / "m")
    with pytest.raises(UserError, match="no tokenizer in this folder"):
        load_tokenizer(tmp_path / "m")
    (tmp_path / "m" / "model.safetensors").unlink()
    with pytest.raises(UserError, match="no weights"):
        load_model(tmp_path / "m")
    with pytest.raises(UserError, match="no such model folder"):
        load_model(tmp_path / "absent" / "model")


def prepared_gradient(**settings):
    model = prepare(tiny_model(), Optimisation(precision="fp32", **settings)).train()
    keeper = KeepGradient(model)
    rows = make_rows([12, 5, 9, 30])
    train_step(model, keeper, rows, weighted_nll, max_tokens=40, clip_norm=1e9, precision="fp32")
    return keeper.seen


def test_activation_checkpointing_gives_the_same_gradient_and_computes_layers_again():
    calls = []
    handle = torch.nn.modules.module.register_module_forward_pre_hook(
        lambda module, *_: calls.append(1) if type(module).__name__ == "LlamaMLP" else None
    )
    plain = prepared_gradient()
    once = len(calls)
    again = prepared_gradient(activation_checkpointing="always")
    handle.remove()
    assert len(calls) == 3 * once
    assert torch.allclose(again, plain, atol=1e-6)


def test_rows_of_one_length_are_not_packed_since_they_have_no_padding():
    (batch,) = micro_batches(make_rows([8, 8, 8]), 100, packed=True)
    assert batch.position_ids is None and batch.input_ids.shape == (3, 7)


def test_a_saved_model_shows_its_metrics_in_tensorboards_format(tmp_path):
    lines = [
        {"step": 1, "loss": 2.5, "note": "text"},
        {"step": 2, "loss": 1.5, "nll": 3.0},
        {"other": 1},
    ]
    write_jsonl(tmp_path / "metrics.jsonl", lines)
    for name in ("a", "b"):
        save_model(
            tmp_path / name, tiny_model(), tiny_tokenizer(), card="", stage="pipeline.model.load", settings={},
            metrics_file=tmp_path / "metrics.jsonl",
        )  # fmt: skip
    content = (tmp_path / "a" / EVENTS).read_bytes()
    assert content == (tmp_path / "b" / EVENTS).read_bytes()
    points, start = [], 0
    while start < len(content):  # a record is its length, a checksum, the event, a checksum
        (length,) = struct.unpack("<Q", content[start : start + 8])
        event = Event.FromString(content[start + 12 : start + 12 + length])
        points += [(event.step, value.tag, value.simple_value) for value in event.summary.value]
        start += 16 + length
    assert points == [(1, "loss", 2.5), (2, "loss", 1.5), (2, "nll", 3.0)]
    assert file_digest(tmp_path / "a") == file_digest(tmp_path / "b")
    (tmp_path / "b" / EVENTS).write_bytes(b"other speeds")
    assert file_digest(tmp_path / "a") == file_digest(tmp_path / "b"), (
        "metrics do not count: they hold speeds"
    )
