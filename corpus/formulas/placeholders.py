"""The formulas of one page: canonical TeX behind placeholders while the page's text is being made.

A formula found in the markup leaves a placeholder, a number between two private-use characters, and comes back when
the text is finished, so that nothing in between can touch its TeX (no white space collapsed, nothing escaped).
"""

import re
from collections import Counter
from dataclasses import dataclass, field

from corpus.formulas.lone_characters import MARK, unmarked

OPEN, CLOSE = "\uf5f1", "\uf5f3"  # private use; rare low bytes make the search for them fast
PLACEHOLDER = re.compile(f"{OPEN}(\\d+){CLOSE}")
_STRAY = str.maketrans("", "", OPEN + CLOSE + MARK)
_DISPLAYSTYLE = re.compile(r"\{\s*\\(?:displaystyle|textstyle)\b\s*(.*)\}", re.DOTALL)
_LEADING_STYLE = re.compile(r"\\(?:displaystyle|textstyle)(?![A-Za-z])\s*")
_WRAPPED = (
    (re.compile(r"\\\[(.*)\\\]", re.DOTALL), True),
    (re.compile(r"\\\((.*)\\\)", re.DOTALL), False),
    (re.compile(r"\$\$(.*)\$\$", re.DOTALL), True),
    (re.compile(r"\$((?:\\.|[^$\\])*)\$", re.DOTALL), False),
)
_BLANK_LINES = re.compile(r"\n\s*\n\s*")


@dataclass(slots=True)
class Entry:
    """What a placeholder stands for: a formula (TeX without delimiters) or a piece of code (ready text)."""

    text: str
    kind: str  # of markup, or "code"
    display: bool = False


@dataclass(slots=True)
class Store:
    """Placeholders of one page, in the order they were made."""

    entries: list[Entry] = field(default_factory=list)

    def add(self, tex: str, kind: str, display: bool) -> str:
        """A placeholder for this formula; "" when nothing is left of it without its delimiters."""
        tex, display = canonical_tex(unmarked(tex), display)
        return self._put(Entry(tex, kind, display)) if tex else ""

    def add_code(self, text: str) -> str:
        return self._put(Entry(unmarked(text), "code"))

    def formulas(self) -> int:
        return sum(entry.kind != "code" for entry in self.entries)

    def _put(self, entry: Entry) -> str:
        self.entries.append(entry)
        return f"{OPEN}{len(self.entries) - 1}{CLOSE}"

    def count_in(self, text: str) -> int:
        """Formulas whose placeholder stands in `text`."""
        return sum(self.entries[int(n)].kind != "code" for n in PLACEHOLDER.findall(text))

    def bare(self, tex: str) -> str:
        """`tex` with the placeholders inside it replaced by what they stand for, without delimiters."""
        return PLACEHOLDER.sub(lambda match: self.entries[int(match[1])].text, tex)

    def restore(self, text: str) -> tuple[str, Counter]:
        """The finished text, and how many formulas of each kind stand in it.

        Display formulas and code blocks get lines of their own.
        """
        kinds: Counter = Counter()
        parts, position = [], 0
        for match in PLACEHOLDER.finditer(text):
            entry = self.entries[int(match[1])]
            before, position = text[position : match.start()], match.end()
            block = entry.display or (entry.kind == "code" and "\n" in entry.text)
            if entry.kind != "code":
                kinds[entry.kind] += 1
            if block:
                before = before.rstrip(" \t")
                at_start = not before.strip() and (not parts or parts[-1].endswith("\n"))
                before += "" if before.endswith("\n") or at_start else "\n"
            parts += [before, _written(entry)]
            if block and not text.startswith("\n", position):
                rest = text[position:].lstrip(" \t")
                position = len(text) - len(rest)
                parts.append("\n" if rest and not rest.startswith("\n") else "")
        return "".join(parts) + text[position:], kinds


def _written(entry: Entry) -> str:
    if entry.kind == "code":
        return entry.text
    return f"$${entry.text}$$" if entry.display else f"${entry.text}$"


def without_placeholders(html: str) -> str:
    """Remove our private-use characters where a page has them itself (icon fonts)."""
    return html.translate(_STRAY) if OPEN in html or CLOSE in html or MARK in html else html


def canonical_tex(tex: str, display: bool) -> tuple[str, bool]:
    """TeX without outer delimiters, one outer displaystyle group and blank lines (which end a formula in TeX)."""
    tex = tex.strip()
    for pattern, is_display in _WRAPPED:
        if (
            (match := pattern.fullmatch(tex))
            and "\\]" not in match[1][:-2]
            and not _closes_inside(match[1])
        ):
            tex, display = match[1].strip(), is_display
            break
    if (match := _DISPLAYSTYLE.fullmatch(tex)) and _balanced(match[1]):
        tex = match[1].strip()
    elif match := _LEADING_STYLE.match(tex):
        tex = tex[match.end() :]
    return _BLANK_LINES.sub("\n", tex), display


def _closes_inside(tex: str) -> bool:
    return "\\)" in tex or "$$" in tex


def _balanced(tex: str) -> bool:
    """Whether no brace closes a group that was opened before `tex` begins."""
    depth = 0
    for match in re.finditer(r"\\.|[{}]", tex, re.DOTALL):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if depth < 0:
            return False
    return depth == 0
