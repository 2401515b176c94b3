r"""Parse a cleaned answer into a small syntax tree: `parse_formula(r"\frac{x}{2}")` → ("div", x, 2).

A recursive-descent (Pratt) parser over eval.grading.formula.tokens; never `eval`, `sympify` or `parse_expr`. Nodes are
tuples whose first item is the kind:

    ("num", Fraction, decimals | None, digits)   ("sym", name)   ("const", "pi" | "e" | "i" | "infty")
    ("add", terms)  ("mul", factors)  ("div", a, b)  ("pow", a, b)  ("neg", a)  ("pm", sign, a | None, b)
    ("call", name, arguments)  ("fact", a)  ("percent", a)  ("degree", a)
    ("rel", operators, sides)  ("list", items)  ("set", items)  ("builder", element, condition)
    ("group", "(" | "[" | "<", ")" | "]" | ">", items)  ("matrix", rows)  ("union", parts)  ("inter", parts)
    ("setminus", a, b)  ("named", "R" …)  ("ratio", items)  ("text", words)  ("base", digits, base)
    ("sum" | "prod" | "int", low, high, body with ("bound", n), n)  ("lim", target, side, body, n)
    ("antiderivative", body, variable)  ("mod", a, modulus)  ("dots",)
    ("either", groups)  pairs joined by "or": points or intervals

Everything must be read: trailing rubbish is a FormulaError, never silently ignored.
"""

from functools import lru_cache

from eval.grading.formula.commands import Commands
from eval.grading.formula.nodes import mixed_node, product_node, subscripted_node, sum_node
from eval.grading.formula.reader import MAX_DEPTH
from eval.grading.formula.tokens import FormulaError, FormulaLimit, Token, tokenize

_RELATIONS = {
    "=": "=", "<": "<", ">": ">", "<=": "<=", ">=": ">=", "!=": "!=", "le": "<=", "leq": "<=", "leqslant": "<=",
    "ge": ">=", "geq": ">=", "geqslant": ">=", "lt": "<", "gt": ">", "ne": "!=", "neq": "!=", "in": "in",
    "approx": "~", "equiv": "equiv", "notin": "notin", "subset": "subset", "subseteq": "subseteq", "perp": "perp",
    "parallel": "parallel", "sim": "sim", "cong": "cong", "to": "to", "rightarrow": "to",
}  # fmt: skip


@lru_cache(maxsize=16384)
def parse_formula(text: str) -> tuple:
    """Syntax tree of a cleaned answer. Raises FormulaError (not understood) or FormulaLimit (too large)."""
    return _Parser(tokenize(text)).whole()


class _Parser(Commands):
    def whole(self) -> tuple:
        if not self.tokens:
            raise FormulaError("empty")
        node = self.listed()
        if self.at < len(self.tokens):
            raise FormulaError(f"unread {self.peek().text!r}")
        return node

    def listed(self) -> tuple:
        """A sequence as one node; inequalities joined by "or" are a union, by "and" an intersection."""
        self.joints = set()
        items = self.sequence()
        joints = self.joints
        if len(items) == 1:
            return items[0]
        if joints == {"or"} and all(item[0] == "group" and len(item[3]) == 2 for item in items):
            return ("either", tuple(items))
        if (
            len(joints) == 1
            and joints != {","}
            and all(item[0] == "rel" and item[1] != ("=",) for item in items)
        ):
            return ("union" if joints == {"or"} else "inter", tuple(items))
        return ("list", tuple(items))

    def sequence(self) -> list[tuple]:
        """Items separated by commas, semicolons, and/or."""
        items = [self.relation()]
        joints = set()
        while self.is_op(",", ";", "and", "or"):
            joint = self.take().text
            while self.is_op(",", ";", "and", "or"):  # "1, 2, and 3"
                joint = self.take().text
            if (
                self.peek().kind in ("end of input", "end")
                or self.is_op("&")
                or self.is_command("\\")
            ):
                break
            joints.add("," if joint == ";" else joint)
            items.append(self.relation())
        self.joints = joints
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
        node = ("rel", tuple(operators), tuple(sides)) if operators else sides[0]
        return self._modulo(node) if self._starts_modulus() else node

    def _starts_modulus(self) -> bool:
        if self.is_op("("):
            return self.peek(1).kind in ("command", "text") and self.peek(1).text == "mod"
        return self.is_command("pmod", "bmod", "mod") or self.peek()[:2] == ("text", "mod")

    def _modulo(self, node: tuple) -> tuple:
        r"""x \equiv 1 \pmod 3, 1 mod 3, 1 (mod 3)."""
        bracketed = self.is_op("(")
        self.at += 2 if bracketed else 1
        modulus = self.unary()
        if bracketed:
            self.expect(")")
        if node[0] == "rel" and node[1] == ("equiv",):
            node = ("rel", ("=",), node[2])
        return ("mod", node, modulus)

    def _relation_operator(self) -> bool:
        token = self.peek()
        return token.kind in ("op", "command") and token.text in _RELATIONS

    def ratio(self) -> tuple:
        items = [self.union()]
        while self.is_op(":") and not self.colons:
            self.take()
            items.append(self.union())
        return ("ratio", tuple(items)) if len(items) > 1 else items[0]

    def union(self) -> tuple:
        left = self.sum()
        while self.is_command("cup", "cap", "setminus", "bigcup") or (
            self.peek() == Token("letter", "U", True)
        ):
            name = self.take().text
            right = self.sum()
            if name == "setminus":
                left = self.chain(("setminus", left, right))
            else:
                kind = "inter" if name == "cap" else "union"
                left = (
                    (kind, (*left[1], right))
                    if left[0] == kind
                    else self.chain((kind, (left, right)))
                )
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
                terms = [self.chain(("pm", sign, sum_node(terms), self.product()))]
            else:
                return sum_node(terms)

    def product(self) -> tuple:
        left = self.unary()
        while True:
            if self.is_op("*") or self.is_command("times", "cdot", "ast"):
                self.take()
                left = product_node(left, self.unary())
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
        counted = left[0] == "fact" or (left[0] == "mul" and left[1][-1][0] == "fact")
        if (
            token.kind == "number"
            and not counted
            and not (whole and self.peek(1).text == "/" and self.peek(2).kind == "number")
        ):
            raise FormulaError("two numbers side by side")
        if token.kind == "number" and not counted:
            above, _, below = self.number(), self.take(), self.number()
            return mixed_node(left, ("div", above, below), strict=True)
        right = self.power()
        if (
            whole
            and right[0] == "div"
            and token.text == "frac"
            and right[1][0] == right[2][0] == "num"
        ):
            return mixed_node(left, right, strict=False)
        return product_node(left, right)

    def _starts_factor(self) -> bool:
        token = self.peek()
        if token == ("letter", "U", True) or self._starts_modulus():
            return False
        if token.kind in ("number", "letter", "text", "begin", "word"):
            return True
        if token.kind == "op":
            return token.text in ("(", "{", "[", "\\{") or (token.text == "|" and self.bars == 0)
        return token.kind == "command" and token.text not in _RELATIONS and token.text not in (
            "cup", "cap", "setminus", "bigcup", "pm", "mp", "mid", "\\", "vert", "rvert", "rangle", "rfloor", "rceil",
            "div", "times", "cdot", "ast", "circ", "rbrace", "rbrack", "pmod", "bmod", "mod",
        )  # fmt: skip

    def unary(self) -> tuple:
        sign = 1
        while self.is_op("-", "+"):
            sign = -sign if self.take().text == "-" else sign
        value = self.power()
        if sign > 0:
            return value
        # -2\frac13 is -(2 + 1/3): the mixed number binds before the sign.
        if (
            value[0] == "num"
            and self._starts_factor()
            and self.peek().kind in ("command", "number")
        ):
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
                base = self.chain(subscripted_node(base, self.argument()))
            elif self.is_op("!"):
                self.take()
                base = self.chain(("fact", base))
            elif self.is_op("%"):
                self.take()
                base = self.chain(("percent", base))
            elif self.is_op("'"):
                self.take()
                base = (
                    ("sym", base[1] + "'")
                    if base[0] == "sym"
                    else self.chain(("call", "prime", (base,)))
                )
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
        if self.is_command("circ") or (
            braced and self.peek(1).text == "circ" and self.peek(2).text == "}"
        ):
            self.at += 3 if braced else 1
            return ("degree", base)
        if self.is_command("prime") or (braced and self.peek(1).text == "prime"):
            while self.is_op("{", "}") or self.is_command("prime"):
                closing = self.is_op("}")
                base = (
                    ("sym", base[1] + "'")
                    if self.is_command("prime") and base[0] == "sym"
                    else base
                )
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
