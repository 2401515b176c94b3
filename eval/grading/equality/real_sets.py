"""Sets of real numbers, read from formulas into the pieces of pieces.py.

Read from intervals, unions, inequalities, set-builder notation, ℝ, ∅, finite sets and differences.
A set with symbols in its ends has no such form (None).
"""

import math
from dataclasses import dataclass
from fractions import Fraction

from eval.grading.equality.pieces import (
    INFINITE,
    WHOLE_LINE,
    End,
    Piece,
    complement,
    intersection,
    merged,
    single_point,
)
from eval.grading.equality.rational_inequalities import solved_rational
from eval.grading.formula.exact_value import exact
from eval.grading.formula.nodes import (
    INFINITY,
    MINUS_INFINITY,
    Bracketed,
    Call,
    Constant,
    Intersection,
    Listing,
    Matrix,
    NamedSet,
    Negative,
    Node,
    Numeral,
    Percent,
    Power,
    Product,
    Quotient,
    Relation,
    SetBuilder,
    SetDifference,
    SetOf,
    Sum,
    Symbol,
    Text,
    Union,
    replaced,
    symbols,
    whole_number,
)
from eval.grading.formula.same_value import value_of

_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "!=": "!="}
_SOLVABLE = (Numeral, Symbol, Constant, Sum, Product, Quotient, Negative, Power, Call, Percent)
_NOT_AN_END = (Bracketed, SetOf, Listing, Relation, Text, Matrix, NamedSet, Union)
_MAX_POINTS = 1000  # whole numbers of a set


@dataclass(frozen=True, slots=True)
class Line:
    """slope x + offset"""

    slope: Fraction
    offset: Fraction


def as_real_set(node: Node) -> list[Piece] | None:
    """Merged pieces of a set; None when this module cannot read it. Raises FormulaLimit."""
    pieces = _pieces(node)
    return None if pieces is None else merged(pieces)


def _pieces(node: Node) -> list[Piece] | None:
    match node:
        case NamedSet("R"):
            return [WHOLE_LINE]
        case NamedSet("empty"):
            return []
        case Bracketed("(" | "[", _, (_, _)):
            return _interval(node)
        case Union(parts):
            return _united(parts)
        case Intersection(parts):
            return _intersected(parts)
        case SetDifference(left, right):
            return _difference(left, right)
        case SetOf(items):
            return _points(items)
        case Relation():
            return _from_relation(node)
        case SetBuilder():
            return _from_builder(node)
        case Listing(items) if all(isinstance(item, Relation) for item in items):
            return _from_list(items)
    return None


# --- written as sets


def _interval(node: Bracketed) -> list[Piece] | None:
    left, right = node.items
    low = _end(left, node.opening == "[")
    high = _end(right, node.closing == "]")
    # (∞, 1) and (1, -∞) are no intervals.
    if low is None or high is None or left == INFINITY or right == MINUS_INFINITY:
        return None
    return [Piece(low, high)]


def _end(node: Node, closed: bool = False) -> End | None:
    """An end with this value, infinite ones always open; None for what is no constant."""
    if node in (INFINITY, MINUS_INFINITY):
        return INFINITE
    if isinstance(node, _NOT_AN_END):
        return None
    value = value_of(node)
    return None if value is None else End(value, closed)


def _points(items: tuple[Node, ...]) -> list[Piece] | None:
    points: list[Piece] = []
    for value in [_element_value(item) for item in items]:
        if value is None:
            return None
        points.append(single_point(value))
    return points


def _element_value(item: Node) -> Fraction | None:
    if isinstance(item, Bracketed | Relation | Text):
        return None
    return value_of(item)


def _from_builder(node: SetBuilder) -> list[Piece] | None:
    match node.element:
        case Relation(("in",), (_, NamedSet("Z" | "N" as name))):  # {x ∈ ℤ | …}
            return _whole_numbers(_pieces(node.condition), natural=name == "N")

    match node.condition:
        case Listing(conditions):  # {x | x ∈ ℝ, x > 1}: all conditions hold
            told = [part for part in conditions if not _is_membership_of_reals(part)]
            return _intersected(tuple(told))
    return _pieces(node.condition)


def _is_membership_of_reals(node: Node) -> bool:
    match node:
        case Relation(("in",), (_, NamedSet("R"))):
            return True
    return False


def _whole_numbers(pieces: list[Piece] | None, natural: bool) -> list[Piece] | None:
    """The whole numbers of a bounded set, as points."""
    if pieces is None:
        return None

    points = []
    for piece in pieces:
        low, high = piece.low.value, piece.high.value
        if natural and (low is None or low < 0):
            low = Fraction(0)
        if low is None or high is None or high - low > _MAX_POINTS:
            return None

        for number in range(math.ceil(low), math.floor(high) + 1):
            behind_low = number > low or piece.low.closed or natural
            before_high = number < high or piece.high.closed
            if behind_low and before_high:
                points.append(single_point(Fraction(number)))
    return points


# --- combined sets


def _parts(nodes: tuple[Node, ...]) -> list[list[Piece]] | None:
    """The pieces of each set; None when there is none or one of them cannot be read."""
    sets: list[list[Piece]] = []
    for pieces in [_pieces(node) for node in nodes]:
        if pieces is None:
            return None
        sets.append(pieces)
    return sets or None


def _united(nodes: tuple[Node, ...]) -> list[Piece] | None:
    sets = _parts(nodes)
    if sets is None:
        return None
    return merged([piece for pieces in sets for piece in pieces])


def _intersected(nodes: tuple[Node, ...]) -> list[Piece] | None:
    sets = _parts(nodes)
    if sets is None:
        return None
    result = merged(sets[0])
    for pieces in sets[1:]:
        result = intersection(result, merged(pieces))
    return result


def _difference(left: Node, right: Node) -> list[Piece] | None:
    sets = _parts((left, right))
    if sets is None:
        return None
    kept, removed = sets
    return intersection(merged(kept), complement(merged(removed)))


def _from_list(relations: tuple[Node, ...]) -> list[Piece] | None:
    """x < 1, x > 3 is a union; x > 1, x < 3 would be everything then, so it is an intersection."""
    union = _united(relations)
    return _intersected(relations) if union == [WHOLE_LINE] else union


# --- inequalities


def _from_relation(node: Relation) -> list[Piece] | None:
    """Solutions of an inequality or a chain of two in one symbol, which stands in the middle."""
    sides = node.sides
    if node.operators == ("in",):
        return _pieces(sides[1])
    if node.operators == ("notin",):
        excluded = _pieces(sides[1])
        return None if excluded is None else complement(merged(excluded))
    names = symbols(*sides)
    if len(names) != 1 or len(sides) > 3:
        return None
    if len(sides) == 3 and symbols(sides[0], sides[2]):
        return None

    # a < x < b: what solves both.
    [name] = names
    result = [WHOLE_LINE]
    for operator, left, right in zip(node.operators, sides[:-1], sides[1:], strict=True):
        pieces = _solved(operator, left, right, name)
        if pieces is None:
            return None
        result = intersection(result, pieces)
    return result


def _solved(operator: str, left: Node, right: Node, name: str) -> list[Piece] | None:
    """Solutions of an inequality in one symbol: linear, of |linear|, or of a rational function."""
    if operator not in _MIRRORED:
        return None
    if not isinstance(left, _SOLVABLE) or not isinstance(right, _SOLVABLE):
        return None
    # The symbol to the left: 3 > x is x < 3.
    if not symbols(left):
        left, right, operator = right, left, _MIRRORED[operator]

    if right in (INFINITY, MINUS_INFINITY):
        return _half_line(operator, None) if isinstance(left, Symbol) else None
    if not symbols(right):
        match left:
            case Call("abs", (inner, *_)):
                return _solved_absolute(operator, inner, right, name)
            case Symbol():
                bound = _end(right)
                return None if bound is None else _half_line(operator, bound.value)

    # Dividing by a negative slope turns the inequality round.
    difference = Sum((left, Negative(right)))
    line = as_line(difference, name)
    if line is None or not line.slope:
        solved = solved_rational(operator, difference, name)
        return None if solved is None else list(solved)
    if line.slope < 0:
        operator = _MIRRORED[operator]
    return _half_line(operator, -line.offset / line.slope)


def _solved_absolute(operator: str, inner: Node, bound: Node, name: str) -> list[Piece] | None:
    """Solutions of |line| < bound and the like."""
    line = as_line(inner, name)
    size = _end(bound)
    if line is None or not line.slope:
        return None
    if size is None or size.value is None or size.value <= 0:
        return None

    first = (-size.value - line.offset) / line.slope
    second = (size.value - line.offset) / line.slope
    closed = operator in ("<=", ">=")
    low, high = End(min(first, second), closed), End(max(first, second), closed)
    if operator in ("<", "<="):
        return [Piece(low, high)]
    if operator in (">", ">="):
        return [Piece(INFINITE, low), Piece(high, INFINITE)]
    return None


def as_line(node: Node, name: str) -> Line | None:
    """A formula that is a x + b with rational a and b, seen at four points."""
    at_0, at_1, at_2, at_5 = (
        exact(replaced(node, Symbol(name), whole_number(x))) for x in (0, 1, 2, 5)
    )
    if at_0 is None or at_1 is None or at_2 is None or at_5 is None:
        return None
    slope = at_1 - at_0
    # Three points are not enough: x + x(x-1)(x-2) is x at 0, 1 and 2.
    straight = at_2 == at_0 + 2 * slope and at_5 == at_0 + 5 * slope
    return Line(slope, at_0) if straight else None


def _half_line(operator: str, bound: Fraction | None) -> list[Piece] | None:
    """Solutions of `x operator bound`; a bound of None is infinite."""
    if bound is None:
        return [WHOLE_LINE] if operator in ("<", ">") else None
    match operator:
        case "<" | "<=":
            return [Piece(INFINITE, End(bound, operator == "<="))]
        case ">" | ">=":
            return [Piece(End(bound, operator == ">="), INFINITE)]
        case "!=":
            return [Piece(INFINITE, End(bound)), Piece(End(bound), INFINITE)]
    return None
