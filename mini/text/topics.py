"""Topics of generated mathematical text. The words are in `topics.yaml`; the numbers of its examples are drawn here."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random

from mini.templates.data_files import Lines, data_class, read_data
from mini.templates.slots import fill

DATA_FILES = ("topics.yaml",)

Numbers = dict[str, int]


@data_class
class Example:
    """A calculation: `numbers` names the function of DRAWS that fills the slots of `text`."""

    numbers: str
    text: str

    def draw(self, rng: Random) -> str:
        numbers = DRAWS[self.numbers](rng)
        return fill(self.text, **numbers)


@data_class
class Topic:
    """What a text about one topic says, by language; display formulas belong to both."""

    titles: dict[str, Lines]
    example: dict[str, Example]
    remarks: dict[str, Lines]
    definitions: dict[str, Lines]
    formulas: Lines

    def paragraph(self, rng: Random, language: str) -> str:
        """The example with new numbers, or one of the remarks."""
        example = self.example[language]
        remarks = self.remarks[language]

        choices: list[Example | str] = [example, *remarks]
        chosen = rng.choice(choices)
        if isinstance(chosen, Example):
            return chosen.draw(rng)
        return chosen

    def definition(self, rng: Random, language: str) -> str:
        return rng.choice(self.definitions[language])

    def formula(self, rng: Random) -> str:
        return rng.choice(self.formulas)


@cache
def topics() -> tuple[Topic, ...]:
    path = Path(__file__).with_name("topics.yaml")
    return read_data(path, tuple[Topic, ...])


# The numbers of each example. The order of the draws is part of what a seed means.


def linear_equation(rng: Random) -> Numbers:
    """a*x + b = c with the solution x."""
    a = rng.randint(2, 9)
    x = rng.randint(2, 12)
    b = rng.randint(1, 30)
    return {
        "a": a,
        "x": x,
        "b": b,
        "ax": a * x,
        "c": a * x + b,
    }


def arithmetic_sequence(rng: Random) -> Numbers:
    """First term a and difference d; the n-th term is `last`."""
    a = rng.randint(1, 20)
    d = rng.randint(2, 9)
    n = rng.randint(4, 9)
    rise = (n - 1) * d
    return {
        "a": a,
        "d": d,
        "n": n,
        "steps": n - 1,
        "rise": rise,
        "last": a + rise,
    }


def right_triangle(rng: Random) -> Numbers:
    """Whole sides and their squares."""
    a, b, c = rng.choice(((3, 4, 5), (5, 12, 13), (6, 8, 10), (8, 15, 17)))
    return {
        "a": a,
        "b": b,
        "c": c,
        "aa": a * a,
        "bb": b * b,
        "cc": c * c,
    }


def rectangle(rng: Random) -> Numbers:
    """Width and length, area, and the perimeter with its half."""
    w = rng.randint(2, 9)
    h = rng.randint(3, 30)
    return {
        "w": w,
        "h": h,
        "area": h * w,
        "half": h + w,
        "perimeter": 2 * (h + w),
    }


def division(rng: Random) -> Numbers:
    """a = b*q + r with a remainder r below b."""
    b = rng.randint(2, 9)
    q = rng.randint(2, 20)
    r = rng.randrange(b)
    return {
        "a": b * q + r,
        "b": b,
        "q": q,
        "r": r,
        "bq": b * q,
    }


def derivative(rng: Random) -> Numbers:
    """The function a*x^n; its derivative is an*x^m."""
    a = rng.randint(2, 9)
    n = rng.randint(2, 4)
    return {
        "a": a,
        "n": n,
        "an": a * n,
        "m": n - 1,
    }


def derivative_at_a_point(rng: Random) -> Numbers:
    """`derivative`, and its value at x."""
    numbers = derivative(rng)
    x = rng.randint(1, 3)
    value = numbers["an"] * x ** numbers["m"]
    return numbers | {"x": x, "value": value}


def coloured_balls(rng: Random) -> Numbers:
    """Red and blue balls, and how many there are in all."""
    r = rng.randint(2, 20)
    b = rng.randint(2, 20)
    return {
        "r": r,
        "b": b,
        "all": r + b,
    }


def expanded_fraction(rng: Random) -> Numbers:
    """a/b, expanded by k."""
    a = rng.randint(1, 8)
    b = rng.randint(2, 9)
    k = rng.randint(2, 9)
    return {
        "a": a,
        "b": b,
        "k": k,
        "ak": a * k,
        "bk": b * k,
    }


DRAWS: dict[str, Callable[[Random], Numbers]] = {
    "linear_equation": linear_equation,
    "arithmetic_sequence": arithmetic_sequence,
    "right_triangle": right_triangle,
    "rectangle": rectangle,
    "division": division,
    "derivative": derivative,
    "derivative_at_a_point": derivative_at_a_point,
    "coloured_balls": coloured_balls,
    "expanded_fraction": expanded_fraction,
}
