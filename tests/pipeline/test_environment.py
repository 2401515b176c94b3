"""requirements*.txt, requirements*.in, environment.yml, pyproject.toml and the imports say the same thing."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
PIN = re.compile(r"^([A-Za-z0-9_.-]+)==([A-Za-z0-9.]+)(; python_version [<>=]+ \"[0-9.]+\")?$")

OWN = {
    "pipeline",
    "corpus",
    "eval",
    "mini",
    "pretrain",
    "sft",
    "rl",
    "findings",
    "benchmarks",
    "examples",
}
FOR_DEVELOPERS = {"tests", "benchmarks"}
"""Folders that may import what only requirements-dev.in declares."""

OPTIONAL = {
    "accelerate": "benchmarks: the Trainer and TRL that a step is compared with",
    "gguf": "tests: a file of that form is written, where its package is installed",
    "math_verify": "benchmarks: the grader that ours is compared with",
    "peft": "pipeline.model.adapters: LoRA, where requirements-lora.txt is installed",
    "trafilatura": "benchmarks: the extractor that ours is compared with",
    "vllm": "pipeline.inference.vllm_worker: the program in the process of its own environment",
    "trl": "benchmarks: the GRPO step that ours is compared with",
    "wandb": "tests: what its client wrote is read again, where it is installed",
}
"""Modules that may be missing: imported in a function, with one clear line where they are not there."""


def spelling(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(name: str) -> dict[str, str]:
    lines = [line.split("#")[0].strip() for line in (ROOT / name).read_text().splitlines()]
    found = {}
    for line in filter(None, lines):
        if line == "-r requirements.txt":
            continue
        match = PIN.match(line)
        assert match, f"{name}: {line!r} is not a bare pin"
        found[spelling(match[1])] = match[2]
    return found


def imports_of(source: str) -> tuple[set[str], set[str]]:
    """Top-level names of all imported modules, and of those imported outside functions."""
    tree = ast.parse(source)
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
    }
    everywhere: set[str] = set()
    at_import: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = {node.module.partition(".")[0]}
        else:
            continue
        everywhere |= names
        if id(node) not in inside:
            at_import |= names
    return everywhere, at_import


def third_party(names: set[str], folder: Path) -> set[str]:
    """The modules that a package index provides: not Python's, not ours, not beside the file."""
    beside = {path.stem for path in folder.glob("*")} | {"tests", "conftest"}
    return names - set(sys.stdlib_module_names) - OWN - beside


def python_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    return [ROOT / name for name in listed if (ROOT / name).is_file()]


def test_every_requirement_is_pinned_to_a_version_that_any_machine_can_install():
    locked = pins("requirements.txt") | pins("requirements-dev.txt")
    assert not [name for name in locked if name.startswith(("nvidia-", "triton"))]


def test_the_locks_hold_exactly_the_direct_requirements_at_their_versions():
    locked, locked_dev = pins("requirements.txt"), pins("requirements-dev.txt")
    assert pins("requirements.in").items() <= locked.items()
    assert pins("requirements-dev.in").items() <= locked_dev.items()
    assert locked["torch"] == "2.13.0"


def test_nothing_of_the_developers_list_is_installed_for_users():
    assert not pins("requirements.txt").keys() & pins("requirements-dev.txt").keys()
    assert "-r requirements.txt" in (ROOT / "requirements-dev.txt").read_text().splitlines()


def test_every_imported_package_is_declared():
    providers = packages_distributions()
    users, developers = pins("requirements.in"), pins("requirements-dev.in")
    undeclared = {}

    for path in python_files():
        folder = path.relative_to(ROOT).parts[0]
        declared = users | developers if folder in FOR_DEVELOPERS else users
        everywhere, at_import = imports_of(path.read_text(encoding="utf-8"))

        for module in third_party(everywhere, path.parent):
            optional = module in OPTIONAL and module not in at_import
            distributions = {spelling(name) for name in providers.get(module, [module])}
            if not optional and not distributions & declared.keys():
                undeclared[f"{path.relative_to(ROOT)}: {module}"] = sorted(distributions)

    assert not undeclared


def test_every_declared_package_is_imported_or_says_what_it_is_for():
    """What nothing imports is in the list for a command, a plugin or a model's programs; the list says so."""
    providers = packages_distributions()
    imported = set()
    for path in python_files():
        imported |= imports_of(path.read_text(encoding="utf-8"))[0]
    distributions = {spelling(name) for module in imported for name in providers.get(module, [])}

    not_imported = set(pins("requirements.in") | pins("requirements-dev.in")) - distributions
    assert not_imported <= {
        "fasttext",  # the same module as fasttext-numpy2-wheel, on newer interpreters
        "mypy",
        "pygments",
        "pytest-xdist",
        "ruff",
        "snakemake",  # the Snakefile imports it
        "types-pyyaml",
    }


def test_every_tracker_has_a_version_that_was_tried():
    from pipeline.training.tracker_clients import PACKAGES

    assert {spelling(package) for package in PACKAGES.values()} <= set(
        pins("requirements-trackers.txt")
    )


def test_imports_are_found_wherever_they_stand():
    code = "import a.b\nfrom c import d\nfrom . import e\ndef f():\n    import g\n"
    assert imports_of(code) == ({"a", "c", "g"}, {"a", "c"})


def test_conda_users_get_the_same_pins():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert environment["dependencies"][-1] == {"pip": ["-r requirements.txt"]}
    assert {"pip", "make", "git"} <= set(environment["dependencies"][:-1])


def test_the_interpreter_floor_is_the_same_everywhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["tool"]["ruff"]["target-version"] == "py311"
    assert "python=3.11" in yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert "(3, 11)" in (ROOT / "Makefile").read_text()
    assert "PYTHON=3.11" in (ROOT / "Dockerfile").read_text()


def test_pyproject_names_no_second_list_of_dependencies():
    assert "project" not in tomllib.loads((ROOT / "pyproject.toml").read_text())
