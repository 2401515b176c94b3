"""Exact values of formulas without symbols: `exact(node)` gives a Fraction or None, within static limits."""

import math
from fractions import Fraction
from functools import lru_cache

from eval.grading.formula.nodes import replaced
from eval.grading.formula.tokens import FormulaLimit

MAX_BITS = 20_000  # of one exact numerator or denominator
MAX_TERMS = 200  # of a sum or product


class Undefined(Exception):
    """The formula has no real (or finite) value at this point."""


def exact(node: tuple) -> Fraction | None:
    """The rational value of a formula without symbols, None when there is none (or it is irrational)."""
    try:
        return _exact(node)
    except (ZeroDivisionError, Undefined):
        return None


@lru_cache(maxsize=8192)
def _exact(node: tuple) -> Fraction | None:
    kind = node[0]
    if kind == "num":
        return node[1]
    if kind in ("sym", "const", "text", "list", "set", "group", "matrix", "rel", "bound"):
        return None
    if kind in ("add", "mul"):
        total = Fraction(0 if kind == "add" else 1)
        for part in node[1]:
            value = _exact(part)
            if value is None:
                return None
            total = _bounded(total + value if kind == "add" else total * value)
        return total
    if kind in ("neg", "div", "pow", "fact", "percent"):
        values = [_exact(part) for part in node[1:]]
        return None if None in values else _exact_operation(kind, values)
    if kind in ("sum", "prod"):
        return _exact_series(node)
    return _exact_call(node) if kind == "call" else None


def _exact_series(node: tuple) -> Fraction | None:
    low, high = _exact(node[1]), _exact(node[2])
    if low is None or high is None or low.denominator != 1 or high.denominator != 1:
        return None
    if high - low > MAX_TERMS:
        raise FormulaLimit("terms")
    total = Fraction(0 if node[0] == "sum" else 1)
    for index in range(int(low), int(high) + 1):
        term = _exact(replaced(node[3], ("bound", node[4]), ("num", Fraction(index), None, 1)))
        if term is None:
            return None
        total = _bounded(total + term if node[0] == "sum" else total * term)
    return total


def _exact_operation(kind: str, values: list[Fraction]) -> Fraction | None:
    first = values[0]
    if kind == "neg":
        return -first
    if kind == "percent":
        return first / 100
    if kind == "div":
        return _bounded(first / values[1])
    if kind == "fact":
        if first.denominator != 1 or first < 0:
            return None
        if first > 3000:
            raise FormulaLimit("factorial")
        return Fraction(math.factorial(int(first)))
    exponent = values[1]
    if exponent.denominator != 1:
        root = _root(first, exponent.denominator)
        return (
            None if root is None else _exact_operation("pow", [root, Fraction(exponent.numerator)])
        )
    bits = max(first.numerator.bit_length(), first.denominator.bit_length())
    if abs(exponent) * max(bits - 1, 0) > MAX_BITS and abs(first) != 1:
        return None  # the evaluation with limits on magnitude decides
    return first**exponent


def _exact_call(node: tuple) -> Fraction | None:
    name, arguments = node[1], [_exact(argument) for argument in node[2]]
    if None in arguments:
        return None
    if name == "root" and arguments[1].denominator == 1 and 0 < arguments[1] < 64:
        return _root(arguments[0], int(arguments[1]))
    if name == "abs":
        return abs(arguments[0])
    if name in ("floor", "ceil"):
        return Fraction(math.floor(arguments[0]) if name == "floor" else math.ceil(arguments[0]))
    if name in ("max", "min"):
        return max(arguments) if name == "max" else min(arguments)
    whole = all(value.denominator == 1 for value in arguments)
    if name in ("gcd", "lcm") and whole:
        return Fraction(getattr(math, name)(*(int(value) for value in arguments)))
    if name == "binom" and whole and 0 <= arguments[1] <= arguments[0] <= 5000:
        return _bounded(Fraction(math.comb(int(arguments[0]), int(arguments[1]))))
    if name == "factorial":
        return _exact_operation("fact", arguments)
    return None


def _root(value: Fraction, degree: int) -> Fraction | None:
    """Exact real root of a rational, None when it is irrational or not real."""
    if value < 0:
        root = _root(-value, degree) if degree % 2 else None
        return None if root is None else -root
    above, below = _integer_root(value.numerator, degree), _integer_root(value.denominator, degree)
    return None if above is None or below is None else Fraction(above, below)


def _integer_root(value: int, degree: int) -> int | None:
    if degree == 2:
        root = math.isqrt(value)
        return root if root * root == value else None
    if degree >= 64 or value.bit_length() > 2000:
        return None
    low, high = 0, 1 << (value.bit_length() // degree + 1)
    while low < high:
        middle = (low + high) // 2
        if middle**degree < value:
            low = middle + 1
        else:
            high = middle
    return low if low**degree == value else None


def _bounded(value: Fraction) -> Fraction:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > 2 * MAX_BITS:
        raise FormulaLimit("digits")
    return value
