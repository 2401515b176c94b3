r"""Parse a cleaned answer into a small syntax tree: `parse_formula(r"\frac{x}{2}")` → ("div", x, 2).

A recursive-descent (Pratt) parser over eval.formula_tokens; never `eval`, `sympify` or `parse_expr`. Nodes are
tuples whose first item is the kind:

    ("num", Fraction, decimals | None, digits)   ("sym", name)   ("const", "pi" | "e" | "i" | "infty")
    ("add", terms)  ("mul", factors)  ("div", a, b)  ("pow", a, b)  ("neg", a)  ("pm", sign, a | None, b)
    ("call", name, arguments)  ("fact", a)  ("percent", a)  ("degree", a)
    ("rel", operators, sides)  ("list", items)  ("set", items)  ("builder", element, condition)
    ("group", "(" | "[" | "<", ")" | "]" | ">", items)  ("matrix", rows)  ("union", parts)  ("inter", parts)
    ("setminus", a, b)  ("named", "R" …)  ("ratio", items)  ("text", words)  ("base", digits, base)

Everything must be read: trailing rubbish is a FormulaError, never silently ignored.
"""

from fractions import Fraction
from functools import lru_cache

from eval.formula_tokens import FormulaError, FormulaLimit, Token, is_greek, tokenize

MAX_DEPTH = 120  # about forty brackets in each other
MAX_CHAIN = 40  # of operators that nest to the left: a/b/c/…
MAX_LITERAL = 400  # digits of one number

_RELATIONS = {
    "=": "=", "<": "<", ">": ">", "<=": "<=", ">=": ">=", "!=": "!=", "le": "<=", "leq": "<=", "leqslant": "<=",
    "ge": ">=", "geq": ">=", "geqslant": ">=", "lt": "<", "gt": ">", "ne": "!=", "neq": "!=", "in": "in",
    "approx": "~", "equiv": "equiv",
}  # fmt: skip
_CALLS = frozenset(
    [
        "sin",
        "cos",
        "tan",
        "cot",
        "sec",
        "csc",
        "arcsin",
        "arccos",
        "arctan",
        "sinh",
        "cosh",
        "tanh",
        "ln",
        "log",
        "lg",
        "exp",
        "abs",
        "floor",
        "ceil",
        "factorial",
        "gcd",
        "lcm",
        "max",
        "min",
        "binom",
        "cbrt",
    ]
)
_CLOSING = {"(": (")", "]"), "[": (")", "]"), "\\{": ("\\}",), "{": ("}",)}
_DECORATIONS = frozenset("mathbb mathbf mathcal boldsymbol overline vec hat bar dot ddot overrightarrow".split())
_NAMED = {"R": "R", "Z": "Z", "N": "N", "Q": "Q", "C": "C"}


@lru_cache(maxsize=16384)
def parse_formula(text: str) -> tuple:
    """Syntax tree of a cleaned answer. Raises FormulaError (not understood) or FormulaLimit (too large)."""
    return _Parser(tokenize(text)).whole()


class _Parser:
    def __init__(self, tokens: list[Token]):
        self.tokens, self.at, self.depth, self.bars, self.chained = tokens, 0, 0, 0, 0

    # --- reading tokens

    def chain(self, node: tuple) -> tuple:
        """Count a node that nests to the left, where the recursion of this parser does not see the depth."""
        self.chained += 1
        if self.chained > MAX_CHAIN:
            raise FormulaLimit("chain")
        return node

    def peek(self, offset: int = 0) -> Token:
        index = self.at + offset
        return self.tokens[index] if index < len(self.tokens) else Token("end of input", "")

    def take(self) -> Token:
        token = self.peek()
        self.at += 1
        return token

    def is_op(self, *texts: str) -> bool:
        return self.peek().kind == "op" and self.peek().text in texts

    def is_command(self, *names: str) -> bool:
        return self.peek().kind == "command" and self.peek().text in names

    def expect(self, *texts: str) -> str:
        if not self.is_op(*texts):
            raise FormulaError(f"expected {texts}, found {self.peek().text!r}")
        return self.take().text

    # --- lists, relations, sets

    def whole(self) -> tuple:
        if not self.tokens:
            raise FormulaError("empty")
        items = self.sequence()
        if self.at < len(self.tokens):
            raise FormulaError(f"unread {self.peek().text!r}")
        return items[0] if len(items) == 1 else ("list", tuple(items))

    def sequence(self) -> list[tuple]:
        """Items separated by commas, semicolons, and/or."""
        items = [self.relation()]
        while self.is_op(",", ";"):
            self.take()
            while self.is_op(",", ";"):  # "1, 2, and 3"
                self.take()
            if self.peek().kind == "end of input":
                break
            items.append(self.relation())
        return items

    def relation(self) -> tuple:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise FormulaLimit("depth")
        sides, operators = [self.ratio()], []
        while self._relation_operator():
            operators.append(_RELATIONS[self.take().text])
            sides.append(self.ratio())
        self.depth -= 1
        return ("rel", tuple(operators), tuple(sides)) if operators else sides[0]

    def _relation_operator(self) -> bool:
        token = self.peek()
        return token.kind in ("op", "command") and token.text in _RELATIONS

    def ratio(self) -> tuple:
        items = [self.union()]
        while self.is_op(":"):
            self.take()
            items.append(self.union())
        return ("ratio", tuple(items)) if len(items) > 1 else items[0]

    def union(self) -> tuple:
        left = self.sum()
        while self.is_command("cup", "cap", "setminus", "bigcup") or (self.peek() == Token("letter", "U", True)):
            name = self.take().text
            right = self.sum()
            if name == "setminus":
                left = self.chain(("setminus", left, right))
            else:
                kind = "inter" if name == "cap" else "union"
                left = (kind, (*left[1], right)) if left[0] == kind else self.chain((kind, (left, right)))
        return left

    # --- arithmetic

    def sum(self) -> tuple:
        terms: list[tuple] = []
        if self.is_command("pm", "mp"):
            left: tuple = ("pm", self.take().text, None, self.product())
            terms.append(left)
        else:
            terms.append(self.product())
        while True:
            if self.is_op("+", "-"):
                sign = self.take().text
                term = self.product()
                terms.append(term if sign == "+" else ("neg", term))
            elif self.is_command("pm", "mp"):
                sign = self.take().text
                terms = [self.chain(("pm", sign, _sum(terms), self.product()))]
            else:
                return _sum(terms)

    def product(self) -> tuple:
        left = self.unary()
        while True:
            if self.is_op("*") or self.is_command("times", "cdot", "ast"):
                self.take()
                left = _product(left, self.unary())
            elif self.is_op("/") or self.is_command("div"):
                self.take()
                left = self.chain(("div", left, self.unary()))
            elif self._starts_factor():
                left = self._implicit(left)
            else:
                return left

    def _implicit(self, left: tuple) -> tuple:
        r"""A factor without a sign; 2\frac{1}{2} and 2 1/2 are mixed numbers."""
        token = self.peek()
        whole = left[0] == "num" and left[2] is None
        if token.kind == "number" and not (whole and self.peek(1).text == "/" and self.peek(2).kind == "number"):
            raise FormulaError("two numbers side by side")
        if token.kind == "number":
            above, _, below = self.number(), self.take(), self.number()
            return _mixed(left, ("div", above, below), strict=True)
        right = self.power()
        if whole and right[0] == "div" and token.text == "frac" and right[1][0] == right[2][0] == "num":
            return _mixed(left, right, strict=False)
        return _product(left, right)

    def _starts_factor(self) -> bool:
        token = self.peek()
        if token.kind in ("number", "letter", "text", "begin", "word"):
            return True
        if token.kind == "op":
            return token.text in ("(", "{", "[", "\\{") or (token.text == "|" and self.bars == 0)
        return token.kind == "command" and token.text not in _RELATIONS and token.text not in (
            "cup", "cap", "setminus", "bigcup", "pm", "mp", "mid", "\\", "vert", "rvert", "rangle", "rfloor", "rceil",
            "div", "times", "cdot", "ast", "circ", "rbrace", "rbrack",
        )  # fmt: skip

    def unary(self) -> tuple:
        sign = 1
        while self.is_op("-", "+"):
            sign = -sign if self.take().text == "-" else sign
        value = self.power()
        if sign > 0:
            return value
        # -2\frac13 is -(2 + 1/3): the mixed number binds before the sign.
        if value[0] == "num" and self._starts_factor() and self.peek().kind in ("command", "number"):
            value = self._implicit(value)
        return ("neg", value)

    def power(self) -> tuple:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise FormulaLimit("depth")
        base = self.atom()
        while True:
            if self.is_op("^"):
                base = self._raised(base)
            elif self.is_op("_"):
                self.take()
                base = self.chain(_subscripted(base, self.argument()))
            elif self.is_op("!"):
                self.take()
                base = self.chain(("fact", base))
            elif self.is_op("%"):
                self.take()
                base = self.chain(("percent", base))
            elif self.is_op("'"):
                self.take()
                base = ("sym", base[1] + "'") if base[0] == "sym" else self.chain(("call", "prime", (base,)))
            elif self.is_command("circ"):
                self.take()
                base = self.chain(("degree", base))
            else:
                self.depth -= 1
                return base

    def _raised(self, base: tuple) -> tuple:
        self.take()
        self.chain(base)
        braced = self.is_op("{")
        if self.is_command("circ") or (braced and self.peek(1).text == "circ" and self.peek(2).text == "}"):
            self.at += 3 if braced else 1
            return ("degree", base)
        if self.is_command("prime") or (braced and self.peek(1).text == "prime"):
            while self.is_op("{", "}") or self.is_command("prime"):
                closing = self.is_op("}")
                base = ("sym", base[1] + "'") if self.is_command("prime") and base[0] == "sym" else base
                self.take()
                if closing:
                    break
            return base
        if self.is_op("-", "+"):
            exponent = self.unary()
        elif braced or self.peek().kind != "number":
            exponent = self.argument()
        else:
            exponent = self.number()
        if self.is_op("^"):  # a^b^c is a^(b^c) in Python and not allowed in LaTeX
            exponent = self._raised(exponent)
        return ("pow", base, exponent)

    # --- atoms

    def number(self) -> tuple:
        token = self.take()
        if token.kind != "number":
            raise FormulaError(f"expected a number, found {token.text!r}")
        return _number(token.text)

    def argument(self) -> tuple:
        r"""A braced group, or the next single token as TeX takes it: \frac12 is one half."""
        token = self.peek()
        if token.kind == "number" and token.text.isdigit() and len(token.text) > 1:
            self.tokens[self.at] = Token("number", token.text[1:])
            return _number(token.text[0])
        if self.is_op("{"):
            self.take()
            value = self.relation()
            if self.is_op(","):
                rest = [value]
                while self.is_op(","):
                    self.take()
                    rest.append(self.relation())
                value = ("list", tuple(rest))
            self.expect("}")
            return value
        return self.atom()

    def atom(self) -> tuple:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise FormulaLimit("depth")
        node = self._atom()
        self.depth -= 1
        return node

    def _atom(self) -> tuple:
        token = self.peek()
        if token.kind == "number":
            return self.number()
        if token.kind == "letter":
            self.take()
            if token.text in "ie":
                return ("const", token.text)
            return ("const", "i") if token.text == "I" and not self.peek().spaced else ("sym", token.text)
        if token.kind == "text":
            self.take()
            return ("text", token.text)
        if token.kind == "word":
            return self._python_object()
        if token.kind == "begin":
            return self._environment()
        if token.kind == "op":
            return self._bracketed()
        if token.kind == "command":
            return self._command()
        raise FormulaError(f"unexpected {token.text!r}")

    def _bracketed(self) -> tuple:
        opening = self.take().text
        if opening == "|":
            self.bars += 1
            inner = self.relation()
            self.bars -= 1
            self.expect("|")
            return ("call", "abs", (inner,))
        if opening not in _CLOSING:
            raise FormulaError(f"unexpected {opening!r}")
        bars, self.bars = self.bars, 0
        node = self._inside(opening)
        self.bars = bars
        return node

    def _inside(self, opening: str) -> tuple:
        if self.is_op(*_CLOSING[opening]):
            closing = self.take().text
            return ("named", "empty") if opening in ("\\{", "{") else ("group", opening, closing, ())
        if opening == "\\{" or opening == "{":
            self.bars = 1 if opening == "\\{" else 0  # a bar inside a set separates element and condition
        items = self.sequence()
        if opening == "\\{" and (self.is_op("|", ":") or self.is_command("mid")):
            self.take()
            self.bars = 0
            conditions = self.sequence()
            self.expect("\\}")
            return ("builder", items[0], conditions[0] if len(conditions) == 1 else ("list", tuple(conditions)))
        closing = self.expect(*_CLOSING[opening])
        if opening == "\\{" or (opening == "{" and len(items) > 1):
            return ("builder", items[0][1][0], items[0][1][1]) if items[0][0] == "ratio" else ("set", tuple(items))
        if len(items) == 1 and (opening, closing) in (("(", ")"), ("{", "}")):
            return items[0]
        return ("group", opening, closing, tuple(items))

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
        if name in ("pi", "infty"):
            return ("const", name)
        if name in ("emptyset", "varnothing"):
            return ("named", "empty")
        if name in _DECORATIONS:
            return self._decorated(name)
        if name in ("langle", "lvert", "lfloor", "lceil", "vert"):
            return self._delimited(name)
        if name in ("angle", "triangle", "measuredangle"):
            return ("text", f"{name} {_flat(self.power())}")
        if name == "textcircled":
            return ("text", f"circled {_flat(self.argument())}")
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
            value = _product(value, self.power())
        return value

    def _decorated(self, name: str) -> tuple:
        inner = self.argument()
        if name == "mathbb" and inner[0] == "sym" and inner[1] in _NAMED:
            if self.is_op("^"):
                return ("sym", "bb" + inner[1])
            return ("named", inner[1])
        if name in ("mathbf", "boldsymbol", "mathcal"):
            return inner
        return ("sym", f"{name} {_flat(inner)}")

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


def _number(text: str) -> tuple:
    if len(text) > MAX_LITERAL:
        raise FormulaLimit("digits")
    mantissa, _, exponent = text.lower().partition("e")
    if exponent and abs(int(exponent)) > 1000:
        raise FormulaLimit("exponent")
    whole, _, part = mantissa.partition(".")
    value = Fraction(int(whole + part), 10 ** len(part)) * Fraction(10) ** int(exponent or 0)
    return ("num", value, len(part) if part else None, len((whole + part).lstrip("0")) or 1)


def _mixed(whole: tuple, part: tuple, strict: bool) -> tuple:
    above, below = part[1], part[2]
    if above[2] is None and below[2] is None and 0 < above[1] < below[1]:
        return ("num", whole[1] + above[1] / below[1], None, 0)
    if strict:
        raise FormulaError("two numbers side by side")
    return _product(whole, part)


def _sum(terms: list[tuple]) -> tuple:
    return terms[0] if len(terms) == 1 else ("add", tuple(terms))


def _product(left: tuple, right: tuple) -> tuple:
    if left[0] == "mul":
        return ("mul", (*left[1], right))
    return ("mul", (left, right))


def _subscripted(base: tuple, index: tuple) -> tuple:
    if base[0] == "num" and index[0] == "num":
        return ("base", str(base[1]), str(index[1]))
    if base[0] in ("sym", "const"):
        return ("sym", f"{base[1]}_{_flat(index)}")
    raise FormulaError("subscript of an expression")


def _flat(node: object) -> str:
    """A name made of a small subtree, for subscripts and decorations."""
    if not isinstance(node, tuple):
        return str(node)
    if node and node[0] == "num":
        return str(node[1])
    parts = node[1:] if node and isinstance(node[0], str) else node
    return " ".join(_flat(part) for part in parts if part is not None)
