"""AsciiMath to TeX, for formulas between backticks or in `math/asciimath` scripts.

The grammar of asciimath.org, where v is a symbol, u a unary and b a binary command, l and r
brackets:

    S ::= v | lEr | uS | bSS
    I ::= S_S | S^S | S_S^S | S
    E ::= IE | I/I

Brackets that only group disappear.
"""

import re
from dataclasses import dataclass

from corpus.formulas.tex_symbols import FUNCTIONS, escaped_text

# The tables of asciimath.org, section "Syntax".
_SYMBOLS = {
    "+-": "\\pm", "-+": "\\mp", "*": "\\cdot", "**": "\\ast", "***": "\\star", "//": "/", "\\\\": "\\backslash",
    "setminus": "\\setminus", "xx": "\\times", "-:": "\\div", "|><": "\\ltimes", "><|": "\\rtimes",
    "|><|": "\\bowtie", "@": "\\circ", "o+": "\\oplus", "ox": "\\otimes", "o.": "\\odot", "sum": "\\sum",
    "prod": "\\prod", "^^": "\\wedge", "^^^": "\\bigwedge", "vv": "\\vee", "vvv": "\\bigvee", "nn": "\\cap",
    "nnn": "\\bigcap", "uu": "\\cup", "uuu": "\\bigcup", "!=": "\\neq", "<=": "\\leq", ">=": "\\geq", "lt": "<",
    "gt": ">", "le": "\\leq", "ge": "\\geq", "ne": "\\neq", "mlt": "\\ll", "mgt": "\\gg", "-<": "\\prec",
    ">-": "\\succ", "-<=": "\\preceq", ">-=": "\\succeq", "in": "\\in", "!in": "\\notin", "sub": "\\subset",
    "sup": "\\supset", "sube": "\\subseteq", "supe": "\\supseteq", "-=": "\\equiv", "~": "\\sim", "~=": "\\cong",
    "~~": "\\approx", "prop": "\\propto", "and": "\\text{ and }", "or": "\\text{ or }", "not": "\\neg",
    "=>": "\\Rightarrow", "if": "\\text{if }", "<=>": "\\Leftrightarrow", "iff": "\\iff", "AA": "\\forall",
    "EE": "\\exists", "_|_": "\\bot", "TT": "\\top", "|--": "\\vdash", "|==": "\\models", "int": "\\int",
    "oint": "\\oint", "del": "\\partial", "grad": "\\nabla", "O/": "\\emptyset", "oo": "\\infty", "aleph": "\\aleph",
    ":.": "\\therefore", ":'": "\\because", "|...|": "|\\ldots|", "|cdots|": "|\\cdots|", "...": "\\ldots",
    "cdots": "\\cdots", "ldots": "\\ldots", "vdots": "\\vdots", "ddots": "\\ddots", "/_": "\\angle",
    "/_\\": "\\triangle", "frown": "\\frown", "diamond": "\\diamond", "square": "\\square",
    "|__": "\\lfloor ", "__|": "\\rfloor ",
    "|~": "\\lceil ", "~|": "\\rceil ", "quad": "\\quad", "qquad": "\\qquad", "CC": "\\mathbb{C}",
    "NN": "\\mathbb{N}", "QQ": "\\mathbb{Q}", "RR": "\\mathbb{R}", "ZZ": "\\mathbb{Z}", "->": "\\to",
    "<-": "\\leftarrow", "uarr": "\\uparrow", "darr": "\\downarrow", "rarr": "\\rightarrow", "larr": "\\leftarrow",
    "harr": "\\leftrightarrow", "rArr": "\\Rightarrow", "lArr": "\\Leftarrow", "hArr": "\\Leftrightarrow",
    ">->": "\\rightarrowtail", "->>": "\\twoheadrightarrow", "|->": "\\mapsto", "dx": "dx", "dy": "dy", "dz": "dz",
    "dt": "dt", "\\ ": "\\ ", "|": "|",
}  # fmt: skip
_GREEK = "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi rho sigma "
_GREEK += "tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega"
_SYMBOLS |= {name: f"\\{name}" for name in _GREEK.split()}
# Functions take an argument, so that the whole of sin(x) is above the line of sin(x)/2.
_FUNCTIONS = {name: f"\\{name}" for name in FUNCTIONS if name not in ("lim", "liminf", "limsup")}
_FUNCTIONS |= {name: f"\\operatorname{{{name}}}" for name in ("lcm", "sech", "csch", "mod")}
_FUNCTIONS |= {"f": "f", "g": "g"}
_FUNCTIONS |= {name.capitalize(): f"\\{name}" for name in ("sin", "cos", "tan", "log", "ln")}
_SYMBOLS |= {"lim": "\\lim", "Lim": "\\lim"}
_UNARY = {"sqrt": "\\sqrt", "hat": "\\hat", "bar": "\\overline", "overline": "\\overline", "vec": "\\vec",
          "dot": "\\dot", "ddot": "\\ddot", "tilde": "\\tilde", "ul": "\\underline", "underline": "\\underline",
          "ubrace": "\\underbrace", "underbrace": "\\underbrace", "obrace": "\\overbrace",
          "overbrace": "\\overbrace", "overarc": "\\overparen", "cancel": "\\cancel", "bb": "\\mathbf",
          "mathbf": "\\mathbf", "bbb": "\\mathbb", "mathbb": "\\mathbb", "cc": "\\mathcal", "mathcal": "\\mathcal",
          "fr": "\\mathfrak", "mathfrak": "\\mathfrak", "tt": "\\mathtt", "mathtt": "\\mathtt", "sf": "\\mathsf",
          "mathsf": "\\mathsf", "abs": "", "Abs": "", "floor": "", "ceil": "", "norm": ""}  # fmt: skip
_AROUND = {"abs": ("|", "|"), "Abs": ("|", "|"), "floor": ("\\lfloor ", "\\rfloor "),
           "ceil": ("\\lceil ", "\\rceil "), "norm": ("\\|", "\\|")}  # fmt: skip
_BINARY = {"frac": "\\frac{%s}{%s}", "root": "\\sqrt[%s]{%s}", "stackrel": "\\overset{%s}{%s}",
           "overset": "\\overset{%s}{%s}", "underset": "\\underset{%s}{%s}",
           "color": "{\\color{%s}%s}"}  # fmt: skip
_OPENING = {
    "(": "(",
    "[": "[",
    "{": "\\{",
    "(:": "\\langle ",
    "<<": "\\langle ",
    "langle": "\\langle ",
    "{:": "",
}
_CLOSING = {
    ")": ")",
    "]": "]",
    "}": "\\}",
    ":)": "\\rangle ",
    ">>": "\\rangle ",
    "rangle": "\\rangle ",
    ":}": "",
}
# Brackets around the rows of a matrix -> its environment.
_MATRICES = {
    ("(", ")"): "pmatrix",
    ("[", "]"): "bmatrix",
    ("{", "}"): "Bmatrix",
    ("|", "|"): "vmatrix",
    ("{", ":}"): "cases",
    ("{:", ":}"): "matrix",
}
# Words between the cases of a definition that authors leave without quotes.
_SYMBOLS |= {word: f"\\text{{{word} }}" for word in ("else", "otherwise", "then", "when", "where")}
# The longest name comes first: `<=>` is not `<=` and `>`.
_NAMES = sorted(
    [*_SYMBOLS, *_FUNCTIONS, *_UNARY, *_BINARY, *_OPENING, *_CLOSING, "_", "^", "/"],
    key=len,
    reverse=True,
)
# Quoted text, a colour (one word: its letters are no symbols), a number, a name, or any other character.
_TOKEN = re.compile(
    r'(?:text|mbox)\s*(?:\(([^()]*)\)|\{([^{}]*)\}|\[([^][]*)\])|"([^"]*)"|color\s*[({\[]([\w#.,\s-]+)[)}\]]|(\d+(?:\.\d+)?)|('
    + "|".join(map(re.escape, _NAMES))
    + r")|(\S)"
)
_DEEPEST = 60  # levels of groups and arguments; Python's stack ends near 1,000 calls


def asciimath_to_tex(source: str) -> str:
    """LaTeX of an AsciiMath expression; what cannot be parsed is carried over unchanged."""
    return _Parser(source).expression(0)


@dataclass(frozen=True, slots=True)
class _Token:
    """A piece of the source: a symbol or command by its name, or text that is TeX already."""

    name: str | None
    tex: str


_COMMA = _Token(None, ",")
_ROWS = {"(": ")", "[": "]"}  # brackets of a row
# What follows a function and is no argument: log + 1, sin = ...
_TAKES_NO_ARGUMENT = frozenset(
    "_ ^ / = + - * ** xx -: != <= >= lt gt le ge ne in -> => <=> and or".split()
)


def _tokens(source: str) -> list[_Token]:
    tokens: list[_Token] = []
    for match in _TOKEN.finditer(source):
        round_text, curly_text, square_text, quoted, colour, number, name, other = match.groups()
        texts = [t for t in (round_text, curly_text, square_text, quoted) if t is not None]
        if texts:
            tokens.append(_Token(None, f"\\text{{{escaped_text(texts[0])}}}"))
        elif colour is not None:
            tokens.append(_Token("color", colour.strip()))
        else:
            tokens.append(_Token(name, number or _other(other or "")))
    return tokens


def _other(character: str) -> str:
    """A character without a name, as TeX writes it."""
    return f"\\{character}" if character in "%#&$" else character


class _Parser:
    """Recursive descent; a method a rule of the grammar, and each returns TeX."""

    def __init__(self, source: str):
        self.tokens = _tokens(source)
        self.position = 0

    def peek(self) -> str | None:
        """The name of the next token; None for a token without name and at the end."""
        if self.position == len(self.tokens):
            return None
        return self.tokens[self.position].name

    def expression(self, depth: int, in_row: bool = False) -> str:
        """E ::= IE | I/I, up to the bracket that closes the group (`depth` > 0), or to the end.

        In the row of a matrix it ends before a comma too.
        """
        parts: list[str] = []
        while self.position < len(self.tokens):
            if depth and self.peek() in _CLOSING:
                break
            if in_row and self.tokens[self.position] == _COMMA:
                break

            before = self.position
            item = self.scripted(depth)
            if self.peek() == "/":
                self.position += 1
                denominator = self.scripted(depth)
                item = f"\\frac{{{_ungrouped(item)}}}{{{_ungrouped(denominator)}}}"
            parts.append(item)

            # Too deep: skip the token, or the loop would not end.
            if self.position == before:
                self.position += 1
        return " ".join(part for part in parts if part)

    def scripted(self, depth: int) -> str:
        """I ::= S_S | S^S | S_S^S | S"""
        name = self.peek()
        if name in _FUNCTIONS and depth <= _DEEPEST:
            self.position += 1
            return self.function(name, depth)
        return self.simple(depth) + self.scripts(depth)

    def scripts(self, depth: int) -> str:
        """What stands below and above, in either order."""
        below = above = ""
        while self.peek() in ("_", "^") and depth <= _DEEPEST:
            mark = self.peek()
            self.position += 1
            script = f"{mark}{{{_ungrouped(self.signed(depth + 1))}}}"
            if mark == "_":
                below = below or script
            else:
                above = above or script
        return below + above

    def signed(self, depth: int) -> str:
        """A script may begin with its sign: x^-1."""
        if self.position < len(self.tokens):
            token = self.tokens[self.position]
            if token.name is None and token.tex in ("-", "+"):
                self.position += 1
                return token.tex + self.simple(depth)
        return self.simple(depth)

    def function(self, name: str, depth: int) -> str:
        """A function with its scripts and, in brackets or not, its argument."""
        tex = _FUNCTIONS[name] + self.scripts(depth)

        following = self.peek()
        if following in _OPENING:
            argument = self.simple(depth + 1)
            return f"{tex}{argument}{self.scripts(depth)}"

        # f and g are names as often as functions: without brackets they take nothing.
        is_letter = name in ("f", "g")
        at_end = self.position == len(self.tokens)
        if is_letter or at_end or following in _CLOSING:
            return tex

        # What has no name is TeX already: a letter or a number is an argument, a sign is not.
        if following is None:
            takes_argument = self.tokens[self.position].tex[:1].isalnum()
        else:
            takes_argument = following not in _TAKES_NO_ARGUMENT
        return f"{tex} {self.scripted(depth + 1)}" if takes_argument else tex

    def simple(self, depth: int) -> str:
        """S ::= v | lEr | uS | bSS"""
        if self.position == len(self.tokens) or depth > _DEEPEST:
            return ""
        token = self.tokens[self.position]
        self.position += 1

        name = token.name
        if name is None:
            return token.tex
        if name == "|":
            return self.bars(depth)
        if name in _OPENING:
            return self.group(name, depth)
        if name in _UNARY:
            argument = _ungrouped(self.simple(depth + 1))
            if name in _AROUND:
                opening, closing = _AROUND[name]
                return f"{opening}{argument}{closing}".rstrip()
            return f"{_UNARY[name]}{{{argument}}}"
        if name in _BINARY:
            is_named_colour = name == "color" and token.tex
            first = token.tex if is_named_colour else _ungrouped(self.simple(depth + 1))
            second = _ungrouped(self.simple(depth + 1))
            return _BINARY[name] % (first, second)
        if name in _FUNCTIONS:
            return self.function(name, depth)
        return _SYMBOLS.get(name, _CLOSING.get(name, name))

    def bars(self, depth: int) -> str:
        """`|[a,b],[c,d]|` is a determinant; any other bar stands for itself."""
        if not self.is_matrix(closing=("|",)):
            return "|"
        rows = self.rows(depth)
        self.position += 1
        return _matrix("vmatrix", rows)

    def group(self, opening: str, depth: int) -> str:
        """lEr, after its opening bracket. The closing one need not fit it, and may be absent."""
        if depth < _DEEPEST and self.is_matrix(closing=tuple(_CLOSING)):
            rows = self.rows(depth)
            closing = self.peek() or ""
            self.position += 1
            environment = _MATRICES.get((opening, closing))
            if environment:
                return _matrix(environment, rows)
            return f"{_OPENING[opening]}{_matrix('matrix', rows)}{_CLOSING.get(closing, '')}"

        inner = self.expression(depth + 1)
        last = self.peek()
        if last not in _CLOSING:
            return f"{_OPENING[opening]}{inner}"
        self.position += 1
        return f"{_OPENING[opening]}{inner}{_CLOSING[last]}"

    def is_matrix(self, closing: tuple[str, ...]) -> bool:
        """Whether rows of one length follow, with commas between them, and then such a bracket.

        Looks at the tokens only, so that no expression is read twice.
        """
        bracket = self.peek()
        if bracket not in _ROWS:
            return False

        lengths: list[int] = []
        level = 0
        for position in range(self.position, len(self.tokens)):
            token = self.tokens[position]
            if level == 0 and lengths and token.name in closing:
                is_square = bracket == "[" and lengths[0] > 1
                return len(set(lengths)) == 1 and (len(lengths) > 1 or is_square)

            if token.name in _OPENING:
                if level == 0 and token.name != bracket:
                    return False
                level += 1
                if level == 1:
                    lengths.append(1)
            elif token.name in _CLOSING:
                level -= 1
                if level < 0 or (level == 0 and token.name != _ROWS[bracket]):
                    return False
            elif token == _COMMA:
                lengths[-1] += level == 1
            elif level == 0:
                return False
        return False

    def rows(self, depth: int) -> list[list[str]]:
        """The rows of a matrix, which `is_matrix` has found."""
        rows: list[list[str]] = []
        while self.peek() in _ROWS:
            self.position += 1
            rows.append(self.cells(depth + 1))
            self.position += 1
            if not self.comma():
                break
        return rows

    def cells(self, depth: int) -> list[str]:
        """Expressions between commas, up to the bracket that closes the row."""
        cells: list[str] = []
        while True:
            cells.append(self.expression(depth, in_row=True))
            if not self.comma():
                return cells

    def comma(self) -> bool:
        """Whether a comma is next, which is taken then."""
        if self.position == len(self.tokens) or self.tokens[self.position] != _COMMA:
            return False
        self.position += 1
        return True


def _matrix(environment: str, rows: list[list[str]]) -> str:
    lines = " \\\\ ".join(" & ".join(row) for row in rows)
    return f"\\begin{{{environment}}} {lines} \\end{{{environment}}}"


def _ungrouped(tex: str) -> str:
    """Without the pair of round brackets that only grouped an argument."""
    if not (tex.startswith("(") and tex.endswith(")")):
        return tex

    depth = 0
    for position, character in enumerate(tex):
        if character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
        # The first bracket is closed before the end: it is no pair around everything.
        if depth == 0 and position < len(tex) - 1:
            return tex
    return tex[1:-1]
