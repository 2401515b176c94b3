"""Sets of real numbers in one normal form: sorted, disjoint pieces with open or closed ends.

Read from intervals, unions, inequalities, set-builder notation, ℝ, ∅, finite sets and differences. A set with
symbols in its ends has no such form (None).
"""

import math
from fractions import Fraction

from eval.grading.equality.rational_inequalities import solved_rational
from eval.grading.formula.exact_value import exact
from eval.grading.formula.nodes import replaced
from eval.grading.formula.same_value import symbols, value_of

Piece = tuple[
    Fraction | None, bool, Fraction | None, bool
]  # low (None: -∞), low closed, high (None: +∞), high closed
_ALL: list[Piece] = [(None, False, None, False)]
_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "!=": "!="}
_LINEAR = frozenset(["num", "sym", "const", "add", "mul", "div", "neg", "pow", "call", "percent"])
_MINUS_INFINITY = ("neg", ("const", "infty"))
_MAX_POINTS = 1000
_BLUR = Fraction(1, 10**50)  # irrational ends are kept to 60 digits


def as_real_set(node: tuple) -> list[Piece] | None:
    """Normal form of a set, None when the node is none that this module reads."""
    pieces = _pieces(node)
    return None if pieces is None else _merged(pieces)


def same_real_set(first: list[Piece], second: list[Piece]) -> bool:
    """Equal pieces with equal ends."""
    return len(first) == len(second) and all(
        _same_end(a[0], b[0]) and a[1] == b[1] and _same_end(a[2], b[2]) and a[3] == b[3]
        for a, b in zip(first, second, strict=True)
    )


def _same_end(first: Fraction | None, second: Fraction | None) -> bool:
    if first is None or second is None:
        return first is second
    return abs(first - second) <= _BLUR * max(abs(first), 1)


def _pieces(node: tuple) -> list[Piece] | None:
    kind = node[0]
    if kind == "named":
        return {"R": list(_ALL), "empty": []}.get(node[1])
    if kind == "group" and len(node[3]) == 2 and node[1] in "([":
        low, high = _end(node[3][0]), _end(node[3][1])
        if (
            low is False
            or high is False
            or node[3][0] == ("const", "infty")
            or node[3][1] == _MINUS_INFINITY
        ):
            return None
        return [
            (low, node[1] == "[" and low is not None, high, node[2] == "]" and high is not None)
        ]  # type: ignore[list-item]
    if kind in ("union", "inter", "setminus"):
        return _combined(kind, node[1] if kind != "setminus" else node[1:])
    if kind == "set":
        values = [
            value_of(item) if item[0] not in ("group", "rel", "text") else None for item in node[1]
        ]
        return None if None in values else [(v, True, v, True) for v in values]
    if kind == "rel":
        return _from_relation(node)
    if kind == "builder":
        if (
            node[1][0] == "rel"
            and node[1][1] == ("in",)
            and node[1][2][1] in (("named", "Z"), ("named", "N"))
        ):
            return _whole_numbers(_pieces(node[2]), node[1][2][1][1] == "N")
        condition = node[2]
        if condition[0] == "list":  # {x | x ∈ R, x > 1}: all conditions hold
            return _combined(
                "inter", tuple(part for part in condition[1] if not _membership_of_reals(part))
            )
        return _pieces(condition)
    if kind == "list" and node[1] and all(item[0] == "rel" for item in node[1]):
        return _from_list(node[1])
    return None


def _whole_numbers(pieces: list[Piece] | None, natural: bool) -> list[Piece] | None:
    """The whole numbers of a bounded set, as points."""
    if pieces is None:
        return None
    points = []
    for low, low_closed, high, high_closed in pieces:
        low = Fraction(0) if natural and (low is None or low < 0) else low
        if low is None or high is None or high - low > _MAX_POINTS:
            return None
        for number in range(math.ceil(low), math.floor(high) + 1):
            if (number > low or low_closed or natural) and (number < high or high_closed):
                points.append(Fraction(number))
    return [(point, True, point, True) for point in points]


def _membership_of_reals(node: tuple) -> bool:
    return node[0] == "rel" and node[1] == ("in",) and node[2][1] == ("named", "R")


def _end(node: tuple) -> Fraction | bool | None:
    """A finite end's value, None for an infinite one, False for what is no constant."""
    if node in (("const", "infty"), ("neg", ("const", "infty"))):
        return None
    if node[0] in ("group", "set", "list", "rel", "text", "matrix", "named", "union"):
        return False
    value = value_of(node)
    return False if value is None else value


def _combined(kind: str, parts: tuple) -> list[Piece] | None:
    sets = [_pieces(part) for part in parts]
    if not sets or any(part is None for part in sets):
        return None
    result = _merged(sets[0])  # type: ignore[arg-type]
    for part in sets[1:]:
        if kind == "union":
            result = _merged(result + part)  # type: ignore[operator]
        else:
            result = _intersection(
                result, _complement(_merged(part)) if kind == "setminus" else _merged(part)
            )  # type: ignore[arg-type]
    return result


def _from_list(relations: tuple) -> list[Piece] | None:
    """ "x < 1 or x > 3" is a union; "x > 1 and x < 3" would then be everything, so it is an intersection."""
    union = _combined("union", relations)
    return _combined("inter", relations) if union == _ALL else union


def _from_relation(node: tuple) -> list[Piece] | None:
    operators, sides = node[1], node[2]
    if operators == ("in",):
        return _pieces(sides[1])
    names = symbols(*sides)
    if len(names) != 1 or len(sides) > 3 or (len(sides) == 3 and symbols(sides[0], sides[2])):
        return None
    result = list(_ALL)
    for index, operator in enumerate(operators):
        piece = _solved(operator, sides[index], sides[index + 1], next(iter(names)))
        if piece is None:
            return None
        result = _intersection(result, piece)
    return result


def _solved(operator: str, left: tuple, right: tuple, name: str) -> list[Piece] | None:
    """Solutions of an inequality in one symbol: linear, between |linear| and a constant, or of a rational function."""
    if operator not in _MIRRORED or any(side[0] not in _LINEAR for side in (left, right)):
        return None
    if not symbols(left):
        left, right, operator = right, left, _MIRRORED[operator]
    if right in (("const", "infty"), ("neg", ("const", "infty"))):
        return _half_line(operator, None) if left[0] == "sym" else None
    if left[:2] == ("call", "abs") and not symbols(right):
        return _solved_absolute(operator, left[2][0], right, name)
    if left == ("sym", name) and not symbols(right):
        bound = _end(right)
        return None if bound is False else _half_line(operator, bound)
    difference = ("add", (left, ("neg", right)))
    line = _linear(difference, name)
    if line is None or not line[0]:
        pieces = solved_rational(operator, difference, name)
        return None if pieces is None else list(pieces)
    return _half_line(operator if line[0] > 0 else _MIRRORED[operator], -line[1] / line[0])


def _solved_absolute(operator: str, inner: tuple, bound: tuple, name: str) -> list[Piece] | None:
    line, size = _linear(inner, name), _end(bound)
    if line is None or not line[0] or size is False or size is None or size <= 0:
        return None
    low, high = sorted(((-size - line[1]) / line[0], (size - line[1]) / line[0]))
    closed = operator in ("<=", ">=")
    within: list[Piece] = [(low, closed, high, closed)]
    if operator in ("<", "<="):
        return within
    if operator in (">", ">="):
        return [(None, False, low, closed), (high, closed, None, False)]
    return None


def _linear(node: tuple, name: str) -> tuple[Fraction, Fraction] | None:
    """(a, b) of a formula that is a x + b with rational a and b, seen at four points."""
    values = [
        exact(replaced(node, ("sym", name), ("num", Fraction(x), None, 1))) for x in (0, 1, 2, 5)
    ]
    if None in values:
        return None
    zero, one, two, five = values
    slope = one - zero
    return (slope, zero) if two == zero + 2 * slope and five == zero + 5 * slope else None


def _half_line(operator: str, bound: Fraction | None) -> list[Piece] | None:
    """Solutions of `x operator bound`; a bound of None is infinite."""
    if bound is None:
        return list(_ALL) if operator in ("<", ">") else None
    if operator in ("<", "<="):
        return [(None, False, bound, operator == "<=")]
    if operator in (">", ">="):
        return [(bound, operator == ">=", None, False)]
    if operator == "!=":
        return [(None, False, bound, False), (bound, False, None, False)]
    return None


def _low_key(piece: Piece) -> tuple:
    return (piece[0] is not None, piece[0] or 0, not piece[1])


def _merged(pieces: list[Piece]) -> list[Piece]:
    result: list[Piece] = []
    for low, low_closed, high, high_closed in sorted(pieces, key=_low_key):
        if (
            low is not None
            and high is not None
            and (low > high or (low == high and not (low_closed and high_closed)))
        ):
            continue
        if result:
            before = result[-1]
            touching = before[2] is None or low is None or low < before[2]
            touching = touching or (low == before[2] and (low_closed or before[3]))
            if touching:
                higher = max(
                    (before[2], before[3]),
                    (high, high_closed),
                    key=lambda end: (end[0] is None, end[0] or 0, end[1]),
                )
                result[-1] = (before[0], before[1], higher[0], higher[1])
                continue
        result.append((low, low_closed, high, high_closed))
    return result


def _complement(pieces: list[Piece]) -> list[Piece]:
    result: list[Piece] = []
    low: Fraction | None = None
    low_closed, open_below = False, True
    for piece in pieces:
        if piece[0] is not None:
            result.append((low, low_closed, piece[0], not piece[1]))
        low, low_closed = piece[2], not piece[3]
        open_below = low is not None
    if open_below:
        result.append((low, low_closed and low is not None, None, False))
    return _merged(result)


def _intersection(first: list[Piece], second: list[Piece]) -> list[Piece]:
    result = []
    for a in first:
        for b in second:
            low = max(
                (a[0], a[1]),
                (b[0], b[1]),
                key=lambda end: (end[0] is not None, end[0] or 0, not end[1]),
            )
            high = min(
                (a[2], a[3]), (b[2], b[3]), key=lambda end: (end[0] is None, end[0] or 0, end[1])
            )
            result.append((*low, *high))
    return _merged(result)
