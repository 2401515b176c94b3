"""LaTeX without what only concerns its looks, and with one command for each meaning."""

import re

from eval.grading.normalise.written_numbers import without_grouping

_FONTS = r"text(?:bf|it|rm|sf|tt|normal|up)?|mbox|hbox|mathrm|mathsf|mathit|mathbf|boldsymbol|bm|operatorname\*?|rm|bf"
_TEXT = re.compile(rf"\\(?:{_FONTS})\s*\{{([^{{}}]*)\}}")
_TEXT_ONLY = re.compile(  # \text{5 cm}, \text{x = 3}
    r"^\\text\s*\{\s*(-?[\d(][^{}\\$]*|[a-zA-Z]\s*=[^{}\\$]*)\}$"
)
_SINGLE_LETTER = re.compile(r"\\text\{\s*([a-zA-Z])\s*\}")
_DROPPED = re.compile(
    r"\\(?:displaystyle|textstyle|scriptstyle|limits|nolimits|strut|rm|bf|it)(?![A-Za-z])"
    r"|\\(?:left|right|[bB]igg?[lrm]?)(?![A-Za-z])\s*\.?(?=[^\d]|$)"
)
_SPACES = re.compile(
    r"\\(?:quad|qquad|enspace|thinspace|,|;|:|>|~| |!)|~|[\t\n\r\xa0\u2000-\u200b\u202f\u3000]"
)
_WIDE_BLANK = re.compile(
    r"(?<=[\w})])\s*(?:\\q?quad\s*)+(?=(?:[A-Za-z]|\\[a-z]+)(?:_\{?\w+\}?)?\s*=)"
)
_APPROXIMATELY = re.compile(r"(?<=[\w})])\s+~\s*(?=[-\d])")  # 2\sqrt{3} ~ 3.46
_NAMED_BRACKETS = (
    (re.compile(r"\\lbrace(?![A-Za-z])"), r"\\{"),
    (re.compile(r"\\rbrace(?![A-Za-z])"), r"\\}"),
    (re.compile(r"\\lbrack(?![A-Za-z])"), "["),
    (re.compile(r"\\rbrack(?![A-Za-z])"), "]"),
    (re.compile(r"\\(?:lparen|lgroup)(?![A-Za-z])"), "("),
    (re.compile(r"\\(?:rparen|rgroup)(?![A-Za-z])"), ")"),
    (re.compile(r"\\(?:[lr]?Vert|Arrowvert)(?![A-Za-z])"), r"\\|"),
)
_NAMED_BRACKET = re.compile(r"\\(?:[lr]br|[lr]paren|[lr]group|[lr]?Vert|Arrowvert)")
_BOXED = re.compile(r"\\(?:boxed|fbox|displaystyle|mathop)\s*\{((?:[^{}]|\{[^{}]*\})*)\}")

# Ways to write a set, a vector or a condition

_POSITIVE_REALS = re.compile(r"\\mathbb\s*\{?\s*R\s*\}?\s*[\^_]\s*(?:\{\s*(?:\+|>\s*0)\s*\}|\+)")
_NOT_NEGATIVE = re.compile(
    r"\\mathbb\s*\{?\s*R\s*\}?\s*_\s*\{?\s*(?:\\geq?|\+)\s*0?\s*\}?(?:\s*\^\s*\{?\+\}?)?$"
)
_UNIT_VECTOR = re.compile(
    r"\\(?:mathbf|boldsymbol|bm|hat|widehat|vec|overrightarrow)\s*\{?\s*(?:\\(?:mathbf|boldsymbol|bm|hat)\s*\{?\s*)?"
    r"\\?([ijk])(?:math)?(?![A-Za-z])\s*\}{0,2}"
)
_CONDITION = re.compile(  # x = 2k\pi (k \in \mathbb{Z})
    r"\s*\(\s*([a-zA-Z]\s*(?:\\n?eq?|\\[gl]eq?|[<>])(?![a-z])[^()]{1,30}|[a-zA-Z]\s*\\in\s*(?:\\mathbb\s*)?\{?\s*[ZNRQ]\s*\}?(?:\s*[\^_]\s*\{?[+*]\}?)?)\s*\)$"
)
_UNIT_FRACTION = re.compile(  # \frac{\text{km}}{\text{h}}
    r"\\[dt]?frac\s*\{\s*\\(?:text|mathrm)\{\s*([a-z ]+)\}\s*\}\s*\{\s*\\(?:text|mathrm)\{\s*([a-z ]+)\}\s*\}"
)
_ENTRY = r"\s*[A-Za-z](?:_\{?\w\}?)?\s*:\s*-?[^:,{}\[\]()|]{1,40}"
_DICTIONARY = re.compile(rf"\\?\{{{_ENTRY}(?:,{_ENTRY}){{1,8}}\\?\}}")


def plain_latex(text: str) -> str:
    """LaTeX without what only concerns its looks, and with one command for each meaning."""
    text = _plain_markup(text)

    # Before fonts are made \text, because \mathbf{R} is no \text{R}.
    text = _plain_sets_and_units(text)

    # Variants of one command
    text = re.sub(r"\\[dtc]frac(?![A-Za-z])", r"\\frac", text)
    text = re.sub(r"\\[dt]binom(?![A-Za-z])", r"\\binom", text)
    text = _BOXED.sub(r"\1", text)

    # Separators of thousands. Elsewhere {,} is the decimal comma: 3{,}14.
    text = re.sub(r"\\!\s*", "", text)
    text = without_grouping(text)
    if re.search(r"\d\{,\}\d", text):
        text = text.replace("{,}", ".")

    # x = 3 \quad y = 4: a wide blank between two equations separates them.
    if "quad" in text and text.count("=") > 1:
        text = _WIDE_BLANK.sub(", ", text)
    text = _APPROXIMATELY.sub(r" \\approx ", text)

    # Text, sizes and blanks
    text = _TEXT.sub(r"\\text{\1}", text)
    if re.search(r"\\text\{\s*[ie]\s*\}", text):  # the constants i and e
        text = _SINGLE_LETTER.sub(r" \1", text)
    text = _DROPPED.sub(" ", text)
    return _drop_spacing(text)


def _plain_markup(text: str) -> str:
    """Plain TeX's fractions, named brackets, doubled backslashes, and what aligns a system."""
    # Plain TeX's {a \over b}
    if "\\choose" in text or "\\over" in text:
        text = re.sub(r"\{([^{}]*?)\\choose(?![a-z])([^{}]*)\}", r"\\binom{\1}{\2}", text)
        text = re.sub(r"\{([^{}]*?)\\over(?![a-z])([^{}]*)\}", r"\\frac{\1}{\2}", text)

    if _NAMED_BRACKET.search(text):
        for pattern, bracket in _NAMED_BRACKETS:
            text = pattern.sub(bracket, text)

    # x = 1 \\ y = 2: the rows of a system without its environment
    if "\\\\ " in text and "\\begin" not in text and text.count("=") > 1:
        text = re.sub(r"\s*\\\\\s+(?=[A-Za-z])", ", ", text)

    # Backslashes that were escaped twice; in a matrix or system they end a row.
    if "\\\\" in text and "\\begin" not in text:
        text = re.sub(r"\\\\(?=[A-Za-z{}])", r"\\", text)
    text = text.rstrip("\\ ")

    # Columns of aligned equations say nothing.
    if "&=" in text or "& =" in text:
        text = text.replace("&=", "=").replace("& =", "=")

    # The brace of a system of equations is never closed.
    if "\\begin" in text and text.count("\\{") > text.count("\\}"):
        text = re.sub(r"\\(?:left\s*\\)?\{\s*(?=\\begin)", "", text)
    return text


def _plain_sets_and_units(text: str) -> str:
    """Sets of numbers, unit vectors, units and conditions, which are told from text by their fonts."""
    if "\\Omega" in text:
        text = re.sub(r"(?<=\d)(?:\\[,;: ]|[~\s])*\\Omega(?![A-Za-z])", r" \\text{ohm}", text)
    text = re.sub(r"(?<=\d)\s*\\degrees?(?![A-Za-z])", r"^\\circ", text)
    text = _POSITIVE_REALS.sub(r"(0,\\infty)", text)
    text = _NOT_NEGATIVE.sub(r"[0,\\infty)", text)
    text = _UNIT_FRACTION.sub(r"\\text{\1/\2}", text)
    text = _CONDITION.sub(r", \1", text)
    if text.startswith("\\text") and text.endswith("}"):
        text = _TEXT_ONLY.sub(r"\1", text)
    text = re.sub(r"\\text\s*\{\s*percent\s*\}", r"\\%", text)
    text = _UNIT_VECTOR.sub(r"\\vec{\1}", text)
    return re.sub(r"\\(?:mathbf|bf|rm|mathrm)\s*\{?\s*R\}?$", r"\\mathbb{R}", text)


def _drop_spacing(text: str) -> str:
    r"""Replace spacing commands by blanks, minding that `\\,` is a row's end and a comma."""
    rows = text.split("\\\\")
    spaced = [_SPACES.sub(lambda match: "" if match[0] == "\\!" else " ", row) for row in rows]
    return "\\\\".join(spaced)


def mended_braces(text: str) -> str:
    """Braces that an answer lost where it was cut out of its text."""
    text = re.sub(r"\{\s*\}\s*(?=[\^_])", "", text)  # {}^5C_2
    text = _closed(text)
    if text.startswith("boxed{") and text.endswith("}"):
        text = text[len("boxed{") : -1]

    # {x | x > 0} is a set
    in_braces = text[:1] == "{" and text[-1:] == "}"
    if in_braces and ("|" in text or "\\mid" in text):
        text = "\\" + text[:-1] + "\\}"
    return text


def _closed(text: str) -> str:
    """Close up to three braces that an answer leaves open; drop as many that it closes without opening them."""
    braces = re.findall(r"\\[{}]|[{}]", text)
    missing = braces.count("{") - braces.count("}")
    if 0 < missing <= 3:
        return text + "}" * missing

    while -3 <= missing < 0 and text.endswith("}") and not text.endswith("\\}"):
        text = text[:-1].rstrip()
        missing += 1
    return text


def without_keys(text: str) -> str:
    """{x: 5, y: 12}, as programs print a solution, as x = 5, y = 12."""
    if not _DICTIONARY.fullmatch(text):
        return text
    return re.sub(r"\s*:\s*", " = ", text.strip("\\{} "))
