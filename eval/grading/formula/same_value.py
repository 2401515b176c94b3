"""Values of formulas: exact where the formula is rational, else in high precision, always within static limits.

`exact(node)` gives a Fraction or None. `same_value(gold, other)` decides whether two formulas are one function by
evaluating both at fixed points with a precision that follows the magnitudes that occur, so that no rounding can
make two different short formulas agree. No clock is involved: the same pair gives the same verdict on any machine.
Arithmetic over the reals (odd roots of negative numbers are real), complex where an i occurs.
"""

import random
import threading
from fractions import Fraction
from functools import lru_cache

from eval.grading.formula.calculus import SETTLED_BITS
from eval.grading.formula.exact_value import Undefined, exact
from eval.grading.formula.numeric_value import START_BITS, Evaluator, magnitude
from eval.grading.formula.tokens import FormulaLimit

_MAX_PRECISION = 12_000
_LOCK = threading.Lock()  # mpmath's context and its caches of constants are not made for threads


def symbols(*nodes: object) -> set[str]:
    """Names of all free symbols."""
    found: set[str] = set()
    stack = list(nodes)
    while stack:
        node = stack.pop()
        if isinstance(node, tuple):
            if len(node) == 2 and node[0] == "sym":
                found.add(node[1])
            else:
                stack.extend(node)
    return found


def contains(node: object, kind: tuple | str) -> bool:
    """Whether a node of this kind (or this very node) occurs."""
    stack = [node]
    while stack:
        part = stack.pop()
        if isinstance(part, tuple):
            if part == kind or (part and (part[0] == kind or part[1:2] == (kind,))):
                return True
            stack.extend(part)
    return False


def value_of(node: tuple) -> Fraction | None:
    """A formula without symbols as a rational good to 60 digits or more; None when it has no real value."""
    rational = exact(node)
    if rational is not None:
        return rational
    if contains(node, ("const", "i")) or symbols(node):
        return None
    with _LOCK:
        try:
            value = _precise(node, {}, _context(), complex_allowed=False)
        except Undefined:
            return None
        return _to_fraction(value)


def same_value(gold: tuple, other: tuple) -> bool:
    """Whether the two formulas are the same function of their symbols (or the same constant)."""
    return compare_values(gold, other, ratio=False) is not None


def compare_values(gold: tuple, other: tuple, ratio: bool) -> int | None:
    """1 when both agree at every point, or, with `ratio`, when their quotient is one constant: its sign. Else None."""
    names = sorted(symbols(gold) | symbols(other))
    if len(names) > 12:
        raise FormulaLimit("symbols")
    complex_allowed = contains(gold, ("const", "i")) or contains(other, ("const", "i"))
    with _LOCK:
        context = _context()
        quotient, agreed = None, 0
        for point in _points(tuple(names)) if names else [{}]:
            try:
                left, right, scale = _pair(gold, other, point, context, complex_allowed)
            except Undefined:
                continue
            if not ratio:
                if not _agree(left, right, scale):
                    return None
            elif _agree(left, 0 * left, scale) or _agree(right, 0 * right, scale):
                if _agree(left, 0 * left, scale) != _agree(right, 0 * right, scale):
                    return None
                continue
            elif quotient is None:
                quotient = left / right
            elif not _agree(
                quotient, left / right, abs(quotient) * scale / max(abs(left), abs(right))
            ):
                return None
            agreed += 1
        if agreed < (4 if names else 1):
            return None
        return -1 if quotient is not None and not complex_allowed and quotient < 0 else 1


def _agree(left: object, right: object, scale: object) -> bool:
    return abs(left - right) <= scale  # type: ignore[operator]


@lru_cache(maxsize=1)
def _context() -> object:
    import mpmath  # loaded only when an answer needs it

    return mpmath.MPContext()


@lru_cache(maxsize=512)
def _points(names: tuple[str, ...]) -> list[dict[str, Fraction]]:
    """Fixed points: positive, mixed signs, between 0 and 1, and whole numbers (for n!, (-1)^n, binomials)."""
    generator = random.Random(20240203)
    draws = (
        *(lambda: Fraction(generator.randint(1001, 3999), 1009) for _ in range(4)),
        *(lambda: Fraction(generator.randint(-4001, 4001) or 7, 1013) for _ in range(5)),
        *(lambda: Fraction(generator.randint(50, 950), 1019) for _ in range(4)),
        *(lambda: Fraction(generator.randint(3, 14)) for _ in range(7)),
        *(lambda: Fraction(generator.randint(20_000, 90_000), 1021) for _ in range(3)),
    )
    return [{name: draw() for name in names} for draw in draws]


def _to_fraction(value: object) -> Fraction:
    sign, mantissa, exponent, _ = value._mpf_  # type: ignore[attr-defined]
    number = Fraction(int(mantissa)) * Fraction(2) ** exponent
    return -number if sign else number


def _precise(node: tuple, point: dict, context: object, complex_allowed: bool) -> object:
    return _pair(node, node, point, context, complex_allowed)[0]


def _pair(gold: tuple, other: tuple, point: dict, context: object, complex_allowed: bool) -> tuple:
    """Both values and the rounding error to allow between them, at a precision that covers all magnitudes."""
    bits = START_BITS
    while True:
        context.prec = bits  # type: ignore[attr-defined]
        runs = [Evaluator(point, context, complex_allowed) for _ in (gold, other)]
        values = [run.value(node) for run, node in zip(runs, (gold, other), strict=True)]
        highest = max(run.highest for run in runs)
        spread = highest - min(run.lowest for run in runs)
        if START_BITS + 2 * spread <= bits:
            top = (
                highest
                if any(run.added for run in runs)
                else max(magnitude(value, context) for value in values)
            )
            error = context.mpf(2) ** (top - START_BITS // 2 - spread)  # type: ignore[attr-defined]
            if any(run.approximate for run in runs):
                error = max(error, context.mpf(2) ** (1 - SETTLED_BITS) * max(1, *map(abs, values)))  # type: ignore[attr-defined]
            return *values, error
        bits = START_BITS + 2 * spread
        if bits > _MAX_PRECISION:
            raise FormulaLimit("precision")
