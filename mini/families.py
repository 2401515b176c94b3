"""All MiniMath families, and drawing a case of a given level from a given space."""

from random import Random

from mini import families_counting, families_money, families_motion
from mini.story import Case, Template, draw, space_of

TEMPLATES: tuple[Template, ...] = (
    *families_money.SHOP,
    *families_money.SAVINGS,
    *families_money.SHARING,
    *families_money.PACKING,
    *families_motion.TRAVEL,
    *families_motion.LESSONS,
    *families_motion.READING,
    *families_motion.RECTANGLES,
    *families_motion.GARDENS,
    *families_counting.COLLECTIONS,
    *families_counting.AGES,
    *families_counting.TIMES,
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
