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

import pyarrow.parquet as pq

from eval.grading.formula.tokens import FormulaLimit
from eval.grading.grader import same_answer
from eval.reporting.metrics import bootstrap, compare, group_answers, maj_at_k, pass_at_k, wilson
from pipeline.artifacts.write import write_json
from pipeline.errors import UserError, run_main

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


def summarise(rows: list[dict]) -> dict:
    """Scores of one model on one benchmark and mode, from its sample rows.

    Where proofs could not be checked on this machine there is no score: {"n", "not_run"}.
    """
    greedy = [row for row in rows if row["greedy"]]
    n, not_run = len(greedy), sum(row["status"] == "not_run" for row in greedy)
    if not_run:
        return {"n": n, "not_run": not_run}
    scores = {"n": n} | _share("greedy", [row["correct"] for row in greedy])
    for name, field in (("compat", "compat"), ("program", "program_correct")):
        values = [row[field] for row in greedy if row[field] is not None]
        scores |= _share(name, values) if values else {}
    scores["no_answer"] = round(sum(row["extracted"] is None for row in greedy) / max(n, 1), 4)
    scores["truncated"] = round(sum(row["finish"] == "length" for row in greedy) / max(n, 1), 4)
    scores["undecided"] = round(
        sum(row["status"] not in ("ok", "no_answer") for row in greedy) / max(n, 1), 4
    )
    scores["tokens"] = round(sum(row["tokens"] for row in greedy) / max(n, 1), 1)
    groups = defaultdict(list)
    for row in sorted((row for row in rows if not row["greedy"]), key=lambda row: row["sample"]):
        groups[row["id"]].append(row)
    return scores | _sampled(list(groups.values()))


def _sampled(problems: list[list[dict]]) -> dict:
    """Maj@K and Pass@K at every power of two up to the number of samples, and at that number."""
    most = min(map(len, problems), default=0)
    if not most:
        return {}
    votes = [group_answers([row["extracted"] for row in rows], _same) for rows in problems]
    right = [[row["correct"] for row in rows] for rows in problems]
    scores: dict = {"samples": most}
    for k in sorted({2**i for i in range(most.bit_length())} | {most}):
        voted = [maj_at_k(v[:most], r[:most], k) for v, r in zip(votes, right, strict=True)]
        solved = [pass_at_k(len(r), sum(r), k) for r in right]
        scores |= _mean(f"maj@{k}", voted) | _mean(f"pass@{k}", solved)
    return scores


def _same(first: str, second: str) -> bool:
    """Equal in both directions: rounding counts only where each may stand for the other."""
    try:
        return same_answer(first, second)[0] and same_answer(second, first)[0]
    except FormulaLimit:
        return False


def _share(name: str, right: list[bool]) -> dict:
    low, high = wilson(sum(right), len(right))
    return {
        name: round(sum(right) / max(len(right), 1), 4),
        f"{name}_low": round(low, 4),
        f"{name}_high": round(high, 4),
    }


def _mean(name: str, values: list[float]) -> dict:
    low, high = bootstrap(values)
    return {
        name: round(sum(values) / len(values), 4),
        f"{name}_low": round(low, 4),
        f"{name}_high": round(high, 4),
    }


def read_model(folder: Path) -> dict[str, list[dict]]:
    """benchmark.mode -> the rows of its samples, of every benchmark and mode evaluated for this folder's model."""
    files = sorted(folder.glob("*.parquet"))
    if not files:
        raise UserError(f"{folder}: holds no evaluated samples (*.parquet)")
    try:
        return {file.stem: pq.read_table(file, columns=list(NEEDED)).to_pylist() for file in files}
    except (KeyError, OSError, ValueError) as error:
        raise UserError(
            f"{folder}: not sample files of this version ({str(error).splitlines()[0]})"
        ) from None


def compare_models(models: dict[str, dict[str, list[dict]]]) -> list[dict]:
    """Each model against the one before it, greedy, task by task."""
    names, rows = list(models), []
    for first, second in pairwise(names):
        for task in models[first].keys() & models[second].keys():
            if any(
                row["status"] == "not_run" for name in (first, second) for row in models[name][task]
            ):
                continue
            verdicts = [
                {r["id"]: r["correct"] for r in models[name][task] if r["greedy"]}
                for name in (first, second)
            ]
            shared = [key for key in verdicts[0] if key in verdicts[1]]
            pair = compare(*([verdict[key] for key in shared] for verdict in verdicts))
            rows.append(
                {"task": task, "first": first, "second": second}
                | {k: round(v, 4) for k, v in pair.items()}
            )
    return sorted(rows, key=lambda row: (names.index(row["second"]), row["task"]))


def main(argv: list[str] | None = None) -> None:
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
    args = parser.parse_args(argv)
    models = {folder.name: read_model(folder) for folder in args.models}
    if args.comparisons:
        write_json(args.comparisons, compare_models(models))
    write_json(
        args.out,
        {m: {name: summarise(rows) for name, rows in tasks.items()} for m, tasks in models.items()},
    )


if __name__ == "__main__":
    run_main(main)
