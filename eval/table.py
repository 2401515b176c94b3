"""The small table at the end of a run: each model's accuracy with its 95 % interval.

python -m eval.table results/mini/eval/summary.json
"""

import argparse
import time
from pathlib import Path
from typing import Any, TypeGuard

from pipeline.artifacts.write import read_json
from pipeline.errors import UserError, run_main

Scores = dict[str, Any]  # of one task: an entry of summary.json
Summary = dict[str, dict[str, Scores]]  # model -> task (benchmark.mode) -> scores

STAGES = ("coder", "base", "sft", "rl")
WIDEST = 4  # tasks that fit side by side


def table(summary: Summary) -> str:
    """Models in rows and `benchmark.mode` in columns (the other way round where there are many), "greedy accuracy
    [low, high]" in cells, all in percent."""
    tasks = sorted({name for scores in summary.values() for name in scores})
    # In the order of the pipeline; other models behind, in the order given
    models = sorted(summary, key=lambda model: (*STAGES, model).index(model))

    rows = [["", *tasks]]
    for model in models:
        rows.append([model, *(_cell(summary[model].get(task)) for task in tasks)])
    if len(tasks) > WIDEST:
        rows = [list(column) for column in zip(*rows, strict=True)]
    rows[0][0] = "greedy accuracy, %"

    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [text.ljust(width) for text, width in zip(row, widths, strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def _cell(scores: Scores | None) -> str:
    if scores is None or "greedy" not in scores:
        return "not run"
    low, high = 100 * scores["greedy_low"], 100 * scores["greedy_high"]
    return f"{100 * scores['greedy']:5.1f}  [{low:.1f}, {high:.1f}]"


def times_table(benchmarks: Path, since: float) -> str:
    """Stage, seconds and share of the jobs that have ended since a moment; jobs of one stage are added up.

    Jobs run beside one another, so that the sum may be more than the time that passed.
    """
    seconds: dict[str, float] = {}
    for file in benchmarks.glob("*.tsv"):
        if file.stat().st_mtime < since:
            continue
        # Snakemake's own format: a line of names, then a line a repetition.
        head, *rows = (line.split("\t") for line in file.read_text(encoding="utf-8").splitlines())
        stage = file.name.split(".")[0]
        spent = sum(float(row[head.index("s")]) for row in rows)
        seconds[stage] = seconds.get(stage, 0.0) + spent

    total = sum(seconds.values())
    lines = [f"{'stage':24}  {'seconds':>8}  {'share':>6}"]
    for stage, spent in sorted(seconds.items(), key=lambda item: -item[1]):
        lines.append(f"{stage:24}  {spent:8.1f}  {100 * spent / total:5.1f}%")
    return "\n".join(lines)


def print_outcome(results: str, since: float) -> None:
    """After a run of the DAG that evaluated: the time of each stage, the accuracy table, and where the model and the
    report are."""
    summary = Path(results) / "eval" / "summary.json"
    evaluated_now = summary.is_file() and summary.stat().st_mtime >= since
    if evaluated_now:
        passed = time.time() - since
        print(f"\n{times_table(Path(results) / 'benchmarks', since)}\n{passed:.0f} s passed")
        print(f"\n{table(read_json(summary))}\n")
        print(f"model   {results}/models/rl\nreport  {results}/reports/results.html")


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    summary = read_json(args.summary)
    if not _is_summary(summary):
        raise UserError(
            f"{args.summary}: not a summary of eval.summary (model -> benchmark.mode -> scores)"
        )
    print(table(summary))


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("summary", help="eval/summary.json")
    return parser.parse_args(argv)


def _is_summary(value: object) -> TypeGuard[Summary]:
    """Whether a JSON value has the form of a summary in which everything was run."""
    if not isinstance(value, dict):
        return False

    for tasks in value.values():
        if not isinstance(tasks, dict):
            return False
        for scores in tasks.values():
            if not isinstance(scores, dict):
                return False
            if not {"greedy", "greedy_low", "greedy_high"} <= set(scores):
                return False
    return True


if __name__ == "__main__":
    run_main(main)
