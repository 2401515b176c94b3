"""The tutorial's blocks run in order, on the smoke run in the place of the mini run."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TUTORIAL = ROOT / "docs/tutorial.md"
BLOCK = re.compile(
    r"(<!-- not tested: (?P<reason>.+?) -->\n)?```(?P<language>\w+)\n(?P<code>.*?)^```$",
    re.M | re.S,
)


@dataclass(frozen=True, slots=True)
class Block:
    language: str
    code: str
    line: int
    """Of the tutorial, counted from 1."""
    reason: str | None
    """Why the block is not run."""


def blocks() -> list[Block]:
    text = TUTORIAL.read_text(encoding="utf-8")
    found = []
    for match in BLOCK.finditer(text):
        line = text.count("\n", 0, match.start("code")) + 1
        found.append(Block(match["language"], match["code"], line, match["reason"]))
    return found


def on_the_smoke_run(code: str) -> str:
    """The same commands for another preset, started from another folder than the repository's."""
    code = code.replace("results/mini", "results/smoke")
    code = re.sub("^(extends|name): mini$", r"\1: smoke", code, flags=re.M)
    preset = "" if "--config preset=" in code else " --config preset=smoke"
    return code.replace("snakemake ", f"snakemake --snakefile {ROOT / 'Snakefile'}{preset} ")


@pytest.fixture
def folder(smoke, tmp_path):
    """A copy of the finished run: commands may write here."""
    copy = tmp_path / "run"
    shutil.copytree(smoke, copy, symlinks=True)
    return copy


def run_shell(code: str) -> str:
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", code],
        capture_output=True,
        text=True,
        env=environment,
        timeout=600,
    )
    assert done.returncode == 0, f"{code}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout + done.stderr


def test_blocks_run_in_order(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    session: dict = {"__name__": "tutorial"}
    outputs = []

    for block in blocks():
        if block.reason is not None:
            continue
        code = on_the_smoke_run(block.code)
        if block.language == "sh":
            outputs.append(run_shell(code))
        else:
            # The padding makes line numbers of errors those of the tutorial.
            exec(compile("\n" * (block.line - 1) + code, str(TUTORIAL), "exec"), session)
            outputs.append(capsys.readouterr().out)

    everything = "\n".join(outputs)
    assert "WARC/1" in everything
    assert "ours is one of them: True" in everything
    assert re.search(r"policy and sampler differ by \d\.\de-0[5-9] at most", everything)

    # A changed setting of RL and the forced rule both rerun RL and what depends on it, nothing before it.
    plans = [set(re.findall(r"^(\w+) +1$", out, re.M)) for out in outputs if "Job stats:" in out]
    rerun = {"train_rl", "evaluate_model", "record_environment", "summarise"}
    rerun |= {"results_report_page", "rl_model"}
    assert plans == [rerun, rerun]


def test_blocks_that_are_not_run_are_few_and_say_why():
    skipped = [block for block in blocks() if block.reason is not None]
    assert len(skipped) <= 3
    assert all(re.search(r"minutes", block.reason) for block in skipped)
    assert {block.language for block in blocks()} == {"sh", "python"}
