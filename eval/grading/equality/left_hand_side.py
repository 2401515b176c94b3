"""What stands on the left of "=" only as a name: x, f(x), AB, area. Used by compare.py."""

from eval.grading.formula.nodes import (
    ONE,
    Bracketed,
    Call,
    Constant,
    Degrees,
    Intersection,
    Matrix,
    Negative,
    Node,
    Numeral,
    Power,
    Product,
    Quotient,
    Ratio,
    Relation,
    Sum,
    Symbol,
    Text,
    Union,
)

_NAMED_CALLS = frozenset("abs prime sin cos tan cot sec csc".split())


def is_name(node: Node) -> bool:
    """What may stand for an answer on the left of "=": x, f(x), AB, x + y, area, but not 2x."""
    match node:
        case Symbol() | Text() | Constant("e" | "i"):
            return True
        case Product((Symbol("P"), Relation())):  # P(X = 2)
            return True
        case Degrees(Symbol()):  # the first function of f ∘ g
            return True
        case Ratio(parts) | Union(parts) | Intersection(parts):
            return all(is_name(part) for part in parts)
        case Matrix(rows):
            return all(is_name(cell) for row in rows for cell in row)
        case Bracketed(_, _, items):
            return bool(items) and all(is_name(item) for item in items)
        case Product((*factors, last)):  # f(2): the last factor may be a number
            may_end = is_name(last) or isinstance(last, Numeral | Constant)
            return may_end and all(is_name(factor) for factor in factors)
        case Sum(terms):
            return all(_is_signed_name(term) for term in terms)
        case Quotient(above, below):
            return _is_signed_name(above) and _is_signed_name(below)
        case Call(function, (argument, *_)):  # |z|, f'(x), sin θ
            return function in _NAMED_CALLS and is_name(argument)
        case Power(Symbol(name), exponent):
            # a_n^2 and f^{-1}, but not the square of a plain letter
            return len(name) > 1 or exponent == Negative(ONE)
    return False


def _is_signed_name(node: Node) -> bool:
    if isinstance(node, Negative):
        node = node.inner
    return is_name(node)


def names_a_function(node: Node) -> bool:
    """y, f(x), g(t): the value of a function."""
    match node:
        case Symbol("y") | Product((Symbol("f" | "g" | "h"), Symbol())):
            return True
    return False


def length_name(name: Node) -> Node:
    """|AB| as AB."""
    match name:
        case Call("abs", (Product() as segment, *_)) if is_name(segment):
            return segment
    return name


def assigned_values(items: tuple[Node, ...]) -> tuple[Node, ...] | None:
    """Values of x = 1, y = 2 in the order of writing, when every item assigns to another name."""
    values: dict[Node, Node] = {}
    for item in items:
        match item:
            case Relation(("=",), (name, value)) if is_name(name) and name not in values:
                values[name] = value
            case _:
                return None
    return tuple(values.values())
