"""Evaluated samples of a model as values for each problem, in the order of the problems' ids."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from eval.reporting.metrics import group_answers, maj_at_k, pass_at_k
from eval.summary import same_answers
from findings.evidence import problems_digest
from findings.statistics import Sample

COLUMNS = ("id", "question", "gold", "language", "greedy", "sample", "extracted", "correct")
SPLIT_BY = ("en", "zh")
"""Languages that greedy accuracy is given for apart, where a benchmark has them."""

Row = dict[str, Any]


def measures_of(folder: Path) -> dict[str, Sample]:
    """All measures of a model's folder in eval/: "<mode>.greedy", "<mode>.greedy.<language>", "<mode>.maj@K",
    "<mode>.pass@K", over the problems of all its benchmarks.
    """
    rows_of_mode: dict[str, list[Row]] = defaultdict(list)
    for file in sorted(folder.glob("*.parquet")):
        mode = file.stem.rpartition(".")[2]
        schema = pq.read_schema(file).names
        table = pq.read_table(file, columns=[name for name in COLUMNS if name in schema])
        rows_of_mode[mode] += table.to_pylist()

    measures: dict[str, Sample] = {}
    for mode, rows in rows_of_mode.items():
        for name, sample in _measures(rows).items():
            measures[f"{mode}.{name}"] = sample
    return measures


def _measures(rows: list[Row]) -> dict[str, Sample]:
    greedy = sorted((row for row in rows if row["greedy"]), key=_problem)
    measures = {"greedy": _sample(greedy)}

    for language in SPLIT_BY:
        of_language = [row for row in greedy if row.get("language") == language]
        if of_language:
            measures[f"greedy.{language}"] = _sample(of_language)

    return measures | _voted([row for row in rows if not row["greedy"]])


def _voted(sampled: list[Row]) -> dict[str, Sample]:
    """Maj@K and Pass@K at every power of two that all problems have samples for."""
    by_problem: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in sorted(sampled, key=lambda row: row["sample"]):
        by_problem[_problem(row)].append(row)
    problems = sorted(by_problem)
    most = min((len(rows) for rows in by_problem.values()), default=0)

    votes: list[list[int | None]] = []
    right: list[list[bool]] = []
    for problem in problems:
        rows = by_problem[problem]
        votes.append(group_answers([row["extracted"] for row in rows], same_answers))
        right.append([row["correct"] for row in rows])

    digest = problems_digest(problems)
    measures: dict[str, Sample] = {}
    k = 1
    while k <= most:
        majorities = [maj_at_k(v[:most], r[:most], k) for v, r in zip(votes, right, strict=True)]
        passes = [pass_at_k(len(r), sum(r), k) for r in right]
        measures[f"maj@{k}"] = Sample(digest, np.array(majorities))
        measures[f"pass@{k}"] = Sample(digest, np.array(passes))
        k *= 2
    return measures


def _problem(row: Row) -> tuple[str, ...]:
    return row["id"], row["question"], str(row["gold"])


def _sample(rows: list[Row]) -> Sample:
    digest = problems_digest([_problem(row) for row in rows])
    return Sample(digest, np.array([float(row["correct"]) for row in rows]))
