"""The lines of a page's text, with what the markup said about each: links, headings, list items.

Read from text that carries the marks of `corpus.html.repair`.
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
_BUTTON = 30  # letters of a link such as "Read more"


@dataclass(slots=True)
class Line:
    """One line that is not blank."""

    number: int  # among all lines of the text
    text: str  # without marks and bullet
    length: int  # in letters; an East Asian character counts as three
    links: float  # share of the characters that are links
    prose: int  # its length if it is prose, else 0
    is_heading: bool
    is_title: bool  # an h1
    is_item: bool  # of a list
    is_protected: bool  # it holds a formula or code
    keep: bool = True

    @property
    def is_only_links(self) -> bool:
        return self.links >= _ONLY_LINKS

    @property
    def is_sentence(self) -> bool:
        """Whether it is prose, or a short sentence."""
        return self.prose > 0 or (self.text[-1] in _ENDS_SENTENCE and " " in self.text)

    @property
    def is_button(self) -> bool:
        """Whether it is a short link like "Read more"."""
        return self.is_only_links and self.length <= _BUTTON and not self.is_heading


def read_lines(marked_text: str, text: str, may_hold_tex: bool) -> list[Line]:
    """The lines of a text that are not blank.

    Args:
        marked_text: with the marks of links and headings.
        text: the same without marks.
        may_hold_tex: whether formulas may stand in the text with delimiters.
    """
    if LINK in marked_text:
        marked_text = _LINKED.sub(_within_lines, marked_text)
    lines: list[Line] = []
    both = zip(text.split("\n"), marked_text.split("\n"), strict=True)
    for number, (plain, marked) in enumerate(both):
        plain = plain.strip()
        if plain and (line := _read_line(number, plain, marked, may_hold_tex)):
            lines.append(line)
    return lines


def _within_lines(link: re.Match[str]) -> str:
    """A link around several lines as a link in each."""
    return link[0].replace("\n", f"{LINK_END}\n{LINK}") if "\n" in link[1] else link[0]


def _read_line(number: int, text: str, marked: str, may_hold_tex: bool) -> Line | None:
    bullet = _BULLET.match(text)
    if bullet:
        text = text[bullet.end() :]
    if not text or text == "•":
        return None

    is_title = TITLE in marked
    is_heading = is_title or HEADING in marked
    length = len(text) if text.isascii() else _letters(text)
    links = _linked_characters(marked) / len(text) if LINK in marked else 0.0
    is_protected = OPEN in text or (may_hold_tex and has_strong_hint(text))
    prose = 0
    if is_protected:
        prose = max(length, _LONG)
    elif not is_heading and (links < _MOSTLY_LINKS or (1 - links) * length >= _LONG):
        is_prose = length >= _LONG or (length >= _SENTENCE and text[-1] in _ENDS_SENTENCE)
        prose = length if is_prose else 0
    return Line(
        number, text, length, links, prose, is_heading, is_title, bullet is not None, is_protected
    )


def _linked_characters(marked: str) -> int:
    return sum(len(unmarked(link).strip(" •")) for link in _LINKED.findall(marked))


def _letters(text: str) -> int:
    if max(text) < _EAST_ASIAN:
        return len(text)
    return len(text) + 2 * sum(character >= _EAST_ASIAN for character in text)
