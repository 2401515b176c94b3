"""Parse the TeX of the built-in world's formulas into a tree of MathML elements.

Covers what textbook formulas need: numbers, letters, operators, fractions, roots, sub- and superscripts, text,
boxes, Greek, fences and the aligned/cases/matrix environments. An unknown command becomes an identifier of its name.
"""

import re
from dataclasses import dataclass, field

# A command, an escaped character, a number, a sign with a meaning, or any other character.
_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\d+(?:[.,]\d+)*|[{}^_&]|\S", re.DOTALL)
_TEXT = re.compile(r"\\(?:text|mathrm|operatorname|textbf|mbox)\s*\{([^{}]*)\}")
# An environment may be followed by a specification of columns, {lcr|}.
_BEGIN = re.compile(r"\\begin\s*\{(\w+\*?)\}(?:\{[lcr|]*\})?")
_END = re.compile(r"\\end\s*\{\w+\*?\}")

# What _tokens writes before the content of \text{...} and the name of \begin{...}.
_TEXT_TOKEN = "\\text:"
_BEGIN_TOKEN = "\\begin:"
_NEW_ROW = "\\\\"
_END_TOKEN = "\\end"
_CELL_ENDS = ("&", _NEW_ROW, _END_TOKEN)

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
    parser = _Parser(tex)
    return Element("mrow", children=parser.row(stop=()))


class _Parser:
    """Recursive descent over the tokens, one formula at a time."""

    def __init__(self, tex: str):
        self.tokens = _tokens(tex)
        self.at = 0

    def row(self, stop: tuple[str, ...]) -> list[Element]:
        """The elements up to a token of `stop`, which stays, or to the end."""
        items: list[Element] = []
        while not self._is_at_end() and self.tokens[self.at] not in stop:
            token = self._next()
            if token in ("^", "_"):
                self._script(items, token)
                continue

            item = self._atom(token)
            if item is not None:
                items.append(item)
        return items

    def _is_at_end(self) -> bool:
        return self.at >= len(self.tokens)

    def _is_before(self, token: str) -> bool:
        if self._is_at_end():
            return False
        return self.tokens[self.at] == token

    def _next(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1]

    def _argument(self) -> Element:
        """The next atom, or an empty row where there is none."""
        empty = Element("mrow")
        if self._is_at_end():
            return empty
        return self._atom(self._next()) or empty

    def _group(self, end: str) -> Element:
        """What stands before the token `end`, which is passed over."""
        items = self.row(stop=(end,))
        self.at += 1
        if len(items) == 1:
            return items[0]
        return Element("mrow", children=items)

    def _atom(self, token: str) -> Element | None:
        """The element that begins with `token`, or None where it shows nothing."""
        if token == "{":
            return self._group("}")
        if token.startswith(_BEGIN_TOKEN):
            return self._environment(token.removeprefix(_BEGIN_TOKEN))
        if token.startswith(_TEXT_TOKEN):
            return Element("mtext", token.removeprefix(_TEXT_TOKEN))
        if token.startswith("\\"):
            return self._command(token[1:])
        if token[0].isdigit():
            return Element("mn", token)
        if token in "&}":
            return None
        if token.isalpha():
            return Element("mi", token)
        return Element("mo", "−" if token == "-" else token)

    def _command(self, name: str) -> Element | None:
        if name in ("frac", "dfrac", "tfrac", "binom"):
            return Element("mfrac", children=[self._argument(), self._argument()])
        if name == "sqrt":
            return self._root()
        if name in ("boxed", "fbox"):
            return Element("menclose", children=[self._argument()])
        if name in ("left", "right", "big", "Big"):
            # The sign that is sized; a full stop stands for none.
            token = "." if self._is_at_end() else self._next()
            return None if token == "." else self._atom(token)
        if name in _ALPHABETS:
            return self._argument()
        if name in _SPACES or name == "\\":
            return None
        if name in OPERATORS:
            return Element("mo", OPERATORS[name])
        return Element("mi", LETTERS.get(name, name))

    def _root(self) -> Element:
        if not self._is_before("["):
            return Element("msqrt", children=[self._argument()])

        self.at += 1
        degree = self._group("]")
        return Element("mroot", children=[self._argument(), degree])

    def _script(self, items: list[Element], token: str) -> None:
        """Replace the last of `items` by itself with a sub- or superscript."""
        base = items.pop() if items else Element("mrow")
        script = self._argument()

        match token, base:
            # x_1^2 and x^2_1 are one element with two scripts.
            case "^", Element("msub", _, [inner, low]):
                items.append(Element("msubsup", children=[inner, low, script]))
            case "_", Element("msup", _, [inner, high]):
                items.append(Element("msubsup", children=[inner, script, high]))
            case "^", _:
                items.append(Element("msup", children=[base, script]))
            case _:
                items.append(Element("msub", children=[base, script]))

    def _environment(self, name: str) -> Element:
        rows: list[Element] = []
        while not self._is_at_end():
            rows.append(self._table_row())
            if self._is_at_end() or self._next() != _NEW_ROW:
                break

        table = Element("mtable", children=rows)
        if name.rstrip("*") not in _FENCES:
            return table

        opening, closing = _FENCES[name.rstrip("*")]
        parts = [Element("mo", opening), table]
        if closing:
            parts.append(Element("mo", closing))
        return Element("mrow", children=parts)

    def _table_row(self) -> Element:
        cells = [Element("mtd", children=self.row(_CELL_ENDS))]
        while self._is_before("&"):
            self.at += 1
            cells.append(Element("mtd", children=self.row(_CELL_ENDS)))
        return Element("mtr", children=cells)


def _tokens(tex: str) -> list[str]:
    """Tokens, with `\\text{...}` and `\\begin{...}` as one token each."""
    tokens: list[str] = []
    at = 0
    while at < len(tex):
        if tex[at].isspace():
            at += 1
            continue

        if match := _TEXT.match(tex, at):
            tokens.append(_TEXT_TOKEN + match.group(1))
        elif match := _BEGIN.match(tex, at):
            tokens.append(_BEGIN_TOKEN + match.group(1))
        elif match := _END.match(tex, at):
            tokens.append(_END_TOKEN)
        else:
            match = _TOKEN.match(tex, at)
            assert match is not None, "any character that is no space is a token"
            tokens.append(match.group(0))
        at = match.end()
    return tokens
