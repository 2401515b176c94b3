"""Ratios: 3 : 4 is 6 : 8, and three quarters against a fraction."""

from fractions import Fraction

from eval.grading.equality.comparison import Comparison, Nodes
from eval.grading.equality.scalars import same_scalar
from eval.grading.formula.exact_value import exact
from eval.grading.formula.nodes import Node, Numeral, Quotient


def same_ratio(gold: Nodes, other: Nodes, parts: Comparison) -> bool:
    """Whether two ratios are the same up to a factor.

    2:30, with two digits behind the colon, may be a time and is only itself.
    """
    if len(gold) != len(other):
        return False
    match gold:
        case _, Numeral(minutes, None, 2) if minutes < 60:
            return gold == other

    # a : b is c : d when a d = b c; so no division is needed, but the first parts must not be 0.
    first, second = _exact_ratio(gold), _exact_ratio(other)
    if first is None or second is None:
        return parts.exactly().in_order(gold, other)
    return all(a * second[0] == b * first[0] for a, b in zip(first, second, strict=True))


def is_quotient(ratio: Nodes, single: Node) -> bool:
    """Whether a ratio of two is the quotient that stands against it: 3 : 4 and 3/4."""
    if len(ratio) != 2 or not isinstance(single, Quotient):
        return False
    above, below = ratio
    return same_scalar(Quotient(above, below), single, None)


def _exact_ratio(nodes: Nodes) -> list[Fraction] | None:
    """Exact values that do not begin with 0."""
    values: list[Fraction] = []
    for value in [exact(node) for node in nodes]:
        if value is None:
            return None
        values.append(value)
    return values if values[0] else None
