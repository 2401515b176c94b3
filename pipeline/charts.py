"""Charts as inline SVG, coloured by the page's style sheet so that they follow light and dark.

Each takes plain numbers and returns Html; axes start where the data asks for it and are labelled with their units.
"""

from collections.abc import Mapping, Sequence
from math import floor, log10

from pipeline.page import Html, tag

WIDTH, HEIGHT = 720, 300
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 14, 44
COLOURS = 6


def line_chart(
    series: Mapping[str, Sequence[tuple[float, float]]],
    x: str,
    y: str,
    *,
    y_range: tuple[float, float] | None = None,
    bands: Mapping[str, Sequence[tuple[float, float, float]]] | None = None,
) -> Html:
    """Lines of (x, y) points by name, a legend when there are several; `bands` hold (x, low, high) by name."""
    points = [p for line in series.values() for p in line]
    if not points:
        return Html("")
    lows_highs = [v for band in (bands or {}).values() for _, low, high in band for v in (low, high)]
    x_axis = _Axis(min(p[0] for p in points), max(p[0] for p in points), LEFT, WIDTH - RIGHT)
    values = [p[1] for p in points] + lows_highs
    low, high = y_range or (min(values), max(values))
    y_axis = _Axis(low, high, HEIGHT - BOTTOM, TOP)
    marks = _frame(x_axis, y_axis, x, y)
    for number, (name, line) in enumerate(series.items()):
        colour = f"var(--s{number % COLOURS + 1})"
        if bands and name in bands:
            upper = [(x_axis(px), y_axis(high)) for px, _, high in bands[name]]
            lower = [(x_axis(px), y_axis(low)) for px, low, _ in reversed(bands[name])]
            marks.append(tag("polygon", points=_points(upper + lower), fill=colour, opacity=0.14))
        path = [(x_axis(px), y_axis(py)) for px, py in line]
        marks.append(tag("polyline", points=_points(path), fill="none", stroke=colour, stroke_width=2))
        if len(path) <= 16:
            marks += [tag("circle", cx=f"{px:.1f}", cy=f"{py:.1f}", r=3, fill=colour) for px, py in path]
    return _svg(marks, list(series) if len(series) > 1 else [])


def bar_chart(rows: Sequence[tuple[str, float]], unit: str = "", *, colour: int = 1, digits: int = 0) -> Html:
    """Horizontal bars with their values, in the order given."""
    if not rows:
        return Html("")
    longest = max(len(name) for name, _ in rows)
    left, height = min(300, 10 + 7 * longest), 24
    scale = (WIDTH - left - 110) / (max(value for _, value in rows) or 1)
    marks = []
    for number, (name, value) in enumerate(rows):
        top = number * height
        label = name if len(name) <= 41 else name[:40] + "…"
        marks.append(tag("text", label, x=left - 8, y=top + 16, text_anchor="end"))
        marks.append(
            tag("rect", x=left, y=top + 4, width=f"{max(1.0, value * scale):.1f}", height=height - 8, rx=2,
                fill=f"var(--s{colour})")
        )  # fmt: skip
        marks.append(
            tag("text", f"{value:,.{digits}f}{unit}", x=f"{left + max(1.0, value * scale) + 6:.1f}", y=top + 16)
        )
    return _svg(marks, [], height=len(rows) * height + 6)


def histogram(
    counts: Sequence[float], low: float, high: float, x: str, y: str, *, cut: float | None = None, cut_label: str = ""
) -> Html:
    """Equal bins from `low` to `high`; `cut` draws a dashed line with a label at that value."""
    if not counts or not max(counts):
        return Html("")
    x_axis = _Axis(low, high, LEFT, WIDTH - RIGHT, exact=True)
    y_axis = _Axis(0, max(counts), HEIGHT - BOTTOM, TOP)
    marks = _frame(x_axis, y_axis, x, y)
    step = (high - low) / len(counts)
    for number, value in enumerate(counts):
        start, end, top = x_axis(low + number * step), x_axis(low + (number + 1) * step), y_axis(value)
        marks.append(
            tag("rect", x=f"{start:.1f}", y=f"{top:.1f}", width=f"{max(0.5, end - start - 1):.1f}",
                height=f"{HEIGHT - BOTTOM - top:.1f}", fill="var(--s1)")
        )  # fmt: skip
    if cut is not None:
        at = f"{x_axis(cut):.1f}"
        marks.append(tag("line", x1=at, x2=at, y1=TOP, y2=HEIGHT - BOTTOM, stroke="var(--s2)", stroke_dasharray="5 4"))
        marks.append(
            tag("text", cut_label, x=at, y=TOP + 10, text_anchor="end" if x_axis(cut) > WIDTH / 2 else "start")
        )
    return _svg(marks, [])


class _Axis:
    """Values to pixels, with round tick marks."""

    def __init__(self, low: float, high: float, start: float, end: float, exact: bool = False):
        if high <= low:
            high = low + (abs(low) or 1.0)
        self.step = _round_step((high - low) / 5)
        self.low, self.high, self.start, self.end = low, high, start, end
        if not exact:
            self.low = floor(low / self.step + 1e-9) * self.step
            self.high = -floor(-high / self.step + 1e-9) * self.step

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        first = -floor(-self.low / self.step + 1e-9)
        return [(first + i) * self.step for i in range(12) if (first + i) * self.step <= self.high + 1e-9 * self.step]


def _round_step(step: float) -> float:
    power = 10 ** floor(log10(step))
    return next(nice * power for nice in (1, 2, 5, 10) if nice * power >= step * 0.999)


def _frame(x_axis: _Axis, y_axis: _Axis, x: str, y: str) -> list[Html]:
    marks = []
    for value in y_axis.ticks():
        at = f"{y_axis(value):.1f}"
        marks.append(tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=at, y2=at, class_="grid"))
        marks.append(tag("text", _number(value), x=LEFT - 7, y=f"{y_axis(value) + 4:.1f}", text_anchor="end"))
    for value in x_axis.ticks():
        marks.append(
            tag("text", _number(value), x=f"{x_axis(value):.1f}", y=HEIGHT - BOTTOM + 17, text_anchor="middle")
        )
    marks.append(tag("text", x, x=(LEFT + WIDTH - RIGHT) / 2, y=HEIGHT - 6, text_anchor="middle"))
    middle = (TOP + HEIGHT - BOTTOM) / 2
    marks.append(tag("text", y, transform=f"translate(13 {middle}) rotate(-90)", text_anchor="middle"))
    return marks


def _number(value: float) -> str:
    for limit, unit in ((1e9, "B"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= limit:
            return f"{value / (1e3 if unit == 'k' else limit):g}{unit}"
    return f"{value:.4g}"


def _points(pairs: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{px:.1f},{py:.1f}" for px, py in pairs)


def _svg(marks: list[Html], names: list[str], height: int = HEIGHT) -> Html:
    legend = "".join(
        tag("span", tag("span", "■", style=f"color:var(--s{n % COLOURS + 1})"), f" {name}", class_="tag")
        for n, name in enumerate(names)
    )
    return Html(legend + tag("svg", *marks, viewBox=f"0 0 {WIDTH} {height}", role="img"))
