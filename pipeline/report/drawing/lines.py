"""Lines: values over steps, rounds or numbers of samples."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pipeline.report.drawing.axes import Axis, PowersOfTwo, tick_label
from pipeline.report.drawing.marks import (
    DASHES,
    NOTHING,
    WIDTH,
    Drawing,
    Key,
    points,
    series_colour,
)

HEIGHT = 250
LEFT, RIGHT, TOP, BOTTOM = 60, 20, 30, 44  # margins
MARKED_POINTS = 16  # a longer line has markers at some of its points only
MARKERS = 6  # on a longer line
SMOOTHED = 40  # a line of at least so many points is shown smoothed, itself faint behind it

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Line:
    """A line through (x, y) points; `band` holds (x, low, high).

    Colours and markers count from 1; None takes the next one.
    """

    name: str
    points: Sequence[Point]
    band: Sequence[tuple[float, float, float]] = ()
    dashed: bool = False
    colour: int | None = None


def line_chart(
    lines: Sequence[Line],
    x_label: str,
    y_label: str,
    *,
    y_range: tuple[float, float] | None = None,
    powers_of_two: bool = False,
) -> Markup:
    """Lines with their bands, and a legend when there are several. Long lines are smoothed.

    Args:
        y_range: where the y axis begins and ends; by default where the data do.
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

    kind = PowersOfTwo if powers_of_two else Axis
    x_axis = kind(min(xs), max(xs), LEFT, WIDTH - RIGHT)
    lowest, highest = y_range or (min(ys), max(ys))
    y_axis = Axis(lowest, highest, HEIGHT - BOTTOM, TOP)

    drawing = Drawing(HEIGHT)
    _draw_axes(drawing, x_axis, y_axis, x_label, y_label)
    legend = []
    for place, line in enumerate(lines):
        series = line.colour or place + 1
        path = _draw_line(drawing, line, series, x_axis, y_axis)
        # A long line that is alone need not be told from others.
        if len(lines) > 1 or len(path) <= MARKED_POINTS:
            for x, y in _marked(path, series):
                drawing.marker(series, x, y)
        legend.append(Key(line.name, series, line.dashed))

    name = _in_words(lines, x_label, y_label)
    return drawing.svg(name, legend if len(lines) > 1 else ())


def _in_words(lines: Sequence[Line], x_label: str, y_label: str) -> str:
    parts = []
    for line in lines:
        if line.points:
            (first_x, first_y), (last_x, last_y) = line.points[0], line.points[-1]
            ends = f"{first_y:.3g} at {first_x:g} to {last_y:.3g} at {last_x:g}"
            parts.append(f"{line.name}, from {ends}")
    return f"Line chart, {y_label} by {x_label}: {'; '.join(parts)}"


def _draw_axes(drawing: Drawing, x_axis: Axis, y_axis: Axis, x_label: str, y_label: str) -> None:
    bottom = HEIGHT - BOTTOM

    # Level, above the axis: upright text is hard to read, and long labels would not fit.
    drawing.text(y_label, 2, 14)
    for value in y_axis.ticks():
        y = y_axis(value)
        drawing.grid_line(LEFT, y, WIDTH - RIGHT, y)
        drawing.text(tick_label(value), LEFT - 7, y + 4, anchor="end")

    drawing.line(LEFT, bottom, WIDTH - RIGHT, bottom, style="axis")
    for value in x_axis.ticks():
        drawing.text(tick_label(value), x_axis(value), bottom + 17, anchor="middle")
    drawing.text(x_label, (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 7, anchor="middle")


def _draw_line(
    drawing: Drawing, line: Line, series: int, x_axis: Axis, y_axis: Axis
) -> Sequence[Point]:
    """Draw a line without its markers; returns its path, smoothed where it is long."""
    if line.band:
        upper = [(x_axis(x), y_axis(high)) for x, _, high in line.band]
        lower = [(x_axis(x), y_axis(low)) for x, low, _ in reversed(line.band)]
        drawing.polygon(upper + lower, fill=series_colour(series), opacity=0.14)

    path = [(x_axis(x), y_axis(y)) for x, y in line.points]
    if len(path) >= SMOOTHED:
        _draw_path(drawing, path, series, stroke_width=1, opacity=0.3)
        means = smoothed([y for _, y in path])
        path = [(x, mean) for (x, _), mean in zip(path, means, strict=True)]

    dashes = DASHES if line.dashed else None
    _draw_path(drawing, path, series, stroke_width=2, stroke_dasharray=dashes)
    return path


def _draw_path(drawing: Drawing, path: Sequence[Point], series: int, **attributes: object) -> None:
    place = points(path)
    drawing.add("polyline", points=place, fill="none", stroke=series_colour(series), **attributes)


def smoothed(values: Sequence[float]) -> list[float]:
    """Each value's mean with its neighbours: those within a twentieth of the line on either side."""
    reach = max(2, len(values) // 20)

    means = []
    for place in range(len(values)):
        window = values[max(0, place - reach) : place + reach + 1]
        means.append(sum(window) / len(window))
    return means


def _marked(path: Sequence[Point], series: int) -> Sequence[Point]:
    """Where markers stand: at every point of a short line, at a few of a long one."""
    if len(path) <= MARKED_POINTS:
        return path

    # Another beginning for each series keeps their markers from covering one another.
    step = len(path) / MARKERS
    start = step * (0.25 + 0.5 * (series % 2))
    return [path[int(start + step * number)] for number in range(MARKERS)]
