"""Small builders of syntax-tree nodes for the parser of eval.grading.formula.parser."""

from fractions import Fraction

from eval.grading.formula.tokens import FormulaError, FormulaLimit

MAX_LITERAL = 400  # digits of one number
BINDERS = frozenset(["sum", "prod", "int", "lim"])
ONE, TWO = ("num", Fraction(1), None, 1), ("num", Fraction(2), None, 1)


def number_node(text: str) -> tuple:
    if len(text) > MAX_LITERAL:
        raise FormulaLimit("digits")
    mantissa, _, exponent = text.lower().partition("e")
    if exponent and abs(int(exponent)) > 1000:
        raise FormulaLimit("exponent")
    whole, _, part = mantissa.partition(".")
    value = Fraction(int(whole + part), 10 ** len(part)) * Fraction(10) ** int(exponent or 0)
    return ("num", value, len(part) if part else None, len((whole + part).lstrip("0")) or 1)


def mixed_node(whole: tuple, part: tuple, strict: bool) -> tuple:
    above, below = part[1], part[2]
    if above[2] is None and below[2] is None and 0 < above[1] < below[1]:
        return ("num", whole[1] + above[1] / below[1], None, 0)
    if strict or (
        above[2] is None and below[2] is None
    ):  # 1\\frac{9}{5} is neither 1.8 nor 2.8 for sure
        raise FormulaError("two numbers side by side")
    return product_node(whole, part)


_SETS = frozenset(["named", "set", "union", "inter", "setminus"])


def sum_node(terms: list[tuple]) -> tuple:
    if (
        len(terms) == 2
        and terms[0][0] in _SETS
        and terms[1][0] == "neg"
        and terms[1][1][0] in _SETS
    ):
        return ("setminus", terms[0], terms[1][1])  # R - {1}
    return terms[0] if len(terms) == 1 else ("add", tuple(terms))


def product_node(left: tuple, right: tuple) -> tuple:
    if left[0] == "mul":
        return ("mul", (*left[1], right))
    return ("mul", (left, right))


_BASES = "zero one two three four five six seven eight nine ten eleven twelve".split()


def subscripted_node(base: tuple, index: tuple) -> tuple:
    if base[0] == "num" and index[0] == "text" and index[1] in _BASES:
        index = ("num", Fraction(_BASES.index(index[1])), None, 1)
    if base[0] == "num" and index[0] == "num":
        return base if index[1] == 10 else ("base", str(base[1]), str(index[1]))
    if base[0] in ("sym", "const"):
        return ("sym", f"{base[1]}_{flat_node(index)}")
    raise FormulaError("subscript of an expression")


def flat_node(node: object) -> str:
    """A name made of a small subtree, for subscripts and decorations."""
    if not isinstance(node, tuple):
        return str(node)
    if node and node[0] == "num":
        return str(node[1])
    parts = node[1:] if node and isinstance(node[0], str) else node
    return " ".join(flat_node(part) for part in parts if part is not None)


def replaced(node: object, old: tuple, new: tuple) -> object:
    """The tree with every `old` subtree replaced."""
    if node == old:
        return new
    return tuple(replaced(part, old, new) for part in node) if isinstance(node, tuple) else node


def bound_depth(node: object) -> int:
    """How many summation indices the tree binds already, one in another."""
    if not isinstance(node, tuple):
        return 0
    if node and node[0] in BINDERS:
        return max(node[-1] + 1, *(bound_depth(part) for part in node[1:-1]))
    return max((bound_depth(part) for part in node), default=0)


def binder(kind: str, *parts: object, body: tuple, variable: tuple) -> tuple:
    """A sum, product, integral or limit; its variable is renamed, so that equal ones with other letters are equal."""
    index = bound_depth(body)
    return (kind, *parts, replaced(body, variable, ("bound", index)), index)
