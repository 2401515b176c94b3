"""The DAG: what reruns when something changes, told by dry runs on a finished skeleton of results."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
SNAKEMAKE = [sys.executable, "-m", "snakemake"]
TARGETS = (
    "coder_model corpus corpus_report base_model sft_model reward_model process_reward_model rl_model evaluation "
)
TARGETS += "results_report all"


def snakemake(*arguments, cwd, expect=0):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*SNAKEMAKE, "--snakefile", str(ROOT / "Snakefile"), "--directory", str(cwd), *map(str, arguments)],
        capture_output=True, text=True, env=environment, cwd=ROOT, timeout=300,
    )  # fmt: skip
    assert done.returncode == expect, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout + done.stderr


def planned(*arguments, cwd) -> set[str]:
    """Names of the rules that a dry run would run."""
    text = snakemake(*arguments, "--dry-run", cwd=cwd)
    table = re.search(r"^job +count\n-+ +-+\n(.*?)^total", text, re.M | re.S)
    return {line.split()[0] for line in table[1].splitlines()} if table else set()


@pytest.mark.parametrize("target", TARGETS.split())
def test_every_target_of_the_design_can_be_planned(target, tmp_path):
    assert planned(target, cwd=tmp_path)


def test_a_typo_in_the_configuration_is_one_line_without_traceback(tmp_path):
    overlay = tmp_path / "mine.yaml"
    overlay.write_text(yaml.safe_dump({"rl": {"lerning_rate": 1e-4}}))
    text = snakemake("rl_model", "-n", "--configfile", overlay, cwd=tmp_path, expect=2)
    assert "error: preset mini: rl.lerning_rate: unknown key; did you mean 'learning_rate'?" in text
    assert "Traceback" not in text


def test_an_unknown_preset_is_one_line(tmp_path):
    text = snakemake("rl_model", "-n", "--config", "preset=mimi", cwd=tmp_path, expect=2)
    assert "preset 'mimi'" in text and "Traceback" not in text


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A results folder that Snakemake believes complete: outputs touched with recorded parameters."""
    folder = tmp_path_factory.mktemp("finished")
    fake = folder / "fake"
    fake.mkdir()
    # A python on PATH that makes the outputs it is told about would not know their names; --touch needs them all.
    plan = snakemake("all", "-n", "--detailed-summary", cwd=folder)
    for line in plan.splitlines():
        name = line.split("\t")[0]
        if name.startswith("results/"):
            path = folder / name
            if path.suffix in (".json", ".parquet", ".jsonl", ".html", ".gz", ".yaml", ".bin", ".tsv", ".md"):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text("{}" if path.suffix == ".json" else "")
            else:
                path.mkdir(parents=True, exist_ok=True)
    snakemake("all", "--touch", "--cores", "1", cwd=folder)
    return folder


def test_a_second_run_does_nothing(finished):
    assert planned("all", cwd=finished) == set()


def overlay(folder, name, values):
    path = folder / f"{name}.yaml"
    path.write_text(json.dumps(values))
    return path


def test_changing_the_rl_section_reruns_rl_and_evaluation_only(finished):
    changed = overlay(finished, "rl", {"rl": {"learning_rate": 1.23e-5}})
    jobs = planned("all", "--configfile", changed, cwd=finished)
    assert "train_rl" in jobs
    assert jobs <= {"all", "stage_config", "train_rl", "evaluate_model", "summarise", "results_report_page"}


def test_changing_the_classifier_reruns_from_the_rounds_on_and_not_extraction(finished):
    changed = overlay(finished, "classifier", {"corpus": {"classifier": {"dimension": 17}}})
    jobs = planned("all", "--configfile", changed, cwd=finished)
    assert {"mine_round", "train_base", "train_rl"} <= jobs
    assert not jobs & {"extract_shard", "dedup", "mini_web", "mini_problems", "train_coder"}


def test_one_round_more_adds_one_round(finished):
    changed = overlay(finished, "rounds", {"corpus": {"rounds": 5}})
    text = snakemake("corpus", "-n", "--configfile", changed, cwd=finished)
    assert re.search(r"^mine_round +1$", text, re.M)
