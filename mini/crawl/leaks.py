"""Plant a benchmark problem in a page, in the ways in which problems leak onto the web."""

import random
from dataclasses import replace
from html import escape

from mini.crawl.article import Article, Part
from mini.crawl.math_pages import long_lecture
from pipeline.artifacts.records import Problem

LEAKS = ("verbatim", "solution", "long_page", "markup", "upper_case")

_ANSWER = {"en": "The answer is {}.", "zh": "答案是{}。"}
_SOLVED = {
    "en": "Solution. Write down what is given, compute one step after another, and you obtain {}.",
    "zh": "解：根据题意列式，逐步计算，最后得到{}。",
}


def plant(article: Article, problem: Problem, kind: str, rng: random.Random) -> Article:
    """`article` with the question of `problem` in it; what a reader sees is the question, word for word.

    `upper_case` writes it in capitals, `markup` breaks it up with tags and character references, `long_page` hides
    it in the middle of a page of several thousand words.
    """
    question = problem.question.replace("$", "\\$")
    answer = _SOLVED if kind == "solution" else _ANSWER
    last: Part = ("paragraph", answer[article.language].format(problem.answer.replace("$", "\\$")))
    if kind == "markup":
        first: Part = ("html", f"<p>{_marked_up(problem.question, rng)}</p>")
    else:
        first = ("paragraph", question.upper() if kind == "upper_case" else question)
    if kind == "long_page":
        article = long_lecture(rng, article.language)
    middle = len(article.parts) // 2
    return replace(article, parts=[*article.parts[:middle], first, last, *article.parts[middle:]])


def _marked_up(text: str, rng: random.Random) -> str:
    """HTML that shows `text`: some characters in bold or as references, some spaces unbreakable."""
    out = []
    for char in text:
        draw = rng.random()
        if char == " " and draw < 0.2:
            out.append("&nbsp;")
        elif char.isdigit() and draw < 0.7:
            out.append(f"&#{ord(char)};")
        elif char.isalnum() and draw < 0.06:
            out.append(f"<b>{char}</b>")
        else:
            out.append(escape(char, quote=False))
    return "".join(out)
