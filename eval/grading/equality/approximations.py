r"""An exact value with its approximation behind it: \sqrt{2}/2 \approx 0.707."""

from dataclasses import dataclass
from fractions import Fraction

from eval.grading.equality.left_hand_side import is_name
from eval.grading.formula.nodes import Node, Numeral, Percent, Relation, Scalar
from eval.grading.formula.same_value import value_of

# Relative errors: what differs more is no approximation but another number. An approximation with few digits may
# differ more, up to one unit of its last place.
_CLOSE = Fraction(1, 200)
_CLOSE_FOR_FEW_DIGITS = Fraction(1, 50)


@dataclass(frozen=True, slots=True)
class Approximated:
    """`stated` is the exact value, with the name before it ("x = ln 2"), and `rounded` its approximation."""

    stated: Node
    rounded: Node


def approximated(node: Node) -> Approximated | None:
    """Both parts of "a ≈ b" and "x = a ≈ b"; None where nothing exact is stated or the two do not agree."""
    match node:
        case Relation((*operators, "~"), (*sides, rounded)):
            exact = sides[-1]
            if is_name(exact) or not _agree(exact, rounded):
                return None
            stated = Relation(tuple(operators), tuple(sides)) if operators else exact
            return Approximated(stated, rounded)
    return None


def _agree(exact: Node, rounded: Node) -> bool:
    if not isinstance(exact, Scalar) or not isinstance(rounded, Scalar):
        return False
    value, other = value_of(exact), value_of(rounded)
    if value is None or other is None:
        return False
    error = abs(value - other)
    few_digits = min(_last_place(rounded), _CLOSE_FOR_FEW_DIGITS * abs(value))
    return error <= max(few_digits, _CLOSE * abs(value))


def _last_place(node: Node) -> Fraction:
    """One unit of the last written decimal."""
    if isinstance(node, Percent):
        return _last_place(node.inner) / 100
    decimals = node.decimals if isinstance(node, Numeral) else None
    return Fraction(1, 10 ** (decimals or 0))
