"""Sets of real numbers in any notation, and other sets part by part."""

from eval.grading.equality.canonical import as_interval
from eval.grading.equality.comparison import Comparison
from eval.grading.equality.pieces import same_pieces
from eval.grading.equality.real_sets import as_real_set
from eval.grading.formula.nodes import (
    Bracketed,
    Intersection,
    Listing,
    Node,
    Product,
    Relation,
    SetBuilder,
    SetDifference,
    Symbol,
    Union,
    symbols,
)


def same_sets(gold: Node, other: Node, parts: Comparison) -> bool:
    """Whether both hold the same numbers; with symbols in the ends, part by part."""
    if isinstance(gold, Relation) and isinstance(other, Relation) and _other_name(gold, other):
        return False
    first, second = as_real_set(gold), as_real_set(other)
    if first is not None and second is not None:
        return same_pieces(first, second)

    # 2 ≤ f(x) ≤ 4 against [2, 4]
    first = as_real_set(_of_one_symbol(gold, other)) if first is None else first
    second = as_real_set(_of_one_symbol(other, gold)) if second is None else second
    if first is not None and second is not None:
        return same_pieces(first, second)

    # Symbols in the ends, (a, b): part by part.
    parts = parts.exactly()
    gold, other = as_interval(gold, other), as_interval(other, gold)
    match gold, other:
        case Bracketed(), Bracketed():
            return same_brackets(gold, other) and parts.in_order(gold.items, other.items)
        case (
            (Union(sets), Union(others))
            | (Intersection(sets), Intersection(others))
            | (Listing(sets), Listing(others))
        ):
            return parts.in_any_order(sets, others)
        case SetDifference(), SetDifference():
            return parts.same(gold.left, other.left) and parts.same(gold.right, other.right)
        case SetBuilder(), SetBuilder():
            same_element = parts.same(gold.element, other.element)
            return same_element and parts.same(gold.condition, other.condition)
    return False


def same_brackets(gold: Bracketed, other: Bracketed) -> bool:
    """Whether the ends are open or closed alike."""
    return gold.opening == other.opening and gold.closing == other.closing


def _of_one_symbol(node: Node, against: Node) -> Node:
    """An inequality of f(x) as one of x, where a set stands against it."""
    if not isinstance(node, Relation) or isinstance(against, Relation):
        return node
    sides: list[Node] = []
    for side in node.sides:
        match side:
            case Product((Symbol("f" | "g" | "h"), Symbol() as variable)):
                sides.append(variable)
            case _:
                sides.append(side)
    return Relation(node.operators, tuple(sides))


def _other_name(gold: Relation, other: Relation) -> bool:
    """x > 2 and y > 2: inequalities of two different symbols."""
    if "in" in gold.operators or "in" in other.operators:
        return False
    gold_names, other_names = symbols(*gold.sides), symbols(*other.sides)
    if len(gold_names) != 1 or len(other_names) != 1:
        return False
    return gold_names != other_names
