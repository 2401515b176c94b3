"""Rewrite a parsed answer into the form that eval.grading.equality.compare compares; no comparing here.

± as two answers; `x ∈ S` as S; systems written as a column; scalar times matrix, transposes and determinants of
matrices; conditions such as k ∈ ℤ or x ∈ ℝ beside an answer.
"""

from fractions import Fraction

from eval.grading.formula.nodes import replaced
from eval.grading.formula.same_value import contains, symbols

_PARAMETERS = frozenset(["k", "n", "m", "l", "t", "z", "p", "q", "j"])


def expanded(node: tuple) -> tuple:
    """The answer in the form that is compared."""
    if node[0] == "list":
        node = _without_conditions(node)
    if node[0] == "rel" and node[1] == ("in",):
        return expanded(node[2][1])
    if (
        node[0] == "mul"
        and len(node[1]) == 2
        and node[1][1][0] == "group"
        and len(node[1][1][3]) > 1
    ):
        label = node[1][0]
        if label[0] == "sym" and len(label[1]) == 1 and label[1].isupper():
            return expanded(node[1][1])  # the point A(1, 2)
    if node[0] == "rel" and node[1] == ("=",) and _are_tuples(*node[2]):
        return (
            "list",
            tuple(("rel", ("=",), pair) for pair in zip(node[2][0][3], node[2][1][3], strict=True)),
        )
    if node[0] == "list" and node[1][0][0] == "rel" and node[1][0][1] == ("!=",):
        node = _all_unequal(node[1]) or node
    if node[0] == "builder" and contains(node[2], "pm"):
        return ("builder", node[1], expanded(node[2]))
    if node[0] == "rel" and node[1] == ("!=",) and contains(node, "pm"):
        return ("inter", (_signed(node, 1), _signed(node, -1)))
    if contains(node, "pm") and node[0] not in ("group", "matrix"):
        if node[0] in ("list", "set"):
            parts = [part for item in node[1] for part in items(expanded(item))]
            return (node[0], tuple(parts))
        return ("list", (_signed(node, 1), _signed(node, -1)))
    if contains(node, "matrix"):
        node = _matrix(node)
    if node[0] == "matrix" and all(len(row) == 1 and row[0][0] == "rel" for row in node[1]):
        return ("list", tuple(row[0] for row in node[1]))  # a system of equations
    return node


def _all_unequal(parts: tuple) -> tuple | None:
    """x ≠ 1, 2 means x ≠ 1 and x ≠ 2."""
    if any(part[0] not in ("num", "neg", "div", "call", "sym", "const") for part in parts[1:]):
        return None
    name = parts[0][2][0]
    return ("inter", (parts[0], *(("rel", ("!=",), (name, part)) for part in parts[1:])))


def _are_tuples(left: tuple, right: tuple) -> bool:
    """(x, y) = (1, 2)"""
    if not left[0] == right[0] == "group" or len(left[3]) != len(right[3]) or len(left[3]) < 2:
        return False
    return (
        left[1] == right[1] == "("
        and all(item[0] == "sym" for item in left[3])
        and len(set(left[3])) == len(left[3])
    )


def items(node: tuple) -> tuple:
    return node[1] if node[0] in ("list", "set") else (node,)


def _signed(node: object, sign: int) -> object:
    """The formula with every ± read with one sign (∓ with the other)."""
    if not isinstance(node, tuple):
        return node
    if node and node[0] == "pm":
        term = _signed(node[3], sign)
        if (node[1] == "pm") != (sign > 0):
            term = ("neg", term)
        return term if node[2] is None else ("add", (_signed(node[2], sign), term))
    return tuple(_signed(part, sign) for part in node)


def _without_conditions(node: tuple) -> tuple:
    """Drop "k ∈ ℤ" and "x ∈ ℝ" beside an answer that is more than that."""
    kept = tuple(item for item in node[1] if not _is_condition(item))
    if not kept or len(kept) == len(node[1]):
        return node
    return kept[0] if len(kept) == 1 else ("list", kept)


def integer_parameter(node: tuple) -> tuple | None:
    """The k of an answer "…, k ∈ ℤ"."""
    names = [item[2][0] for item in node[1] if _is_condition(item)] if node[0] == "list" else []
    return names[0] if len(names) == 1 else None


def _is_condition(node: tuple) -> bool:
    return (
        node[0] == "rel"
        and node[1] == ("in",)
        and node[2][0][0] == "sym"
        and _is_number_set(node[2][1])
    )


def _is_number_set(node: tuple) -> bool:
    return node[0] == "named" or (node[0] == "sym" and node[1] in ("R", "Z", "N", "Q", "C"))


def components(node: tuple) -> tuple | None:
    """3i - j as (3, -1): the parts of a combination of unit vectors; None for anything else."""
    names = symbols(node)
    units = [f"unit {letter}" for letter in ("ijk" if "unit k" in names else "ij")]
    if not names or not names <= set(units):
        return None

    def part(wanted: str) -> tuple:
        result = node
        for unit in units:
            result = replaced(result, ("sym", unit), ("num", Fraction(unit == wanted), None, 1))  # type: ignore[assignment]
        return result

    return ("group", "(", ")", tuple(part(unit) for unit in units))


def either_of(node: tuple, against: tuple) -> tuple:
    """Pairs joined by "or": a union of intervals where a set stands against them, else a list of points."""
    if node[0] != "either":
        return node
    return ("union" if against[0] in ("union", "rel", "builder", "inter") else "list", node[1])


def as_interval(node: tuple, against: tuple) -> tuple:
    """a < x < b as (a, b) and x < a as (-∞, a), where an interval stands against it."""
    if node[0] != "rel" or against[0] not in ("group", "union"):
        return node
    _, operators, sides = ascending(node)
    if not set(operators) <= {"<", "<="}:
        return node
    infinite = ("const", "infty")
    if len(sides) == 2 and sides[0][0] == "sym":
        operators, sides = ("<", *operators), (("neg", infinite), *sides)
    elif len(sides) == 2 and sides[1][0] == "sym":
        operators, sides = (*operators, "<"), (*sides, infinite)
    if (
        len(sides) != 3
        or sides[1][0] != "sym"
        or contains(sides[0], sides[1])
        or contains(sides[2], sides[1])
    ):
        return node
    return (
        "group",
        "[" if operators[0] == "<=" else "(",
        "]" if operators[1] == "<=" else ")",
        (sides[0], sides[2]),
    )


def ascending(node: tuple) -> tuple:
    if node[1] and all(operator in (">", ">=") for operator in node[1]):
        return (
            "rel",
            tuple({">": "<", ">=": "<="}[o] for o in reversed(node[1])),
            tuple(reversed(node[2])),
        )
    return node


def renamed_parameter(gold: set[str], other: set[str]) -> tuple[str, str] | None:
    """(other's, gold's) name where the two differ in one letter that usually stands for any whole number."""
    first, second = gold - other, other - gold
    if len(first) == len(second) == 1 and (first | second) <= _PARAMETERS:
        return next(iter(second)), next(iter(first))
    return None


# --- matrices


def _matrix(node: tuple) -> tuple:
    if node[0] == "mul":
        factors = [_matrix(part) for part in node[1]]
        matrices = [part for part in factors if part[0] == "matrix"]
        if len(matrices) == 1:
            scalars = tuple(part for part in factors if part[0] != "matrix")
            return (
                "matrix",
                tuple(tuple(("mul", (*scalars, cell)) for cell in row) for row in matrices[0][1]),
            )
    if node[0] == "div" and node[1][0] == "matrix":
        return (
            "matrix",
            tuple(tuple(("div", cell, node[2]) for cell in row) for row in node[1][1]),
        )
    if node[0] == "neg" and node[1][0] == "matrix":
        return ("matrix", tuple(tuple(("neg", cell) for cell in row) for row in node[1][1]))
    if node[0] == "pow" and node[1][0] == "matrix" and node[2] in (("sym", "T"), ("text", "t")):
        rows = node[1][1]
        if len({len(row) for row in rows}) == 1:
            return ("matrix", tuple(zip(*rows, strict=True)))
    if node[0] == "call" and node[1] == "det" and node[2][0][0] == "matrix":
        return _determinant(node[2][0][1]) or node
    return node


def _determinant(rows: tuple) -> tuple | None:
    """By expansion along the first row; None for what is not square or larger than 4."""
    if len(rows) > 4 or any(len(row) != len(rows) for row in rows):
        return None
    if len(rows) == 1:
        return rows[0][0]
    terms = []
    for column, cell in enumerate(rows[0]):
        minor = _determinant(tuple(row[:column] + row[column + 1 :] for row in rows[1:]))
        term = ("mul", (cell, minor))
        terms.append(("neg", term) if column % 2 else term)
    return ("add", tuple(terms))
