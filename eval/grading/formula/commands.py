"""LaTeX commands, function calls, environments and what sympy prints. Part of parser.py."""

from fractions import Fraction

from eval.grading.formula.atoms import Atoms
from eval.grading.formula.nodes import binder, flat_node, product_node
from eval.grading.formula.tokens import FormulaError, Token, is_greek

_CALLS = frozenset(
    "sin cos tan cot sec csc arcsin arccos arctan arccot sinh cosh tanh ln log lg exp abs floor ceil factorial gcd lcm "
    "max min binom cbrt".split()
)
_DECORATIONS = frozenset(
    "mathbb mathbf mathcal boldsymbol overline vec hat bar dot ddot overrightarrow".split()
)
_NAMED = frozenset("RZNQC")
_UNIT_VECTORS = frozenset(["i", "j", "k", "unit i", "unit j", "unit k", "vec i", "vec j", "vec k"])


def _is_point(node: tuple) -> bool:
    return node[0] == "sym" and node[1][0].isupper() and len(node[1]) == 1


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
        if name == "int":
            return self._integral()
        if name == "lim":
            return self._limit()
        if name in ("ldots", "dots", "cdots", "dotsc", "dotsb"):
            return ("dots",)
        if name in ("pi", "infty"):
            return ("const", name)
        if name in ("emptyset", "varnothing"):
            return ("named", "empty")
        if name in _DECORATIONS:
            return self._decorated(name)
        if name in _NAMED:  # \R, \Z
            return ("named", name)
        if name in ("langle", "lvert", "lfloor", "lceil", "vert"):
            return self._delimited(name)
        if name in ("angle", "triangle", "measuredangle"):
            return ("text", f"{name} {flat_node(self.power())}")
        if name == "textcircled":
            return ("text", f"circled {flat_node(self.argument())}")
        if is_greek(name) or name in ("ell", "hbar", "odot", "oplus"):
            return (
                "sym",
                {"varphi": "phi", "varepsilon": "epsilon", "vartheta": "theta"}.get(name, name),
            )
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
        if (
            start[:2] != ("rel", ("=",))
            or start[2][0][0] not in ("sym", "const")
            or "^" not in bounds
        ):
            raise FormulaError(f"{name} without bounds")
        index, low = start[2]
        self.chained += 10
        body = self.chain(self.product())
        return binder(name, low, bounds["^"], body=body, variable=index)

    def _integral(self) -> tuple:
        r"""\int_0^1 x^2\,dx and \int\frac{dx}{x}; the variable of a definite one is renamed like a sum's index."""
        bounds: dict[str, tuple] = {}
        while self.is_op("^", "_"):
            mark = self.take().text
            bounds[mark] = self.argument()
        end = self._differential()
        if (
            end is None
            and self.is_command("frac")
            and [t.text for t in self.tokens[self.at + 1 : self.at + 3]] == ["{", "d"]
        ):
            name = self.peek(3)
            self.tokens[self.at + 2 : self.at + 4] = [Token("number", "1")]
            body = self.power()
        elif end is None:
            raise FormulaError("an integral without differential")
        else:
            name = self.tokens[end + 1]
            body = self._part(self.at, end) if end > self.at else ("num", Fraction(1), None, 1)
            self.at = end + 2
        variable = ("sym", name.text)
        self.chain(body)
        if not bounds:
            return ("antiderivative", body, variable)
        if len(bounds) < 2:
            return ("antiderivative", body, variable, *bounds.values())
        return binder("int", bounds["_"], bounds["^"], body=body, variable=variable)

    def _differential(self) -> int | None:
        """Position of the d that ends the integral starting here."""
        depth = inner = 0
        for index in range(self.at, len(self.tokens) - 1):
            token, following = self.tokens[index], self.tokens[index + 1]
            depth += {"(": 1, "{": 1, "[": 1, ")": -1, "}": -1, "]": -1}.get(token.text, 0)
            if depth < 0:
                return None
            inner += token == ("command", "int", token.spaced)
            named = following.kind == "letter" or (
                following.kind == "command" and is_greek(following.text)
            )
            if depth == 0 and token.kind == "letter" and token.text == "d" and named:
                if not inner:
                    return index
                inner -= 1
        return None

    def _part(self, start: int, end: int) -> tuple:
        """The formula that these tokens are, and nothing but it."""
        inside = type(self)(self.tokens[start:end])
        inside.depth, inside.chained = self.depth + 1, self.chained
        node = inside.sum()  # type: ignore[attr-defined]
        if inside.at < len(inside.tokens):
            raise FormulaError("unread")
        self.chained = inside.chained
        return node

    def _limit(self) -> tuple:
        r"""\lim_{x \to 0^+} f(x), the variable renamed."""
        self.expect("_")
        self.expect("{")
        variable = self.atom()
        if variable[0] not in ("sym", "const") or not self.is_command(
            "to", "rightarrow", "longrightarrow"
        ):
            raise FormulaError("a limit of what")
        self.take()
        start = self.at
        depth = 1
        while depth:
            depth += {"{": 1, "}": -1}.get(self.peek().text, 0)
            if depth and self.take().kind == "end of input":
                raise FormulaError("an endless limit")
        inside = [token.text for token in self.tokens[start : self.at]]
        braced = inside[-4:-2] == ["^", "{"] and inside[-1] == "}"
        side = (
            inside[-2]
            if braced
            else inside[-1]
            if inside[-2:-1] == ["^"] and inside[-1] in "+-"
            else ""
        )
        target = self._part(start, self.at - (4 if braced else 2 if side else 0))
        self.expect("}")
        self.chained += 10
        body = self.chain(self.product())  # type: ignore[attr-defined]
        return binder("lim", target, side, body=body, variable=variable)

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
        elif self.is_op("\\{") and name in ("max", "min", "gcd", "lcm"):
            self.take()
            arguments = tuple(self.sequence())
            self.expect("\\}")
        elif self.is_op("{"):
            arguments = (self.argument(),)
            arguments = (
                arguments[0][1]
                if name in ("max", "min") and arguments[0][0] == "list"
                else arguments
            )
        else:
            arguments = (self._bare_argument(),)
        if exponent == ("neg", ("num", Fraction(1), None, 1)):
            name, exponent = (
                {"sin": "arcsin", "cos": "arccos", "tan": "arctan"}.get(name, name),
                None,
            )
        if base is not None:
            arguments = (*arguments, base)
        node = ("call", name, arguments)
        return ("pow", node, exponent) if exponent is not None else node

    def _bare_argument(self) -> tuple:
        r"""\sin 2x takes 2x, but \sin x \cos x takes x."""
        value = self.unary()
        while self._starts_factor() and not (
            self.peek().kind == "command" and self.peek().text in _CALLS
        ):
            if self.is_op("("):
                break
            value = product_node(value, self.power())
        return value

    def _decorated(self, name: str) -> tuple:
        inner = self.argument()
        if (
            inner[0] in ("sym", "const")
            and inner[1] in _UNIT_VECTORS
            and name not in ("bar", "dot", "ddot", "mathcal")
        ):
            return ("sym", "unit " + inner[1][-1])
        if name == "mathbb" and inner[0] == "sym" and inner[1] in _NAMED:
            if self.is_op("^"):
                return ("sym", "bb" + inner[1])
            return ("named", inner[1])
        if name in ("mathbf", "boldsymbol", "mathcal"):
            return inner
        if (
            name in ("overline", "bar")
            and inner[0] == "mul"
            and all(_is_point(part) for part in inner[1])
        ):
            return inner  # the segment AB, which answers call AB as well
        return ("sym", f"{'vec' if name == 'overrightarrow' else name} {flat_node(inner)}")

    def _delimited(self, name: str) -> tuple:
        bars, self.bars = self.bars, 1
        items = self.sequence()
        self.bars = bars
        closing = {
            "langle": "rangle",
            "lvert": "rvert",
            "lfloor": "rfloor",
            "lceil": "rceil",
            "vert": "vert",
        }[name]
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
