"""Inequalities of higher degree: where p(x)/q(x) < 0 with rational coefficients holds.

Roots are isolated by Sturm's theorem, so none is overlooked; rational roots are exact, others good
to 60 digits.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise, zip_longest

from eval.grading.equality.pieces import End, Piece, single_point
from eval.grading.formula.nodes import (
    Negative,
    Node,
    Numeral,
    Power,
    Product,
    Quotient,
    Sum,
    Symbol,
)

_MAX_DEGREE = 8
_MAX_BITS = 100  # of one coefficient; larger ones are not solved
_PRECISION = Fraction(1, 2**200)  # of an irrational root
_STEPS_TO_GUESS = 64  # halvings after which a root is tried as a fraction with a small denominator

_WANTED_SIGNS = {"<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (0, 1), "!=": (-1, 1)}

_ZERO, _ONE = Fraction(0), Fraction(1)

Polynomial = list[Fraction]  # from the constant term up, without leading zeros; [] is 0


@dataclass(frozen=True, slots=True)
class _Quotient:
    """A rational function."""

    above: Polynomial
    below: Polynomial


@lru_cache(maxsize=256)
def solved_rational(operator: str, node: Node, name: str) -> tuple[Piece, ...] | None:
    """Pieces where `node operator 0` holds.

    None for what is no rational function of the one symbol `name`, is constant, or has a degree
    above 8.
    """
    function = _as_quotient(node, name)
    if function is None or max(len(function.above), len(function.below)) < 2:
        return None

    # A zero at a pole was cancelled: the function is not defined there.
    poles = _real_roots(function.below)
    zeros = [root for root in _real_roots(function.above) if not _near_any(root, poles)]
    marks = sorted(zeros + poles)

    # Between two marks the sign is that of any point there.
    wanted = _WANTED_SIGNS[operator]
    pieces: list[Piece] = []
    for low, high in pairwise([None, *marks, None]):
        place = _between(low, high)
        above = _value(function.above, place)
        below = _value(function.below, place)
        if _sign(above) * _sign(below) in wanted:
            pieces.append(Piece(End(low), End(high)))

    if 0 in wanted:
        pieces += map(single_point, zeros)
    return tuple(pieces)


def _between(low: Fraction | None, high: Fraction | None) -> Fraction:
    """A point between two marks, with a small denominator where one is missing."""
    if low is not None and high is not None:
        return (low + high) / 2
    if high is not None:
        place = high - 1
    elif low is not None:
        place = low + 1
    else:
        place = Fraction(0)
    return place.limit_denominator(10**6)


def _near_any(root: Fraction, places: list[Fraction]) -> bool:
    near = 4 * _PRECISION
    return any(abs(root - place) <= near for place in places)


def _sign(value: Fraction) -> int:
    return (value > 0) - (value < 0)


# --- the function as a quotient of polynomials


def _as_quotient(node: Node, name: str) -> _Quotient | None:
    match node:
        case Numeral(value):
            return _Quotient(_trimmed([value]), [_ONE])
        case Symbol(symbol):
            return _Quotient([_ZERO, _ONE], [_ONE]) if symbol == name else None
        case Negative(inner):
            function = _as_quotient(inner, name)
            if function is None:
                return None
            return _Quotient([-c for c in function.above], function.below)
        case Power(base, exponent):
            return _raised(_as_quotient(base, name), exponent)
        case Sum(parts) | Product(parts):
            operation = "add" if isinstance(node, Sum) else "multiply"
        case Quotient(above, below):
            parts = (above, below)
            operation = "divide"
        case _:
            return None

    functions = [_as_quotient(part, name) for part in parts]
    result = functions[0]
    for function in functions[1:]:
        if result is None or function is None:
            return None
        result = _combined(operation, result, function)
    return result


def _raised(base: _Quotient | None, exponent: Node) -> _Quotient | None:
    """A whole power, negative ones too."""
    inverse = isinstance(exponent, Negative)
    if isinstance(exponent, Negative):
        exponent = exponent.inner
    if base is None or not isinstance(exponent, Numeral):
        return None
    if exponent.value.denominator != 1 or not 0 <= exponent.value <= _MAX_DEGREE:
        return None

    # Multiplied step by step, so that the limits on size stop a large power early.
    result = _Quotient([_ONE], [_ONE])
    for _ in range(int(exponent.value)):
        larger = _combined("multiply", result, base)
        if larger is None:
            return None
        result = larger
    if inverse:
        return _checked(result.below, result.above)
    return _checked(result.above, result.below)


def _combined(operation: str, first: _Quotient, second: _Quotient) -> _Quotient | None:
    match operation:
        case "multiply":
            above = _times(first.above, second.above)
            below = _times(first.below, second.below)
        case "divide":
            above = _times(first.above, second.below)
            below = _times(first.below, second.above)
        case _:  # a common denominator
            left = _times(first.above, second.below)
            right = _times(second.above, first.below)
            above = _plus(left, right)
            below = _times(first.below, second.below)
    return _checked(above, below)


def _checked(above: Polynomial, below: Polynomial) -> _Quotient | None:
    """None for a division by zero, a high degree or large coefficients."""
    if not below or max(len(above), len(below)) > _MAX_DEGREE + 1:
        return None
    for coefficient in (*above, *below):
        size = max(abs(coefficient.numerator), coefficient.denominator)
        if size.bit_length() > _MAX_BITS:
            return None
    return _Quotient(above, below)


def _trimmed(polynomial: Polynomial) -> Polynomial:
    """Without zeros at the end, the terms of highest degree."""
    while polynomial and not polynomial[-1]:
        polynomial = polynomial[:-1]
    return polynomial


def _plus(first: Polynomial, second: Polynomial, factor: Fraction = _ONE) -> Polynomial:
    total: Polynomial = []
    for a, b in zip_longest(first, second, fillvalue=_ZERO):
        total.append(a + factor * b)
    return _trimmed(total)


def _times(first: Polynomial, second: Polynomial) -> Polynomial:
    if not first or not second:
        return []
    result = [_ZERO] * (len(first) + len(second) - 1)
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            result[i + j] += a * b
    return _trimmed(result)


# --- real roots


def _value(polynomial: Polynomial, x: Fraction) -> Fraction:
    total = Fraction(0)
    for coefficient in reversed(polynomial):
        total = total * x + coefficient
    return total


def _divided(above: Polynomial, below: Polynomial) -> tuple[Polynomial, Polynomial]:
    """Quotient and remainder."""
    length = max(len(above) - len(below) + 1, 0)
    quotient = [_ZERO] * length
    rest = list(above)
    while len(rest) >= len(below):
        factor = rest[-1] / below[-1]
        shift = len(rest) - len(below)
        quotient[shift] = factor

        shifted = [_ZERO] * shift + below
        rest = _plus(rest, shifted, -factor)
    return _trimmed(quotient), rest


def _derivative(polynomial: Polynomial) -> Polynomial:
    return [index * c for index, c in enumerate(polynomial)][1:]


def _real_roots(polynomial: Polynomial) -> list[Fraction]:
    """Distinct real roots, ascending."""
    if len(polynomial) < 2:
        return []
    simple = _square_free(polynomial)
    chain = _sturm_chain(simple)

    # All roots lie within Cauchy's bound; halve until each interval holds one.
    ratios = [abs(c / simple[-1]) for c in simple[:-1]]
    bound = 1 + max(ratios)
    found: list[Fraction] = []
    stack = [(-bound, bound)]
    while stack:
        low, high = stack.pop()
        count = _sign_changes(chain, low) - _sign_changes(chain, high)
        if count == 1:
            found.append(_narrowed(simple, low, high))
        elif count > 1:
            middle = (low + high) / 2
            stack += [(low, middle), (middle, high)]
    return sorted(found)


def _square_free(polynomial: Polynomial) -> Polynomial:
    """The polynomial with each of its roots once: divided by what it shares with its derivative."""
    divisor, rest = polynomial, _derivative(polynomial)
    while rest:
        _, remainder = _divided(divisor, rest)
        divisor, rest = rest, remainder
    simple, _ = _divided(polynomial, divisor)
    return simple


def _sturm_chain(simple: Polynomial) -> list[Polynomial]:
    """Negated remainders of Euclid's algorithm, scaled to keep them small: only signs count."""
    chain = [simple, _derivative(simple)]
    while len(chain[-1]) > 1:
        _, rest = _divided(chain[-2], chain[-1])
        if not rest:
            break
        leading = abs(rest[-1])
        chain.append([-c / leading for c in rest])
    return chain


def _sign_changes(chain: list[Polynomial], x: Fraction) -> int:
    values = [_value(polynomial, x) for polynomial in chain]
    signs = [_sign(value) for value in values if value]  # zeros do not count
    changes = 0
    for before, behind in pairwise(signs):
        changes += before != behind
    return changes


def _narrowed(polynomial: Polynomial, low: Fraction, high: Fraction) -> Fraction:
    """The one root in (low, high], exact where it is a fraction with a small denominator."""
    # The polynomial has no double root, so its sign differs on the two sides of this one.
    sign = _sign(_value(polynomial, high))
    if not sign:
        return high

    steps = 0
    while high - low > _PRECISION:
        middle = (low + high) / 2
        sign_here = _sign(_value(polynomial, middle))
        if not sign_here:
            return middle
        if sign_here == sign:
            high = middle
        else:
            low = middle

        steps += 1
        if steps == _STEPS_TO_GUESS:
            guess = ((low + high) / 2).limit_denominator(10**6)
            if low < guess <= high and not _value(polynomial, guess):
                return guess
    return (low + high) / 2
