"""The picture of the DAG in the README shows the rules that Snakemake plans, and the order in which they run."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "docs/images"

WITHOUT_A_BOX = {"all", "record_environment"}
"""The target, and the versions and hardware that the report names."""

NOT_DRAWN = {
    ("problems", "web"): "only the built-in web is made of problems, to plant leaks",
    ("problems", "coder"): "only the built-in coder learns its tokenizer from them",
    ("problems", "corpus"): "the corpus's box says it: no benchmark leaks",
    ("corpus_report", "results_report"): "a link from one page to the other",
}
"""Edges of the DAG that would make the picture harder to read, with the reason."""


@pytest.fixture(scope="module")
def drawing():
    return runpy.run_path(str(IMAGES / "dag.py"))


@pytest.fixture(scope="module")
def planned(tmp_path_factory) -> set[tuple[str, str]]:
    """Pairs of rules of which the second uses what the first makes; RL rewards by a model here, which is optional."""
    folder = tmp_path_factory.mktemp("dag")
    overlay = folder / "overlay.yaml"
    overlay.write_text("extends: smoke\nname: picture\nrl: {rewards: {outcome_model: 1.0}}\n")
    command = [sys.executable, "-m", "snakemake", "all", "--rulegraph"]
    command += ["--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    done = subprocess.run(
        [*command, "--config", f"preset={overlay}"], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr

    names = dict(re.findall(r'(\d+)\[label = "(\w+)"', done.stdout))
    edges = re.findall(r"(\d+) -> (\d+)", done.stdout)
    return {(names[before], names[after]) for before, after in edges}


def box_of(drawing) -> dict[str, str]:
    return {rule: name for name, box in drawing["BOXES"].items() for rule in box.rules}


def leads_to(source: str, target: str, pairs: set[tuple[str, str]]) -> bool:
    """Whether arrows lead from one box to the other, directly or through more boxes."""
    following = {after for before, after in pairs if before == source}
    return target in following or any(leads_to(box, target, pairs) for box in following)


def test_every_rule_has_a_box_and_every_box_a_rule(drawing, planned):
    rules = {rule for edge in planned for rule in edge} - WITHOUT_A_BOX
    assert rules == set(box_of(drawing))


def test_every_arrow_is_an_edge_of_the_dag(drawing, planned):
    boxes = box_of(drawing)
    edges = {(boxes.get(before), boxes.get(after)) for before, after in planned}
    for arrow in drawing["arrows"]():
        assert (arrow.source, arrow.target) in edges


def test_every_edge_of_the_dag_follows_from_the_arrows(drawing, planned):
    boxes = box_of(drawing)
    drawn = {(arrow.source, arrow.target) for arrow in drawing["arrows"]()}
    for before, after in planned:
        edge = (boxes.get(before), boxes.get(after))
        if None in edge or edge[0] == edge[1]:
            continue
        assert (edge in NOT_DRAWN) != leads_to(*edge, drawn), edge


def test_the_picture_in_the_repository_is_the_one_that_the_program_draws(drawing):
    assert (IMAGES / "dag.svg").read_text(encoding="utf-8") == drawing["picture"]()
