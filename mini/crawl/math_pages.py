"""Articles that are mathematics: lecture notes, questions and answers, forum threads, research abstracts.

All but the abstracts are built around the blocks of `mini.text.mathematics`: worked examples with step equations.
"""

import random
from functools import cache
from pathlib import Path

from mini.crawl.article import Article, Part
from mini.crawl.other_pages import byline
from mini.crawl.phrases import phrases
from mini.crawl.subject import subject
from mini.templates.data_files import Lines, data_class, read_data
from mini.templates.slots import expand, fill
from mini.text.mathematics import Block, math_paragraphs, worked_example

DATA_FILES = ("subjects/remarks.yaml",)

LONG_LECTURE_CHAPTERS = 6
"""Chapters of CHAPTER_BLOCKS blocks each: several thousand words in all."""
CHAPTER_BLOCKS = 14


def article(rng: random.Random, kind: str, language: str) -> Article:
    """A mathematical article; `kind` is lecture, qa, chat or research."""
    match kind:
        case "lecture":
            return _lecture(rng, language)
        case "qa":
            return _question(rng, language)
        case "chat":
            return _chat(rng, language)
        case "research":
            return _research(rng, language)
    raise ValueError(f"no kind of mathematical article is called {kind!r}")


def _lecture(rng: random.Random, language: str) -> Article:
    """Lecture notes on one topic."""
    length = rng.randint(9, 18)
    heading, *blocks = math_paragraphs(rng, language, length)

    templates = phrases(language).lecture_titles
    title = _title(rng, templates, heading.text)
    parts = _parts(rng, blocks, language)
    return Article(title, parts, language, mathematics=True)


def long_lecture(rng: random.Random, language: str) -> Article:
    """A page of several thousand words, for leaks that hide in its middle."""
    parts: list[Part] = []
    for _ in range(LONG_LECTURE_CHAPTERS):
        blocks = math_paragraphs(rng, language, CHAPTER_BLOCKS)
        parts += _parts(rng, blocks, language)

    # It is called by its first chapter.
    templates = phrases(language).lecture_titles
    title = _title(rng, templates, parts[0].text)
    return Article(title, parts, language, mathematics=True)


def _question(rng: random.Random, language: str) -> Article:
    """A question page: worked examples as answers, then some notes on the topic."""
    words = phrases(language)
    length = rng.randint(4, 8)
    heading, *blocks = math_paragraphs(rng, language, length)
    title = _title(rng, words.question_titles, heading.text)

    lead = rng.choice(words.question_leads)
    parts = [Part("paragraph", lead)]
    answers = rng.randint(2, 3)
    for number in range(1, answers + 1):
        example, solution = worked_example(rng, language)
        parts.append(Part("paragraph", example.text))
        parts.append(byline(rng, number, language))

        lead = rng.choice(words.answer_leads)
        remark = _remark(rng, language, 1)
        parts.append(Part("paragraph", f"{lead}\n{remark}"))
        parts.append(Part("paragraph", solution.text))

    parts += _parts(rng, blocks, language)
    return Article(title, parts, language, mathematics=True)


def _chat(rng: random.Random, language: str) -> Article:
    """A forum thread: chatter in between worked problems, fewer formulas than in lecture notes."""
    about = subject("chat_zh" if language == "zh" else "chat")

    parts: list[Part] = []
    for number in range(1, rng.randint(5, 9)):
        parts.append(byline(rng, number, language))
        sentences = rng.randint(1, 3)
        chatter = about.paragraph(rng, sentences)
        parts.append(Part("paragraph", chatter))

        if rng.random() < 0.75:
            example, solution = worked_example(rng, language)
            # Every second post only answers.
            if number % 2:
                parts.append(Part("paragraph", example.text))
            parts.append(Part("paragraph", solution.text))

        if rng.random() < 0.4:
            remark = _remark(rng, language, rng.randint(1, 2))
            parts.append(Part("paragraph", remark))

    title = about.title(rng)
    return Article(title, parts, language, mathematics=True)


def _research(rng: random.Random, language: str) -> Article:
    """An abstract in an archive: authors, then one to three sections."""
    about = subject("research")
    title = about.title(rng)

    authors = about.text(rng, about.byline)
    parts = [Part("byline", authors)]

    sections = rng.randint(1, 3)
    for heading in rng.sample(about.headings, sections):
        parts.append(Part("heading", heading))
        sentences = rng.randint(6, 9)
        text = about.paragraph(rng, sentences)
        parts.append(Part("paragraph", text))

    return Article(title, parts, language, mathematics=True)


def _title(rng: random.Random, templates: tuple[str, ...], topic: str) -> str:
    # Both numbers are drawn whether the template has them or not.
    template = rng.choice(templates)
    small = rng.randint(1, 40)
    large = rng.randint(1000, 99999)
    return fill(template, title=topic, n=small, k=large)


def _parts(rng: random.Random, blocks: list[Block], language: str) -> list[Part]:
    """Blocks of mathematical text as blocks of a page, with a remark behind every fifth paragraph or so."""
    labels = phrases(language).block_labels
    parts: list[Part] = []

    for block in blocks:
        label = labels.get(block.kind, "")
        text = label + block.text
        if block.kind in ("heading", "formula"):
            parts.append(Part(block.kind, text))
            continue

        parts.append(Part("paragraph", text))
        if rng.random() < 0.22:
            remark = _remark(rng, language, rng.randint(1, 2))
            parts.append(Part("paragraph", remark))

    return parts


# Remarks between the examples


@data_class
class Remarks:
    """Sentences in the language of mathematics, by language, and the names of quantities that fill them."""

    words: dict[str, tuple[str, ...]]
    sentences: dict[str, Lines]


@cache
def _remarks() -> Remarks:
    path = Path(__file__).parent / "subjects" / "remarks.yaml"
    return read_data(path, Remarks)


def _remark(rng: random.Random, language: str, count: int) -> str:
    """`count` different remarks as one paragraph, which keeps to one name for each quantity."""
    remarks = _remarks()
    # Lists of one word, and not values: choosing from a list draws, and the draws belong to the seed's bytes.
    words = {slot: (rng.choice(choices),) for slot, choices in remarks.words.items()}

    sentences = []
    for template in rng.sample(remarks.sentences[language], count):
        sentences.append(expand(rng, template, words))

    joiner = "" if language == "zh" else " "
    return joiner.join(sentences)
