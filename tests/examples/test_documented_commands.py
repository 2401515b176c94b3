"""Commands of `eval.run` that the documentation shows for a run's models give the numbers of the run's own table.

On the smoke run in the place of the mini run. Its models are right nowhere, so their answers are compared, problem for
problem, not only the scores.
"""

import json
import re
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from eval import run as eval_run
from tests.support.documented_commands import simple_commands

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("benchmarks", "corpus", "eval", "examples", "mini", "pipeline", "pretrain", "rl", "sft")
MODEL = "--model results/mini/models/"
COMMAND = re.compile(r"^ *(python -m eval\.run (?:[^\n\\`]|\\+\n)*)$", re.M)
"""On lines of their own; measurements tell in sentences what once was run."""


def documented() -> list[str]:
    """Commands that evaluate a model of the mini run, on pages and in docstrings, each once."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    modules = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    found = []
    for path in pages + modules:
        for command in COMMAND.findall(path.read_text(encoding="utf-8")):
            line = re.sub(r"\s*\\+\n\s*", " ", command).strip()
            if MODEL in line and " FILE" not in line:
                found.append(line)
    return list(dict.fromkeys(found))


@pytest.fixture
def folder(smoke, tmp_path, monkeypatch):
    """A copy of the finished run: the commands write beside it."""
    shutil.copytree(smoke / "results", tmp_path / "results", symlinks=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def greedy(folder: Path, task: str) -> dict[str, tuple[str, bool]]:
    rows = pq.read_table(folder / f"{task}.parquet").to_pylist()
    return {row["id"]: (row["output"], row["correct"]) for row in rows if row["greedy"]}


def test_the_chat_model_and_the_base_model_are_both_documented():
    models = {re.search(rf"{MODEL}(\w+)", command)[1] for command in documented()}
    assert models >= {"rl", "base"}


def test_documented_evaluations_give_the_answers_of_the_runs_own_table(folder, capsys):
    results = Path("results/smoke")
    summary = json.loads((results / "eval/summary.json").read_text())
    for command in documented():
        (words,) = simple_commands(command.replace("results/mini", "results/smoke"))
        eval_run.main(list(words[3:]))
        assert "asked otherwise" not in capsys.readouterr().err, command

        model = Path(eval_run.parse_args(list(words[3:])).model).name
        written = sorted(Path("results/eval", model).glob("*.parquet"))
        assert written
        for file in written:
            answers = greedy(file.parent, file.stem)
            assert answers == greedy(results / "eval" / model, file.stem), command
            correct = sum(verdict for _, verdict in answers.values())
            assert summary[model][file.stem]["greedy"] == round(correct / len(answers), 4)
