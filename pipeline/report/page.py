"""Parts of a report page: one self-contained HTML file that opens offline, in light and dark, on paper and phone.

    page = Page("Results", "mini world, seed 0")
    page.section("Accuracy", paragraph("…"), table(["model", "greedy"], [["sft", "52.1 %"]]))
    write_text(out, page.html())

Everything that comes from data is escaped; only `Html` goes into the page as it is.
"""

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

DATA_FILES = ("page.css",)
STYLE = Path(__file__).with_name("page.css")


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def html(value: object) -> Html:
    """`value` escaped, unless it is Html; None is a dash."""
    if isinstance(value, Html):
        return value
    return Html("–" if value is None else escape(str(value)))


def tag(name: str, *children: object, **attributes: object) -> Html:
    """An element. Attribute names: a trailing underscore is dropped (class_), others become dashes (data_id)."""
    pairs = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value), quote=True)}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    return Html(f"<{name}{pairs}>{''.join(html(child) for child in children)}</{name}>")


def paragraph(*children: object) -> Html:
    return tag("p", *children)


def table(
    columns: Sequence[object],
    rows: Iterable[Sequence[object]],
    caption: object | None = None,
    right: Iterable[int] = (),
) -> Html:
    """A table that scrolls sideways where it does not fit. Cells that look like numbers are set right-aligned, and all
    cells of the columns whose numbers are in `right`.
    """
    rows, right = [list(row) for row in rows], set(right)
    numeric = [any(map(_numeric, cells)) for cells in zip(*rows, strict=True)] or [False] * len(
        columns
    )
    numeric = [found or number in right for number, found in enumerate(numeric)]
    pairs = zip(columns, numeric, strict=True)
    head = tag(
        "tr",
        *(tag("th", column, scope="col", class_="n" if right else None) for column, right in pairs),
    )
    body = [
        tag(
            "tr",
            *(
                tag("td", cell, class_="n" if i in right or _numeric(cell) else None)
                for i, cell in enumerate(row)
            ),
        )
        for row in rows
    ]
    parts = ([tag("caption", caption)] if caption else []) + [
        tag("thead", head),
        tag("tbody", *body),
    ]
    return tag("div", tag("table", *parts), class_="scroll")


def facts(pairs: Iterable[tuple[object, object]]) -> Html:
    """The few numbers a reader came for, large, each with its label."""
    return tag(
        "dl",
        *(tag("div", tag("dt", label), tag("dd", value)) for label, value in pairs),
        class_="facts",
    )


def details(summary: object, *children: object, open_: bool = False) -> Html:
    """A part that unfolds."""
    opening = Html("<details open>" if open_ else "<details>")
    return Html(
        f"{opening}{tag('summary', summary)}{''.join(html(child) for child in children)}</details>"
    )


def figure(chart: Html, caption: object) -> Html:
    return tag("figure", tag("div", chart, class_="scroll"), tag("figcaption", caption))


def percent(share: float | None, digits: int = 1) -> str:
    return "–" if share is None else f"{100 * share:.{digits}f} %"


def count(number: float | None) -> str:
    """12,345; above a million in M, above a billion in B."""
    if number is None:
        return "–"
    for limit, unit in ((1e9, "B"), (1e6, "M")):
        if abs(number) >= limit:
            return f"{number / limit:,.1f}{unit}"
    return f"{number:,.0f}"


class Page:
    """Sections under a title, with a table of contents."""

    def __init__(self, title: str, subtitle: object = ""):
        self.title, self.subtitle = title, subtitle
        self.sections: list[tuple[str, str, Html]] = []

    def section(self, title: str, *children: object) -> None:
        """Add a section; nothing is added where all children are empty."""
        body = "".join(html(child) for child in children if child)
        if body:
            self.sections.append((f"s{len(self.sections) + 1}", title, Html(body)))

    def html(self, script: str = "", style: str = "") -> str:
        """The whole page; `style` is added to the common style sheet."""
        links = [tag("a", title, href=f"#{name}") for name, title, _ in self.sections]
        bodies = [
            tag("section", tag("h2", title), body, id=name) for name, title, body in self.sections
        ]
        return (
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{escape(self.title)}</title><style>{STYLE.read_text(encoding='utf-8')}{style}</style></head><body>"
            f"{tag('header', tag('h1', self.title), tag('p', self.subtitle), tag('nav', *links))}"
            f"{tag('main', *bodies)}"
            + (f"<script>{script}</script>" if script else "")
            + "</body></html>\n"
        )


def _numeric(cell: object) -> bool:
    text = str(cell).replace(",", "").strip(" %<>≥≤±–-MBs")
    return bool(text) and text.replace(".", "", 1).isdigit()
