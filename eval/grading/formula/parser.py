r"""Parse a cleaned answer into a syntax tree: `parse_formula(r"\frac{x}{2}")` is a Quotient.

A recursive-descent parser over the tokens of tokens.py; never `eval`, `sympify` or `parse_expr`.
Each rule of the grammar is a method that reads its tokens and returns a node of nodes.py. From
loose to tight:

    listed    1, 2 and 3          sum       a + b, a ± b        power     a^b, a_1, a!, a%, a'
    relation  a < b <= c          product   a b, a/b, 2 1/2     atom      1.5, x, (…), \frac…, \sin…
    union     A ∪ B               unary     -a

The rules up to powers stand here, those of atoms in atoms.py, commands.py, binders.py and environments.py.
Everything must be read: trailing rubbish is a FormulaError, never silently ignored.
"""

from functools import lru_cache

from eval.grading.formula.atoms import AtomRules
from eval.grading.formula.construction import mixed_number, numeral, product_of, subscripted, sum_of
from eval.grading.formula.nodes import (
    Bracketed,
    Call,
    Constant,
    Degrees,
    Either,
    Factorial,
    Intersection,
    Listing,
    Negative,
    Node,
    Numeral,
    Percent,
    PlusMinus,
    Power,
    Product,
    Quotient,
    Ratio,
    Relation,
    Residue,
    SetDifference,
    Symbol,
    Union,
)
from eval.grading.formula.tokens import FormulaError, Token, tokenize
from eval.grading.formula.vocabulary import NEVER_A_FACTOR, RELATIONS

_JOINTS = (",", ";", "and", "or")
_FACTOR_KINDS = frozenset(["number", "letter", "text", "begin", "word"])
_FACTOR_BRACKETS = frozenset(["(", "{", "[", "\\{"])
_LETTER_UNION = Token("letter", "U", True)


@lru_cache(maxsize=16384)
def parse_formula(text: str) -> Node:
    """Syntax tree of a cleaned answer.

    Raises FormulaError (not understood) or FormulaLimit (too large).
    """
    return _Parser(tokenize(text)).whole()


class _Parser(AtomRules):
    """The rules from a whole answer down to powers."""

    def whole(self) -> Node:
        """The formula that the tokens are, and nothing behind it."""
        if not self.tokens:
            raise FormulaError("empty")
        node = self.listed()
        if self.at < len(self.tokens):
            raise FormulaError(f"unread {self.peek().text!r}")
        return node

    # --- lists and relations

    def listed(self) -> Node:
        """Items as one node: inequalities with "or" are a union, with "and" an intersection."""
        items, joints = self.joined()
        if len(items) == 1:
            return items[0]

        pairs = all(isinstance(item, Bracketed) and len(item.items) == 2 for item in items)
        if joints == {"or"} and pairs:
            return Either(tuple(items))

        inequalities = all(
            isinstance(item, Relation) and item.operators != ("=",) for item in items
        )
        if inequalities and joints == {"or"}:
            return Union(tuple(items))
        if inequalities and joints == {"and"}:
            return Intersection(tuple(items))
        return Listing(tuple(items))

    def sequence(self) -> tuple[Node, ...]:
        """Items separated by commas, semicolons, and/or."""
        items, _ = self.joined()
        return tuple(items)

    def joined(self) -> tuple[list[Node], set[str]]:
        """The items of a sequence, and what joins them: ",", "and", "or"."""
        items = [self.relation()]
        joints: set[str] = set()

        while self.is_op(*_JOINTS):
            joint = self.take().text
            while self.is_op(*_JOINTS):  # "1, 2, and 3"
                joint = self.take().text

            cell_ends = self.is_op("&") or self.is_command("\\")
            if cell_ends or self.peek().kind in ("end of input", "end"):
                break  # a comma at the end separates nothing

            joints.add("," if joint == ";" else joint)
            items.append(self.relation())
        return items, joints

    def relation(self) -> Node:
        self.descend()
        sides = [self.ratio()]
        operators = []
        while self.peek().kind in ("op", "command") and self.peek().text in RELATIONS:
            operators.append(RELATIONS[self.take().text])
            sides.append(self.ratio())
        self.depth -= 1

        node = Relation(tuple(operators), tuple(sides)) if operators else sides[0]
        return self.modulo(node) if self.starts_modulus() else node

    def starts_modulus(self) -> bool:
        token = self.peek()
        if token.kind == "op" and token.text == "(":
            following = self.peek(1)
            return following.kind in ("command", "text") and following.text == "mod"
        if token.kind == "command":
            return token.text in ("pmod", "bmod", "mod")
        return token.kind == "text" and token.text == "mod"

    def modulo(self, value: Node) -> Residue:
        r"""x \equiv 1 \pmod 3, 1 mod 3, 1 (mod 3)."""
        bracketed = self.is_op("(")
        self.at += 2 if bracketed else 1
        modulus = self.unary()
        if bracketed:
            self.expect(")")

        match value:
            case Relation(("equiv",), sides):
                value = Relation(("=",), sides)
        return Residue(value, modulus)

    def ratio(self) -> Node:
        items = [self.union()]
        while self.is_op(":") and not self.colons:
            self.take()
            items.append(self.union())
        return Ratio(tuple(items)) if len(items) > 1 else items[0]

    def union(self) -> Node:
        left = self.sum()
        while self.is_command("cup", "cap", "setminus", "bigcup") or self.is_letter_union():
            name = self.take().text
            right = self.sum()

            match name, left:
                case "setminus", _:
                    left = self.chain(SetDifference(left, right))
                case "cap", Intersection(parts):
                    left = Intersection((*parts, right))
                case "cap", _:
                    left = self.chain(Intersection((left, right)))
                case _, Union(parts):
                    left = Union((*parts, right))
                case _:
                    left = self.chain(Union((left, right)))
        return left

    def is_letter_union(self) -> bool:
        """(0, 1) U (2, 3): a blank before the letter, or it would be a factor."""
        return self.peek() == _LETTER_UNION

    # --- sums and products

    def sum(self) -> Node:
        terms: list[Node] = []
        if self.is_command("pm", "mp"):
            sign = self.take().text
            terms.append(PlusMinus(sign, None, self.product()))
        else:
            terms.append(self.product())

        while True:
            if self.is_op("+", "-"):
                sign = self.take().text
                term = self.product()
                terms.append(term if sign == "+" else Negative(term))
            elif self.is_command("pm", "mp"):
                sign = self.take().text
                terms = [self.chain(PlusMinus(sign, sum_of(terms), self.product()))]
            else:
                return sum_of(terms)

    def product(self) -> Node:
        left = self.unary()
        while True:
            if self.is_op("*") or self.is_command("times", "cdot", "ast"):
                self.take()
                left = product_of(left, self.unary())
            elif self.is_op("/") or self.is_command("div"):
                self.take()
                left = self.chain(Quotient(left, self.unary()))
            elif self.starts_factor():
                left = self.implicit_product(left)
            else:
                return left

    def implicit_product(self, left: Node) -> Node:
        r"""A factor without a sign; 2\frac{1}{2} and 2 1/2 are mixed numbers."""
        token = self.peek()
        whole = left if isinstance(left, Numeral) and left.decimals is None else None

        # Two numbers side by side are a mixed number or an error, but 3! 2 is a product.
        if token.kind == "number" and not _ends_in_factorial(left):
            if whole is None or self.peek(1).text != "/" or self.peek(2).kind != "number":
                raise FormulaError("two numbers side by side")
            above = self.number()
            self.take()
            below = self.number()
            return mixed_number(whole, above, below, strict=True)

        right = self.power()
        match right:
            case Quotient(Numeral() as above, Numeral() as below) if whole and token.text == "frac":
                return mixed_number(whole, above, below, strict=False)
        return product_of(left, right)

    def starts_factor(self) -> bool:
        token = self.peek()
        if self.is_letter_union() or self.starts_modulus():
            return False
        if token.kind in _FACTOR_KINDS:
            return True
        if token.kind == "op":
            opens_bar = token.text == "|" and self.bars == 0
            return opens_bar or token.text in _FACTOR_BRACKETS
        return token.kind == "command" and token.text not in NEVER_A_FACTOR

    def unary(self) -> Node:
        negative = False
        while self.is_op("-", "+"):
            if self.take().text == "-":
                negative = not negative
        value = self.power()
        if not negative:
            return value

        # -2\frac13 is -(2 + 1/3): the mixed number binds before the sign.
        if (
            isinstance(value, Numeral)
            and self.starts_factor()
            and self.peek().kind in ("command", "number")
        ):
            value = self.implicit_product(value)
        return Negative(value)

    # --- powers and what else stands behind an atom

    def power(self) -> Node:
        self.descend()
        base = self.atom()
        while True:
            if self.is_op("^"):
                base = self.raised(base)
            elif self.is_op("_"):
                self.take()
                base = self.chain(subscripted(base, self.index()))
            elif self.is_op("!"):
                self.take()
                base = self.chain(Factorial(base))
            elif self.is_op("%"):
                self.take()
                base = self.chain(Percent(base))
            elif self.is_op("'") and isinstance(base, Symbol):
                self.take()
                base = Symbol(base.name + "'")
            elif self.is_op("'"):
                self.take()
                base = self.chain(Call("prime", (base,)))
            elif self.is_command("circ"):
                self.take()
                base = self.chain(Degrees(base))
            else:
                self.depth -= 1
                return base

    def raised(self, base: Node) -> Node:
        """What stands behind ^: degrees, primes or an exponent."""
        self.take()
        self.chain(base)
        braced = self.is_op("{")

        if self.is_command("circ"):
            self.at += 1
            return Degrees(base)
        if braced and self.peek(1).text == "circ" and self.peek(2).text == "}":
            self.at += 3
            return Degrees(base)
        if self.is_command("prime") or (braced and self.peek(1).text == "prime"):
            return self.primed(base)

        if self.is_op("-", "+"):
            exponent = self.unary()
        elif braced or self.peek().kind != "number":
            exponent = self.argument()
        else:
            exponent = self.number()  # all its digits: Python's x**12, where TeX takes one

        # x^2_1 is the square of x_1.
        if self.is_op("_") and isinstance(base, Symbol | Constant):
            self.take()
            base = subscripted(base, self.index())
        if self.is_op("^"):  # a^b^c is a^(b^c) in Python and not allowed in LaTeX
            exponent = self.raised(exponent)
        return Power(base, exponent)

    def index(self) -> Node:
        """A subscript: a braced group, one token, or all digits of a number (x_12 is x_{12})."""
        return self.number() if self.peek().kind == "number" else self.argument()

    def primed(self, base: Node) -> Node:
        r"""f^\prime and f^{\prime\prime} are symbols of that name."""
        while self.is_op("{", "}") or self.is_command("prime"):
            token = self.take()
            if token.text == "prime" and isinstance(base, Symbol):
                base = Symbol(base.name + "'")
            if token.text == "}":
                break
        return base

    def argument(self) -> Node:
        r"""A braced group, or the next single token as TeX takes it: \frac12 is one half."""
        token = self.peek()
        if token.kind == "number" and token.text.isdigit() and len(token.text) > 1:
            self.tokens[self.at] = Token("number", token.text[1:])
            return numeral(token.text[0])
        if not self.is_op("{"):
            return self.atom()

        self.take()
        items = [self.relation()]
        while self.is_op(","):
            self.take()
            items.append(self.relation())
        self.expect("}")
        return Listing(tuple(items)) if len(items) > 1 else items[0]


def _ends_in_factorial(node: Node) -> bool:
    match node:
        case Factorial() | Product((*_, Factorial())):
            return True
    return False
