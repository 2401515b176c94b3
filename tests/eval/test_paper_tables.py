"""The paper's tables beside a run's numbers."""

import json

from eval.paper_tables import document, main, scores_table
from eval.tasks.declarations import TABLE
from eval.tasks.paper_results import PAPER, TABLES, Table

RIGHT = {
    "n": 100,
    "greedy": 0.5,
    "greedy_low": 0.404,
    "greedy_high": 0.596,
    "maj@64": 0.6,
    "maj@64_low": 0.502,
    "maj@64_high": 0.691,
}


def test_every_number_of_the_paper_stands_in_exactly_one_table():
    shown = [(task, model) for table in TABLES for task in table.tasks for model in table.models]
    told = [(task, model) for task, scores in PAPER.items() for model in scores]

    assert sorted(shown) == sorted(told)
    assert all(task.rpartition(".")[0] in TABLE for task, _ in shown)


def test_a_runs_number_stands_under_the_papers_in_the_same_column():
    table = Table("", models=("base",), tasks=("gsm8k.cot", "math.cot"))
    _, theirs, ours = scores_table({"base": {"math.cot": RIGHT}}, table)

    assert theirs == ["*Base 7B*", "*64.2*", "*36.2*"]
    assert ours == ["base, this run", "–", "50.0 [40.4, 59.6]"]


def test_majority_votes_and_a_runs_own_benchmarks_are_there():
    text = document({"rl": {"math.cot": RIGHT, "mine.cot": RIGHT}}, {"parameters": 734_080})
    assert "| MATH, chain of thought, maj@64 | 60.9 | 60.0 [50.2, 69.1] |" in text
    assert "| parameters | 6.9 billion | 734,080 |" in text
    assert "mine, chain of thought" in text


def test_the_file_is_written(tmp_path):
    (tmp_path / "eval").mkdir()
    (tmp_path / "eval" / "summary.json").write_text(json.dumps({"sft": {"gsm8k.tool": RIGHT}}))
    main(["--results", str(tmp_path), "--out", str(tmp_path / "tables.md")])

    assert (
        "| sft, this run | 50.0 [40.4, 59.6] | – | – | – |" in (tmp_path / "tables.md").read_text()
    )
