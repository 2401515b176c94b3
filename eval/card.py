"""Print a model's card with its scores: README.md of its folder, as it should be when the model is shared.

Reads   a model folder, and a summary of eval.summary (default: that of the run which the folder lies in).
Writes  the card to stdout, or to --out FILE. The folder stays as it is: what a training wrote is not touched, since
        later stages depend on it.

    python -m eval.card results/mini/models/rl
    python -m eval.card results/mini/models/rl --out to_share/README.md

The scores stand in a table with 95 % intervals, and in the front matter (`model-index`), where the Hub reads them.
"""

import argparse
import re
from pathlib import Path
from typing import Any

from pipeline.artifacts.write import read_json, write_text
from pipeline.errors import UserError, run_main
from pipeline.model.card import NAME, join_front_matter, split_front_matter

Scores = dict[str, Any]  # of one task: an entry of summary.json

BEFORE = "## How to ask it"
"""The section of a card that the scores stand before."""


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    card = args.model / NAME
    if not card.is_file():
        raise UserError(f"{args.model}: no model card ({NAME}) in this folder")

    path = args.summary or args.model.resolve().parents[1] / "eval" / "summary.json"
    summary = read_json(path)
    name = args.name or args.model.resolve().name
    if name not in summary:
        raise UserError(
            f"{path}: holds no scores of {name}; there are {', '.join(summary)} (--name)"
        )

    text = with_scores(card.read_text(encoding="utf-8"), name, summary[name])
    if args.out:
        write_text(args.out, text)
    else:
        print(text, end="")


def with_scores(card: str, name: str, scores: dict[str, Scores]) -> str:
    """The card with a table of the scores and their entries in the front matter."""
    measured = {task: values for task, values in scores.items() if "greedy" in values}
    values, body = split_front_matter(card)
    values["model-index"] = [
        {"name": name, "results": [_entry(task, row) for task, row in measured.items()]}
    ]

    head, found, tail = body.partition(f"{BEFORE}\n")
    section = _section(measured)
    if not found:
        return join_front_matter(values, f"{body.rstrip()}\n\n{section}")
    return join_front_matter(values, f"{head}{section}\n{found}{tail}")


def _section(measured: dict[str, Scores]) -> str:
    """The table: accuracy of greedy answers, and of majorities where there were samples."""
    lines = [
        "## Scores",
        "",
        "Accuracy of greedy answers in percent, with 95 % intervals over the problems; maj@K: the most frequent of K",
        "sampled answers.",
        "",
        "| benchmark | mode | problems | greedy | maj@K |",
        "| --- | --- | --- | --- | --- |",
    ]
    for task, row in measured.items():
        benchmark, _, mode = task.rpartition(".")
        majority = ""
        sizes = [int(key.removeprefix("maj@")) for key in row if re.fullmatch(r"maj@\d+", key)]
        if sizes:
            majority = f"{_cell(row, f'maj@{max(sizes)}')} (K = {max(sizes)})"
        lines.append(f"| {benchmark} | {mode} | {row['n']} | {_cell(row, 'greedy')} | {majority} |")
    return "\n".join(lines) + "\n"


def _cell(row: Scores, key: str) -> str:
    low, high = 100 * row[f"{key}_low"], 100 * row[f"{key}_high"]
    return f"{100 * row[key]:.1f} [{low:.1f}, {high:.1f}]"


def _entry(task: str, row: Scores) -> dict[str, Any]:
    """A result as the Hub's model-index has it."""
    benchmark, _, mode = task.rpartition(".")
    return {
        "task": {"type": "text-generation", "name": f"mathematics, {mode}"},
        "dataset": {"name": benchmark, "type": benchmark},
        "metrics": [
            {
                "type": "accuracy",
                "name": f"greedy accuracy, {mode}",
                "value": round(100 * row["greedy"], 2),
            }
        ],
    }


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path, help="model folder")
    parser.add_argument("--summary", type=Path, help="default: eval/summary.json of the run")
    parser.add_argument("--name", help="the model's name there; default: the folder's")
    parser.add_argument("--out", type=Path, help="file to write; default: stdout")
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_main(main)
