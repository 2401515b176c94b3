"""Sections of the results report about training: bits per byte, losses, reinforcement learning, the
time and memory of each job, and the settings.
"""

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from eval.reporting.rollouts import (
    RL_CURVES,
    RecordedQuestion,
    RunWarning,
    rollouts,
    warnings_of,
)
from pipeline.artifacts.records import read_jsonl
from pipeline.artifacts.write import read_json
from pipeline.report.charts import NOTHING, Line, line_chart
from pipeline.report.page import Section

Lines = list[dict[str, Any]]  # of a metrics.jsonl


def training_sections(results: Path) -> list[Section | None]:
    """Continued pretraining, losses, RL; None for each that has nothing to show."""
    metrics = load_metrics(results)
    return [
        _pretraining_section(results, metrics.get("base", [])),
        _loss_section(metrics),
        _rl_section(results, metrics.get("rl", [])),
    ]


def load_metrics(results: Path) -> dict[str, Lines]:
    """Model name -> the lines of its metrics.jsonl."""
    files = sorted((results / "models").glob("*/metrics.jsonl"))
    return {file.parent.name: list(read_jsonl(file)) for file in files}


def _curves(lines: Lines, metrics: dict[str, str]) -> list[Line]:
    """A curve for each metric (name of the curve -> name of the metric) that a run has."""
    curves = []
    for name, metric in metrics.items():
        # Lines of a log hold what was measured at that step, seldom everything.
        points = []
        for line in lines:
            if metric in line and "step" in line:
                points.append((line["step"], line[metric]))
        if points:
            curves.append(Line(name, points))
    return curves


# ---- Pretraining and fine-tuning -----------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Pretraining:
    bits_per_byte: list[tuple[str, dict[str, float]]]  # held-out text -> before, after, change
    chart: Markup


def _pretraining_section(results: Path, lines: Lines) -> Section | None:
    manifest = results / "models" / "base" / "manifest.json"
    if not manifest.is_file():
        return None

    compared = read_json(manifest)["metrics"].get("bits_per_byte", {})
    curves = _curves(lines, {name: f"bits_per_byte.{name}" for name in compared})

    # A single measurement is in the table and makes no curve.
    chart = NOTHING
    if any(len(line.points) > 1 for line in curves):
        chart = line_chart(curves, "step", "bits per byte")
    data = Pretraining(sorted(compared.items()), chart)
    return Section("Continued pretraining", "pretraining.html.jinja", data)


def _loss_section(metrics: dict[str, Lines]) -> Section | None:
    charts = []
    for name in ("coder", "base", "sft"):
        curves = _curves(metrics.get(name, []), {name: "loss"})
        if curves:
            charts.append((name, line_chart(curves, "step", "loss, nats per token")))
    if not charts:
        return None
    return Section("Training loss", "losses.html.jinja", charts)


# ---- Reinforcement learning ----------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class ReinforcementLearning:
    curves: list[tuple[str, Markup]]
    warnings: list[RunWarning]
    questions: list[RecordedQuestion]


def _rl_section(results: Path, lines: Lines) -> Section | None:
    curves = []
    for title, (metrics, unit) in RL_CURVES.items():
        found = _curves(lines, {name: name for name in metrics})
        if found:
            curves.append((title, line_chart(found, "step", unit)))

    warnings = warnings_of(lines)
    questions = rollouts(results / "rl" / "rollouts.jsonl")
    if not (curves or warnings or questions):
        return None
    data = ReinforcementLearning(curves, warnings, questions)
    return Section("Reinforcement learning", "rl.html.jinja", data)


# ---- Time, memory, settings ----------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Job:
    seconds: float
    name: str
    memory_mb: float | None


def cost_section(results: Path) -> Section:
    """Wall time and peak memory of every job, from Snakemake's benchmark files."""
    jobs = []
    for file in sorted((results / "benchmarks").glob("**/*.tsv")):
        with open(file, encoding="utf-8") as stream:
            line = next(csv.DictReader(stream, delimiter="\t"), None)
        if line is None:
            continue
        # Snakemake writes "-" for what it could not measure.
        memory = line.get("max_rss", "-")
        memory_mb = None if memory == "-" else float(memory)
        jobs.append(Job(float(line["s"]), file.stem, memory_mb))

    jobs.sort(key=lambda job: (job.seconds, job.name), reverse=True)
    return Section("Time and memory", "cost.html.jinja", jobs)


def settings_section(results: Path) -> Section | None:
    """The settings of this run, section by section, as its jobs received them."""
    settings = []
    for file in sorted((results / "config").glob("*.json")):
        text = json.dumps(read_json(file), indent=1, ensure_ascii=False)
        settings.append((file.stem, text))
    if not settings:
        return None
    return Section("Settings", "settings.html.jinja", settings)
