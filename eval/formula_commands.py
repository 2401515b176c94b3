"""LaTeX commands, function calls, environments and what sympy prints. Part of the parser of eval.formula."""

from fractions import Fraction

from eval.formula_atoms import Atoms
from eval.formula_nodes import bound_depth, flat_node, product_node, replaced
from eval.formula_tokens import FormulaError, is_greek

_CALLS = frozenset(
    "sin cos tan cot sec csc arcsin arccos arctan arccot sinh cosh tanh ln log lg exp abs floor ceil factorial gcd lcm "
    "max min binom cbrt".split()
)
_DECORATIONS = frozenset("mathbb mathbf mathcal boldsymbol overline vec hat bar dot ddot overrightarrow".split())
_NAMED = frozenset("RZNQC")
_UNIT_VECTORS = frozenset(["i", "j", "k", "unit i", "unit j", "unit k", "vec i", "vec j", "vec k"])


class Commands(Atoms):
    def _command(self) -> tuple:
        name = self.take().text
        if name == "frac":
            above = self.argument()
            return ("div", above, self.argument())
        if name == "sqrt":
            return self._root()
        if name == "binom":
            if self.is_op("("):
                return ("call", "binom", self._arguments())
            return ("call", "binom", (self.argument(), self.argument()))
        if name in _CALLS:
            return self._call(name)
        if name == "cis":
            angle = self._call("cos")
            return ("add", (angle, ("mul", (("const", "i"), ("call", "sin", angle[2])))))
        if name in ("sum", "prod"):
            return self._series(name)
        if name in ("ldots", "dots", "cdots", "dotsc", "dotsb"):
            return ("dots",)
        if name in ("pi", "infty"):
            return ("const", name)
        if name in ("emptyset", "varnothing"):
            return ("named", "empty")
        if name in _DECORATIONS:
            return self._decorated(name)
        if name in ("langle", "lvert", "lfloor", "lceil", "vert"):
            return self._delimited(name)
        if name in ("angle", "triangle", "measuredangle"):
            return ("text", f"{name} {flat_node(self.power())}")
        if name == "textcircled":
            return ("text", f"circled {flat_node(self.argument())}")
        if is_greek(name) or name in ("ell", "hbar", "odot", "oplus"):
            return ("sym", {"varphi": "phi", "varepsilon": "epsilon", "vartheta": "theta"}.get(name, name))
        raise FormulaError(f"unknown command {name!r}")

    def _root(self) -> tuple:
        index: tuple = ("num", Fraction(2), None, 1)
        if self.is_op("["):
            self.take()
            index = self.sum()
            self.expect("]")
        return ("call", "root", (self.argument(), index))

    def _series(self, name: str) -> tuple:
        r"""\sum_{k=1}^{n} k: the index is renamed, so that equal sums with other letters are equal trees."""
        bounds: dict[str, tuple] = {}
        while self.is_op("^", "_"):
            mark = self.take().text
            bounds[mark] = self.argument()
        start = bounds.get("_", ())
        if start[:2] != ("rel", ("=",)) or start[2][0][0] not in ("sym", "const") or "^" not in bounds:
            raise FormulaError(f"{name} without bounds")
        index, low = start[2]
        self.chained += 10
        body = self.chain(self.product())
        return (name, low, bounds["^"], replaced(body, index, ("bound", bound_depth(body))))

    def _arguments(self) -> tuple:
        self.expect("(")
        items = self.sequence()
        self.expect(")")
        return tuple(items)

    def _call(self, name: str) -> tuple:
        exponent = base = None
        while self.is_op("^", "_"):
            if self.take().text == "_":
                base = self.argument()
            else:
                exponent = self.argument()
        if self.is_op("("):
            arguments = self._arguments()
        elif self.is_op("{"):
            arguments = (self.argument(),)
        else:
            arguments = (self._bare_argument(),)
        if exponent == ("neg", ("num", Fraction(1), None, 1)):
            name, exponent = {"sin": "arcsin", "cos": "arccos", "tan": "arctan"}.get(name, name), None
        if base is not None:
            arguments = (*arguments, base)
        node = ("call", name, arguments)
        return ("pow", node, exponent) if exponent is not None else node

    def _bare_argument(self) -> tuple:
        r"""\sin 2x takes 2x, but \sin x \cos x takes x."""
        value = self.unary()
        while self._starts_factor() and not (self.peek().kind == "command" and self.peek().text in _CALLS):
            if self.is_op("("):
                break
            value = product_node(value, self.power())
        return value

    def _decorated(self, name: str) -> tuple:
        inner = self.argument()
        if inner[0] in ("sym", "const") and inner[1] in _UNIT_VECTORS and name not in ("bar", "dot", "ddot", "mathcal"):
            return ("sym", "unit " + inner[1][-1])
        if name == "mathbb" and inner[0] == "sym" and inner[1] in _NAMED:
            if self.is_op("^"):
                return ("sym", "bb" + inner[1])
            return ("named", inner[1])
        if name in ("mathbf", "boldsymbol", "mathcal"):
            return inner
        return ("sym", f"{'vec' if name == 'overrightarrow' else name} {flat_node(inner)}")

    def _delimited(self, name: str) -> tuple:
        bars, self.bars = self.bars, 1
        items = self.sequence()
        self.bars = bars
        closing = {"langle": "rangle", "lvert": "rvert", "lfloor": "rfloor", "lceil": "rceil", "vert": "vert"}[name]
        if not self.is_command(closing):
            raise FormulaError(f"{name} without {closing}")
        self.take()
        if name == "langle":
            return ("group", "<", ">", tuple(items))
        return ("call", {"lfloor": "floor", "lceil": "ceil"}.get(name, "abs"), tuple(items[:1]))

    def _environment(self) -> tuple:
        name = self.take().text
        if name == "array" and self.is_op("{"):
            while not self.is_op("}"):
                if self.take().kind == "end of input":
                    raise FormulaError("array without columns")
            self.take()
        rows: list[list[tuple]] = [[]]
        while self.peek().kind != "end":
            if self.is_command("\\"):
                self.take()
                rows.append([])
            elif self.is_op("&") or self.is_command("hline"):
                self.take()
            else:
                cell = self.sequence()
                rows[-1].append(cell[0] if len(cell) == 1 else ("list", tuple(cell)))
        self.take()
        kept = tuple(tuple(row) for row in rows if row)
        return ("call", "det", (("matrix", kept),)) if name == "vmatrix" else ("matrix", kept)

    def _python_object(self) -> tuple:
        """What sympy prints: Matrix([[1, 2]]), FiniteSet(1, 2), Rational(1, 2), Interval(0, 1)."""
        name = self.take().text
        arguments = self._arguments()
        if name == "Rational" and len(arguments) == 2:
            return ("div", *arguments)
        if name == "FiniteSet":
            return ("set", arguments)
        if name == "Union":
            return ("union", arguments)
        if name == "Matrix" and len(arguments) == 1 and arguments[0][0] == "group":
            rows = arguments[0][3]
            return ("matrix", tuple(row[3] if row[0] == "group" else (row,) for row in rows))
        if name == "Interval" and len(arguments) == 2:
            return ("group", "[", "]", arguments)
        raise FormulaError(f"unknown object {name}")
