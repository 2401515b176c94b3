"""Charts: where their marks lie, what tells series apart, what a screen reader says."""

import re
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.report import charts
from pipeline.report.drawing.axes import Axis
from pipeline.report.drawing.lines import smoothed
from pipeline.report.page import SHARED_TEMPLATES

NUMBERS = st.floats(-1e6, 1e6)


def without_legend(chart: str) -> str:
    return chart[chart.index('<svg viewBox="0 0 480') :]


def markers(chart: str) -> list[tuple[float, float]]:
    """Middles of the markers in the drawing itself, circles and others, in their order."""
    found = []
    pattern = r'<circle cx="([\d.]+)" cy="([\d.]+)"|<polygon points="([^"]+)"[^>]*class="marker"'
    for x, y, corners in re.findall(pattern, without_legend(chart)):
        if corners:
            pairs = [tuple(map(float, pair.split(","))) for pair in corners.split()]
            x = (min(x for x, _ in pairs) + max(x for x, _ in pairs)) / 2
            y = (min(y for _, y in pairs) + max(y for _, y in pairs)) / 2
        found.append((float(x), float(y)))
    return found


def test_an_axis_of_powers_of_two_is_evenly_spaced():
    line = charts.Line("a", [(1, 1), (2, 2), (4, 3), (8, 4)])
    chart = charts.line_chart([line], "K", "y", powers_of_two=True)
    steps = [b - a for (a, _), (b, _) in pairwise(markers(chart))]
    assert len(steps) == 3 and max(steps) - min(steps) < 0.2


def test_an_interval_chart_draws_each_interval_around_its_marker():
    entries = [charts.Interval("sft", 50.0, 40.0, 60.0), charts.Interval("rl", 70.0, 65.0, 80.0)]
    chart = charts.interval_chart([("task", entries)], "%")
    pattern = r'<line x1="([\d.]+)" x2="([\d.]+)" y1="[\d.]+" y2="[\d.]+" stroke='
    lines = [(float(low), float(high)) for low, high in re.findall(pattern, without_legend(chart))]
    dots = [x for x, _ in markers(chart)]
    assert len(dots) == len(lines) == 2
    for dot, (low, high) in zip(dots, lines, strict=True):
        assert low < dot < high


@given(NUMBERS, NUMBERS)
@example(0.0, 5e-324)
def test_an_axis_ends_where_its_data_end_and_has_round_marks_within(one, other):
    low, high = min(one, other), max(one, other)
    axis = Axis(low, high, 0, 100)
    assert axis(low) == 0
    if high - low > 1e-6:
        assert axis(high) == pytest.approx(100)
        assert 2 <= len(axis.ticks()) <= 6
    slack = 1e-6 * (axis.high - axis.low)
    assert all(axis.low - slack <= tick <= axis.high + slack for tick in axis.ticks())


def test_series_differ_by_shape_and_not_by_colour_alone():
    lines = [charts.Line(name, [(0, 0), (1, 1)]) for name in "abcdef"]
    chart = charts.line_chart(lines, "x", "y")
    legend = chart.removesuffix(without_legend(chart))
    shapes = set()
    for swatch in re.findall(r'class="swatch".*?</svg>|<svg viewBox="0 0 26 12".*?</svg>', legend):
        shapes.add(re.sub(r"var\(--s\d\)", "", swatch))
    assert len(shapes) == 6


def test_a_long_noisy_line_is_shown_smoothed_with_itself_behind_it():
    noisy = [(step, step % 2) for step in range(200)]
    chart = charts.line_chart([charts.Line("a", noisy)], "step", "y")
    raw, smooth = re.findall(r'<polyline points="([^"]+)"', chart)
    heights = [{float(pair.split(",")[1]) for pair in line.split()} for line in (raw, smooth)]
    spread = [max(ys) - min(ys) for ys in heights]
    assert spread[1] < spread[0] / 5

    short = charts.line_chart([charts.Line("a", noisy[:20])], "step", "y")
    assert short.count("<polyline") == 1


@given(st.lists(NUMBERS, min_size=1, max_size=100))
def test_smoothing_stays_within_the_values(values):
    means = smoothed(values)
    assert len(means) == len(values)
    slack = 1e-6
    assert min(values) - slack <= min(means) and max(means) <= max(values) + slack


def test_every_chart_has_a_name_that_holds_its_numbers():
    drawn = {
        "from 1 at 0 to 2 at 5": charts.line_chart([charts.Line("a", [(0, 1), (5, 2)])], "x", "y"),
        "en: 1,200 pages": charts.bar_chart([("en", 1200)], " pages"),
        "b: 25 (25.0 %)": charts.funnel([charts.Stage("a", 100), charts.Stage("b", 25, "lost")]),
        "round 1: 4 tokens": charts.growth([charts.Growth("round 1", 3, 1)], "tokens"),
        "this: 10": charts.sizes([("this", 10), ("other", 1000)], "this"),
        "1 → 2": charts.spark([1, 2]),
        "30 pages, 10 of them": charts.score_histogram([10, 20], [5, 5], 0.4),
        "length: start, end": charts.shares([("start", [1]), ("end", [2])], [], "length"),
        "t, m: 50.0 (40.0 to 60.0)": charts.interval_chart(
            [("t", [charts.Interval("m", 50, 40, 60)])], "%"
        ),
    }
    for words, chart in drawn.items():
        (name,) = re.findall(r'role="img" aria-label="([^"]+)"', chart)
        assert words in name


# What is seen without red cones and without green ones: linear RGB to linear RGB (Machado, Oliveira
# and Fernandes 2009, severity 1.0).
SEEN = {
    "all colours": np.eye(3),
    "no red": np.array(
        [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]]
    ),
    "no green": np.array(
        [[0.3673, 0.8606, -0.2279], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]]
    ),
}
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour: str) -> np.ndarray:
    """#rrggbb as linear RGB in 0..1."""
    values = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIE L*a*b* of linear RGB, in which distances are about those that are seen."""
    ratio = XYZ @ np.clip(rgb, 0, 1) / np.array([0.9505, 1, 1.089])
    root = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array([116 * root[1] - 16, 500 * (root[0] - root[1]), 200 * (root[1] - root[2])])


def contrast(one: str, other: str) -> float:
    bright = sorted(float((XYZ @ linear(colour))[1]) + 0.05 for colour in (one, other))
    return bright[1] / bright[0]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_series_colours_are_told_apart_without_red_or_green_and_stand_out(scheme):
    css = (SHARED_TEMPLATES / "page.css").read_text()
    block = re.findall(r":root \{(.*?)\}", css, re.DOTALL)[scheme]
    colours = dict(re.findall(r"--(\w+): (#\w{6})", block))
    series = [colours[f"s{number}"] for number in range(1, 7)]
    for seen in SEEN.values():
        for one, other in combinations(series, 2):
            assert np.linalg.norm(lab(seen @ linear(one)) - lab(seen @ linear(other))) > 20
        good, bad = (lab(seen @ linear(colours[name])) for name in ("good", "bad"))
        assert np.linalg.norm(good - bad) > 40

    # The bounds of WCAG: 3 for parts of a drawing, 4.5 for text.
    assert min(contrast(colour, colours["card"]) for colour in series) >= 3
    assert min(contrast(colours[name], colours["card"]) for name in ("good", "bad", "soft")) >= 4.5
