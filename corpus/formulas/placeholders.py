"""The formulas of one page: canonical TeX behind placeholders while the page's text is being made.

A formula found in the markup leaves a placeholder, a number between two private-use characters, and
comes back when the text is finished, so that nothing in between can touch its TeX (no white space
collapsed, nothing escaped).
"""

import re
from collections import Counter
from dataclasses import dataclass, field

from corpus.formulas.lone_characters import OUR_MARKS, unmarked

OPEN, CLOSE = "\uf5f1", "\uf5f3"  # private use; rare low bytes make the search for them fast
PLACEHOLDER = re.compile(f"{OPEN}(\\d+){CLOSE}")
_OUR_CHARACTERS = OPEN + CLOSE + OUR_MARKS
_WITHOUT_OURS = str.maketrans("", "", _OUR_CHARACTERS)

_CODE = "code"  # kind of a placeholder that is no formula

_STYLED_GROUP = re.compile(r"\{\s*\\(?:displaystyle|textstyle)\b\s*(.*)\}", re.DOTALL)
_LEADING_STYLE = re.compile(r"\\(?:displaystyle|textstyle)(?![A-Za-z])\s*")
_BLANK_LINES = re.compile(r"\n\s*\n\s*")
# A group with groups inside it, three levels deep, as macros are defined with.
_GROUP = r"\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}"
_DEFINITION = re.compile(
    r"\s*(?:\\(?:re)?newcommand\*?\s*(?:\{\s*\\\w+\s*\}|\\\w+)\s*(?:\[[^\]]*\]\s*){0,2}GROUP"
    r"|\\providecommand\*?\s*(?:\{\s*\\\w+\s*\}|\\\w+)\s*(?:\[[^\]]*\]\s*){0,2}GROUP"
    r"|\\DeclareMathOperator\*?\s*(?:\{\s*\\\w+\s*\}|\\\w+)\s*GROUP"
    r"|\\[gex]?def\s*\\\w+[#\d]*\s*GROUP|\\let\s*\\\w+\s*=?\s*\\\w+|\\require\s*\{\w+\})".replace(
        "GROUP", _GROUP
    )
)
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)  # or an escaped character, which may be a brace


@dataclass(frozen=True, slots=True)
class _Delimiters:
    """A pair of delimiters around a whole formula, and whether they make it a display."""

    pattern: re.Pattern[str]
    display: bool


_DELIMITERS = (
    _Delimiters(re.compile(r"\\\[(.*)\\\]", re.DOTALL), display=True),
    _Delimiters(re.compile(r"\\\((.*)\\\)", re.DOTALL), display=False),
    _Delimiters(re.compile(r"\$\$(.*)\$\$", re.DOTALL), display=True),
    _Delimiters(re.compile(r"\$((?:\\.|[^$\\])*)\$", re.DOTALL), display=False),
)


@dataclass(slots=True)
class Entry:
    """What a placeholder stands for: a formula (TeX without delimiters) or code (ready text)."""

    text: str
    kind: str  # of markup, or "code"
    display: bool = False

    @property
    def is_formula(self) -> bool:
        return self.kind != _CODE

    @property
    def is_block(self) -> bool:
        """Whether it gets lines of its own."""
        return self.display or (self.kind == _CODE and "\n" in self.text)

    def written(self) -> str:
        """As it appears in the finished text."""
        if self.kind == _CODE:
            return self.text
        return f"$${self.text}$$" if self.display else f"${self.text}$"


@dataclass(slots=True)
class Store:
    """Placeholders of one page, in the order they were made."""

    entries: list[Entry] = field(default_factory=list)
    left_out: int = 0  # formulas of which only drawn boxes were left, with no source

    def add(self, tex: str, kind: str, display: bool) -> str:
        """A placeholder for this formula.

        "" when nothing is left of it without its delimiters, or nothing is shown: definitions of
        macros.
        """
        tex, display = canonical_tex(unmarked(tex), display)
        if tex.startswith("\\") and only_defines(tex):
            return ""
        return self._put(Entry(tex, kind, display)) if tex else ""

    def add_code(self, text: str) -> str:
        """A placeholder for this piece of code, which carries its own fences."""
        return self._put(Entry(unmarked(text), _CODE))

    def _put(self, entry: Entry) -> str:
        self.entries.append(entry)
        return f"{OPEN}{len(self.entries) - 1}{CLOSE}"

    def formulas(self) -> int:
        """Formulas that were found so far."""
        return sum(entry.is_formula for entry in self.entries)

    def count_in(self, text: str) -> int:
        """Formulas whose placeholder is in `text`."""
        numbers = PLACEHOLDER.findall(text)
        return sum(self.entries[int(number)].is_formula for number in numbers)

    def bare(self, tex: str) -> str:
        """`tex` with the placeholders inside it replaced, without delimiters."""
        return PLACEHOLDER.sub(lambda match: self.entries[int(match[1])].text, tex)

    def restore(self, text: str) -> tuple[str, Counter[str]]:
        """The finished text, and how many formulas of each kind are in it.

        Display formulas and code blocks get lines of their own.
        """
        kinds: Counter[str] = Counter()
        parts: list[str] = []
        position = 0
        for match in PLACEHOLDER.finditer(text):
            entry = self.entries[int(match[1])]
            if entry.is_formula:
                kinds[entry.kind] += 1

            before = text[position : match.start()]
            position = match.end()
            if not entry.is_block:
                parts += [before, entry.written()]
                continue

            # A line end before it, unless the text or the line begins here.
            before = before.rstrip(" \t")
            at_start = not before.strip() and (not parts or parts[-1].endswith("\n"))
            if not at_start and not before.endswith("\n"):
                before += "\n"
            parts += [before, entry.written()]

            # A line end after it, unless there is one already or the text ends here.
            if not text.startswith("\n", position):
                rest = text[position:].lstrip(" \t")
                position = len(text) - len(rest)
                if rest and not rest.startswith("\n"):
                    parts.append("\n")
        return "".join(parts) + text[position:], kinds


def without_placeholders(html: str) -> str:
    """Remove our private-use characters where a page has them itself (icon fonts)."""
    if any(character in html for character in _OUR_CHARACTERS):
        return html.translate(_WITHOUT_OURS)
    return html


def canonical_tex(tex: str, display: bool) -> tuple[str, bool]:
    """TeX without outer delimiters, an outer displaystyle group, and blank lines.

    (A blank line ends a formula in TeX.) Returns the TeX and whether it is a display formula, which
    its delimiters may decide.
    """
    tex = _stripped(tex)
    # One pair only: what is inside the outer delimiters is TeX.
    for delimiters in _DELIMITERS:
        match = delimiters.pattern.fullmatch(tex)
        if match and not _closes_inside(match[1]):
            tex, display = _stripped(match[1]), delimiters.display
            break

    # Wikipedia writes {\displaystyle ...} around every formula.
    group = _STYLED_GROUP.fullmatch(tex)
    if group and _is_balanced(group[1]):
        tex = _stripped(group[1])
    elif style := _LEADING_STYLE.match(tex):
        tex = tex[style.end() :]
    return _BLANK_LINES.sub("\n", tex), display


def _stripped(tex: str) -> str:
    """Without white space around it, except the blank of a control space (`\\ `) at the end."""
    stripped = tex.strip()
    backslashes = len(stripped) - len(stripped.rstrip("\\"))
    # An odd one is half of a command: without its blank it would escape the closing delimiter.
    return stripped + " " if backslashes % 2 else stripped


def _closes_inside(tex: str) -> bool:
    """Whether a closing delimiter is inside: then these are several formulas, not one."""
    return "\\]" in tex[:-2] or "\\)" in tex or "$$" in tex


def only_defines(tex: str) -> bool:
    """Whether TeX defines macros and shows nothing."""
    position = 0
    while definition := _DEFINITION.match(tex, position):
        position = definition.end()
    return position > 0 and not tex[position:].strip()


def _is_balanced(tex: str) -> bool:
    """Whether every brace closes a group that `tex` itself opens, and none is left open."""
    depth = 0
    for match in _BRACE.finditer(tex):
        if match[0] == "{":
            depth += 1
        elif match[0] == "}":
            depth -= 1
            if depth < 0:
                return False
    return depth == 0
