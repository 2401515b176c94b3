"""Articles that are not mathematics: from subjects with their lists, tables, code and forum threads."""

import random

from mini.crawl.article import Article, Part
from mini.crawl.subjects.campus import SUBJECTS_CAMPUS
from mini.crawl.subjects.en import COMMON, SUBJECTS_EN
from mini.crawl.subjects.tech import SUBJECTS_TECH
from mini.crawl.subjects.zh import COMMON_ZH, SUBJECTS_ZH
from mini.text.grammar import Vertical, fill, headline, paragraph

SUBJECTS: dict[str, Vertical] = {**SUBJECTS_EN, **SUBJECTS_TECH, **SUBJECTS_ZH, **SUBJECTS_CAMPUS}

_CODE = (
    "def {verb}_{noun}({noun}, limit={k}):\n    total = 0\n    for item in {noun}:\n        total += item.size\n"
    "    return total <= limit",
    "from {module} import {verb}\n\n{noun} = {verb}('{noun}.cfg')\nprint(len({noun}))  # {m}",
    "with {module}.{verb}('{noun}_{n}') as {noun}:\n    if {noun}.count > {m}:\n        {noun}.close()",
    "$ {module} --{verb} {noun} --limit {k}\n{k} entries, {n} errors, done in {decimal} s",
    "class {module}:\n    {noun} = None\n\n    def {verb}(self, x, y={n}):\n        self.{noun} = x * y + {m}",
)


def article(rng: random.Random, subject: str) -> Article:
    """An article of 120 to 350 words (or as many Chinese characters) on one subject."""
    vertical = SUBJECTS[subject]
    chinese = subject.endswith("_zh")
    if subject == "computers":
        return thread(rng, subject)
    parts: list[Part] = []
    for _ in range(rng.randint(3, 6) if chinese else rng.randint(2, 4)):
        parts += _section(rng, vertical, "" if chinese else " ", subject == "code")
    return Article(headline(rng, vertical), parts, "zh" if chinese else "en")


def _section(rng: random.Random, vertical: Vertical, joiner: str, code: bool) -> list[Part]:
    parts: list[Part] = []
    if rng.random() < 0.6:
        parts.append(("heading", fill(rng, rng.choice(vertical.headings), vertical.words)))
    parts.append(("paragraph", paragraph(rng, vertical, rng.randint(3, 6), joiner)))
    if code and rng.random() < 0.8:
        parts.append(("code", fill(rng, rng.choice(_CODE), vertical.words)))
    if vertical.rows and rng.random() < 0.5:
        row = rng.choice(vertical.rows)
        kind = "row" if " | " in row else "item"
        parts += [(kind, fill(rng, row, vertical.words)) for _ in range(rng.randint(3, 8))]
    return parts


def thread(rng: random.Random, subject: str) -> Article:
    """A forum thread: posts by several people on one subject."""
    vertical = SUBJECTS[subject]
    chinese = subject.endswith("_zh")
    parts: list[Part] = []
    for number in range(1, rng.randint(4, 8)):
        parts.append(byline(rng, number, "zh" if chinese else "en"))
        parts.append(
            ("paragraph", paragraph(rng, vertical, rng.randint(2, 4), "" if chinese else " "))
        )
    return Article(headline(rng, vertical), parts, "zh" if chinese else "en")


def byline(rng: random.Random, number: int, language: str) -> Part:
    """Who wrote post `number` of a thread, and when."""
    if language == "zh":
        return ("byline", fill(rng, f"{number}楼 {{name}} 发表于 {{day}}日 {{clock}}", COMMON_ZH))
    return (
        "byline",
        fill(rng, f"#{number} {{name}}_{{m}} wrote on {{month}} {{day}}, {{clock}}", COMMON),
    )
