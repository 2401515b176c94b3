"""MathML to LaTeX: presentation markup for which the page gives no TeX.

Works on the serialised element, so that one crossing from the page's tree suffices for a formula of any size.
The result aims at what an author would have typed: `x^{2}`, `\\frac{a}{b}`, `\\begin{pmatrix}`.
"""

import re

from corpus.formulas.mathml_tree import Element, NotMathML, parse
from corpus.formulas.tex_symbols import (
    COMMANDS,
    FUNCTIONS,
    LIMIT_OPERATORS,
    OVER_ACCENTS,
    UNDER_ACCENTS,
    WIDE,
    character_tex,
    join_tex,
    text_tex,
)

_SKIPPED = frozenset(
    {"annotation", "annotation-xml", "mphantom", "none", "mprescripts", "maligngroup", "malignmark"}
)
_INVISIBLE = " \t\n\u00a0\u2061\u2062\u2063\u2064\u200b"  # function application, invisible times and the like
_FENCES = {"(": "p", "[": "b", "{": "B", "|": "v", "‖": "V", "∥": "V"}
_CLOSERS = {"(": ")", "[": "]", "{": "}", "|": "|", "‖": "‖", "∥": "∥"}
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


def mathml_to_tex(markup: str) -> str:
    """LaTeX of a serialised `<math>` element, without delimiters. Raises NotMathML if nothing comes of it."""
    tex = _tex(parse(markup)).strip()
    if not tex:
        raise NotMathML("empty formula")
    return re.sub(r"[ \t\n]+", " ", tex)


def _tex(element: Element) -> str:
    if element.tag in _SKIPPED:
        return ""
    handler = _HANDLERS.get(element.tag)
    return handler(element) if handler else _row(element)


def _row(element: Element) -> str:
    children = [child for child in element.children if child.tag not in _SKIPPED]
    if not children and element.text.strip():
        return text_tex(element.text.strip())
    if table := _fenced_table(children):
        return table
    return join_tex(part for child in children if (part := _tex(child)))


def _semantics(element: Element) -> str:
    """The first child is the formula; the others say the same in other languages."""
    return _tex(element.children[0]) if element.children else ""


def _fenced_table(children: list[Element]) -> str:
    """A table between brackets is a matrix, behind an opening brace it is a case distinction."""
    solid = [child for child in children if child.children or child.text.strip(_INVISIBLE)]
    if not 2 <= len(solid) <= 3 or _sole_table(solid[1]) is None or solid[0].tag != "mo":
        return ""
    table, opening = _sole_table(solid[1]), solid[0].text.strip()
    closing = solid[2].text.strip() if len(solid) == 3 and solid[2].tag == "mo" else ""
    if opening == "{" and not closing and len(solid) == 2:
        return f"\\begin{{cases}} {_cells(table)} \\end{{cases}}"
    if opening in _FENCES and closing == _CLOSERS[opening]:
        kind = _FENCES[opening]
        return f"\\begin{{{kind}matrix}} {_cells(table)} \\end{{{kind}matrix}}"
    return ""


def _sole_table(element: Element) -> Element | None:
    while element.tag in ("mrow", "mstyle", "mpadded") and len(element.children) == 1:
        element = element.children[0]
    return element if element.tag == "mtable" else None


def _cells(table: Element) -> str:
    rows = [row for row in table.children if row.tag in ("mtr", "mlabeledtr")]
    lines = []
    for row in rows:
        cells = [cell for cell in row.children if cell.tag == "mtd"]
        lines.append(
            " & ".join(_row(cell) for cell in (cells[1:] if row.tag == "mlabeledtr" else cells))
        )
    return " \\\\ ".join(lines)


def _table(element: Element) -> str:
    alignment = element.attributes.get("columnalign", "").split()
    name = "aligned" if alignment[:2] == ["right", "left"] else "matrix"
    return f"\\begin{{{name}}} {_cells(element)} \\end{{{name}}}"


def _identifier(element: Element) -> str:
    text = element.text.strip()
    variant = element.attributes.get("mathvariant", "")
    if text in FUNCTIONS:
        return f"\\{text}"
    if len(text) > 1 and text.isascii() and text.isalpha():
        return f"{_VARIANTS.get(variant, chr(92) + 'mathrm')}{{{text}}}"
    tex = text_tex(text)
    return f"{_VARIANTS[variant]}{{{tex}}}" if variant in _VARIANTS and tex else tex


def _number(element: Element) -> str:
    text = element.text.strip()
    variant = element.attributes.get("mathvariant", "")
    return f"{_VARIANTS[variant]}{{{text}}}" if variant in _VARIANTS else text_tex(text)


def _operator(element: Element) -> str:
    text = element.text.strip()
    if text in FUNCTIONS:
        return f"\\{text}"
    if len(text) > 1 and text.isascii() and text.isalpha():
        return f"\\operatorname{{{text}}}"
    return text_tex(text)


def _text(element: Element) -> str:
    text = re.sub(r"\s+", " ", element.text.replace("\u00a0", " "))
    inner = "".join(_tex(child) for child in element.children)
    if not text.strip():
        return inner or ("\\ " if text else "")
    if len(text.strip()) == 1 and text.strip() in COMMANDS:
        return character_tex(text.strip())
    return f"\\text{{{text}}}{inner}"


def _parts(element: Element, count: int) -> list[Element]:
    """The children of an element that needs `count` of them; missing ones are empty."""
    return (element.children + [Element("mrow") for _ in range(count)])[:count]


def _base(element: Element) -> str:
    """A base of a script: braces where more than one symbol would lose its grouping."""
    tex = _tex(element)
    inner = element
    while inner.tag in ("mrow", "mstyle", "math") and len(inner.children) == 1:
        inner = inner.children[0]
    single = inner.tag in ("mi", "mn", "mo", "mtext") or inner.tag in ("mover", "munder", "mfenced")
    return tex if single or not tex or _is_bracketed(tex) else f"{{{tex}}}"


def _is_bracketed(tex: str) -> bool:
    """One pair of brackets around everything, as in (a+b)^{2}: no braces needed."""
    if not ((tex[0] == "(" and tex[-1] == ")") or (tex[0] == "[" and tex[-1] == "]")):
        return False
    depth = 0
    for position, character in enumerate(tex):
        depth += (character in "([") - (character in ")]")
        if depth == 0:
            return position == len(tex) - 1
    return False


def _script(mark: str, element: Element) -> str:
    tex = _tex(element)
    if mark == "^" and tex and not tex.strip("'"):
        return tex
    return f"{mark}{{{tex}}}" if tex else ""


def _sub(element: Element) -> str:
    base, below = _parts(element, 2)
    return _base(base) + _script("_", below)


def _sup(element: Element) -> str:
    base, above = _parts(element, 2)
    return _base(base) + _script("^", above)


def _subsup(element: Element) -> str:
    base, below, above = _parts(element, 3)
    return _base(base) + _script("_", below) + _script("^", above)


def _takes_limits(element: Element) -> bool:
    while element.tag in ("mrow", "mstyle") and len(element.children) == 1:
        element = element.children[0]
    text = element.text.strip()
    names = (
        "lim",
        "max",
        "min",
        "sup",
        "inf",
        "liminf",
        "limsup",
        "argmax",
        "argmin",
        "gcd",
        "det",
        "Pr",
    )
    return (text in LIMIT_OPERATORS) or (text[:1] in "∫∬∭∮" and text != "") or text in names


def _over(element: Element) -> str:
    base, above = _parts(element, 2)
    if _takes_limits(base):
        return _tex(base) + _script("^", above)
    command = OVER_ACCENTS.get(above.text.strip()) if above.tag in ("mo", "mi", "mtext") else None
    tex = _tex(base)
    if command:
        return f"{WIDE.get(command, command) if len(base.text.strip()) != 1 else command}{{{tex}}}"
    if tex.startswith("\\overbrace"):
        return tex + _script("^", above)
    return f"\\overset{{{_tex(above)}}}{{{tex}}}"


def _under(element: Element) -> str:
    base, below = _parts(element, 2)
    if _takes_limits(base):
        return _tex(base) + _script("_", below)
    command = UNDER_ACCENTS.get(below.text.strip()) if below.tag in ("mo", "mi", "mtext") else None
    tex = _tex(base)
    if command:
        return f"{command}{{{tex}}}"
    if tex.startswith("\\underbrace"):
        return tex + _script("_", below)
    return f"\\underset{{{_tex(below)}}}{{{tex}}}"


def _underover(element: Element) -> str:
    base, below, above = _parts(element, 3)
    if _takes_limits(base):
        return _tex(base) + _script("_", below) + _script("^", above)
    return f"\\underset{{{_tex(below)}}}{{\\overset{{{_tex(above)}}}{{{_tex(base)}}}}}"


def _fraction(element: Element) -> str:
    above, below = (_tex(child) for child in _parts(element, 2))
    if element.attributes.get("linethickness", "").rstrip("empxt% ") in ("0", "0.0", "0.00"):
        return f"{{{above} \\atop {below}}}"
    return f"\\frac{{{above}}}{{{below}}}"


def _root(element: Element) -> str:
    base, index = _parts(element, 2)
    return f"\\sqrt[{_tex(index)}]{{{_tex(base)}}}"


def _fenced(element: Element) -> str:
    opening, closing = (
        element.attributes.get(name, default) for name, default in (("open", "("), ("close", ")"))
    )
    separators = element.attributes.get("separators", ",").split() or [""]
    separators = list("".join(separators)) or [""]
    if (
        len(element.children) == 1
        and (table := _sole_table(element.children[0]))
        and opening in _FENCES
    ):
        if closing == _CLOSERS[opening]:
            return f"\\begin{{{_FENCES[opening]}matrix}} {_cells(table)} \\end{{{_FENCES[opening]}matrix}}"
        if opening == "{" and not closing:
            return f"\\begin{{cases}} {_cells(table)} \\end{{cases}}"
    parts = [text_tex(opening)]
    for number, child in enumerate(element.children):
        if number:
            parts.append(text_tex(separators[min(number - 1, len(separators) - 1)]))
        parts.append(_tex(child))
    return join_tex([*parts, text_tex(closing)])


def _multiscripts(element: Element) -> str:
    """Scripts before and behind a base, in pairs (below, above)."""
    if not element.children:
        return ""
    base, *scripts = element.children
    cut = next((i for i, child in enumerate(scripts) if child.tag == "mprescripts"), len(scripts))

    def pairs(nodes: list[Element]) -> str:
        return "".join(_script("^" if i % 2 else "_", node) for i, node in enumerate(nodes))

    before = pairs(scripts[cut + 1 :])
    return ("{}" + before if before else "") + _base(base) + pairs(scripts[:cut])


def _enclosed(element: Element) -> str:
    notation = element.attributes.get("notation", "longdiv")
    inner = _row(element)
    if "radical" in notation:
        return f"\\sqrt{{{inner}}}"
    if "box" in notation:
        return f"\\boxed{{{inner}}}"
    if "strike" in notation:
        return f"\\cancel{{{inner}}}"
    return f"\\overline{{{inner}}}" if "top" in notation else inner


def _space(element: Element) -> str:
    width = re.match(r"(-?[\d.]+)em", element.attributes.get("width", ""))
    if "linebreak" in element.attributes.get("linebreak", "") or not width:
        return ""
    size = float(width[1]) if width[1].count(".") < 2 and width[1].strip("-.") else 0
    return "\\quad " if size >= 1 else "\\ " if size >= 0.25 else ""


_HANDLERS = {
    "mi": _identifier,
    "ci": _identifier,
    "mn": _number,
    "cn": _number,
    "mo": _operator,
    "mtext": _text,
    "ms": _text,
    "semantics": _semantics,
    "maction": _semantics,
    "msub": _sub,
    "msup": _sup,
    "msubsup": _subsup,
    "mover": _over,
    "munder": _under,
    "munderover": _underover,
    "mfrac": _fraction,
    "msqrt": lambda element: f"\\sqrt{{{_row(element)}}}",
    "mroot": _root,
    "mfenced": _fenced,
    "mmultiscripts": _multiscripts,
    "menclose": _enclosed,
    "mspace": _space,
    "mtable": _table,
}
