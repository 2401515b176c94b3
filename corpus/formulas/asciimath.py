"""AsciiMath to LaTeX, for pages whose formulas are written between backticks or in `math/asciimath` scripts.

Grammar of asciimath.org: v a symbol, u a unary and b a binary command; S ::= v | lEr | uS | bSS; I ::= S_S | S^S |
S_S^S | S; E ::= IE | I/I. Brackets that only group disappear.
"""

import re

from corpus.formulas.tex_symbols import FUNCTIONS

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
_NAMES = sorted(
    [*_SYMBOLS, *_UNARY, *_BINARY, *_OPENING, *_CLOSING, "_", "^", "/"], key=len, reverse=True
)
_TOKEN = re.compile(
    r'text\(([^()]*)\)|"([^"]*)"|(\d+(?:\.\d+)?)|(' + "|".join(map(re.escape, _NAMES)) + r")|(\S)"
)
_DEEPEST = 60


def asciimath_to_tex(source: str) -> str:
    """LaTeX of an AsciiMath expression; what cannot be parsed is carried over as it stands."""
    return _Parser(source).expression(0)


class _Parser:
    def __init__(self, source: str):
        self.tokens = [match.groups() for match in _TOKEN.finditer(source)]
        self.position = 0

    def peek(self) -> str | None:
        return self.tokens[self.position][3] if self.position < len(self.tokens) else None

    def expression(self, depth: int) -> str:
        parts = []
        while self.position < len(self.tokens) and not (depth and self.peek() in _CLOSING):
            before = self.position
            item = self.scripted(depth)
            if self.peek() == "/":
                self.position += 1
                item = f"\\frac{{{_ungrouped(item)}}}{{{_ungrouped(self.scripted(depth))}}}"
            parts.append(item)
            self.position += self.position == before
        return " ".join(part for part in parts if part)

    def scripted(self, depth: int) -> str:
        out = self.simple(depth)
        for mark in "_^":
            if self.peek() == mark:
                self.position += 1
                out += f"{mark}{{{_ungrouped(self.simple(depth))}}}"
        return out

    def simple(self, depth: int) -> str:
        if self.position >= len(self.tokens) or depth > _DEEPEST:
            return ""
        text, quoted, number, name, other = self.tokens[self.position]
        self.position += 1
        if text is not None or quoted is not None:
            return f"\\text{{{text if text is not None else quoted}}}"
        if number or other:
            return number or other
        if name in _OPENING:
            inner = self.expression(depth + 1)
            closing = self.peek()
            self.position += closing in _CLOSING
            return f"{_OPENING[name]}{inner}{_CLOSING.get(closing or '', '')}"
        if name in _UNARY:
            argument = _ungrouped(self.simple(depth + 1))
            around = _AROUND.get(name)
            return (
                f"{around[0]}{argument}{around[1]}".rstrip()
                if around
                else f"{_UNARY[name]}{{{argument}}}"
            )
        if name in _BINARY:
            first = _ungrouped(self.simple(depth + 1))
            return _BINARY[name] % (first, _ungrouped(self.simple(depth + 1)))
        return _SYMBOLS.get(name, _CLOSING.get(name, name))


def _ungrouped(tex: str) -> str:
    """Without the pair of round brackets that only grouped an argument."""
    if not (tex.startswith("(") and tex.endswith(")")):
        return tex
    depth = 0
    for position, character in enumerate(tex):
        depth += (character == "(") - (character == ")")
        if depth == 0 and position < len(tex) - 1:
            return tex
    return tex[1:-1]
