"""The tree of a serialised MathML formula, read leniently: prefixes dropped, whatever is left open closed."""

import html
import re
from dataclasses import dataclass, field

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


class NotMathML(ValueError):
    """The markup holds no formula that can be written as TeX."""


def parse(markup: str) -> Element:
    """The tree below the first element of `markup`. Namespace prefixes are dropped, unclosed elements are closed."""
    root = Element("")
    stack = [root]
    for match in _TOKEN.finditer(markup):
        closing, tag, attributes, empty, text = match.groups()
        if text is not None:
            stack[-1].text += html.unescape(text)
        elif tag is None:
            continue
        elif closing:
            depth = next(
                (i for i in range(len(stack) - 1, 0, -1) if stack[i].tag == tag.lower()), 0
            )
            if depth:
                del stack[depth:]
        else:
            if len(stack) > _DEEPEST:
                raise NotMathML(f"more than {_DEEPEST} levels")
            element = Element(tag.lower(), _attributes(attributes))
            stack[-1].children.append(element)
            if not empty:
                stack.append(element)
    return root


def _attributes(source: str) -> dict[str, str]:
    return {
        name.lower(): html.unescape(a or b or c) for name, a, b, c in _ATTRIBUTE.findall(source)
    }
