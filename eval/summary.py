"""Summarise evaluated samples: accuracy, Maj@K and Pass@K with 95 % intervals, and models against each other.

Reads   eval/<model>/<benchmark>.<mode>.parquet of each model folder given (one row a sample, see
eval/verdicts/graded_samples.py).
Writes  summary.json: {"<model>": {"<benchmark>.<mode>": {"n", "greedy", "greedy_low", "greedy_high", "compat", …,
        "program", …, "no_answer", "truncated", "undecided", "tokens", "samples", "maj@K", "maj@K_low", …, "pass@K",
        …}}}; with --comparisons also a list of {"task", "first", "second", "difference", "low", "high", "wins",
        "losses", "p"}: each model against the one given before it, greedy, on the problems that both have.

    python -m eval.summary results/mini/eval/sft results/mini/eval/rl --out results/mini/eval/summary.json

`greedy` is by our grader, `compat` by the public rules, `program` the accuracy of what programs printed in the tool
mode. Maj@K groups equal answers, whatever their spelling; ties count in part; no answer does not vote. It grades
nothing: verdicts come with the samples.
"""

import argparse
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from eval.cases.gold import case_of
from eval.cases.measures import case_scores
from eval.grading.formula.tokens import FormulaLimit
from eval.grading.grader import same_answer
from eval.reporting.metrics import bootstrap, compare, group_answers, maj_at_k, pass_at_k, wilson
from pipeline.artifacts.check import check_artifact
from pipeline.artifacts.write import write_json
from pipeline.errors import UserError, run_main

Row = dict[str, Any]  # one sample (see eval/verdicts/graded_samples.py)
Scores = dict[str, Any]  # of one model on one benchmark and mode

# The columns that summaries need: questions and outputs stay on the disk, those of cases apart.
NEEDED = (
    "id",
    "greedy",
    "sample",
    "extracted",
    "correct",
    "finish",
    "tokens",
    "status",
    "compat",
    "program_correct",
)


def summarise(rows: list[Row]) -> Scores:
    """Scores of one model on one benchmark and mode, from its sample rows.

    Where proofs could not be checked on this machine there is no score: {"n", "not_run"}.
    """
    greedy = [row for row in rows if row["greedy"]]
    sampled = [row for row in rows if not row["greedy"]]

    not_run = sum(row["status"] == "not_run" for row in greedy)
    if not_run:
        return {"n": len(greedy), "not_run": not_run}
    return _greedy_scores(greedy) | _scores_of_cases(greedy) | _sampled_scores(sampled)


def _greedy_scores(rows: list[Row]) -> Scores:
    """Accuracy by our grader, by the public rules and of programs; how outputs ended; their length."""
    scores: Scores = {"n": len(rows)}
    scores |= _share("greedy", [row["correct"] for row in rows])

    # Null where the public rules know no such benchmark, and where no program was asked for
    for name, column in (("compat", "compat"), ("program", "program_correct")):
        verdicts = [row[column] for row in rows if row[column] is not None]
        if verdicts:
            scores |= _share(name, verdicts)

    n = max(len(rows), 1)
    no_answer = sum(row["extracted"] is None for row in rows)
    truncated = sum(row["finish"] == "length" for row in rows)
    undecided = sum(row["status"] not in ("ok", "no_answer") for row in rows)
    scores["no_answer"] = round(no_answer / n, 4)
    scores["truncated"] = round(truncated / n, 4)
    scores["undecided"] = round(undecided / n, 4)
    scores["tokens"] = round(sum(row["tokens"] for row in rows) / n, 1)
    return scores


def _scores_of_cases(rows: list[Row]) -> Scores:
    """Of a benchmark of cases what experts would say, safety and consistency (eval/cases/measures.py)."""
    has_texts = all("gold" in row and "output" in row for row in rows)
    return case_scores(rows) if has_texts else {}


def _sampled_scores(rows: list[Row]) -> Scores:
    """Maj@K and Pass@K at every power of two up to the number of samples, and at that number."""
    by_problem = defaultdict(list)
    for row in sorted(rows, key=lambda row: row["sample"]):
        by_problem[row["id"]].append(row)
    problems = list(by_problem.values())

    # A problem with fewer samples than others limits K for all.
    most = min(map(len, problems), default=0)
    if not most:
        return {}

    votes = [
        group_answers([row["extracted"] for row in samples], same_answers) for samples in problems
    ]
    right = [[row["correct"] for row in samples] for samples in problems]

    scores: Scores = {"samples": most}
    for k in sorted({2**i for i in range(most.bit_length())} | {most}):
        voted = [maj_at_k(v[:most], r[:most], k) for v, r in zip(votes, right, strict=True)]
        solved = [pass_at_k(len(r), sum(r), k) for r in right]
        scores |= _mean(f"maj@{k}", voted)
        scores |= _mean(f"pass@{k}", solved)
    return scores


def same_answers(first: str, second: str) -> bool:
    """Equal in both directions: rounding counts only where each may stand for the other."""
    try:
        return same_answer(first, second)[0] and same_answer(second, first)[0]
    except FormulaLimit:
        return False


def _share(name: str, right: list[bool]) -> Scores:
    """A share of right answers with Wilson's interval."""
    share = sum(right) / max(len(right), 1)
    return _with_interval(name, share, wilson(sum(right), len(right)))


def _mean(name: str, values: list[float]) -> Scores:
    """A mean of fractions with the bootstrap's interval."""
    return _with_interval(name, sum(values) / len(values), bootstrap(values))


def _with_interval(name: str, value: float, interval: tuple[float, float]) -> Scores:
    low, high = interval
    return {
        name: round(value, 4),
        f"{name}_low": round(low, 4),
        f"{name}_high": round(high, 4),
    }


def read_model(folder: Path) -> dict[str, list[Row]]:
    """benchmark.mode -> the rows of its samples, of every benchmark and mode evaluated for this folder's model."""
    files = sorted(folder.glob("*.parquet"))
    if not files:
        raise UserError(f"{folder}: holds no evaluated samples (*.parquet)")
    check_artifact(folder)

    try:
        return {file.stem: _read_rows(file) for file in files}
    except (KeyError, OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{folder}: not sample files of this version ({reason})") from None


def _read_rows(file: Path) -> list[Row]:
    """The needed columns; of cases also gold and output, from which their scores are computed."""
    golds = pq.read_table(file, columns=["gold"]).column("gold")
    is_of_cases = len(golds) > 0 and case_of(golds[0].as_py()) is not None
    columns = [*NEEDED, "gold", "output"] if is_of_cases else list(NEEDED)
    return pq.read_table(file, columns=columns).to_pylist()


def compare_models(models: dict[str, dict[str, list[Row]]]) -> list[dict[str, Any]]:
    """Each model against the one before it, greedy, task by task; tasks that were not run are left out."""
    order = {name: place for place, name in enumerate(models)}
    comparisons = []

    for first, second in pairwise(models):
        for task in models[first].keys() & models[second].keys():
            before, after = models[first][task], models[second][task]
            if any(row["status"] == "not_run" for row in before + after):
                continue

            verdicts_before, verdicts_after = _greedy_verdicts(before), _greedy_verdicts(after)
            shared = [key for key in verdicts_before if key in verdicts_after]
            measures = compare(
                [verdicts_before[key] for key in shared], [verdicts_after[key] for key in shared]
            )
            rounded = {name: round(value, 4) for name, value in measures.items()}
            comparisons.append({"task": task, "first": first, "second": second} | rounded)

    # Tasks come out of a set: the order of the file must not depend on it.
    return sorted(comparisons, key=lambda row: (order[row["second"]], row["task"]))


def _greedy_verdicts(rows: list[Row]) -> dict[str, bool]:
    return {row["id"]: row["correct"] for row in rows if row["greedy"]}


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    models = {folder.name: read_model(folder) for folder in args.models}

    if args.comparisons:
        write_json(args.comparisons, compare_models(models))

    summary = {}
    for model, tasks in models.items():
        summary[model] = {task: summarise(rows) for task, rows in tasks.items()}
    write_json(args.out, summary)


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "models", nargs="+", type=Path, help="folders eval/<model>, in the order of the pipeline"
    )
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument(
        "--comparisons", type=Path, help="file for each model against the one before it"
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_main(main)
