"""A page's HTML rewritten before the parse, in one pass over its tags.

Nothing that a reader sees may be thrown away: resiliparse leaves out figures, captions and the
labels of form fields, whose content is text of the page (tables, code, the options of a quiz), words
that link to a tag, and posts quoted from a social network. An element `<noscript>` that is never closed, or cannot be
because of what stands in it, hides the rest of the page.

Scripts and style sheets, a third of a page, go: every later search is that much faster.

Links and headings get marks. resiliparse gives text without markup, and nodes are slow to walk from
Python; the marks come through as part of the text, where `corpus.html.lines` reads them.
"""

import re

from corpus.formulas.lone_characters import HEADING, LINK, LINK_END, TITLE

LABEL = "data-was-label"  # attribute of what was a label

# Anchors, and links within the page, are no links here: headings of manuals are made of them.
_TAG = re.compile(
    r"""<(?:a\s(?!name=|id=|href="\#|class="(?:toc-backref|headerlink|anchor)")|/a>|h[1-6](?=[\s>])"""
    r"""|/?(?:script|style|noscript|fig(?:ure|caption)|label|SCRIPT|STYLE|NOSCRIPT|FIG(?:URE|CAPTION)|LABEL)(?=[\s>])"""
    r"""|blockquote\sclass="twitter-tweet)"""
)
# What typesets formulas, and its settings. Each begins with fixed letters: a fast search.
_TYPESETTERS = (re.compile(r"ath(?:[jJ]ax|InElement|quill)"), re.compile("katex"))
# With these inside, this module and the parser may disagree where a script ends.
_COMMENT_MARKS = ("<!--", "-->")
# What stands in for a page without scripts is a message or a picture, not a page.
_LONGEST_NOSCRIPT = 20_000  # characters
_NEVER_INSIDE = ("</script", "</head", "</body", "-->")


# XHTML may declare entities between brackets in its DOCTYPE. HTML's parser ends the DOCTYPE at the first `>` in there
# and takes what is left for text of the page. All repeats are possessive: a hostile page is read once.
_PAGE_START = r"<(?:html|head|body)\b"
_DOCTYPE = re.compile(
    r"""(?:\ufeff|\s|<\?[^>]*>|<!--(?:(?!-->).)*+-->)*+<!DOCTYPE\b(?:[^>\["']|"[^"]*"|'[^']*')*+(?=\[)""",
    re.DOTALL | re.IGNORECASE,
)
_SUBSET = re.compile(
    rf"""\[(?:<!--(?:(?!-->|<body\b).)*+-->|<\?(?:(?!\?>|{_PAGE_START}).)*+\?>"""
    rf"""|"(?:(?!{_PAGE_START})[^"])*+"|'(?:(?!{_PAGE_START})[^'])*+'|(?!{_PAGE_START}|<!--|<\?)[^]"'])*+\]\s*>""",
    re.DOTALL | re.IGNORECASE,
)
_PAGE = re.compile(_PAGE_START, re.IGNORECASE)
_LONGEST_DOCTYPE = 100_000  # characters, with what stands before it


def without_subset(source: str) -> str:
    """The page without its DOCTYPE's internal subset; where that never ends, the page begins at its first element."""
    doctype = _DOCTYPE.match(source, 0, _LONGEST_DOCTYPE)
    if doctype is None:
        return source

    subset = _SUBSET.match(source, doctype.end(), doctype.end() + _LONGEST_DOCTYPE)
    if subset is not None:
        return f"{doctype[0]}>{source[subset.end() :]}"

    page = _PAGE.search(source, doctype.end())
    return source if page is None else f"{doctype[0]}>{source[page.start() :]}"


def repaired(source: str) -> str:
    """The page's HTML, where nothing that a reader sees is in an element that is left out."""
    source = without_subset(source)
    # An address of a tag is a link like any other.
    source = source.replace(' rel="tag"', "")
    return _Rewriting(source).result()


class _Rewriting:
    """One pass over the tags of a page; `parts` is the new HTML up to `position` of the old."""

    def __init__(self, source: str):
        self.source = source
        self.parts: list[str] = []
        self.position = 0
        self.script: re.Match[str] | None = None  # the opening tag of the script we are in
        self.is_link = False  # whether we are in a link
        self.noscript = -1  # number of parts before the content of an open <noscript>

    def result(self) -> str:
        for tag in _TAG.finditer(self.source):
            opening = tag[0]
            if opening == "</a>":
                # The end of an anchor, which is none.
                if not self.is_link:
                    continue
                place, mark = tag.end(), LINK_END
                self.is_link = False
            elif opening.startswith("<a"):
                place, mark = tag.start(), LINK
                self.is_link = True
            elif opening[1] == "h":
                place = self.source.find(">", tag.end()) + 1
                mark = TITLE if opening == "<h1" else HEADING
            else:
                self._element(tag, opening.strip("</").lower(), is_closing=opening[1] == "/")
                continue

            # In the text of a script they are no elements, and what follows one may be cut off.
            if self.script is None and place:
                self.parts.append(self.source[self.position : place])
                self.parts.append(mark)
                self.position = place
        return "".join(self.parts) + self.source[self.position :]

    def _element(self, tag: re.Match[str], name: str, is_closing: bool) -> None:
        if name in ("script", "style"):
            self._script(tag, name, is_closing)
        elif self.script is not None:
            return
        elif name == "noscript":
            self._noscript(tag, is_closing)
        elif name == "label":
            # Fields stood between the labels of a row.
            self._replace(tag, "</span" if is_closing else f" <span {LABEL}")
        elif name.startswith("fig"):
            self._replace(tag, "</div" if is_closing else "<div")
        else:
            self._replace(tag, '<blockquote class="quoted-post')

    def _replace(self, tag: re.Match[str], beginning: str) -> None:
        self.parts += [self.source[self.position : tag.start()], beginning]
        self.position = tag.end()

    def _script(self, tag: re.Match[str], name: str, is_closing: bool) -> None:
        """Leave out what is between the tags of a script, unless it may tell of formulas."""
        if not is_closing:
            # Inside a script it is part of a text that the script writes.
            self.script = self.script or tag
            return
        if self.script is None or self.script[0][1:].lower() != name:
            return

        start = self.source.find(">", self.script.end()) + 1
        opening = self.source[self.script.start() : start]
        if start <= tag.start() and _may_go(opening, self.source[start : tag.start()]):
            self.parts.append(self.source[self.position : start])
            self.position = tag.start()
        self.script = None

    def _noscript(self, tag: re.Match[str], is_closing: bool) -> None:
        """Leave out the tag, and at the closing one what is between the two."""
        end = self.source.find(">", tag.end()) + 1
        if not end:
            return
        self.parts.append(self.source[self.position : tag.start()])
        self.position = end
        if not is_closing:
            self.noscript = len(self.parts)
            return
        if self.noscript >= 0 and _is_closed("".join(self.parts[self.noscript :])):
            del self.parts[self.noscript :]
        self.noscript = -1


def _may_go(opening: str, content: str) -> bool:
    """Whether a script can be left out."""
    if "math/" in opening:
        return False
    if not content:
        return True
    is_plain = not any(mark in content for mark in _COMMENT_MARKS)
    return is_plain and not any(name.search(content) for name in _TYPESETTERS)


def _is_closed(content: str) -> bool:
    """Whether a closing tag after `content` belongs to the opening one before it."""
    return len(content) <= _LONGEST_NOSCRIPT and not any(end in content for end in _NEVER_INSIDE)
