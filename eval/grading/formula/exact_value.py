"""Exact values of formulas without symbols, within static limits."""

import math
from fractions import Fraction
from functools import lru_cache

from eval.grading.formula.nodes import (
    BoundVariable,
    Call,
    Factorial,
    Negative,
    Node,
    Numeral,
    Percent,
    Power,
    Product,
    Quotient,
    Series,
    Sum,
    children,
    replaced,
    whole_number,
)
from eval.grading.formula.tokens import FormulaLimit

MAX_BITS = 20_000  # of one exact numerator or denominator
MAX_TERMS = 200  # of a sum or product
_MAX_NESTED_TERMS = 10_000  # of sums in each other, together
_MAX_FACTORIAL = 3000
_MAX_BINOMIAL = 5000
_MAX_ROOT = 64  # degree of a root that is extracted exactly
_MAX_RADICAND_BITS = 2000


class Undefined(Exception):
    """The formula has no real (or finite) value at this point."""


def exact(node: Node) -> Fraction | None:
    """The rational value of a formula without symbols; None when there is none or it is irrational.

    Raises FormulaLimit where computing the value would take too long.
    """
    try:
        return _exact(node)
    except (ZeroDivisionError, Undefined):
        return None


# The cache bounds the work too: an inner sum without the outer index is computed only once.
@lru_cache(maxsize=8192)
def _exact(node: Node) -> Fraction | None:
    match node:
        case Numeral():
            return node.value
        case Sum(terms):
            return _exact_total(terms)
        case Product(factors):
            return _exact_product(factors)
        case Negative(inner):
            value = _exact(inner)
            return None if value is None else -value
        case Quotient(above, below):  # both sides: either may be undefined or beyond the limits
            return _exact_quotient(_exact(above), _exact(below))
        case Power(base, exponent):
            return _exact_power(_exact(base), _exact(exponent))
        case Call():
            return _exact_call(node)
        case Percent(inner):
            value = _exact(inner)
            return None if value is None else value / 100
        case Factorial(inner):
            return _exact_factorial(_exact(inner))
        case Series():
            return _exact_series(node)
    return None


def _exact_total(terms: tuple[Node, ...]) -> Fraction | None:
    total = Fraction(0)
    for term in terms:
        value = _exact(term)
        if value is None:
            return None
        total = _bounded(total + value)
    return total


def _exact_product(factors: tuple[Node, ...]) -> Fraction | None:
    total = Fraction(1)
    for factor in factors:
        value = _exact(factor)
        if value is None:
            return None
        total = _bounded(total * value)
    return total


def _exact_quotient(above: Fraction | None, below: Fraction | None) -> Fraction | None:
    if above is None or below is None:
        return None
    return _bounded(above / below)


def _exact_power(base: Fraction | None, exponent: Fraction | None) -> Fraction | None:
    if base is None or exponent is None:
        return None
    if exponent.denominator != 1:
        root = _root(base, exponent.denominator)
        return _exact_power(root, Fraction(exponent.numerator))

    # The result has about |exponent| times as many bits.
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if abs(exponent) * max(bits - 1, 0) > MAX_BITS and abs(base) != 1:
        return None  # the evaluation with limits on magnitude decides
    return base**exponent.numerator


def _exact_factorial(value: Fraction | None) -> Fraction | None:
    if value is None or value.denominator != 1 or value < 0:
        return None
    if value > _MAX_FACTORIAL:
        raise FormulaLimit("factorial")
    return Fraction(math.factorial(int(value)))


def _exact_series(node: Series) -> Fraction | None:
    low, high = _exact(node.low), _exact(node.high)
    if low is None or high is None or low.denominator != 1 or high.denominator != 1:
        return None
    if high - low > MAX_TERMS or _most_terms(node, MAX_TERMS) > _MAX_NESTED_TERMS:
        raise FormulaLimit("terms")

    # An empty sum is 0, an empty product 1.
    is_sum = node.operation == "sum"
    total = Fraction(0 if is_sum else 1)
    for index in range(int(low), int(high) + 1):
        term = _exact(replaced(node.body, BoundVariable(node.index), whole_number(index)))
        if term is None:
            return None
        total = _bounded(total + term if is_sum else total * term)
    return total


def _most_terms(node: Node, outside: int) -> int:
    """An upper bound of the terms of all sums in each other; `outside`: of the sum around this one.

    A bound that is the variable of an outer sum is at most as large as that one's.
    """
    terms = 1
    if isinstance(node, Series):
        low, high = _bound_of(node.low, 1), _bound_of(node.high, outside)
        outside = min(max(high - low + 1, 1), MAX_TERMS)
        terms = outside

    inside = [_most_terms(child, outside) for child in children(node)]
    return terms * max(inside, default=1)


def _bound_of(node: Node, otherwise: int) -> int:
    """The bound of a sum as a number; `otherwise` where it depends on another variable."""
    match node:
        case Numeral(value):
            return math.ceil(value)
    return otherwise if isinstance(node, BoundVariable) else MAX_TERMS


def _exact_call(node: Call) -> Fraction | None:
    values: list[Fraction] = []
    missing = False
    for argument in node.arguments:  # all of them: any may be undefined or beyond the limits
        value = _exact(argument)
        if value is None:
            missing = True
        else:
            values.append(value)
    if missing:
        return None

    first = values[0]
    whole = all(value.denominator == 1 for value in values)
    match node.function:
        case "root" if values[1].denominator == 1 and 0 < values[1] < _MAX_ROOT:
            return _root(first, int(values[1]))
        case "abs":
            return abs(first)
        case "floor":
            return Fraction(math.floor(first))
        case "ceil":
            return Fraction(math.ceil(first))
        case "max":
            return max(values)
        case "min":
            return min(values)
        case "gcd":
            return _common_divisor(values)
        case "lcm":
            return _common_multiple(values)
        case "binom" if whole and 0 <= values[1] <= first <= _MAX_BINOMIAL:
            return _bounded(Fraction(math.comb(int(first), int(values[1]))))
        case "arrangements" if whole and 0 <= values[1] <= first <= _MAX_BINOMIAL:
            return _bounded(Fraction(math.perm(int(first), int(values[1]))))
        case "factorial":
            return _exact_factorial(first)
    return None


def _common_divisor(values: list[Fraction]) -> Fraction:
    """The largest number of which all are whole multiples: of 1/2 and 1/3 it is 1/6."""
    shared = math.lcm(*(value.denominator for value in values))
    _bounded(Fraction(shared))
    return Fraction(math.gcd(*(int(value * shared) for value in values)), shared)


def _common_multiple(values: list[Fraction]) -> Fraction:
    """The least positive whole multiple of all: of 1/2 and 1/3 it is 1."""
    shared = math.gcd(*(value.denominator for value in values))
    total = math.lcm(*(value.numerator for value in values))
    return _bounded(Fraction(total, shared))


def _root(value: Fraction, degree: int) -> Fraction | None:
    """Exact real root of a rational, None when it is irrational or not real."""
    if value < 0:
        root = _root(-value, degree) if degree % 2 else None
        return None if root is None else -root

    above = _integer_root(value.numerator, degree)
    below = _integer_root(value.denominator, degree)
    if above is None or below is None:
        return None
    return Fraction(above, below)


def _integer_root(value: int, degree: int) -> int | None:
    """The root of a natural number where it is a natural number."""
    if degree == 2:
        root = math.isqrt(value)
        return root if root * root == value else None
    if degree >= _MAX_ROOT or value.bit_length() > _MAX_RADICAND_BITS:
        return None

    # Bisection between 0 and the next power of two above the root.
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
