"""Text with formulas and code as HTML: `$…$` and `$$…$$` become MathML, which browsers set without a script or a
font, and what stands between backticks is code.

The text comes from the open web. A formula is shown as MathML only when the conversion succeeds and yields nothing
but known elements and harmless attributes; otherwise its TeX is shown. Everything else is escaped.
"""

import re
from xml.etree import ElementTree

from latex2mathml.converter import convert

from pipeline.report.page import Html, html, tag

_PART = re.compile(
    r"^(?P<fence>`{3,})[^\n]*\n(?P<block>.*?)(?:\n(?P=fence)$|\Z)|(?<!`)`(?P<code>[^`\n]+)`(?!`)"
    r"|(?<![\\$])\$\$(?!\$)(?P<display>.+?)(?<!\\)\$\$"
    r"|(?<![\\$])\$(?![\s$])(?P<inline>[^$\n]{1,600}?)(?<![\\\s])\$(?!\d)",
    re.DOTALL | re.MULTILINE,
)
_LONGEST = 1_500  # characters of TeX: beyond this a page is showing something else than a formula
_NAMESPACE = "{http://www.w3.org/1998/Math/MathML}"
_ELEMENT_NAMES = (
    "math mrow mi mn mo ms mtext mspace mfrac msqrt mroot mstyle mpadded mphantom menclose merror mfenced msub msup "
    "msubsup munder mover munderover mmultiscripts mprescripts none mtable mtr mtd mlabeledtr"
)
_ATTRIBUTE_NAMES = (
    "accent accentunder columnalign columnlines columnspacing depth display displaystyle fence form height largeop "
    "linethickness lspace mathvariant maxsize minsize movablelimits notation rowlines rowspacing rspace scriptlevel "
    "separator stretchy symmetric voffset width"
)
_ELEMENTS, _ATTRIBUTES = frozenset(_ELEMENT_NAMES.split()), frozenset(_ATTRIBUTE_NAMES.split())


def with_formulas(text: str) -> Html:
    """The text as HTML, formulas and code set."""
    parts, place = [], 0
    for match in _PART.finditer(text):
        parts.append(html(text[place : match.start()]))
        if match["block"] is not None:
            parts.append(tag("pre", tag("code", match["block"])))
        elif match["code"] is not None:
            parts.append(tag("code", match["code"]))
        else:
            parts.append(formula(match["display"] or match["inline"], match["display"] is not None))
        place = match.end()
    parts.append(html(text[place:]))
    return Html("".join(parts))


def formula(tex: str, display: bool = False) -> Html:
    """One formula as MathML, or as its TeX where that fails."""
    if len(tex) <= _LONGEST:
        try:
            return _checked(convert(tex, display="block" if display else "inline"), tex)
        except Exception:
            pass
    return tag("code", tex.strip(), class_="tex")


def _checked(mathml: str, tex: str) -> Html:
    root = ElementTree.fromstring(mathml)
    for element in root.iter():
        element.tag = element.tag.removeprefix(_NAMESPACE)
        if element.tag not in _ELEMENTS:
            raise ValueError(f"<{element.tag}> in a formula")
        if element.tag == "mi" and (element.text or "").startswith("\\"):
            raise ValueError(f"{element.text} is not known to the converter")
        for name in set(element.attrib) - _ATTRIBUTES:
            del element.attrib[name]
    root.set("title", tex.strip())
    return Html(ElementTree.tostring(root, encoding="unicode"))
