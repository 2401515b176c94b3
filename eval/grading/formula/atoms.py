"""Atoms of formulas: numbers, letters, brackets, sets, arguments. Part of the parser of eval.grading.formula.parser."""

from eval.grading.formula.nodes import number_node
from eval.grading.formula.reader import MAX_DEPTH, Reader
from eval.grading.formula.tokens import FormulaError, FormulaLimit, Token

_CLOSING = {"(": (")", "]"), "[": (")", "]"), "\\{": ("\\}",), "{": ("}",)}


class Atoms(Reader):
    def number(self) -> tuple:
        token = self.take()
        if token.kind != "number":
            raise FormulaError(f"expected a number, found {token.text!r}")
        return number_node(token.text)

    def argument(self) -> tuple:
        r"""A braced group, or the next single token as TeX takes it: \frac12 is one half."""
        token = self.peek()
        if token.kind == "number" and token.text.isdigit() and len(token.text) > 1:
            self.tokens[self.at] = Token("number", token.text[1:])
            return number_node(token.text[0])
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
            if token.text in "CAP" and self.is_op("_", "^"):
                return self._combinations(token.text)
            if token.text in "ie":
                return ("const", token.text)
            return (
                ("const", "i")
                if token.text == "I" and not self.peek().spaced
                else ("sym", token.text)
            )
        if token.kind == "text":
            self.take()
            return ("text", token.text)
        if token.kind == "word":
            return self._python_object()
        if token.kind == "begin":
            return self._environment()
        if token.kind == "op":
            return self._left_indexed() if token.text in ("^", "_") else self._bracketed()
        if token.kind == "command":
            return self._command()
        raise FormulaError(f"unexpected {token.text!r}")

    def _combinations(self, letter: str) -> tuple:
        r"""C_{10}^{3} is a binomial, A_5^2 and P_5^2 count arrangements, where both indices are whole numbers."""
        start = self.at
        indices = {}
        while self.is_op("_", "^") and len(indices) < 2:
            mark = self.take().text
            indices[mark] = self.argument()
        above, below = indices.get("_"), indices.get("^")
        if above and below and above[0] == below[0] == "num" and below[1] <= above[1]:
            number = ("call", "binom", (above, below))
            return number if letter == "C" else ("mul", (number, ("fact", below)))
        self.at = start
        return ("sym", letter)

    def _left_indexed(self) -> tuple:
        r"""^5C_2 and _5C_2."""
        self.take()
        above = self.argument()
        if self.peek().kind != "letter" or self.peek().text not in "CP" or self.peek(1).text != "_":
            raise FormulaError("an index of nothing")
        letter = self.take().text
        self.take()
        below = self.argument()
        number = ("call", "binom", (above, below))
        return number if letter == "C" else ("mul", (number, ("fact", below)))

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
            return (
                ("named", "empty") if opening in ("\\{", "{") else ("group", opening, closing, ())
            )
        self.bars = (
            1 if opening == "\\{" else 0
        )  # a bar inside a set separates element and condition
        colons, self.colons = self.colons, self.bars
        items = self.sequence()
        if opening == "\\{" and (self.is_op("|", ":") or self.is_command("mid")):
            self.take()
            self.bars = self.colons = 0
            conditions = self.listed()
            self.colons = colons
            self.expect("\\}")
            return ("builder", items[0], conditions)
        self.colons = colons
        closing = self.expect(*_CLOSING[opening])
        if opening == "\\{" or (opening == "{" and len(items) > 1):
            return ("set", tuple(items))
        if len(items) == 1 and (
            (opening, closing) in (("(", ")"), ("{", "}"), ("[", "]")) or items[0][0] == "matrix"
        ):
            return items[0]
        return ("group", opening, closing, tuple(items))
