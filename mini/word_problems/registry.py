"""All MiniMath families, and drawing a case of a given level from a given space."""

from random import Random

from mini.word_problems import counting, money, motion
from mini.word_problems.template import Case, Template, draw, space_of

TEMPLATES: tuple[Template, ...] = (
    *money.SHOP,
    *money.SAVINGS,
    *money.SHARING,
    *money.PACKING,
    *motion.TRAVEL,
    *motion.LESSONS,
    *motion.READING,
    *motion.RECTANGLES,
    *motion.GARDENS,
    *counting.COLLECTIONS,
    *counting.AGES,
    *counting.TIMES,
)
LEVELS = (1, 2, 3, 4)
OF_LEVEL = {level: tuple(t for t in TEMPLATES if t.level == level) for level in LEVELS}


def draw_case(rng: Random, level: int, space: str) -> Case:
    """A case of `level` steps whose key lies in `space` (train, validation, test or heldout).

    All templates of a level are equally likely, whatever share of their draws has to be thrown away.
    """
    template = rng.choice(OF_LEVEL[level])
    while True:
        case = draw(template, rng)
        if case is not None and space_of(case.key) == space:
            return case
