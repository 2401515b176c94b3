"""Charts with a row for each name: bars, intervals, a funnel, and bars small enough for a table.

A row's name and number stand above its bar, so that both have the whole width, on a phone too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10

from markupsafe import Markup

from pipeline.report.drawing.axes import Axis, tick_label
from pipeline.report.drawing.marks import (
    NOTHING,
    WIDTH,
    Drawing,
    Key,
    element,
    note_lines,
    series_colour,
)
from pipeline.report.number_format import count, percent

EDGE = 2  # margin on both sides
SPAN = WIDTH - 2 * EDGE  # width of the longest bar
HEAD = 18  # of the line above a bar
LONGEST_NAME = 44  # characters


@dataclass(frozen=True, slots=True)
class Interval:
    """One series' value in a row of an interval chart, in percent.

    Colours and markers count from 1; None takes the next one for a new series.
    """

    series: str
    value: float
    low: float
    high: float
    colour: int | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """One bar of a funnel; the note says what was lost on the way to it."""

    name: str
    number: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class Growth:
    """One bar of a growth chart: what was there before, and what came."""

    name: str
    before: float
    new: float


def _head(drawing: Drawing, top: float, name: str, number: str, style: str = "strong") -> None:
    """The line above a bar: its name on the left, its number on the right."""
    shown = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
    drawing.text(shown, EDGE, top + 13, style=style)
    drawing.text(number, WIDTH - EDGE, top + 13, anchor="end")


# ---- Intervals -----------------------------------------------------------------------------------
def interval_chart(
    rows: Sequence[tuple[str, Sequence[Interval]]],
    x_label: str,
    x_range: tuple[float, float] = (0, 100),
) -> Markup:
    """A marker with its interval for every series of every row."""
    # Series are numbered in the order of their first appearance.
    numbers: dict[str, int] = {}
    for _, entries in rows:
        for entry in entries:
            numbers.setdefault(entry.series, entry.colour or len(numbers) + 1)
    if not numbers:
        return NOTHING

    step, gap, first = 15, 8, 4
    x_axis = Axis(*x_range, start=16, end=WIDTH - 20)

    # The grid lies behind the marks, but its height is known only after the last row.
    marks = Drawing(0)
    top: float = first
    words = []
    for label, entries in rows:
        marks.text(label, EDGE, top + 13, style="strong")
        top += HEAD
        for entry in entries:
            y = top + step / 2
            series = numbers[entry.series]
            start, end = x_axis(entry.low), x_axis(entry.high)
            marks.line(start, y, end, y, stroke=series_colour(series), stroke_width=2, opacity=0.55)

            reading = f"{entry.value:.1f} ({entry.low:.1f} to {entry.high:.1f})"
            spoken = f"{label}, {entry.series}: {reading}"
            marks.marker(series, x_axis(entry.value), y, element("title", spoken))
            words.append(spoken)
            top += step
        top += gap

    bottom = top - gap / 2
    drawing = Drawing(int(bottom + 40))
    for value in x_axis.ticks():
        x = x_axis(value)
        drawing.grid_line(x, first, x, bottom)
        drawing.text(tick_label(value), x, bottom + 15, anchor="middle")
    drawing.text(x_label, WIDTH / 2, bottom + 33, anchor="middle")
    drawing.marks += marks.marks

    legend = [Key(name, series) for name, series in numbers.items()]
    return drawing.svg(f"Intervals, {x_label}. {'; '.join(words)}", legend)


# ---- Bars ----------------------------------------------------------------------------------------
def bar_chart(rows: Sequence[tuple[str, float]], unit: str = "", *, colour: int = 1) -> Markup:
    """Horizontal bars of (name, value), in the order given, each under its name and value."""
    if not rows:
        return NOTHING

    largest = max(value for _, value in rows) or 1
    step = HEAD + 16
    fill = series_colour(colour)

    drawing = Drawing(len(rows) * step + 2)
    words = []
    for place, (name, value) in enumerate(rows):
        top = place * step
        number = f"{value:,.0f}{unit}"
        width = max(1.0, value / largest * SPAN)
        _head(drawing, top, name, number, style="")
        drawing.bar(EDGE, top + HEAD, width, 10, fill, radius=2)
        words.append(f"{name}: {number}")
    return drawing.svg(f"Bar chart. {'; '.join(words)}")


def funnel(stages: Sequence[Stage]) -> Markup:
    """Bars that narrow from stage to stage, each as long as its share of the first."""
    first = max(1, stages[0].number)

    # Notes may take several lines: the height is known only after the last stage.
    marks = Drawing(0)
    words = []
    top = 0.0
    for place, stage in enumerate(stages):
        number = f"{stage.number:,.0f}"
        if place:
            number += f" ({percent(stage.number / first)})"
            for line in note_lines(stage.note):
                marks.text(line, EDGE + 12, top + 12, style="note")
                top += 15
            top += 5

        width = max(2.0, stage.number / first * SPAN)
        _head(marks, top, stage.name, number)
        marks.bar(EDGE, top + HEAD, width, 16, series_colour(1), radius=3)
        words.append(f"{stage.name}: {number}")
        top += HEAD + 16 + 4

    drawing = Drawing(top)
    drawing.marks = marks.marks
    return drawing.svg(f"Funnel. {'; '.join(words)}")


def growth(rounds: Sequence[Growth], unit: str) -> Markup:
    """Stacked bars: how far each round goes beyond the one before."""
    scale = SPAN / max(1, *(bar.before + bar.new for bar in rounds))
    step = HEAD + 24

    drawing = Drawing(len(rounds) * step - 4)
    words = []
    for place, bar in enumerate(rounds):
        top = place * step
        total = bar.before + bar.new
        label = f"{count(total)} {unit}"
        if bar.before:
            label += f", {percent(bar.before / max(1, total))} known"

        _head(drawing, top, bar.name, label)
        drawing.bar(EDGE, top + HEAD, bar.before * scale, 16, series_colour(1))
        drawing.bar(EDGE + bar.before * scale, top + HEAD, bar.new * scale, 16, series_colour(2))
        words.append(f"{bar.name}: {label}")

    legend = [Key("collected before", 1, is_area=True), Key("new in this round", 2, is_area=True)]
    return drawing.svg(f"Stacked bars. {'; '.join(words)}", legend)


def sizes(rows: Sequence[tuple[str, float]], highlighted: str) -> Markup:
    """Bars of (name, value) of very different size on a logarithmic scale.

    The row named `highlighted` stands out.
    """
    # A logarithmic scale has no zero: it begins at a third of the smallest value, so that this one
    # has a bar, too.
    low = min(value for _, value in rows if value > 0) / 3
    span = log10(max(value for _, value in rows) / low)
    step = HEAD + 22

    drawing = Drawing(len(rows) * step)
    words = []
    for place, (name, value) in enumerate(rows):
        top = place * step
        share = log10(max(value, low * 1.05) / low) / span
        fill = series_colour(2 if name == highlighted else 1)
        _head(drawing, top, name, count(value))
        drawing.bar(EDGE, top + HEAD, max(3.0, share * SPAN), 14, fill)
        words.append(f"{name}: {count(value)}")
    return drawing.svg(f"Bars on a logarithmic scale. {'; '.join(words)}")


def spark(values: Sequence[float]) -> Markup:
    """Tiny bars for a table cell, with their values as the tool tip."""
    step, height = 9, 18
    highest = max(values, default=0) or 1
    reading = " → ".join(f"{value:,.0f}" for value in values)

    drawing = Drawing(height, step * len(values))
    drawing.marks.append(element("title", reading))
    for place, value in enumerate(values):
        tall = max(1.0, value / highest * height)
        drawing.bar(place * step, height - tall, step - 2, tall, series_colour(1))
    return drawing.svg(reading, style="spark")
