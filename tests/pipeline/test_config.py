"""Presets: the paper by default, one clear line for a mistake."""

from pathlib import Path

import pytest
import yaml

from pipeline.config.corpus import Classifier
from pipeline.config.load import PRESETS, Config, load_preset
from pipeline.config.read import read_section
from pipeline.errors import UserError
from pipeline.workflow import stage_json


@pytest.mark.parametrize("preset", sorted(path.stem for path in PRESETS.glob("*.yaml")))
def test_every_preset_is_valid_and_named_after_its_file(preset):
    assert load_preset(preset).name == preset


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
    ],
)
def test_a_mistake_names_key_value_and_what_is_allowed(overlay, line):
    with pytest.raises(UserError) as error:
        load_preset("mini", overlay)
    assert line in str(error.value) and "\n" not in str(error.value)


def test_an_unknown_preset_lists_the_known_ones():
    with pytest.raises(UserError, match=r"preset 'mimi': no file mimi.yaml; there are .*mini"):
        load_preset("mimi")


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
    assert set(preset) <= {"name", "sources"}, (
        "the schema is the paper: its preset names sources only"
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
