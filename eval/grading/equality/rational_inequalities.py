"""Inequalities of higher degree: the solutions of p(x)/q(x) < 0 with rational coefficients, as pieces of the line.

`solved_rational(operator, node, name)` returns the pieces of eval.grading.equality.real_sets for `node operator 0`,
None for what is
no rational function of that one symbol (or of a degree above 8). Roots are isolated by Sturm's theorem, so none is
overlooked; rational roots are exact, others good to 60 digits.
"""

from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

_MAX_DEGREE = 8
_MAX_BITS = 100  # of one coefficient; larger ones are not solved
_PRECISION = Fraction(1, 2**200)

Polynomial = list[Fraction]  # from the constant term up, without leading zeros; [] is 0


@lru_cache(maxsize=256)
def solved_rational(operator: str, node: tuple, name: str) -> tuple[tuple, ...] | None:
    """Pieces (low, low closed, high, high closed) where the function stands in this relation to 0."""
    function = _quotient(node, name)
    if function is None or max(map(len, function)) < 2:
        return None
    above, below = function
    poles = _real_roots(below)
    zeros = [root for root in _real_roots(above) if not any(_near(root, pole) for pole in poles)]
    marks = sorted([(root, False) for root in zeros] + [(pole, True) for pole in poles])
    wanted = {"<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (0, 1), "!=": (-1, 1)}[operator]
    pieces: list[tuple] = []
    for index in range(len(marks) + 1):
        low = marks[index - 1][0] if index else None
        high = marks[index][0] if index < len(marks) else None
        if _sign(_value(above, _between(low, high)) * _value(below, _between(low, high))) in wanted:
            pieces.append((low, False, high, False))
    if 0 in wanted:
        pieces.extend((root, True, root, True) for root, pole in marks if not pole)
    return tuple(pieces)


def _between(low: Fraction | None, high: Fraction | None) -> Fraction:
    if low is None or high is None:
        return (
            high - 1 if high is not None else low + 1 if low is not None else Fraction(0)
        ).limit_denominator(10**6)
    return (low + high) / 2


def _near(first: Fraction, second: Fraction) -> bool:
    return abs(first - second) <= 4 * _PRECISION


def _sign(value: Fraction) -> int:
    return (value > 0) - (value < 0)


# --- the function as a quotient of polynomials


def _quotient(node: tuple, name: str) -> tuple[Polynomial, Polynomial] | None:
    kind = node[0]
    if kind == "num":
        return _trimmed([node[1]]), [Fraction(1)]
    if kind == "sym":
        return ([Fraction(0), Fraction(1)], [Fraction(1)]) if node[1] == name else None
    if kind == "neg":
        inner = _quotient(node[1], name)
        return None if inner is None else ([-c for c in inner[0]], inner[1])
    if kind == "pow":
        return _power(node, name)
    if kind not in ("add", "mul", "div"):
        return None
    parts = [_quotient(part, name) for part in (node[1] if kind != "div" else node[1:])]
    if not parts or None in parts:
        return None
    result = parts[0]
    for part in parts[1:]:
        result = _combined(kind, result, part)  # type: ignore[arg-type]
        if result is None:
            return None
    return result


def _power(node: tuple, name: str) -> tuple[Polynomial, Polynomial] | None:
    base, exponent = _quotient(node[1], name), node[2]
    sign, exponent = (-1, exponent[1]) if exponent[0] == "neg" else (1, exponent)
    if (
        base is None
        or exponent[0] != "num"
        or exponent[1].denominator != 1
        or not 0 <= exponent[1] <= _MAX_DEGREE
    ):
        return None
    result: tuple[Polynomial, Polynomial] | None = ([Fraction(1)], [Fraction(1)])
    for _ in range(int(exponent[1])):
        result = _combined("mul", result, base)  # type: ignore[arg-type]
        if result is None:
            return None
    return _checked(result if sign > 0 else result[::-1])  # type: ignore[index]


def _combined(kind: str, first: tuple, second: tuple) -> tuple[Polynomial, Polynomial] | None:
    (a, b), (c, d) = first, second
    if kind == "mul":
        return _checked((_times(a, c), _times(b, d)))
    if kind == "div":
        return _checked((_times(a, d), _times(b, c)))
    return _checked((_plus(_times(a, d), _times(c, b)), _times(b, d)))


def _checked(function: tuple) -> tuple | None:
    above, below = function
    large = any(
        max(abs(c.numerator), c.denominator).bit_length() > _MAX_BITS for c in (*above, *below)
    )
    return None if not below or max(len(above), len(below)) > _MAX_DEGREE + 1 or large else function


def _trimmed(polynomial: Polynomial) -> Polynomial:
    while polynomial and not polynomial[-1]:
        polynomial = polynomial[:-1]
    return polynomial


def _plus(first: Polynomial, second: Polynomial, factor: int = 1) -> Polynomial:
    size = max(len(first), len(second))
    padded = [side + [Fraction(0)] * (size - len(side)) for side in (first, second)]
    return _trimmed([a + factor * b for a, b in zip(*padded, strict=True)])


def _times(first: Polynomial, second: Polynomial) -> Polynomial:
    if not first or not second:
        return []
    result = [Fraction(0)] * (len(first) + len(second) - 1)
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
    quotient, rest = [Fraction(0)] * max(len(above) - len(below) + 1, 0), list(above)
    while len(rest) >= len(below):
        factor, shift = rest[-1] / below[-1], len(rest) - len(below)
        quotient[shift] = factor
        rest = _trimmed(_plus(rest, [Fraction(0)] * shift + [factor * c for c in below], -1))
    return _trimmed(quotient), rest


def _derivative(polynomial: Polynomial) -> Polynomial:
    return [index * c for index, c in enumerate(polynomial)][1:]


def _real_roots(polynomial: Polynomial) -> list[Fraction]:
    """Distinct real roots, ascending."""
    if len(polynomial) < 2:
        return []
    divisor, rest = polynomial, _derivative(polynomial)
    while rest:  # greatest common divisor with the derivative: what is left is free of squares
        divisor, rest = rest, _divided(divisor, rest)[1]
    simple = _divided(polynomial, divisor)[0]
    chain = [simple, _derivative(simple)]
    while len(chain[-1]) > 1:
        rest = _divided(chain[-2], chain[-1])[1]
        if not rest:
            break
        chain.append([-c / abs(rest[-1]) for c in rest])
    bound = 1 + max(abs(c / simple[-1]) for c in simple[:-1])
    found: list[Fraction] = []
    stack = [(-bound, bound)]
    while stack:
        low, high = stack.pop()
        count = _changes(chain, low) - _changes(chain, high)
        if count == 1:
            found.append(_narrowed(simple, low, high))
        elif count > 1:
            middle = (low + high) / 2
            stack += [(low, middle), (middle, high)]
    return sorted(found)


def _changes(chain: list[Polynomial], x: Fraction) -> int:
    signs = [sign for sign in (_sign(_value(p, x)) for p in chain) if sign]
    return sum(a != b for a, b in pairwise(signs))


def _narrowed(polynomial: Polynomial, low: Fraction, high: Fraction) -> Fraction:
    """The one root in (low, high], exact where it is a fraction with a small denominator."""
    if not _value(polynomial, high):
        return high
    sign = _sign(_value(polynomial, high))
    steps = 0
    while high - low > _PRECISION:
        middle = (low + high) / 2
        value = _sign(_value(polynomial, middle))
        if not value:
            return middle
        low, high = (low, middle) if value == sign else (middle, high)
        steps += 1
        if steps == 64:
            guess = ((low + high) / 2).limit_denominator(10**6)
            if low < guess <= high and not _value(polynomial, guess):
                return guess
    return (low + high) / 2
