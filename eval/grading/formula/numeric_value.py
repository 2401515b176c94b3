"""One evaluation of one formula at one point in high precision, within static limits of work and magnitude."""

import math
from fractions import Fraction

from eval.grading.formula.calculus import Calculus
from eval.grading.formula.exact_value import MAX_TERMS, Undefined, exact
from eval.grading.formula.nodes import replaced
from eval.grading.formula.tokens import FormulaError, FormulaLimit

MAX_OPERATIONS = 2_000  # of one evaluation at the lowest precision; fewer at higher ones
MAX_MAGNITUDE = 20_000  # of |log2 value|
START_BITS = 256
_VALUED = frozenset(
    "num sym const add mul neg percent degree div fact pow call sum prod int lim".split()
)
_ARGUMENTS = {
    "ln": (1, 2),
    "log": (1, 2),
    "binom": (2,),
}  # how many a function takes, where not one


def magnitude(value: object, context: object) -> int:
    if value == 0:
        return -START_BITS
    return int(context.mag(value))  # type: ignore[attr-defined]


class Evaluator(Calculus):
    """One evaluation of one formula at one point; counts operations and remembers the range of magnitudes."""

    def __init__(self, point: dict, context: object, complex_allowed: bool):
        self.point, self.context, self.complex_allowed = point, context, complex_allowed
        self.bound: dict[
            str, object
        ] = {}  # values of the variables of integrals, limits and endless sums
        self.operations, self.lowest, self.highest, self.added = 0, 0, 0, False
        self.allowed = max(40, MAX_OPERATIONS * START_BITS // context.prec)  # type: ignore[attr-defined]

    def value(self, node: tuple) -> object:
        self.operations += 1
        if self.operations > self.allowed:
            raise FormulaLimit("operations")
        method = getattr(self, "_" + node[0], None) if node[0] in _VALUED else None
        if method is None:
            raise FormulaError(f"no value of {node[0]}")
        result = method(node)
        if node[0] not in ("add", "neg") and result != 0:
            size = magnitude(result, self.context)
            if abs(size) > MAX_MAGNITUDE:
                raise FormulaLimit("magnitude")
            self.lowest, self.highest = min(self.lowest, size), max(self.highest, size)
        return result

    def _num(self, node: tuple) -> object:
        return self._rational(node[1])

    def _rational(self, value: Fraction) -> object:
        return self.context.mpf(value.numerator) / value.denominator  # type: ignore[attr-defined]

    def _sym(self, node: tuple) -> object:
        if node[1] in self.bound:
            return self.bound[node[1]]
        return self._rational(self.point[node[1]])

    def _const(self, node: tuple) -> object:
        if node[1] == "infty":
            raise Undefined
        return {"pi": +self.context.pi, "e": +self.context.e, "i": self.context.mpc(0, 1)}[node[1]]  # type: ignore[attr-defined]

    def _add(self, node: tuple) -> object:
        self.added = True
        return sum((self.value(part) for part in node[1][1:]), self.value(node[1][0]))

    def _mul(self, node: tuple) -> object:
        result = self.value(node[1][0])
        for part in node[1][1:]:
            result = result * self.value(part)
        return result

    def _sum(self, node: tuple) -> object:
        """A sum with symbols in its bounds has a value at whole numbers only."""
        if node[2] == ("const", "infty"):
            return self._endless_sum(node)
        low, high = self.value(node[1]), self.value(node[2])
        if any(isinstance(end, self.context.mpc) or end != int(end) for end in (low, high)):  # type: ignore[attr-defined]
            raise Undefined
        if high - low > MAX_TERMS:
            raise FormulaLimit("terms")
        self.added = True
        result = self.context.mpf(0 if node[0] == "sum" else 1)  # type: ignore[attr-defined]
        for index in range(int(low), int(high) + 1):
            term = self.value(
                replaced(node[3], ("bound", node[4]), ("num", Fraction(index), None, 1))
            )
            result = result + term if node[0] == "sum" else result * term
        return result

    _prod = _sum

    def _neg(self, node: tuple) -> object:
        return -self.value(node[1])

    def _percent(self, node: tuple) -> object:
        return self.value(node[1]) / 100

    def _degree(self, node: tuple) -> object:
        return self.value(node[1]) * self.context.pi / 180  # type: ignore[attr-defined]

    def _div(self, node: tuple) -> object:
        above, below = self.value(node[1]), self.value(node[2])
        if magnitude(below, self.context) <= -START_BITS:
            raise Undefined
        return above / below

    def _fact(self, node: tuple) -> object:
        return self._gamma(self.value(node[1]) + 1)

    def _gamma(self, value: object) -> object:
        if isinstance(value, self.context.mpc) or value <= 0:  # type: ignore[attr-defined]
            raise Undefined
        if value > 1500:
            raise FormulaLimit("factorial")
        if value == int(value):
            return self.context.mpf(math.factorial(int(value) - 1))  # type: ignore[attr-defined]
        if self.context.prec > 2 * START_BITS:  # type: ignore[attr-defined]
            raise Undefined  # a table of coefficients would cost a second; whole numbers decide
        return self.context.gamma(value)  # type: ignore[attr-defined]

    def _pow(self, node: tuple) -> object:
        base, exponent = self.value(node[1]), self.value(node[2])
        near_one = abs(abs(base) - 1)
        size = 2 * near_one if near_one < 0.25 else abs(magnitude(base, self.context)) + 1
        if abs(exponent) * size > MAX_MAGNITUDE:
            raise FormulaLimit("power")
        if base == 0:
            if isinstance(exponent, self.context.mpc) or exponent <= 0:  # type: ignore[attr-defined]
                raise Undefined
            return base
        if self.complex_allowed or not (base < 0) or exponent == int(exponent):
            return base**exponent
        return self._odd_root(base, node[2])

    def _odd_root(self, base: object, exponent_node: tuple) -> object:
        """Real power of a negative number: (-8)^(1/3) = -2; undefined for even roots and irrational exponents."""
        exponent = exact(exponent_node)
        if exponent is None or exponent.denominator % 2 == 0:
            raise Undefined
        power = (-base) ** self._rational(exponent)
        return -power if exponent.numerator % 2 else power

    def _call(self, node: tuple) -> object:
        self.operations += 8
        name = node[1]
        if name == "root":
            inverse = ("div", ("num", Fraction(1), None, 1), node[2][1])
            return self._pow(("pow", node[2][0], inverse))
        arguments = [self.value(argument) for argument in node[2]]
        function = getattr(self, "_call_" + name, None)
        if (
            function is not None
            and name not in ("max", "min")
            and len(arguments) not in _ARGUMENTS.get(name, (1,))
        ):
            raise FormulaError(f"{name} of {len(arguments)}")
        if function is not None:
            return function(*arguments)
        return self._elementary(name, arguments)

    def _elementary(self, name: str, arguments: list) -> object:
        plain = {"arcsin": "asin", "arccos": "acos", "arctan": "atan", "arccot": "acot"}.get(
            name, name
        )
        if plain not in (
            "sin",
            "cos",
            "tan",
            "cot",
            "sec",
            "csc",
            "asin",
            "acos",
            "atan",
            "acot",
            "sinh",
            "cosh",
            "tanh",
        ):
            raise FormulaError(f"no function {name}")
        if len(arguments) != 1 or magnitude(arguments[0], self.context) > (
            14 if "h" in plain else 200
        ):
            raise FormulaLimit(name)
        if plain in ("asin", "acos") and not self.complex_allowed and abs(arguments[0]) > 1:
            raise Undefined
        try:
            return getattr(self.context, plain)(arguments[0])
        except (ZeroDivisionError, ValueError):
            raise Undefined from None

    def _call_abs(self, value: object) -> object:
        return abs(value)

    def _call_exp(self, value: object) -> object:
        if abs(value) > MAX_MAGNITUDE / 2:
            raise FormulaLimit("exp")
        return self.context.exp(value)  # type: ignore[attr-defined]

    def _call_ln(self, value: object, base: object = None) -> object:
        if value == 0 or (not self.complex_allowed and value < 0):
            raise Undefined
        result = self.context.ln(value)  # type: ignore[attr-defined]
        return result if base is None else self._ratio(result, self._call_ln(base))

    def _ratio(self, above: object, below: object) -> object:
        if below == 0:
            raise Undefined
        return above / below

    def _call_log(self, value: object, base: object = None) -> object:
        """log without a base is the natural one here, as in analysis and in sympy; `_call_lg` is decimal."""
        return self._call_ln(value, base)

    def _call_lg(self, value: object) -> object:
        return self._call_ln(value) / self.context.ln(10)  # type: ignore[attr-defined]

    def _call_floor(self, value: object) -> object:
        return self.context.floor(value)  # type: ignore[attr-defined]

    def _call_ceil(self, value: object) -> object:
        return self.context.ceil(value)  # type: ignore[attr-defined]

    def _call_cbrt(self, value: object) -> object:
        third = self.context.mpf(1) / 3  # type: ignore[attr-defined]
        return -((-value) ** third) if not self.complex_allowed and value < 0 else value**third

    def _call_max(self, *values: object) -> object:
        if any(isinstance(value, self.context.mpc) for value in values):  # type: ignore[attr-defined]
            raise Undefined
        return max(values)  # type: ignore[type-var]

    def _call_min(self, *values: object) -> object:
        if any(isinstance(value, self.context.mpc) for value in values):  # type: ignore[attr-defined]
            raise Undefined
        return min(values)  # type: ignore[type-var]

    def _call_factorial(self, value: object) -> object:
        return self._gamma(value + 1)  # type: ignore[operator]

    def _call_binom(self, above: object, below: object) -> object:
        return self._gamma(above + 1) / self._gamma(below + 1) / self._gamma(above - below + 1)  # type: ignore[operator]
