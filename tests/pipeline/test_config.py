"""Presets: the paper by default, one clear line for a mistake."""

import time
from pathlib import Path

import pytest
import yaml

from eval.tasks.declarations import TABLE
from pipeline.config.corpus import Classifier
from pipeline.config.load import PRESETS, Config, load_preset
from pipeline.config.read import read_section
from pipeline.errors import UserError
from pipeline.workflow import check_sources, print_beginning, stage_json


@pytest.mark.parametrize("preset", sorted(path.stem for path in PRESETS.glob("*.yaml")))
def test_every_preset_is_valid_and_named_after_its_file(preset):
    assert load_preset(preset).name == preset


def mixture(name, path):
    return {"pretrain": {"mixture": {name: {"path": path, "weight": 1}}}}


@pytest.mark.parametrize(
    ("overlay", "line"),
    [
        ({"sources": {"benchmarks": {"gsm9k": "hub"}}}, "benchmarks.gsm9k = 'hub': no benchmark of that name"),
        ({"sources": {"heldout_text": {"poetry": "mini"}}}, "heldout_text.poetry = 'mini': no held-out text"),
        ({"sources": {"heldout_text": {"math": "hub"}}}, "sources.heldout_text.math = 'hub': no such file"),
        (mixture("poetry", "mini"), "mixture.poetry.path = 'mini': no text of that name; there are code, prose"),
        (mixture("a", "no.jsonl"), "pretrain.mixture.a.path = 'no.jsonl': no such file"),
        ({"sources": {"problems": ["no.jsonl"]}}, "sources.problems = 'no.jsonl': no such file"),
    ],
)  # fmt: skip
def test_a_name_or_file_that_is_not_there_is_refused_before_any_job(overlay, line):
    with pytest.raises(UserError) as error:
        check_sources(load_preset("mini", overlay), known_benchmarks=TABLE)
    assert line in str(error.value)


@pytest.mark.parametrize("preset", ["mini", "smoke"])
def test_presets_of_the_built_in_world_name_nothing_that_is_not_there(preset):
    check_sources(load_preset(preset), known_benchmarks=TABLE)


OVERLAYS = sorted((PRESETS.parent / "examples" / "overlays").glob("*.yaml"))


@pytest.mark.parametrize("path", OVERLAYS, ids=lambda path: path.stem)
def test_every_overlay_of_the_examples_is_a_study_of_rl_alone(path):
    mine, mini = load_preset(path), load_preset("mini")
    assert mine.name == path.stem and mine.from_run == "results/mini"
    assert mine.rl != mini.rl
    assert mine.model_copy(update={"rl": mini.rl, "name": "mini", "from_run": None}) == mini


@pytest.mark.parametrize(
    ("overlay", "line"),
    [
        ({"corpuss": {}}, "corpuss: unknown key; did you mean 'corpus'?"),
        ({"corpus": {"rouns": 1}}, "corpus.rouns: unknown key; did you mean 'rounds'?"),
        (
            {"corpus": {"rounds": 0}},
            "corpus.rounds = 0: input should be greater than or equal to 1",
        ),
        ({"seed": "many"}, "seed = 'many': input should be a valid integer"),
        ({"corpus": 3}, "corpus = 3: input should be a valid dictionary"),
        ({"rl": {"learning_rate": -1}}, "rl.learning_rate = -1: input should be greater than 0"),
        ({"name": "a/b"}, "name = 'a/b': string should match pattern"),
        ({"name": "a" * 300}, "string should have at most 100 characters"),
        ({"rl": {"steps": True}}, "rl.steps = True: true and false are allowed for switches only"),
        ({"rl": {"rewards": {"rule": True}}}, "rl.rewards: true and false are allowed"),
        ({"sources": {"warc": []}}, "list should have at least 1 item"),
        ({"sources": {"solutions": [""]}}, "string should have at least 1 character"),
        ({"sources": {"benchmarks": {"gsm8k": ""}}}, "string should have at least 1 character"),
        (
            {"coder": {"model": {"hidden": 50}}},
            "coder.model: hidden 50: must be a multiple of heads (4)",
        ),
        (
            {"coder": {"model": {"hidden": 60}}},
            "hidden 60 with 4 heads: a head has 15 numbers, it must be an even count",
        ),
        (
            {"pretrain": {"context": 1024}},
            "pretrain.context = 1024: the model is made for 512 tokens (coder.model.context)",
        ),
    ],
)
def test_a_mistake_names_key_value_and_what_is_allowed(overlay, line):
    with pytest.raises(UserError) as error:
        load_preset("mini", overlay)
    assert line in str(error.value) and "\n" not in str(error.value)


def test_an_unknown_preset_lists_the_known_ones():
    with pytest.raises(UserError, match=r"preset 'mimi': no file mimi.yaml; there are .*mini"):
        load_preset("mimi")


@pytest.mark.parametrize(
    ("file", "name"),
    [("mine.yaml", "mine"), ("my overlay.yml", "my-overlay"), ("größe 8.yaml", "gr-e-8"), ("…….yaml", "run")],
)  # fmt: skip
def test_a_run_without_a_name_is_named_after_its_file(tmp_path, file, name, capsys):
    (tmp_path / file).write_text("extends: mini\n")
    config = load_preset(tmp_path / file)
    assert config.name == name
    print_beginning({"preset": str(tmp_path / file)}, config, None)
    line = f"run {name}, in results/{name}/ (preset {tmp_path / file})\n"
    assert capsys.readouterr().err == line


def test_a_name_that_is_too_long_for_a_file_is_one_short_line():
    with pytest.raises(UserError) as error:
        load_preset("x" * 5000)
    assert len(str(error.value)) < 300


def test_a_preset_that_extends_itself_is_refused(tmp_path):
    path = tmp_path / "loop.yaml"
    path.write_text(f"extends: {path}\n")
    with pytest.raises(UserError, match="extends itself"):
        load_preset(path)


def test_a_preset_that_is_not_yaml_is_one_line(tmp_path):
    path = tmp_path / "broken.yaml"
    path.write_text("a: [1,\nb: }")
    with pytest.raises(UserError) as error:
        load_preset(path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "rl: {steps: 5}\nseed: 1\nrl: {group_size: 8}\n",
            "line 3: rl stands twice, in line 1 already",
        ),
        ("rl:\n  steps: 5\n  steps: 6\n", "line 3: steps stands twice, in line 2 already"),
        (BOMB, "more than 100,000 values, its aliases written out"),
        ("a: &a [*a]\n", "line 1: an alias that contains itself"),
        ("a: " + "[" * 3000 + "]" * 3000, "line 1: nested deeper than 30 levels"),
        ("a: " + "{b: " * 3000 + "1" + "}" * 3000, "line 1: nested deeper than 30 levels"),
        ("# " + "x" * 1_000_001, "larger than settings are (1,000,000 bytes at most)"),
        ("- a\n", "expected a mapping of settings, found list"),
    ],
    ids=range(8),
)
def test_a_file_that_is_no_settings_is_refused_at_once_with_its_line(tmp_path, text, line):
    path = tmp_path / "odd.yaml"
    path.write_text(text)
    started = time.monotonic()
    with pytest.raises(UserError) as error:
        load_preset(path)
    assert line in str(error.value) and "\n" not in str(error.value)
    assert time.monotonic() - started < 5


def test_aliases_in_a_preset_are_allowed(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "extends: mini\nsft: {optimisation: &o {clip_norm: 2}}\npretrain: {optimisation: *o}\n"
    )
    mine = load_preset(path)
    assert mine.sft.optimisation.clip_norm == mine.pretrain.optimisation.clip_norm == 2


def test_an_overlay_wins_over_the_preset_and_leaves_the_rest(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({"extends": "mini", "corpus": {"rounds": 2}}))
    mine, mini = load_preset(path), load_preset("mini")
    assert mine.corpus.rounds == 2 and mine.name == "mine"
    assert mine.sft == mini.sft and mine.corpus.classifier == mini.corpus.classifier


def test_the_seed_reaches_every_section_that_draws_random_numbers():
    config = load_preset("mini", {"seed": 7, "rl": {"seed": 9}})
    assert config.corpus.classifier.seed == config.sft.seed == config.mini.seed == 7
    assert config.rl.seed == 9


def test_a_stage_reads_back_what_the_dag_wrote_for_it(tmp_path):
    config = load_preset("mini", {"seed": 5})
    path = tmp_path / "corpus.classifier.json"
    path.write_text(stage_json(config, "corpus.classifier"))
    assert read_section(path, Classifier) == config.corpus.classifier


def test_a_round_does_not_know_how_many_rounds_there_are():
    two, four = (load_preset("mini", {"corpus": {"rounds": n}}) for n in (2, 4))
    for section in ("corpus.classifier", "corpus.selection", "corpus.dedup", "corpus.extraction"):
        assert stage_json(two, section) == stage_json(four, section)


def test_the_paper_preset_is_the_defaults():
    preset = yaml.safe_load((PRESETS / "paper.yaml").read_text())
    paper = load_preset("paper")
    assert set(preset) <= {"name", "sources", "hardware"}, (
        "the schema is the paper: its preset names sources and the machine only"
    )
    assert paper.rl == Config().rl and paper.pretrain == Config().pretrain


def test_every_setting_says_where_its_default_comes_from():
    def walk(model, path=""):
        for name, field in model.model_fields.items():
            here = f"{path}{name}"
            if isinstance(field.annotation, type) and hasattr(field.annotation, "model_fields"):
                walk(field.annotation, here + ".")
            elif name != "seed" and not field.description:
                undocumented.append(here)

    undocumented: list[str] = []
    walk(Config)
    assert not undocumented


def test_presets_are_found_from_any_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load_preset("mini").name == "mini" and Path.cwd() == tmp_path
