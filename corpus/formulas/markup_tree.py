"""A serialised formula as a small tree: MathML, or the elements of a typesetter that mirror it."""

import html
import re
from dataclasses import dataclass, field


class TooManyLevels(ValueError):
    """Elements are nested deeper than in any formula that somebody wrote."""


# A tag (its namespace prefix dropped), a comment, a run of text, or a lone "<".
_TOKEN = re.compile(
    r"""<(/?)(?:[\w.-]+:)?([\w-]+)((?:[^>"']|"[^"]*"|'[^']*')*?)(/?)>|<!--.*?-->|([^<]+)|<""",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"""([\w:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")
_DEEPEST = 150  # levels: authored formulas stay below 40, and Python's stack ends near 1,000


@dataclass(slots=True)
class Element:
    """A node of the formula's tree; `text` is the characters of a token element."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list["Element"] = field(default_factory=list)
    text: str = ""

    def get(self, attribute: str, default: str = "") -> str:
        return self.attributes.get(attribute, default)


def parse_markup(markup: str) -> Element:
    """The tree of `markup`, below a nameless root.

    What is left open is closed, a stray closing tag is ignored.
    """
    root = Element("")
    open_elements = [root]
    for match in _TOKEN.finditer(markup):
        closing, tag, attributes, empty, text = match.groups()
        if text is not None:
            open_elements[-1].text += html.unescape(text)
        elif tag is None:
            continue
        elif closing:
            _close(open_elements, tag.lower())
        else:
            if len(open_elements) > _DEEPEST:
                raise TooManyLevels(f"more than {_DEEPEST} levels")
            element = Element(tag.lower(), _attributes(attributes))
            open_elements[-1].children.append(element)
            if not empty:
                open_elements.append(element)
    return root


def _close(open_elements: list[Element], tag: str) -> None:
    """Close the innermost element of this name, and what was left open inside it."""
    for depth in range(len(open_elements) - 1, 0, -1):
        if open_elements[depth].tag == tag:
            del open_elements[depth:]
            return


def _attributes(source: str) -> dict[str, str]:
    return {
        name.lower(): html.unescape(double or single or unquoted)
        for name, double, single, unquoted in _ATTRIBUTE.findall(source)
    }
