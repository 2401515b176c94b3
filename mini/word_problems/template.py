"""What a MiniMath problem is: a template with number slots, a case with numbers filled in, and its wordings.

A template is language-free arithmetic (the steps) plus wordings in English and Chinese. A case is a template with
numbers; names and objects come later, when it is worded. The *key* of a case is its template and its numbers, so two
wordings, two names or two languages of one problem share a key, and the key alone decides the split.
"""

import hashlib
import re
from dataclasses import dataclass
from random import Random

NAMES = {
    "en": ("Tom", "Ann", "Sam", "Mia", "Ben", "Eva", "Leo", "Amy"),
    "zh": ("小明", "小红", "小华", "小丽", "小刚", "小军"),
}
THINGS = {
    "en": ("apples", "oranges", "eggs", "cakes", "cups", "balls", "toys", "books"),
    "zh": ("苹果", "橙子", "鸡蛋", "蛋糕", "杯子", "球", "玩具", "气球"),
}
LANGUAGES = ("en", "zh")
LARGEST = 200
"""No number in a problem or in its solution exceeds this."""

SPACES = {"test": 12, "validation": 6, "heldout": 4, "train": 78}
"""Percent of all keys that belong to each space; `heldout` feeds held-out mathematical text."""


@dataclass(frozen=True)
class Template:
    """One structure of problem.

    `slots` maps a number's name to its range (both ends included) or to an expression over earlier slots. `steps` are
    expressions of one operator each (+ - * / %) over slot names, integers and earlier results r1, r2, …; the last
    result is the answer. Slots that no step reads only help to make divisions exact. `en` and `zh` are the wordings
    of problems; `page_en` and `page_zh` word the same arithmetic on web pages and share no ten words (characters in
    Chinese) in a row with them, else decontamination would take every worked example for a leaked benchmark item.
    """

    family: str
    name: str
    slots: dict[str, tuple[int, int] | str]
    steps: tuple[str, ...]
    en: tuple[str, ...]
    zh: tuple[str, ...]
    page_en: str
    page_zh: str

    @property
    def level(self) -> int:
        return len(self.steps)


@dataclass(frozen=True)
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
        read = set(re.findall(r"[a-z]\d?", " ".join(self.template.steps)))
        numbers = ",".join(
            f"{name}={value}" for name, value in self.numbers.items() if name in read
        )
        return f"{self.template.family}.{self.template.name}:{numbers}"


def space_of(key: str) -> str:
    """The space (train, validation, test or heldout) that a case's key belongs to, whatever the seed."""
    share = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") % sum(SPACES.values())
    for space, percent in SPACES.items():
        if share < percent:
            return space
        share -= percent
    raise AssertionError("shares of SPACES cover every remainder")


def draw(template: Template, rng: Random) -> Case | None:
    """Fill in numbers and solve, or None where a step leaves the allowed numbers."""
    numbers: dict[str, int] = {}
    for name, slot in template.slots.items():
        numbers[name] = _value(slot, numbers) if isinstance(slot, str) else rng.randint(*slot)
    if any(not 1 <= number <= LARGEST for number in numbers.values()):
        return None
    results: list[int] = []
    for left, operator, right in operands(template, numbers, results):
        result = _apply(left, operator, right)
        if result is None:
            return None
        results.append(result)
    return Case(template, numbers, tuple(results))


def operands(template: Template, numbers: dict[str, int], results: list[int]):
    """Yield (left, operator, right) of each step; `results` must hold each step's value before the next is asked."""
    for step in template.steps:
        left, operator, right = re.fullmatch(r"(\w+)([-+*/%])(\w+)", step).groups()
        yield _term(left, numbers, results), operator, _term(right, numbers, results)


def equations(case: Case) -> list[str]:
    """The steps as equations with numbers, such as `3*12=36`."""
    steps = operands(case.template, case.numbers, list(case.results))
    return [
        f"{a}{operator}{b}={result}"
        for (a, operator, b), result in zip(steps, case.results, strict=True)
    ]


def program(case: Case) -> str:
    """A Python program that computes and prints the answer, one line a step."""
    lines = []
    for number, step in enumerate(case.template.steps, 1):
        left, operator, right = re.fullmatch(r"(\w+)([-+*/%])(\w+)", step).groups()
        a, b = (_in_program(term, case.numbers) for term in (left, right))
        lines.append(f"{'abcdef'[number - 1]} = {a}{'//' if operator == '/' else operator}{b}")
    return "\n".join([*lines, f"print({'abcdef'[len(lines) - 1]})"])


def question(case: Case, language: str, rng: Random) -> str:
    """The case as a problem: one of its wordings, with names and objects drawn."""
    return _worded(case, rng.choice(getattr(case.template, language)), language, rng)


def page_question(case: Case, language: str, rng: Random) -> str:
    """The case as a worked example on a page words it."""
    return _worded(case, getattr(case.template, f"page_{language}"), language, rng)


def _worded(case: Case, wording: str, language: str, rng: Random) -> str:
    name, other = rng.sample(NAMES[language], 2)
    things, others = rng.sample(THINGS[language], 2)
    return wording.format(name=name, other=other, things=things, others=others, **case.numbers)


def _term(term: str, numbers: dict[str, int], results: list[int]) -> int:
    if term.isdigit():
        return int(term)
    return results[int(term[1:]) - 1] if re.fullmatch(r"r\d", term) else numbers[term]


def _in_program(term: str, numbers: dict[str, int]) -> str:
    return (
        "abcdef"[int(term[1:]) - 1] if re.fullmatch(r"r\d", term) else str(_term(term, numbers, []))
    )


def _apply(left: int, operator: str, right: int) -> int | None:
    """The value of one step, or None: below one, inexact, too large, or with no small factor or divisor."""
    if operator == "+":
        value = left + right
    elif operator == "-":
        value = left - right
    elif operator == "*":
        value = left * right if min(left, right) <= 10 else -1
    elif right > 10:
        return None
    elif operator == "/":
        value = left // right if left % right == 0 else -1
    else:
        value = left % right
    return value if (0 if operator == "%" else 1) <= value <= LARGEST else None


def _value(expression: str, numbers: dict[str, int]) -> int:
    """A derived slot: a product or sum of earlier slots, such as `k*q`, `k*q+e`."""
    total = 0
    for product in expression.split("+"):
        value = 1
        for factor in product.split("*"):
            value *= int(factor) if factor.isdigit() else numbers[factor]
        total += value
    return total
