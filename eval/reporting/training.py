"""Sections of the results report about training: bits per byte, curves, rollouts, and what each stage cost."""

import csv
import json
from pathlib import Path

from eval.reporting.rollouts import RL_CURVES, rollouts, warnings_of
from pipeline.artifacts.records import read_jsonl
from pipeline.artifacts.write import read_json
from pipeline.report.charts import line_chart
from pipeline.report.page import Html, Page, details, figure, paragraph, table, tag


def load_metrics(results: Path) -> dict[str, list[dict]]:
    """Model name -> the lines of its metrics.jsonl."""
    files = sorted((results / "models").glob("*/metrics.jsonl"))
    return {file.parent.name: list(read_jsonl(file)) for file in files}


def add_training(page: Page, results: Path) -> None:
    metrics = load_metrics(results)
    page.section("Continued pretraining", *_pretraining(results, metrics.get("base", [])))
    losses = {name: _points(metrics.get(name, []), "loss") for name in ("coder", "base", "sft")}
    charts = [
        figure(line_chart({name: points}, "step", "loss, nats a token"), name)
        for name, points in losses.items()
        if points
    ]
    page.section("Training loss", *charts)
    lines = metrics.get("rl", [])
    curves = []
    for title, (names, unit) in RL_CURVES.items():
        series = {name: points for name in names if (points := _points(lines, name))}
        if series:
            curves += [tag("h3", title), line_chart(series, "step", unit)]
    page.section(
        "Reinforcement learning",
        *curves,
        *warnings_of(lines),
        *rollouts(results / "rl" / "rollouts.jsonl"),
    )


def _points(lines: list[dict], name: str) -> list[tuple[float, float]]:
    return [(line["step"], line[name]) for line in lines if name in line and "step" in line]


def _pretraining(results: Path, lines: list[dict]) -> list[Html]:
    manifest = results / "models" / "base" / "manifest.json"
    if not manifest.is_file():
        return []
    compared = read_json(manifest)["metrics"].get("bits_per_byte", {})
    rows = [
        [name, f"{row['before']:.3f}", f"{row['after']:.3f}", f"{100 * row['change']:+.1f} %"]
        for name, row in sorted(compared.items())
    ]
    series = {
        name: points for name in compared if (points := _points(lines, f"bits_per_byte.{name}"))
    }
    return [
        table(["held-out text", "coder, bits a byte", "base, bits a byte", "change"], rows),
        figure(
            line_chart(series, "step", "bits a byte"),
            "Bits per byte of held-out text during continued pretraining.",
        )
        if any(len(points) > 1 for points in series.values())
        else Html(""),
    ]


def add_costs(page: Page, results: Path) -> None:
    """Wall time and memory of every job, as Snakemake's benchmark files tell, and what remains of the run's time."""
    rows, total = [], 0.0
    for file in sorted((results / "benchmarks").glob("**/*.tsv")):
        with open(file, encoding="utf-8") as stream:
            line = next(csv.DictReader(stream, delimiter="\t"), None)
        if line:
            total += float(line["s"])
            rows.append((float(line["s"]), file.stem, line.get("max_rss", "-")))
    body = [
        [name, f"{seconds:.1f}", memory if memory == "-" else f"{float(memory):,.0f}"]
        for seconds, name, memory in sorted(rows, reverse=True)
    ]
    page.section(
        "Time and memory",
        paragraph(f"{total:,.0f} seconds of jobs in all; jobs that ran side by side count twice."),
        table(["job", "seconds", "peak memory, MB"], body),
    )


def add_settings(page: Page, results: Path) -> None:
    """The settings of this run, section by section, as its jobs received them."""
    files = sorted((results / "config").glob("*.json"))
    parts = [
        details(file.stem, tag("pre", json.dumps(read_json(file), indent=1, ensure_ascii=False)))
        for file in files
    ]
    page.section("Settings", *parts) if parts else None
