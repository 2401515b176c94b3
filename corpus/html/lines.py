"""The lines of a page's text, with what the markup said about each: links, headings, list items.

Read from text that carries the marks of `corpus.html.link_marks`.
"""

import re
from dataclasses import dataclass

from corpus.formulas.inline_tex import has_strong_hint
from corpus.formulas.lone_characters import HEADING, LINK, LINK_END, TITLE, unmarked
from corpus.formulas.placeholders import OPEN

# No longer than the title of an article: a mark whose partner was left out must not reach far.
_LINKED = re.compile(f"{LINK}([^{LINK[0]}{LINK_END[0]}]{{0,400}}){LINK_END}")
_BULLET = re.compile(r"(?:•|\d{1,3}\.)\s+")
_ENDS_SENTENCE = frozenset(".!?:;…»”“’\"')。！？；：」』）")
_EAST_ASIAN = "\u2e80"  # a character above says about as much as three letters

_LONG = 100  # letters of a line that is prose in any case
_SENTENCE = 50  # letters of a line that is prose if it ends like a sentence
_MOSTLY_LINKS = 0.4  # share of a line's characters; more is no prose
_ONLY_LINKS = 0.6


@dataclass(slots=True)
class Line:
    """One line that is not blank."""

    number: int  # among all lines of the text
    text: str  # without marks and bullet
    length: int  # in letters; an East Asian character counts as three
    links: float  # share of the characters that are links
    is_heading: bool
    is_title: bool  # an h1
    is_item: bool  # of a list
    is_protected: bool  # it holds a formula or code
    keep: bool = True

    @property
    def is_only_links(self) -> bool:
        return self.links >= _ONLY_LINKS

    @property
    def prose(self) -> int:
        """Its length if it is prose, else 0."""
        if self.is_protected:
            return max(self.length, _LONG)
        is_linked = self.links >= _MOSTLY_LINKS and (1 - self.links) * self.length < _LONG
        if self.is_heading or is_linked:
            return 0
        is_prose = self.length >= _LONG or (self.length >= _SENTENCE and self.text[-1] in _ENDS_SENTENCE)
        return self.length if is_prose else 0


def read_lines(marked_text: str, may_hold_tex: bool) -> list[Line]:
    """The lines of a text that are not blank.

    Args:
        marked_text: with the marks of links and headings.
        may_hold_tex: whether formulas may stand in the text with delimiters.
    """
    if LINK in marked_text:
        marked_text = _LINKED.sub(_within_lines, marked_text)
    lines: list[Line] = []
    for number, marked_line in enumerate(marked_text.split("\n")):
        if marked_line and (line := _read_line(number, marked_line, may_hold_tex)):
            lines.append(line)
    return lines


def _within_lines(link: re.Match[str]) -> str:
    """A link around several lines as a link in each."""
    return link[0].replace("\n", f"{LINK_END}\n{LINK}") if "\n" in link[1] else link[0]


def _read_line(number: int, marked_line: str, may_hold_tex: bool) -> Line | None:
    text = unmarked(marked_line).strip()
    bullet = _BULLET.match(text)
    if bullet:
        text = text[bullet.end() :]
    if not text or text == "•":
        return None

    links = 0.0
    if LINK in marked_line:
        linked = sum(len(unmarked(link).strip(" •")) for link in _LINKED.findall(marked_line))
        links = linked / len(text)
    is_title = TITLE in marked_line
    return Line(
        number=number,
        text=text,
        length=_letters(text),
        links=links,
        is_heading=is_title or HEADING in marked_line,
        is_title=is_title,
        is_item=bullet is not None,
        is_protected=OPEN in text or (may_hold_tex and has_strong_hint(text)),
    )


def _letters(text: str) -> int:
    if text.isascii() or max(text) < _EAST_ASIAN:
        return len(text)
    return len(text) + 2 * sum(character >= _EAST_ASIAN for character in text)
