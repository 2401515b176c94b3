r"""Fill templates: each `{slot}` becomes a given value, a random word of a list, or a random number.

A slot is a name in braces. All other braces are text, those around a slot too: `\frac{{a}}{{b}}` becomes `\frac{3}{5}`.
TeX that has names in braces of its own, such as `\sqrt{x}`, cannot be a template; texts without slots are used as
they are.
"""

import random
import re
from collections.abc import Callable, Mapping
from functools import lru_cache

SLOT = re.compile(r"\{(\w+)\}")

Words = Mapping[str, tuple[str, ...]]
"""Slot -> the words that may stand in it. Words may hold slots themselves."""

NUMBERS: dict[str, Callable[[random.Random], str]] = {
    "n": lambda rng: str(rng.randint(2, 19)),
    "m": lambda rng: str(rng.randint(20, 99)),
    "k": lambda rng: str(rng.randint(100, 2400)),
    "tens": lambda rng: str(rng.randint(2, 48) * 5),
    "price": lambda rng: f"{rng.randint(3, 240)}.{rng.choice(('00', '49', '50', '95', '99'))}",
    "year": lambda rng: str(rng.randint(1871, 2023)),
    "clock": lambda rng: f"{rng.randint(1, 12)}:{rng.randint(0, 59):02}",
    "day": lambda rng: str(rng.randint(1, 28)),
    "percent": lambda rng: f"{rng.randint(1, 89)}%",
    "score": lambda rng: f"{rng.randint(0, 6)}-{rng.randint(0, 6)}",
    "decimal": lambda rng: f"{rng.randint(0, 40)}.{rng.randint(1, 9)}",
    "code": lambda rng: f"{rng.choice('ABKMRTX')}{rng.choice('CDEHN')}-{rng.randint(100, 9999)}",
}
"""Slots that every text may use without a word list."""


def fill(template: str, **values: object) -> str:
    """Replace every slot by its value. A slot without a value is a KeyError."""
    return replace_slots(template, lambda slot: str(values[slot]))


def expand(rng: random.Random, template: str, words: Words, **values: object) -> str:
    """Replace every slot by its value, by a random word of its list, or by a random number of NUMBERS.

    A slot that occurs twice is drawn twice. A slot that nothing defines is a KeyError.
    """

    def value_of(slot: str) -> str:
        if slot in values:
            return str(values[slot])
        if slot not in words:
            return NUMBERS[slot](rng)

        word = rng.choice(words[slot])
        # Most words hold no slot, and a crawl draws a hundred thousand of them.
        return replace_slots(word, value_of) if "{" in word else word

    return replace_slots(template, value_of)


def replace_slots(template: str, value_of: Callable[[str], str]) -> str:
    """Replace every slot by what `value_of(slot)` returns, asked from left to right.

    Values are not searched for slots again: a title or a page's body may hold braces of its own.
    """
    pieces = list(_split(template))
    for at in range(1, len(pieces), 2):
        pieces[at] = value_of(pieces[at])
    return "".join(pieces)


# Templates are few and used often.
@lru_cache(maxsize=10_000)
def _split(template: str) -> tuple[str, ...]:
    """Text, slot, text, slot, ..., text."""
    return tuple(SLOT.split(template))
