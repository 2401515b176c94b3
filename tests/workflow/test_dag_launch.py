"""Large presets can be planned whole, and a profile chooses how a training starts without changing what it computes."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from pipeline.config.load import load_preset
from pipeline.workflow import ROOT

PROFILES = ROOT / "profiles"
# What is of use as a seed, a problem, a solution and a text.
ANY_RECORD = '{"url": "http://a.example/", "text": "a", "question": "1?", "answer": "#### 1"}\n'


def planned(folder, *arguments):
    """Printed commands and rules of a dry run."""
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--snakefile",
        ROOT / "Snakefile",
        "--directory",
        folder,
        "-n",
        "-p",
    ]
    done = subprocess.run(
        [*map(str, command), *map(str, arguments)],
        capture_output=True, text=True, cwd=ROOT, timeout=300, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def files_of(preset):
    """The user's own files that a preset names."""
    sources = preset.sources
    lists = [
        sources.seed_positives,
        sources.solutions,
        sources.problems,
        *sources.benchmarks.values(),
    ]
    lists += list(sources.heldout_text.values())
    paths = [
        path for value in lists if value for path in ([value] if isinstance(value, str) else value)
    ]
    return [path for path in paths if path not in ("mini", "hub") and not path.startswith("hub:")]


@pytest.mark.parametrize("name", ["gpu", "paper"])
def test_a_large_preset_is_planned_to_its_last_target(tmp_path, name):
    preset = load_preset(name)
    for path in files_of(preset):
        file = tmp_path / path if "." in Path(path).name else tmp_path / path / "part.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(ANY_RECORD)
    warc = tmp_path / preset.sources.warc
    warc.mkdir(parents=True)
    (warc / "a.warc.gz").write_bytes(b"")
    text = planned(
        tmp_path, "rl_model", "reward_model", "corpus_report", "--config", f"preset={name}"
    )
    for rule in (
        "extract",
        "mine_round",
        "tokenise",
        "train_base",
        "train_sft",
        "train_reward_model",
        "train_rl",
    ):
        assert re.search(rf"^{rule} +\d+$", text, re.M)
    assert re.search(r"^fetch_benchmark +2$", text, re.M)  # "hub": each at its declared revision
    assert "check_coder" in text and "mini_" not in text


def test_solutions_on_the_hub_are_enough_for_reward_models_and_rl(tmp_path):
    sources = {"solutions": ["hub:openai/gsm8k:main"], "problems": None}
    (tmp_path / "hub.yaml").write_text(
        yaml.safe_dump({"extends": "smoke", "name": "hub", "sources": sources})
    )
    text = planned(
        tmp_path, "rl_model", "reward_model", "--config", f"preset={tmp_path / 'hub.yaml'}"
    )
    assert re.search(r"-m sft.data .*--solutions hub:openai/gsm8k:main", text)
    assert len(re.findall(r"-m rl\.\w+ .*--problems results/hub/sft/problems\.jsonl ", text)) == 2


def test_nothing_in_the_paper_preset_differs_from_the_schema_but_the_sources():
    assert set(yaml.safe_load((ROOT / "config" / "paper.yaml").read_text())) == {"name", "sources"}


def test_a_profile_starts_torchrun_in_the_place_of_python(tmp_path):
    plain = planned(tmp_path, "sft_model")
    assert "python -m pretrain.train --config" in plain and "python -m sft.train --config" in plain
    launched = planned(
        tmp_path, "sft_model", "--set-resources", "train_base:launch=torchrun --nproc-per-node 2"
    )
    assert "torchrun --nproc-per-node 2 -m pretrain.train --config" in launched
    changed = {line for line in launched.splitlines() if "launch" not in line} ^ set(
        plain.splitlines()
    )
    assert not [line for line in changed if "-m " in line and "pretrain.train" not in line]


@pytest.mark.parametrize("name", ["slurm", "kubernetes"])
def test_profiles_name_rules_that_exist_and_start_them_as_the_rules_expect(name, tmp_path):
    profile = yaml.safe_load((PROFILES / name / "profile.yaml").read_text())
    rules = set(
        re.findall(
            r"^ *rule (\w+):", "".join(f.read_text() for f in ROOT.glob("*/rules.smk")), re.M
        )
    )
    assert set(profile["set-resources"]) | set(profile.get("set-threads", {})) <= rules
    for rule in (
        "train_base",
        "train_sft",
        "train_reward_model",
        "train_rl",
    ):
        assert "torchrun" in profile["set-resources"][rule]["launch"]
    assert profile["rerun-triggers"] == ["mtime", "input"]
    # The plugin of the cluster is not installed here: everything but the executor must be understood.
    local = tmp_path / "profile"
    local.mkdir()
    local.joinpath("profile.yaml").write_text(
        yaml.safe_dump({k: v for k, v in profile.items() if k != "executor"})
    )
    text = planned(tmp_path, "rl_model", "reward_model", "--workflow-profile", local)
    for module in (r"pretrain\.train", r"sft\.train", r"rl\.reward_model", r"rl\.train"):
        assert re.search(rf"torchrun(\.sh)?\b.* -m {module}", text)


def test_the_slurm_script_starts_one_torchrun_a_node_with_a_process_a_gpu(tmp_path):
    for name, body in (("srun", 'printf "%s\\n" "$@"'), ("scontrol", "echo node7; echo node9")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(stat.S_IRWXU)
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "SLURM_JOB_NUM_NODES": "2",
        "SLURM_JOB_ID": "41",
    }
    environment |= {"SLURM_JOB_NODELIST": "node[7,9]", "SLURM_GPUS_ON_NODE": "8"}
    script = [
        "bash",
        str(PROFILES / "slurm" / "torchrun.sh"),
        "-m",
        "pretrain.train",
        "--out",
        "a b",
    ]
    done = subprocess.run(script, capture_output=True, text=True, env=environment, check=True)
    words = done.stdout.splitlines()
    assert {"--nodes=2", "--ntasks-per-node=1", "--nnodes=2", "--nproc-per-node=8"} <= set(words)
    assert "--rdzv-endpoint=node7:20041" in words and words[-4:] == [
        "-m",
        "pretrain.train",
        "--out",
        "a b",
    ]
    outside = subprocess.run(
        script, capture_output=True, text=True, env={"PATH": environment["PATH"]}
    )
    assert outside.returncode != 0 and "runs inside a Slurm job" in outside.stderr
