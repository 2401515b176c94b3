"""One evaluation of one formula at one point in high precision, within static limits.

Integrals, limits and endless sums that an answer leaves standing are computed numerically to about
20 digits, with fixed points and no adaptivity: tanh-sinh quadrature (Takahasi and Mori, 1974) for
integrals between finite ends, the values at two small distances (on both sides) for limits, 200
terms for sums. What does not settle has no value, so that an answer beside it is wrong rather than
right by chance.
"""

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from eval.grading.formula.exact_value import MAX_TERMS, Undefined, exact
from eval.grading.formula.nodes import (
    INFINITY,
    MINUS_INFINITY,
    ONE,
    Binder,
    BoundVariable,
    Call,
    Constant,
    Degrees,
    Factorial,
    Integral,
    Limit,
    Negative,
    Node,
    Numeral,
    Percent,
    Power,
    Product,
    Quotient,
    Series,
    Sum,
    Symbol,
    replaced,
    whole_number,
)
from eval.grading.formula.tokens import FormulaError, FormulaLimit

# A number (mpf or mpc) and a context of mpmath, which has no type hints.
MpNumber = Any
MpContext = Any

# Limits of work. An operation costs more at higher precision, so fewer are allowed there.
START_BITS = 256
MAX_OPERATIONS = 2_000  # of one evaluation at START_BITS
MAX_MAGNITUDE = 20_000  # of |log2 value|
_LEAST_OPERATIONS = 40  # allowed at any precision
_CALL_OPERATIONS = 8  # what a function costs
_MAX_GAMMA = 1500

# Integrals, limits and endless sums.
SETTLED_BITS = 64  # to which a value must be settled, and to which two values are compared
_MAX_NESTED = 2
_MAX_BINDER_OPERATIONS = 6_000 * 256  # times bits of precision
_POINTS_PER_UNIT = 16  # of the quadrature's variable
_QUADRATURE_RANGE = 4  # weights beyond are below 2^-120
_DISTANCES = (Fraction(1, 2**100), Fraction(1, 3**61))  # from the target of a limit

# Functions whose names in mpmath differ, and those whose name is the same.
_MPMATH_NAMES = {"arcsin": "asin", "arccos": "acos", "arctan": "atan", "arccot": "acot"} | {
    name: name
    for name in "sin cos tan cot sec csc asin acos atan acot sinh cosh tanh coth sech csch".split()
}
_MPMATH_NAMES |= {"arcsec": "asec", "arccsc": "acsc"}
_MPMATH_NAMES |= {f"arc{name}": f"a{name}" for name in "sinh cosh tanh coth sech csch".split()}
_HYPERBOLIC = frozenset(["sinh", "cosh", "tanh", "coth", "sech", "csch"])


def magnitude(value: MpNumber, context: MpContext) -> int:
    """About log2 |value|."""
    if value == 0:
        return -START_BITS
    return int(context.mag(value))


class Evaluator:
    """One evaluation of one formula at one point.

    Counts operations (raises FormulaLimit beyond `allowed`) and remembers what `same_value` derives
    the rounding error from: the range of magnitudes, whether anything was added, whether anything
    is only approximate.
    """

    def __init__(self, point: Mapping[str, Fraction], context: MpContext, complex_allowed: bool):
        self.point = point
        self.context = context
        self.complex_allowed = complex_allowed

        # Values of the variables of integrals, limits and endless sums, by the index of the binder.
        self.bound: dict[int, MpNumber] = {}

        self.operations = 0
        self.allowed = max(_LEAST_OPERATIONS, MAX_OPERATIONS * START_BITS // context.prec)
        self.lowest = 0
        self.highest = 0
        self.added = False
        self.approximate = False

    def value(self, node: Node) -> MpNumber:
        """The value of the formula.

        Raises Undefined, FormulaLimit, and FormulaError for what is no number.
        """
        self.operations += 1
        if self.operations > self.allowed:
            raise FormulaLimit("operations")

        result = self._value(node)

        # Sums do not count: they may cancel, and their terms have been counted.
        if not isinstance(node, Sum | Negative) and result != 0:
            size = magnitude(result, self.context)
            if abs(size) > MAX_MAGNITUDE:
                raise FormulaLimit("magnitude")
            self.lowest = min(self.lowest, size)
            self.highest = max(self.highest, size)
        return result

    def _value(self, node: Node) -> MpNumber:
        match node:
            case Numeral(value):
                return self._rational(value)
            case Symbol(name):
                return self._rational(self.point[name])
            case Product(factors):
                result = self.value(factors[0])
                for factor in factors[1:]:
                    result = result * self.value(factor)
                return result
            case Sum(terms):
                self.added = True
                result = self.value(terms[0])
                for term in terms[1:]:
                    result = result + self.value(term)
                return result
            case Power(base, exponent):
                return self._power(self.value(base), self.value(exponent), exponent)
            case Quotient(above, below):
                return self._quotient(self.value(above), self.value(below))
            case Negative(inner):
                return -self.value(inner)
            case Call(function, arguments):
                return self._call(function, arguments)
            case Constant(name):
                return self._constant(name)
            case Factorial(inner):
                return self._gamma(self.value(inner) + 1)
            case Percent(inner):
                return self.value(inner) / 100
            case Degrees(inner):
                return self.value(inner) * self.context.pi / 180
            case BoundVariable(index) if index in self.bound:
                return self.bound[index]
            case Series(_, _, high) if high == INFINITY:
                return self._endless_series(node)
            case Series():
                return self._series(node)
            case Integral():
                return self._integral(node)
            case Limit():
                return self._limit(node)
        raise FormulaError(f"no value of {type(node).__name__}")

    # --- arithmetic

    def _rational(self, value: Fraction) -> MpNumber:
        return self.context.mpf(value.numerator) / value.denominator

    def _constant(self, name: str) -> MpNumber:
        match name:
            case "pi":
                return +self.context.pi
            case "e":
                return +self.context.e
            case "i":
                return self.context.mpc(0, 1)
        raise Undefined  # infinity

    def _quotient(self, above: MpNumber, below: MpNumber) -> MpNumber:
        if magnitude(below, self.context) <= -START_BITS:
            raise Undefined
        return above / below

    def _power(self, base: MpNumber, exponent: MpNumber, exponent_node: Node) -> MpNumber:
        # log2 of the result is exponent times log2 of the base; near one, |log2 b| < 2 |b - 1|.
        near_one = abs(abs(base) - 1)
        size = 2 * near_one if near_one < 0.25 else abs(magnitude(base, self.context)) + 1
        if abs(exponent) * size > MAX_MAGNITUDE:
            raise FormulaLimit("power")

        # 0^0 and 0^-1 have no value.
        if base == 0:
            if isinstance(exponent, self.context.mpc) or exponent <= 0:
                raise Undefined
            return base
        if self.complex_allowed or not (base < 0) or exponent == int(exponent):
            return base**exponent
        return self._odd_root(base, exponent_node)

    def _odd_root(self, base: MpNumber, exponent_node: Node) -> MpNumber:
        """(-8)^(1/3) = -2; undefined for even roots and irrational exponents."""
        exponent = exact(exponent_node)
        if exponent is None or exponent.denominator % 2 == 0:
            raise Undefined
        power = (-base) ** self._rational(exponent)
        return -power if exponent.numerator % 2 else power

    def _gamma(self, value: MpNumber) -> MpNumber:
        if self._is_complex(value) or value <= 0:
            raise Undefined
        if value > _MAX_GAMMA:
            raise FormulaLimit("factorial")
        if value == int(value):
            return self.context.mpf(math.factorial(int(value) - 1))
        if self.context.prec > 2 * START_BITS:
            raise Undefined  # a table of coefficients would cost a second; whole numbers decide
        return self.context.gamma(value)

    def _is_whole(self, value: MpNumber) -> bool:
        if self._is_complex(value):
            return False
        return value == int(value)

    def _is_complex(self, *values: MpNumber) -> bool:
        return any(isinstance(value, self.context.mpc) for value in values)

    # --- functions

    def _call(self, function: str, nodes: tuple[Node, ...]) -> MpNumber:
        self.operations += _CALL_OPERATIONS
        if function == "root":
            radicand, degree = nodes
            exponent = Quotient(ONE, degree)
            return self._power(self.value(radicand), self.value(exponent), exponent)

        arguments = [self.value(node) for node in nodes]
        match function, arguments:
            case "max" | "min", _:
                if self._is_complex(*arguments):
                    raise Undefined
                return max(arguments) if function == "max" else min(arguments)
            # log without a base is the natural one, as in analysis and sympy; lg is decimal.
            case "ln" | "log", [value]:
                return self._logarithm(value)
            case "ln" | "log", [value, base]:
                return self._logarithm(value, base)
            case "lg", [value]:
                return self._logarithm(value) / self.context.ln(10)
            case "abs", [value]:
                return abs(value)
            case "exp", [value]:
                if abs(value) > MAX_MAGNITUDE / 2:
                    raise FormulaLimit("exp")
                return self.context.exp(value)
            case "floor", [value]:
                return self.context.floor(value)
            case "ceil", [value]:
                return self.context.ceil(value)
            case "cbrt", [value]:
                third = self.context.mpf(1) / 3
                if not self.complex_allowed and value < 0:
                    return -((-value) ** third)
                return value**third
            case "factorial", [value]:
                return self._gamma(value + 1)
            case "binom", [above, below]:
                ways = self._gamma(above + 1) / self._gamma(below + 1)
                return ways / self._gamma(above - below + 1)
            case "arrangements", [above, below]:
                return self._gamma(above + 1) / self._gamma(above - below + 1)
        return self._elementary(function, arguments)

    def _logarithm(self, value: MpNumber, base: MpNumber | None = None) -> MpNumber:
        if value == 0 or (not self.complex_allowed and value < 0):
            raise Undefined
        result = self.context.ln(value)
        if base is None:
            return result

        below = self._logarithm(base)
        if below == 0:
            raise Undefined
        return result / below

    def _elementary(self, function: str, arguments: list[MpNumber]) -> MpNumber:
        name = _MPMATH_NAMES.get(function)
        if name is None:
            raise FormulaError(f"no function {function} of {len(arguments)}")

        # Beyond, cosh leaves MAX_MAGNITUDE, and sin would need pi to thousands of digits.
        largest = 14 if name in _HYPERBOLIC else 200
        if len(arguments) != 1 or magnitude(arguments[0], self.context) > largest:
            raise FormulaLimit(function)

        [argument] = arguments
        try:
            result = getattr(self.context, name)(argument)
        except (ZeroDivisionError, ValueError):
            raise Undefined from None

        # Outside its domain, arcsin 2 is complex.
        if not self.complex_allowed and self._is_complex(result):
            raise Undefined
        return result

    # --- sums, integrals, limits

    def _series(self, node: Series) -> MpNumber:
        """A sum with symbols in its bounds has a value at whole numbers only."""
        low, high = self.value(node.low), self.value(node.high)
        if not self._is_whole(low) or not self._is_whole(high):
            raise Undefined
        if high - low > MAX_TERMS:
            raise FormulaLimit("terms")

        self.added = True
        is_sum = node.operation == "sum"
        result = self.context.mpf(0 if is_sum else 1)
        for index in range(int(low), int(high) + 1):
            # A number in the tree, not in `bound`: an exponent must be exact for odd roots.
            body = replaced(node.body, BoundVariable(node.index), whole_number(index))
            term = self.value(body)
            result = result + term if is_sum else result * term
        return result

    def _endless_series(self, node: Series) -> MpNumber:
        low = self.value(node.low)
        if not self._is_whole(low):
            raise Undefined
        self._begin(node)

        is_sum = node.operation == "sum"
        extremes = self.lowest, self.highest
        result = self.context.mpf(0 if is_sum else 1)
        halfway = result
        for index in range(MAX_TERMS):
            term = self._at(node, low + index)
            result = result + term if is_sum else result * term
            if index == MAX_TERMS // 2:
                halfway = result
        self.lowest, self.highest = extremes

        if not self._settled(result, halfway):
            raise Undefined
        return result

    def _begin(self, node: Binder) -> None:
        """Check that the binder may be evaluated, and allow it more operations."""
        if node.index >= _MAX_NESTED:
            raise FormulaLimit("nested integrals")
        if self.point:
            raise FormulaError("a standing integral or limit with parameters")
        self.approximate = True
        self.allowed = max(self.allowed, _MAX_BINDER_OPERATIONS // self.context.prec)

    def _at(self, node: Series | Integral | Limit, value: MpNumber) -> MpNumber:
        """The body at one value of the variable."""
        self.bound[node.index] = value
        return self.value(node.body)

    def _settled(self, first: MpNumber, second: MpNumber) -> bool:
        size = max(abs(first), abs(second), self.context.mpf(1))
        tolerance = size * self.context.mpf(2) ** -SETTLED_BITS
        return abs(first - second) <= tolerance

    def _integral(self, node: Integral) -> MpNumber:
        """Quadrature with all points and with every second one: the two must agree."""
        self._begin(node)
        low, high = self.value(node.low), self.value(node.high)
        if self._is_complex(low, high):
            raise Undefined

        # The magnitudes at single points say nothing about the integral.
        extremes = self.lowest, self.highest
        coarse = fine = self.context.mpf(0)
        last = _POINTS_PER_UNIT * _QUADRATURE_RANGE
        for index in range(-last, last + 1):
            share, weight = self._quadrature_point(index)
            # Measured from the nearer end: from the other one, rounding would lose the distance.
            distance = (high - low) * share
            point = low + distance if index <= 0 else high - distance
            term = self._at(node, point) * weight
            fine += term
            coarse += term * (2 if index % 2 == 0 else 0)
        self.lowest, self.highest = extremes

        fine = fine * (high - low) / _POINTS_PER_UNIT
        coarse = coarse * (high - low) / _POINTS_PER_UNIT
        two = self.context.mpf(2)
        tolerance = two ** -(SETTLED_BITS // 2) * max(1, abs(fine))
        if abs(fine - coarse) > tolerance:
            raise Undefined

        # An odd function over a symmetric interval is 0, not the rounding error that is left.
        if abs(fine) <= two**-SETTLED_BITS:
            return 0 * fine
        return fine

    def _quadrature_point(self, index: int) -> tuple[MpNumber, MpNumber]:
        """Distance from the nearer end, as a share of the interval, and weight of one point."""
        context = self.context
        t = context.mpf(index) / _POINTS_PER_UNIT
        grown = context.exp(context.pi * context.sinh(abs(t)))
        share = 1 / (1 + grown)
        weight = context.pi * context.cosh(t) * share * (1 - share)
        return share, weight

    def _limit(self, node: Limit) -> MpNumber:
        """The value close to the target, where both distances and all sides give the same."""
        self._begin(node)
        endless = node.target in (INFINITY, MINUS_INFINITY)
        center = None if endless else self.value(node.target)

        values = []
        for distance in _DISTANCES:
            for direction in (1, -1):
                if (node.side == "+" and direction < 0) or (node.side == "-" and direction > 0):
                    continue
                step = self.context.mpf(distance.numerator) / distance.denominator * direction
                if endless:
                    sign = -1 if node.target == MINUS_INFINITY else 1
                    place = sign / abs(step)
                else:
                    place = center + step
                try:
                    values.append(self._at(node, place))
                except Undefined:  # defined on one side only, as ln x at 0
                    continue

        if len(values) < 2 or not all(self._settled(values[0], value) for value in values[1:]):
            raise Undefined
        return values[0]
