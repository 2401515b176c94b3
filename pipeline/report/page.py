"""A report page: sections, each filled from a template, in one HTML file that opens offline.

    TEMPLATES = Path(__file__).parent / "templates"
    sections = [Section("Accuracy", "accuracy.html.jinja", data)]
    write_text(out, render_page("Results", "mini world, seed 0", sections, TEMPLATES))

The page works in light and dark, on paper and on a phone. Templates lie beside the package whose
page they make; the layout and the macros that they share (`base.html.jinja`, `macros.html.jinja`)
lie here. Everything that comes from data is escaped; only `Markup` enters the page as it is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipeline.notice import notice
from pipeline.report.math_html import with_formulas
from pipeline.report.number_format import count, number, percent, points

DATA_FILES = ("templates/*",)
SHARED_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Section:
    """One section of a page: `template` is filled with `data`, which it sees under that name."""

    title: str
    template: str
    data: object


def render_page(
    title: str,
    subtitle: str,
    sections: Iterable[Section],
    templates: Path,
    *,
    style: str | None = None,
    script: str | None = None,
    made_with: Sequence[tuple[str, str]] = (),
) -> str:
    """The whole page as HTML text, with a table of contents.

    Args:
        templates: folder with the sections' templates, the style sheet and the script.
        style: style sheet of this page, added to the common one.
        script: JavaScript that runs once the page is there.
        made_with: what the footer says of the run (label, value): commit, date, versions, hardware.
    """
    bodies = [
        (section.title, render(section.template, section.data, templates)) for section in sections
    ]
    layout = _environment(templates).get_template("base.html.jinja")
    page = layout.render(
        title=title,
        subtitle=subtitle,
        sections=bodies,
        style=style,
        script=script,
        made_with=made_with,
        notice=notice(),
    )
    return page + "\n"


def render(template: str, data: object, templates: Path) -> Markup:
    """One template of the folder `templates`, filled with `data`."""
    return Markup(_environment(templates).get_template(template).render(data=data))


@cache
def _environment(templates: Path) -> Environment:
    """Templates of one folder and the shared ones.

    A name that a template misspells is an error, not a blank.
    """
    environment = Environment(
        loader=FileSystemLoader([templates, SHARED_TEMPLATES]),
        # Always on: by default Jinja2 escapes only in files that end in .html.
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": count,
        "number": number,
        "percent": percent,
        "points": points,
        "with_formulas": with_formulas,
    }

    def inline(name: str) -> Markup:
        """A style sheet or script as it is: `include` would read braces in it as Jinja2."""
        assert environment.loader is not None
        source, _, _ = environment.loader.get_source(environment, name)
        return Markup(source)

    environment.globals["inline"] = inline
    return environment
