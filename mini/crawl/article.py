"""What a page says, before any site wraps it: a title and blocks of text, and their HTML."""

import random
import re
from dataclasses import dataclass, field, replace
from html import escape
from typing import NamedTuple

from mini.crawl.math_markup import count_formulas, to_html
from mini.crawl.phrases import phrases
from mini.templates.slots import fill


class Part(NamedTuple):
    """A block. Kinds: heading, paragraph, formula, code, item, row (cells split by ` | `), byline, html (as is)."""

    kind: str
    text: str


BYLINE_TAG = '<div class="meta">'
"""What opens a byline; the theme of a forum finds its posts by it."""

_WRAPS = {
    "heading": ("<h2>", "</h2>"),
    "paragraph": ("<p>", "</p>"),
    "formula": ('<div class="eq">', "</div>"),
    "code": ("<pre><code>", "</code></pre>"),
    "item": ("<li>", "</li>"),
    "row": ("<tr><td>", "</td></tr>"),
    "byline": (BYLINE_TAG, "</div>"),
}
_GROUPS = {"item": "ul", "row": "table"}
_WORD = re.compile(r"[\u4e00-\u9fff]|\w+")  # a Chinese character, or a word of letters

# Small changes that editors of copies make.
_SWAPPED_IN = ("really", "maybe", "again", "often")


@dataclass(frozen=True)
class Article:
    """Content of a page. Where `mathematics` is true, `$...$` spans are formulas; elsewhere a dollar is a dollar."""

    title: str
    parts: list[Part] = field(default_factory=list)
    language: str = "en"
    mathematics: bool = False

    def html(self, carrier: str) -> str:
        """The blocks as HTML, formulas written by `carrier`; neighbouring items and rows share one list or table."""
        lines = [f"<h1>{self._inline(self.title, carrier)}</h1>"]
        open_group: str | None = None

        for part in self.parts:
            group = _GROUPS.get(part.kind)
            if group != open_group:
                if open_group:
                    lines.append(f"</{open_group}>")
                if group:
                    lines.append(f"<{group}>")
                open_group = group
            lines.append(self._block(part, carrier))

        if open_group:
            lines.append(f"</{open_group}>")
        return "\n".join(lines)

    def formulas(self) -> int:
        """How many formulas a reader sees in the blocks."""
        if not self.mathematics:
            return 0
        counts = [count_formulas(part.text) for part in self.parts]
        return sum(counts)

    def words(self) -> int:
        """Length in words, a Chinese character counting as one."""
        count = 0
        for part in self.parts:
            count += len(_WORD.findall(part.text))
        return count

    def _block(self, part: Part, carrier: str) -> str:
        if part.kind == "html":
            return part.text

        start, end = _WRAPS[part.kind]
        if part.kind == "code":
            return start + escape(part.text, quote=False) + end

        inner = self._inline(part.text, carrier)
        if part.kind == "row":
            inner = inner.replace(" | ", "</td><td>")
        return start + inner.replace("\n", "<br>\n") + end

    def _inline(self, text: str, carrier: str) -> str:
        if self.mathematics:
            return to_html(text, carrier)
        return escape(text, quote=False)


def near_copy(article: Article, rng: random.Random) -> Article:
    """The same article with the small differences that copies on the web have; formulas stay as they are."""
    parts = list(article.parts)
    at = rng.randrange(len(parts))
    kind, text = parts[at]
    if kind == "paragraph":
        # In a text with formulas a swapped word might be part of one.
        changed = text.replace(". ", "! ", 1) if "$" in text else _swap_word(text, rng)
        parts[at] = Part(kind, changed)

    words = phrases(article.language)
    # A note at the beginning or at the end.
    place = rng.choice((0, len(parts)))
    template = rng.choice(words.copy_notes)
    note = fill(template, day=rng.randint(2, 28))
    parts.insert(place, Part("paragraph", note))

    suffix = rng.choice(words.copy_suffixes)
    return replace(article, title=article.title + suffix, parts=parts)


def _swap_word(text: str, rng: random.Random) -> str:
    """`text` with one of its longer English words replaced, if it has any."""
    words = text.split(" ")
    places = []
    for i, word in enumerate(words):
        is_english = word.isalpha() and word.isascii()
        if is_english and len(word) > 3:
            places.append(i)
    if not places:
        return text

    replacement = rng.choice(_SWAPPED_IN)
    at = rng.choice(places)
    words[at] = replacement
    return " ".join(words)
