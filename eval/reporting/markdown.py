"""The results in Markdown, short enough to paste into an issue: scores with intervals, settings that
differ from the preset, time of each stage, versions.
"""

from collections.abc import Sequence
from pathlib import Path

from eval.reporting.cost import by_stage, read_jobs
from eval.reporting.provenance import facts
from eval.reporting.scores import (
    Comparison,
    Scores,
    Summary,
    comparisons,
    in_order,
    tasks_of,
    title,
)
from eval.reporting.settings import Changed, differences
from pipeline.notice import notice
from pipeline.report.number_format import MISSING, number


def results_markdown(results: Path, summary: Summary) -> str:
    """The text of results.md."""
    parts = [f"# Results of run {_plain(results.name)}"]
    if notice():
        parts.append(f"**{notice()}**")
    made_with = facts(results)
    if made_with:
        parts.append("\n".join(f"- {label}: {_plain(value)}" for label, value in made_with))

    parts.append("## Greedy accuracy, % [95 % interval]\n\n" + _scores(summary))
    compared = comparisons(results)
    if compared:
        parts.append("## Each model compared with the one before\n\n" + _comparisons(compared))

    found = differences(results)
    parts.append(f"## Settings that differ from {found.baseline}\n\n" + _settings(found.changed))

    jobs = read_jobs(results)
    if jobs:
        rows = []
        for stage in by_stage(jobs):
            rows.append([stage.name, number(stage.seconds), number(stage.memory_mb)])
        columns = ["stage", "seconds of jobs", "peak memory, MB"]
        parts.append("## Time\n\n" + _table(columns, rows))
    return "\n\n".join(parts) + "\n"


def _scores(summary: Summary) -> str:
    models = in_order(summary)
    rows = []
    for task in tasks_of(summary):
        scores = [summary[model].get(task) for model in models]
        problems = max(found["n"] for found in scores if found is not None)
        rows.append([_plain(title(task)), f"{problems:,}", *map(_score, scores)])
    return _table(["task", "problems", *models], rows)


def _score(scores: Scores | None) -> str:
    if scores is None or "greedy" not in scores:
        return "not run" if scores and "not_run" in scores else MISSING
    value, low, high = (100 * scores[key] for key in ("greedy", "greedy_low", "greedy_high"))
    return f"{value:.1f} [{low:.1f}, {high:.1f}]"


def _comparisons(rows: Sequence[Comparison]) -> str:
    columns = ["models", "task", "change, points [95 % interval]", "p"]
    cells = []
    for row in rows:
        cells.append(
            [row.models, _plain(row.title), f"{row.change} [{row.interval}]", _plain(row.p)]
        )
    return _table(columns, cells)


def _settings(changed: Sequence[Changed]) -> str:
    if not changed:
        return "None."
    rows = [[_code(row.key), _code(row.value), _code(row.usual)] for row in changed]
    return _table(["setting", "this run", "usual"], rows)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(text: str) -> str:
    """Text that ends neither its cell nor its row."""
    return " ".join(text.split()).replace("|", "\\|")


def _code(text: str) -> str:
    return f"`{text.replace('`', chr(39))}`"


def _plain(text: str) -> str:
    """Text on one line, with nothing that Markdown would take for an element of HTML."""
    return " ".join(text.split()).replace("<", "&lt;")
