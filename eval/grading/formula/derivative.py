r"""Derivatives of formulas, by rule: for an integral that one answer leaves standing and the other computes."""

from collections.abc import Callable

from eval.grading.formula.nodes import (
    ONE,
    TWO,
    ZERO,
    Call,
    Constant,
    Negative,
    Node,
    Numeral,
    Power,
    Product,
    Quotient,
    Sum,
    Symbol,
    contains,
    walk,
)

_MOST_NODES = 60  # of a formula; a derivative is several times as large


def _power(base: Node, exponent: int) -> Power:
    return Power(base, Numeral(ONE.value * exponent, None, 1))


# The derivative of each function at its argument u, without the inner derivative.
_OUTER: dict[str, Callable[[Node], Node]] = {
    "sin": lambda u: Call("cos", (u,)),
    "cos": lambda u: Negative(Call("sin", (u,))),
    "tan": lambda u: _power(Call("sec", (u,)), 2),
    "cot": lambda u: Negative(_power(Call("csc", (u,)), 2)),
    "sec": lambda u: Product((Call("sec", (u,)), Call("tan", (u,)))),
    "csc": lambda u: Negative(Product((Call("csc", (u,)), Call("cot", (u,))))),
    "arcsin": lambda u: Quotient(ONE, Call("root", (Sum((ONE, Negative(_power(u, 2)))), TWO))),
    "arccos": lambda u: Negative(_OUTER["arcsin"](u)),
    "arctan": lambda u: Quotient(ONE, Sum((ONE, _power(u, 2)))),
    "sinh": lambda u: Call("cosh", (u,)),
    "cosh": lambda u: Call("sinh", (u,)),
    "tanh": lambda u: Quotient(ONE, _power(Call("cosh", (u,)), 2)),
    "exp": lambda u: Call("exp", (u,)),
    "ln": lambda u: Quotient(ONE, u),
    "log": lambda u: Quotient(ONE, u),
    "abs": lambda u: Quotient(u, Call("abs", (u,))),
}


def derivative(node: Node, variable: Node) -> Node | None:
    """d node / d variable; None for what has no rule here or is too long."""
    if sum(1 for _ in walk(node)) > _MOST_NODES:
        return None
    return _derivative(node, variable)


def _derivative(node: Node, variable: Node) -> Node | None:
    if node == variable:
        return ONE
    if isinstance(node, Numeral | Constant | Symbol) or not contains(node, variable):
        return ZERO

    match node:
        case Negative(inner):
            inside = _derivative(inner, variable)
            return None if inside is None else Negative(inside)
        case Sum(terms):
            parts = [_derivative(term, variable) for term in terms]
            known = [part for part in parts if part is not None]
            return Sum(tuple(known)) if len(known) == len(parts) else None
        case Product((first, *others)):
            rest = Product(tuple(others)) if len(others) > 1 else others[0]
            return _of_product(first, rest, variable)
        case Quotient(above, below):
            return _of_product(above, _power(below, -1), variable)
        case Power(base, exponent):
            return _of_power(base, exponent, variable)
        case Call("root", (radicand, degree)):
            return _of_power(radicand, Quotient(ONE, degree), variable)
        case Call(function, (argument,)) if function in _OUTER:
            inside = _derivative(argument, variable)
            return None if inside is None else Product((_OUTER[function](argument), inside))
    return None


def _of_product(first: Node, second: Node, variable: Node) -> Node | None:
    first_part, second_part = _derivative(first, variable), _derivative(second, variable)
    if first_part is None or second_part is None:
        return None
    return Sum((Product((first_part, second)), Product((first, second_part))))


def _of_power(base: Node, exponent: Node, variable: Node) -> Node | None:
    """u^c, or c^u; both at once has no rule here."""
    if not contains(exponent, variable):
        inside = _derivative(base, variable)
        lower = Sum((exponent, Negative(ONE)))
        return None if inside is None else Product((exponent, Power(base, lower), inside))
    if not contains(base, variable):
        inside = _derivative(exponent, variable)
        return (
            None
            if inside is None
            else Product((Power(base, exponent), Call("ln", (base,)), inside))
        )
    return None
