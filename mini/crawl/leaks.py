"""Plant a benchmark problem in a page, in the ways in which problems leak onto the web."""

import random
from collections.abc import Callable
from dataclasses import replace
from html import escape

from mini.crawl.article import Article, Part
from mini.crawl.math_pages import long_lecture
from mini.crawl.phrases import phrases
from mini.templates.slots import fill
from pipeline.artifacts.records import Problem

LEAKS = ("verbatim", "solution", "long_page", "markup", "upper_case")


def plant(
    article: Article,
    problem: Problem,
    kind: str,
    rng: random.Random,
    long_article: Callable[[random.Random, str], Article] = long_lecture,
) -> Article:
    """`article` with the question of `problem` in it; what a reader sees is the question, word for word.

    `upper_case` writes it in capitals, `markup` breaks it up with tags and character references, `long_page` hides
    it in the middle of a page of several thousand words.
    """
    text = _literal(problem.question)
    match kind:
        case "markup":
            marked_up = _marked_up(problem.question, rng)
            question = Part("html", f"<p>{marked_up}</p>")
        case "upper_case":
            question = Part("paragraph", text.upper())
        case _:
            question = Part("paragraph", text)

    words = phrases(article.language)
    template = words.leaked_solution if kind == "solution" else words.leaked_answer
    stated = fill(template, answer=_literal(problem.answer))
    answer = Part("paragraph", stated)

    host = long_article(rng, article.language) if kind == "long_page" else article
    middle = len(host.parts) // 2
    parts = list(host.parts)
    parts.insert(middle, question)
    parts.insert(middle + 1, answer)
    return replace(host, parts=parts)


def _literal(text: str) -> str:
    """`text` for a page with formulas, where a bare dollar sign would open one."""
    return text.replace("$", "\\$")


def _marked_up(text: str, rng: random.Random) -> str:
    """HTML that shows `text`: some characters in bold or as references, some spaces unbreakable."""
    pieces = []
    for char in text:
        draw = rng.random()
        if char == " " and draw < 0.2:
            pieces.append("&nbsp;")
        elif char.isdigit() and draw < 0.7:
            pieces.append(f"&#{ord(char)};")
        elif char.isalnum() and draw < 0.06:
            pieces.append(f"<b>{char}</b>")
        else:
            pieces.append(escape(char, quote=False))
    return "".join(pieces)
