"""Imports go one way: pipeline <- eval <- {sft, rl}; corpus, pretrain import pipeline only; corpus never torch."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ALLOWED = {
    "pipeline": {"pipeline"},
    "corpus": {"corpus", "pipeline"},
    "pretrain": {"pretrain", "pipeline"},
    "eval": {"eval", "pipeline"},
    "sft": {"sft", "eval", "pipeline"},
    "rl": {"rl", "eval", "pipeline"},
    "mini": {"mini", "pipeline"},
}


def imported_folders(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names & set(ALLOWED)


@pytest.mark.parametrize("folder", ALLOWED)
def test_a_folder_imports_only_what_stands_below_it(folder):
    wrong = {
        str(path.relative_to(ROOT)): sorted(extra)
        for path in sorted((ROOT / folder).rglob("*.py"))
        if (extra := imported_folders(path) - ALLOWED[folder])
    }
    assert not wrong


def test_no_program_of_the_corpus_stage_loads_torch():
    paths = [
        path.relative_to(ROOT)
        for path in sorted((ROOT / "corpus").rglob("*.py"))
        if path.name != "__init__.py"
    ]
    modules = [".".join(path.with_suffix("").parts) for path in paths]
    code = f"import sys, importlib\nfor m in {modules}: importlib.import_module(m)\nprint('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_every_code_folder_is_a_package_and_tests_are_not():
    assert all((ROOT / folder / "__init__.py").is_file() for folder in ALLOWED)
    assert not (ROOT / "tests" / "__init__.py").exists(), (
        "tests/eval/ would shadow the package eval"
    )
