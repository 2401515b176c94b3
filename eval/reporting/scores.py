"""Sections of the results report about scores: accuracy beside the paper's, models compared,
sampling curves, break-downs, and both graders.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from markupsafe import Markup

from eval.reporting.metrics import wilson
from eval.tasks.declarations import TABLE
from eval.tasks.paper_results import COLUMNS, MAJORITY, PAPER
from pipeline.artifacts.write import read_json
from pipeline.errors import UserError
from pipeline.report.charts import Interval, Line, interval_chart, line_chart
from pipeline.report.number_format import percent, points
from pipeline.report.page import Section

STAGES = ("coder", "base", "sft", "rl")
MODES = {"cot": "chain of thought", "pot": "program", "tool": "text and programs"}

Scores = dict[str, Any]  # of one model on one task: "greedy", "greedy_low", "maj@8", "n", …
Summary = dict[str, dict[str, Scores]]  # model -> task -> scores; a task is "benchmark.mode"
Rows = dict[tuple[str, str], list[dict[str, Any]]]  # (model, task) -> sample rows


# ---- Models and tasks ----------------------------------------------------------------------------
def in_order(models: Iterable[str]) -> list[str]:
    """Pipeline order: coder, base, sft, rl, then anything else by name."""

    def key(name: str) -> tuple[int, str]:
        place = STAGES.index(name) if name in STAGES else len(STAGES)
        return (place, name)

    return sorted(models, key=key)


def title(task: str) -> str:
    """ "gsm8k.cot" as people say it."""
    benchmark, _, mode = task.rpartition(".")
    known = TABLE.get(benchmark)
    # A user's own benchmark goes by its name.
    name = known.title if known else benchmark
    return f"{name}, {MODES.get(mode, mode)}"


def main_task(tasks: list[str]) -> str:
    """The task of the headline: chain of thought where there is one."""
    return next((name for name in tasks if name.endswith(".cot")), tasks[0])


def tasks_of(summary: Summary) -> list[str]:
    """In the order of the table of benchmarks, then by mode."""
    order = {name: number for number, name in enumerate(TABLE)}
    tasks: set[str] = set()
    for scores in summary.values():
        tasks |= set(scores)

    def key(task: str) -> tuple[int, str]:
        benchmark, _, _ = task.rpartition(".")
        return (order.get(benchmark, len(order)), task)

    return sorted(tasks, key=key)


def load_summary(results: Path) -> Summary:
    """The scores of a run; a UserError where there is no finished evaluation in the folder."""
    if not results.is_dir():
        raise UserError(f"{results}: no such folder; name a run's, such as results/mini")

    path = results / "eval" / "summary.json"
    if not path.is_file():
        raise UserError(
            f"{results}: not evaluated yet (no eval/summary.json); finish it with"
            f" snakemake --cores all rl_model --config preset={results.name}"
        )
    summary: Summary = read_json(path)
    return summary


def load_rows(results: Path, summary: Summary) -> Rows:
    """(model, task) -> its sample rows."""
    return {
        (model, name): pq.read_table(results / "eval" / model / f"{name}.parquet").to_pylist()
        for model, scores in summary.items()
        for name in scores
    }


def score_sections(results: Path, summary: Summary, rows: Rows) -> list[Section | None]:
    """The sections about scores; None for each that has nothing to show."""
    models, tasks = in_order(summary), tasks_of(summary)
    compared = comparisons(results)
    sampled = curves(summary, models, tasks)
    by_field = breakdowns(rows, models, tasks)
    graded = graders(results, summary, models, tasks)

    return [
        Section("Accuracy", "accuracy.html.jinja", accuracy(summary, models, tasks)),
        _section("Each model compared with the one before", "comparisons.html.jinja", compared),
        _section("Maj@K and Pass@K", "curves.html.jinja", sampled),
        _section("By level, kind and language", "breakdowns.html.jinja", by_field),
        Section("How answers were graded", "graders.html.jinja", graded),
    ]


def _section(name: str, template: str, data: Sequence[object]) -> Section | None:
    return Section(name, template, data) if data else None


# ---- Accuracy ------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Estimate:
    """A score with its 95 % interval; `value` is None where there is none, `note` says why."""

    value: float | None
    low: float = 0.0
    high: float = 0.0
    note: str = ""


def estimate(scores: Scores | None, name: str = "greedy") -> Estimate:
    if scores and scores.get(name) is not None:
        return Estimate(scores[name], scores[f"{name}_low"], scores[f"{name}_high"])
    return Estimate(None, note="not run" if scores and "not_run" in scores else "–")


@dataclass(frozen=True, slots=True)
class AccuracyRow:
    title: str
    problems: int
    ours: list[Estimate]
    papers: list[float | None]  # in percent


@dataclass(frozen=True, slots=True)
class Accuracy:
    models: list[str]
    main_title: str
    headline: list[tuple[str, str]]  # model, its accuracy on the main task
    chart: Markup
    paper_columns: list[str]
    rows: list[AccuracyRow]
    in_paper: bool  # whether the paper reports any of the tasks


def accuracy(summary: Summary, models: list[str], tasks: list[str]) -> Accuracy:
    main = main_task(tasks)
    # The paper's models have a column where it reports any of the tasks for them.
    reported: set[str] = set()
    for task in tasks:
        reported |= set(PAPER.get(task, {}))
    papers = [name for name in COLUMNS if name in reported]

    headline = []
    for model in models:
        scores = summary[model].get(main, {})
        shown = percent(scores["greedy"]) if "greedy" in scores else "not run"
        headline.append((model, shown))

    rows = []
    for task in tasks:
        scores_by_model = [summary[model].get(task) for model in models]
        problems = max(scores["n"] for scores in scores_by_model if scores is not None)
        ours = [estimate(scores) for scores in scores_by_model]
        theirs = [PAPER.get(task, {}).get(name) for name in papers]
        rows.append(AccuracyRow(title(task), problems, ours, theirs))

    return Accuracy(
        models=models,
        main_title=title(main),
        headline=headline,
        chart=_accuracy_chart(summary, models, tasks),
        paper_columns=[COLUMNS[name] for name in papers],
        rows=rows,
        in_paper=any(task in PAPER for task in tasks),
    )


def _accuracy_chart(summary: Summary, models: list[str], tasks: list[str]) -> Markup:
    rows = []
    for task in tasks:
        entries = []
        for model in models:
            scores = summary[model].get(task, {})
            if "greedy" in scores:
                value = 100 * scores["greedy"]
                low = 100 * scores["greedy_low"]
                high = 100 * scores["greedy_high"]
                entries.append(Interval(model, value, low, high))
        if entries:
            rows.append((title(task), entries))
    return interval_chart(rows, "greedy accuracy, %")


# ---- Each model compared with the previous one ---------------------------------------------------
@dataclass(frozen=True, slots=True)
class Comparison:
    models: str
    title: str
    change: str  # in percentage points
    interval: str
    wins: int
    losses: int
    p: str


def comparisons(results: Path) -> list[Comparison]:
    path = results / "eval" / "comparisons.json"
    if not path.is_file():
        return []

    rows: Iterable[Any] = read_json(path)
    return [
        Comparison(
            models=f"{row['first']} → {row['second']}",
            title=title(row["task"]),
            change=points(row["difference"]),
            interval=f"{points(row['low'])} to {points(row['high'])}",
            wins=row["wins"],
            losses=row["losses"],
            p="< 0.001" if row["p"] < 0.001 else f"{row['p']:.3f}",
        )
        for row in rows
    ]


# ---- Maj@K and Pass@K ----------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Curve:
    """Maj@K and Pass@K of all models on one task."""

    title: str
    chart: Markup
    ks: list[int]
    rows: list[tuple[str, list[Estimate]]]  # "rl, Maj@K", a value for each K
    paper: tuple[str, float] | None  # what the paper reports, in percent


def curves(summary: Summary, models: list[str], tasks: list[str]) -> list[Curve]:
    found = []
    for task in tasks:
        lines: list[Line] = []
        rows: list[tuple[str, list[Estimate]]] = []
        ks: list[int] = []
        for number, model in enumerate(models):
            scores = summary[model].get(task, {})
            ks_of_model = _ks(scores)
            for kind in ("maj", "pass") if ks_of_model else ():
                label = f"{model}, {kind.capitalize()}@K"
                estimates = [estimate(scores, f"{kind}@{k}") for k in ks_of_model]
                lines.append(_curve_line(label, scores, kind, ks_of_model, number + 1))
                rows.append((label, estimates))
                ks = ks or ks_of_model
        if lines:
            chart = line_chart(lines, "K samples", "problems, %", powers_of_two=True)
            found.append(Curve(title(task), chart, ks, rows, MAJORITY.get(task)))
    return found


def _ks(scores: Scores) -> list[int]:
    """The K of "maj@K"; other keys, such as "maj@8_low", are bounds."""
    ks = []
    for key in scores:
        kind, _, k = key.partition("@")
        if kind == "maj" and k.isdigit():
            ks.append(int(k))
    return sorted(ks)


def _curve_line(label: str, scores: Scores, kind: str, ks: list[int], colour: int) -> Line:
    points = []
    band = []
    for k in ks:
        name = f"{kind}@{k}"
        points.append((k, 100 * scores[name]))
        band.append((k, 100 * scores[f"{name}_low"], 100 * scores[f"{name}_high"]))
    return Line(label, points, band, dashed=kind == "pass", colour=colour)


# ---- By level, kind and language -----------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Share:
    """Greedy accuracy of a model on a group of problems."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Greedy accuracy by one field of the problems."""

    field: str
    models: list[str]
    rows: list[tuple[str, int, list[Share | None]]]  # value of the field, problems, a model each


@dataclass(frozen=True, slots=True)
class TaskBreakdowns:
    title: str
    tables: list[Breakdown]


def breakdowns(rows: Rows, models: list[str], tasks: list[str]) -> list[TaskBreakdowns]:
    """The main task's first, then those of the others; tasks without any are left out."""
    main = main_task(tasks)
    main_first = sorted(tasks, key=lambda task: task != main)

    found = []
    for task in main_first:
        tables = [_breakdown(rows, models, task, field) for field in ("level", "kind", "language")]
        # A single group would only repeat the accuracy above.
        tables_with_groups = [table for table in tables if len(table.rows) > 1]
        if tables_with_groups:
            found.append(TaskBreakdowns(title(task), tables_with_groups))
    return found


def _breakdown(rows: Rows, models: list[str], task: str, field: str) -> Breakdown:
    # Value of the field -> model -> whether it was right, problem by problem.
    groups: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for model in models:
        for row in rows.get((model, task), ()):
            if row["greedy"]:
                groups[row[field] or "–"][model].append(row["correct"])

    table = []
    for value, verdicts in sorted(groups.items()):
        problems = max(map(len, verdicts.values()))
        shares = [_share(verdicts[model]) for model in models]
        table.append((value, problems, shares))
    return Breakdown(field, models, table)


def _share(verdicts: list[bool]) -> Share | None:
    if not verdicts:
        return None
    right, n = sum(verdicts), len(verdicts)
    return Share(right / n, *wilson(right, n))


# ---- How answers were extracted and graded -------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Graders:
    rows: list[tuple[str, str, Scores]]  # task, model, scores
    isolation: list[str]


def graders(results: Path, summary: Summary, models: list[str], tasks: list[str]) -> Graders:
    rows = []
    for task in tasks:
        for model in models:
            scores = summary[model].get(task, {})
            if "greedy" in scores:
                rows.append((title(task), model, scores))

    levels = {_isolation(results / "eval" / model / "manifest.json") for model in models}
    return Graders(rows, sorted(levels - {""}))


def _isolation(manifest: Path) -> str:
    """How the sandbox of an evaluation was isolated; empty where it is not recorded."""
    if not manifest.is_file():
        return ""
    return str(read_json(manifest)["metrics"].get("isolation", ""))
