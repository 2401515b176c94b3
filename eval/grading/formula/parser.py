r"""Parse a cleaned answer into a syntax tree: `parse_formula(r"\frac{x}{2}")` is a Quotient.

A recursive-descent parser over the tokens of tokens.py; never `eval`, `sympify` or `parse_expr`.
Each rule of the grammar is a method that reads its tokens and returns a node of nodes.py. From
loose to tight:

    listed    1, 2 and 3          sum       a + b, a ± b        power     a^b, a_1, a!, a%, a'
    relation  a < b <= c          product   a b, a/b, 2 1/2     atom      1.5, x, (…), \frac…, \sin…
    union     A ∪ B               unary     -a

Everything must be read: trailing rubbish is a FormulaError, never silently ignored.
"""

from functools import lru_cache

from eval.grading.formula.construction import (
    bind,
    flat_name,
    mixed_number,
    numeral,
    product_of,
    subscripted,
    sum_of,
)
from eval.grading.formula.nodes import (
    IMAGINARY_UNIT,
    ONE,
    TWO,
    Antiderivative,
    Bracketed,
    Call,
    Constant,
    Degrees,
    Dots,
    Either,
    Factorial,
    Integral,
    Intersection,
    Limit,
    Listing,
    Matrix,
    NamedSet,
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
    Series,
    SetBuilder,
    SetDifference,
    SetOf,
    Sum,
    Symbol,
    Text,
    Union,
)
from eval.grading.formula.tokens import FormulaError, FormulaLimit, Token, tokenize
from eval.grading.formula.vocabulary import (
    CALLS,
    CLOSING_BRACKETS,
    CLOSING_DELIMITERS,
    DECORATIONS,
    ELLIPSES,
    GREEK,
    INVERSES,
    NAMED_SETS,
    NEVER_A_FACTOR,
    OTHER_SYMBOLS,
    RELATIONS,
    UNIT_VECTORS,
    VARIANT_LETTERS,
)

# Of rules in each other; about forty brackets.
MAX_DEPTH = 120

# Of operators that nest to the left (a/b/c/…), where the rules do not see the depth of the tree.
MAX_CHAIN = 40

# What a sum, product or limit adds to the chain: its evaluation is a loop.
_BINDER_CHAIN = 10

_JOINTS = (",", ";", "and", "or")
_FACTOR_KINDS = frozenset(["number", "letter", "text", "begin", "word"])
_FACTOR_BRACKETS = frozenset(["(", "{", "[", "\\{"])
_END = Token("end of input", "")
_LETTER_UNION = Token("letter", "U", True)


@lru_cache(maxsize=16384)
def parse_formula(text: str) -> Node:
    """Syntax tree of a cleaned answer.

    Raises FormulaError (not understood) or FormulaLimit (too large).
    """
    return _Parser(tokenize(text)).whole()


class _Parser:
    """One formula. A rule is entered at its first token and leaves `at` behind its last one."""

    def __init__(self, tokens: list[Token], depth: int = 0, chained: int = 0):
        self.tokens = tokens  # changed while parsing: \frac12 takes the 1 and leaves a token 2
        self.at = 0
        self.depth = depth
        self.chained = chained

        self.bars = 0  # > 0: inside |…| or a set, where a bar closes or separates and opens nothing
        self.colons = 0  # > 0: inside a set, where a colon separates element and condition

    def whole(self) -> Node:
        """The formula that the tokens are, and nothing behind it."""
        if not self.tokens:
            raise FormulaError("empty")
        node = self.listed()
        if self.at < len(self.tokens):
            raise FormulaError(f"unread {self.peek().text!r}")
        return node

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
                base = self.chain(subscripted(base, self.argument()))
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
        if self.is_op("^"):  # a^b^c is a^(b^c) in Python and not allowed in LaTeX
            exponent = self.raised(exponent)
        return Power(base, exponent)

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

    # --- atoms

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
        start = self.at
        indices: dict[str, Node] = {}
        while self.is_op("_", "^") and len(indices) < 2:
            mark = self.take().text
            indices[mark] = self.argument()

        match indices.get("_"), indices.get("^"):
            case Numeral() as above, Numeral() as below if below.value <= above.value:
                return _selections(letter, above, below)
        # No count: what was read is read again, as a subscript and an exponent of the letter.
        self.at = start
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

    def delimited(self, name: str) -> Node:
        r"""\langle 1, 2 \rangle, \lvert x \rvert, \lfloor x \rfloor, \lceil x \rceil."""
        bars, self.bars = self.bars, 1
        items = self.sequence()
        self.bars = bars

        closing = CLOSING_DELIMITERS[name]
        if not self.is_command(closing):
            raise FormulaError(f"{name} without {closing}")
        self.take()

        match name:
            case "langle":
                return Bracketed("<", ">", items)
            case "lfloor":
                return Call("floor", items[:1])
            case "lceil":
                return Call("ceil", items[:1])
        return Call("abs", items[:1])

    # --- commands

    def command(self) -> Node:
        name = self.take().text
        match name:
            case "frac":
                above = self.argument()
                return Quotient(above, self.argument())
            case "sqrt":
                return self.root()
            case "binom":
                if self.is_op("("):
                    return Call("binom", self.arguments())
                above = self.argument()
                return Call("binom", (above, self.argument()))
            case "cis":
                return self.cis()
            case "sum" | "prod":
                return self.series(name)
            case "int":
                return self.integral()
            case "lim":
                return self.limit()
            case "pi" | "infty":
                return Constant(name)
            case "emptyset" | "varnothing":
                return NamedSet("empty")
            case "angle" | "triangle" | "measuredangle":
                return Text(f"{name} {flat_name(self.power())}")
            case "textcircled":
                return Text(f"circled {flat_name(self.argument())}")

        if name in CALLS:
            return self.call(name)
        if name in ELLIPSES:
            return Dots()
        if name in DECORATIONS:
            return self.decorated(name)
        if name in NAMED_SETS:  # \R, \Z
            return NamedSet(name)
        if name in CLOSING_DELIMITERS:
            return self.delimited(name)
        if name in GREEK or name in OTHER_SYMBOLS:
            return Symbol(VARIANT_LETTERS.get(name, name))
        raise FormulaError(f"unknown command {name!r}")

    def root(self) -> Call:
        degree: Node = TWO
        if self.is_op("["):
            self.take()
            degree = self.sum()
            self.expect("]")
        return Call("root", (self.argument(), degree))

    def cis(self) -> Sum:
        """cis θ = cos θ + i sin θ"""
        cosine = self.call("cos")
        if not isinstance(cosine, Call):
            raise FormulaError("a power of cis")
        sine = Call("sin", cosine.arguments)
        return Sum((cosine, Product((IMAGINARY_UNIT, sine))))

    def decorated(self, decoration: str) -> Node:
        r"""Bold and script letters are the letters; \vec a and \overline z are other symbols."""
        inner = self.argument()
        name = inner.name if isinstance(inner, Symbol | Constant) else ""

        if name in UNIT_VECTORS and decoration not in ("bar", "dot", "ddot", "mathcal"):
            return Symbol("unit " + name[-1])
        if decoration == "mathbb" and isinstance(inner, Symbol) and name in NAMED_SETS:
            return Symbol("bb" + name) if self.is_op("^") else NamedSet(name)
        if decoration in ("mathbf", "boldsymbol", "mathcal"):
            return inner
        if decoration in ("overline", "bar") and _is_segment(inner):
            return inner  # the segment AB, which answers call AB as well

        prefix = "vec" if decoration == "overrightarrow" else decoration
        return Symbol(f"{prefix} {flat_name(inner)}")

    # --- functions

    def call(self, name: str) -> Node:
        r"""\sin x, \sin^2 x, \log_2(x), \max\{1, 2\}; a base becomes the last argument."""
        exponent: Node | None = None
        base: Node | None = None
        while self.is_op("^", "_"):
            if self.take().text == "_":
                base = self.argument()
            else:
                exponent = self.argument()

        # \log_2 8 is log(8, 2), as sympy writes it.
        arguments = self.call_arguments(name)
        if base is not None:
            arguments = (*arguments, base)

        if exponent is None:
            return Call(name, arguments)
        if exponent == Negative(ONE):
            return Call(INVERSES.get(name, name), arguments)
        return Power(Call(name, arguments), exponent)

    def call_arguments(self, name: str) -> tuple[Node, ...]:
        if self.is_op("("):
            return self.arguments()
        if self.is_op("\\{") and name in ("max", "min", "gcd", "lcm"):
            self.take()
            items = self.sequence()
            self.expect("\\}")
            return items
        if not self.is_op("{"):
            return (self.bare_argument(),)

        argument = self.argument()
        if name in ("max", "min") and isinstance(argument, Listing):
            return argument.items
        return (argument,)

    def arguments(self) -> tuple[Node, ...]:
        self.expect("(")
        items = self.sequence()
        self.expect(")")
        return items

    def bare_argument(self) -> Node:
        r"""\sin 2x takes 2x, but \sin x \cos x takes x, and \sin x (…) too."""
        value = self.unary()
        while self.starts_factor():
            token = self.peek()
            if (token.kind == "command" and token.text in CALLS) or self.is_op("("):
                break
            value = product_of(value, self.power())
        return value

    # --- binders

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

        # The target is what is left up to the closing brace, without ^+, ^- or ^{…} at its end.
        start = self.at
        self.skip_to_closing_brace()
        match [token.text for token in self.tokens[start : self.at]]:
            case [*_, "^", "{", side, "}"]:
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

    def part(self, start: int, end: int) -> Node:
        """The formula that these tokens are, and nothing but it."""
        inside = _Parser(self.tokens[start:end], self.depth + 1, self.chained)
        node = inside.sum()
        if inside.at < len(inside.tokens):
            raise FormulaError("unread")
        self.chained = inside.chained
        return node

    # --- environments and what sympy prints

    def environment(self) -> Node:
        r"""\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}; arrays and cases are matrices too."""
        name = self.take().text
        if name == "array" and self.is_op("{"):  # the columns: {cc|c}
            while not self.is_op("}"):
                if self.take().kind == "end of input":
                    raise FormulaError("array without columns")
            self.take()

        rows: list[list[Node]] = [[]]
        while self.peek().kind != "end":
            if self.is_command("\\"):
                self.take()
                rows.append([])
            elif self.is_op("&") or self.is_command("hline"):
                self.take()
            else:
                cell = self.sequence()
                rows[-1].append(cell[0] if len(cell) == 1 else Listing(cell))
        self.take()

        # Empty rows come from \\ and \hline at the edges.
        matrix = Matrix(tuple(tuple(row) for row in rows if row))
        return Call("det", (matrix,)) if name == "vmatrix" else matrix

    def sympy_object(self) -> Node:
        """Matrix([[1, 2]]), FiniteSet(1, 2), Rational(1, 2), Interval(0, 1), Union(…)."""
        name = self.take().text
        arguments = self.arguments()
        match name, arguments:
            case "Rational", (above, below):
                return Quotient(above, below)
            case "FiniteSet", _:
                return SetOf(arguments)
            case "Union", _:
                return Union(arguments)
            case "Matrix", (Bracketed(_, _, rows),):
                return Matrix(
                    tuple(row.items if isinstance(row, Bracketed) else (row,) for row in rows)
                )
            case "Interval", (_, _):
                return Bracketed("[", "]", arguments)
        raise FormulaError(f"unknown object {name}")


def _ends_in_factorial(node: Node) -> bool:
    match node:
        case Factorial() | Product((*_, Factorial())):
            return True
    return False


def _selections(letter: str, above: Node, below: Node) -> Node:
    """C: subsets of `below` out of `above` elements; A and P: the same in any order."""
    subsets = Call("binom", (above, below))
    if letter == "C":
        return subsets
    return Product((subsets, Factorial(below)))


def _is_segment(node: Node) -> bool:
    """A product of points: AB."""
    return isinstance(node, Product) and all(
        isinstance(factor, Symbol) and len(factor.name) == 1 and factor.name.isupper()
        for factor in node.factors
    )


def _is_variable(token: Token) -> bool:
    if token.kind == "command":
        return token.text in GREEK
    return token.kind == "letter"
