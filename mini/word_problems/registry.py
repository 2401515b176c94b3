"""All MiniMath templates, and drawing a case of a given level from a given space."""

from functools import cache
from pathlib import Path
from random import Random

from mini.templates.data_files import read_data
from mini.word_problems.template import Case, Template, draw, space_of

# The order of the files, and of the templates in them, is part of the random draws.
DATA_FILES = ("money.yaml", "motion.yaml", "counting.yaml")

LEVELS = (1, 2, 3, 4)
"""A problem's level is its number of steps."""


@cache
def templates() -> tuple[Template, ...]:
    """The templates of all families."""
    found: list[Template] = []
    for name in DATA_FILES:
        path = Path(__file__).with_name(name)
        found += read_data(path, tuple[Template, ...])
    return tuple(found)


@cache
def templates_of_level(level: int) -> tuple[Template, ...]:
    found = [template for template in templates() if template.level == level]
    return tuple(found)


def draw_case(rng: Random, level: int, space: str) -> Case:
    """A case of `level` steps whose key lies in `space` (train, validation, test or heldout).

    All templates of a level are equally likely, whatever share of their draws has to be thrown away.
    """
    template = rng.choice(templates_of_level(level))
    # Which space a case belongs to is known only when its numbers are.
    while True:
        case = draw(template, rng)
        if case is not None and space_of(case.key) == space:
            return case
