"""The paper's tables with this run's numbers in them: how much of everything was used, then tables 1 to 5.

Reads   a results folder: eval/summary.json and the manifests of corpus/final and models/{base,sft,rl}.
Writes  one Markdown file. What this run did not evaluate says "not run", what the paper does not report is "–".

    python -m eval.paper_tables --results results/mini --out results/mini/reports/paper_tables.md

Table 1 compares corpora, each of which is a training of its own: where the summary holds a model that is called
mathpile, openwebmath or proof_pile_2, it stands in its row. Not here: curves and samples (eval.report has them).
"""

import argparse
from pathlib import Path
from typing import Any

from eval.reporting.scores import in_order, title
from eval.tasks.declarations import TABLE
from eval.tasks.paper_results import (
    COLUMNS,
    CORPUS_COLUMNS,
    CORPUS_SCORES,
    CORPUS_TASKS,
    MAJORITY,
    PAPER,
    SCALE,
    TABLES,
    Table,
)
from pipeline.artifacts.write import atomic_path, read_json
from pipeline.errors import run_main
from pipeline.notice import notice

Rows = list[list[str]]
Scores = dict[str, Any]  # of one task: an entry of summary.json
Summary = dict[str, dict[str, Scores]]  # model -> task (benchmark.mode) -> scores

MISSING = "–"
NOT_RUN = "not run"


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    summary = read_json(args.results / "eval" / "summary.json")

    text = document(summary, scale_of(args.results))
    if notice():
        text = f"**{notice()}**\n\n{text}"

    with atomic_path(args.out) as path:
        path.write_text(text, encoding="utf-8")
    print(text)


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, required=True, help="a finished results folder")
    parser.add_argument("--out", type=Path, required=True, help="the Markdown file")
    return parser.parse_args(argv)


def document(summary: Summary, scale: dict[str, float]) -> str:
    """The whole page: amounts, the paper's tables, majority vote, and what the paper does not have."""
    parts = [
        "# DeepSeekMath's tables beside this run\n",
        "Percent, greedy, with 95 % Wilson intervals and the number of problems n for this run. Rows in italics are "
        "the paper's, of the model that stands at the same place of its pipeline.\n",
        "## How much of everything\n",
        markdown(scale_table(scale)),
    ]

    parts.append("## Table 1: corpora\n")
    parts.append(markdown(corpora_table(summary)))
    for table in TABLES:
        parts.append(f"## {table.title}\n")
        parts.append(markdown(scores_table(summary, table)))

    parts.append("## Majority vote\n")
    parts.append(markdown(majority_table(summary)))

    others = {task for scores in summary.values() for task in scores if task not in PAPER}
    if others:
        parts.append("## Benchmarks of this run that the paper does not have\n")
        parts.append(markdown(own_table(summary, sorted(others))))

    return "\n".join(parts)


def scale_table(scale: dict[str, float]) -> Rows:
    """How much of everything the paper used and this run."""
    rows = [["", "paper", "this run"]]
    for name, paper in SCALE.items():
        rows.append([name, paper, _amount(scale.get(name))])
    return rows


def scores_table(summary: Summary, table: Table) -> Rows:
    """One of the paper's tables, two rows a model: the paper's scores, then this run's."""
    rows = [["model", *(TABLE[task.rpartition(".")[0]].title for task in table.tasks)]]

    for model in table.models:
        paper = [PAPER.get(task, {}).get(model) for task in table.tasks]
        cells = [MISSING if value is None else f"*{value:.1f}*" for value in paper]
        rows.append([f"*{COLUMNS[model]}*", *cells])

        scores = summary.get(model, {})
        cells = [_share(scores.get(task), "greedy") for task in table.tasks]
        rows.append([f"{model}, this run", *cells])

    return rows


def corpora_table(summary: Summary) -> Rows:
    """Table 1, two rows a corpus: the paper's scores, then those of this run's model that was trained on it."""
    rows = [["corpus", *(TABLE[task.rpartition(".")[0]].title for task in CORPUS_TASKS)]]

    for model, corpus in CORPUS_COLUMNS.items():
        rows.append([f"*{corpus}*", *(f"*{value:.1f}*" for value in CORPUS_SCORES[model])])
        scores = summary.get(model, {})
        cells = [_share(scores.get(task), "greedy") for task in CORPUS_TASKS]
        rows.append([f"{model}, this run", *cells])

    return rows


def majority_table(summary: Summary) -> Rows:
    """Self-consistency of the RL model."""
    scores = summary.get("rl", {})
    rows = [["", "paper", "rl, this run"]]
    for task, (measure, paper) in MAJORITY.items():
        rows.append(
            [f"{title(task)}, {measure}", f"{paper:.1f}", _share(scores.get(task), measure)]
        )
    return rows


def own_table(summary: Summary, tasks: list[str]) -> Rows:
    """Scores of every model on tasks that are not the paper's."""
    rows = [["model", *map(title, tasks)]]
    for model in in_order(summary):
        rows.append([model, *(_share(summary[model].get(task), "greedy") for task in tasks)])
    return rows


def scale_of(results: Path) -> dict[str, float]:
    """This run's amounts by the names of `SCALE`; what a run does not have is missing."""
    found: dict[str, float] = {}

    corpus = _manifest(results / "corpus" / "final")
    if corpus:
        found["pages of the corpus"] = corpus["counts"]["pages"]
        found["tokens of the corpus"] = corpus["counts"]["tokens"]

    base = _manifest(results / "models" / "base")
    if base:
        mixture = base["counts"]["mixture"].values()
        found["parameters"] = base["counts"]["parameters"]
        found["tokens of continued pretraining"] = sum(row["tokens"] for row in mixture)
        found["tokens of a batch"] = base["settings"]["batch_tokens"]

    sft = _manifest(results / "models" / "sft")
    if sft:
        found["worked solutions"] = sft["counts"]["examples"]
        found["steps of fine-tuning"] = sft["settings"]["steps"]

    rl = _manifest(results / "models" / "rl")
    if rl:
        found["questions of RL"] = rl["counts"]["questions"]
        found["outputs a question"] = rl["settings"]["group_size"]
        found["outputs a step"] = rl["settings"]["batch_outputs"]

    return found


def _manifest(folder: Path) -> dict[str, Any] | None:
    path = folder / "manifest.json"
    if not path.is_file():
        return None
    manifest: dict[str, Any] = read_json(path)
    return manifest


def markdown(rows: Rows) -> str:
    """A table whose first row is its head."""
    head, *body = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([head, "|" + " --- |" * len(rows[0]), *body]) + "\n"


def _share(scores: Scores | None, name: str) -> str:
    """A score with its interval, in percent, and the number of problems that it is of."""
    if not scores or scores.get(name) is None:
        return NOT_RUN
    value, low, high = (100 * scores[key] for key in (name, f"{name}_low", f"{name}_high"))
    return f"{value:.1f} [{low:.1f}, {high:.1f}], n = {scores['n']:,}"


def _amount(value: float | None) -> str:
    return MISSING if value is None else f"{value:,}"


if __name__ == "__main__":
    run_main(main)
