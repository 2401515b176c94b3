"""The ledger as a page, and as Markdown for the documentation."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from findings.ledger import Row, Tested
from pipeline.report.drawing.rows import Interval, interval_chart
from pipeline.report.page import Section, render_page

DATA_FILES = ("templates/*",)
TEMPLATES = Path(__file__).parent / "templates"

PAD = 1.1
"""A chart reaches a little beyond its longest interval."""

ABOUT = (
    "What of DeepSeekMath holds in the built-in world. Claims, comparisons, thresholds and numbers of seeds were "
    "declared in [findings/claims.yaml](../findings/claims.yaml) before the runs; a verdict is given only when every "
    "declared seed has evidence. Estimates are differences of shares with 95 % intervals over seeds and problems. Open "
    "rows say what their seeds show so far, or which difference the declared seeds would show (power 80 %)."
)


@dataclass(frozen=True, slots=True)
class Detail:
    """A row with its chart."""

    row: Row
    chart: Markup
    settings: str
    notes: str


@dataclass(frozen=True, slots=True)
class Overview:
    counts: list[tuple[str, int]]
    rows: list[Row]
    evidence: int
    hours: float


def build_page(preset: str, rows: Sequence[Row]) -> str:
    """The page as HTML text."""
    overview = Overview(
        counts=[(name, _count(rows, name)) for name in ("reproduced", "not reproduced", "open")],
        rows=list(rows),
        evidence=sum(row.seeds for row in rows),
        hours=sum(row.hours for row in rows),
    )
    details = [
        Detail(row, chart_of(row), _indented(row.settings), _indented(row.notes)) for row in rows
    ]
    sections = [
        Section("Claims", "overview.html.jinja", overview),
        Section("One by one", "details.html.jinja", details),
    ]
    return render_page(
        "Findings",
        f"what of the paper holds in the world of preset {preset}",
        sections,
        TEMPLATES,
    )


def chart_of(row: Row) -> Markup:
    """Intervals of the claim's conditions in points, and each seed's value below."""
    measured = [test for test in row.tests if test.estimate is not None]
    if not measured:
        return Markup()
    widest = max(abs(value) for test in measured for value in _numbers(test))
    edge = max(1.0, 100 * widest * PAD)
    lowest = min(value for test in measured for value in _numbers(test))

    lines = [(test.name, [_interval(test), *_of_seeds(test)]) for test in measured]
    return interval_chart(lines, "points (hundredths)", (-edge if lowest < 0 else 0.0, edge))


def _numbers(test: Tested) -> list[float]:
    ends = [value for value in (test.estimate, test.low, test.high) if value is not None]
    return [*ends, *test.by_seed]


def _interval(test: Tested) -> Interval:
    value = test.estimate
    assert value is not None
    low = value if test.low is None else test.low
    high = value if test.high is None else test.high
    return Interval("all seeds", 100 * value, 100 * low, 100 * high, 1)


def _of_seeds(test: Tested) -> list[Interval]:
    return [Interval("one seed", 100 * v, 100 * v, 100 * v, 2) for v in test.by_seed]


def _indented(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True) if value else ""


def _count(rows: Sequence[Row], name: str) -> int:
    return sum(row.verdict == name for row in rows)


# ---- Markdown ------------------------------------------------------------------------------------


def markdown(preset: str, rows: Sequence[Row]) -> str:
    """docs/findings.md: a line a claim."""
    lines = [
        "# Findings",
        "",
        "<!-- made by: python -m findings.report --preset "
        + preset
        + " --markdown docs/findings.md -->",
        "",
        ABOUT,
        "",
        ", ".join(
            f"**{_count(rows, name)}** {name}" for name in ("reproduced", "not reproduced", "open")
        )
        + f"; preset {preset}.",
        "",
        "| id | claim | verdict | estimate [95 % interval] | seeds |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        lines.append(
            f"| {row.id} | {row.claim} ({row.source}) | {verdict_in_words(row)} | {found_in_words(row)} "
            f"| {row.seeds} of {row.wanted_seeds} |"
        )

    reasons = [row for row in rows if row.reason]
    if reasons:
        lines += ["", "## What we think is the reason", ""]
        lines += [f"- **{row.id}**: {row.reason}" for row in reasons]

    lines += [
        "",
        "## Conditions",
        "",
        "Every condition of a claim must hold. Without evidence a condition is not listed.",
        "",
        "| id | condition | estimate [95 % interval] | verdict |",
        "| --- | --- | --- | --- |",
    ]
    for row in rows:
        for test in row.tests:
            if test.estimate is not None:
                lines.append(f"| {row.id} | {test.name} | {interval(test)} | {test.verdict} |")
    lines += [
        "",
        "Run one with `snakemake --cores all finding_mining_rounds --config preset=mini` (dashes as underscores), all",
        "with `findings`; `python -m findings.report --preset mini --status` says which seeds are left.",
    ]
    return "\n".join(lines) + "\n"


def verdict_in_words(row: Row) -> str:
    marks = "".join([" (declaration changed)" if row.changed else ""])
    return f"**{row.verdict}**{marks}" if row.verdict != "open" else f"open{marks}"


def found_in_words(row: Row) -> str:
    """The first condition's estimate, or the power of what is declared."""
    if row.estimate is not None:
        return interval(row.tests[0])
    words = f"none; {row.wanted_seeds} seeds would show {100 * row.detectable:.1f} points"
    if row.seeds_for_effect is not None and row.seeds_for_effect > row.wanted_seeds:
        words += f", the threshold takes {row.seeds_for_effect}"
    return words


def interval(test: Tested) -> str:
    if test.estimate is None:
        return "–"
    if test.low is None or test.high is None:
        return f"{test.estimate:+.3f} (one value)"
    return f"{test.estimate:+.3f} [{test.low:+.3f}, {test.high:+.3f}]"
