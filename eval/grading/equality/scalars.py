"""Whether two formulas without structure (numbers, functions of symbols) have the same value."""

import re
from fractions import Fraction

from eval.grading.formula.exact_value import exact
from eval.grading.formula.nodes import (
    Call,
    Constant,
    Negative,
    Node,
    Numeral,
    Percent,
    Power,
    Product,
    Sum,
    Symbol,
    contains,
    map_children,
    replaced,
    symbols,
    walk,
)
from eval.grading.formula.same_value import same_value, value_of
from eval.grading.normalise.numbers import Number, same_number

_CONSTANTS_OF_INTEGRATION = frozenset([Symbol("C"), Symbol("c"), Symbol("K")])
_CONSTANT_FACTORS = _CONSTANTS_OF_INTEGRATION | {Symbol("A")}
_NUMBERED_CONSTANT = re.compile(r"[CcKk]_(\d)")


def same_scalar(gold: Node, other: Node, tolerance: Fraction | None) -> bool:
    """Numbers by the rules of eval.grading.normalise.numbers, everything else by value."""
    gold_exact, other_exact = exact(gold), exact(other)
    if gold_exact is not None and other_exact is not None:
        return same_number(_number(gold, gold_exact), _number(other, other_exact), tolerance)

    gold_names, other_names = symbols(gold), symbols(other)
    if (_is_decimal(gold) or _is_decimal(other)) and not gold_names and not other_names:
        gold_value = gold_exact if gold_exact is not None else value_of(gold)
        other_value = other_exact if other_exact is not None else value_of(other)
        if gold_value is None or other_value is None:
            return False
        if abs(gold_value - other_value) <= abs(gold_value) / 2**100:
            return True  # sin 30° and 0.5

        # 1.41 and √2: the digits that are written decide.
        return same_number(
            _number(gold, gold_value, rounded=gold_exact is None),
            _number(other, other_value, rounded=other_exact is None),
            tolerance,
        )

    if gold_names != other_names and not (gold_names and other_names):
        return same_value(gold, other)  # x - x + 1 against 1: the symbols may cancel

    other = _with_one_constant(gold, other)

    if same_value(gold, other):
        return True
    if not _has_plain_log(gold) and not _has_plain_log(other):
        return False
    # log without a base is natural in analysis and decimal at school.
    return same_value(_with_decimal_logarithms(gold), _with_decimal_logarithms(other))


def _has_plain_log(node: Node) -> bool:
    calls = [part for part in walk(node) if isinstance(part, Call)]
    return any(call.function == "log" for call in calls)


def _with_decimal_logarithms(node: Node) -> Node:
    match node:
        case Call("log", (argument,)):
            return Call("lg", (_with_decimal_logarithms(argument),))
    return map_children(node, _with_decimal_logarithms)


def _with_one_constant(gold: Node, other: Node) -> Node:
    """`other` with the gold's letter for the constant of integration: x^2 + C and x^2 + c."""
    other = _with_numbered_constants(gold, other)
    first, second = _constant(gold), _constant(other)
    if first is None or second is None or first == second:
        return other
    if contains(gold, second) or contains(other, first):
        return other
    return replaced(other, second, first)


def _with_numbered_constants(gold: Node, other: Node) -> Node:
    """C_1 e^x + C_2 with the gold's letter: c_1 e^x + c_2."""
    gold_names, other_names = symbols(gold), symbols(other)
    gold_constants = {name[2:]: name for name in gold_names if _NUMBERED_CONSTANT.fullmatch(name)}
    for name in other_names - gold_names:
        wanted = gold_constants.get(name[2:]) if _NUMBERED_CONSTANT.fullmatch(name) else None
        if wanted is not None and wanted not in other_names:
            other = replaced(other, Symbol(name), Symbol(wanted))
    return other


def _constant(node: Node) -> Symbol | None:
    """The constant of integration: a term of a sum, or the factor of an exponential function."""
    match node:
        case Sum(terms):
            found = [term for term in terms if term in _CONSTANTS_OF_INTEGRATION]
        case Product(factors) if any(_is_exponential(factor) for factor in factors):
            found = [factor for factor in factors if factor in _CONSTANT_FACTORS]
        case _:
            return None
    match found:
        case [Symbol() as constant]:
            return constant
    return None


def _is_exponential(node: Node) -> bool:
    """e^{2x}"""
    match node:
        case Power(Constant("e"), exponent) | Call("exp", (exponent, *_)):
            return bool(symbols(exponent))
    return False


def _is_decimal(node: Node) -> bool:
    """A number written as a decimal, with or without a sign."""
    if isinstance(node, Negative):
        node = node.inner
    return isinstance(node, Numeral) and node.decimals is not None


def _number(node: Node, value: Fraction, rounded: bool = False) -> Number:
    """The value with what the comparison of numbers asks: how it is written."""
    if isinstance(node, Negative):
        node = node.inner
    match node:
        case Percent():
            return Number(value, percent=True)
        case Numeral(_, decimals, digits):
            return Number(value, decimals, digits)
    return Number(value, rounded=rounded)
