"""Whether two formulas have the same value: both are evaluated, within static limits.

`same_value(gold, other)` evaluates both formulas at fixed points with a precision that follows the
magnitudes that occur, so that no rounding can make two different short formulas agree. No clock is
involved: the same pair gives the same verdict on any machine. Arithmetic over the reals (odd roots
of negative numbers are real), complex where an i occurs.
"""

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from eval.grading.formula.exact_value import Undefined, exact
from eval.grading.formula.nodes import IMAGINARY_UNIT, Node, contains, symbols
from eval.grading.formula.numeric_value import (
    SETTLED_BITS,
    START_BITS,
    Evaluator,
    MpContext,
    MpNumber,
    magnitude,
)
from eval.grading.formula.tokens import FormulaLimit

_MAX_PRECISION = 12_000  # bits
_MAX_SYMBOLS = 12
_LEAST_AGREEMENT = 4  # points at which two functions must be defined and agree
_LOCK = threading.Lock()  # mpmath's context and its caches of constants are not made for threads


@dataclass(frozen=True, slots=True)
class _Values:
    """Both values at one point, and the rounding error to allow between them."""

    gold: MpNumber
    other: MpNumber
    error: MpNumber


def value_of(node: Node) -> Fraction | None:
    """A formula without symbols as a rational good to 60 digits; None when it has no real value.

    Raises FormulaLimit, and FormulaError for what is no number at all.
    """
    rational = exact(node)
    if rational is not None:
        return rational
    if contains(node, IMAGINARY_UNIT) or symbols(node):
        return None

    with _LOCK:
        try:
            values = _evaluate(node, node, {}, _context(), complex_allowed=False)
        except Undefined:
            return None
        return _to_fraction(values.gold)


def same_value(gold: Node, other: Node) -> bool:
    """Whether the two formulas are the same function of their symbols (or the same constant)."""
    names, complex_allowed = _variables(gold, other)
    needed = _LEAST_AGREEMENT if names else 1
    with _LOCK:
        agreed = _agreements(gold, other, _points(names), complex_allowed)
        if agreed is not None and agreed < needed:
            near_zero = _agreements(gold, other, _small_points(names), complex_allowed)
            agreed = None if near_zero is None else agreed + near_zero
    return agreed is not None and agreed >= needed


def _agreements(
    gold: Node, other: Node, points: list[dict[str, Fraction]], complex_allowed: bool
) -> int | None:
    """The number of points at which both are defined and agree; None where they differ at one."""
    context = _context()
    agreed = 0
    for point in points:
        try:
            values = _evaluate(gold, other, point, context, complex_allowed)
        except Undefined:  # outside the domain of one of them, as √x at -1
            continue
        if abs(values.gold - values.other) > values.error:
            return None
        agreed += 1
    return agreed


def constant_ratio(gold: Node, other: Node) -> int | None:
    """The sign (1 or -1; 1 for complex numbers) of gold / other where it is constant, else None."""
    names, complex_allowed = _variables(gold, other)
    with _LOCK:
        context = _context()
        quotient: MpNumber = None
        agreed = 0
        for point in _points(names):
            try:
                values = _evaluate(gold, other, point, context, complex_allowed)
            except Undefined:
                continue

            # A common zero says nothing about the quotient.
            gold_is_zero = abs(values.gold) <= values.error
            other_is_zero = abs(values.other) <= values.error
            if gold_is_zero != other_is_zero:
                return None
            if gold_is_zero:
                continue

            here = values.gold / values.other
            if quotient is None:
                quotient = here
            else:
                error = abs(quotient) * values.error / max(abs(values.gold), abs(values.other))
                if abs(quotient - here) > error:
                    return None
            agreed += 1

        if agreed < (_LEAST_AGREEMENT if names else 1):
            return None
        return -1 if not complex_allowed and quotient < 0 else 1


def _variables(gold: Node, other: Node) -> tuple[tuple[str, ...], bool]:
    """The names of the symbols, in order, and whether the values are complex."""
    names = sorted(symbols(gold) | symbols(other))
    if len(names) > _MAX_SYMBOLS:
        raise FormulaLimit("symbols")
    complex_allowed = contains(gold, IMAGINARY_UNIT) or contains(other, IMAGINARY_UNIT)
    return tuple(names), complex_allowed


@lru_cache(maxsize=1)
def _context() -> MpContext:
    import mpmath  # loaded only when an answer needs it

    return mpmath.MPContext()


@lru_cache(maxsize=512)
def _points(names: tuple[str, ...]) -> list[dict[str, Fraction]]:
    """Fixed points: positive, of both signs, between 0 and 1, whole numbers (for n! and (-1)^n)."""
    if not names:
        return [{}]

    # Prime denominators: no value of a formula is hit by chance.
    generator = random.Random(20240203)
    draws = (
        *(lambda: Fraction(generator.randint(1001, 3999), 1009) for _ in range(4)),
        *(lambda: Fraction(generator.randint(-4001, 4001) or 7, 1013) for _ in range(5)),
        *(lambda: Fraction(generator.randint(50, 950), 1019) for _ in range(4)),
        *(lambda: Fraction(generator.randint(3, 14)) for _ in range(7)),
        *(lambda: Fraction(generator.randint(20_000, 90_000), 1021) for _ in range(3)),
    )
    return [{name: draw() for name in names} for draw in draws]


@lru_cache(maxsize=512)
def _small_points(names: tuple[str, ...]) -> list[dict[str, Fraction]]:
    """Fixed points near 0, for functions such as arcsin(9x) that are defined there only."""
    if not names:
        return []
    generator = random.Random(20261128)
    limits = (200, 200, 200, 200, 40, 40, 40, 40)
    return [
        {name: Fraction(generator.randint(-limit, limit) or 1, 1021) for name in names}
        for limit in limits
    ]


def _to_fraction(value: MpNumber) -> Fraction:
    sign, mantissa, exponent, _ = value._mpf_  # mpmath's own form: (-1)^sign mantissa 2^exponent
    number = Fraction(int(mantissa)) * Fraction(2) ** exponent
    return -number if sign else number


def _evaluate(
    gold: Node,
    other: Node,
    point: Mapping[str, Fraction],
    context: MpContext,
    complex_allowed: bool,
) -> _Values:
    """Both values, at a precision that covers all magnitudes on the way.

    Raises Undefined or FormulaLimit.
    """
    bits = START_BITS
    while True:
        context.prec = bits
        first = Evaluator(point, context, complex_allowed)
        second = Evaluator(point, context, complex_allowed)
        left, right = first.value(gold), second.value(other)

        # Terms of size 2^highest may cancel down to 2^lowest: room for twice the spread.
        highest = max(first.highest, second.highest)
        spread = highest - min(first.lowest, second.lowest)
        if START_BITS + 2 * spread <= bits:
            break
        bits = START_BITS + 2 * spread
        if bits > _MAX_PRECISION:
            raise FormulaLimit("precision")

    # Without sums nothing cancels, and the error is relative to the values.
    top = highest
    if not first.added and not second.added:
        top = max(magnitude(left, context), magnitude(right, context))
    error = context.mpf(2) ** (top - START_BITS // 2 - spread)

    # Integrals and limits are only good to SETTLED_BITS, at any precision.
    if first.approximate or second.approximate:
        settled = context.mpf(2) ** (1 - SETTLED_BITS)
        error = max(error, settled * max(1, abs(left), abs(right)))
    return _Values(left, right, error)
