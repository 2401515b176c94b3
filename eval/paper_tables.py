"""The paper's tables with this run's numbers in them: how much of everything was used, then tables 2 to 5.

Reads   a results folder: eval/summary.json and the manifests of corpus/final and models/{base,sft,rl}.
Writes  one Markdown file. What the paper reports and this run did not evaluate stays "–", and so does the reverse.

    python -m eval.paper_tables --results results/mini --out results/mini/reports/paper_tables.md

Not here: curves and samples (eval.report has them), and table 1, whose five corpora are five trainings.
"""

import argparse
from pathlib import Path

from eval.reporting.scores import in_order, title
from eval.tasks.declarations import TABLE
from eval.tasks.paper_results import COLUMNS, MAJORITY, PAPER, SCALE, TABLES
from pipeline.artifacts.write import atomic_path, read_json
from pipeline.errors import run_main

Rows = list[list[str]]


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, required=True, help="a finished results folder")
    parser.add_argument("--out", type=Path, required=True, help="the Markdown file")
    args = parser.parse_args(argv)
    summary = read_json(args.results / "eval" / "summary.json")
    text = document(summary, scale_of(args.results))
    with atomic_path(args.out) as path:
        path.write_text(text, encoding="utf-8")
    print(text)


def document(summary: dict, scale: dict[str, float]) -> str:
    parts = [
        "# DeepSeekMath's tables beside this run\n",
        "Percent, greedy, with 95 % Wilson intervals for this run. Rows in italics are the paper's, of the model that "
        "stands at the same place of its pipeline.\n",
        "## How much of everything\n",
        markdown(
            [
                ["", "paper", "this run"],
                *([name, said, _amount(scale.get(name))] for name, said in SCALE.items()),
            ]
        ),
    ]
    for heading, (models, tasks) in TABLES.items():
        parts += [f"## {heading}\n", markdown(scores_table(summary, models, tasks))]
    parts += ["## Majority vote\n", markdown(majority_table(summary))]
    others = sorted({task for scores in summary.values() for task in scores if task not in PAPER})
    if others:
        parts += [
            "## Benchmarks of this run that the paper does not have\n",
            markdown(own_table(summary, others)),
        ]
    return "\n".join(parts)


def scores_table(summary: dict, models: tuple[str, ...], tasks: tuple[str, ...]) -> Rows:
    rows = [["model", *(TABLE[task.rpartition(".")[0]].title for task in tasks)]]
    for model in models:
        said = [PAPER.get(task, {}).get(model) for task in tasks]
        rows.append(
            [f"*{COLUMNS[model]}*", *("–" if value is None else f"*{value:.1f}*" for value in said)]
        )
        rows.append(
            [
                f"{model}, this run",
                *(_share(summary.get(model, {}).get(task), "greedy") for task in tasks),
            ]
        )
    return rows


def majority_table(summary: dict) -> Rows:
    rows = [["", "paper", "rl, this run"]]
    for task, (measure, said) in MAJORITY.items():
        rows.append(
            [
                f"{title(task)}, {measure}",
                f"{said:.1f}",
                _share(summary.get("rl", {}).get(task), measure),
            ]
        )
    return rows


def own_table(summary: dict, tasks: list[str]) -> Rows:
    rows = [["model", *map(title, tasks)]]
    return rows + [
        [m, *(_share(summary[m].get(task), "greedy") for task in tasks)] for m in in_order(summary)
    ]


def scale_of(results: Path) -> dict[str, float]:
    """This run's amounts by the names of `SCALE`; what a run does not have is missing."""
    found: dict[str, float] = {}
    corpus, base, sft, rl = (
        read_json(path) if (path := results / name / "manifest.json").is_file() else None
        for name in ("corpus/final", "models/base", "models/sft", "models/rl")
    )
    if corpus:
        found |= {
            "pages of the corpus": corpus["counts"]["pages"],
            "tokens of the corpus": corpus["counts"]["tokens"],
        }
    if base:
        found |= {
            "parameters": base["counts"]["parameters"],
            "tokens of continued pretraining": sum(
                row["tokens"] for row in base["counts"]["mixture"].values()
            ),
            "tokens of a batch": base["settings"]["batch_tokens"],
        }
    if sft:
        found |= {
            "worked solutions": sft["counts"]["examples"],
            "steps of fine-tuning": sft["settings"]["steps"],
        }
    if rl:
        found |= {
            "questions of RL": rl["counts"]["questions"],
            "outputs a question": rl["settings"]["group_size"],
            "outputs a step": rl["settings"]["batch_outputs"],
        }
    return found


def markdown(rows: Rows) -> str:
    """A table whose first row is its head."""
    head, *body = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([head, "|" + " --- |" * len(rows[0]), *body]) + "\n"


def _share(scores: dict | None, name: str) -> str:
    if not scores or scores.get(name) is None:
        return "–"
    value, low, high = (100 * scores[key] for key in (name, f"{name}_low", f"{name}_high"))
    return f"{value:.1f} [{low:.1f}, {high:.1f}]"


def _amount(value: float | None) -> str:
    return "–" if value is None else f"{value:,}"


if __name__ == "__main__":
    run_main(main)
