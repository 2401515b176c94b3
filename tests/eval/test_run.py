"""Evaluation runs: parts, the cache, graded rows, scores, with a tiny random model in place of a trained one."""

import json

import pyarrow.parquet as pq
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel, Qwen2Config, Qwen2ForCausalLM

from eval import run as eval_run
from eval.reporting.lm_eval_format import harness_results
from eval.reporting.metrics import group_answers
from eval.sampling.work_units import Problems, plan
from eval.summary import compare_models, same_answers, summarise
from eval.table import table
from eval.tasks.declarations import Benchmark
from eval.verdicts.graded_samples import graded_rows
from pipeline.artifacts.records import Problem
from pipeline.config.eval import Evaluation
from pipeline.errors import UserError
from pipeline.inference.engine import SampleRequest, SamplingSettings
from pipeline.inference.forward_sampler import ForwardSampler
from pipeline.inference.sampler import Sampler
from tests.support.tiny_model import VOCABULARY, tiny_model, tiny_tokenizer

OWN = Benchmark("own", "own", "", "latex")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A model folder and a benchmark of three problems."""
    folder = tmp_path_factory.mktemp("world")
    tiny_model().save_pretrained(folder / "model")
    tiny_tokenizer().save_pretrained(folder / "model")
    rows = [
        {"id": f"p{i}", "question": f"What is {i}+1?", "answer": str(i + 1), "level": "1"}
        for i in range(3)
    ]
    (folder / "own.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    settings = {
        "modes": ["cot", "tool"],
        "samples": 2,
        "sample_modes": ["cot"],
        "max_new_tokens": 6,
        "batch": 4,
    }
    (folder / "eval.json").write_text(json.dumps(settings))
    return folder


def evaluate(world, out, *more):
    arguments = [
        "--model",
        str(world / "model"),
        "--benchmark",
        str(world / "own.jsonl"),
        "--out",
        str(out),
    ]
    eval_run.main(
        [*arguments, "--cache", str(world / "cache"), "--config", str(world / "eval.json"), *more]
    )
    return {file.stem: pq.read_table(file).to_pylist() for file in sorted(out.glob("*.parquet"))}


def test_a_run_writes_a_row_a_sample_with_the_stable_columns(world, tmp_path, capsys):
    tables = evaluate(world, tmp_path / "out")
    assert list(tables) == ["own.cot", "own.tool"] and [len(rows) for rows in tables.values()] == [
        9,
        3,
    ]

    row = tables["own.cot"][0]
    stable = {"id", "prompt", "output", "extracted", "gold", "correct", "tokens", "seconds"}

    assert (
        stable <= row.keys()
        and row["id"] == "p0"
        and row["gold"] == "1"
        and "What is 0+1?" in row["prompt"]
    )
    assert row["logprob"] < 0 and {
        row["tokens"] <= 6 for rows in tables.values() for row in rows
    } == {True}
    assert [(r["greedy"], r["sample"]) for r in tables["own.cot"][3:6]] == [
        (False, 0),
        (False, 1),
        (False, 0),
    ]

    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())

    assert manifest["metrics"]["isolation"] and manifest["counts"]["own.cot"]["samples"] == 9
    assert "own.cot" in capsys.readouterr().out


def test_what_was_decoded_is_not_decoded_again_and_gives_the_same_files(
    world, tmp_path, monkeypatch
):
    first = evaluate(world, tmp_path / "a")
    monkeypatch.setattr(eval_run, "_attempt_parts", lambda *_: pytest.fail("decoded again"))

    assert evaluate(world, tmp_path / "b") == first
    assert (tmp_path / "a" / "own.cot.parquet").read_bytes() == (
        tmp_path / "b" / "own.cot.parquet"
    ).read_bytes()


def test_other_settings_another_model_or_another_question_are_other_parts(world):
    settings, problems = Evaluation(samples=0), [Problem("p", "1+1?", "2")]

    def name(settings=settings, problems=problems, made_by="m"):
        (part,) = plan([Problems(OWN, "", problems)], ["cot"], settings, "chat")
        return part.path(world, {"model": made_by}).name

    assert name() == name()
    assert len({name(), name(made_by="n"), name(problems=[Problem("p", "1+2?", "2")])}) == 3


def test_a_killed_run_goes_on_with_the_parts_that_are_missing(world, tmp_path):
    evaluate(world, tmp_path / "whole")
    kept = sorted((world / "cache").glob("*.parquet"))
    kept[0].unlink()

    assert evaluate(world, tmp_path / "again") == evaluate(world, tmp_path / "whole")


def test_parts_hold_about_as_many_samples_whatever_their_number_a_problem(monkeypatch):
    monkeypatch.setattr("eval.sampling.work_units.PART", 160)
    problems = [Problem(f"p{i}", "?", "1") for i in range(100)]
    settings = Evaluation(modes=["cot"], samples=16)
    parts = list(plan([Problems(OWN, "", problems)], ["cot"], settings, "chat"))

    assert [part.attempts for part in parts] == [100, *[160] * 10]
    assert [p for part in parts[1:] for p in part.problems] == problems


@pytest.mark.parametrize(
    ("change", "decoded_again"),
    [({"batch": 3}, False), ({"sandbox": {"workers": 1}}, False), ({"temperature": 0.9}, True)],
)
def test_settings_of_speed_alone_decode_nothing_again(
    world, tmp_path, monkeypatch, change, decoded_again
):
    first = evaluate(world, tmp_path / "a")
    settings = json.loads((world / "eval.json").read_text())
    (tmp_path / "eval.json").write_text(json.dumps(settings | change))
    parts = []
    attempt = eval_run._attempt_parts
    monkeypatch.setattr(
        eval_run, "_attempt_parts", lambda *given: (parts.extend(given[2]), attempt(*given))
    )

    again = evaluate(world, tmp_path / "b", "--config", str(tmp_path / "eval.json"))
    assert bool(parts) == decoded_again and (again == first) != decoded_again


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "no/such/folder", "--benchmark", "x.jsonl"], "no such file"),
        (
            ["--model", "m", "--benchmark", "x.jsonl", "--resume", "a", "--cache", "b"],
            "one of both",
        ),
        (
            ["--model", "m", "--benchmark", "x.jsonl", "--style", "few-shot", "--mode", "tool"],
            "--style chat",
        ),
        (["--model", "m", "--benchmark", "x.jsonl", "--samples", "-1"], "allowed is 0 or more"),
    ],
)
def test_a_mistake_is_one_clear_line(arguments, message):
    with pytest.raises(UserError, match=message):
        eval_run.main(arguments)


def test_a_folder_that_is_no_model_is_named_before_anything_is_read(world, tmp_path):
    with pytest.raises(UserError, match=r"no config\.json"):
        eval_run.main(
            [
                "--model",
                str(tmp_path),
                "--benchmark",
                str(world / "own.jsonl"),
                "--cache",
                str(tmp_path),
            ]
        )


def test_a_model_that_is_nowhere_is_named(world, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "huggingface_hub.constants.HF_HUB_OFFLINE", True
    )  # the variable is read once, at import
    with pytest.raises(UserError, match="no/such-model"):
        eval_run.main(
            [
                "--model",
                "no/such-model",
                "--benchmark",
                str(world / "own.jsonl"),
                "--cache",
                str(tmp_path),
            ]
        )


def _attempt(id_, output, **more):
    return {"id": id_, "output": output, "printed": None, "greedy": True} | more


def test_both_verdicts_are_stored_with_each_sample():
    problems = [Problem("a", "?", "8"), Problem("b", "?", "42")]
    rows = [_attempt("a", "so \\boxed{800}"), _attempt("b", "so \\boxed{42}")]
    graded = graded_rows(rows, problems, OWN, "cot", None)

    assert [(row["correct"], row["compat"]) for row in graded] == [(False, True), (True, True)]


def test_in_tool_mode_the_programs_own_output_is_graded_too():
    rows = [_attempt("a", "\\boxed{5}", printed="4"), _attempt("a", "\\boxed{4}", printed=None)]
    graded = graded_rows(rows, [Problem("a", "?", "4")], OWN, "tool", None)

    assert [(row["correct"], row["program_correct"]) for row in graded] == [
        (False, True),
        (True, False),
    ]
    assert (
        graded_rows(rows, [Problem("a", "?", "4")], OWN, "cot", None)[0]["program_correct"] is None
    )


def _row(id_, correct, greedy=True, extracted="1", sample=0, **more):
    usual = {
        "status": "ok",
        "finish": "stop",
        "tokens": 3,
        "compat": correct,
        "program_correct": None,
    }
    return (
        {"id": id_, "correct": correct, "greedy": greedy, "extracted": extracted, "sample": sample}
        | usual
        | more
    )


def test_the_summary_counts_by_hand():
    rows = [
        _row("a", True),
        _row("b", False, compat=True),
        _row("c", False, extracted=None, status="no_answer"),
    ]
    rows += [
        _row("a", i < 3, False, "0.5" if i < 2 else "\\frac12" if i == 2 else "7", i)
        for i in range(4)
    ]
    scores = summarise(rows)

    assert (scores["n"], scores["greedy"], scores["compat"]) == (3, 0.3333, 0.6667)
    assert scores["no_answer"] == 0.3333 and scores["samples"] == 4
    assert (scores["maj@4"], scores["pass@1"], scores["pass@2"], scores["pass@4"]) == (
        1.0,
        0.75,
        1.0,
        1.0,
    )
    assert scores["greedy_low"] < scores["greedy"] < scores["greedy_high"]


def test_proofs_that_could_not_be_checked_have_no_score():
    unchecked = summarise([_row("a", False, status="not_run"), _row("b", False)])
    assert unchecked == {"n": 2, "not_run": 1}
    assert "not run" in table({"m": {"minif2f.cot": unchecked}})
    assert harness_results("m", {"minif2f.cot": unchecked}, {}, Evaluation())["results"] == {}


def test_the_table_is_turned_where_there_are_many_tasks():
    scores = summarise([_row("a", True)])
    wide = table({"m": {f"t{i}.cot": scores for i in range(9)}}).splitlines()

    assert len(wide) == 11 and wide[0].split()[-1] == "m" and wide[2].startswith("t0.cot")


def test_answers_vote_together_when_they_are_equal_not_when_they_are_spelled_alike():
    assert group_answers(["0.5", "\\frac{1}{2}", None, "2", "1/2", "2.0"], same_answers) == [
        0,
        0,
        None,
        1,
        0,
        1,
    ]


def test_rounding_joins_votes_only_where_each_may_stand_for_the_other():
    assert group_answers(["1/3", "0.33"], same_answers) == [0, 1]


def test_each_model_is_compared_with_the_one_before_it_on_shared_problems():
    models = {
        "sft": {
            "own.cot": [_row("a", False), _row("b", True), _row("c", False), _row("only", True)]
        },
        "rl": {"own.cot": [_row("c", True), _row("a", True), _row("b", True)]},
    }
    (row,) = compare_models(models)

    assert (row["task"], row["first"], row["second"]) == ("own.cot", "sft", "rl")
    assert (row["wins"], row["losses"], row["p"]) == (2, 0, 0.5) and row[
        "difference"
    ] == pytest.approx(0.6667)


def test_the_harness_form_names_tasks_shots_and_errors():
    scores = summarise(
        [_row("a", True), _row("b", False), _row("a", True, False), _row("b", True, False)]
    )
    form = harness_results("some/model", {"gsm8k.cot": scores}, {"gsm8k.cot": 8}, Evaluation())

    assert form["results"]["gsm8k_cot"]["exact_match,strict"] == 0.5
    assert form["results"]["gsm8k_cot"]["exact_match_stderr,strict"] == pytest.approx(0.5)
    assert form["results"]["gsm8k_cot"]["pass@1,none"] == 1.0 and form["n-shot"]["gsm8k_cot"] == 8
    assert form["higher_is_better"]["gsm8k_cot"]["exact_match"] is True
    assert form["n-samples"]["gsm8k_cot"] == {"original": 2, "effective": 2}


def _small(kind):
    """A random model of another architecture, and the same tokenizer."""
    torch.manual_seed(0)
    sizes = {"vocab_size": VOCABULARY, "bos_token_id": 256, "eos_token_id": 257}
    if kind == "gpt2":
        return GPT2LMHeadModel(
            GPT2Config(**sizes, n_positions=64, n_embd=16, n_layer=2, n_head=2)
        ).eval()
    small = {
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
    }
    return Qwen2ForCausalLM(
        Qwen2Config(**sizes, **small, num_key_value_heads=1, max_position_embeddings=64)
    ).eval()


@pytest.mark.parametrize("kind", ["gpt2", "qwen2"])
def test_a_model_of_another_architecture_is_evaluated_too(world, tmp_path, kind):
    _small(kind).save_pretrained(tmp_path / kind)
    tiny_tokenizer().save_pretrained(tmp_path / kind)
    arguments = [
        "--model",
        str(tmp_path / kind),
        "--benchmark",
        str(world / "own.jsonl"),
        "--mode",
        "cot",
    ]
    eval_run.main(
        [
            *arguments,
            "--out",
            str(tmp_path / "out"),
            "--cache",
            str(tmp_path / "cache"),
            "--limit",
            "2",
        ]
    )

    assert pq.read_table(tmp_path / "out" / "own.cot.parquet").num_rows == 2


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_the_general_sampler_gives_what_the_own_sampler_gives(temperature):
    model, tokenizer = tiny_model(), tiny_tokenizer()
    prompts = [[256, 10, 20, 30], [256, 5], [256, *range(40, 60)]]
    settings = SamplingSettings(temperature=temperature, max_new_tokens=12, seed=3, stop=("t",))
    own = Sampler(model, tokenizer, max_batch=4).sample(
        SampleRequest(prompts, 3, settings, keys=["a", "b", "c"])
    )
    general = ForwardSampler(model, tokenizer, 4).sample(
        SampleRequest(prompts, 3, settings, keys=["a", "b", "c"])
    )

    assert [[s.ids for s in group] for group in own] == [
        [s.ids for s in group] for group in general
    ]
    assert [[(s.finish, s.stop) for s in g] for g in own] == [
        [(s.finish, s.stop) for s in g] for g in general
    ]

    logprobs = [[sum(s.logprobs) for g in groups for s in g] for groups in (own, general)]

    assert logprobs[0] == pytest.approx(logprobs[1], abs=1e-3)


def test_a_prompt_that_fills_the_context_gives_an_empty_sample():
    model = _small("gpt2")
    settings = SamplingSettings(temperature=0.0, max_new_tokens=12)
    full, nearly = ForwardSampler(model, tiny_tokenizer(), 4).sample(
        SampleRequest([[5] * 64, [5] * 62], 1, settings)
    )

    assert (full[0].ids, full[0].finish) == ([], "length") and len(nearly[0].ids) <= 2
