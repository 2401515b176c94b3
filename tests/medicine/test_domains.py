"""The domain that docs/domains.md builds in two files is what it says, and runs."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "domains.md").read_text(encoding="utf-8")
LONGEST = 100
"""Lines of the two files together."""


def block(language: str) -> str:
    """The first block of this language on the page."""
    return re.search(rf"^```{language}\n(.*?)^```", PAGE, re.M | re.S)[1]


def run(*command, cwd) -> None:
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]


def test_the_two_files_are_short():
    lines = block("python") + block("yaml")
    assert len(lines.splitlines()) < LONGEST


@pytest.mark.slow
def test_another_domain_runs_from_its_two_files(smoke, tmp_path):
    (tmp_path / "desk.py").write_text(block("python"))
    settings = yaml.safe_load(block("yaml"))
    # At smoke scale: the same file with another size and another run to start from.
    settings["extends"] = "smoke"
    settings["from"] = str(smoke / "results/smoke/models/base")
    settings["sft"]["steps"] = 40
    settings["rl"] |= {"steps": 2}
    (tmp_path / "desk.yaml").write_text(yaml.safe_dump(settings))

    run(sys.executable, "desk.py", cwd=tmp_path)
    snakemake = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile"]
    run(*snakemake, "--cores", "2", "rl_model", "--config", "preset=desk.yaml", cwd=tmp_path)

    results = tmp_path / "results" / "desk"
    summary = json.loads((results / "eval/summary.json").read_text())
    assert set(summary) == {"coder", "base", "sft", "rl"}
    assert summary["rl"]["desk.cot"]["n"] == 40
    lines = [json.loads(line) for line in (results / "models/rl/metrics.jsonl").open()]
    assert any("rewards/desk:DeskReward" in line for line in lines)
