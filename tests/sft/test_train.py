import json

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.artifacts.records import Solution
from pipeline.artifacts.write import read_json
from pipeline.config.prompts import Prompts
from pipeline.config.schedule import learning_rate
from pipeline.config.sft import SFT
from pipeline.errors import UserError
from pipeline.forward.batches import micro_batches
from pipeline.forward.layout import row_log_probs
from pipeline.forward.row_attention import packing_arguments
from rl.questions import load_questions
from sft import data, fine_tuning, train
from sft.batches import plan_batches, read_examples
from tests.support.tiny_model import tiny_model, tiny_tokenizer


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(2, 20), min_size=1, max_size=25),
    batch=st.integers(1, 4),
    steps=st.integers(1, 6),
    seed=st.integers(0, 3),
)
def test_steps_hold_full_batches_of_contexts_and_epochs_hold_every_example_once(
    lengths, batch, steps, seed
):
    made, epochs = plan_batches(
        np.array(lengths), context=20, batch_sequences=batch, steps=steps, seed=seed
    )
    drawn = [i for step in made for i in step]
    assert len(made) == steps and all(made) and epochs == len(drawn) / len(lengths)
    whole = len(drawn) // len(lengths) * len(lengths)
    for start in range(0, whole, len(lengths)):
        assert sorted(drawn[start : start + len(lengths)]) == list(range(len(lengths)))
    tokens = [sum(lengths[i] for i in step) for step in made]
    assert all(total <= 20 * batch for total in tokens)
    # A context ends only where the next example does not fit, so two neighbours overflow one context.
    assert batch == 1 or all(total > 20 * (batch - 1) / 2 for total in tokens[:-1])


def test_a_longer_plan_begins_with_the_shorter_one():
    lengths = np.arange(3, 30)
    short, _ = plan_batches(lengths, context=40, batch_sequences=3, steps=4, seed=1)
    long, _ = plan_batches(lengths, context=40, batch_sequences=3, steps=9, seed=1)
    assert long[:4] == short


def solutions():
    for n in range(60):
        turns = [{"role": "text", "content": f"{n}+1={n + 1}\n\\boxed{{{n + 1}}}"}]
        yield Solution(f"{n}-cot", str(n), f"What is {n}+1?", str(n + 1), "cot", turns)
        if n % 3 == 0:
            code = {"role": "code", "content": f"print({n} + 1)"}
            yield Solution(f"{n}-pot", str(n), f"What is {n}+1?", str(n + 1), "pot", [code])
            turns = [code, {"role": "output", "content": str(n + 1)}, *turns]
            yield Solution(f"{n}-tool", str(n), f"What is {n}+1?", str(n + 1), "tool", turns)


@pytest.fixture
def folder(tmp_path):
    tiny_model().save_pretrained(tmp_path / "base")
    tiny_tokenizer().save_pretrained(tmp_path / "base")
    config = {
        "context": 256,
        "batch_sequences": 2,
        "steps": 6,
        "checked_programs": 0,
        "validation_share": 0.1,
        "optimisation": {"schedule": {"peak": 0.01}, "checkpoint_every": 2, "precision": "fp32"},
    }
    short = {mode: {"en": mode, "zh": mode} for mode in ("cot", "pot", "tool")}
    (tmp_path / "sft.json").write_text(json.dumps(config))
    (tmp_path / "prompts.json").write_text(json.dumps(short))
    rows = [solution.to_json() for solution in solutions()]
    wrong = rows[0] | {"id": "wrong", "question": "What is 0+98?", "answer": "98"}
    rows += [wrong, rows[5], {"id": "odd"}, rows[0] | {"question": "long " * 60}]
    (tmp_path / "solutions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def make_examples(folder, *more):
    data.main(
        [
            *("--config", str(folder / "sft.json"), "--prompts", str(folder / "prompts.json")),
            *(
                "--solutions",
                str(folder / "solutions.jsonl"),
                *more,
                "--tokenizer",
                str(folder / "base"),
            ),
            *("--out", str(folder / "sft" / "examples.parquet")),
        ]
    )
    return read_json(folder / "sft" / "manifest.json")["counts"]


def run(folder, out, *more):
    train.main(
        [
            *("--config", str(folder / "sft.json"), "--base", str(folder / "base")),
            *(
                "--examples",
                str(folder / "sft" / "examples.parquet"),
                "--out",
                str(folder / out),
                *more,
            ),
        ]
    )
    return folder / out


def test_every_record_is_an_example_or_a_reject_with_its_reason(folder):
    counts = make_examples(folder)
    examples = sum(n for name, n in counts.items() if name.startswith(("train.", "validation.")))
    rejects = [
        json.loads(line) for line in (folder / "sft" / "rejects.jsonl").read_text().splitlines()
    ]
    assert counts["records"] == 104 and examples == 100 and examples + len(rejects) == 104
    assert counts["rejects"] == {
        "states another answer": 1,
        "duplicate": 1,
        "fields of no known data set": 1,
        "longer than the context": 1,
    }
    assert counts["programs_not_run"] == 40 and counts["programs_run"] == 0
    assert "isolation" not in read_json(folder / "sft" / "manifest.json")["metrics"]


def test_all_solutions_of_a_problem_stand_on_one_side(folder):
    make_examples(folder)
    table = pq.read_table(folder / "sft" / "examples.parquet")
    sides = {}
    for question, split in zip(
        table["question"].to_pylist(), table["split"].to_pylist(), strict=True
    ):
        sides.setdefault(question, set()).add(split)
    assert all(len(side) == 1 for side in sides.values()) and {"train", "validation"} == set.union(
        *sides.values()
    )


def test_the_questions_of_the_examples_are_problems_for_rl_each_once_with_an_id_of_its_own(folder):
    more = {
        "problem": "How many legs have 3 cats?",
        "solution": "3 cats have $3 \\times 4 = \\boxed{12}$ legs.",
        "id": "p0",
    }
    (folder / "more.jsonl").write_text(
        json.dumps(more) + "\n" + json.dumps(more | {"problem": "And 4 cats?"}) + "\n"
    )
    make_examples(folder, str(folder / "more.jsonl"))
    table = pq.read_table(folder / "sft" / "examples.parquet")
    loaded = load_questions(
        [folder / "sft" / "problems.jsonl"], tiny_tokenizer(), Prompts(), 1000, 10
    )
    problems = [question.problem for question in loaded]
    assert [p.question for p in problems] == list(dict.fromkeys(table["question"].to_pylist()))
    assert len({p.id for p in problems}) == len(problems) and problems[-2].answer == "12"
    assert {p.question: (p.answer, p.language) for p in problems}.items() <= {
        (row["question"], (row["answer"], row["language"])) for row in table.to_pylist()
    }


def test_programs_that_fail_or_give_another_answer_are_left_out(folder):
    sandbox = pytest.importorskip("eval.sandbox")
    try:
        sandbox.Sandbox(timeout=5).close()
    except Exception as error:
        pytest.skip(f"no sandbox here: {error}")
    config = json.loads((folder / "sft.json").read_text())
    (folder / "sft.json").write_text(json.dumps(config | {"checked_programs": 1}))
    rows = []
    for name, code, answer in (
        ("right", "print(2)", "2"),
        ("other", "print(3)", "2"),
        ("fails", "1/0", "2"),
    ):
        rows.append(
            Solution(
                name, name, f"{name}?", answer, "pot", [{"role": "code", "content": code}]
            ).to_json()
        )
    rows.append(
        {"id": "given", "source": "data/PoT/x.json", "instruction": "5?", "output": "print(5)"}
    )
    turns = [{"role": "code", "content": "print(7)"}, {"role": "output", "content": "8"}]
    turns.append({"role": "text", "content": "\\boxed{8}"})
    rows.append(Solution("lies", "lies", "lies?", "8", "tool", turns).to_json())
    (folder / "solutions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    counts = make_examples(folder)
    assert "rlimits" in read_json(folder / "sft" / "manifest.json")["metrics"]["isolation"]
    assert counts["rejects"] == {
        "program gives another answer": 1,
        "program: error": 1,
        "program prints another output": 1,
    }
    table = pq.read_table(folder / "sft" / "examples.parquet").to_pylist()
    assert {row["id"]: row["answer"] for row in table} == {"right": "2", "given": "5"}


def test_fine_tuning_lowers_the_loss_on_held_out_problems_and_loads_again(folder):
    make_examples(folder)
    out = run(folder, "model")
    metrics = read_json(out / "manifest.json")["metrics"]
    assert metrics["after"]["validation_loss.cot"] < metrics["before"]["validation_loss.cot"]
    assert (
        len([line for line in (out / "metrics.jsonl").read_text().splitlines() if '"loss"' in line])
        == 6
    )


def test_a_resumed_run_ends_with_the_same_weights(folder, monkeypatch):
    make_examples(folder)
    whole = run(folder, "whole")
    broken_off(folder, monkeypatch)
    resumed = run(folder, "resumed", "--resume", str(folder / "resume"))
    assert (resumed / "model.safetensors").read_bytes() == (
        whole / "model.safetensors"
    ).read_bytes()


def broken_off(folder, monkeypatch):
    """A training that was stopped after its first checkpoint, in folder / "resume"."""
    original, calls = fine_tuning.Examples.rows, []

    def dies_once(self, indices):
        calls.append(1)
        if len(calls) == 8:
            raise KeyboardInterrupt
        return original(self, indices)

    monkeypatch.setattr(fine_tuning.Examples, "rows", dies_once)
    with pytest.raises(KeyboardInterrupt):
        run(folder, "broken", "--resume", str(folder / "resume"))
    monkeypatch.setattr(fine_tuning.Examples, "rows", original)
    assert list((folder / "resume").glob("step-*.pt"))


def test_a_fresh_start_moves_the_checkpoints_aside_and_ends_with_the_same_weights(
    folder, monkeypatch, capsys
):
    make_examples(folder)
    whole = run(folder, "whole")
    broken_off(folder, monkeypatch)
    fresh = run(folder, "fresh", "--fresh", "--resume", str(folder / "resume"))
    assert list((folder / "resume.aside-1").glob("step-*.pt"))
    assert not (folder / "resume").exists()
    assert "(--fresh); moved to" in capsys.readouterr().err
    name = "model.safetensors"
    assert (fresh / name).read_bytes() == (whole / name).read_bytes()


def test_a_run_with_smaller_micro_batches_goes_on_from_the_checkpoint(folder, monkeypatch, capsys):
    make_examples(folder)
    broken_off(folder, monkeypatch)
    config = json.loads((folder / "sft.json").read_text())
    config["optimisation"] |= {"micro_batch_tokens": 64, "checkpoint_every": 1}
    (folder / "sft.json").write_text(json.dumps(config))
    steps = []
    original = fine_tuning.Examples.rows
    monkeypatch.setattr(
        fine_tuning.Examples, "rows", lambda self, i: steps.append(i) or original(self, i)
    )
    run(folder, "resumed", "--resume", str(folder / "resume"))
    assert not (folder / "resume.aside-1").exists()
    assert capsys.readouterr().err.count("aside") == 0
    assert len(steps) < 6 + 3, "three evaluations' rows, and not all six steps again"


def test_the_loss_weighs_every_scored_token_of_a_step_the_same(folder):
    make_examples(folder)
    training, _ = read_examples(folder / "sft" / "examples.parquet")
    rows = training.rows([0, 5, 9])
    weights = np.concatenate([row.columns["weight"][row.loss_mask] for row in rows])
    assert weights.sum() == pytest.approx(1) and len(set(weights.tolist())) == 1
    assert rows[0].input_ids[0] == 256 and not rows[0].loss_mask[0] and rows[0].loss_mask[-1]


def test_examples_longer_than_the_models_context_are_refused_with_the_way_out(folder):
    make_examples(folder)
    tiny_model(max_position_embeddings=16).save_pretrained(folder / "base")
    with pytest.raises(UserError, match=r"set sft\.context to 16"):
        run(folder, "model")


def test_files_without_usable_solutions_are_one_clear_line(folder):
    (folder / "solutions.jsonl").write_text('{"odd": 1}\n')
    with pytest.raises(UserError, match="no usable solution "):
        make_examples(folder)


@pytest.mark.parametrize("attention", ["sdpa_rows", "sdpa", "eager"])
def test_examples_packed_into_one_sequence_have_the_logits_of_each_alone(folder, attention):
    make_examples(folder)
    training, _ = read_examples(folder / "sft" / "examples.parquet")
    rows = training.rows(list(range(12)))
    model = tiny_model(attention=attention)
    (batch,) = micro_batches(rows, 10_000, packed=True)
    assert batch.input_ids.shape == (1, sum(map(len, rows)) - 12)
    assert (batch.position_ids == 0).sum() == 12
    packing = {"attention_mask": None}
    if attention == "sdpa_rows":
        packing = packing_arguments(batch.ragged)
    packed = model(
        input_ids=batch.input_ids, position_ids=batch.position_ids, use_cache=False, **packing
    ).logits[0]
    start = 0
    for index in batch.rows:
        ids = torch.from_numpy(rows[index].input_ids[:-1].astype(np.int64))[
            None
        ]  # the last one predicts nothing
        alone = model(input_ids=ids, use_cache=False).logits[0]
        assert torch.allclose(packed[start : start + ids.shape[1]], alone, atol=2e-4)
        start += ids.shape[1]
    # An example's scores do not change with its neighbours either.
    first, second = (row_log_probs(model, part, 10_000)[-1] for part in (rows[:6], rows[3:6]))
    assert np.allclose(first, second, atol=1e-5)


def test_padded_and_packed_training_take_the_same_steps(folder):
    make_examples(folder)
    losses = {}
    for batching in ("padded", "packed"):
        config = json.loads((folder / "sft.json").read_text())
        config["optimisation"]["batching"] = batching
        (folder / "sft.json").write_text(json.dumps(config))
        lines = map(json.loads, (run(folder, batching) / "metrics.jsonl").read_text().splitlines())
        losses[batching] = [line["loss"] for line in lines if "loss" in line]
    assert len(losses["padded"]) == 6 and losses["padded"] == pytest.approx(
        losses["packed"], rel=1e-4
    )


def test_the_papers_numbers_are_the_defaults():
    settings = SFT()
    assert (settings.context, settings.batch_sequences, settings.steps) == (4096, 256, 500)
    assert {learning_rate(settings.optimisation.schedule, step, 500) for step in range(500)} == {
        5e-5
    }


def test_the_best_evaluation_can_become_the_model(folder):
    make_examples(folder)
    config = json.loads((folder / "sft.json").read_text())
    # At this rate the loss rises after the first evaluation.
    config |= {"evaluate_every": 2, "steps": 7}
    config["optimisation"] |= {"final": "best", "schedule": {"peak": 0.05}}
    (folder / "sft.json").write_text(json.dumps(config))
    out = run(folder, "model", "--resume", str(folder / "resume"))
    metrics = read_json(out / "manifest.json")["metrics"]
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    means = {}
    for line in lines:
        values = [value for name, value in line.items() if name.startswith("validation_loss.")]
        if values and line["step"]:
            means.setdefault(line["step"], sum(values) / len(values))
    assert metrics["best"]["step"] == min(means, key=means.get)
    assert sum(metrics["after"].values()) / len(metrics["after"]) == pytest.approx(
        metrics["best"]["value"], abs=2e-5
    )
