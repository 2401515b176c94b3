"""Formulas of which only the rendered output is left: MathJax's elements mirror MathML and can be read back.

Version 3 names its elements `mjx-mfrac`, `mjx-msup` and so on (CHTML), or says `data-mml-node="mfrac"`
(SVG); a character is a code point in a class (`mjx-c1D465`) or attribute (`data-c="1D465"`). Other
output (KaTeX's HTML, MathJax 2) places boxes, and its text alone would be a false formula: E=mc2.
"""

import re
import unicodedata

from corpus.formulas.markup_tree import Element, TooManyLevels, parse_markup
from corpus.formulas.mathml import NotMathML, tree_to_tex

_CODE_POINT = re.compile(r"(?:^|\s)mjx-c([0-9A-F]{1,6})(?=\s|$)")
_TOKENS = frozenset({"mi", "mn", "mo", "mtext", "ms"})
# What MathJax puts around the parts of a construct to place them.
_LAYOUT = frozenset(
    {
        "script", "frac", "num", "den", "dbox", "dtable", "row", "base", "over", "under", "box", "sqrt", "root",
        "table", "itable", "math", "texatom", "mrow", "mstyle", "mpadded", "g", "svg", "mjx-container",
    }
)  # fmt: skip
_IGNORED = frozenset(
    {"nstrut", "dstrut", "line", "spacer", "surd", "assistive-mml", "tstrut", "mphantom"}
)
# Constructs with a script above first and the one below second, the other way round in MathML.
_ABOVE_FIRST = frozenset({"msubsup", "munderover"})
_PARTS = {"msup": 2, "msub": 2, "msubsup": 3, "mfrac": 2, "mroot": 2, "mover": 2, "munder": 2,
          "munderover": 3}  # fmt: skip


class NoStructure(ValueError):
    """The output places boxes, and does not say what they mean."""


def rendered_to_tex(markup: str) -> str:
    """TeX of the serialised output of MathJax 3; NoStructure for any other."""
    if "<mjx-math" not in markup and "data-mml-node" not in markup:
        raise NoStructure("no elements that mirror MathML")
    try:
        children = _read(parse_markup(markup))
        return tree_to_tex(Element("math", children=children))
    except (TooManyLevels, NotMathML) as error:
        raise NoStructure(str(error)) from None


def _read(element: Element) -> list[Element]:
    """The MathML that an element of the output stands for; several where it is only layout."""
    name = element.get("data-mml-node") or element.tag.removeprefix("mjx-")
    name = name.lower()
    if name in _IGNORED:
        return []
    if name in _TOKENS:
        return [Element(name, text=_characters(element))]

    children: list[Element] = []
    for child in element.children:
        children += _read(child)
    if name in _LAYOUT or not name.startswith("m"):
        return children if name != "texatom" else [Element("mrow", children=children)]

    if name == "msqrt" and children[:1] and children[0].text == "√":
        children = children[1:]
    if name in _PARTS and len(children) != _PARTS[name]:
        raise NoStructure(f"{name} with {len(children)} parts")
    if name in _ABOVE_FIRST:
        base, above, below = _ordered(element, children)
        children = [base, below, above]
    return [Element(name, children=children)]


def _ordered(element: Element, children: list[Element]) -> list[Element]:
    """Base, above and below. CHTML sets what is over a base before it, in an element of its own."""
    if element.children and element.children[0].tag == "mjx-over":
        above, base, below = children
        return [base, above, below]
    return children


def _characters(element: Element) -> str:
    """The characters of a token; mathematical alphabets as the letters they are variants of."""
    code = _CODE_POINT.search(element.get("class"))
    own = element.get("data-c") or (code[1] if code else "")
    text = element.text.strip()
    if own and not text:
        text = _character(int(own, 16))

    inner = "".join(_characters(child) for child in element.children)
    # The pieces of a tall bracket are one character, which the element around them names.
    return text if own and inner else text + inner


def _character(code: int) -> str:
    if code > 0x10FFFF:
        raise NoStructure("no character")
    character = chr(code)
    is_italic = "MATHEMATICAL ITALIC" in unicodedata.name(character, "")
    return unicodedata.normalize("NFKC", character) if is_italic else character
