"""Unicode characters as TeX, for MathML whose source has no TeX in it."""

import unicodedata
from collections.abc import Iterable

_GREEK = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau upsilon"
_GREEK += " phi chi psi omega"

# Characters outside ASCII, and those that TeX takes for its own, as an author would type them.
COMMANDS = {
    "±": "\\pm", "∓": "\\mp", "×": "\\times", "÷": "\\div", "·": "\\cdot", "⋅": "\\cdot", "∗": "*", "⋆": "\\star",
    "∘": "\\circ", "•": "\\bullet", "⊕": "\\oplus", "⊖": "\\ominus", "⊗": "\\otimes", "⊘": "\\oslash",
    "⊙": "\\odot", "∩": "\\cap", "∪": "\\cup", "⊎": "\\uplus", "⊓": "\\sqcap", "⊔": "\\sqcup", "∧": "\\wedge",
    "∨": "\\vee", "∖": "\\setminus", "≀": "\\wr", "⋄": "\\diamond", "†": "\\dagger", "‡": "\\ddagger",
    "≤": "\\leq", "≥": "\\geq", "⩽": "\\leqslant", "⩾": "\\geqslant", "≠": "\\neq", "≡": "\\equiv",
    "≢": "\\not\\equiv", "∼": "\\sim", "≃": "\\simeq", "≅": "\\cong", "≈": "\\approx", "≍": "\\asymp",
    "∝": "\\propto", "≪": "\\ll", "≫": "\\gg", "≺": "\\prec", "≻": "\\succ", "⪯": "\\preceq", "⪰": "\\succeq",
    "⊂": "\\subset", "⊃": "\\supset", "⊆": "\\subseteq", "⊇": "\\supseteq", "⊄": "\\not\\subset",
    "⊊": "\\subsetneq", "∈": "\\in", "∉": "\\notin", "∋": "\\ni", "⊢": "\\vdash", "⊣": "\\dashv", "⊨": "\\models",
    "⊥": "\\perp", "∥": "\\parallel", "∦": "\\nparallel", "∣": "\\mid", "∤": "\\nmid", "≔": ":=",
    "∀": "\\forall", "∃": "\\exists", "∄": "\\nexists", "¬": "\\neg", "∅": "\\emptyset", "⌀": "\\varnothing",
    "∂": "\\partial", "∇": "\\nabla", "∞": "\\infty", "ℓ": "\\ell", "ℏ": "\\hbar", "ℜ": "\\Re", "ℑ": "\\Im",
    "℘": "\\wp", "ℵ": "\\aleph", "∠": "\\angle", "△": "\\triangle", "▽": "\\triangledown", "□": "\\square",
    "∎": "\\blacksquare", "√": "\\surd", "°": "^{\\circ}", "′": "'", "″": "''", "‴": "'''",
    "→": "\\to", "←": "\\leftarrow", "↔": "\\leftrightarrow", "⇒": "\\Rightarrow", "⇐": "\\Leftarrow",
    "⇔": "\\Leftrightarrow", "⟶": "\\longrightarrow", "⟵": "\\longleftarrow", "⟹": "\\Longrightarrow",
    "⟺": "\\iff", "↦": "\\mapsto", "⟼": "\\longmapsto", "↑": "\\uparrow", "↓": "\\downarrow", "↗": "\\nearrow",
    "↘": "\\searrow", "↪": "\\hookrightarrow", "↠": "\\twoheadrightarrow", "⇀": "\\rightharpoonup",
    "⇌": "\\rightleftharpoons", "⇄": "\\rightleftarrows", "∑": "\\sum", "∏": "\\prod", "∐": "\\coprod",
    "∫": "\\int", "∬": "\\iint", "∭": "\\iiint", "∮": "\\oint", "⋂": "\\bigcap", "⋃": "\\bigcup", "⋀": "\\bigwedge",
    "⋁": "\\bigvee", "⨁": "\\bigoplus", "⨂": "\\bigotimes", "⨀": "\\bigodot", "…": "\\ldots", "⋯": "\\cdots",
    "⋮": "\\vdots", "⋱": "\\ddots", "⟨": "\\langle", "⟩": "\\rangle", "〈": "\\langle", "〉": "\\rangle",
    "⌊": "\\lfloor", "⌋": "\\rfloor", "⌈": "\\lceil", "⌉": "\\rceil", "‖": "\\|", "∴": "\\therefore",
    "∵": "\\because", "ϵ": "\\epsilon", "ε": "\\varepsilon", "ϑ": "\\vartheta", "ϕ": "\\phi", "φ": "\\varphi",
    "ϖ": "\\varpi", "ϱ": "\\varrho", "ς": "\\varsigma", "ϰ": "\\varkappa", "ı": "\\imath", "ȷ": "\\jmath",
    "−": "-", "–": "-", "‐": "-", "{": "\\{", "}": "\\}", "%": "\\%", "#": "\\#", "&": "\\&", "$": "\\$",
    "_": "\\_", "\\": "\\backslash", "\u00a0": "\\ ", "\u2003": "\\quad ", "\u2009": "\\,", "\u200a": "",
    "\u2061": "", "\u2062": "", "\u2063": "", "\u2064": "", "\u200b": "", "\u2060": "", "\ufeff": "",
}  # fmt: skip

# Names that TeX has a command for and sets upright.
FUNCTIONS = frozenset(
    "arccos arcsin arctan arg cos cosh cot coth csc deg det dim exp gcd hom inf ker lg lim liminf limsup ln log "
    "max min Pr sec sin sinh sup tan tanh".split()
)
# Operators whose scripts MathML writes as munder and mover, and TeX as _ and ^.
LIMIT_OPERATORS = frozenset("∑∏∐⋂⋃⋀⋁⨁⨂⨀")
OVER_ACCENTS = {
    "^": "\\hat", "ˆ": "\\hat", "\u0302": "\\hat", "~": "\\tilde", "˜": "\\tilde", "∼": "\\tilde", "¯": "\\bar",
    "‾": "\\overline", "\u0304": "\\bar", "_": "\\overline", "―": "\\overline", "→": "\\vec", "⃗": "\\vec",
    "⇀": "\\vec", "˙": "\\dot", ".": "\\dot", "¨": "\\ddot", "˘": "\\breve", "ˇ": "\\check", "´": "\\acute",
    "`": "\\grave", "⏞": "\\overbrace", "︷": "\\overbrace", "⏜": "\\overparen", "←": "\\overleftarrow",
    "↔": "\\overleftrightarrow", "−": "\\bar", "-": "\\bar", "–": "\\bar", "¸": "\\c",
}  # fmt: skip
UNDER_ACCENTS = {"_": "\\underline", "¯": "\\underline", "‾": "\\underline", "̲": "\\underline", "―": "\\underline",
                 "⏟": "\\underbrace", "︸": "\\underbrace", "→": "\\underrightarrow"}  # fmt: skip
# The accents that grow with what is under them.
WIDE = {
    "\\hat": "\\widehat",
    "\\tilde": "\\widetilde",
    "\\bar": "\\overline",
    "\\vec": "\\overrightarrow",
}

# Greek capitals that look like Latin ones.
_LATIN_CAPITALS = {"alpha": "A", "beta": "B", "epsilon": "E", "zeta": "Z", "eta": "H", "iota": "I", "kappa": "K",
                   "mu": "M", "nu": "N", "omicron": "O", "rho": "P", "tau": "T", "chi": "X"}  # fmt: skip
# Words of a character's Unicode name, the longer before those they contain, and the font command.
_FONTS = (
    ("BOLD ITALIC", "\\boldsymbol"),
    ("BOLD SCRIPT", "\\mathcal"),
    ("BOLD FRAKTUR", "\\mathfrak"),
    ("SANS-SERIF", "\\mathsf"),
    ("DOUBLE-STRUCK", "\\mathbb"),
    ("FRAKTUR", "\\mathfrak"),
    ("BLACK-LETTER", "\\mathfrak"),
    ("SCRIPT", "\\mathcal"),
    ("MONOSPACE", "\\mathtt"),
    ("BOLD", "\\mathbf"),
    ("ITALIC", ""),
)
# Beginnings of the names of letters outside the block of mathematical alphabets (ℝ, ℋ, ℜ).
_LETTERLIKE = ("DOUBLE-STRUCK", "SCRIPT", "BLACK-LETTER")

# Characters with a meaning in TeX, as they are written in text mode.
_IN_TEXT = str.maketrans(
    {
        "\\": "\\textbackslash{}",
        "{": "\\{",
        "}": "\\}",
        "$": "\\$",
        "%": "\\%",
        "#": "\\#",
        "&": "\\&",
        "_": "\\_",
        "^": "\\^{}",
        "~": "\\~{}",
    }
)


def _add_greek() -> None:
    """Greek letters by their Unicode names; those that look Latin have no command in TeX."""
    for name in _GREEK.split():
        unicode_name = name.upper().replace("LAMBDA", "LAMDA")
        small = unicodedata.lookup(f"GREEK SMALL LETTER {unicode_name}")
        capital = unicodedata.lookup(f"GREEK CAPITAL LETTER {unicode_name}")

        # Letters of the table above keep its commands (\\varepsilon, \\varphi).
        COMMANDS.setdefault(small, "o" if name == "omicron" else f"\\{name}")
        COMMANDS.setdefault(capital, _LATIN_CAPITALS.get(name) or f"\\{name.capitalize()}")


_add_greek()


def character_tex(character: str) -> str:
    """TeX of one character: mathematical alphabets become font commands, unknown ones stay."""
    if character in COMMANDS or character.isascii():
        return COMMANDS.get(character, character)

    # Unicode's compatibility mapping gives the plain letter of a mathematical alphabet's.
    name = unicodedata.name(character, "")
    plain = unicodedata.normalize("NFKC", character)
    is_letter = "MATHEMATICAL" in name or name.startswith(_LETTERLIKE)
    if not is_letter or len(plain) != 1 or plain == character:
        return character

    letter = COMMANDS.get(plain, plain)
    for word, command in _FONTS:
        if word in name:
            return f"{command}{{{letter}}}" if command else letter
    return letter


def escaped_text(text: str) -> str:
    """Prose as it must stand inside `\\text{}`: characters that TeX takes for its own escaped."""
    return text.translate(_IN_TEXT)


def text_tex(text: str) -> str:
    """TeX of a text, with a space where a command would swallow the letter after it."""
    return join_tex(character_tex(character) for character in text)


def join_tex(parts: Iterable[str]) -> str:
    """Concatenate TeX so that no command runs into a following letter."""
    joined = ""
    for part in parts:
        if joined and part[:1].isalpha() and _ends_in_command(joined):
            joined += " "
        joined += part
    return joined


def _ends_in_command(tex: str) -> bool:
    """Whether TeX ends in a command (a backslash and letters; not after a line break)."""
    end = len(tex)
    while end and tex[end - 1].isascii() and tex[end - 1].isalpha():
        end -= 1
    has_letters = end < len(tex)
    return has_letters and end > 0 and tex[end - 1] == "\\" and not tex[: end - 1].endswith("\\")
