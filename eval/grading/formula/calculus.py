r"""Integrals, limits and endless sums that an answer leaves standing: values to about 20 digits.

Numerical, with fixed points and no adaptivity: tanh-sinh quadrature for integrals between finite ends, the values
at two small distances (on both sides) for limits, 200 terms for sums. What does not settle has no value, so that an
answer beside it is wrong rather than right by chance. Part of eval.grading.formula.numeric_value.
"""

from fractions import Fraction

from eval.grading.formula.exact_value import MAX_TERMS, Undefined
from eval.grading.formula.nodes import replaced
from eval.grading.formula.tokens import FormulaError, FormulaLimit

SETTLED_BITS = 64  # to which a value must be settled, and to which two values are compared
_STEP = 16  # points of a unit of the quadrature's variable
_ENDS = 4  # its range: weights beyond are below 2^-120
_DISTANCES = (Fraction(1, 2**100), Fraction(1, 3**61))
_MAX_NESTED = 2
_MAX_OPERATIONS = 6_000 * 256  # times bits of precision


class Calculus:
    """Mixed into the evaluator of numeric_value.py, which gives `value`, `context`, `point` and the counters."""

    approximate = False

    def _begin(self, node: tuple) -> tuple:
        """The body, its variable as a symbol of its own."""
        if node[-1] >= _MAX_NESTED:
            raise FormulaLimit("nested integrals")
        if self.point:  # type: ignore[attr-defined]
            raise FormulaError("a standing integral or limit with parameters")
        self.approximate = True
        self.allowed = max(self.allowed, _MAX_OPERATIONS // self.context.prec)  # type: ignore[attr-defined,has-type]
        return replaced(node[-2], ("bound", node[-1]), ("sym", f"bound {node[-1]}"))  # type: ignore[return-value]

    def _at(self, body: tuple, node: tuple, value: object) -> object:
        """The body at one value of the variable."""
        self.bound[f"bound {node[-1]}"] = value  # type: ignore[attr-defined]
        return self.value(body)  # type: ignore[attr-defined]

    def _settled(self, first: object, second: object) -> bool:
        size = max(abs(first), abs(second), self.context.mpf(1))  # type: ignore[attr-defined,call-overload]
        return abs(first - second) <= size * self.context.mpf(2) ** -SETTLED_BITS  # type: ignore[attr-defined,operator]

    def _int(self, node: tuple) -> object:
        body = self._begin(node)
        low, high = self.value(node[1]), self.value(node[2])  # type: ignore[attr-defined]
        if any(isinstance(end, self.context.mpc) for end in (low, high)):  # type: ignore[attr-defined]
            raise Undefined
        extremes = self.lowest, self.highest  # type: ignore[has-type]
        coarse = fine = self.context.mpf(0)  # type: ignore[attr-defined]
        for index in range(-_STEP * _ENDS, _STEP * _ENDS + 1):
            share, weight = self._node(index)
            inside = low + (high - low) * share if index <= 0 else high - (high - low) * share
            term = self._at(body, node, inside) * weight  # type: ignore[operator]
            fine += term
            coarse += term * (2 if index % 2 == 0 else 0)
        self.lowest, self.highest = extremes
        fine, coarse = (total * (high - low) / _STEP for total in (fine, coarse))
        if abs(fine - coarse) > self.context.mpf(2) ** -(SETTLED_BITS // 2) * max(1, abs(fine)):  # type: ignore[attr-defined]
            raise Undefined
        return fine if abs(fine) > self.context.mpf(2) ** -SETTLED_BITS else 0 * fine  # type: ignore[attr-defined]

    def _node(self, index: int) -> tuple:
        """Distance from the nearer end, as a share of the interval, and weight of one point."""
        context = self.context  # type: ignore[attr-defined]
        t = context.mpf(index) / _STEP
        grown = context.exp(context.pi * context.sinh(abs(t)))
        share = 1 / (1 + grown)
        return share, context.pi * context.cosh(t) * share * (1 - share)

    def _lim(self, node: tuple) -> object:
        target, side = node[1:3]
        body = self._begin(node)
        context = self.context  # type: ignore[attr-defined]
        endless = target in (("const", "infty"), ("neg", ("const", "infty")))
        sign = -1 if target[0] == "neg" else 1
        center = None if endless else self.value(target)  # type: ignore[attr-defined]
        values = []
        for distance in _DISTANCES:
            for direction in (1, -1):
                if side in ("+", "-") and (side == "+") != (direction > 0):
                    continue
                step = context.mpf(distance.numerator) / distance.denominator * direction
                try:
                    values.append(
                        self._at(body, node, sign / abs(step) if endless else center + step)
                    )
                except Undefined:
                    continue
        if len(values) < 2 or not all(self._settled(values[0], value) for value in values[1:]):
            raise Undefined
        return values[0]

    def _endless_sum(self, node: tuple) -> object:
        low = self.value(node[1])  # type: ignore[attr-defined]
        if isinstance(low, self.context.mpc) or low != int(low):  # type: ignore[attr-defined,call-overload]
            raise Undefined
        body = self._begin(node)
        extremes = self.lowest, self.highest
        total, earlier = self.context.mpf(node[0] == "prod"), None  # type: ignore[attr-defined]
        for index in range(MAX_TERMS):
            term = self._at(body, node, low + index)
            total = total * term if node[0] == "prod" else total + term
            earlier = total if index == MAX_TERMS // 2 else earlier
        self.lowest, self.highest = extremes
        if not self._settled(total, earlier):
            raise Undefined
        return total
