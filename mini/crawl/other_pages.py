"""Articles that are not mathematics: from subjects with their lists, tables, code and forum threads."""

import random

from mini.crawl.article import Article, Part
from mini.crawl.phrases import phrases
from mini.crawl.subject import Subject, common_words, subject
from mini.templates.slots import expand


def article(rng: random.Random, name: str) -> Article:
    """An article of 120 to 350 words (or as many Chinese characters) on the subject called `name`."""
    about = subject(name)
    if about.form == "thread":
        return _thread(rng, about)

    # A Chinese sentence is shorter, so there are more sections.
    fewest, most = (3, 6) if about.language == "zh" else (2, 4)
    parts: list[Part] = []
    for _ in range(rng.randint(fewest, most)):
        parts += _section(rng, about)

    title = about.title(rng)
    return Article(title, parts, about.language)


def _section(rng: random.Random, about: Subject) -> list[Part]:
    """A paragraph, often with a heading before it and a listing, list or table after it."""
    parts: list[Part] = []
    if rng.random() < 0.6:
        heading = about.text(rng, rng.choice(about.headings))
        parts.append(Part("heading", heading))

    sentences = rng.randint(3, 6)
    paragraph = about.paragraph(rng, sentences)
    parts.append(Part("paragraph", paragraph))

    # Nothing is drawn for subjects without listings or rows.
    if about.listings and rng.random() < 0.8:
        listing = about.text(rng, rng.choice(about.listings))
        parts.append(Part("code", listing))

    if about.rows and rng.random() < 0.5:
        # One list or table has lines of one form.
        template = rng.choice(about.rows)
        kind = "row" if " | " in template else "item"
        for _ in range(rng.randint(3, 8)):
            row = about.text(rng, template)
            parts.append(Part(kind, row))

    return parts


def _thread(rng: random.Random, about: Subject) -> Article:
    """A forum thread: posts by several people on one subject."""
    parts: list[Part] = []
    for number in range(1, rng.randint(4, 8)):
        parts.append(byline(rng, number, about.language))

        sentences = rng.randint(2, 4)
        post = about.paragraph(rng, sentences)
        parts.append(Part("paragraph", post))

    title = about.title(rng)
    return Article(title, parts, about.language)


def byline(rng: random.Random, number: int, language: str) -> Part:
    """Who wrote post `number` of a thread, and when."""
    template = phrases(language).byline
    words = common_words()[language]
    text = expand(rng, template, words, number=number)
    return Part("byline", text)
