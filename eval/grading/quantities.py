"""Answers that are one number, with or without a unit: 12, 2.5 km, twenty-one, 5%."""

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from eval.grading.normalise.numbers import Number, parse_number, same_number
from eval.grading.normalise.units import compound, conversion, split_unit
from eval.grading.normalise.verbal import number_in_words

_MAX_WORDS = 80  # characters of a number in words
_CLOSE_UNIT = re.compile(r"([-+]?[\d.]+)([A-Za-z])(?:\^\{?([23])\}?)?")
_TEXT_COMMAND = re.compile(r"\\text\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Quantity:
    number: Number
    unit: str | None = None


def same_quantity(gold: str, answer: str, tolerance: Fraction | None) -> bool | None:
    """Whether two cleaned answers are the same quantity; None when one of them is none."""
    first, second = _quantities(gold, answer)
    if first is None or second is None:
        return None

    # 5% and 5 km
    if (first.number.percent and second.unit) or (second.number.percent and first.unit):
        return False

    factor = conversion(first.unit, second.unit)
    if factor is None:
        return False
    number = second.number
    if factor != 1:  # in the unit of the gold, no longer as it is written
        value = number.value * factor
        number = Number(value, None, number.digits, number.percent)
    return same_number(first.number, number, tolerance)


def _quantities(gold: str, answer: str) -> tuple[Quantity | None, Quantity | None]:
    """Both quantities, each in the plainest reading that makes two of them."""
    first = _quantity(gold)
    second = _quantity(answer)
    if first is None or second is None:
        first = first or _in_words(gold)
        second = second or _in_words(answer)

    # 3m is a product of a number and a letter, unless a unit stands on the other side.
    if first is None and second is not None and second.unit:
        first = _with_close_unit(gold)
    if second is None and first is not None and first.unit:
        second = _with_close_unit(answer)
    return first, second


def without_text_commands(text: str) -> str:
    r"""\text{five} as five."""
    return _TEXT_COMMAND.sub(r"\1", text).strip()


@lru_cache(maxsize=65536)
def _quantity(text: str) -> Quantity | None:
    """A number in digits, with or without its unit."""
    number = parse_number(text)
    if number is not None:
        return Quantity(number)

    value, unit = split_unit(text)
    number = parse_number(value) if unit is not None else None
    if number is not None:
        return Quantity(number, unit)

    several = compound(text)  # 5 feet 3 inches
    return None if several is None else Quantity(*several)


def _in_words(text: str) -> Quantity | None:
    """twenty-one; 21st; two dozen apples are left to the units."""
    if len(text) > _MAX_WORDS or not text[-1].isalpha():
        return None
    text = without_text_commands(text)
    value = number_in_words(text)
    if value is not None:
        return Quantity(Number(value))

    if text.lower().endswith(" percent"):
        value = number_in_words(text[: -len(" percent")])
        if value is not None:
            return Quantity(Number(value / 100, percent=True))
    return None


def _with_close_unit(text: str) -> Quantity | None:
    """One letter beside its number: 3m, 3m^2."""
    match = _CLOSE_UNIT.fullmatch(text)
    number = parse_number(match[1]) if match else None
    if match is None or number is None:
        return None
    unit = match[2].lower()
    if match[3]:
        unit += f"^{match[3]}"
    return Quantity(number, unit)
