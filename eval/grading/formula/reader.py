"""What every rule of the parser uses: a place in the tokens, the limits on depth, and the other rules' names.

The rules stand in the modules that build on this one, and call each other: a bracket holds a list, a list holds
brackets. `Reader` names the rules that are called across modules; parser.py puts all of them together.
"""

from abc import ABC, abstractmethod
from typing import Self

from eval.grading.formula.nodes import Node, Numeral
from eval.grading.formula.tokens import FormulaError, FormulaLimit, Token

# Of rules in each other; about forty brackets.
MAX_DEPTH = 120

# Of operators that nest to the left (a/b/c/…), where the rules do not see the depth of the tree.
MAX_CHAIN = 40

_END = Token("end of input", "")


class Reader(ABC):
    """One formula. A rule is entered at its first token and leaves `at` behind its last one."""

    def __init__(self, tokens: list[Token], depth: int = 0, chained: int = 0):
        self.tokens = tokens  # changed while parsing: \frac12 takes the 1 and leaves a token 2
        self.at = 0
        self.depth = depth
        self.chained = chained

        self.bars = 0  # > 0: inside |…| or a set, where a bar closes or separates and opens nothing
        self.colons = 0  # > 0: inside a set, where a colon separates element and condition

    # --- tokens and limits

    def peek(self, offset: int = 0) -> Token:
        index = self.at + offset
        return self.tokens[index] if index < len(self.tokens) else _END

    def take(self) -> Token:
        token = self.peek()
        self.at += 1
        return token

    def is_op(self, *texts: str) -> bool:
        token = self.peek()
        return token.kind == "op" and token.text in texts

    def is_command(self, *names: str) -> bool:
        token = self.peek()
        return token.kind == "command" and token.text in names

    def expect(self, *texts: str) -> str:
        if not self.is_op(*texts):
            raise FormulaError(f"expected {texts}, found {self.peek().text!r}")
        return self.take().text

    def descend(self) -> None:
        """Go one rule deeper; the rule takes it back when it is done."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise FormulaLimit("depth")

    def chain(self, node: Node) -> Node:
        """Count a node that nests to the left."""
        self.chained += 1
        if self.chained > MAX_CHAIN:
            raise FormulaLimit("chain")
        return node

    # --- the rules that are called across modules, from loose to tight

    @abstractmethod
    def listed(self) -> Node: ...

    @abstractmethod
    def sequence(self) -> tuple[Node, ...]: ...

    @abstractmethod
    def relation(self) -> Node: ...

    @abstractmethod
    def sum(self) -> Node: ...

    @abstractmethod
    def product(self) -> Node: ...

    @abstractmethod
    def unary(self) -> Node: ...

    @abstractmethod
    def power(self) -> Node: ...

    @abstractmethod
    def argument(self) -> Node: ...

    @abstractmethod
    def index(self) -> Node: ...

    @abstractmethod
    def atom(self) -> Node: ...

    @abstractmethod
    def number(self) -> Numeral: ...

    @abstractmethod
    def arguments(self) -> tuple[Node, ...]: ...

    @abstractmethod
    def starts_factor(self) -> bool: ...

    def part(self, start: int, end: int) -> Node:
        """The formula that these tokens are, and nothing but it."""
        inside = self.reader_of(self.tokens[start:end])
        node = inside.sum()
        if inside.at < len(inside.tokens):
            raise FormulaError("unread")
        self.chained = inside.chained
        return node

    def reader_of(self, tokens: list[Token]) -> Self:
        """A reader of these tokens, which goes on counting depth and chain."""
        return type(self)(tokens, self.depth + 1, self.chained)
