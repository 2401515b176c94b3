"""environment.yml, requirements.txt, requirements.in and pyproject.toml say the same thing."""

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
PIN = re.compile(r"^([A-Za-z0-9_.-]+)==([A-Za-z0-9.]+)(; python_version [<>=]+ \"[0-9.]+\")?$")


def pins(name: str) -> dict[str, str]:
    lines = [line.split("#")[0].strip() for line in (ROOT / name).read_text().splitlines()]
    found = {}
    for line in filter(None, lines):
        match = PIN.match(line)
        assert match, f"{name}: {line!r} is not a bare pin"
        found[re.sub(r"[-_.]+", "-", match[1]).lower()] = match[2]
    return found


def test_every_requirement_is_pinned_to_a_version_that_any_machine_can_install():
    locked = pins("requirements.txt")
    assert not [name for name in locked if name.startswith(("nvidia-", "triton"))]


def test_the_lock_holds_exactly_the_direct_requirements_at_their_versions():
    locked = pins("requirements.txt")
    assert pins("requirements.in").items() <= locked.items()
    assert locked["torch"] == "2.13.0"


def test_conda_users_get_the_same_pins():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert environment["dependencies"][-1] == {"pip": ["-r requirements.txt"]}
    assert {"pip", "make", "git"} <= set(environment["dependencies"][:-1])


def test_the_interpreter_floor_is_the_same_everywhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["tool"]["ruff"]["target-version"] == "py311"
    assert "python=3.11" in yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert "(3, 11)" in (ROOT / "Makefile").read_text()


def test_pyproject_names_no_second_list_of_dependencies():
    assert "project" not in tomllib.loads((ROOT / "pyproject.toml").read_text())
