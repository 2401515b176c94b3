"""MathML to TeX: presentation markup for which the page gives no TeX.

Works on the serialised element, so that one crossing from the page's tree suffices for a formula of
any size. It is read leniently into a small tree; then each element is written by the function that
`_WRITERS` names for its tag. The result aims at what an author would have typed: `x^{2}`,
`\\frac{a}{b}`, `\\begin{pmatrix}`.
"""

import re
from collections.abc import Callable

from corpus.formulas.markup_tree import Element, TooManyLevels, parse_markup
from corpus.formulas.tex_symbols import (
    COMMANDS,
    FUNCTIONS,
    LIMIT_OPERATORS,
    OVER_ACCENTS,
    UNDER_ACCENTS,
    WIDE,
    character_tex,
    escaped_text,
    join_tex,
    text_tex,
)


class NotMathML(ValueError):
    """The markup holds no formula that can be written as TeX."""


def mathml_to_tex(markup: str) -> str:
    """TeX of a serialised `<math>`, without delimiters. Raises NotMathML if there is none."""
    try:
        root = parse_markup(markup)
    except TooManyLevels as error:
        raise NotMathML(str(error)) from None
    return tree_to_tex(root)


def tree_to_tex(root: Element) -> str:
    """TeX of a formula's tree. Raises NotMathML if there is none."""
    tex = _tex(root).strip()
    if not tex:
        raise NotMathML("empty formula")
    # A control space at the end needs its blank.
    if _ends_in_open_backslash(tex):
        tex += " "
    return re.sub(r"[ \t\n]+", " ", tex)


def _ends_in_open_backslash(tex: str) -> bool:
    return (len(tex) - len(tex.rstrip("\\"))) % 2 == 1


# ---- writing: any element, and rows of elements ----

_SKIPPED = frozenset(
    {"annotation", "annotation-xml", "mphantom", "none", "mprescripts", "maligngroup", "malignmark"}
)
_ONE_SYMBOL = frozenset({"mi", "mn", "mo", "mtext", "mover", "munder", "mfenced"})


def _tex(element: Element) -> str:
    if element.tag in _SKIPPED:
        return ""
    writer = _WRITERS.get(element.tag)
    return writer(element) if writer else _row(element)


def _row(element: Element) -> str:
    """The children one after the other; also any element that has no writer of its own."""
    children = [child for child in element.children if child.tag not in _SKIPPED]
    if not children and element.text.strip():
        return text_tex(element.text.strip())

    table = _fenced_table(children)
    if table:
        return table

    parts = [_tex(child) for child in children]
    return join_tex(part for part in parts if part)


def _semantics(element: Element) -> str:
    """The first child is the formula; the others say the same in other languages."""
    return _tex(element.children[0]) if element.children else ""


def _parts(element: Element, count: int) -> list[Element]:
    """The children of an element that needs `count` of them; missing ones are empty."""
    missing = [Element("mrow") for _ in range(count - len(element.children))]
    return (element.children + missing)[:count]


def _unwrapped(element: Element, wrappers: tuple[str, ...]) -> Element:
    """What is inside wrappers that hold one element only."""
    while element.tag in wrappers and len(element.children) == 1:
        element = element.children[0]
    return element


# ---- tokens ----

_VARIANTS = {
    "bold": "\\mathbf",
    "bold-italic": "\\boldsymbol",
    "double-struck": "\\mathbb",
    "script": "\\mathcal",
    "bold-script": "\\mathcal",
    "fraktur": "\\mathfrak",
    "sans-serif": "\\mathsf",
    "monospace": "\\mathtt",
}


def _is_word(text: str) -> bool:
    """Whether TeX would set these letters as a product of variables unless told otherwise."""
    return len(text) > 1 and text.isascii() and text.isalpha()


def _identifier(element: Element) -> str:
    text = element.text.strip()
    font = _VARIANTS.get(element.get("mathvariant"))
    if text in FUNCTIONS:
        return f"\\{text}"
    if _is_word(text):
        font = font or "\\mathrm"
        return f"{font}{{{text}}}"
    tex = text_tex(text)
    return f"{font}{{{tex}}}" if font and tex else tex


def _number(element: Element) -> str:
    text = element.text.strip()
    font = _VARIANTS.get(element.get("mathvariant"))
    return f"{font}{{{text}}}" if font else text_tex(text)


def _operator(element: Element) -> str:
    text = element.text.strip()
    if text in FUNCTIONS:
        return f"\\{text}"
    if _is_word(text):
        return f"\\operatorname{{{text}}}"
    return text_tex(text)


def _text(element: Element) -> str:
    text = re.sub(r"\s+", " ", element.text.replace("\u00a0", " "))
    inner = "".join(_tex(child) for child in element.children)

    stripped = text.strip()
    if not stripped:
        return inner or ("\\ " if text else "")
    # A symbol that was put into a text element for its font.
    if len(stripped) == 1 and stripped in COMMANDS:
        return character_tex(stripped)
    return f"\\text{{{escaped_text(text)}}}{inner}"


def _space(element: Element) -> str:
    """Horizontal space, by its width in em; narrow spaces are TeX's own business."""
    width = re.match(r"(-?[\d.]+)em", element.get("width"))
    if "linebreak" in element.get("linebreak") or not width:
        return ""

    number = width[1]
    is_number = number.count(".") < 2 and number.strip("-.") != ""
    size = float(number) if is_number else 0.0
    if size >= 1:
        return "\\quad "
    return "\\ " if size >= 0.25 else ""


# ---- scripts, limits and accents ----

_NAMES_WITH_LIMITS = frozenset("lim max min sup inf liminf limsup argmax argmin gcd det Pr".split())
_INTEGRALS = frozenset("∫∬∭∮")
_ACCENT_TAGS = ("mo", "mi", "mtext")


def _base(element: Element) -> str:
    """What carries a script: braces where more than one symbol would lose its grouping."""
    tex = _tex(element)
    inner = _unwrapped(element, ("mrow", "mstyle", "math"))
    if not tex or inner.tag in _ONE_SYMBOL or _is_bracketed(tex):
        return tex
    return f"{{{tex}}}"


def _is_bracketed(tex: str) -> bool:
    """One pair of brackets around everything, as in (a+b)^{2}: no braces needed."""
    if tex[0] + tex[-1] not in ("()", "[]"):
        return False
    depth = 0
    for position, character in enumerate(tex):
        if character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
        # The first bracket is closed here.
        if depth == 0:
            return position == len(tex) - 1
    return False


def _script(mark: str, element: Element) -> str:
    tex = _tex(element)
    if not tex:
        return ""
    is_prime = mark == "^" and not tex.strip("'")
    return tex if is_prime else f"{mark}{{{tex}}}"


def _sub(element: Element) -> str:
    base, below = _parts(element, 2)
    return _base(base) + _script("_", below)


def _sup(element: Element) -> str:
    base, above = _parts(element, 2)
    return _base(base) + _script("^", above)


def _subsup(element: Element) -> str:
    base, below, above = _parts(element, 3)
    return _base(base) + _script("_", below) + _script("^", above)


def _multiscripts(element: Element) -> str:
    """Scripts before and after a base, in pairs (below, above)."""
    if not element.children:
        return ""
    base, *scripts = element.children
    tags = [script.tag for script in scripts]
    cut = tags.index("mprescripts") if "mprescripts" in tags else len(scripts)

    before = _script_pairs(scripts[cut + 1 :])
    if before:
        before = "{}" + before
    return before + _base(base) + _script_pairs(scripts[:cut])


def _script_pairs(scripts: list[Element]) -> str:
    pairs = ""
    for number, script in enumerate(scripts):
        mark = "_" if number % 2 == 0 else "^"
        pairs += _script(mark, script)
    return pairs


def _takes_limits(element: Element) -> bool:
    """Whether scripts over and under this are written with _ and ^ in TeX."""
    text = _unwrapped(element, ("mrow", "mstyle")).text.strip()
    return text in LIMIT_OPERATORS or text[:1] in _INTEGRALS or text in _NAMES_WITH_LIMITS


def _accent(element: Element, commands: dict[str, str]) -> str | None:
    """The command of an accent; None where the element over or under a base is a formula."""
    return commands.get(element.text.strip()) if element.tag in _ACCENT_TAGS else None


def _over(element: Element) -> str:
    base, above = _parts(element, 2)
    tex = _tex(base)
    if _takes_limits(base):
        return tex + _script("^", above)

    accent = _accent(above, OVER_ACCENTS)
    if accent:
        if len(base.text.strip()) != 1:
            accent = WIDE.get(accent, accent)
        return f"{accent}{{{tex}}}"
    # The label of a brace.
    if tex.startswith("\\overbrace"):
        return tex + _script("^", above)
    return f"\\overset{{{_tex(above)}}}{{{tex}}}"


def _under(element: Element) -> str:
    base, below = _parts(element, 2)
    tex = _tex(base)
    if _takes_limits(base):
        return tex + _script("_", below)

    accent = _accent(below, UNDER_ACCENTS)
    if accent:
        return f"{accent}{{{tex}}}"
    if tex.startswith("\\underbrace"):
        return tex + _script("_", below)
    return f"\\underset{{{_tex(below)}}}{{{tex}}}"


def _underover(element: Element) -> str:
    base, below, above = _parts(element, 3)
    tex = _tex(base)
    if _takes_limits(base):
        return tex + _script("_", below) + _script("^", above)
    return f"\\underset{{{_tex(below)}}}{{\\overset{{{_tex(above)}}}{{{tex}}}}}"


# ---- fractions, roots and enclosures ----


def _fraction(element: Element) -> str:
    above, below = (_tex(part) for part in _parts(element, 2))
    # Without its line it is a binomial coefficient or the like.
    thickness = element.get("linethickness").rstrip("empxt% ")
    if thickness in ("0", "0.0", "0.00"):
        return f"{{{above} \\atop {below}}}"
    return f"\\frac{{{above}}}{{{below}}}"


def _square_root(element: Element) -> str:
    return f"\\sqrt{{{_row(element)}}}"


def _root(element: Element) -> str:
    base, index = _parts(element, 2)
    return f"\\sqrt[{_tex(index)}]{{{_tex(base)}}}"


def _enclosed(element: Element) -> str:
    notation = element.get("notation", "longdiv")
    inner = _row(element)
    if "radical" in notation:
        return f"\\sqrt{{{inner}}}"
    if "box" in notation:
        return f"\\boxed{{{inner}}}"
    if "strike" in notation:
        return f"\\cancel{{{inner}}}"
    if "top" in notation:
        return f"\\overline{{{inner}}}"
    return inner


# ---- tables and fences ----

# White space, function application, invisible times and the like.
_INVISIBLE = " \t\n\u00a0\u2061\u2062\u2063\u2064\u200b"
_CLOSERS = {"(": ")", "[": "]", "{": "}", "|": "|", "‖": "‖", "∥": "∥"}
_MATRICES = {
    "(": "pmatrix",
    "[": "bmatrix",
    "{": "Bmatrix",
    "|": "vmatrix",
    "‖": "Vmatrix",
    "∥": "Vmatrix",
}


def _table(element: Element) -> str:
    alignment = element.get("columnalign").split()
    name = "aligned" if alignment[:2] == ["right", "left"] else "matrix"
    return _environment(name, element)


def _environment(name: str, table: Element) -> str:
    lines: list[str] = []
    for row in table.children:
        if row.tag not in ("mtr", "mlabeledtr"):
            continue
        cells = [cell for cell in row.children if cell.tag == "mtd"]
        # The first cell of a labelled row is its equation number.
        if row.tag == "mlabeledtr":
            cells = cells[1:]
        lines.append(" & ".join(_row(cell) for cell in cells))
    body = " \\\\ ".join(lines)
    return f"\\begin{{{name}}} {body} \\end{{{name}}}"


def _sole_table(element: Element) -> Element | None:
    inner = _unwrapped(element, ("mrow", "mstyle", "mpadded"))
    return inner if inner.tag == "mtable" else None


def _fenced_table(children: list[Element]) -> str:
    """A table between brackets is a matrix, one after a brace a case distinction; else ""."""
    visible = [child for child in children if child.children or child.text.strip(_INVISIBLE)]
    if not 2 <= len(visible) <= 3 or visible[0].tag != "mo":
        return ""
    table = _sole_table(visible[1])
    if table is None:
        return ""

    opening = visible[0].text.strip()
    if len(visible) == 2:
        return _environment("cases", table) if opening == "{" else ""
    closing = visible[2].text.strip() if visible[2].tag == "mo" else ""
    if opening in _MATRICES and closing == _CLOSERS[opening]:
        return _environment(_MATRICES[opening], table)
    return ""


def _fenced(element: Element) -> str:
    """<mfenced>, whose brackets and separators are attributes."""
    opening = element.get("open", "(")
    closing = element.get("close", ")")

    table = _sole_table(element.children[0]) if len(element.children) == 1 else None
    if table and opening in _MATRICES:
        if closing == _CLOSERS[opening]:
            return _environment(_MATRICES[opening], table)
        if opening == "{" and not closing:
            return _environment("cases", table)

    # One character a gap; the last one is for all further gaps.
    separators = "".join(element.get("separators", ",").split())
    parts = [text_tex(opening)]
    for number, child in enumerate(element.children):
        if number and separators:
            parts.append(text_tex(separators[min(number, len(separators)) - 1]))
        parts.append(_tex(child))
    parts.append(text_tex(closing))
    return join_tex(parts)


_WRITERS: dict[str, Callable[[Element], str]] = {
    "mi": _identifier,
    "ci": _identifier,
    "mn": _number,
    "cn": _number,
    "mo": _operator,
    "mtext": _text,
    "ms": _text,
    "mspace": _space,
    "semantics": _semantics,
    "maction": _semantics,
    "msub": _sub,
    "msup": _sup,
    "msubsup": _subsup,
    "mmultiscripts": _multiscripts,
    "mover": _over,
    "munder": _under,
    "munderover": _underover,
    "mfrac": _fraction,
    "msqrt": _square_root,
    "mroot": _root,
    "menclose": _enclosed,
    "mtable": _table,
    "mfenced": _fenced,
}
