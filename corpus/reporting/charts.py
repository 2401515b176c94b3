"""Charts of the corpus report that `pipeline.report.charts` does not have: inline SVG in the page's own colours."""

from collections.abc import Sequence
from math import log10

from pipeline.report.page import Html, count, percent, tag

WIDTH = 720


def funnel(stages: Sequence[tuple[str, float, str]]) -> Html:
    """Bars of (name, number, note), each as long as its share of the first; the note says what was lost."""
    left, right, step = 190, 120, 46
    scale = (WIDTH - left - right) / max(1, stages[0][1])
    marks = []
    for place, (name, number, note) in enumerate(stages):
        top, width = place * step, max(2.0, number * scale)
        if place:
            before = max(2.0, stages[place - 1][1] * scale)
            corners = f"{left},{top - 16} {left + before:.1f},{top - 16} {left + width:.1f},{top} {left},{top}"
            marks.append(tag("polygon", points=corners, fill="var(--s1)", opacity=0.12))
            marks.append(tag("text", note, x=left + 8, y=top - 4, class_="note"))
        marks.append(tag("text", name, x=left - 10, y=top + 20, text_anchor="end", class_="strong"))
        marks.append(
            tag("rect", x=left, y=top, width=f"{width:.1f}", height=30, rx=3, fill="var(--s1)")
        )
        share = "" if place == 0 else f"  {percent(number / max(1, stages[0][1]))}"
        marks.append(
            tag(
                "text",
                f"{number:,.0f}{share}",
                x=f"{left + width + 8:.1f}",
                y=top + 20,
                class_="strong",
            )
        )
    return _svg(marks, len(stages) * step - 12)


def growth(rounds: Sequence[tuple[str, float, float]], unit: str) -> Html:
    """Bars of (name, had before, new) stacked: how far each round goes beyond the one before."""
    left, right, step = 90, 210, 40
    scale = (WIDTH - left - right) / max(1, *(before + new for _, before, new in rounds))
    marks = []
    for place, (name, before, new) in enumerate(rounds):
        top, first = place * step, before * scale
        marks.append(tag("text", name, x=left - 10, y=top + 19, text_anchor="end", class_="strong"))
        marks.append(_bar(left, top, first, 28, "var(--s1)"))
        marks.append(_bar(left + first, top, new * scale, 28, "var(--s2)"))
        label = f"{count(before + new)} {unit}"
        if before:
            label += f", {percent(before / max(1, before + new))} known"
        marks.append(tag("text", label, x=f"{left + first + new * scale + 8:.1f}", y=top + 19))
    return Html(
        _legend([("collected before", 1), ("new in this round", 2)])
        + _svg(marks, len(rounds) * step - 8)
    )


def score_histogram(everything: Sequence[int], collected: Sequence[int], cut: float) -> Html:
    """Pages by score on a logarithmic scale: all, of these the collected, and the cut."""
    width, height, left, bottom, top = 340, 180, 40, 26, 14
    highest = log10(max(10, *everything)) * 1.05
    inner, step = height - bottom - top, (width - left - 6) / len(everything)
    marks = []
    for power in range(int(highest) + 1):
        at = height - bottom - power / highest * inner
        marks.append(
            tag("line", x1=left, x2=width - 6, y1=f"{at:.1f}", y2=f"{at:.1f}", class_="grid")
        )
        marks.append(
            tag(
                "text",
                f"{10**power:,}" if power < 4 else f"1e{power}",
                x=left - 5,
                y=f"{at + 4:.1f}",
                text_anchor="end",
            )
        )
    for values, colour in ((everything, "var(--grey)"), (collected, "var(--s2)")):
        for place, value in enumerate(values):
            if value:
                tall = max(2.0, log10(value) / highest * inner) if value > 1 else 2.0
                marks.append(
                    _bar(
                        left + place * step,
                        height - bottom - tall,
                        max(1.0, step - 1),
                        tall,
                        colour,
                    )
                )
    at = left + cut * (width - left - 6)
    marks.append(
        tag("line", x1=f"{at:.1f}", x2=f"{at:.1f}", y1=top - 4, y2=height - bottom, class_="cut")
    )
    side = ("end", at - 4) if cut > 0.5 else ("start", at + 4)
    marks.append(
        tag(
            "text",
            f"cut {cut:.3g}",
            x=f"{side[1]:.1f}",
            y=top + 6,
            text_anchor=side[0],
            class_="strong",
        )
    )
    for value in (0, 0.5, 1):
        anchor = "end" if value == 1 else "start" if value == 0 else "middle"
        marks.append(
            tag(
                "text",
                f"{value:g}",
                x=left + value * (width - left - 6),
                y=height - 8,
                text_anchor=anchor,
            )
        )
    return _svg(marks, height, width, small=True)


def sizes(rows: Sequence[tuple[str, float]], mark: str) -> Html:
    """Numbers of very different size on a logarithmic scale; the row named `mark` stands out."""
    left, right, step = 190, 80, 30
    low = min(value for _, value in rows if value > 0) / 3
    span = log10(max(value for _, value in rows) / low)
    marks = []
    for place, (name, value) in enumerate(rows):
        width = max(3.0, log10(max(value, low * 1.05) / low) / span * (WIDTH - left - right))
        colour = "var(--s2)" if name == mark else "var(--s1)"
        marks.append(
            tag("text", name, x=left - 10, y=place * step + 17, text_anchor="end", class_="strong")
        )
        marks.append(_bar(left, place * step + 2, width, step - 8, colour))
        marks.append(tag("text", count(value), x=f"{left + width + 8:.1f}", y=place * step + 17))
    return _svg(marks, len(rows) * step)


def shares(
    series: Sequence[tuple[str, Sequence[float]]], ticks: Sequence[tuple[float, str]]
) -> Html:
    """Histograms of the same bins over each other, each as shares of its sum; ticks are (position 0..1, label)."""
    height, left, bottom, top = 220, 48, 34, 8
    normal = [(name, [value / (sum(values) or 1) for value in values]) for name, values in series]
    highest = max((value for _, values in normal for value in values), default=1) or 1
    inner, plot = height - bottom - top, WIDTH - left - 8
    marks = []
    for part in range(5):
        at = height - bottom - part / 4 * inner
        marks.append(
            tag("line", x1=left, x2=WIDTH - 8, y1=f"{at:.1f}", y2=f"{at:.1f}", class_="grid")
        )
        marks.append(
            tag(
                "text",
                percent(part / 4 * highest),
                x=left - 6,
                y=f"{at + 4:.1f}",
                text_anchor="end",
            )
        )
    for number, (_, values) in enumerate(normal):
        step = plot / len(values)
        outline = [f"{left},{height - bottom}"]
        for place, value in enumerate(values):
            at = f"{height - bottom - value / highest * inner:.1f}"
            outline += [f"{left + place * step:.1f},{at}", f"{left + (place + 1) * step:.1f},{at}"]
        outline.append(f"{left + plot},{height - bottom}")
        colour = f"var(--s{number + 1})"
        marks.append(
            tag(
                "polygon",
                points=" ".join(outline),
                fill=colour,
                fill_opacity=0.18,
                stroke=colour,
                stroke_width=1.6,
            )
        )
    for at, label in ticks:
        anchor = "end" if at > 0.97 else "middle"
        marks.append(
            tag("text", label, x=f"{left + at * plot:.1f}", y=height - 12, text_anchor=anchor)
        )
    names = [(name, number + 1) for number, (name, _) in enumerate(series)]
    return Html((_legend(names) if len(names) > 1 else "") + _svg(marks, height))


def spark(values: Sequence[float]) -> Html:
    """Tiny bars for a table cell: growth over the rounds."""
    highest = max(values, default=0) or 1
    bars = [
        _bar(
            place * 9,
            18 - max(1.0, value / highest * 18),
            7,
            max(1.0, value / highest * 18),
            "var(--s1)",
        )
        for place, value in enumerate(values)
    ]
    label = " → ".join(f"{value:,.0f}" for value in values)
    return tag(
        "svg",
        tag("title", label),
        *bars,
        viewBox=f"0 0 {9 * len(values)} 18",
        class_="spark",
        width=9 * len(values),
    )


def meter(share: float) -> Html:
    """A share as a thin bar in a table cell, with its number."""
    bar = tag(
        "span", tag("span", style=f"width:{100 * min(1, max(0, share)):.1f}%"), class_="meter"
    )
    return Html(f"{bar} {percent(share)}")


def _bar(x: float, y: float, width: float, height: float, colour: str) -> Html:
    return tag(
        "rect",
        x=f"{x:.1f}",
        y=f"{y:.1f}",
        width=f"{max(0.0, width):.1f}",
        height=f"{height:.1f}",
        fill=colour,
    )


def _legend(names: Sequence[tuple[str, int]]) -> str:
    spans = [
        tag("span", tag("span", "■", style=f"color:var(--s{colour})"), f" {name}", class_="key")
        for name, colour in names
    ]
    return tag("p", *spans, class_="legend")


def _svg(marks: list[Html], height: float, width: float = WIDTH, small: bool = False) -> Html:
    return tag(
        "svg",
        *marks,
        viewBox=f"0 0 {width} {height:g}",
        role="img",
        class_="small" if small else None,
    )
