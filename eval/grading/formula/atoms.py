r"""Rules of the parser for the smallest parts: numbers, letters, brackets, C_5^2."""

from eval.grading.formula.commands import CommandRules
from eval.grading.formula.construction import numeral
from eval.grading.formula.nodes import (
    IMAGINARY_UNIT,
    Bracketed,
    Call,
    Constant,
    Factorial,
    Matrix,
    NamedSet,
    Node,
    Numeral,
    Product,
    SetBuilder,
    SetOf,
    Symbol,
    Text,
)
from eval.grading.formula.tokens import FormulaError
from eval.grading.formula.vocabulary import CLOSING_BRACKETS


class AtomRules(CommandRules):
    """What powers, products and sums are made of."""

    def atom(self) -> Node:
        self.descend()
        token = self.peek()
        match token.kind:
            case "number":
                node: Node = self.number()
            case "letter":
                node = self.letter()
            case "text":
                node = Text(self.take().text)
            case "word":
                node = self.sympy_object()
            case "begin":
                node = self.environment()
            case "op":
                node = self.left_indexed() if token.text in ("^", "_") else self.bracketed()
            case "command":
                node = self.command()
            case _:
                raise FormulaError(f"unexpected {token.text!r}")
        self.depth -= 1
        return node

    def number(self) -> Numeral:
        token = self.take()
        if token.kind != "number":
            raise FormulaError(f"expected a number, found {token.text!r}")
        return numeral(token.text)

    def letter(self) -> Node:
        letter = self.take().text
        if letter in "CAP" and self.is_op("_", "^"):
            return self.combinations(letter)
        if letter in "ie":
            return Constant(letter)
        if letter == "I" and not self.peek().spaced:  # sympy's imaginary unit
            return IMAGINARY_UNIT
        return Symbol(letter)

    def combinations(self, letter: str) -> Node:
        r"""C_{10}^{3} counts subsets, A_5^2 and P_5^2 arrangements, with numbers as indices."""
        start, tokens = self.at, list(self.tokens)
        indices: dict[str, Node] = {}
        while self.is_op("_", "^") and len(indices) < 2:
            mark = self.take().text
            indices[mark] = self.index() if mark == "_" else self.argument()

        match indices.get("_"), indices.get("^"):
            case Numeral() as above, Numeral() as below if below.value <= above.value:
                return _selections(letter, above, below)
        # No count: what was read is read again, as a subscript and an exponent of the letter.
        self.at, self.tokens = start, tokens
        return Symbol(letter)

    def left_indexed(self) -> Node:
        r"""^5C_2 and _5C_2."""
        self.take()
        above = self.argument()
        letter = self.peek()
        if letter.kind != "letter" or letter.text not in "CP" or self.peek(1).text != "_":
            raise FormulaError("an index of nothing")
        self.at += 2
        return _selections(letter.text, above, self.argument())

    # --- brackets

    def bracketed(self) -> Node:
        opening = self.take().text
        if opening == "|":
            self.bars += 1
            inner = self.relation()
            self.bars -= 1
            self.expect("|")
            return Call("abs", (inner,))
        if opening not in CLOSING_BRACKETS:
            raise FormulaError(f"unexpected {opening!r}")

        # Inside brackets, a bar opens |…| again.
        bars, self.bars = self.bars, 0
        node = self.inside(opening)
        self.bars = bars
        return node

    def inside(self, opening: str) -> Node:
        """What stands in brackets of this kind, with the closing one."""
        closings = CLOSING_BRACKETS[opening]
        if self.is_op(*closings):
            closing = self.take().text
            if opening in ("\\{", "{"):
                return NamedSet("empty")
            return Bracketed(opening, closing, ())

        is_set = opening == "\\{"
        colons = self.colons
        self.bars = self.colons = 1 if is_set else 0  # here | and : end the element of a set
        items = self.sequence()

        if is_set and (self.is_op("|", ":") or self.is_command("mid")):
            self.take()
            self.bars = self.colons = 0
            condition = self.listed()
            self.colons = colons
            self.expect("\\}")
            return SetBuilder(items[0], condition)

        self.colons = colons
        closing = self.expect(*closings)
        if is_set or (opening == "{" and len(items) > 1):
            return SetOf(items)
        if len(items) > 1:
            return Bracketed(opening, closing, items)

        # Around a single formula, a pair of equal brackets only groups; (1] stays what it is.
        item = items[0]
        matching = opening + closing in ("()", "{}", "[]")
        return item if matching or isinstance(item, Matrix) else Bracketed(opening, closing, items)


def _selections(letter: str, above: Node, below: Node) -> Node:
    """C: subsets of `below` out of `above` elements; A and P: the same in any order."""
    subsets = Call("binom", (above, below))
    if letter == "C":
        return subsets
    return Product((subsets, Factorial(below)))
