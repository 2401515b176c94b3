"""Sections of the results report about training: bits per byte, losses, reinforcement learning."""

from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from eval.reporting.rl_curves import Chart, Lines, charts, curves
from eval.reporting.rollouts import RecordedQuestion, RunWarning, rollouts, warnings_of
from pipeline.artifacts.records import read_jsonl
from pipeline.artifacts.write import read_json
from pipeline.report.charts import NOTHING, line_chart
from pipeline.report.page import Section

VALIDATION_LOSS = "validation_loss."
TRAINED = ("coder", "base", "sft")


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
    measured = curves(lines, {name: f"bits_per_byte.{name}" for name in compared})

    # A single measurement is in the table and makes no curve.
    chart = NOTHING
    if any(len(line.points) > 1 for line in measured):
        chart = line_chart(measured, "step", "bits per byte")
    data = Pretraining(sorted(compared.items()), chart)
    return Section("Continued pretraining", "pretraining.html.jinja", data)


def _loss_section(metrics: dict[str, Lines]) -> Section | None:
    found = []
    for model in TRAINED:
        found += _loss_charts(model, metrics.get(model, []))
    if not found:
        return None
    return Section("Training loss", "charts.html.jinja", found)


def _loss_charts(model: str, lines: Lines) -> list[Chart]:
    """Loss, validation loss and gradient norm of a model, as far as it has them."""
    validation: dict[str, str] = {}
    for line in lines:
        for key in line:
            if key.startswith(VALIDATION_LOSS):
                validation[key.removeprefix(VALIDATION_LOSS)] = key

    kinds = (
        (f"{model}: loss", "nats per token", {"loss": "loss"}),
        (f"{model}: validation loss", "nats per token", validation),
        (f"{model}: gradient norm", "L2 norm before clipping", {"gradient norm": "grad_norm"}),
    )
    found = []
    for title, unit, keys in kinds:
        drawn = line_chart(curves(lines, keys), "step", unit)
        if drawn:
            found.append(Chart(title, drawn))
    return found


# ---- Reinforcement learning ----------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class ReinforcementLearning:
    charts: list[Chart]
    warnings: list[RunWarning]
    questions: list[RecordedQuestion]


def _rl_section(results: Path, lines: Lines) -> Section | None:
    drawn = charts(lines)
    warnings = warnings_of(lines)
    questions = rollouts(results / "rl" / "rollouts.jsonl")
    if not (drawn or warnings or questions):
        return None
    data = ReinforcementLearning(drawn, warnings, questions)
    return Section("Reinforcement learning", "rl.html.jinja", data)
