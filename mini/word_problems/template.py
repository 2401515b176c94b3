"""What a MiniMath problem is: a template with number slots, a case with numbers filled in, and its wordings.

A template is language-free arithmetic (the steps) plus wordings in English and Chinese. A case is a template with
numbers; names and objects come later, when it is worded. The *key* of a case is its template and its numbers, so two
wordings, two names or two languages of one problem share a key, and the key alone decides the split.
"""

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Annotated

from pydantic import BeforeValidator

from mini.templates.data_files import Lines, data_class, read_data
from mini.templates.slots import fill

DATA_FILES = ("words.yaml",)

LANGUAGES = ("en", "zh")

LARGEST = 200
"""No number in a problem or in its solution exceeds this."""

LARGEST_FACTOR = 10
"""Of two factors at least one is no larger, nor is any divisor: nothing beyond the times tables."""

SPACES = {"test": 12, "validation": 6, "heldout": 4, "train": 78}
"""Percent of all keys that belong to each space; `heldout` feeds held-out mathematical text."""

VARIABLES = "abcdef"
"""Names of the steps' results in a program."""

_STEP = re.compile(r"(\w+)([-+*/%])(\w+)")
_RESULT = re.compile(r"r(\d)")  # r1, r2, ...: the result of an earlier step


@dataclass(frozen=True, slots=True)
class Step:
    """One operation. A term is a slot's name, an integer, or `r1`, `r2`, … for the result of an earlier step."""

    left: str
    operator: str
    right: str


def _parse_step(text: str) -> Step:
    match = _STEP.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no step; expected two terms and one of + - * / %")
    return Step(*match.groups())


@data_class
class Template:
    """One structure of problem, as `money.yaml` and its neighbours give it.

    `numbers` maps a slot to its range (both ends included) or to an expression over earlier slots. The result of the
    last of `steps` is the answer. Slots that no step reads only help to make divisions exact. `problem` are the
    wordings of the question by language; `page` words the same arithmetic on web pages and shares no ten words
    (characters in Chinese) in a row with them, else decontamination would take every worked example for a leaked
    benchmark item.
    """

    family: str
    name: str
    numbers: dict[str, tuple[int, int] | str]
    steps: tuple[Annotated[Step, BeforeValidator(_parse_step)], ...]
    problem: dict[str, Lines]
    page: dict[str, str]

    @property
    def level(self) -> int:
        return len(self.steps)


@dataclass(frozen=True, slots=True)
class Case:
    """A template with its numbers, solved. `results` are the values of the steps, the answer last."""

    template: Template
    numbers: dict[str, int]
    results: tuple[int, ...]

    @property
    def answer(self) -> int:
        return self.results[-1]

    @property
    def key(self) -> str:
        """Template and numbers. Numbers that no step reads are not told in the question, so they do not count."""
        template = self.template
        read: set[str] = set()
        for step in template.steps:
            read.add(step.left)
            read.add(step.right)

        numbers = []
        for name, value in self.numbers.items():
            if name in read:
                numbers.append(f"{name}={value}")
        return f"{template.family}.{template.name}:{','.join(numbers)}"


@data_class
class Plan:
    """How the operations of a solution become one sentence."""

    lead: str
    joiner: str
    end: str


@data_class
class Vocabulary:
    """What the problems of one language share: people, things to count, names of the operations."""

    names: tuple[str, ...]
    things: tuple[str, ...]
    operations: dict[str, str]
    plan: Plan


@cache
def _vocabularies() -> dict[str, Vocabulary]:
    path = Path(__file__).with_name("words.yaml")
    return read_data(path, dict[str, Vocabulary])


def vocabulary(language: str) -> Vocabulary:
    return _vocabularies()[language]


# Numbers and results


def draw(template: Template, rng: Random) -> Case | None:
    """Fill in numbers and solve, or None where a step leaves the allowed numbers."""
    numbers: dict[str, int] = {}
    for name, rule in template.numbers.items():
        if isinstance(rule, str):
            numbers[name] = _value(rule, numbers)
        else:
            numbers[name] = rng.randint(*rule)

    for number in numbers.values():
        if not 1 <= number <= LARGEST:
            return None

    # Steps in order: each may use the results of those before it.
    results: list[int] = []
    for step in template.steps:
        left = _term(step.left, numbers, results)
        right = _term(step.right, numbers, results)
        result = _apply(left, step.operator, right)
        if result is None:
            return None
        results.append(result)

    return Case(template, numbers, tuple(results))


def space_of(key: str) -> str:
    """The space (train, validation, test or heldout) that a case's key belongs to, whatever the seed."""
    digest = hashlib.sha256(key.encode()).digest()
    share = int.from_bytes(digest[:4], "big") % sum(SPACES.values())

    for space, percent in SPACES.items():
        if share < percent:
            return space
        share -= percent
    raise AssertionError("shares of SPACES cover every remainder")


def _value(expression: str, numbers: dict[str, int]) -> int:
    """A derived slot: a product or sum of earlier slots, such as `k*q`, `k*q+e`."""
    total = 0
    for product in expression.split("+"):
        value = 1
        for factor in product.split("*"):
            value *= int(factor) if factor.isdigit() else numbers[factor]
        total += value
    return total


def _term(term: str, numbers: dict[str, int], results: list[int]) -> int:
    if term.isdigit():
        return int(term)

    earlier = _RESULT.fullmatch(term)
    if earlier:
        return results[int(earlier.group(1)) - 1]
    return numbers[term]


def _apply(left: int, operator: str, right: int) -> int | None:
    """The value of one step, or None: below one, inexact, too large, or with no small factor or divisor."""
    lowest = 1
    match operator:
        case "+":
            value = left + right
        case "-":
            value = left - right
        case "*":
            if min(left, right) > LARGEST_FACTOR:
                return None
            value = left * right
        case "/":
            if right > LARGEST_FACTOR or left % right:
                return None
            value = left // right
        case _:
            if right > LARGEST_FACTOR:
                return None
            value = left % right
            lowest = 0  # only a remainder may be nothing

    return value if lowest <= value <= LARGEST else None


# Wordings and solutions


def question(case: Case, language: str, rng: Random) -> str:
    """The case as a problem: one of its wordings, with names and objects drawn."""
    wordings = case.template.problem[language]
    wording = rng.choice(wordings)
    return _worded(case, wording, language, rng)


def page_question(case: Case, language: str, rng: Random) -> str:
    """The case as a worked example on a page words it."""
    wording = case.template.page[language]
    return _worded(case, wording, language, rng)


def _worded(case: Case, wording: str, language: str, rng: Random) -> str:
    # Drawn whether the wording uses them or not: all wordings of a case leave the generator in one state.
    words = vocabulary(language)
    name, other = rng.sample(words.names, 2)
    things, others = rng.sample(words.things, 2)
    return fill(
        wording,
        name=name,
        other=other,
        things=things,
        others=others,
        **case.numbers,
    )


def equations(case: Case) -> list[str]:
    """The steps as equations with numbers, such as `3*12=36`."""
    lines = []
    results = list(case.results)

    for step, result in zip(case.template.steps, results, strict=True):
        left = _term(step.left, case.numbers, results)
        right = _term(step.right, case.numbers, results)
        lines.append(f"{left}{step.operator}{right}={result}")
    return lines


def program(case: Case) -> str:
    """A Python program that computes and prints the answer, one line a step."""
    steps = case.template.steps
    variables = VARIABLES[: len(steps)]

    lines = []
    for variable, step in zip(variables, steps, strict=True):
        left = _in_program(step.left, case.numbers)
        right = _in_program(step.right, case.numbers)
        # Divisions come out even; `/` would print 12.0.
        operator = "//" if step.operator == "/" else step.operator
        lines.append(f"{variable} = {left}{operator}{right}")

    lines.append(f"print({variables[-1]})")
    return "\n".join(lines)


def _in_program(term: str, numbers: dict[str, int]) -> str:
    earlier = _RESULT.fullmatch(term)
    if earlier:
        return VARIABLES[int(earlier.group(1)) - 1]
    return str(_term(term, numbers, []))
