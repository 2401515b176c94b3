r"""Rules of the parser for commands: \frac, \sqrt, \sin, \log_2, \vec, letters and their decorations."""

from eval.grading.formula.binders import BinderRules
from eval.grading.formula.construction import flat_name, product_of
from eval.grading.formula.derivative import derivative
from eval.grading.formula.environments import EnvironmentRules
from eval.grading.formula.nodes import (
    IMAGINARY_UNIT,
    ONE,
    TWO,
    Bracketed,
    Call,
    Constant,
    Dots,
    Listing,
    NamedSet,
    Negative,
    Node,
    Power,
    Product,
    Quotient,
    Sum,
    Symbol,
    Text,
)
from eval.grading.formula.tokens import FormulaError
from eval.grading.formula.vocabulary import (
    ARITIES,
    CALLS,
    CLOSING_DELIMITERS,
    DECORATIONS,
    ELLIPSES,
    GREEK,
    INVERSES,
    NAMED_SETS,
    OTHER_SYMBOLS,
    UNIT_VECTORS,
    VARIANT_LETTERS,
)


class CommandRules(BinderRules, EnvironmentRules):
    """What a command begins, with its arguments."""

    def command(self) -> Node:
        name = self.take().text
        match name:
            case "frac":
                return self.fraction()
            case "imath":
                return IMAGINARY_UNIT
            case "sqrt":
                return self.root()
            case "binom":
                if self.is_op("("):
                    return self.call(name)
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

    def fraction(self) -> Node:
        r"""\frac{a}{b}, and the derivative \frac{d}{dx} of what follows."""
        above, below = self.argument(), self.argument()
        match above, below:
            case Symbol("d"), Product((Symbol("d"), Symbol() as variable)):
                slope = derivative(self.product(), variable)
                if slope is None:
                    raise FormulaError("a derivative without a rule")
                return self.chain(slope)
        return Quotient(above, below)

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

        if len(arguments) != ARITIES.get(name, len(arguments)):
            raise FormulaError(f"{name} of {len(arguments)}")

        if exponent is None:
            return Call(name, arguments)
        if exponent == Negative(ONE) and name in INVERSES:
            return Call(INVERSES[name], arguments)
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

    # --- delimiters that are commands

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


def _is_segment(node: Node) -> bool:
    """A product of points: AB."""
    return isinstance(node, Product) and all(
        isinstance(factor, Symbol) and len(factor.name) == 1 and factor.name.isupper()
        for factor in node.factors
    )
