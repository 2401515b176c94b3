"""A run that starts from another one: what is taken, what still runs, and what is refused before any job."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from pipeline.artifacts.write import file_digest, write_json
from pipeline.config.load import RECORD, load_preset
from pipeline.errors import UserError
from pipeline.reuse import take
from pipeline.reuse.earlier import taken_of
from pipeline.workflow import benchmark_files

ROOT = Path(__file__).resolve().parents[2]
FOLLOWS = {"take_stages", "train_rl", "evaluate_model", "summarise", "results_report_page"}
"""The rules of a study that changes RL alone; beside them only what makes no artifact of a stage may run."""
RESULTS = Path("results/mine")
pytestmark = pytest.mark.slow


def snakemake(*arguments, cwd, repository=ROOT) -> str:
    command = [sys.executable, "-m", "snakemake", "--snakefile", repository / "Snakefile"]
    command += ["--directory", cwd, *arguments]
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, cwd=repository, timeout=900
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout + done.stderr


def planned(text: str) -> dict[str, int]:
    """Rules of a dry run, and how often."""
    table = re.search(r"^job +count\n-+ +-+\n(.*?)^total", text, re.M | re.S)
    rows = [line.split() for line in table[1].splitlines()] if table else []
    return {name: int(count) for name, count in rows}


def overlay(folder: Path, **values) -> Path:
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def taken(run: Path, start: Path | None = None, **changes):
    """What a run of preset smoke takes of `run`, where `changes` are made to its settings."""
    config = load_preset("smoke", {"name": "mine", "from": str(start or run), **changes})
    return taken_of(config, RESULTS, benchmark_files(config.sources.benchmarks, str(RESULTS)))


@pytest.fixture
def run(smoke) -> Path:
    return smoke / "results" / "smoke"


@pytest.fixture
def copy(run, tmp_path) -> Path:
    """A copy of the run, to be damaged by a test."""
    return Path(shutil.copytree(run, tmp_path / "copy"))


def state_of(run: Path) -> dict[str, tuple[int, int]]:
    return {str(p): (p.stat().st_mtime_ns, p.stat().st_size) for p in run.rglob("*") if p.is_file()}


def test_a_changed_reward_is_rl_and_evaluation_only_whatever_code_changed(run, tmp_path):
    mine = overlay(
        tmp_path, **{"extends": "smoke", "from": str(run), "rl": {"rewards": {"format": 1.0}}}
    )
    text = snakemake("rl_model", "-n", "--config", f"preset={mine}", cwd=tmp_path)
    jobs = planned(text)
    assert set(jobs) - {"rl_model", "stage_config", "record_environment"} == FOLLOWS
    assert jobs["train_rl"] == jobs["evaluate_model"] == 1
    assert f"run mine, in results/mine/ (preset {mine})" in text
    assert f"  sft             {run}/models/sft\n" in text

    # The code of stages before RL changes; none of them runs again.
    changed = tmp_path / "changed"
    ignored = shutil.ignore_patterns(".git", "__pycache__", ".snakemake", "results")
    shutil.copytree(ROOT, changed, ignore=ignored, symlinks=True)
    for file in (
        "corpus/round.py",
        "mini/problems.py",
        "pretrain/train.py",
        "sft/train.py",
        "sft/data.py",
    ):
        with open(changed / file, "a") as stream:
            stream.write("\n\nADDED = 1\n")
    again = planned(
        snakemake("rl_model", "-n", "--config", f"preset={mine}", cwd=tmp_path, repository=changed)
    )
    assert again == jobs


def test_the_new_run_holds_what_it_took_and_trains_from_it(run, tmp_path):
    before = state_of(run)
    rl = {"steps": 2, "group_size": 8}
    # Without `extends` all settings but these are the other run's.
    mine = overlay(tmp_path, **{"name": "mine", "from": str(run), "rl": rl})
    snakemake("rl_model", "--cores", "2", "--config", f"preset={mine}", cwd=tmp_path)
    results = tmp_path / RESULTS

    for path in ("models/sft/model.safetensors", "reports/corpus.html", "sft/examples.parquet"):
        assert (results / path).read_bytes() == (run / path).read_bytes()
    record = json.loads((results / "taken.json").read_text())
    assert record["from"] == str(run)
    assert record["digests"]["models/sft"] == file_digest(run / "models/sft")
    manifest = json.loads((results / "models/rl/manifest.json").read_text())
    assert manifest["inputs"]["sft"] == record["digests"]["models/sft"]
    assert manifest["settings"]["group_size"] == 8

    summary = json.loads((results / "eval/summary.json").read_text())
    assert set(summary) == {"coder", "base", "sft", "rl"}
    assert summary["sft"] == json.loads((run / "eval/summary.json").read_text())["sft"]
    assert state_of(run) == before, "the other run is left as it is"

    again = snakemake("rl_model", "-n", "--config", f"preset={mine}", cwd=tmp_path)
    assert planned(again) == {}
    # A run may start from one that has taken stages itself.
    assert "models/sft" in taken(results).artifacts


def test_evaluations_are_taken_where_they_would_come_out_the_same(run, copy):
    assert "eval/sft" in taken(run).artifacts and "eval/rl" not in taken(run).artifacts
    assert "eval/sft" not in taken(run, eval={"samples": 3}).artifacts

    manifest = json.loads((copy / "eval/sft/manifest.json").read_text())
    write_json(copy / "eval/sft/manifest.json", manifest | {"code": "of another grader"})
    assert "eval/sft" not in taken(copy).artifacts
    assert "eval/base" in taken(copy).artifacts


def test_a_model_of_the_run_says_how_far_stages_are_taken(run):
    less = taken(run, start=run / "models" / "base", sft={"steps": 3})
    assert [stage.name for stage in less.stages] == ["world", "coder", "corpus", "base"]
    assert "models/sft" not in less.artifacts and "corpus/final" in less.artifacts
    whole = taken(run, start=run / "models" / "rl", eval={"temperature": 0.9})
    assert "models/rl" in whole.artifacts


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"sft": {"steps": 3}}, r"sft\.steps = 3: is 60 in .*, whose stage sft is taken .*models/base\)"),
        ({"seed": 1}, r"mini\.seed = 1: is 0 in .*, whose stage world .* leave out `from`"),
        ({"prompts": {"cot": {"en": "?"}}}, r'prompts\.cot\.en = "\?": is "Step by step\."'),
        ({"corpus": {"rounds": 3}}, r"corpus\.rounds = 3: is 2 in .*, whose stage corpus"),
        ({"sources": {"coder": "a/b"}}, r'sources\.coder = "a/b": is "mini" in '),
        ({"pretrain": {"optimisation": {"clip_norm": 2}}}, r"pretrain\.optimisation\.clip_norm = 2\.0"),
        ({"corpus": {"classifier": {"dimension": 17}}}, r"corpus\.classifier\.dimension = 17: is 16"),
    ],
)  # fmt: skip
def test_a_setting_of_a_taken_stage_that_differs_is_one_line_with_its_name(run, changes, line):
    with pytest.raises(UserError, match=line) as error:
        taken(run, **changes)
    assert "\n" not in str(error.value)


def test_settings_of_speed_and_of_later_stages_may_differ(run):
    changes = {"rl": {"group_size": 2}, "sft": {"optimisation": {"micro_batch_tokens": 99}}}
    assert "models/sft" in taken(run, **changes).artifacts
    other = taken(run, reward={"epochs": 2})
    assert "models/reward" not in other.artifacts
    assert any("reward: not taken, reward.epochs is 3" in note for note in other.notes)


def test_the_manifest_of_a_model_counts_more_than_the_settings_beside_it(copy):
    settings = json.loads((copy / "config/sft.json").read_text())
    write_json(copy / "config/sft.json", settings | {"steps": 3})
    with pytest.raises(UserError, match=r"sft\.steps = 3: is 60"):
        taken(copy, sft={"steps": 3})


def test_what_is_no_finished_run_is_refused(copy, tmp_path):
    with pytest.raises(UserError, match="no such folder; allowed: the folder of a run"):
        taken(tmp_path / "nowhere")
    with pytest.raises(UserError, match="is no run"):
        taken(tmp_path)
    (copy / "models/base/manifest.json").unlink()
    with pytest.raises(
        UserError, match=r"stage base of .* is not finished, models/base is missing"
    ):
        taken(copy)
    config = load_preset("smoke", {"from": str(copy)})
    with pytest.raises(UserError, match="is the folder of this run itself"):
        taken_of(config, copy, {})


def test_a_model_that_was_made_from_another_one_is_refused_when_it_is_taken(copy, tmp_path):
    card = copy / "models/base/README.md"
    card.write_text("another base model")
    with pytest.raises(UserError, match=r"models/sft: was not made from the models/base that lies"):
        take.main(
            ["--from", str(copy), "--out", str(tmp_path / "out"), "models/base", "models/sft"]
        )
    assert not (tmp_path / "out").exists()


def test_large_files_are_shared_and_small_ones_and_snakemakes_own_are_not(tmp_path):
    source = tmp_path / "a" / "models"
    (source / "deep").mkdir(parents=True)
    (source / "deep" / "weights").write_bytes(bytes(take.LINKED_BYTES))
    (source / "manifest.json").write_text("{}")
    (source / ".snakemake_timestamp").write_text("")
    take.take(source, tmp_path / "b")
    assert os.path.samefile(source / "deep" / "weights", tmp_path / "b" / "deep" / "weights")
    assert not os.path.samefile(source / "manifest.json", tmp_path / "b" / "manifest.json")
    assert not (tmp_path / "b" / ".snakemake_timestamp").exists()


def test_without_a_record_the_preset_must_be_named_and_sources_are_said_to_be_unchecked(
    copy, tmp_path
):
    (copy / RECORD).unlink()
    mine = overlay(tmp_path, **{"from": str(copy)})
    with pytest.raises(UserError, match="no settings are recorded there"):
        load_preset(mine)
    assert any("not checked" in note for note in taken(copy).notes)
