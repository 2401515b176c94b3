"""Parse the TeX of the built-in world's formulas into a tree of MathML elements.

Covers what textbook formulas need: numbers, letters, operators, fractions, roots, sub- and superscripts, text,
boxes, Greek, fences and the aligned/cases/matrix environments. An unknown command becomes an identifier of its name.
"""

import re
from dataclasses import dataclass, field

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\d+(?:[.,]\d+)*|[{}^_&]|\S", re.DOTALL)
_TEXT = re.compile(r"\\(?:text|mathrm|operatorname|textbf|mbox)\s*\{([^{}]*)\}")
_BEGIN = re.compile(r"\\begin\s*\{(\w+\*?)\}(?:\{[lcr|]*\})?")
_END = re.compile(r"\\end\s*\{\w+\*?\}")

OPERATORS = {
    "times": "×", "cdot": "⋅", "div": "÷", "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ne": "≠", "neq": "≠",
    "approx": "≈", "pm": "±", "to": "→", "rightarrow": "→", "Rightarrow": "⇒", "implies": "⟹", "iff": "⟺",
    "in": "∈", "notin": "∉", "cup": "∪", "cap": "∩", "subset": "⊂", "subseteq": "⊆", "sum": "∑", "prod": "∏",
    "int": "∫", "equiv": "≡", "ldots": "…", "dots": "…", "cdots": "⋯", "mid": "∣", "parallel": "∥", "perp": "⊥",
    "circ": "∘", "angle": "∠", "forall": "∀", "exists": "∃", "colon": ":", "sim": "∼", "otimes": "⊗", "partial": "∂",
    "lfloor": "⌊", "rfloor": "⌋",
    "lceil": "⌈", "rceil": "⌉", "langle": "⟨", "rangle": "⟩", "lvert": "|", "rvert": "|",
    "{": "{", "}": "}", "%": "%", "$": "$", "&": "&", "#": "#", "_": "_", "|": "‖", "therefore": "∴", "bmod": "mod",
}  # fmt: skip
LETTERS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ϵ", "varepsilon": "ε", "theta": "θ",
    "lambda": "λ", "mu": "μ", "pi": "π", "rho": "ρ", "sigma": "σ",
    "tau": "τ", "phi": "ϕ", "varphi": "φ", "omega": "ω",
    "Gamma": "Γ", "Delta": "Δ", "Lambda": "Λ", "Sigma": "Σ", "Omega": "Ω", "Phi": "Φ", "infty": "∞", "ell": "ℓ",
    "emptyset": "∅", "xi": "ξ", "eta": "η", "zeta": "ζ", "psi": "ψ", "nabla": "∇", "kappa": "κ", "nu": "ν",
}  # fmt: skip
_SPACES = {",", ";", ":", "!", " ", "quad", "qquad", "displaystyle", "limits"}
_ALPHABETS = {"mathbb", "mathcal", "mathbf", "mathfrak", "overline", "hat", "bar", "tilde", "vec"}
_FENCES = {"cases": ("{", ""), "pmatrix": ("(", ")"), "bmatrix": ("[", "]"), "vmatrix": ("|", "|")}


@dataclass(slots=True)
class Element:
    """A MathML element: a leaf (`mi`, `mn`, `mo`, `mtext`) has text, the others have children."""

    tag: str
    text: str = ""
    children: list["Element"] = field(default_factory=list)


def parse_tex(tex: str) -> Element:
    """The formula as one `mrow`. Never fails: what cannot be read as structure is kept as characters."""
    return Element("mrow", children=_Parser(tex).row(stop=()))


class _Parser:
    def __init__(self, tex: str):
        self.tokens = _tokens(tex)
        self.at = 0

    def row(self, stop: tuple[str, ...]) -> list[Element]:
        items: list[Element] = []
        while self.at < len(self.tokens) and self.tokens[self.at] not in stop:
            token = self._next()
            if token in ("^", "_"):
                self._script(items, token)
            elif (item := self._atom(token)) is not None:
                items.append(item)
        return items

    def _next(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1]

    def _argument(self) -> Element:
        if self.at >= len(self.tokens):
            return Element("mrow")
        item = self._atom(self._next())
        return item if item is not None else Element("mrow")

    def _group(self, end: str) -> Element:
        items = self.row(stop=(end,))
        self.at += 1
        return items[0] if len(items) == 1 else Element("mrow", children=items)

    def _atom(self, token: str) -> Element | None:
        if token == "{":
            return self._group("}")
        if token.startswith("\\begin:"):
            return self._environment(token[7:])
        if token.startswith("\\text:"):
            return Element("mtext", token[6:])
        if token.startswith("\\"):
            return self._command(token[1:])
        if token[0].isdigit():
            return Element("mn", token)
        if token in "&}":
            return None
        return Element("mi" if token.isalpha() else "mo", "−" if token == "-" else token)

    def _command(self, name: str) -> Element | None:
        if name in ("frac", "dfrac", "tfrac", "binom"):
            return Element("mfrac", children=[self._argument(), self._argument()])
        if name == "sqrt":
            if self.at < len(self.tokens) and self.tokens[self.at] == "[":
                self.at += 1
                degree = self._group("]")
                return Element("mroot", children=[self._argument(), degree])
            return Element("msqrt", children=[self._argument()])
        if name in ("boxed", "fbox"):
            return Element("menclose", children=[self._argument()])
        if name in ("left", "right", "big", "Big"):
            token = self._next() if self.at < len(self.tokens) else "."
            return None if token == "." else self._atom(token)
        if name in _ALPHABETS:
            return self._argument()
        if name in _SPACES or name == "\\":
            return None
        return (
            Element("mo", OPERATORS[name])
            if name in OPERATORS
            else Element("mi", LETTERS.get(name, name))
        )

    def _script(self, items: list[Element], token: str) -> None:
        base = items.pop() if items else Element("mrow")
        script = self._argument()
        other = {"^": "msub", "_": "msup"}[token]
        if base.tag == other:  # x_1^2 and x^2_1 are one element with two scripts
            low, high = (base.children[1], script) if token == "^" else (script, base.children[1])
            items.append(Element("msubsup", children=[base.children[0], low, high]))
        else:
            items.append(Element("msup" if token == "^" else "msub", children=[base, script]))

    def _environment(self, name: str) -> Element:
        rows: list[Element] = []
        while self.at < len(self.tokens):
            cells = [Element("mtd", children=self.row(stop=("&", "\\\\", "\\end")))]
            while self.at < len(self.tokens) and self.tokens[self.at] == "&":
                self.at += 1
                cells.append(Element("mtd", children=self.row(stop=("&", "\\\\", "\\end"))))
            rows.append(Element("mtr", children=cells))
            self.at += 1
            if self.tokens[self.at - 1 : self.at] != ["\\\\"]:
                break
        table = Element("mtable", children=rows)
        fence = _FENCES.get(name.rstrip("*"))
        if fence is None:
            return table
        marks = [Element("mo", mark) if mark else None for mark in fence]
        return Element("mrow", children=[part for part in (marks[0], table, marks[1]) if part])


def _tokens(tex: str) -> list[str]:
    """Tokens, with `\\text{...}` and `\\begin{...}` as one token each."""
    tokens, at = [], 0
    while at < len(tex):
        if tex[at].isspace():
            at += 1
        elif match := _TEXT.match(tex, at):
            tokens.append(f"\\text:{match.group(1)}")
            at = match.end()
        elif match := _BEGIN.match(tex, at):
            tokens.append(f"\\begin:{match.group(1)}")
            at = match.end()
        elif match := _END.match(tex, at):
            tokens.append("\\end")
            at = match.end()
        else:
            match = _TOKEN.match(tex, at)
            tokens.append(match.group(0))
            at = match.end()
    return tokens
