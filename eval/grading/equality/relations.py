"""Equations and inequalities, against each other and against the bare value."""

from dataclasses import dataclass

from eval.grading.equality.canonical import ascending
from eval.grading.equality.comparison import Comparison
from eval.grading.equality.left_hand_side import is_name, length_name, names_a_function
from eval.grading.equality.sets import same_sets
from eval.grading.formula.nodes import (
    Bracketed,
    Negative,
    Node,
    Numeral,
    Power,
    Product,
    Quotient,
    Relation,
    Scalar,
    Sum,
    Symbol,
    replaced,
    symbols,
)
from eval.grading.formula.same_value import constant_ratio

_SYMMETRIC = frozenset(["parallel", "perp", "sim", "cong"])  # relations without a left and a right


@dataclass(frozen=True, slots=True)
class Equation:
    left: Node
    right: Node


def single_equation(node: Node, parts: Comparison) -> Equation | None:
    """The equation; None for other relations.

    A chain a = b = c counts when what follows a is one value.
    """
    if not isinstance(node, Relation):
        return None
    if set(node.operators) != {"="} and node.operators != ("~",):
        return None

    match node.sides:
        case (Numeral() | Negative() | Quotient() | Power()) as value, name:
            if is_name(name) and not is_name(value):
                return Equation(name, value)  # 5 = x

    # x = 2 + 3 = 5 says that x is 5, if 2 + 3 is.
    left, *others, right = node.sides
    exactly = parts.exactly()
    if not all(exactly.same(right, side) for side in others):
        return None
    return Equation(left, right)


def same_relation(gold: Node, other: Node, parts: Comparison) -> bool:
    """Whether two answers are the same, of which one at least is a relation."""
    gold_equation = single_equation(gold, parts)
    other_equation = single_equation(other, parts)
    if gold_equation and other_equation:
        return _same_equation(gold_equation, other_equation, parts)

    # x = 5 and 5, and a calculation 2 + 3 = 5 and 5
    if gold_equation and not isinstance(other, Relation):
        return _only_names(gold_equation, parts) and parts.same(gold_equation.right, other)
    if other_equation and not isinstance(gold, Relation):
        return _only_names(other_equation, parts) and parts.same(gold, other_equation.right)

    # Inequalities and the like.
    if not isinstance(gold, Relation) or not isinstance(other, Relation):
        return same_sets(gold, other, parts)
    if gold.operators == other.operators and gold.operators[0] in _SYMMETRIC:
        return parts.exactly().in_any_order(gold.sides, other.sides)
    return same_sets(gold, other, parts) or _same_inequality(gold, other, parts)


def _only_names(equation: Equation, parts: Comparison) -> bool:
    """Whether the left side says no more than what the right side is the value of."""
    if is_name(equation.left):
        return True
    return not symbols(equation.left) and parts.exactly().same(equation.left, equation.right)


def _same_equation(gold: Equation, other: Equation, parts: Comparison) -> bool:
    gold = Equation(length_name(gold.left), gold.right)
    other = Equation(length_name(other.left), other.right)
    if gold.left == other.left and is_name(gold.left):
        return parts.same(gold.right, other.right)
    if _function_of(gold, other.left) or _function_of(other, gold.left):
        return parts.same(gold.right, other.right)
    if names_a_function(gold.left) and names_a_function(other.left):
        return _same_function(gold, other, parts)

    sides = (gold.left, gold.right, other.left, other.right)
    if not all(isinstance(side, Scalar) for side in sides):  # (x, y) = …
        same_tuple = isinstance(gold.left, Bracketed) and gold.left == other.left
        return same_tuple and parts.exactly().same(gold.right, other.right)

    # Two equations are one when left - right are multiples of each other.
    names = symbols(gold.left, gold.right)
    if not names or names != symbols(other.left, other.right):
        return False
    gold_difference = _difference(gold.left, gold.right)
    other_difference = _difference(other.left, other.right)
    return constant_ratio(gold_difference, other_difference) is not None


def _function_of(equation: Equation, name: Node) -> bool:
    """x(t) = 2t, where the other side calls it x: the value depends on the variable alone."""
    match equation.left:
        case Product((Symbol(function), Symbol(variable))):
            names = symbols(equation.right)
            return name == Symbol(function) and variable in names and function not in names
    return False


def _same_function(gold: Equation, other: Equation, parts: Comparison) -> bool:
    """y = x² and f(x) = x²; f(t) = t² with another letter; but not g(x) = x²."""
    other_value = other.right
    match gold.left, other.left:
        case Product((function, variable)), Product((other_function, other_variable)):
            if function != other_function:
                return False
            other_value = replaced(other_value, other_variable, variable)
    return parts.same(gold.right, other_value)


def _difference(left: Node, right: Node) -> Node:
    return Sum((left, Negative(right)))


def _same_inequality(gold: Relation, other: Relation, parts: Comparison) -> bool:
    gold, other = ascending(gold), ascending(other)
    if gold.operators != other.operators:
        return False
    if parts.exactly().in_order(gold.sides, other.sides):
        return True

    # x < y and 2x < 2y: left - right are positive multiples of each other.
    if gold.operators not in (("<",), ("<=",)):
        return False
    if symbols(*gold.sides) != symbols(*other.sides):
        return False
    if not all(isinstance(side, Scalar) for side in (*gold.sides, *other.sides)):
        return False
    gold_difference = _difference(*gold.sides)
    other_difference = _difference(*other.sides)
    return constant_ratio(gold_difference, other_difference) == 1
