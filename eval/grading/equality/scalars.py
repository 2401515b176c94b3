"""Whether two formulas without structure (numbers, functions of symbols) have the same value."""

from fractions import Fraction

from eval.grading.formula.exact_value import exact
from eval.grading.formula.nodes import replaced
from eval.grading.formula.same_value import contains, same_value, symbols, value_of
from eval.grading.normalise.numbers import Number, same_number


def same_scalar(gold: tuple, other: tuple, tolerance: Fraction | None) -> bool:
    """Numbers by the rules of eval.grading.normalise.numbers, everything else by value."""
    left, right = exact(gold), exact(other)
    if left is not None and right is not None:
        return same_number(_as_number(gold, left), _as_number(other, right), tolerance)
    written = _written(gold) or _written(other)
    if written and not symbols(gold, other):
        first = left if left is not None else value_of(gold)
        second = right if right is not None else value_of(other)
        if first is None or second is None:
            return False
        if abs(first - second) <= abs(first) / 2**100:
            return True  # sin 30° and 0.5
        return same_number(
            _as_number(gold, first, rounded=left is None),
            _as_number(other, second, rounded=right is None),
            tolerance,
        )
    if (
        symbols(gold) ^ symbols(other) == {"C", "c"}
        and "c" in symbols(other)
        and _integrated(gold)
        and _integrated(other)
    ):
        other = replaced(other, ("sym", "c"), ("sym", "C"))  # type: ignore[assignment]
    if symbols(gold) != symbols(other) and not (symbols(gold) and symbols(other)):
        return _constant_after_all(gold, other)
    if same_value(gold, other):
        return True
    if not contains(gold, "log") and not contains(other, "log"):
        return False
    # log without a base is natural in analysis and decimal at school
    return same_value(_decimal_logarithms(gold), _decimal_logarithms(other))


def _decimal_logarithms(node: object) -> object:
    if not isinstance(node, tuple):
        return node
    if node[:2] == ("call", "log") and len(node[2]) == 1:
        return ("call", "lg", (_decimal_logarithms(node[2][0]),))
    return tuple(_decimal_logarithms(part) for part in node)


def _integrated(node: tuple) -> bool:
    """A sum that ends with a constant of integration."""
    return node[0] == "add" and node[1][-1] in (("sym", "C"), ("sym", "c"))


def _constant_after_all(gold: tuple, other: tuple) -> bool:
    """x - x + 1 against 1: one side has symbols that cancel."""
    return same_value(gold, other)


def _written(node: tuple) -> bool:
    """A number literal written as a decimal, with or without a sign."""
    node = node[1] if node[0] == "neg" else node
    return node[0] == "num" and node[2] is not None


def _as_number(node: tuple, value: Fraction, rounded: bool = False) -> Number:
    inner = node[1] if node[0] == "neg" else node
    if inner[0] == "percent":
        return Number(value, percent=True)
    if inner[0] == "num":
        return Number(value, inner[2], inner[3])
    return Number(value, rounded=rounded)
