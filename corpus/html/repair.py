"""A page's HTML rewritten before the parse, so that nothing a reader sees is thrown away.

resiliparse leaves out figures, captions and the labels of form fields, whose content is text of the
page (tables, code, the options of a quiz), words that link to a tag, and posts quoted from a social
network. An element `<noscript>` that is never closed, or cannot be because of what stands in it,
hides the rest of the page.

Scripts and style sheets are a third of a page. Without them every later search is that much faster.
"""

import re

LABEL = "data-was-label"  # attribute of what was a label

_SCRIPT = re.compile(r"<(?:s(cript|tyle)(?=[\s>])[^>]*|/s(cript|tyle)\s*)>")
# With these inside, this module and the parser may disagree where a script ends.
_COMMENT_MARKS = ("<!--", "-->")
# What typesets formulas, and its settings. Each begins with fixed letters: a fast search.
_TYPESETTERS = (re.compile(r"ath(?:[jJ]ax|InElement|quill)"), re.compile("katex"))

_TAG = re.compile(r"<(/?)(figure|figcaption|label|noscript)(?=[\s>])", re.IGNORECASE)
# What stands in for a page without scripts is a message or a picture, not a page.
_LONGEST_NOSCRIPT = 20_000  # characters
_NEVER_INSIDE = ("</script", "</head", "</body", "-->")


def repaired(source: str) -> str:
    """The page's HTML, where nothing that a reader sees is in an element that is left out."""
    source = _with_other_tags(_without_scripts(source))
    # An address of a tag is a link like any other, and a quoted post is a quotation.
    return source.replace(' rel="tag"', "").replace("twitter-tweet", "quoted-post")


def _without_scripts(source: str) -> str:
    """Scripts and style sheets without their content, unless that may tell of formulas."""
    parts: list[str] = []
    position = 0
    opening: re.Match[str] | None = None
    for tag in _SCRIPT.finditer(source):
        if tag[1]:
            # Inside a script it is part of a text that the script writes.
            opening = opening or tag
            continue
        if opening is None or tag[2] != opening[1]:
            continue

        if _may_go(opening[0], source[opening.end() : tag.start()]):
            parts.append(source[position : opening.end()])
            position = tag.start()
        opening = None
    return "".join(parts) + source[position:] if parts else source


def _may_go(opening: str, content: str) -> bool:
    if "math/" in opening or any(mark in content for mark in _COMMENT_MARKS):
        return False
    return not any(name.search(content) for name in _TYPESETTERS)


def _with_other_tags(source: str) -> str:
    """Figures and captions as blocks, labels as spans, and every `<noscript>` gone.

    A `<noscript>` goes with its content where it is closed, else only its tag goes.
    """
    parts: list[str] = []
    position = 0
    hidden_from = -1  # where the content of an open <noscript> begins
    for tag in _TAG.finditer(source):
        name = tag[2].lower()
        if name != "noscript":
            parts += [source[position : tag.start()], _replacement(tag[1], name)]
            position = tag.end()
            continue

        end = source.find(">", tag.end()) + 1
        if not end:
            break
        if not tag[1]:
            parts.append(source[position : tag.start()])
            hidden_from = len(parts)
        else:
            parts.append(source[position : tag.start()])
            if hidden_from >= 0 and _is_closed("".join(parts[hidden_from:])):
                del parts[hidden_from:]
            hidden_from = -1
        position = end
    return "".join(parts) + source[position:] if parts else source


def _replacement(slash: str, name: str) -> str:
    """The beginning of the tag that takes the place of one."""
    if name == "label":
        # Fields stood between the labels of a row.
        return "</span" if slash else f" <span {LABEL}"
    return f"<{slash}div"


def _is_closed(content: str) -> bool:
    """Whether a closing tag after `content` belongs to the opening one before it."""
    return len(content) <= _LONGEST_NOSCRIPT and not any(end in content for end in _NEVER_INSIDE)
