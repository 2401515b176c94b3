"""Tuples, vectors, intervals and matrices: what is compared entry by entry, brackets included."""

from eval.grading.equality.canonical import components
from eval.grading.equality.comparison import Comparison
from eval.grading.equality.sets import same_brackets, same_sets
from eval.grading.formula.nodes import Bracketed, Call, Matrix, Node


def same_rows(gold: Bracketed | Matrix, other: Bracketed | Matrix, parts: Comparison) -> bool:
    """Whether two answers in brackets have the same entries in the same places."""
    match gold, other:
        case Bracketed(), Bracketed():
            both_vectors = _is_vector(gold) and _is_vector(other)
            if both_vectors or same_brackets(gold, other):
                return parts.in_order(gold.items, other.items)
            return same_sets(gold, other, parts)  # (1, ∞] for (1, ∞)
        case Matrix(), Matrix():
            return _same_entries(gold, other, parts)
        case Matrix(), Bracketed():
            shaped = _shaped_like(gold, other)
            return shaped is not None and _same_entries(gold, shaped, parts)
        case Bracketed(), Matrix():
            shaped = _shaped_like(other, gold)
            return shaped is not None and _same_entries(shaped, other, parts)
    return False


def _same_entries(gold: Matrix, other: Matrix, parts: Comparison) -> bool:
    if len(gold.rows) != len(other.rows):
        return False
    pairs = zip(gold.rows, other.rows, strict=True)
    return all(parts.in_order(row, other_row) for row, other_row in pairs)


def _shaped_like(matrix: Matrix, brackets: Bracketed) -> Matrix | None:
    """The brackets as a matrix: a list of rows, or a vector as a column or row like the matrix."""
    rows = [item.items for item in brackets.items if isinstance(item, Bracketed)]
    if len(rows) == len(brackets.items):
        return Matrix(tuple(rows))
    if brackets.opening == "[" and len(brackets.items) < 3:
        return None  # may be an interval

    is_column = all(len(row) == 1 for row in matrix.rows)
    if is_column:
        column = [(item,) for item in brackets.items]
        return Matrix(tuple(column))
    return Matrix((brackets.items,))


def _is_vector(node: Bracketed) -> bool:
    """(1, 2), [1, 2, 3] and ⟨1, 2⟩ may be vectors; [1, 2] is an interval."""
    match node.opening, node.closing:
        case ("<", ">") | ("(", ")"):
            return True
        case "[", "]":
            return len(node.items) > 2
    return False


# --- other notations for vectors


def as_vectors(gold: Node, other: Node) -> tuple[Node, Node]:
    r"""3i - j as (3, -1) beside a vector, and \binom{1}{2} as a column beside a matrix."""
    if isinstance(gold, Matrix):
        other = _as_column(other)
    elif isinstance(other, Matrix):
        gold = _as_column(gold)

    vectors = (Matrix, Bracketed)
    if not isinstance(gold, vectors) and not isinstance(other, vectors):
        return gold, other
    return components(gold) or gold, components(other) or other


def _as_column(node: Node) -> Node:
    match node:
        case Call("binom", entries):
            column = [(entry,) for entry in entries]
            return Matrix(tuple(column))
    return node
