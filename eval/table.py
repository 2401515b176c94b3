"""The small table at the end of a run: each model's accuracy with its 95 % interval.

python -m eval.table results/mini/eval/summary.json
"""

import argparse
from pathlib import Path

from pipeline.artifacts.write import read_json
from pipeline.errors import UserError, run_main

STAGES = ("coder", "base", "sft", "rl")
WIDEST = 4  # tasks that fit side by side


def table(summary: dict) -> str:
    """Models in rows and `benchmark.mode` in columns (the other way round where there are many), "greedy accuracy
    [low, high]" in cells, all in percent."""
    tasks = sorted({name for scores in summary.values() for name in scores})
    models = sorted(summary, key=lambda model: (*STAGES, model).index(model))
    rows = [
        ["", *tasks],
        *([model, *(_cell(summary[model].get(task)) for task in tasks)] for model in models),
    ]
    if len(tasks) > WIDEST:
        rows = [list(column) for column in zip(*rows, strict=True)]
    rows[0][0] = "greedy accuracy, %"
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def _cell(scores: dict | None) -> str:
    if scores is None or "greedy" not in scores:
        return "not run"
    low, high = 100 * scores["greedy_low"], 100 * scores["greedy_high"]
    return f"{100 * scores['greedy']:5.1f}  [{low:.1f}, {high:.1f}]"


def print_outcome(results: str, since: float) -> None:
    """After a run of the DAG that evaluated: the accuracy table, and where the model and the report are."""
    summary = Path(results) / "eval" / "summary.json"
    if summary.is_file() and summary.stat().st_mtime >= since:
        print(f"\n{table(read_json(summary))}\n")
        print(f"model   {results}/models/rl\nreport  {results}/reports/results.html")


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("summary", help="eval/summary.json")
    path = parser.parse_args(argv).summary
    summary = read_json(path)
    if not _is_summary(summary):
        raise UserError(
            f"{path}: not a summary of eval.summary (model -> benchmark.mode -> scores)"
        )
    print(table(summary))


def _is_summary(value: object) -> bool:
    models = value.values() if isinstance(value, dict) else [None]
    scores = [
        s for model in models for s in (model.values() if isinstance(model, dict) else [None])
    ]
    return all(
        isinstance(s, dict) and {"greedy", "greedy_low", "greedy_high"} <= set(s) for s in scores
    )


if __name__ == "__main__":
    run_main(main)
