r"""The syntax tree of a formula, and how to walk through it.

Nodes are frozen: trees are shared between threads, kept in caches and compared with `==` and
`hash`. Two formulas are the same tree when they are written the same way; `x + y` and `y + x` are
different trees with the same value.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from operator import is_


class Node:
    """Base of all nodes. Fields that are nodes, or tuples of them, are the node's children."""

    __slots__: tuple[str, ...] = ()


class Scalar(Node):
    """What stands for one value that can be computed, without structure to compare part by part."""

    __slots__ = ()


class Binder(Scalar):
    r"""A formula with a variable of its own: \sum, \prod, \int, \lim.

    In the body, the variable is BoundVariable(index). The index counts the binders inside the body,
    so two equal sums that are written with different letters are equal trees.
    """

    __slots__ = ()

    index: int


# --- single values


@dataclass(frozen=True, slots=True)
class Numeral(Scalar):
    """A number as it is written: 2.50 has 2 decimals and 3 digits.

    `decimals` is None for a number without a decimal point.
    """

    value: Fraction
    decimals: int | None
    digits: int


@dataclass(frozen=True, slots=True)
class Symbol(Scalar):
    """A free variable; decorations and subscripts belong to its name: "x", "x_1", "vec a", "f'"."""

    name: str


@dataclass(frozen=True, slots=True)
class Constant(Scalar):
    """ "pi", "e", "i" or "infty"."""

    name: str


@dataclass(frozen=True, slots=True)
class BoundVariable(Node):
    """The variable of the binder with this index (see Binder), whatever letter the answer uses."""

    index: int


@dataclass(frozen=True, slots=True)
class Text(Node):
    """Words inside a formula, in lower case: a unit, a name."""

    words: str


@dataclass(frozen=True, slots=True)
class NamedSet(Node):
    """A set with a name: "R", "Z", "N", "Q", "C" or "empty"."""

    name: str


@dataclass(frozen=True, slots=True)
class InBase(Node):
    """A number in a base other than ten: 101_2 has the digits "101" and the base "2"."""

    digits: str
    base: str


@dataclass(frozen=True, slots=True)
class Dots(Node):
    r"""The ellipsis \ldots of a sequence."""


# --- arithmetic


@dataclass(frozen=True, slots=True)
class Sum(Scalar):
    terms: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Product(Scalar):
    factors: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Quotient(Scalar):
    above: Node
    below: Node


@dataclass(frozen=True, slots=True)
class Power(Scalar):
    base: Node
    exponent: Node


@dataclass(frozen=True, slots=True)
class Negative(Scalar):
    inner: Node


@dataclass(frozen=True, slots=True)
class Factorial(Scalar):
    inner: Node


@dataclass(frozen=True, slots=True)
class Percent(Scalar):
    inner: Node


@dataclass(frozen=True, slots=True)
class Degrees(Scalar):
    inner: Node


@dataclass(frozen=True, slots=True)
class PlusMinus(Node):
    r"""`left` ± `right`; `sign` is "pm" or "mp", and `left` is None where the sign comes first."""

    sign: str
    left: Node | None
    right: Node


@dataclass(frozen=True, slots=True)
class Call(Scalar):
    """A function of its arguments: sin, root (radicand, degree), log (value[, base]), binom …"""

    function: str
    arguments: tuple[Node, ...]


# --- binders


@dataclass(frozen=True, slots=True)
class Series(Binder):
    """A sum or a product (`operation` "sum" or "prod") of `body` from `low` to `high`."""

    operation: str
    low: Node
    high: Node
    body: Node
    index: int


@dataclass(frozen=True, slots=True)
class Integral(Binder):
    """A definite integral."""

    low: Node
    high: Node
    body: Node
    index: int


@dataclass(frozen=True, slots=True)
class Limit(Binder):
    """The limit of `body` at `target`, from the `side` "+", "-" or "" (both)."""

    target: Node
    side: str
    body: Node
    index: int


@dataclass(frozen=True, slots=True)
class Antiderivative(Node):
    """An integral without its two bounds; `bound` is the one where only one is written."""

    body: Node
    variable: Node
    bound: Node | None = None


# --- structure: collections, sets, relations


@dataclass(frozen=True, slots=True)
class Listing(Node):
    """Answers side by side: "1, 2 and 3"."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Either(Node):
    """Points or intervals, we cannot know which, joined by "or": "(1, 2) or (3, 4)"."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Ratio(Node):
    """3 : 4 : 5"""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class SetOf(Node):
    """A set by its elements: {1, 2}."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class SetBuilder(Node):
    """{`element` | `condition`}"""

    element: Node
    condition: Node


@dataclass(frozen=True, slots=True)
class Union(Node):
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Intersection(Node):
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class SetDifference(Node):
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Bracketed(Node):
    """A tuple, point, vector or interval: "(", "[" or "<" … ")", "]" or ">"."""

    opening: str
    closing: str
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Matrix(Node):
    rows: tuple[tuple[Node, ...], ...]


@dataclass(frozen=True, slots=True)
class Relation(Node):
    """A chain such as a < b <= c: one operator fewer than sides.

    Operators are the values of vocabulary.RELATIONS.
    """

    operators: tuple[str, ...]
    sides: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Residue(Node):
    """`value` mod `modulus`, where the value may be an equation: x = 1 (mod 3)."""

    value: Node
    modulus: Node


# --- nodes with a name


INFINITY = Constant("infty")
MINUS_INFINITY = Negative(INFINITY)
IMAGINARY_UNIT = Constant("i")


def whole_number(value: int) -> Numeral:
    return Numeral(Fraction(value), None, 1)


# Equal to what the parser makes of "0", "1" and "2".
ZERO, ONE, TWO = whole_number(0), whole_number(1), whole_number(2)


# --- walking


def children(node: Node) -> list[Node]:
    """The nodes directly inside this one, in the order of writing."""
    found: list[Node] = []
    for name in node.__slots__:
        value = getattr(node, name)
        if isinstance(value, Node):
            found.append(value)
        elif isinstance(value, tuple):
            for item in value:
                if isinstance(item, Node):
                    found.append(item)
                elif isinstance(item, tuple):  # a row of a matrix
                    found.extend(item)
    return found


def walk(node: Node) -> Iterator[Node]:
    """The node and all nodes inside it, in no particular order."""
    stack = [node]
    while stack:
        part = stack.pop()
        yield part
        stack.extend(children(part))


_LEAVES = (Numeral, Symbol, Constant, BoundVariable, Text)


def map_children(node: Node, change: Callable[[Node], Node]) -> Node:
    """The node with `change` applied to each child; the node itself where no child changes."""
    before = [getattr(node, name) for name in node.__slots__]
    after = [_mapped(value, change) for value in before]

    # Most subtrees stay: sharing them saves time and memory, above all in the terms of a sum.
    if all(map(is_, after, before)):
        return node
    return type(node)(*after)


def _mapped(value: object, change: Callable[[Node], Node]) -> object:
    if isinstance(value, Node):
        return change(value)
    if not isinstance(value, tuple):
        return value

    parts = tuple(_mapped(part, change) for part in value)
    return value if all(map(is_, parts, value)) else parts


def replaced(node: Node, old: Node, new: Node) -> Node:
    """The tree with `new` in the place of every subtree that equals `old`."""
    if node == old:
        return new
    if isinstance(node, _LEAVES):  # most nodes; the terms of a sum are made here
        return node
    return map_children(node, lambda child: replaced(child, old, new))


def symbols(*nodes: Node) -> set[str]:
    """Names of all free symbols."""
    found: set[str] = set()
    stack = list(nodes)
    while stack:
        node = stack.pop()
        if isinstance(node, Symbol):
            found.add(node.name)
        else:
            stack.extend(children(node))
    return found


def contains(node: Node, wanted: Node) -> bool:
    """Whether a subtree equals `wanted`."""
    return any(part == wanted for part in walk(node))


def contains_kind(node: Node, kind: type[Node]) -> bool:
    """Whether a node of this class occurs."""
    return any(isinstance(part, kind) for part in walk(node))
