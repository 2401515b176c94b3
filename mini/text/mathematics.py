r"""Mathematical text for generated pages: paragraphs, definitions, formulas and worked examples, English and Chinese.

`math_paragraphs(rng, language, n)` gives `n` blocks of one topic, in reading order. A block is a pair (kind, text);
kinds are KINDS below. Formulas stand as TeX in `$...$` (inline) and `$$...$$` (display); a block has no line breaks
inside a formula, and a dollar sign never means money. Worked examples solve MiniMath-like problems with step
equations such as `3*12=36`, in prose of their own (`page_en`, `page_zh` of a template), and draw from one space
of problems: `train` (the default) or `heldout`, so that no page repeats a validation or test problem unless its
generator plants one on purpose.
"""

from random import Random
from typing import NamedTuple

from mini.text.topics import TOPICS
from mini.word_problems.registry import LEVELS, draw_case
from mini.word_problems.template import Case, equations, page_question

KINDS = ("heading", "paragraph", "definition", "example", "solution", "exercise", "formula")
"""`example` is a question and is followed by its `solution`; `formula` is one display formula."""


class Block(NamedTuple):
    kind: str
    text: str


EXAMPLE_NOTES = {
    "en": (
        "{question} Solution: {steps} The answer is {answer}.",
        "{question} We compute {steps} So the answer is {answer}.",
        "Question. {question} Answer. {steps} The result is {answer}.",
        "{question} First find what is asked, then calculate step by step: {steps} Therefore the answer is {answer}.",
    ),
    "zh": (
        "{question}解：{steps}答案是{answer}。",
        "{question}我们计算：{steps}所以答案是{answer}。",
        "问：{question}答：{steps}结果是{answer}。",
    ),
}
STEP_STYLES = ("{equation}", "{equation}", "{equation}", "${equation}$", "${tex}$")
FIRST_LEADS = {"en": ("", "", "First ", "We get "), "zh": ("", "", "先算", "由题意")}
LATER_LEADS = {"en": ("", "", "then ", "so ", "next "), "zh": ("", "", "再算", "然后", "得到")}
DRILL_LEADS = {
    "en": (
        "Practice: ",
        "More examples of this kind: ",
        "Check these by hand: ",
        "For instance, ",
        "In the same way, ",
    ),
    "zh": ("练习：", "同样的例子：", "请验算：", "例如，", "同理，"),
}
_PUNCTUATION = {"en": (", ", "."), "zh": ("，", "。")}
LEVEL_WEIGHTS = (4, 4, 2, 1)


def math_paragraphs(rng: Random, language: str, n: int, space: str = "train") -> list[Block]:
    """`n` blocks about one topic: a heading, then prose, definitions, formulas, drills and worked examples mixed."""
    topic = rng.choice(TOPICS)
    blocks = [Block("heading", rng.choice(topic.titles[language]))]
    while len(blocks) < n:
        blocks.extend(
            block for block in _next_blocks(rng, topic, language, space) if block not in blocks
        )
    return blocks[:n] if blocks[n - 1].kind != "example" else blocks[: n - 1]


def math_document(rng: Random, language: str, n: int, space: str = "train") -> str:
    """The blocks of `math_paragraphs` as plain text, one paragraph each."""
    return "\n\n".join(block.text for block in math_paragraphs(rng, language, n, space))


def worked_example(rng: Random, language: str, space: str = "train") -> list[Block]:
    """An `example` block (a question in words) and its `solution` block with one equation a step."""
    case = draw_case(rng, rng.choices(LEVELS, LEVEL_WEIGHTS)[0], space)
    text = page_question(case, language, rng)
    return [Block("example", text), Block("solution", _solution(case, language, rng))]


def example_paragraph(rng: Random, language: str, space: str = "train") -> str:
    """A worked example as one running paragraph: question, steps and answer in one of several phrasings."""
    case = draw_case(rng, rng.choices(LEVELS, LEVEL_WEIGHTS)[0], space)
    text = rng.choice(EXAMPLE_NOTES[language])
    separator, end = _PUNCTUATION[language]
    steps = separator.join(_steps(case, language, rng)) + end
    return text.format(question=page_question(case, language, rng), steps=steps, answer=case.answer)


def arithmetic_drill(rng: Random, language: str, count: int, space: str = "train") -> str:
    """A paragraph of `count` step equations taken from problems of `space`."""
    found: list[str] = []
    while len(found) < count:
        found += equations(draw_case(rng, rng.choices(LEVELS, LEVEL_WEIGHTS)[0], space))
    separator, end = _PUNCTUATION[language]
    return rng.choice(DRILL_LEADS[language]) + separator.join(found[:count]) + end


def _next_blocks(rng: Random, topic, language: str, space: str) -> list[Block]:
    """One step of the page: what comes next is drawn so that worked arithmetic makes about half of the text."""
    kind = rng.choices(
        ("paragraph", "definition", "formula", "worked", "running", "drill", "exercise"),
        (4, 2, 2, 6, 4, 4, 1),
    )[0]
    if kind == "worked":
        return worked_example(rng, language, space)
    if kind == "running":
        return [Block("paragraph", example_paragraph(rng, language, space))]
    if kind == "drill":
        return [Block("paragraph", arithmetic_drill(rng, language, rng.randint(6, 14), space))]
    if kind == "exercise":
        case = draw_case(rng, rng.choices(LEVELS, LEVEL_WEIGHTS)[0], space)
        return [Block("exercise", page_question(case, language, rng))]
    return [Block(kind, rng.choice(topic.texts(kind, language))(rng))]


def _solution(case: Case, language: str, rng: Random) -> str:
    steps = _steps(case, language, rng)
    answer = rng.choice((f"${case.answer}$", f"$\\boxed{{{case.answer}}}$"))
    last = f"答案是{answer}。" if language == "zh" else f"The answer is {answer}."
    if rng.random() < 0.5:
        return "\n".join([*steps, last])
    separator, end = _PUNCTUATION[language]
    return separator.join(steps) + end + ("" if language == "zh" else " ") + last


def _steps(case: Case, language: str, rng: Random) -> list[str]:
    style = rng.choice(STEP_STYLES)
    leads = [rng.choice(FIRST_LEADS[language])]
    leads += [rng.choice(LATER_LEADS[language]) for _ in case.results[1:]]
    return [
        lead + style.format(equation=e, tex=_tex(e))
        for lead, e in zip(leads, equations(case), strict=True)
    ]


def _tex(equation: str) -> str:
    left, right = equation.split("=")
    for operator, command in (("*", r"\times "), ("/", r"\div "), ("%", r"\bmod ")):
        left = left.replace(operator, command)
    return f"{left}={right}"
