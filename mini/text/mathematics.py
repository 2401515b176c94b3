r"""Mathematical text for generated pages: paragraphs, definitions, formulas and worked examples, English and Chinese.

`math_paragraphs(rng, language, n)` gives `n` blocks of one topic, in reading order. A block is a pair (kind, text);
kinds are KINDS below. Formulas are TeX in `$...$` (inline) and `$$...$$` (display); a block has no line breaks inside
a formula, and a dollar sign never means money. Worked examples solve MiniMath-like problems with step equations such
as `3*12=36`, in a wording of their own (`page` of a template), and draw from one space of problems: `train` (the
default) or `heldout`, so that no page repeats a validation or test problem unless its generator plants one on purpose.
"""

from functools import cache
from pathlib import Path
from random import Random
from typing import NamedTuple

from mini.templates.data_files import Lines, data_class, read_data
from mini.templates.slots import fill
from mini.text.topics import Topic, topics
from mini.word_problems.registry import LEVELS, draw_case
from mini.word_problems.template import Case, equations, page_question

DATA_FILES = ("mathematics.yaml",)

KINDS = ("heading", "paragraph", "definition", "example", "solution", "exercise", "formula")
"""`example` is a question and is followed by its `solution`; `formula` is one display formula."""

# What comes next on a page, with weights: worked arithmetic makes about half of the text.
NEXT_BLOCK = {
    "paragraph": 4,
    "definition": 2,
    "formula": 2,
    "worked": 6,
    "running": 4,
    "drill": 4,
    "exercise": 1,
}
LEVEL_WEIGHTS = (4, 4, 2, 1)  # of worked examples with one to four steps

# Mostly plain text, the form of the solutions that a model is fine-tuned on.
STEP_STYLES = ("{equation}", "{equation}", "{equation}", "${equation}$", "${tex}$")
ANSWER_STYLES = ("${answer}$", r"$\boxed{{answer}}$")
TEX_OPERATORS = {"*": r"\times ", "/": r"\div ", "%": r"\bmod "}


class Block(NamedTuple):
    kind: str
    text: str


@data_class
class Phrases:
    """The phrases of one language around worked examples; `mathematics.yaml` says what each is for."""

    running_examples: Lines
    first_leads: tuple[str, ...]
    later_leads: tuple[str, ...]
    drill_leads: tuple[str, ...]
    answer: str
    step_separator: str
    full_stop: str
    space: str

    def in_a_row(self, equations: list[str]) -> str:
        return self.step_separator.join(equations) + self.full_stop


@cache
def _phrases() -> dict[str, Phrases]:
    path = Path(__file__).with_name("mathematics.yaml")
    return read_data(path, dict[str, Phrases])


def math_paragraphs(rng: Random, language: str, n: int, space: str = "train") -> list[Block]:
    """`n` blocks about one topic: a heading, then prose, definitions, formulas, drills and worked examples mixed.

    One block less where the last would be an example without its solution.
    """
    topic = rng.choice(topics())
    title = rng.choice(topic.titles[language])
    blocks = [Block("heading", title)]

    while len(blocks) < n:
        # A definition may be drawn twice and is told once.
        for block in _next_blocks(rng, topic, language, space):
            if block not in blocks:
                blocks.append(block)

    last = blocks[n - 1]
    return blocks[: n - 1] if last.kind == "example" else blocks[:n]


def math_document(rng: Random, language: str, n: int, space: str = "train") -> str:
    """The blocks of `math_paragraphs` as plain text, one paragraph each."""
    blocks = math_paragraphs(rng, language, n, space)
    return "\n\n".join(block.text for block in blocks)


def worked_example(rng: Random, language: str, space: str = "train") -> list[Block]:
    """An `example` block (a question in words) and its `solution` block with one equation a step."""
    case = _draw_case(rng, space)
    example = page_question(case, language, rng)
    solution = _solution(case, language, rng)
    return [Block("example", example), Block("solution", solution)]


def example_paragraph(rng: Random, language: str, space: str = "train") -> str:
    """A worked example as one running paragraph: question, steps and answer in one of several phrasings."""
    phrases = _phrases()[language]
    case = _draw_case(rng, space)

    template = rng.choice(phrases.running_examples)
    steps = phrases.in_a_row(_steps(case, language, rng))
    asked = page_question(case, language, rng)
    return fill(template, question=asked, steps=steps, answer=case.answer)


def arithmetic_drill(rng: Random, language: str, count: int, space: str = "train") -> str:
    """A paragraph of `count` step equations taken from problems of `space`."""
    phrases = _phrases()[language]
    found: list[str] = []
    while len(found) < count:
        case = _draw_case(rng, space)
        found += equations(case)

    lead = rng.choice(phrases.drill_leads)
    return lead + phrases.in_a_row(found[:count])


def _next_blocks(rng: Random, topic: Topic, language: str, space: str) -> list[Block]:
    """What comes next on the page: one block, or a question with its solution."""
    kind = rng.choices(tuple(NEXT_BLOCK), tuple(NEXT_BLOCK.values()))[0]
    match kind:
        case "worked":
            return worked_example(rng, language, space)
        case "running":
            kind = "paragraph"
            text = example_paragraph(rng, language, space)
        case "drill":
            kind = "paragraph"
            text = arithmetic_drill(rng, language, rng.randint(6, 14), space)
        case "exercise":
            text = page_question(_draw_case(rng, space), language, rng)
        case "definition":
            text = topic.definition(rng, language)
        case "formula":
            text = topic.formula(rng)
        case _:
            text = topic.paragraph(rng, language)
    return [Block(kind, text)]


def _draw_case(rng: Random, space: str) -> Case:
    level = rng.choices(LEVELS, LEVEL_WEIGHTS)[0]
    return draw_case(rng, level, space)


def _solution(case: Case, language: str, rng: Random) -> str:
    """The steps and the answer, one a line or all in a row."""
    phrases = _phrases()[language]
    steps = _steps(case, language, rng)

    style = rng.choice(ANSWER_STYLES)
    answer = fill(style, answer=case.answer)
    last = fill(phrases.answer, answer=answer)

    one_a_line = rng.random() < 0.5
    if one_a_line:
        return "\n".join([*steps, last])
    return phrases.in_a_row(steps) + phrases.space + last


def _steps(case: Case, language: str, rng: Random) -> list[str]:
    """The equations of a case in one style, some of them with a word before."""
    phrases = _phrases()[language]
    style = rng.choice(STEP_STYLES)

    # Leads are drawn before the equations are written: one for each, often empty.
    leads = [rng.choice(phrases.first_leads)]
    for _ in case.results[1:]:
        leads.append(rng.choice(phrases.later_leads))

    steps = []
    for lead, equation in zip(leads, equations(case), strict=True):
        written = fill(style, equation=equation, tex=_tex(equation))
        steps.append(lead + written)
    return steps


def _tex(equation: str) -> str:
    """`3*12=36` as TeX."""
    left, right = equation.split("=")
    for operator, command in TEX_OPERATORS.items():
        left = left.replace(operator, command)
    return f"{left}={right}"
