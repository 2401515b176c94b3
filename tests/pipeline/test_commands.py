"""Every `python -m` program answers --help and a wrong option before it loads what takes seconds."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("benchmarks", "corpus", "eval", "findings", "mini", "pipeline", "pretrain", "rl", "sft")
HEAVY = ("torch", "transformers", "datasets", "pandas", "scipy", "sympy")
COMMANDS = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for folder in FOLDERS
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "argparse" in (text := path.read_text(encoding="utf-8")) and "\nif __name__ ==" in text
]


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    without = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=without | environment,
        capture_output=True,
        text=True,
    )


def test_no_program_loads_a_large_library_before_it_has_parsed_its_options():
    assert {"rl.train", "eval.run", "corpus.dedup", "benchmarks.rl"} <= set(COMMANDS)
    code = f"""
import importlib, sys
for command in {COMMANDS}:
    importlib.import_module(command)
    loaded = sorted(set({HEAVY}) & set(sys.modules))
    if loaded:
        sys.exit(f"{{command}} loads {{loaded}}")
"""
    done = python("-c", code)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", ["rl.train", "sft.data", "eval.run"])
def test_help_and_a_wrong_option_are_answered(command):
    answered = python("-m", command, "--help")
    assert answered.returncode == 0 and answered.stdout.startswith("usage: ")

    refused = python("-m", command, "--no-such-option")
    assert refused.returncode == 2 and "error: " in refused.stderr


@pytest.mark.parametrize(
    ("given", "seen"), [({}, "PASSIVE"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE")]
)
def test_waiting_threads_sleep_unless_the_user_says_otherwise(given, seen):
    """OpenMP itself tells what it has read, when torch loads it."""
    code = "from pipeline.errors import run_main; run_main(lambda argv: __import__('torch'))"
    done = python("-c", code, OMP_DISPLAY_ENV="TRUE", **given)
    assert done.returncode == 0 and f"OMP_WAIT_POLICY = '{seen}'" in done.stderr
