"""Values of formulas: exact where the formula is rational, else in high precision, always within static limits.

`exact(node)` gives a Fraction or None. `same_value(gold, other)` decides whether two formulas are one function by
evaluating both at fixed points with a precision that follows the magnitudes that occur, so that no rounding can
make two different short formulas agree. No clock is involved: the same pair gives the same verdict on any machine.
Arithmetic over the reals (odd roots of negative numbers are real), complex where an i occurs.
"""

import random
import threading
from fractions import Fraction
from functools import lru_cache

from eval.exact_values import MAX_TERMS, Undefined, exact
from eval.formula_nodes import bound_depth, replaced
from eval.formula_tokens import FormulaError, FormulaLimit

MAX_OPERATIONS = 2_000  # of one evaluation at the lowest precision; fewer at higher ones
MAX_MAGNITUDE = 20_000  # of |log2 value|
_START_BITS, _MAX_PRECISION = 256, 12_000
_LOCK = threading.Lock()  # mpmath's context and its caches of constants are not made for threads


def symbols(*nodes: object) -> set[str]:
    """Names of all free symbols."""
    found: set[str] = set()
    stack = list(nodes)
    while stack:
        node = stack.pop()
        if isinstance(node, tuple):
            if len(node) == 2 and node[0] == "sym":
                found.add(node[1])
            else:
                stack.extend(node)
    return found


def contains(node: object, kind: tuple | str) -> bool:
    """Whether a node of this kind (or this very node) occurs."""
    stack = [node]
    while stack:
        part = stack.pop()
        if isinstance(part, tuple):
            if part == kind or (part and (part[0] == kind or part[1:2] == (kind,))):
                return True
            stack.extend(part)
    return False


def value_of(node: tuple) -> Fraction | None:
    """A formula without symbols as a rational good to 60 digits or more; None when it has no real value."""
    rational = exact(node)
    if rational is not None:
        return rational
    if contains(node, ("const", "i")) or symbols(node):
        return None
    with _LOCK:
        try:
            value = _precise(node, {}, _context(), complex_allowed=False)
        except Undefined:
            return None
        return _to_fraction(value)


def same_value(gold: tuple, other: tuple) -> bool:
    """Whether the two formulas are the same function of their symbols (or the same constant)."""
    return compare_values(gold, other, ratio=False) is not None


def compare_values(gold: tuple, other: tuple, ratio: bool) -> int | None:
    """1 when both agree at every point, or, with `ratio`, when their quotient is one constant: its sign. Else None."""
    names = sorted(symbols(gold) | symbols(other))
    if len(names) > 12:
        raise FormulaLimit("symbols")
    complex_allowed = contains(gold, ("const", "i")) or contains(other, ("const", "i"))
    with _LOCK:
        context = _context()
        quotient, agreed = None, 0
        for point in _points(tuple(names)) if names else [{}]:
            try:
                left, right, scale = _pair(gold, other, point, context, complex_allowed)
            except Undefined:
                continue
            if not ratio:
                if not _agree(left, right, scale):
                    return None
            elif _agree(left, 0 * left, scale) or _agree(right, 0 * right, scale):
                if _agree(left, 0 * left, scale) != _agree(right, 0 * right, scale):
                    return None
                continue
            elif quotient is None:
                quotient = left / right
            elif not _agree(quotient, left / right, abs(quotient) * scale / max(abs(left), abs(right))):
                return None
            agreed += 1
        if agreed < (4 if names else 1):
            return None
        return -1 if quotient is not None and not complex_allowed and quotient < 0 else 1


def _agree(left: object, right: object, scale: object) -> bool:
    return abs(left - right) <= scale  # type: ignore[operator]


@lru_cache(maxsize=1)
def _context() -> object:
    import mpmath  # loaded only when an answer needs it

    return mpmath.MPContext()


@lru_cache(maxsize=512)
def _points(names: tuple[str, ...]) -> list[dict[str, Fraction]]:
    """Fixed points: positive, mixed signs, between 0 and 1, and whole numbers (for n!, (-1)^n, binomials)."""
    generator = random.Random(20240203)
    draws = (
        *(lambda: Fraction(generator.randint(1001, 3999), 1009) for _ in range(4)),
        *(lambda: Fraction(generator.randint(-4001, 4001) or 7, 1013) for _ in range(5)),
        *(lambda: Fraction(generator.randint(50, 950), 1019) for _ in range(4)),
        *(lambda: Fraction(generator.randint(3, 14)) for _ in range(7)),
        *(lambda: Fraction(generator.randint(20_000, 90_000), 1021) for _ in range(3)),
    )
    return [{name: draw() for name in names} for draw in draws]


def _to_fraction(value: object) -> Fraction:
    sign, mantissa, exponent, _ = value._mpf_  # type: ignore[attr-defined]
    number = Fraction(int(mantissa)) * Fraction(2) ** exponent
    return -number if sign else number


def _precise(node: tuple, point: dict, context: object, complex_allowed: bool) -> object:
    return _pair(node, node, point, context, complex_allowed)[0]


def _pair(gold: tuple, other: tuple, point: dict, context: object, complex_allowed: bool) -> tuple:
    """Both values and the rounding error to allow between them, at a precision that covers all magnitudes."""
    bits = _START_BITS
    while True:
        context.prec = bits  # type: ignore[attr-defined]
        runs = [_Evaluator(point, context, complex_allowed) for _ in (gold, other)]
        values = [run.value(node) for run, node in zip(runs, (gold, other), strict=True)]
        highest = max(run.highest for run in runs)
        spread = highest - min(run.lowest for run in runs)
        if _START_BITS + 2 * spread <= bits:
            top = highest if any(run.added for run in runs) else max(_magnitude(value, context) for value in values)
            return *values, context.mpf(2) ** (top - _START_BITS // 2 - spread)  # type: ignore[attr-defined]
        bits = _START_BITS + 2 * spread
        if bits > _MAX_PRECISION:
            raise FormulaLimit("precision")


def _magnitude(value: object, context: object) -> int:
    if value == 0:
        return -_START_BITS
    return int(context.mag(value))  # type: ignore[attr-defined]


class _Evaluator:
    """One evaluation of one formula at one point; counts operations and remembers the range of magnitudes."""

    def __init__(self, point: dict, context: object, complex_allowed: bool):
        self.point, self.context, self.complex_allowed = point, context, complex_allowed
        self.operations, self.lowest, self.highest, self.added = 0, 0, 0, False
        self.allowed = max(40, MAX_OPERATIONS * _START_BITS // context.prec)  # type: ignore[attr-defined]

    def value(self, node: tuple) -> object:
        self.operations += 1
        if self.operations > self.allowed:
            raise FormulaLimit("operations")
        method = getattr(self, "_" + node[0], None)
        if method is None:
            raise FormulaError(f"no value of {node[0]}")
        result = method(node)
        if node[0] not in ("add", "neg") and result != 0:
            size = _magnitude(result, self.context)
            if abs(size) > MAX_MAGNITUDE:
                raise FormulaLimit("magnitude")
            self.lowest, self.highest = min(self.lowest, size), max(self.highest, size)
        return result

    def _num(self, node: tuple) -> object:
        return self._rational(node[1])

    def _rational(self, value: Fraction) -> object:
        return self.context.mpf(value.numerator) / value.denominator  # type: ignore[attr-defined]

    def _sym(self, node: tuple) -> object:
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
        low, high = self.value(node[1]), self.value(node[2])
        if low != int(low) or high != int(high):
            raise Undefined
        if high - low > MAX_TERMS:
            raise FormulaLimit("terms")
        self.added = True
        depth = bound_depth(node[3]) - 1
        result = self.context.mpf(0 if node[0] == "sum" else 1)  # type: ignore[attr-defined]
        for index in range(int(low), int(high) + 1):
            term = self.value(replaced(node[3], ("bound", depth), ("num", Fraction(index), None, 1)))
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
        if _magnitude(below, self.context) <= -_START_BITS:
            raise Undefined
        return above / below

    def _fact(self, node: tuple) -> object:
        return self._gamma(self.value(node[1]) + 1)

    def _gamma(self, value: object) -> object:
        if isinstance(value, self.context.mpc) or value <= 0:  # type: ignore[attr-defined]
            raise Undefined
        if value > 1500:
            raise FormulaLimit("factorial")
        return self.context.gamma(value)  # type: ignore[attr-defined]

    def _pow(self, node: tuple) -> object:
        base, exponent = self.value(node[1]), self.value(node[2])
        size = abs(_magnitude(base, self.context)) + 1
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
        if function is not None:
            return function(*arguments)
        return self._elementary(name, arguments)

    def _elementary(self, name: str, arguments: list) -> object:
        plain = {"arcsin": "asin", "arccos": "acos", "arctan": "atan", "arccot": "acot"}.get(name, name)
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
        if len(arguments) != 1 or _magnitude(arguments[0], self.context) > (14 if "h" in plain else 200):
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
        return max(values)  # type: ignore[type-var]

    def _call_min(self, *values: object) -> object:
        return min(values)  # type: ignore[type-var]

    def _call_factorial(self, value: object) -> object:
        return self._gamma(value + 1)  # type: ignore[operator]

    def _call_binom(self, above: object, below: object) -> object:
        return self._gamma(above + 1) / self._gamma(below + 1) / self._gamma(above - below + 1)  # type: ignore[operator]
