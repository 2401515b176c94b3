"""What the parser builds out of parts that it has read: literals, subscripts, binders …"""

from fractions import Fraction

from eval.grading.formula.nodes import (
    Binder,
    BoundVariable,
    Constant,
    InBase,
    Intersection,
    Listing,
    NamedSet,
    Negative,
    Node,
    Numeral,
    Product,
    Quotient,
    SetDifference,
    SetOf,
    Sum,
    Symbol,
    Text,
    Union,
    children,
    replaced,
    whole_number,
)
from eval.grading.formula.tokens import FormulaError, FormulaLimit
from eval.grading.formula.vocabulary import BASE_WORDS

MAX_LITERAL = 400  # digits of one number
_MAX_EXPONENT = 1000  # of a number such as 1e9
_SETS = (NamedSet, SetOf, Union, Intersection, SetDifference)


def numeral(text: str) -> Numeral:
    """12, 2.50 and 1.5e-3 with the decimals and digits that are written."""
    if len(text) > MAX_LITERAL:
        raise FormulaLimit("digits")

    mantissa, _, exponent = text.lower().partition("e")
    if exponent and abs(int(exponent)) > _MAX_EXPONENT:
        raise FormulaLimit("exponent")

    whole, _, decimals = mantissa.partition(".")
    value = Fraction(int(whole + decimals), 10 ** len(decimals))
    value *= Fraction(10) ** int(exponent or 0)

    # 0.050 has three decimals and two digits; 0 has one digit.
    significant = (whole + decimals).lstrip("0")
    return Numeral(
        value,
        decimals=len(decimals) or None,
        digits=len(significant) or 1,
    )


def mixed_number(whole: Numeral, above: Numeral, below: Numeral, strict: bool) -> Node:
    r"""2\frac{1}{2}, and 2 1/2 (`strict`: a mixed number or an error)."""
    whole_numbers = above.decimals is None and below.decimals is None
    if whole_numbers and 0 < above.value < below.value:
        return Numeral(whole.value + above.value / below.value, None, 0)

    # 1\frac{9}{5} may mean 1.8 or 2.8.
    if strict or whole_numbers:
        raise FormulaError("two numbers side by side")
    return product_of(whole, Quotient(above, below))


def sum_of(terms: list[Node]) -> Node:
    """The sum of the terms; ℝ - {1} is a difference of sets."""
    match terms:
        case [single]:
            return single
        case [left, Negative(right)]:
            if isinstance(left, _SETS) and isinstance(right, _SETS):
                return SetDifference(left, right)
    return Sum(tuple(terms))


def product_of(left: Node, right: Node) -> Product:
    """Products of more than two factors are flat."""
    if isinstance(left, Product):
        return Product((*left.factors, right))
    return Product((left, right))


def subscripted(base: Node, index: Node) -> Node:
    """x_1 is a symbol of that name, 101_2 and 101_{two} are numbers in base two."""
    match base, index:
        case Numeral(), Text(words) if words in BASE_WORDS:
            return subscripted(base, whole_number(BASE_WORDS.index(words)))
        case Numeral(digits), Numeral(radix):
            return base if radix == 10 else InBase(str(digits), str(radix))
        case ((Symbol(name) | Constant(name)), _):
            return Symbol(f"{name}_{flat_name(index)}")
    raise FormulaError("subscript of an expression")


def flat_name(node: Node) -> str:
    """A name made of a small subtree, for subscripts and decorations: 2n, n + 2 and 2 - n have three.

    The order of the terms of a sum says nothing: n + 1 and 1 + n have one name.
    """
    match node:
        case Numeral(value):
            return str(value)
        case Symbol(name) | Constant(name) | Text(name):
            return name
        case Product(factors):  # AB is a name as well
            return " ".join(map(flat_name, factors))
        case Negative(inner):
            return f"-({flat_name(inner)})"
        case Sum(terms):
            return "+".join(sorted(map(flat_name, terms)))
        case Listing(items):
            return ",".join(map(flat_name, items))

    parts = [_flat(getattr(node, name)) for name in node.__slots__]
    return f"{type(node).__name__}({' '.join(parts)})"


def _flat(value: object) -> str:
    if isinstance(value, Node):
        return flat_name(value)
    if isinstance(value, tuple):
        return " ".join(_flat(part) for part in value)
    return str(value)


def bind(body: Node, variable: Node) -> tuple[Node, int]:
    """The body of a binder with its variable renamed, and the index of the binder."""
    index = _binders_inside(body)
    return replaced(body, variable, BoundVariable(index)), index


def _binders_inside(node: Node) -> int:
    """How many binders are nested in each other at the deepest place of the tree."""
    inside = [_binders_inside(child) for child in children(node)]
    depth = max(inside, default=0)
    if isinstance(node, Binder):
        return max(depth, node.index + 1)
    return depth
