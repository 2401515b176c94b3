"""The paper's tables beside a run's numbers."""

import json
import os
import time

from eval.paper_tables import corpora_table, document, main, scores_table
from eval.table import times_table
from eval.tasks.declarations import TABLE
from eval.tasks.paper_results import CORPUS_TASKS, PAPER, TABLES, Table

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
    assert ours == ["base, this run", "not run", "50.0 [40.4, 59.6], n = 100"]


def test_a_model_of_another_corpus_stands_in_its_row_of_table_1():
    rows = corpora_table({"base": {"math.cot": RIGHT}, "openwebmath": {"gsm8k.cot": RIGHT}})
    found = {row[0]: row[1:3] for row in rows}

    assert found["*OpenWebMath*"] == ["*11.5*", "*8.9*"]
    assert found["openwebmath, this run"] == ["50.0 [40.4, 59.6], n = 100", "not run"]
    assert found["base, this run"] == ["not run", "50.0 [40.4, 59.6], n = 100"]
    assert {len(row) for row in rows} == {1 + len(CORPUS_TASKS)}


def test_majority_votes_and_a_runs_own_benchmarks_are_there():
    text = document({"rl": {"math.cot": RIGHT, "mine.cot": RIGHT}}, {"parameters": 734_080})
    assert "| MATH, chain of thought, maj@64 | 60.9 | 60.0 [50.2, 69.1], n = 100 |" in text
    assert "| parameters | 6.9 billion | 734,080 |" in text
    assert "mine, chain of thought" in text


def test_the_file_is_written(tmp_path):
    (tmp_path / "eval").mkdir()
    (tmp_path / "eval" / "summary.json").write_text(json.dumps({"sft": {"gsm8k.tool": RIGHT}}))
    main(["--results", str(tmp_path), "--out", str(tmp_path / "tables.md")])

    text = (tmp_path / "tables.md").read_text()
    row = "| sft, this run | 50.0 [40.4, 59.6], n = 100 | not run | not run | not run |"
    assert row in text


def test_the_times_of_a_runs_jobs_are_added_up_by_stage(tmp_path):
    now = time.time()
    for name, seconds in (("extract.a", 1.5), ("extract.b", 2.5), ("train_rl", 12.0), ("old", 9.0)):
        file = tmp_path / f"{name}.tsv"
        file.write_text(f"s\th:m:s\tmax_rss\n{seconds}\t0:00:01\t9.0\n")
        if name == "old":
            os.utime(file, (now - 100, now - 100))

    _, *lines = times_table(tmp_path, since=now - 50).splitlines()
    assert [line.split() for line in lines] == [
        ["train_rl", "12.0", "75.0%"],
        ["extract", "4.0", "25.0%"],
    ]
