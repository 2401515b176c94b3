r"""Rules of the parser for formulas with a variable of their own: \sum, \prod, \int, \lim."""

from eval.grading.formula.construction import bind
from eval.grading.formula.nodes import (
    ONE,
    Antiderivative,
    Constant,
    Integral,
    Limit,
    Node,
    Relation,
    Series,
    Symbol,
)
from eval.grading.formula.reader import Reader
from eval.grading.formula.tokens import FormulaError, Token
from eval.grading.formula.vocabulary import GREEK

# What a sum, product or limit adds to the chain: its evaluation is a loop.
_BINDER_CHAIN = 10


class BinderRules(Reader):
    """Sums, products, integrals and limits."""

    def bounds(self) -> dict[str, Node]:
        """What is written below ("_") and above ("^") a binder."""
        bounds: dict[str, Node] = {}
        while self.is_op("^", "_"):
            mark = self.take().text
            bounds[mark] = self.argument()
        return bounds

    def series(self, operation: str) -> Series:
        r"""\sum_{k=1}^{n} k"""
        bounds = self.bounds()
        match bounds.get("_"), bounds.get("^"):
            case Relation(("=",), (Symbol() | Constant() as variable, low)), Node() as high:
                pass
            case _:
                raise FormulaError(f"{operation} without bounds")

        self.chained += _BINDER_CHAIN
        body, index = bind(self.chain(self.product()), variable)
        return Series(operation, low, high, body, index)

    def integral(self) -> Node:
        r"""\int_0^1 x^2\,dx and \int\frac{dx}{x}"""
        bounds = self.bounds()
        end = self.differential()

        # … dx at the end, or \frac{dx}{…}, whose dx is read as 1.
        if end is not None:
            variable = Symbol(self.tokens[end + 1].text)
            body = self.part(self.at, end) if end > self.at else ONE
            self.at = end + 2
        elif self.is_command("frac") and self.peek(1).text == "{" and self.peek(2).text == "d":
            variable = Symbol(self.peek(3).text)
            self.tokens[self.at + 2 : self.at + 4] = [Token("number", "1")]
            body = self.power()
        else:
            raise FormulaError("an integral without differential")
        self.chain(body)

        match bounds:
            case {"_": low, "^": high}:
                body, index = bind(body, variable)
                return Integral(low, high, body, index)
        return Antiderivative(body, variable, next(iter(bounds.values()), None))

    def differential(self) -> int | None:
        """Position of the d that ends the integral starting here; inner ones have their own."""
        brackets = integrals = 0
        for index in range(self.at, len(self.tokens) - 1):
            token, following = self.tokens[index], self.tokens[index + 1]
            if token.text in ("(", "{", "["):
                brackets += 1
            elif token.text in (")", "}", "]"):
                brackets -= 1
            if brackets < 0:
                return None
            if token.kind == "command" and token.text == "int":
                integrals += 1

            is_d = token.kind == "letter" and token.text == "d"
            if brackets == 0 and is_d and _is_variable(following):
                if not integrals:
                    return index
                integrals -= 1
        return None

    def limit(self) -> Limit:
        r"""\lim_{x \to 0^+} f(x)"""
        self.expect("_")
        self.expect("{")
        variable = self.atom()
        if not isinstance(variable, Symbol | Constant):
            raise FormulaError("a limit of what")
        if not self.is_command("to", "rightarrow", "longrightarrow"):
            raise FormulaError("a limit of what")
        self.take()

        # The target is what is left up to the closing brace, without ^+, ^- or ^{+} at its end.
        start = self.at
        side: str
        self.skip_to_closing_brace()
        match [token.text for token in self.tokens[start : self.at]]:
            case [*_, "^", "{", ("+" | "-") as side, "}"]:
                end = self.at - 4
            case [*_, "^", ("+" | "-") as side]:
                end = self.at - 2
            case _:
                side, end = "", self.at
        target = self.part(start, end)
        self.expect("}")

        self.chained += _BINDER_CHAIN
        body, index = bind(self.chain(self.product()), variable)
        return Limit(target, side, body, index)

    def skip_to_closing_brace(self) -> None:
        depth = 1
        while True:
            text = self.peek().text
            depth += (text == "{") - (text == "}")
            if depth == 0:
                return
            if self.take().kind == "end of input":
                raise FormulaError("an endless limit")


def _is_variable(token: Token) -> bool:
    if token.kind == "command":
        return token.text in GREEK
    return token.kind == "letter"
