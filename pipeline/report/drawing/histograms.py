"""Histograms: how values are distributed, alone or over one another."""

from collections.abc import Sequence
from math import log10

from markupsafe import Markup

from pipeline.report.drawing.axes import Axis
from pipeline.report.drawing.marks import DASHES, WIDTH, Drawing, Key, series_colour


def score_histogram(everything: Sequence[int], collected: Sequence[int], cut: float) -> Markup:
    """Pages by score (bins over 0..1) on a logarithmic scale: all pages, the collected ones, and the
    cut-off score.
    """
    width, height = 340, 180
    left, right, top, bottom = 54, 6, 18, 26
    ground = height - bottom
    plot_width = width - left - right
    plot_height = ground - top
    highest = log10(max(10, *everything)) * 1.05
    drawing = Drawing(height, width)

    for power in range(int(highest) + 1):
        y = ground - power / highest * plot_height
        label = f"{10**power:,}" if power < 4 else f"1e{power}"
        drawing.grid_line(left, y, width - right, y)
        drawing.text(label, left - 5, y + 4, anchor="end")

    step = plot_width / len(everything)
    bar_width = max(1.0, step - 1)
    for values, fill in ((everything, "var(--grey)"), (collected, series_colour(2))):
        for place, value in enumerate(values):
            if not value:
                continue
            # log10(1) is 0: a single page gets a bar that can be seen.
            tall = max(2.0, log10(value) / highest * plot_height)
            x = left + place * step
            drawing.bar(x, ground - tall, bar_width, tall, fill)

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

    name = (
        f"Histogram of scores from 0 to 1: {sum(everything):,} pages,"
        f" {sum(collected):,} of them collected, cut-off {cut:.3g}"
    )
    return drawing.svg(name, style="small")


def shares(
    series: Sequence[tuple[str, Sequence[float]]],
    ticks: Sequence[tuple[float, str]],
    x_label: str = "",
) -> Markup:
    """Histograms of the same bins over each other, each as shares of its sum.

    Args:
        series: name and values of each histogram.
        ticks: position (0..1) and label of each mark on the x axis.
    """
    height, left, right, top = 220, 60, 20, 10
    bottom = 46 if x_label else 34
    ground = height - bottom
    plot_width = WIDTH - left - right

    normal: list[tuple[str, list[float]]] = []
    for name, values in series:
        total = sum(values) or 1
        normal.append((name, [value / total for value in values]))
    highest = max((max(values) for _, values in normal if values), default=1) or 1

    drawing = Drawing(height)
    y_axis = Axis(0, highest, ground, top)
    for share in y_axis.ticks():
        y = y_axis(share)
        drawing.grid_line(left, y, WIDTH - right, y)
        drawing.text(f"{100 * share:.3g} %", left - 6, y + 4, anchor="end")

    legend = []
    for place, (name, values) in enumerate(normal):
        step = plot_width / len(values)
        outline: list[tuple[float, float]] = [(left, ground)]
        for number, value in enumerate(values):
            x = left + number * step
            y = y_axis(value)
            outline += [(x, y), (left + (number + 1) * step, y)]
        outline.append((left + plot_width, ground))

        fill = series_colour(place + 1)
        dashes = DASHES if place else None
        look = {"stroke": fill, "stroke_width": 1.6, "stroke_dasharray": dashes}
        drawing.polygon(outline, fill=fill, fill_opacity=0.18, **look)
        legend.append(Key(name, place + 1, dashed=bool(place), is_area=True))

    for position, label in ticks:
        # The last label would be cut off at the edge of the drawing.
        anchor = "end" if position > 0.97 else "middle"
        x = left + position * plot_width
        drawing.text(label, x, ground + 17, anchor=anchor)
    if x_label:
        drawing.text(x_label, left + plot_width / 2, height - 7, anchor="middle")

    names = ", ".join(name for name, _ in series)
    description = f"Histogram of {x_label}: {names}" if x_label else f"Histogram: {names}"
    return drawing.svg(description, legend if len(legend) > 1 else ())
