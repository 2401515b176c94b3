"""A list or a set against anything: elements in any order, and other notations for both."""

from fractions import Fraction

from eval.grading.equality.canonical import items
from eval.grading.equality.comparison import Comparison, Nodes
from eval.grading.equality.left_hand_side import assigned_values
from eval.grading.equality.sets import same_sets
from eval.grading.formula.exact_value import exact
from eval.grading.formula.nodes import (
    Bracketed,
    InBase,
    Listing,
    NamedSet,
    Node,
    Ratio,
    Relation,
    Scalar,
    SetOf,
    Text,
    symbols,
)

_PLAIN = (Listing, SetOf, Scalar, Text, Relation, InBase, Ratio, NamedSet)
_CONDITIONS = frozenset(["<", "<=", ">", ">=", "!=", "in"])  # on the variable of a function


def same_collection(gold: Node, other: Node, parts: Comparison) -> bool:
    """Whether two answers are the same, of which one at least is a list or a set."""
    match gold, other:
        case Bracketed("[", "]", elements), Listing(others) if _are_points(elements):
            return parts.in_any_order(elements, others)
        case Bracketed(opening, _, elements), Listing(others):  # a tuple without its parentheses
            may_be_tuple = opening != "[" or len(elements) > 2
            return may_be_tuple and parts.in_order(elements, others)
        case SetOf((Bracketed("(") as point,)), _:  # the one solution {(0, 0)}
            return parts.same(point, other)
        case _, SetOf((Bracketed("(") as point,)):
            return parts.same(gold, point)
        case _, Bracketed():
            return _is_bracketed(gold, other, parts)

    # 3x + 2, x > 0 against 3x + 2
    plain_gold, plain_other = _without_domain(gold, other), _without_domain(other, gold)
    if (plain_gold, plain_other) != (gold, other):
        return parts.same(plain_gold, plain_other)

    # An interval, or elements that are sets themselves: what counts is the set of numbers.
    if isinstance(gold, Bracketed) or not _has_plain_items(gold) or not _has_plain_items(other):
        return same_sets(gold, other, parts)

    # A set has no repetitions, a list of answers may.
    gold_items, other_items = items(gold), items(other)
    if isinstance(gold, SetOf) or isinstance(other, SetOf):
        gold_items, other_items = _distinct(gold_items), _distinct(other_items)
    return parts.in_any_order(gold_items, other_items)


def _are_points(elements: Nodes) -> bool:
    return all(isinstance(element, Bracketed) for element in elements)


def _without_domain(node: Node, against: Node) -> Node:
    """A function without the condition on its variable, against one without condition."""
    match node, against:
        case Listing(
            (Scalar() | Relation(("=",), _) as value, Relation(operators, sides))
        ), Scalar():
            names = symbols(*sides)
            if set(operators) <= _CONDITIONS and len(names) == 1 and names <= symbols(value):
                return value
    return node


def _is_bracketed(gold: Node, other: Bracketed, parts: Comparison) -> bool:
    """Whether the brackets stand for the list or set."""
    # A Python list stands for a list of answers; for a set only when it cannot be an interval.
    is_python_list = other.opening == "[" and other.closing == "]"
    may_be_interval = len(other.items) == 2 and not isinstance(gold, Listing)
    if is_python_list and not may_be_interval:
        return parts.in_any_order(items(gold), other.items)
    if not isinstance(gold, Listing) or other.opening != "(":
        return False

    if len(gold.items) > 2 and parts.in_order(gold.items, other.items):
        return True
    assigned = assigned_values(gold.items)  # x = 1, y = 2 and (1, 2)
    return assigned is not None and parts.in_order(assigned, other.items)


def _has_plain_items(node: Node) -> bool:
    """Whether the answer, or each element of it, is no set and no inequality."""
    if not isinstance(node, _PLAIN):
        return False
    return not any(_is_inequality(item) for item in items(node))


def _is_inequality(node: Node) -> bool:
    return isinstance(node, Relation) and node.operators != ("=",)


def _distinct(nodes: Nodes) -> Nodes:
    """The elements without repetitions, by exact value where there is one."""
    kept: dict[Node | Fraction, Node] = {}
    for node in nodes:
        value = exact(node) if isinstance(node, Scalar) else None
        key = node if value is None else value
        kept.setdefault(key, node)
    return tuple(kept.values())
