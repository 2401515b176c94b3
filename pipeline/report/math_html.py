"""Text with formulas and code as HTML: `$…$` and `$$…$$` become MathML, which browsers set without
a script or a font, and text between backticks becomes code.

The text comes from the open web. A formula is shown as MathML only when the conversion succeeds and
yields nothing but known elements and harmless attributes; otherwise its TeX is shown. Everything
else is escaped.
"""

import re
from xml.etree import ElementTree

from latex2mathml.converter import convert
from markupsafe import Markup, escape

# Code comes first: dollar signs in it are not formulas. A dollar sign that is escaped, or that a
# blank follows, opens no inline formula, and one before a digit closes none ("$5 and $6" are
# prices). Inline formulas stay on one line and have a limit, so that a lone dollar sign cannot
# swallow a page.
_PART = re.compile(
    r"""
      ^ (?P<fence>`{3,}) [^\n]* \n (?P<block>.*?) (?: \n (?P=fence) $ | \Z )
    | (?<!`) ` (?P<code>[^`\n]+) ` (?!`)
    | (?<![\\$]) \$\$ (?!\$) (?P<display>.+?) (?<!\\) \$\$
    | (?<![\\$]) \$ (?![\s$]) (?P<inline>[^$\n]{1,600}?) (?<![\\\s]) \$ (?!\d)
    """,
    re.DOTALL | re.MULTILINE | re.VERBOSE,
)
_LONGEST = 1_500  # characters of TeX: more than that is not a formula
_NAMESPACE = "{http://www.w3.org/1998/Math/MathML}"

# What MathML may hold on our pages: no links (href), no styles, no classes, no event handlers.
_ELEMENTS = frozenset(
    """
    math mrow mi mn mo ms mtext mspace mfrac msqrt mroot mstyle mpadded mphantom menclose merror
    mfenced msub msup msubsup munder mover munderover mmultiscripts mprescripts none mtable mtr mtd
    mlabeledtr
    """.split()
)
_ATTRIBUTES = frozenset(
    """
    accent accentunder columnalign columnlines columnspacing depth display displaystyle fence form
    height largeop linethickness lspace mathvariant maxsize minsize movablelimits notation rowlines
    rowspacing rspace scriptlevel separator stretchy symmetric voffset width
    """.split()
)


def with_formulas(text: str) -> Markup:
    """The text as HTML, formulas and code set."""
    parts: list[str] = []
    place = 0
    for match in _PART.finditer(text):
        parts.append(escape(text[place : match.start()]))
        place = match.end()

        if match["block"] is not None:
            parts.append(Markup("<pre><code>{}</code></pre>").format(match["block"]))
        elif match["code"] is not None:
            parts.append(Markup("<code>{}</code>").format(match["code"]))
        elif match["display"] is not None:
            parts.append(formula(match["display"], display=True))
        else:
            parts.append(formula(match["inline"]))

    parts.append(escape(text[place:]))
    return Markup("").join(parts)


def formula(tex: str, display: bool = False) -> Markup:
    """One formula as MathML, or as its TeX where that fails."""
    if len(tex) <= _LONGEST:
        try:
            return _checked(convert(tex, display="block" if display else "inline"), tex)
        except Exception:
            # The converter has no error of its own: on TeX that it does not know it fails with
            # whatever comes (IndexError, KeyError, …).
            pass
    return Markup('<code class="tex">{}</code>').format(tex.strip())


def _checked(mathml: str, tex: str) -> Markup:
    """MathML of the converter, reduced to what is allowed, with its TeX as the tool tip.

    Raises ValueError for an element that is not allowed and for a command that was left as it is.
    """
    root = ElementTree.fromstring(mathml)
    for element in root.iter():
        element.tag = element.tag.removeprefix(_NAMESPACE)
        if element.tag not in _ELEMENTS:
            raise ValueError(f"<{element.tag}> in a formula")
        text = element.text or ""
        if element.tag == "mi" and text.startswith("\\"):
            raise ValueError(f"{text} is not known to the converter")
        not_allowed = set(element.attrib) - _ATTRIBUTES
        for name in not_allowed:
            del element.attrib[name]

    root.set("title", tex.strip())
    return Markup(ElementTree.tostring(root, encoding="unicode"))
