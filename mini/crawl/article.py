"""What a page says, before any site wraps it: a title and blocks of text, and their HTML."""

import random
import re
from dataclasses import dataclass, field, replace
from html import escape

from mini.crawl.math_markup import count_formulas, to_html

Part = tuple[str, str]
"""(kind, text). Kinds: heading, paragraph, formula, code, item, row (cells split by ` | `), byline, html (as is)."""

_WRAPS = {
    "heading": "<h2>{}</h2>",
    "paragraph": "<p>{}</p>",
    "formula": '<div class="eq">{}</div>',
    "code": "<pre><code>{}</code></pre>",
    "item": "<li>{}</li>",
    "row": "<tr><td>{}</td></tr>",
    "byline": '<div class="meta">{}</div>',
}
_WORD = re.compile(r"[\u4e00-\u9fff]|\w+")
_GROUPS = {"item": "ul", "row": "table"}


@dataclass(frozen=True)
class Article:
    """Content of a page. Where `mathematics` is true, `$...$` spans are formulas; elsewhere a dollar is a dollar."""

    title: str
    parts: list[Part] = field(default_factory=list)
    language: str = "en"
    mathematics: bool = False

    def html(self, carrier: str) -> str:
        """The blocks as HTML, formulas written by `carrier`; neighbouring items and rows share one list or table."""
        out, group = [f"<h1>{self._inline(self.title, carrier)}</h1>"], None
        for kind, text in self.parts:
            wanted = _GROUPS.get(kind)
            if wanted != group:
                out += [f"</{group}>"] if group else []
                out += [f"<{wanted}>"] if wanted else []
                group = wanted
            out.append(text if kind == "html" else self._block(kind, text, carrier))
        return "\n".join(out + ([f"</{group}>"] if group else []))

    def formulas(self) -> int:
        return sum(count_formulas(text) for _, text in self.parts) if self.mathematics else 0

    def words(self) -> int:
        """Length in words, a Chinese character counting as one."""
        return sum(len(_WORD.findall(text)) for _, text in self.parts)

    def _block(self, kind: str, text: str, carrier: str) -> str:
        inner = escape(text, quote=False) if kind == "code" else self._inline(text, carrier)
        if kind == "row":
            inner = inner.replace(" | ", "</td><td>")
        return _WRAPS[kind].format(inner if kind == "code" else inner.replace("\n", "<br>\n"))

    def _inline(self, text: str, carrier: str) -> str:
        return to_html(text, carrier) if self.mathematics else escape(text, quote=False)


def near_copy(article: Article, rng: random.Random) -> Article:
    """The same article with the small differences that copies on the web have; formulas stay as they are."""
    parts = list(article.parts)
    at = rng.randrange(len(parts))
    kind, text = parts[at]
    if kind == "paragraph":
        parts[at] = (kind, text.replace(". ", "! ", 1) if "$" in text else _swap_word(text, rng))
    chinese = article.language == "zh"
    notes = _NOTES_ZH if chinese else _NOTES_EN
    parts.insert(
        rng.choice((0, len(parts))), ("paragraph", rng.choice(notes).format(day=rng.randint(2, 28)))
    )
    title = article.title + rng.choice(
        ("（转载）", "（二）") if chinese else (" (copy)", " [updated]", "")
    )
    return replace(article, title=title, parts=parts)


def _swap_word(text: str, rng: random.Random) -> str:
    words = text.split(" ")
    places = [
        i for i, word in enumerate(words) if word.isalpha() and word.isascii() and len(word) > 3
    ]
    if places:
        words[rng.choice(places)] = rng.choice(("really", "maybe", "again", "often"))
    return " ".join(words)


_NOTES_EN = ("Updated on the {day}th.", "Posted again by request.", "Archived copy, version {day}.")
_NOTES_ZH = ("更新于{day}日。", "应网友要求再次发布。", "存档第{day}版。")
