"""What the results report shows of benchmarks of cases, and of a reward model that learnt from experts' scores."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from eval.reporting.scores import Summary, tasks_of, title
from pipeline.artifacts.write import MANIFEST, read_json
from pipeline.report.charts import Interval, interval_chart
from pipeline.report.number_format import MISSING, number
from pipeline.report.page import Section

COLUMNS = (
    ("treatment_precision", "treatments: precision", 3),
    ("treatment_recall", "recall", 3),
    ("unsafe_per_1000", "unsafe answers per 1,000", 0),
    ("consistency", "consistency", 3),
    ("reasoning", "reasoning cites what is there", 3),
)
"""Measures of eval/cases/measures.py: name, heading, digits."""


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One model's scores."""

    model: str
    score: str
    cells: list[str]
    unreadable: str


@dataclass(frozen=True, slots=True)
class CaseTask:
    title: str
    chart: Markup
    columns: list[str]
    rows: list[CaseRow]


@dataclass(frozen=True, slots=True)
class Rater:
    name: str
    severity: str
    noise: str


@dataclass(frozen=True, slots=True)
class Calibrated:
    """One bin of the calibration curve, in points."""

    answers: str
    predicted: str
    observed: str


@dataclass(frozen=True, slots=True)
class RatedModel:
    """How a reward model's values go with experts' scores of answers that it was not trained on."""

    facts: list[tuple[str, str]]
    calibration: list[Calibrated]
    raters: list[Rater]


def case_section(summary: Summary) -> Section | None:
    """Expert score, safety and consistency; None where no benchmark is of cases."""
    tasks = [_task(summary, name) for name in tasks_of(summary) if _models(summary, name)]
    return Section("Cases", "cases.html.jinja", tasks) if tasks else None


def _models(summary: Summary, task: str) -> list[str]:
    return [model for model in summary if "expert_score" in (summary[model].get(task) or {})]


def _task(summary: Summary, task: str) -> CaseTask:
    models = _models(summary, task)
    entries = []
    for model in models:
        scores = summary[model][task]
        low, high = scores["expert_score_low"], scores["expert_score_high"]
        entries.append(Interval(model, scores["expert_score"], low, high))

    heading = title(task)
    return CaseTask(
        title=heading,
        chart=interval_chart([(heading, entries)], "expected expert score, 1 to 10"),
        columns=[name for _, name, _ in COLUMNS],
        rows=[_row(model, summary[model][task]) for model in models],
    )


def _row(model: str, scores: dict[str, Any]) -> CaseRow:
    low, high = scores["expert_score_low"], scores["expert_score_high"]
    flaws = [f"{count} {reason}" for reason, count in scores.get("unreadable", {}).items()]
    return CaseRow(
        model=model,
        score=f"{scores['expert_score']:.2f} [{low:.2f}, {high:.2f}]",
        cells=[_number(scores.get(name), digits) for name, _, digits in COLUMNS],
        unreadable=", ".join(flaws) or "none",
    )


def rated_model_section(results: Path) -> Section | None:
    """The reward model, where it learnt from experts' scores."""
    manifest = results / "models" / "reward" / MANIFEST
    if not manifest.is_file():
        return None
    metrics = read_json(manifest).get("metrics", {})
    if "rank_correlation" not in metrics:
        return None

    named = (
        ("agreement of all raters (Krippendorff's alpha)", "agreement"),
        ("rank correlation with the training raters", "rank_correlation"),
        ("with held-out raters", "rank_correlation_held_out"),
        ("one rater with the others, for comparison", "experts_rank_correlation"),
        ("among answers to one question", "rank_correlation_within"),
        ("mean error, points", "error"),
    )
    model = RatedModel(
        facts=[(label, _number(metrics.get(name), 2)) for label, name in named],
        calibration=[
            Calibrated(f"{row['n']:,}", f"{row['predicted']:.1f}", f"{row['observed']:.1f}")
            for row in metrics.get("rating_calibration", [])
        ],
        raters=[
            Rater(name, f"{values['severity']:+.2f}", f"{values['noise']:.2f}")
            for name, values in metrics.get("raters", {}).items()
        ],
    )
    return Section("Reward model of experts' scores", "rated_model.html.jinja", model)


def _number(value: float | None, digits: int) -> str:
    return MISSING if value is None else number(value, digits)
