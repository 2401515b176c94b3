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

from corpus.formulas.tex_symbols import FUNCTIONS

# The tables of asciimath.org, section "Syntax".
_SYMBOLS = {
    "+-": "\\pm", "-+": "\\mp", "*": "\\cdot", "**": "\\ast", "xx": "\\times", "-:": "\\div", "@": "\\circ",
    "o+": "\\oplus", "ox": "\\otimes", "sum": "\\sum", "prod": "\\prod", "int": "\\int", "oint": "\\oint",
    "!=": "\\neq", "<=": "\\leq", ">=": "\\geq", "lt": "<", "gt": ">", "-=": "\\equiv", "~=": "\\cong",
    "~~": "\\approx", "prop": "\\propto", "in": "\\in", "!in": "\\notin", "sub": "\\subset", "sup": "\\supset",
    "sube": "\\subseteq", "supe": "\\supseteq", "and": "\\text{ and }", "or": "\\text{ or }", "not": "\\neg",
    "=>": "\\Rightarrow", "<=>": "\\Leftrightarrow", "AA": "\\forall", "EE": "\\exists", "if": "\\text{if }",
    "->": "\\to", "<-": "\\leftarrow", "|->": "\\mapsto", "del": "\\partial", "grad": "\\nabla", "oo": "\\infty",
    "O/": "\\emptyset", "...": "\\ldots", "cdots": "\\cdots", "vdots": "\\vdots", "ddots": "\\ddots", "/_": "\\angle",
    ":.": "\\therefore", "nn": "\\cap", "uu": "\\cup", "^^": "\\wedge", "vv": "\\vee", "quad": "\\quad",
    "CC": "\\mathbb{C}", "NN": "\\mathbb{N}", "QQ": "\\mathbb{Q}", "RR": "\\mathbb{R}", "ZZ": "\\mathbb{Z}",
    "lim": "\\lim", "|": "|", "dx": "dx", "dy": "dy", "dz": "dz", "dt": "dt",
}  # fmt: skip
_GREEK = "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi rho sigma "
_GREEK += "tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega"
_SYMBOLS |= {name: f"\\{name}" for name in _GREEK.split()}
_SYMBOLS |= {name: f"\\{name}" for name in FUNCTIONS}
_UNARY = {"sqrt": "\\sqrt", "hat": "\\hat", "bar": "\\overline", "vec": "\\vec", "dot": "\\dot", "ddot": "\\ddot",
          "ul": "\\underline", "bb": "\\mathbf", "bbb": "\\mathbb", "cc": "\\mathcal", "fr": "\\mathfrak",
          "tt": "\\mathtt", "sf": "\\mathsf", "abs": "", "floor": "", "ceil": "", "norm": ""}  # fmt: skip
_AROUND = {"abs": ("|", "|"), "floor": ("\\lfloor ", "\\rfloor "), "ceil": ("\\lceil ", "\\rceil "),
           "norm": ("\\|", "\\|")}  # fmt: skip
_BINARY = {"frac": "\\frac{%s}{%s}", "root": "\\sqrt[%s]{%s}", "stackrel": "\\overset{%s}{%s}",
           "overset": "\\overset{%s}{%s}", "underset": "\\underset{%s}{%s}"}  # fmt: skip
_OPENING = {"(": "(", "[": "[", "{": "\\{", "(:": "\\langle ", "{:": ""}
_CLOSING = {")": ")", "]": "]", "}": "\\}", ":)": "\\rangle ", ":}": ""}
# The longest name comes first: `<=>` is not `<=` and `>`.
_NAMES = sorted(
    [*_SYMBOLS, *_UNARY, *_BINARY, *_OPENING, *_CLOSING, "_", "^", "/"], key=len, reverse=True
)
# Quoted text, a number, a name, or any other character.
_TOKEN = re.compile(
    r'text\(([^()]*)\)|"([^"]*)"|(\d+(?:\.\d+)?)|(' + "|".join(map(re.escape, _NAMES)) + r")|(\S)"
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


def _tokens(source: str) -> list[_Token]:
    tokens: list[_Token] = []
    for match in _TOKEN.finditer(source):
        text, quoted, number, name, other = match.groups()
        if text is not None:
            tokens.append(_Token(None, f"\\text{{{text}}}"))
        elif quoted is not None:
            tokens.append(_Token(None, f"\\text{{{quoted}}}"))
        else:
            tokens.append(_Token(name, number or other or ""))
    return tokens


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

    def expression(self, depth: int) -> str:
        """E ::= IE | I/I, up to the bracket that closes the group (`depth` > 0), or to the end."""
        parts: list[str] = []
        while self.position < len(self.tokens):
            if depth and self.peek() in _CLOSING:
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
        tex = self.simple(depth)
        for mark in "_^":
            if self.peek() == mark:
                self.position += 1
                tex += f"{mark}{{{_ungrouped(self.simple(depth))}}}"
        return tex

    def simple(self, depth: int) -> str:
        """S ::= v | lEr | uS | bSS"""
        if self.position == len(self.tokens) or depth > _DEEPEST:
            return ""
        token = self.tokens[self.position]
        self.position += 1

        name = token.name
        if name is None:
            return token.tex
        if name in _OPENING:
            return self.group(name, depth)
        if name in _UNARY:
            argument = _ungrouped(self.simple(depth + 1))
            if name in _AROUND:
                opening, closing = _AROUND[name]
                return f"{opening}{argument}{closing}".rstrip()
            return f"{_UNARY[name]}{{{argument}}}"
        if name in _BINARY:
            first = _ungrouped(self.simple(depth + 1))
            second = _ungrouped(self.simple(depth + 1))
            return _BINARY[name] % (first, second)
        return _SYMBOLS.get(name, _CLOSING.get(name, name))

    def group(self, opening: str, depth: int) -> str:
        """lEr, after its opening bracket. The closing one need not fit it, and may be absent."""
        inner = self.expression(depth + 1)
        closing = self.peek()
        if closing not in _CLOSING:
            return f"{_OPENING[opening]}{inner}"
        self.position += 1
        return f"{_OPENING[opening]}{inner}{_CLOSING[closing]}"


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
