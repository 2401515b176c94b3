"""Every command that the documentation shows is tested as it is typed.

`snakemake` lines are planned (a dry run) with their arguments in the order of the page, on the smoke preset where they
need results; `python -m` lines are read by the module's own parser; `make` targets exist. What can be neither is listed
below with its reason. The tutorial's blocks are run, by test_tutorial.py.
"""

import argparse
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import yaml

from tests.support.documented_commands import Command, commands_of, split

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "config/README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
COMMANDS = [command for page in PAGES for command in commands_of(page, str(page.relative_to(ROOT)))]

SHELL = {".", "cd", "cp", "git", "head", "ls", "rm", "tail", "wc"}
"""Programs of the shell around ours."""

NOT_RUN = {
    "conda ": "conda is not among the requirements; test_environment.py compares its file with the pins",
    ".venv/bin/pip install pre-commit": "needs a package index",
    ".venv/bin/pre-commit install": "needs pre-commit",
    "pip install -r requirements-slurm.txt": "needs a package index",
    "tensorboard ": "the server is not among the requirements",
    "snakemake rl_model --workflow-profile profiles/slurm": "needs Slurm's plugin; test_dag_launch.py plans it",
    "snakemake --lint": "prints remarks and fails by design; docs/decisions.md answers them",
}
"""Beginnings of commands that cannot be tested here, with the reason."""

RESULTS_OF_OTHERS = {"preset=gpu", "preset=paper"}
"""Presets that name files under data/, which only their users have."""


def program_of(command: Command) -> str:
    return command.words[0].rpartition("/")[2]


def is_listed(command: Command) -> bool:
    return " ".join(command.words).startswith(tuple(NOT_RUN))


def of_program(*names: str) -> list[Command]:
    """Each different command line once."""
    found: dict[tuple[str, ...], Command] = {}
    for command in COMMANDS:
        if program_of(command) in names and not is_listed(command):
            found.setdefault(command.words, command)
    return list(found.values())


def test_every_command_is_of_a_kind_that_is_tested_or_says_why_not():
    tested = {"snakemake", "python", "make", "torchrun", "run", "check.sh"} | SHELL
    unknown = [
        str(command)
        for command in COMMANDS
        if program_of(command) not in tested and not is_listed(command)
    ]
    assert not unknown


def test_no_reason_stands_without_its_command():
    lines = [" ".join(command.words) for command in COMMANDS]
    assert [start for start in NOT_RUN if not any(line.startswith(start) for line in lines)] == []


def test_make_targets_exist():
    targets = [" ".join(command.words[1:]) for command in of_program("make")]
    assert "rl_model" in targets
    for target in targets:
        done = subprocess.run(
            ["make", "-n", *target.split()], cwd=ROOT, capture_output=True, text=True
        )
        assert done.returncode == 0, f"make {target}: {done.stderr}"


def test_programs_by_path_exist():
    for command in of_program("run", "check.sh"):
        assert os.access(ROOT / command.words[0], os.X_OK), str(command)


# ---- python -m -----------------------------------------------------------------------------------
class Parsed(Exception):
    """Raised in the place of the work that would follow."""


OTHERS_MODULES = ("pytest", "pip", "venv")


def modules() -> list[Command]:
    return [
        command
        for command in of_program("python")
        if len(command.words) > 2 and command.words[1] == "-m" and "<" not in command.words[2]
    ]


def main_of(module: str) -> Callable[[list[str]], object]:
    """What `python -m module` calls with its arguments."""
    is_package = (ROOT / module.replace(".", "/")).is_dir()
    return importlib.import_module(f"{module}.__main__" if is_package else module).main


def options_of(parser: argparse.ArgumentParser) -> set[str]:
    """Of a parser and of its subcommands."""
    found = set(parser._option_string_actions)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                found |= options_of(command)
    return found


def parse(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the program up to the point where it has read its arguments; SystemExit where it refuses them."""
    original = argparse.ArgumentParser.parse_args

    def parse_args(self, args=None, namespace=None):
        if command.in_a_sentence:
            options = {word.partition("=")[0] for word in command.words if word.startswith("--")}
            if options - options_of(self):
                self.error(f"unknown: {sorted(options - options_of(self))}")
        else:
            original(self, args, namespace)
        raise Parsed

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_args)
    main_of(command.words[2])(list(command.words[3:]))


@pytest.mark.parametrize("command", modules(), ids=lambda command: " ".join(command.words[2:]))
def test_a_program_accepts_its_documented_arguments(command, monkeypatch, capsys):
    if command.words[2] in OTHERS_MODULES:
        files = [word for word in command.words if word.endswith(".py")]
        assert all((ROOT / name).is_file() for name in files)
        return

    monkeypatch.chdir(ROOT)
    try:
        parse(command, monkeypatch)
    except Parsed:
        return
    except SystemExit as end:
        message = capsys.readouterr().err
        assert end.code in (0, None), f"{command}\n{message}"
    else:
        pytest.fail(f"{command}: reads no arguments")


def test_scripts_exist():
    for command in of_program("python"):
        script = command.words[1] if len(command.words) > 1 else ""
        if script.endswith(".py"):
            # Or the page itself shows the script.
            shown = f"`{script}`" in (ROOT / command.page).read_text(encoding="utf-8")
            assert (ROOT / script).is_file() or shown, str(command)


# ---- snakemake -----------------------------------------------------------------------------------
def snakemake_commands() -> list[Command]:
    return [
        command
        for command in of_program("snakemake")
        if not RESULTS_OF_OTHERS & set(command.words) and len(command.words) > 1
    ]


def imitate_the_repository(folder: Path) -> None:
    """What stands around whoever types a command: folders called mini and corpus, presets, examples."""
    for path in ROOT.iterdir():
        if path.name in ("examples", "profiles"):
            shutil.copytree(path, folder / path.name)
        elif not path.name.startswith(".") and path.name not in ("results", "data"):
            (folder / path.name).symlink_to(path)


def write_own_files(folder: Path) -> None:
    """The files that the pages' overlays name, and the overlays themselves, on the smoke preset."""
    page = '{"question": "What is 2 + 3?", "answer": "5", "solution": "2 + 3 = 5. \\\\boxed{5}"}\n'
    for name in ("train.jsonl", "exam.jsonl"):
        (folder / name).write_text(page * 50)
    (folder / "seeds.jsonl").write_text('{"url": "http://a.example/"}\n' * 50)
    (folder / "crawl").mkdir()
    (folder / "crawl/one.warc.gz").write_bytes(b"")

    for name in overlay_names():
        overlay = {"extends": "smoke", "name": Path(name).stem}
        path = Path(name) if Path(name).is_absolute() else folder / name
        # Some folders here are links to the repository's own, where nothing may be written.
        if ROOT in path.resolve().parents:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(overlay))


def overlay_names() -> set[str]:
    words = [word for command in snakemake_commands() for word in command.words]
    found = {word.removeprefix("preset=") for word in words if word.startswith("preset=")}
    return {name for name in found if name.endswith(".yaml")}


def typed_here(command: Command) -> list[str]:
    """The same line, with mini's results read as smoke's, and the Snakefile found from another folder.

    What is added goes behind the program's name, where it changes the meaning of nothing that follows.
    """
    words = [word.replace("results/mini", "results/smoke") for word in command.words[1:]]
    words = ["preset=smoke" if word in ("preset=mini", "preset=local") else word for word in words]
    added = ["--snakefile", str(ROOT / "Snakefile"), "--dry-run", "--quiet", "all"]
    if not any(word.startswith("preset=") for word in words):
        added += ["--config", "preset=smoke"]
    if "--cores" not in words and "-c" not in words:
        added += ["--cores", "1"]
    return added + words


def test_snakemake_plans_what_the_page_says(tmp_path):
    from snakemake.cli import parse_args

    imitate_the_repository(tmp_path)
    write_own_files(tmp_path)
    rules = set(re.findall(r"^ *rule (\w+):", all_rules(), re.M))

    for command in snakemake_commands():
        _, args = parse_args(list(command.words[1:]))
        assert not set(args.forcerun) & {"all", "rl_model", "corpus_report"}, f"a target: {command}"
        assert set(args.forcerun) <= rules, str(command)

    plans = {tuple(typed_here(command)): str(command) for command in snakemake_commands()}
    assert len(plans) >= 5
    plans[(*typed_here(snakemake_commands()[0]), "no_such_target")] = "no_such_target"

    problems = plan(list(map(list, plans)), tmp_path)
    failed = {
        name: problem for name, problem in zip(plans.values(), problems, strict=True) if problem
    }
    assert set(failed) == {"no_such_target"}, failed


def plan(lines: list[list[str]], folder: Path) -> list[str | None]:
    """For each line of arguments what is wrong with it, planned in `folder`."""
    (folder / "lines.json").write_text(json.dumps(lines))
    program = ROOT / "tests/support/plan_many.py"
    subprocess.run([sys.executable, program, "lines.json", "problems.json"], cwd=folder, check=True)
    return json.loads((folder / "problems.json").read_text())


def all_rules() -> str:
    files = [ROOT / "Snakefile", *ROOT.glob("*/rules.smk")]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


# ---- Run, on the smoke run in the place of the mini run ------------------------------------------
def test_the_readmes_evaluation_gives_the_samples_of_the_run(smoke, tmp_path):
    """Asked as the page says, the model writes what it wrote in the DAG, so that the numbers are those of the table."""
    (command,) = [
        command
        for command in of_program("python")
        if command.page == "README.md" and command.words[2] == "eval.run"
    ]
    words = [word.replace("results/mini", "results/smoke") for word in command.words[1:]]
    (tmp_path / "results").mkdir()
    (tmp_path / "results/smoke").symlink_to(smoke / "results/smoke")
    done = subprocess.run(
        [sys.executable, *words],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr

    part = "rl/minimath.cot.parquet"
    columns = ["greedy", "id", "prompt", "output"]
    asked_here = pq.read_table(tmp_path / "results/eval" / part, columns=columns)
    in_the_dag = pq.read_table(smoke / "results/smoke/eval" / part, columns=columns)
    assert asked_here.to_pylist() == in_the_dag.filter(pc.field("greedy")).to_pylist()


# ---- How commands are found ----------------------------------------------------------------------
def test_a_line_is_split_as_a_shell_would():
    source = "A=1 python -m x --y 'a b' \\\n  > out && make z   # why\n. .venv/bin/activate\n"
    words = [command.words for command in split(source, "page")]
    assert words == [
        ("python", "-m", "x", "--y", "a b"),
        ("make", "z"),
        (".", ".venv/bin/activate"),
    ]


def test_a_target_behind_a_greedy_option_is_seen():
    from snakemake.cli import parse_args

    _, args = parse_args(["--cores", "all", "-R", "train_rl", "rl_model"])
    assert "rl_model" in args.forcerun
