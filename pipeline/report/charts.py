"""Charts as inline SVG, coloured by the page's style sheet so that they follow light and dark.

Each takes plain numbers and returns Html; axes start where the data asks for it and are labelled with their units.
"""

from collections.abc import Container, Mapping, Sequence
from math import floor, log2, log10

from pipeline.report.page import Html, tag

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
    powers_of_two: bool = False,
    dashed: Container[str] = (),
    colours: Mapping[str, int] | None = None,
) -> Html:
    """Lines of (x, y) points by name, a legend when there are several; `bands` hold (x, low, high) by name.

    `powers_of_two`: the x axis is logarithmic with a mark at each of its points; `dashed` names the lines drawn so;
    `colours` gives lines a colour from 1 on (default: one after another).
    """
    points = [p for line in series.values() for p in line]
    if not points:
        return Html("")
    lows_highs = [
        v for band in (bands or {}).values() for _, low, high in band for v in (low, high)
    ]
    axis = _LogAxis if powers_of_two else _Axis
    x_axis = axis(min(p[0] for p in points), max(p[0] for p in points), LEFT, WIDTH - RIGHT)
    values = [p[1] for p in points] + lows_highs
    low, high = y_range or (min(values), max(values))
    y_axis = _Axis(low, high, HEIGHT - BOTTOM, TOP)
    marks = _frame(x_axis, y_axis, x, y)
    for number, (name, line) in enumerate(series.items()):
        colour = f"var(--s{((colours or {}).get(name, number + 1) - 1) % COLOURS + 1})"
        if bands and name in bands:
            upper = [(x_axis(px), y_axis(high)) for px, _, high in bands[name]]
            lower = [(x_axis(px), y_axis(low)) for px, low, _ in reversed(bands[name])]
            marks.append(tag("polygon", points=_points(upper + lower), fill=colour, opacity=0.14))
        path = [(x_axis(px), y_axis(py)) for px, py in line]
        marks.append(tag("polyline", points=_points(path), fill="none", stroke=colour, stroke_width=2,
                         stroke_dasharray="6 4" if name in dashed else None))  # fmt: skip
        if len(path) <= 16:
            marks += [
                tag("circle", cx=f"{px:.1f}", cy=f"{py:.1f}", r=3, fill=colour) for px, py in path
            ]
    names = list(series) if len(series) > 1 else []
    return _svg(
        marks,
        names,
        numbers=[(colours or {}).get(name, i + 1) for i, name in enumerate(names)],
        dashed=dashed,
    )


def bar_chart(
    rows: Sequence[tuple[str, float]], unit: str = "", *, colour: int = 1, digits: int = 0
) -> Html:
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
            tag(
                "text",
                f"{value:,.{digits}f}{unit}",
                x=f"{left + max(1.0, value * scale) + 6:.1f}",
                y=top + 16,
            )
        )
    return _svg(marks, [], height=len(rows) * height + 6)


def interval_chart(
    rows: Sequence[tuple[str, Sequence[tuple[str, float, float, float]]]], x: str
) -> Html:
    """A line of dots for each row (label, [(series, value, low, high), …]), each with its interval, from 0 to 100."""
    names = list(dict.fromkeys(entry[0] for _, entries in rows for entry in entries))
    if not names:
        return Html("")
    left = min(260, 20 + 7 * max(len(label) for label, _ in rows))
    step, gap = 15, 12
    x_axis, marks, top = _Axis(0, 100, left, WIDTH - RIGHT, exact=True), [], TOP
    for label, entries in rows:
        middle = top + step * len(entries) / 2
        marks.append(tag("text", label, x=left - 12, y=f"{middle + 4:.1f}", text_anchor="end"))
        for name, value, low, high in entries:
            colour, y = f"var(--s{names.index(name) % COLOURS + 1})", top + step / 2
            line = {"y1": y, "y2": y, "stroke": colour, "stroke_width": 2, "opacity": 0.55}
            marks.append(tag("line", x1=f"{x_axis(low):.1f}", x2=f"{x_axis(high):.1f}", **line))
            shown = tag("title", f"{label}, {name}: {value:.1f} ({low:.1f} to {high:.1f})")
            marks.append(tag("circle", shown, cx=f"{x_axis(value):.1f}", cy=y, r=4, fill=colour))
            top += step
        top += gap
    bottom, grid = top - gap / 2, []
    for value in x_axis.ticks():
        at = f"{x_axis(value):.1f}"
        grid.append(tag("line", x1=at, x2=at, y1=TOP - 4, y2=f"{bottom:.1f}", class_="grid"))
        grid.append(tag("text", _number(value), x=at, y=f"{bottom + 15:.1f}", text_anchor="middle"))
    grid.append(
        tag(
            "text",
            x,
            x=f"{(left + WIDTH - RIGHT) / 2:.1f}",
            y=f"{bottom + 32:.1f}",
            text_anchor="middle",
        )
    )
    return _svg([*grid, *marks], names, height=int(bottom + 40))


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
        return [
            (first + i) * self.step
            for i in range(12)
            if (first + i) * self.step <= self.high + 1e-9 * self.step
        ]


class _LogAxis(_Axis):
    """Powers of two to pixels, evenly spaced."""

    def __init__(self, low: float, high: float, start: float, end: float):
        self.low, self.high, self.start, self.end = low, max(high, 2 * low), start, end

    def __call__(self, value: float) -> float:
        return self.start + log2(value / self.low) / log2(self.high / self.low) * (
            self.end - self.start
        )

    def ticks(self) -> list[float]:
        return [self.low * 2**i for i in range(int(log2(self.high / self.low) + 1e-9) + 1)]


def _round_step(step: float) -> float:
    power = 10 ** floor(log10(step))
    return next(nice * power for nice in (1, 2, 5, 10) if nice * power >= step * 0.999)


def _frame(x_axis: _Axis, y_axis: _Axis, x: str, y: str) -> list[Html]:
    marks = []
    for value in y_axis.ticks():
        at = f"{y_axis(value):.1f}"
        marks.append(tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=at, y2=at, class_="grid"))
        marks.append(
            tag("text", _number(value), x=LEFT - 7, y=f"{y_axis(value) + 4:.1f}", text_anchor="end")
        )
    for value in x_axis.ticks():
        marks.append(
            tag(
                "text",
                _number(value),
                x=f"{x_axis(value):.1f}",
                y=HEIGHT - BOTTOM + 17,
                text_anchor="middle",
            )
        )
    marks.append(tag("text", x, x=(LEFT + WIDTH - RIGHT) / 2, y=HEIGHT - 6, text_anchor="middle"))
    middle = (TOP + HEIGHT - BOTTOM) / 2
    marks.append(
        tag("text", y, transform=f"translate(13 {middle}) rotate(-90)", text_anchor="middle")
    )
    return marks


def _number(value: float) -> str:
    for limit, unit in ((1e9, "B"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= limit:
            return f"{value / (1e3 if unit == 'k' else limit):g}{unit}"
    return f"{value:.4g}"


def _points(pairs: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{px:.1f},{py:.1f}" for px, py in pairs)


def _svg(
    marks: list[Html],
    names: list[str],
    height: int = HEIGHT,
    numbers: Sequence[int] = (),
    dashed: Container[str] = (),
) -> Html:
    numbers = numbers or range(1, len(names) + 1)
    legend = "".join(
        tag("span", tag("span", "╌" if name in dashed else "■", style=f"color:var(--s{(number - 1) % COLOURS + 1})"),
            f" {name}", class_="tag")
        for number, name in zip(numbers, names, strict=True)
    )  # fmt: skip
    key = tag("div", Html(legend), class_="key") if legend else ""
    return Html(key + tag("svg", *marks, viewBox=f"0 0 {WIDTH} {height}", role="img"))
