"""Several runs on one page: paired differences, refused combinations, differing settings."""

import re

import numpy as np
import pytest

from eval.report import build_comparison, main
from eval.reporting.comparison import changed, load_runs, names_of
from eval.reporting.paired import Pair, differences
from pipeline.artifacts.write import write_json, write_jsonl
from pipeline.errors import UserError
from tests.support.evaluated_run import EVIL, graded, write_run

RIGHT, WRONG = "\\boxed{4}", "\\boxed{5}"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    place = tmp_path_factory.mktemp("results")
    first = write_run(place / "a", {"sft": [WRONG] * 4, "rl": [RIGHT, RIGHT, WRONG, WRONG]})
    second = write_run(place / "b", {"sft": [WRONG] * 4, "rl": [RIGHT, RIGHT, RIGHT, EVIL]})
    for folder, size in ((first, 16), (second, 64)):
        write_json(folder / "config" / "rl.json", {"group_size": size, "beta": 0.04})
        lines = [
            {"step": step, "reward": step / size, "rewards/rule": 1, "rewards/own": 0}
            for step in range(1, 5)
        ]
        (folder / "models" / "rl").mkdir(parents=True)
        write_jsonl(folder / "models" / "rl" / "metrics.jsonl", lines)
    return [first, second]


def pair(before, after, question="Q"):
    rows = graded(before, question=question), graded(after, question=question)
    return Pair("task", "b", 2, "rl", *rows)


def test_differences_are_those_of_the_shared_problems():
    greedy, sampled = differences([pair([WRONG, RIGHT, WRONG], [RIGHT, RIGHT])])
    assert greedy.problems == sampled.problems == 2
    assert greedy.change == sampled.change == 0.5
    assert (greedy.wins, greedy.losses) == (1, 0)
    assert sampled.measure == "mean of 2 samples" and sampled.p is None


def test_problems_of_two_worlds_are_not_paired_though_they_are_named_alike():
    one, other = graded([RIGHT, WRONG], question="One"), graded([WRONG, RIGHT], question="Other")
    (greedy,) = differences([Pair("task", "b", 2, "rl", one, other)])
    assert greedy.problems == 0


def test_an_interval_holds_the_true_difference_about_as_often_as_it_says():
    generator = np.random.default_rng(0)
    held = 0
    for _ in range(40):
        # Models that are right on half and on three quarters of the problems.
        before = [RIGHT if value < 0.5 else WRONG for value in generator.random(60)]
        after = [RIGHT if value < 0.75 else WRONG for value in generator.random(60)]
        rows = graded(before, question="Q"), graded(after, question="Q")
        greedy = differences([Pair("task", "b", 2, "rl", *rows)])[0]
        held += greedy.low <= 0.25 <= greedy.high
    assert held >= 34


def test_the_page_shows_both_runs_and_keeps_text_text(runs):
    page = build_comparison(runs)
    assert "b compared with a" in page and "+50.0" in page
    assert "<img" not in page and "<!--" not in page and "<script" not in page
    assert "group_size" in page and "rl.beta" not in page, "only what differs"
    titles = re.findall("<h3>([^<]+)</h3>", page)
    assert {"Total reward", "Reward rule", "Reward own"} <= set(titles)


def test_settings_that_are_the_same_are_left_out(runs):
    assert changed(load_runs(runs)).rows == [("rl.group_size", ["16", "64"])]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda place: place / "none", "none: no such folder"),
        (lambda place: (place / "begun" / "eval").mkdir(parents=True) or place / "begun", "begun: not evaluated yet"),
        (lambda place: write_run(place / "other", {"rl": [RIGHT]}, task="math.cot"), "no benchmark in common"),
        (lambda place: None, "twice"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_refused_in_one_line(runs, tmp_path, make, words):
    other = make(tmp_path) or runs[0]
    with pytest.raises(UserError, match=words) as refused:
        build_comparison([runs[0], other])
    assert "\n" not in str(refused.value)


def test_runs_of_equal_names_are_told_apart_by_their_folders(tmp_path):
    folders = [tmp_path / "x" / "mini", tmp_path / "y" / "mini"]
    assert names_of(folders) == ["x/mini", "y/mini"]


def test_the_page_lies_beside_the_first_runs_reports_unless_told_otherwise(runs, tmp_path):
    main(["--compare", *map(str, runs)])
    assert (runs[0] / "reports" / "compared_with_b.html").is_file()
    main(["--compare", *map(str, runs), "--output", str(tmp_path / "c.html")])
    assert (tmp_path / "c.html").is_file()
    with pytest.raises(SystemExit):
        main(["--compare", str(runs[0])])
