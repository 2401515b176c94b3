"""Rewrite a parsed answer into the form that compare.py compares; no comparing here.

± as two answers; `x ∈ S` as S; systems written as a column; scalar times matrix, transposes and
determinants of matrices; conditions such as k ∈ ℤ or x ∈ ℝ beside an answer.
"""

from collections.abc import Callable

from eval.grading.equality.assignments import signed
from eval.grading.formula.nodes import (
    INFINITY,
    MINUS_INFINITY,
    ONE,
    ZERO,
    Bracketed,
    Call,
    Constant,
    Either,
    Intersection,
    Listing,
    Matrix,
    NamedSet,
    Negative,
    Node,
    Numeral,
    PlusMinus,
    Power,
    Product,
    Quotient,
    Relation,
    SetBuilder,
    SetOf,
    Sum,
    Symbol,
    Text,
    Union,
    contains,
    contains_kind,
    replaced,
    symbols,
)

# Letters that usually stand for any whole number, or for a parameter.
_PARAMETERS = frozenset(["k", "n", "m", "l", "t", "z", "p", "q", "j", "c"])
_MAX_DETERMINANT = 4  # rows; the expansion has n! terms

# What may stand behind "x ≠ 1," as one more excluded value.
_EXCLUDABLE = (Numeral, Negative, Quotient, Call, Symbol, Constant)

_SET_LETTERS = frozenset(["R", "Z", "N", "Q", "C"])
_MIRRORED = {">": "<", ">=": "<="}

Rows = tuple[tuple[Node, ...], ...]


def expanded(node: Node) -> Node:
    """The answer in the form that is compared."""
    if isinstance(node, Listing):
        node = _without_conditions(node)

    # Other notations for a list, a set or a point.
    match node:
        case Relation(("in",), (_, whole)):
            return expanded(whole)
        case Power(Bracketed(_, _, (_, _, *_) as parts), Symbol("T")):  # [1, 2]^T
            return Bracketed("(", ")", parts)
        case SetBuilder(Symbol() as element, condition) if _lists_values(element, condition):
            return SetOf(
                tuple(item.sides[1] for item in items(condition) if isinstance(item, Relation))
            )
        case Product((Symbol(name), Bracketed(_, _, (_, _, *_)) as point)):
            if _is_point(name):  # the point A(1, 2)
                return expanded(point)
        case Relation(("=",), (Bracketed() as names, Bracketed() as values)):
            if _are_assigned(names, values):  # (x, y) = (1, 2)
                pairs = zip(names.items, values.items, strict=True)
                equations = [Relation(("=",), pair) for pair in pairs]
                return Listing(tuple(equations))
        case Listing((Relation(("!=",), (name, _)) as first, *others)):
            if all(isinstance(other, _EXCLUDABLE) for other in others):  # x ≠ 1, 2
                excluded = [Relation(("!=",), (name, other)) for other in others]
                node = Intersection((first, *excluded))

    # Inside brackets, ± stays: (±1, 2) is compared element by element.
    if contains_kind(node, PlusMinus) and not isinstance(node, Bracketed | Matrix):
        return _with_both_signs(node)

    if contains_kind(node, Matrix):
        node = _computed_matrix(node)
    match node:
        case Matrix(rows) if all(_is_relation_row(row) for row in rows):  # a system of equations
            column = [relation for [relation] in rows]
            return Listing(tuple(column))
    return node


def _lists_values(element: Symbol, condition: Node) -> bool:
    """The condition of {x | x = 1 or x = 2}."""
    equations = [
        isinstance(item, Relation) and item.operators == ("=",) and item.sides[0] == element
        for item in items(condition)
    ]
    return all(equations)


def _with_both_signs(node: Node) -> Node:
    """What contains ± as its two readings: as a rule, both are answers."""
    match node:
        case SetBuilder(element, condition) if contains_kind(condition, PlusMinus):
            return SetBuilder(element, expanded(condition))
        case Relation(("!=",), _):  # x ≠ ±1 excludes both
            return Intersection((signed(node, "pm"), signed(node, "mp")))
        case Listing(parts) | SetOf(parts):
            both: list[Node] = []
            for part in parts:
                both += items(expanded(part))
            return type(node)(tuple(both))
    return Listing((signed(node, "pm"), signed(node, "mp")))


def _is_relation_row(row: tuple[Node, ...]) -> bool:
    match row:
        case (Relation(),):
            return True
    return False


def items(node: Node) -> tuple[Node, ...]:
    """The elements of a list or set; a single answer is its only element."""
    if isinstance(node, Listing | SetOf):
        return node.items
    return (node,)


def _is_point(name: str) -> bool:
    return len(name) == 1 and name.isupper()


def _are_assigned(names: Bracketed, values: Bracketed) -> bool:
    """A tuple of different symbols on the left of a tuple as long."""
    if not names.opening == values.opening == "(":
        return False
    if len(names.items) != len(values.items) or len(names.items) < 2:
        return False

    symbols_only = all(isinstance(name, Symbol) for name in names.items)
    different = len(set(names.items)) == len(names.items)
    return symbols_only and different


# --- conditions and parameters


def _without_conditions(node: Listing) -> Node:
    """Drop "k ∈ ℤ" and "x ∈ ℝ" beside an answer that is more than that."""
    kept = [item for item in node.items if not _is_condition(item)]
    if not kept or len(kept) == len(node.items):
        return node
    if len(kept) == 1:
        return kept[0]
    return Listing(tuple(kept))


def integer_parameter(node: Node) -> Node | None:
    """The k of an answer "…, k ∈ ℤ"."""
    if not isinstance(node, Listing):
        return None
    names: list[Node] = []
    for item in node.items:
        if isinstance(item, Relation) and _is_condition(item):
            names.append(item.sides[0])
    return names[0] if len(names) == 1 else None


def _is_condition(node: Node) -> bool:
    match node:
        case Relation(("in",), (Symbol(), NamedSet())):
            return True
        case Relation(("in",), (Symbol(), Symbol(name))):
            return name in _SET_LETTERS
    return False


def renamed_parameter(gold: set[str], other: set[str]) -> tuple[str, str] | None:
    """(other's, gold's) name where the two differ in one letter for a whole number."""
    only_gold, only_other = gold - other, other - gold
    if len(only_gold) != 1 or len(only_other) != 1:
        return None
    [gold_name], [other_name] = only_gold, only_other
    if gold_name not in _PARAMETERS or other_name not in _PARAMETERS:
        return None
    return other_name, gold_name


# --- one notation against another


def components(node: Node) -> Node | None:
    """3i - j as (3, -1): the parts of a combination of unit vectors; None for anything else."""
    names = symbols(node)
    units = [f"unit {letter}" for letter in ("ijk" if "unit k" in names else "ij")]
    if not names or not names <= set(units):
        return None

    # The component along a unit vector: the formula with 1 for it and 0 for the others.
    parts = []
    for wanted in units:
        part = node
        for unit in units:
            part = replaced(part, Symbol(unit), ONE if unit == wanted else ZERO)
        parts.append(part)
    return Bracketed("(", ")", tuple(parts))


def either_of(node: Node, against: Node) -> Node:
    """Pairs joined by "or": a union of intervals against a set, else a list of points."""
    if not isinstance(node, Either):
        return node
    if isinstance(against, Union | Relation | SetBuilder | Intersection):
        return Union(node.items)
    return Listing(node.items)


def as_interval(node: Node, against: Node) -> Node:
    """a < x < b as (a, b) and x < a as (-∞, a), where an interval stands against it."""
    if not isinstance(node, Relation) or not isinstance(against, Bracketed | Union):
        return node
    relation = ascending(node)
    if not set(relation.operators) <= {"<", "<="}:
        return node

    # An end that is not written is infinite.
    match relation:
        case Relation((before, behind), (low, Symbol() as name, high)):
            pass
        case Relation((behind,), (Symbol() as name, high)):
            before, low = "<", MINUS_INFINITY
        case Relation((before,), (low, Symbol() as name)):
            behind, high = "<", INFINITY
        case _:
            return node

    if contains(low, name) or contains(high, name):
        return node
    opening = "[" if before == "<=" else "("
    closing = "]" if behind == "<=" else ")"
    return Bracketed(opening, closing, (low, high))


def ascending(node: Relation) -> Relation:
    """3 > x > 1 as 1 < x < 3."""
    if not set(node.operators) <= set(_MIRRORED):
        return node
    operators = [_MIRRORED[operator] for operator in reversed(node.operators)]
    sides = reversed(node.sides)
    return Relation(tuple(operators), tuple(sides))


# --- matrices


def _computed_matrix(node: Node) -> Node:
    """Multiples, transposes and determinants of matrices as the matrix or number that they are."""
    match node:
        case Product(factors):
            return _multiple(factors) or node
        case Quotient(Matrix() as matrix, below):
            return _each_cell(matrix, lambda cell: Quotient(cell, below))
        case Negative(Matrix() as matrix):
            return _each_cell(matrix, Negative)
        case Power(Matrix(rows), Symbol("T") | Text("t")):
            lengths = {len(row) for row in rows}
            if len(lengths) == 1:
                return Matrix(tuple(zip(*rows, strict=True)))
        case Call("det", (Matrix(rows), *_)):
            square = all(len(row) == len(rows) for row in rows)
            if square and len(rows) <= _MAX_DETERMINANT:
                return _determinant(rows)
    return node


def _multiple(factors: tuple[Node, ...]) -> Matrix | None:
    """A product of one matrix and scalars."""
    scalars: list[Node] = []
    matrices: list[Matrix] = []
    for factor in map(_computed_matrix, factors):
        if isinstance(factor, Matrix):
            matrices.append(factor)
        else:
            scalars.append(factor)

    if len(matrices) != 1:
        return None
    return _each_cell(matrices[0], lambda cell: Product((*scalars, cell)))


def _each_cell(matrix: Matrix, change: Callable[[Node], Node]) -> Matrix:
    rows = []
    for row in matrix.rows:
        cells = [change(cell) for cell in row]
        rows.append(tuple(cells))
    return Matrix(tuple(rows))


def _determinant(rows: Rows) -> Node:
    """By expansion along the first row."""
    first, *below = rows
    if not below:
        return first[0]

    terms: list[Node] = []
    for column, cell in enumerate(first):
        minor = [row[:column] + row[column + 1 :] for row in below]
        term = Product((cell, _determinant(tuple(minor))))

        # The signs alternate along the row.
        terms.append(Negative(term) if column % 2 else term)
    return Sum(tuple(terms))
