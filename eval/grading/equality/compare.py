"""Whether two parsed answers mean the same: lists, sets, tuples, intervals, matrices, relations, scalars.

Structure is decided by structure, elements by `same_scalar` (exact numbers first, then values at fixed points).
An interval's ends must be open or closed alike, a tuple's order counts, a list's does not.
"""

from collections import Counter
from fractions import Fraction

from eval.grading.equality.canonical import (
    as_interval,
    ascending,
    components,
    either_of,
    expanded,
    integer_parameter,
    items,
    renamed_parameter,
)
from eval.grading.equality.left_hand_side import (
    assigned_values,
    is_name,
    length_name,
    names_a_function,
)
from eval.grading.equality.real_sets import as_real_set, same_real_set
from eval.grading.equality.scalars import same_scalar
from eval.grading.formula.exact_value import exact
from eval.grading.formula.nodes import replaced
from eval.grading.formula.same_value import compare_values, contains, symbols
from eval.grading.formula.tokens import FormulaLimit

_SYMMETRIC = frozenset(["parallel", "perp", "sim", "cong"])
_WRITTEN_EMPTY = (("sym", "phi"), ("sym", "Phi"))
_MAX_PAIRS = 2_500  # element comparisons of two lists that are not plain numbers
_SCALARS = frozenset(
    [
        "num",
        "sym",
        "const",
        "add",
        "mul",
        "div",
        "pow",
        "neg",
        "call",
        "fact",
        "percent",
        "degree",
        "sum",
        "prod",
        "int",
        "lim",
    ]
)


def same_formula(gold: tuple, other: tuple, tolerance: Fraction | None = None) -> bool:
    """Whether `other` answers what `gold` does. Raises FormulaLimit where the static limits forbid a decision."""
    parameters = integer_parameter(gold), integer_parameter(other)
    if (
        None not in parameters
        and parameters[0] not in (parameters[1], None)
        and not contains(other, parameters[0])
    ):
        other = replaced(other, parameters[1], parameters[0])  # type: ignore[assignment,arg-type]
    gold, other = expanded(gold), expanded(other)
    if gold == other:
        return True
    gold, other = either_of(gold, other), either_of(other, gold)
    if "named" in (gold[0], other[0]):
        return _same_sets(gold, other) or (gold == ("named", "empty") and other in _WRITTEN_EMPTY)
    if "mod" in (gold[0], other[0]):
        return _same_residue(gold, other)
    if (
        gold[0] == other[0] == "rel"
        and gold[2][0] == other[2][0]
        and (pair := renamed_parameter(symbols(gold), symbols(other)))
    ):
        other = replaced(other, ("sym", pair[0]), ("sym", pair[1]))
    for node, against in ((gold, other), (other, gold)):
        equation = _single_equation(node) if against[0] not in ("rel", "list") else None
        if (
            equation
            and equation[1][0] in ("set", "matrix", "union", "inter", "group")
            and is_name(equation[0])
        ):
            return (
                same_formula(equation[1], other)
                if node is gold
                else same_formula(gold, equation[1])
            )
    if gold[0] == "matrix" and other[:2] == ("call", "binom"):
        other = ("matrix", tuple((part,) for part in other[2]))  # a column written as \binom{1}{2}
    if "matrix" in (gold[0], other[0]) or "group" in (gold[0], other[0]):
        gold, other = components(gold) or gold, components(other) or other
    for kind in ("list", "set"):
        if gold[0] == kind or other[0] == kind:
            return _same_collection(gold, other, tolerance)
    if gold[0] == "rel" or other[0] == "rel":
        return _same_relation(gold, other, tolerance)
    if gold[0] in _SCALARS and other[0] in _SCALARS:
        return same_scalar(gold, other, tolerance)
    if gold[0] == other[0] == "ratio":
        return _same_ratio(gold[1], other[1])
    if "ratio" in (gold[0], other[0]):
        ratio, single = (gold, other) if gold[0] == "ratio" else (other, gold)
        return (
            len(ratio[1]) == 2
            and single[0] == "div"
            and same_scalar(("div", *ratio[1]), single, None)
        )
    if gold[0] in ("group", "matrix") and other[0] in ("group", "matrix"):
        return _same_rows(gold, other, tolerance)
    return _same_sets(gold, other)


# --- collections


def _same_collection(gold: tuple, other: tuple, tolerance: Fraction | None) -> bool:
    if gold[0] == "group" and other[0] == "list":  # a tuple written without its parentheses
        return (
            (gold[1] != "[" or len(gold[3]) > 2)
            and len(gold[3]) == len(other[1])
            and _elementwise(gold[3], other[1], tolerance)
        )
    if gold[0] == "set" and len(gold[1]) == 1 and gold[1][0][0] == "group" and gold[1][0][1] == "(":
        return same_formula(gold[1][0], other, tolerance)  # the one solution {(0, 0)}
    if other[0] == "group":
        # A Python list stands for a list of answers; for a set only when it cannot be an interval.
        listed = other[1:3] == ("[", "]") and (gold[0] == "list" or len(other[3]) != 2)
        if listed:
            return _same_multiset(items(gold), other[3], tolerance)
        if (
            gold[0] == "list"
            and len(gold[1]) > 2
            and other[1] == "("
            and _elementwise(gold[1], other[3], tolerance)
        ):
            return True
        assigned = gold[0] == "list" and assigned_values(gold[1])
        return (
            bool(assigned)
            and other[1] == "("
            and _elementwise(tuple(assigned), other[3], tolerance)
        )
    if gold[0] == "group" or not _plain_items(gold) or not _plain_items(other):
        return _same_sets(gold, other)
    if "set" in (gold[0], other[0]):
        return _same_multiset(_distinct(items(gold)), _distinct(items(other)), tolerance)
    return _same_multiset(items(gold), items(other), tolerance)


def _plain_items(node: tuple) -> bool:
    return node[0] in (
        "list",
        "set",
        *_SCALARS,
        "text",
        "rel",
        "base",
        "ratio",
        "named",
    ) and not any(item[0] == "rel" and item[1] != ("=",) for item in items(node))


def _distinct(items: tuple) -> tuple:
    kept: list[tuple] = []
    seen: set[object] = set()
    for item in items:
        key = exact(item) if item[0] in _SCALARS else None
        key = item if key is None else key
        if key not in seen:
            seen.add(key)
            kept.append(item)
    return tuple(kept)


def _same_multiset(gold: tuple, other: tuple, tolerance: Fraction | None) -> bool:
    if len(gold) != len(other):
        return False
    left = [exact(item) if item[0] in _SCALARS else None for item in gold]
    right = [exact(item) if item[0] in _SCALARS else None for item in other]
    if None not in left and None not in right and Counter(left) == Counter(right):
        return True
    if len(gold) ** 2 > _MAX_PAIRS:
        raise FormulaLimit("elements")
    rest = list(other)
    for item in gold:
        index = next(
            (i for i, candidate in enumerate(rest) if same_formula(item, candidate, tolerance)),
            None,
        )
        if index is None:
            return False
        del rest[index]
    return True


def _elementwise(gold: tuple, other: tuple, tolerance: Fraction | None) -> bool:
    return len(gold) == len(other) and all(
        same_formula(a, b, tolerance) for a, b in zip(gold, other, strict=True)
    )


def _same_rows(gold: tuple, other: tuple, tolerance: Fraction | None) -> bool:
    """Tuples, vectors, intervals and matrices."""
    if gold[0] == other[0] == "group":
        if gold[1:3] != other[1:3] and not (_is_vector(gold) and _is_vector(other)):
            return _same_sets(gold, other)  # (1, ∞] for (1, ∞)
        return _elementwise(gold[3], other[3], tolerance)
    if gold[0] == other[0]:
        return len(gold[1]) == len(other[1]) and all(
            _elementwise(a, b, tolerance) for a, b in zip(gold[1], other[1], strict=True)
        )
    matrix, group = (gold, other) if gold[0] == "matrix" else (other, gold)
    rows = matrix[1]
    if all(row[0] == "group" for row in group[3]):
        return _ordered(gold is matrix, tuple(rows), tuple(row[3] for row in group[3]), tolerance)
    if group[1] == "[" and len(group[3]) < 3:
        return False
    flat = (
        tuple(row[0] for row in rows)
        if all(len(row) == 1 for row in rows)
        else (rows[0] if len(rows) == 1 else ())
    )
    return bool(flat) and _ordered(gold is matrix, (flat,), (group[3],), tolerance)


def _is_vector(node: tuple) -> bool:
    """(1, 2, 3), [1, 2, 3] and ⟨1, 2⟩ are vectors; two elements in ( ) or [ ] may be an interval."""
    return node[1:3] == ("<", ">") or (
        node[1:3] in (("(", ")"), ("[", "]")) and (len(node[3]) > 2 or node[1] == "(")
    )


def _ordered(gold_first: bool, rows: tuple, others: tuple, tolerance: Fraction | None) -> bool:
    pairs = zip(rows, others, strict=False)
    return len(rows) == len(others) and all(
        _elementwise(a, b, tolerance) if gold_first else _elementwise(b, a, tolerance)
        for a, b in pairs
    )


def _same_residue(gold: tuple, other: tuple) -> bool:
    """1 (mod 3) is x ≡ 1 (mod 3), and 1 where one side leaves the modulus to the question."""
    if gold[0] == other[0] and not same_formula(gold[2], other[2]):
        return False
    return same_formula(
        gold[1] if gold[0] == "mod" else gold, other[1] if other[0] == "mod" else other
    )


def _same_ratio(gold: tuple, other: tuple) -> bool:
    """3 : 4 is 6 : 8, but 2:30 (two digits behind the colon) may be a time of day and is itself only."""
    if len(gold) != len(other):
        return False
    if (
        len(gold) == 2
        and gold[1][0] == "num"
        and gold[1][3] == 2
        and gold[1][1] < 60
        and gold[1][2] is None
    ):
        return gold == other
    left, right = [exact(item) for item in gold], [exact(item) for item in other]
    if None in left or None in right or not left[0] or not right[0]:
        return _elementwise(gold, other, None)
    return all(a * right[0] == b * left[0] for a, b in zip(left, right, strict=True))


def _same_sets(gold: tuple, other: tuple) -> bool:
    """Sets of real numbers in any notation; with symbolic ends, part by part."""
    if gold[0] == other[0] == "rel" and _other_name(gold, other):
        return False
    first, second = as_real_set(gold), as_real_set(other)
    if first is not None and second is not None:
        return same_real_set(first, second)
    gold, other = as_interval(gold, other), as_interval(other, gold)
    if gold[0] == other[0] == "group":
        return gold[1:3] == other[1:3] and _elementwise(gold[3], other[3], None)
    if gold[0] == other[0] and gold[0] in ("union", "inter", "list"):
        return _same_multiset(gold[1], other[1], None)
    if gold[0] == other[0] == "setminus":
        return same_formula(gold[1], other[1]) and same_formula(gold[2], other[2])
    if gold[0] == other[0] == "builder":
        return same_formula(gold[1], other[1]) and same_formula(gold[2], other[2])
    return False


def _other_name(gold: tuple, other: tuple) -> bool:
    """x > 2 and y > 2: inequalities of two different symbols."""
    names = symbols(*gold[2]), symbols(*other[2])
    return (
        len(names[0]) == len(names[1]) == 1
        and names[0] != names[1]
        and "in" not in (*gold[1], *other[1])
    )


# --- relations


def _single_equation(node: tuple) -> tuple | None:
    """(left, right) of an equation; a chain a = b = c counts when what follows a is one value. None: no equation."""
    if node[0] != "rel" or (set(node[1]) != {"="} and node[1] != ("~",)):
        return None
    sides = node[2]
    if (
        len(sides) == 2
        and is_name(sides[1])
        and not is_name(sides[0])
        and sides[0][0] in ("num", "neg", "div", "pow")
    ):
        sides = sides[::-1]  # 5 = x
    rest = sides[1:]
    if len(rest) > 1 and not all(same_formula(rest[-1], side) for side in rest[:-1]):
        return None
    return sides[0], rest[-1]


def _same_relation(gold: tuple, other: tuple, tolerance: Fraction | None) -> bool:
    equations = _single_equation(gold), _single_equation(other)
    if equations[0] and equations[1]:
        return _same_equation(equations[0], equations[1], tolerance)
    if equations[0] and other[0] != "rel":
        left, right = equations[0]
        named = is_name(left) or (not symbols(left) and same_formula(left, right))
        return named and same_formula(right, other, tolerance)
    if equations[1] and gold[0] != "rel":
        left, right = equations[1]
        named = is_name(left) or (not symbols(left) and same_formula(left, right))
        return named and same_formula(gold, right, tolerance)
    if gold[0] == other[0] == "rel" and gold[1] == other[1] and gold[1][0] in _SYMMETRIC:
        return _same_multiset(gold[2], other[2], None)
    if _same_sets(gold, other):
        return True
    return gold[0] == other[0] == "rel" and _same_inequality(gold, other)


def _same_equation(gold: tuple, other: tuple, tolerance: Fraction | None) -> bool:
    gold, other = (length_name(gold[0]), gold[1]), (length_name(other[0]), other[1])
    if gold[0] == other[0] and is_name(gold[0]):
        return same_formula(gold[1], other[1], tolerance)
    if names_a_function(gold[0]) and names_a_function(other[0]):
        return _same_function(gold, other, tolerance)
    if not all(side[0] in _SCALARS for side in (*gold, *other)):
        return (
            gold[0][0] == other[0][0] == "group"
            and gold[0] == other[0]
            and same_formula(gold[1], other[1])
        )
    if symbols(*gold) != symbols(*other) or not symbols(*gold):
        return False
    return compare_values(_difference(gold), _difference(other), ratio=True) is not None


def _same_function(gold: tuple, other: tuple, tolerance: Fraction | None) -> bool:
    """y = x² and f(x) = x²; f(t) = t² with another letter; but not g(x) = x²."""
    (name, right), (other_name, other_right) = gold, other
    if name[0] == other_name[0] == "mul":
        if name[1][0] != other_name[1][0]:
            return False
        other_right = replaced(other_right, other_name[1][1], name[1][1])
    return same_formula(right, other_right, tolerance)


def _difference(sides: tuple) -> tuple:
    return ("add", (sides[0], ("neg", sides[1])))


def _same_inequality(gold: tuple, other: tuple) -> bool:
    gold, other = ascending(gold), ascending(other)
    if gold[1] != other[1]:
        return False
    if _elementwise(gold[2], other[2], None):
        return True
    if (
        len(gold[1]) != 1
        or gold[1][0] not in ("<", "<=")
        or symbols(*gold[2]) != symbols(*other[2])
    ):
        return False
    if not all(side[0] in _SCALARS for side in (*gold[2], *other[2])):
        return False
    return compare_values(_difference(gold[2]), _difference(other[2]), ratio=True) == 1
