"""The parser's hold on its tokens, and its bounds on depth and chains."""

from eval.grading.formula.tokens import FormulaError, FormulaLimit, Token

MAX_DEPTH = 120  # about forty brackets in each other
MAX_CHAIN = 40  # of operators that nest to the left: a/b/c/…


class Reader:
    def __init__(self, tokens: list[Token]):
        self.tokens, self.at, self.depth, self.bars, self.chained = tokens, 0, 0, 0, 0
        self.colons = 0  # > 0: a colon separates element and condition of a set

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
