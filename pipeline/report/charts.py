"""Charts as inline SVG, coloured by the page's style sheet so that they follow light and dark.

Each function takes plain numbers and returns Markup; axes are labelled with their units.
Coordinates are pixels from the upper left corner of the drawing, y downwards, as SVG has them.
Where there is nothing to draw, the Markup is empty.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log2, log10

from markupsafe import Markup, escape

from pipeline.report.number_format import count, percent

WIDTH, HEIGHT = 720, 300
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 14, 44  # margins of a chart with two axes
COLOURS = 6  # --s1 … --s6 in page.css
CHARACTER = 7  # about the width of a character of a label
MARKED_POINTS = 16  # a line of more points is drawn without dots on them

NOTHING = Markup("")


# ---- What charts are drawn from ------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Line:
    """A line through (x, y) points; `band` holds (x, low, high).

    Colours count from 1; None takes the next one.
    """

    name: str
    points: Sequence[tuple[float, float]]
    band: Sequence[tuple[float, float, float]] = ()
    dashed: bool = False
    colour: int | None = None


@dataclass(frozen=True, slots=True)
class Interval:
    """One series' value in a row of an interval chart, in percent."""

    series: str
    value: float
    low: float
    high: float


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


# ---- Charts with two axes ------------------------------------------------------------------------
def line_chart(
    lines: Sequence[Line],
    x_label: str,
    y_label: str,
    *,
    y_range: tuple[float, float] | None = None,
    powers_of_two: bool = False,
) -> Markup:
    """Lines with their bands, and a legend when there are several.

    Args:
        y_range: where the y axis begins and ends; by default as the data asks for it.
        powers_of_two: whether the x axis is logarithmic, with a mark at each power of two.
    """
    xs: list[float] = []
    ys: list[float] = []
    for line in lines:
        for x, y in line.points:
            xs.append(x)
            ys.append(y)
        for _, low, high in line.band:
            ys += (low, high)
    if not xs:
        return NOTHING

    lowest, highest = y_range or (min(ys), max(ys))

    axis = _PowersOfTwo if powers_of_two else _Axis
    x_axis = axis(min(xs), max(xs), LEFT, WIDTH - RIGHT)
    y_axis = _Axis(lowest, highest, HEIGHT - BOTTOM, TOP)

    drawing = _Drawing(HEIGHT)
    _draw_axes(drawing, x_axis, y_axis, x_label, y_label)
    legend = []
    for place, line in enumerate(lines):
        colour = _colour(line.colour or place + 1)
        _draw_line(drawing, line, x_axis, y_axis, colour)
        legend.append(_Key(line.name, colour, line.dashed))
    return drawing.svg(legend if len(lines) > 1 else ())


def _draw_line(
    drawing: "_Drawing", line: Line, x_axis: "_Axis", y_axis: "_Axis", colour: str
) -> None:
    if line.band:
        upper = [(x_axis(x), y_axis(high)) for x, _, high in line.band]
        lower = [(x_axis(x), y_axis(low)) for x, low, _ in reversed(line.band)]
        drawing.polygon(upper + lower, fill=colour, opacity=0.14)

    path = [(x_axis(x), y_axis(y)) for x, y in line.points]
    drawing.add(
        "polyline",
        points=_points(path),
        fill="none",
        stroke=colour,
        stroke_width=2,
        stroke_dasharray="6 4" if line.dashed else None,
    )
    if len(path) <= MARKED_POINTS:
        for x, y in path:
            drawing.dot(x, y, 3, colour)


def _draw_axes(
    drawing: "_Drawing", x_axis: "_Axis", y_axis: "_Axis", x_label: str, y_label: str
) -> None:
    bottom = HEIGHT - BOTTOM

    for value in y_axis.ticks():
        y = y_axis(value)
        drawing.grid_line(LEFT, y, WIDTH - RIGHT, y)
        drawing.text(_tick(value), LEFT - 7, y + 4, anchor="end")
    for value in x_axis.ticks():
        drawing.text(_tick(value), x_axis(value), bottom + 17, anchor="middle")

    drawing.text(x_label, (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, anchor="middle")
    # Text turns around the point (0, 0): move there first, then turn.
    upright = f"translate(13 {_px((TOP + bottom) / 2)}) rotate(-90)"
    drawing.add("text", y_label, transform=upright, text_anchor="middle")


def score_histogram(everything: Sequence[int], collected: Sequence[int], cut: float) -> Markup:
    """Pages by score (bins over 0..1) on a logarithmic scale: all pages, the collected ones, and the
    cut-off score.
    """
    width, height = 340, 180
    left, right, top, bottom = 40, 6, 14, 26
    ground = height - bottom
    plot_width = width - left - right
    plot_height = ground - top
    highest = log10(max(10, *everything)) * 1.05
    drawing = _Drawing(height, width)

    for power in range(int(highest) + 1):
        y = ground - power / highest * plot_height
        label = f"{10**power:,}" if power < 4 else f"1e{power}"
        drawing.grid_line(left, y, width - right, y)
        drawing.text(label, left - 5, y + 4, anchor="end")

    step = plot_width / len(everything)
    bar_width = max(1.0, step - 1)
    for values, colour in ((everything, "var(--grey)"), (collected, _colour(2))):
        for place, value in enumerate(values):
            if not value:
                continue
            # log10(1) is 0: a single page gets a bar that can be seen.
            tall = max(2.0, log10(value) / highest * plot_height)
            x = left + place * step
            drawing.bar(x, ground - tall, bar_width, tall, colour)

    x = left + cut * plot_width
    drawing.line(x, top - 4, x, ground, style="cut")
    # The label stays inside the drawing on whichever side of the line there is more room.
    label = f"cut {cut:.3g}"
    if cut > 0.5:
        drawing.text(label, x - 4, top + 6, anchor="end", style="strong")
    else:
        drawing.text(label, x + 4, top + 6, anchor="start", style="strong")

    for score, anchor in ((0, "start"), (0.5, "middle"), (1, "end")):
        x = left + score * plot_width
        drawing.text(f"{score:g}", x, height - 8, anchor=anchor)
    return drawing.svg(style="small")


def shares(
    series: Sequence[tuple[str, Sequence[float]]], ticks: Sequence[tuple[float, str]]
) -> Markup:
    """Histograms of the same bins over each other, each as shares of its sum.

    Args:
        series: name and values of each histogram.
        ticks: position (0..1) and label of each mark on the x axis.
    """
    height, left, right, top, bottom = 220, 48, 8, 8, 34
    ground = height - bottom
    plot_width = WIDTH - left - right
    plot_height = ground - top

    normal: list[tuple[str, list[float]]] = []
    for name, values in series:
        total = sum(values) or 1
        normal.append((name, [value / total for value in values]))
    highest = max((max(values) for _, values in normal if values), default=1) or 1

    drawing = _Drawing(height)
    for quarter in range(5):
        share = quarter / 4
        y = ground - share * plot_height
        drawing.grid_line(left, y, WIDTH - right, y)
        drawing.text(percent(share * highest), left - 6, y + 4, anchor="end")

    legend = []
    for place, (name, values) in enumerate(normal):
        colour = _colour(place + 1)
        step = plot_width / len(values)
        outline: list[tuple[float, float]] = [(left, ground)]
        for number, value in enumerate(values):
            x = left + number * step
            y = ground - value / highest * plot_height
            outline += [(x, y), (left + (number + 1) * step, y)]
        outline.append((left + plot_width, ground))
        drawing.polygon(outline, fill=colour, fill_opacity=0.18, stroke=colour, stroke_width=1.6)
        legend.append(_Key(name, colour))

    for position, label in ticks:
        # The last label would be cut off at the edge of the drawing.
        anchor = "end" if position > 0.97 else "middle"
        x = left + position * plot_width
        drawing.text(label, x, height - 12, anchor=anchor)
    return drawing.svg(legend if len(legend) > 1 else ())


# ---- Rows of bars and dots -----------------------------------------------------------------------
def interval_chart(rows: Sequence[tuple[str, Sequence[Interval]]], x_label: str) -> Markup:
    """A dot with its interval for every series of every row, from 0 to 100."""
    # Series are coloured in the order of their first appearance.
    colours: dict[str, str] = {}
    for _, entries in rows:
        for entry in entries:
            colours.setdefault(entry.series, _colour(len(colours) + 1))
    if not colours:
        return NOTHING

    longest = max(len(label) for label, _ in rows)
    left = min(260, 20 + CHARACTER * longest)
    step, gap = 15, 12
    x_axis = _Axis(0, 100, left, WIDTH - RIGHT, exact=True)

    # The grid lies behind the marks, but its height is known only after the last row.
    marks = _Drawing(0)
    top: float = TOP
    for label, entries in rows:
        middle = top + step * len(entries) / 2
        marks.text(label, left - 12, middle + 4, anchor="end")
        for entry in entries:
            y = top + step / 2
            colour = colours[entry.series]
            start, end = x_axis(entry.low), x_axis(entry.high)
            marks.line(start, y, end, y, stroke=colour, stroke_width=2, opacity=0.55)

            numbers = f"{entry.value:.1f} ({entry.low:.1f} to {entry.high:.1f})"
            tip = _element("title", f"{label}, {entry.series}: {numbers}")
            marks.dot(x_axis(entry.value), y, 4, colour, tip)
            top += step
        top += gap

    bottom = top - gap / 2
    drawing = _Drawing(int(bottom + 40))
    for value in x_axis.ticks():
        x = x_axis(value)
        drawing.grid_line(x, TOP - 4, x, bottom)
        drawing.text(_tick(value), x, bottom + 15, anchor="middle")
    centre = (left + WIDTH - RIGHT) / 2
    drawing.text(x_label, centre, bottom + 32, anchor="middle")
    drawing.marks += marks.marks
    return drawing.svg([_Key(name, colour) for name, colour in colours.items()])


def bar_chart(rows: Sequence[tuple[str, float]], unit: str = "", *, colour: int = 1) -> Markup:
    """Horizontal bars of (name, value), in the order given, each with its value behind it."""
    if not rows:
        return NOTHING

    longest = max(len(name) for name, _ in rows)
    largest = max(value for _, value in rows) or 1
    left, right = min(300, 10 + CHARACTER * longest), 110
    step = 24
    scale = (WIDTH - left - right) / largest

    drawing = _Drawing(len(rows) * step + 6)
    for place, (name, value) in enumerate(rows):
        top = place * step
        width = max(1.0, value * scale)
        label = name if len(name) <= 41 else name[:40] + "…"
        drawing.text(label, left - 8, top + 16, anchor="end")
        drawing.bar(left, top + 4, width, step - 8, _colour(colour), radius=2)
        drawing.text(f"{value:,.0f}{unit}", left + width + 6, top + 16)
    return drawing.svg()


def funnel(stages: Sequence[Stage]) -> Markup:
    """Bars that narrow from stage to stage, each as long as its share of the first."""
    left, right, step = 190, 120, 46
    first = max(1, stages[0].number)
    scale = (WIDTH - left - right) / first

    drawing = _Drawing(len(stages) * step - 12)
    width_before = 0.0
    for place, stage in enumerate(stages):
        top = place * step
        width = max(2.0, stage.number * scale)
        label = f"{stage.number:,.0f}"
        if place:
            label += f"  {percent(stage.number / first)}"
            slope = [
                (left, top - 16),
                (left + width_before, top - 16),
                (left + width, top),
                (left, top),
            ]
            drawing.polygon(slope, fill=_colour(1), opacity=0.12)
            drawing.text(stage.note, left + 8, top - 4, style="note")
        drawing.text(stage.name, left - 10, top + 20, anchor="end", style="strong")
        drawing.bar(left, top, width, 30, _colour(1), radius=3)
        drawing.text(label, left + width + 8, top + 20, style="strong")
        width_before = width
    return drawing.svg()


def growth(rounds: Sequence[Growth], unit: str) -> Markup:
    """Stacked bars: how far each round goes beyond the one before."""
    left, right, step = 90, 210, 40
    scale = (WIDTH - left - right) / max(1, *(bar.before + bar.new for bar in rounds))

    drawing = _Drawing(len(rounds) * step - 8)
    for place, bar in enumerate(rounds):
        top = place * step
        middle = left + bar.before * scale
        end = middle + bar.new * scale
        total = bar.before + bar.new
        label = f"{count(total)} {unit}"
        if bar.before:
            label += f", {percent(bar.before / max(1, total))} known"
        drawing.text(bar.name, left - 10, top + 19, anchor="end", style="strong")
        drawing.bar(left, top, bar.before * scale, 28, _colour(1))
        drawing.bar(middle, top, bar.new * scale, 28, _colour(2))
        drawing.text(label, end + 8, top + 19)
    legend = [_Key("collected before", _colour(1)), _Key("new in this round", _colour(2))]
    return drawing.svg(legend)


def sizes(rows: Sequence[tuple[str, float]], highlighted: str) -> Markup:
    """Bars of (name, value) of very different size on a logarithmic scale.

    The row named `highlighted` stands out.
    """
    left, right, step = 190, 80, 30
    # A logarithmic scale has no zero: it begins at a third of the smallest value, so that this one
    # has a bar, too.
    low = min(value for _, value in rows if value > 0) / 3
    span = log10(max(value for _, value in rows) / low)

    drawing = _Drawing(len(rows) * step)
    for place, (name, value) in enumerate(rows):
        top = place * step
        share = log10(max(value, low * 1.05) / low) / span
        width = max(3.0, share * (WIDTH - left - right))
        colour = _colour(2 if name == highlighted else 1)
        drawing.text(name, left - 10, top + 17, anchor="end", style="strong")
        drawing.bar(left, top + 2, width, step - 8, colour)
        drawing.text(count(value), left + width + 8, top + 17)
    return drawing.svg()


def spark(values: Sequence[float]) -> Markup:
    """Tiny bars for a table cell, with their values as the tool tip."""
    step, height = 9, 18
    highest = max(values, default=0) or 1

    drawing = _Drawing(height, step * len(values))
    drawing.marks.append(_element("title", " → ".join(f"{value:,.0f}" for value in values)))
    for place, value in enumerate(values):
        tall = max(1.0, value / highest * height)
        drawing.bar(place * step, height - tall, step - 2, tall, _colour(1))
    return drawing.svg(style="spark")


# ---- Axes ----------------------------------------------------------------------------------------
class _Axis:
    """Values to pixels, with round tick marks; unless `exact`, it begins and ends at a mark."""

    def __init__(self, low: float, high: float, start: float, end: float, exact: bool = False):
        if high <= low:
            high = low + (abs(low) or 1.0)
        self.low, self.high, self.start, self.end = low, high, start, end
        self.step = _round_step((high - low) / 5)

        if not exact:
            # The small number keeps a bound that is a mark, but for rounding, from going a step
            # further.
            self.low = floor(low / self.step + 1e-9) * self.step
            self.high = -floor(-high / self.step + 1e-9) * self.step

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[float]:
        first = -floor(-self.low / self.step + 1e-9)
        # At most a dozen: a step is about a fifth of the axis.
        values = [(first + place) * self.step for place in range(12)]
        return [value for value in values if value <= self.high + 1e-9 * self.step]


class _PowersOfTwo(_Axis):
    """Powers of two to pixels, evenly spaced."""

    def __init__(self, low: float, high: float, start: float, end: float):
        self.low, self.high, self.start, self.end = low, max(high, 2 * low), start, end

    def __call__(self, value: float) -> float:
        share = log2(value / self.low) / log2(self.high / self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[float]:
        doublings = int(log2(self.high / self.low) + 1e-9)
        return [self.low * 2**power for power in range(doublings + 1)]


def _round_step(step: float) -> float:
    """The next step up of the series 1, 2, 5, 10, 20, 50 …"""
    power: float = 10 ** floor(log10(step))
    return next(nice * power for nice in (1, 2, 5, 10) if nice * power >= step * 0.999)


def _tick(value: float) -> str:
    """The short label of a tick mark: 0.25, 300, 20k, 1.5M, 2B."""
    size = abs(value)
    if size >= 1e9:
        return f"{value / 1e9:g}B"
    if size >= 1e6:
        return f"{value / 1e6:g}M"
    if size >= 1e4:
        return f"{value / 1e3:g}k"
    return f"{value:.4g}"


# ---- SVG -----------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Key:
    """An entry of a legend."""

    name: str
    colour: str
    dashed: bool = False


class _Drawing:
    """The marks of one chart; later ones lie on top. `style` names a class of the style sheet."""

    def __init__(self, height: float, width: float = WIDTH):
        self.width, self.height = width, height
        self.marks: list[Markup] = []

    def add(self, name: str, *children: str, **attributes: object) -> None:
        self.marks.append(_element(name, *children, **attributes))

    def text(
        self, text: str, x: float, y: float, anchor: str | None = None, style: str | None = None
    ) -> None:
        self.add("text", text, x=_px(x), y=_px(y), text_anchor=anchor, class_=style)

    def line(
        self,
        x1: float,
        y1: float,
        x2: float,
        y2: float,
        style: str | None = None,
        **attributes: object,
    ) -> None:
        ends = {"x1": _px(x1), "x2": _px(x2), "y1": _px(y1), "y2": _px(y2)}
        self.add("line", **ends, **attributes, class_=style)

    def grid_line(self, x1: float, y1: float, x2: float, y2: float) -> None:
        self.line(x1, y1, x2, y2, style="grid")

    def dot(self, x: float, y: float, radius: int, colour: str, *children: str) -> None:
        self.add("circle", *children, cx=_px(x), cy=_px(y), r=radius, fill=colour)

    def bar(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        colour: str,
        radius: int | None = None,
    ) -> None:
        self.add(
            "rect",
            x=_px(x),
            y=_px(y),
            width=_px(max(0.0, width)),
            height=_px(height),
            rx=radius,
            fill=colour,
        )

    def polygon(self, corners: Sequence[tuple[float, float]], **attributes: object) -> None:
        self.add("polygon", points=_points(corners), **attributes)

    def svg(self, legend: Sequence[_Key] = (), style: str | None = None) -> Markup:
        """The finished chart, its legend above it."""
        # A spark is part of a line of text and has a size of its own; others fill the page's width.
        width = self.width if style == "spark" else None
        chart = _element(
            "svg",
            *self.marks,
            viewBox=f"0 0 {self.width:g} {self.height:g}",
            role="img",
            class_=style,
            width=width,
        )
        return _legend(legend) + chart


def _legend(keys: Sequence[_Key]) -> Markup:
    if not keys:
        return NOTHING

    entries = []
    for key in keys:
        symbol = _element("span", "╌" if key.dashed else "■", style=f"color:{key.colour}")
        entries.append(_element("span", symbol, f" {key.name}", class_="tag"))
    return _element("div", *entries, class_="key")


def _element(name: str, *children: str, **attributes: object) -> Markup:
    """An element of SVG or HTML; children are escaped unless they are Markup.

    Attributes that are None are left out. In their names a trailing underscore is dropped (class_),
    others become dashes (stroke_width).
    """
    pairs = []
    for key, value in attributes.items():
        if value is not None:
            pairs.append(f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"')
    content = "".join(escape(child) for child in children)
    return Markup(f"<{name}{''.join(pairs)}>{content}</{name}>")


def _colour(number: int) -> str:
    """One of the page's colours, counted from 1 and around."""
    return f"var(--s{(number - 1) % COLOURS + 1})"


def _px(pixels: float) -> str:
    """Tenths of a pixel are as fine as anybody sees."""
    return f"{pixels:.1f}".removesuffix(".0")


def _points(pairs: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in pairs)
