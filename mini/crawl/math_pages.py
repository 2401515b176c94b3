"""Articles that are mathematics: lecture notes, questions and answers, forum threads, research abstracts.

All but the abstracts are built around the blocks of `mini.text.mathematics`: worked examples with step equations.
"""

import random

from mini.crawl.article import Article, Part
from mini.crawl.other_pages import byline
from mini.crawl.subjects.math import (
    ANSWER_LEADS,
    CHAT_EN,
    CHAT_ZH,
    LECTURES,
    QUESTION_LEADS,
    QUESTIONS,
    RESEARCH,
)
from mini.crawl.subjects.remarks import remark
from mini.text.grammar import fill, headline, paragraph
from mini.text.mathematics import Block, math_paragraphs, worked_example

_LABELS = {
    "en": {"example": "Example. ", "solution": "Solution. ", "exercise": "Exercise. "},
    "zh": {"example": "例题：", "solution": "解：", "exercise": "练习："},
}


def article(rng: random.Random, subject: str, language: str) -> Article:
    """A mathematical article; `subject` is lecture, qa, chat or research."""
    return _MAKERS[subject](rng, language)


def _lecture(rng: random.Random, language: str) -> Article:
    blocks = math_paragraphs(rng, language, rng.randint(9, 18))
    title = _title(rng, LECTURES[language], blocks[0].text)
    return Article(
        title, _with_remarks(rng, _parts(blocks[1:], language), language), language, True
    )


def long_lecture(rng: random.Random, language: str) -> Article:
    """A page of several thousand words, for leaks that hide in its middle."""
    parts: list[Part] = []
    for _ in range(6):
        parts += _with_remarks(rng, _parts(math_paragraphs(rng, language, 14), language), language)
    title = _title(rng, LECTURES[language], parts[0][1])
    return Article(title, parts, language, True)


def _question(rng: random.Random, language: str) -> Article:
    blocks = math_paragraphs(rng, language, rng.randint(4, 8))
    title = _title(rng, QUESTIONS[language], blocks[0].text)
    parts: list[Part] = [("paragraph", rng.choice(QUESTION_LEADS[language]))]
    for answer in range(rng.randint(2, 3)):
        example, solution = worked_example(rng, language)
        parts += [("paragraph", example.text), byline(rng, answer + 1, language)]
        lead = (rng.choice(ANSWER_LEADS[language]), remark(rng, language, 1))
        parts += [("paragraph", "\n".join(lead)), ("paragraph", solution.text)]
    return Article(
        title, parts + _with_remarks(rng, _parts(blocks[1:], language), language), language, True
    )


def _chat(rng: random.Random, language: str) -> Article:
    """A forum thread: chatter in between worked problems, fewer formulas than in lecture notes."""
    vertical, joiner = (CHAT_ZH, "") if language == "zh" else (CHAT_EN, " ")
    parts: list[Part] = []
    for number in range(1, rng.randint(5, 9)):
        parts += [
            byline(rng, number, language),
            ("paragraph", paragraph(rng, vertical, rng.randint(1, 3), joiner)),
        ]
        if rng.random() < 0.75:
            example, solution = worked_example(rng, language)
            chosen = (example, solution) if number % 2 else (solution,)
            parts += [("paragraph", block.text) for block in chosen]
        if rng.random() < 0.4:
            parts.append(("paragraph", remark(rng, language, rng.randint(1, 2))))
    return Article(headline(rng, vertical), parts, language, True)


def _research(rng: random.Random, language: str) -> Article:
    title = headline(rng, RESEARCH)
    parts: list[Part] = [
        ("byline", fill(rng, "{name} {last}, {name} {last} ({month} {year})", RESEARCH.words))
    ]
    for heading in rng.sample(RESEARCH.headings, rng.randint(1, 3)):
        parts += [("heading", heading), ("paragraph", paragraph(rng, RESEARCH, rng.randint(6, 9)))]
    return Article(title, parts, language, True)


_MAKERS = {"lecture": _lecture, "qa": _question, "chat": _chat, "research": _research}


def _with_remarks(rng: random.Random, parts: list[Part], language: str) -> list[Part]:
    """`parts` with a remark behind every fifth one or so."""
    out: list[Part] = []
    for part in parts:
        out.append(part)
        if part[0] == "paragraph" and rng.random() < 0.22:
            out.append(("paragraph", remark(rng, language, rng.randint(1, 2))))
    return out


def _title(rng: random.Random, templates: tuple[str, ...], title: str) -> str:
    return rng.choice(templates).format(
        title=title, n=rng.randint(1, 40), k=rng.randint(1000, 99999)
    )


def _parts(blocks: list[Block], language: str) -> list[Part]:
    labels = _LABELS[language]
    kinds = {"heading": "heading", "formula": "formula"}
    return [
        (kinds.get(block.kind, "paragraph"), labels.get(block.kind, "") + block.text)
        for block in blocks
    ]
