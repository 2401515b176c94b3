"""Markup that the text extraction would throw away with its content, rewritten before the parse.

resiliparse leaves out figures, captions and the labels of form fields, whose content is text of the
page (tables, code, the options of a quiz). An element `<noscript>` that is never closed, or cannot
be because of what stands in it, hides the rest of the page.
"""

import re

LABEL = "data-was-label"  # attribute of what was a label

_FIGURE = re.compile(r"<(/?)fig(?:ure|caption)(?=[\s>])", re.IGNORECASE)
_LABEL = re.compile(r"<(/?)label(?=[\s>])", re.IGNORECASE)
_NOSCRIPT = re.compile(r"<(/?)noscript\b[^>]*>", re.IGNORECASE)
# What stands in for a page without scripts is a message or a picture, not a page.
_LONGEST_NOSCRIPT = 20_000  # characters
_NEVER_INSIDE = ("</script", "</head", "</body", "-->")


def repaired(source: str) -> str:
    """The page's HTML, where nothing that a reader sees is in an element that is left out."""
    if "<fig" in source or "<FIG" in source:
        source = _FIGURE.sub(r"<\1div", source)
    if "<label" in source or "<LABEL" in source:
        # Fields stood between the labels of a row.
        source = _LABEL.sub(_as_span, source)
    if "<noscript" in source or "<NOSCRIPT" in source:
        source = _without_noscript(source)
    return source


def _as_span(match: re.Match[str]) -> str:
    return "</span" if match[1] else f" <span {LABEL}"


def _without_noscript(source: str) -> str:
    """Every `<noscript>` gone: with its content where it is closed, else only its tag."""
    parts: list[str] = []
    position = 0
    opening: re.Match[str] | None = None
    for tag in _NOSCRIPT.finditer(source):
        if not tag[1]:
            # The one before was never closed: its content is the page's.
            if opening is not None:
                parts.append(source[opening.end() : tag.start()])
            else:
                parts.append(source[position : tag.start()])
            opening = tag
        elif opening is None:
            parts.append(source[position : tag.start()])
        else:
            content = source[opening.end() : tag.start()]
            if not _is_closed(content):
                parts.append(content)
            opening = None
        position = tag.end()
    return "".join(parts) + source[position:]


def _is_closed(content: str) -> bool:
    """Whether a closing tag after `content` belongs to the opening one before it."""
    return len(content) <= _LONGEST_NOSCRIPT and not any(end in content for end in _NEVER_INSIDE)
