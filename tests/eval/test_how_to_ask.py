"""A model is asked as its folder says; what asks otherwise is named; foreign models keep their template."""

import json

import pyarrow.parquet as pq
import pytest

from eval import run as eval_run
from eval.sampling.how_to_ask import how_to_ask
from pipeline.config.eval import Evaluation
from pipeline.config.prompts import Prompts, Suffixes
from pipeline.errors import UserError
from pipeline.model.model_prompts import (
    FILE,
    ModelPrompts,
    carried_by,
    prompts_for,
    write_prompts,
)
from tests.support.tiny_model import tiny_model, tiny_tokenizer

OWN = Prompts(
    cot=Suffixes(en="Steps.", zh="步"),
    pot=Suffixes(en="Program.", zh="程"),
    tool=Suffixes(en="Tool.", zh="具"),
)
SETTINGS = Evaluation(modes=["cot", "tool"], max_new_tokens=5, shots=2, samples=0)
EVALUATION = SETTINGS.model_dump(mode="json")
CHATML = (
    "{% for message in messages %}{{ '<' + message['role'] + '>' + message['content'] + eos_token }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<assistant>' }}{% endif %}"
)


@pytest.fixture
def model(tmp_path):
    """A model folder with a prompts.json, beside a benchmark of two problems."""
    folder = tmp_path / "model"
    tiny_model().save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    write_prompts(folder, ModelPrompts.of("chat", None, OWN, EVALUATION))

    rows = [{"id": f"p{i}", "question": f"What is {i}+1?", "answer": str(i + 1)} for i in range(2)]
    (tmp_path / "own.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def arguments(model, *more):
    return ["--model", str(model), "--benchmark", str(model.parent / "own.jsonl"), *more]


def resolved(model, *more):
    return how_to_ask(eval_run.parse_args(arguments(model, *more)))


def evaluate(model, *more):
    out = model.parent / "out"
    folders = ["--out", str(out), "--cache", str(model.parent / "cache")]
    eval_run.main([*arguments(model, *more), *folders])
    return {file.stem: pq.read_table(file).to_pylist() for file in sorted(out.glob("*.parquet"))}


def test_without_options_a_model_is_asked_as_its_folder_says(model, capsys):
    tables = evaluate(model)
    assert list(tables) == ["own.cot", "own.tool"]
    assert tables["own.cot"][0]["prompt"].endswith("User: What is 0+1?\nSteps.\n\nAssistant:")
    assert tables["own.tool"][0]["prompt"].endswith("User: What is 0+1?\nTool.\n\nAssistant:")
    assert {row["tokens"] <= 5 for row in tables["own.cot"]} == {True}
    assert "asked otherwise" not in capsys.readouterr().err


def test_what_asks_otherwise_is_named_in_one_line(model, tmp_path, capsys):
    other = OWN.model_dump() | {"cot": {"en": "Slowly.", "zh": "步"}}
    (tmp_path / "prompts.json").write_text(json.dumps(other))
    (tmp_path / "eval.json").write_text(json.dumps({"max_new_tokens": 7, "samples": 0}))
    asking = resolved(
        model,
        *("--prompts", str(tmp_path / "prompts.json")),
        *("--config", str(tmp_path / "eval.json"), "--mode", "cot"),
    )

    assert asking.prompts.cot.en == "Slowly." and asking.settings.max_new_tokens == 7
    (line,) = capsys.readouterr().err.splitlines()
    assert "'Slowly.', not 'Steps.'" in line and "max_new_tokens 7, not 5" in line

    resolved(model, "--mode", "pot")
    assert "mode pot, not cot or tool" in capsys.readouterr().err
    resolved(model, "--style", "few-shot")
    assert "style few-shot, not chat" in capsys.readouterr().err


def test_the_settings_of_the_models_own_run_warn_of_nothing(model, tmp_path, capsys):
    (tmp_path / "prompts.json").write_text(OWN.model_dump_json())
    (tmp_path / "eval.json").write_text(SETTINGS.model_dump_json())
    resolved(
        model,
        *("--prompts", str(tmp_path / "prompts.json"), "--config", str(tmp_path / "eval.json")),
    )
    assert capsys.readouterr().err == ""


def test_a_base_model_is_shown_examples_by_default(model):
    write_prompts(model, ModelPrompts.of("few-shot", None, OWN, EVALUATION))
    asking = resolved(model)
    assert (asking.style, asking.modes, asking.settings.shots) == ("few-shot", ["cot"], 2)
    with pytest.raises(UserError, match="--mode tool"):
        resolved(model, "--mode", "tool")


@pytest.mark.parametrize("samples", [(), ("--samples", "2")])
def test_sampled_are_the_modes_that_are_asked(model, samples):
    settings = resolved(model, "--mode", "pot", *samples).settings
    assert settings.modes == ["pot"]
    assert settings.sample_modes == (["pot"] if samples else [])


def test_a_foreign_model_keeps_its_own_template(model, capsys):
    (model / FILE).unlink()
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = CHATML
    tokenizer.save_pretrained(model)

    row = evaluate(model, "--mode", "cot", "--limit", "1")["own.cot"][0]
    assert row["prompt"] == f"<user>What is 0+1?\n{Prompts().cot.en}<eos><assistant>"
    assert "by its own chat template" in capsys.readouterr().err


def test_a_foreign_model_without_template_bos_and_pad_is_asked_in_our_format(model, capsys):
    (model / FILE).unlink()
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = tokenizer.bos_token = tokenizer.pad_token = None
    tokenizer.save_pretrained(model)
    (model / "chat_template.jinja").unlink(missing_ok=True)

    row = evaluate(model, "--mode", "cot", "--limit", "1")["own.cot"][0]
    assert row["prompt"].startswith("User: What is 0+1?\n")
    assert "no chat template" in capsys.readouterr().err


def test_stop_strings_of_the_model_end_its_answers(model):
    free = evaluate(model, "--mode", "cot")["own.cot"][0]["output"]
    mark = free.strip()[:1]
    carried = carried_by(model)
    stop = carried.stop | {"cot": [mark]}
    write_prompts(model, carried.model_copy(update={"stop": stop}))

    stopped = evaluate(model, "--mode", "cot")["own.cot"][0]["output"]
    assert len(stopped) < len(free) and stopped.endswith(mark)


# What trained models carry, and whose word holds.


def test_a_trained_model_carries_its_run_and_where_that_is_silent_its_start():
    start = ModelPrompts.of("few-shot", None, OWN, EVALUATION)
    assert start.modes == ["cot"], "no tool without chat"

    other = {"modes": ["pot"], "sample_modes": [], "max_new_tokens": 9}
    trained = ModelPrompts.of("chat", start, None, other)
    assert (trained.style, trained.modes, trained.max_new_tokens) == ("chat", ["pot"], 9)
    assert trained.suffixes == OWN and ModelPrompts.of("chat", start, None, None).shots == 2


def test_prompts_given_win_with_a_warning_and_a_foreign_model_gets_the_papers(
    model, tmp_path, capsys
):
    assert prompts_for(model, None) == OWN
    (tmp_path / "paper.json").write_text(Prompts().model_dump_json())
    assert prompts_for(model, tmp_path / "paper.json") == Prompts()
    assert "asked otherwise" in capsys.readouterr().err

    (model / FILE).unlink()
    assert prompts_for(model, None) == Prompts()


def test_a_later_versions_file_is_read_and_a_broken_one_is_one_line(model):
    values = json.loads((model / FILE).read_text())
    (model / FILE).write_text(json.dumps(values | {"invented_later": 1}))
    assert carried_by(model).suffixes == OWN

    (model / FILE).write_text(json.dumps(values | {"style": "shouting"}))
    with pytest.raises(UserError, match=r"prompts\.json.*style"):
        carried_by(model)


def test_generate_finds_the_length_of_answers_where_it_looks(model):
    generation = json.loads((model / "generation_config.json").read_text())
    assert generation["max_new_tokens"] == 5
