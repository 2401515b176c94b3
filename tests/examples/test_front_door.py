"""The files around the code: catalogue, citation, CI and container name what exists."""

import json
import os
import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]


def test_the_workflow_catalogue_finds_what_it_looks_for():
    readme = (ROOT / "README.md").read_text(encoding="utf-8").lower()
    assert "snakemake" in readme and "workflow" in readme
    assert (ROOT / "Snakefile").is_file() and (ROOT / "config/README.md").is_file()

    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert set(usage) == {"mandatory-flags", "software-stack-deployment", "report"}
    assert set(usage["mandatory-flags"]) == {"desc", "flags"}


def test_no_rule_promises_an_environment_that_the_catalogue_entry_denies():
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    rules = "\n".join(path.read_text() for path in [ROOT / "Snakefile", *ROOT.glob("*/rules.smk")])
    assert bool(re.search(r"^ +conda:", rules, re.M)) == usage["software-stack-deployment"]["conda"]


def test_every_section_of_the_configuration_is_in_its_readme():
    from pipeline.config.load import Config

    page = (ROOT / "config/README.md").read_text(encoding="utf-8")
    table = page.partition("## Sections")[2].partition("## ")[0]
    names = {field.alias or name for name, field in Config.model_fields.items()}
    assert set(re.findall(r"`(\w+)`", table)) >= names

    presets = set(re.findall(r"^\| `(\w+)`", page.partition("## An overlay")[0], re.M))
    assert presets == {path.stem for path in (ROOT / "config").glob("*.yaml")}


def test_the_citation_has_the_fields_that_its_format_requires():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert citation["license"] == "Apache-2.0"
    assert "2402.03300" in citation["references"][0]["url"]


def test_the_workflow_of_github_runs_the_checks_of_ci():
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    steps = workflow["jobs"]["checks"]["steps"]
    assert {"run": ".ci/run"} in steps
    assert os.access(ROOT / ".ci/run", os.X_OK)


def test_the_container_starts_what_is_in_it():
    from snakemake.cli import parse_args

    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", "")
    entry = json.loads(re.search(r"^ENTRYPOINT (.+)$", text, re.M)[1])
    command = json.loads(re.search(r"^CMD (.+)$", text, re.M)[1])

    inside = [word for word in entry if word.startswith("/opt/deepseekmath/")]
    assert inside
    for path in inside:
        assert (ROOT / path.removeprefix("/opt/deepseekmath/")).exists()

    words = [word.replace("/opt/deepseekmath", str(ROOT)) for word in entry[1:]]
    _, args = parse_args([*words, *command])
    assert args.targets == {"rl_model"} or list(args.targets) == ["rl_model"]


def test_every_package_stands_on_the_readmes_map():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    houses = ("corpus", "pretrain", "sft", "rl", "eval", "pipeline", "mini", "findings")
    packages = {
        f"{folder.parent.relative_to(ROOT)}/"
        for house in houses
        for folder in (ROOT / house).glob("*/__init__.py")
    }
    # The packages of the built-in worlds stand in their house's own line, by their names alone.
    missing = [name for name in packages if name not in readme and name.split("/")[1] not in readme]
    assert not missing
