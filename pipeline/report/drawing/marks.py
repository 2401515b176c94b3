"""The drawing of a chart: elements, colours, markers, legend, and its name for screen readers.

Coordinates are pixels from the upper left corner, y downwards, as SVG has them. Colours come from
the page's style sheet, so that they follow light and dark.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

from markupsafe import Markup, escape

WIDTH = 480  # of a chart; the style sheet scales it to the page, down to a phone
COLOURS = 6  # --s1 … --s6 in page.css
CHARACTERS = 66  # of a note that fit on one line

NOTHING = Markup("")

# Around the point (0, 0), of about the same area. Each series has a shape beside its colour, so
# that colours need not be told apart.
_SHAPES = (
    None,  # a circle
    ((-3.4, -3.4), (3.4, -3.4), (3.4, 3.4), (-3.4, 3.4)),
    ((0, -4.6), (4.4, 3.2), (-4.4, 3.2)),
    ((0, -5), (5, 0), (0, 5), (-5, 0)),
    ((0, 4.6), (4.4, -3.2), (-4.4, -3.2)),
    ((-4.5, -1.4), (4.5, -1.4), (4.5, 1.4), (-4.5, 1.4)),
)
DASHES = "6 4"


@dataclass(frozen=True, slots=True)
class Key:
    """An entry of a legend: a line with its marker, or a filled square for areas and bars."""

    name: str
    series: int  # counted from 1
    dashed: bool = False
    is_area: bool = False


class Drawing:
    """The marks of one chart; later ones lie on top. `style` names a class of the style sheet."""

    def __init__(self, height: float, width: float = WIDTH):
        self.width, self.height = width, height
        self.marks: list[Markup] = []

    def add(self, name: str, *children: str, **attributes: object) -> None:
        self.marks.append(element(name, *children, **attributes))

    def text(
        self, text: str, x: float, y: float, anchor: str | None = None, style: str | None = None
    ) -> None:
        self.add("text", text, x=px(x), y=px(y), text_anchor=anchor, class_=style)

    def line(
        self,
        x1: float,
        y1: float,
        x2: float,
        y2: float,
        style: str | None = None,
        **attributes: object,
    ) -> None:
        ends = {"x1": px(x1), "x2": px(x2), "y1": px(y1), "y2": px(y2)}
        self.add("line", **ends, **attributes, class_=style)

    def grid_line(self, x1: float, y1: float, x2: float, y2: float) -> None:
        self.line(x1, y1, x2, y2, style="grid")

    def marker(self, series: int, x: float, y: float, *children: str) -> None:
        """A series' mark at a point: its shape in its colour."""
        self.marks.append(_marker(series, x, y, *children))

    def bar(
        self, x: float, y: float, width: float, height: float, fill: str, radius: int | None = None
    ) -> None:
        size = {"width": px(max(0.0, width)), "height": px(height)}
        self.add("rect", x=px(x), y=px(y), **size, rx=radius, fill=fill)

    def polygon(self, corners: Sequence[tuple[float, float]], **attributes: object) -> None:
        self.add("polygon", points=points(corners), **attributes)

    def svg(self, name: str, legend: Sequence[Key] = (), style: str = "") -> Markup:
        """The finished chart, its legend above it.

        Args:
            name: what the chart shows, in words: all that a screen reader says of it.
            style: "spark" for one inside a line of text, "small" for one of several side by side.
        """
        # A spark has a size of its own; other charts fill the width that the page gives them.
        width = self.width if style == "spark" else None
        chart = element(
            "svg",
            *self.marks,
            viewBox=f"0 0 {self.width:g} {self.height:g}",
            role="img",
            aria_label=name,
            class_=f"chart {style}".strip(),
            width=width,
        )
        return _legend(legend) + chart


def _marker(series: int, x: float, y: float, *children: str) -> Markup:
    shape = _SHAPES[(series - 1) % len(_SHAPES)]
    fill = series_colour(series)
    if shape is None:
        return element("circle", *children, cx=px(x), cy=px(y), r=4, fill=fill)

    corners = [(x + across, y + down) for across, down in shape]
    return element("polygon", *children, points=points(corners), fill=fill, class_="marker")


def _legend(keys: Sequence[Key]) -> Markup:
    if not keys:
        return NOTHING

    entries = []
    for key in keys:
        symbol = _area_symbol(key) if key.is_area else _line_symbol(key)
        entries.append(element("span", symbol, f" {key.name}", class_="tag"))
    return element("div", *entries, class_="key")


def _area_symbol(key: Key) -> Markup:
    return element("span", "■", style=f"color:{series_colour(key.series)}", aria_hidden="true")


def _line_symbol(key: Key) -> Markup:
    line = element(
        "line",
        x1=0,
        x2=26,
        y1=6,
        y2=6,
        stroke=series_colour(key.series),
        stroke_width=2,
        stroke_dasharray=DASHES if key.dashed else None,
    )
    marker = _marker(key.series, 13, 6)
    return element("svg", line, marker, viewBox="0 0 26 12", class_="swatch", aria_hidden="true")


def element(name: str, *children: str, **attributes: object) -> Markup:
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


def series_colour(series: int) -> str:
    """One of the page's colours, counted from 1 and around."""
    return f"var(--s{(series - 1) % COLOURS + 1})"


def px(pixels: float) -> str:
    """Tenths of a pixel are as fine as anybody sees."""
    return f"{pixels:.1f}".removesuffix(".0")


def points(pairs: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in pairs)


def note_lines(text: str) -> list[str]:
    """A note in lines that fit into the drawing."""
    return wrap(text, CHARACTERS)
