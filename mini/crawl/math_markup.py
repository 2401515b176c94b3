"""Turn the `$...$` and `$$...$$` spans of a text into the markup in which web pages carry formulas.

A carrier is one way of writing formulas on a page; each page uses one throughout, as real sites do.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from html import escape
from urllib.parse import quote

from mini.crawl.tex_to_mathml import Element, parse_tex

# $$display$$ or $inline$, neither of whose dollars is escaped by a backslash.
_FORMULA = re.compile(r"(?<!\\)\$\$(.+?)(?<!\\)\$\$|(?<!\\)\$(.+?)(?<!\\)\$", re.DOTALL)
_NAMESPACE = "http://www.w3.org/1998/Math/MathML"
_MATHJAX = '<script async src="/assets/mathjax/{}"></script>'

Writer = Callable[[str, bool], str]
"""(tex, display) -> HTML."""


def to_html(text: str, carrier: str) -> str:
    """`text` as HTML, its formulas written by `carrier`. A literal dollar sign is `\\$` in `text`."""
    write = WRITERS[carrier]
    pieces: list[str] = []
    at = 0

    for match in _FORMULA.finditer(text):
        display, inline = match.groups()
        pieces.append(_plain(text[at : match.start()]))
        pieces.append(write((display or inline).strip(), display is not None))
        at = match.end()

    pieces.append(_plain(text[at:]))
    return "".join(pieces)


def count_formulas(text: str) -> int:
    return len(_FORMULA.findall(text))


def head_of(carrier: str) -> str:
    """What a page with this carrier loads in its head."""
    return HEADS.get(carrier, "")


def _plain(text: str) -> str:
    return escape(text.replace("\\$", "$"), quote=False)


# TeX in the text, for a script that runs in the browser


def _parentheses(tex: str, display: bool) -> str:
    tex = escape(tex, quote=False)
    return f"\\[{tex}\\]" if display else f"\\({tex}\\)"


def _dollars(tex: str, display: bool) -> str:
    tex = escape(tex, quote=False)
    return f"$${tex}$$" if display else f"${tex}$"


def _mathjax2(tex: str, display: bool) -> str:
    kind = "math/tex; mode=display" if display else "math/tex"
    preview = f'<span class="MathJax_Preview">{escape(tex, quote=False)}</span>'
    return f'{preview}<script type="{kind}">{tex}</script>'


# MathML, alone or with the TeX that it was made from


def _mathml(tex: str, display: bool) -> str:
    return _math(_xml(_tree(tex)), display)


def _annotated(tex: str, display: bool) -> str:
    tree = _xml(_tree(tex))
    source = escape(tex, quote=False)
    annotation = f'<annotation encoding="application/x-tex">{source}</annotation>'
    return _math(f"<semantics>{tree}{annotation}</semantics>", display)


# What KaTeX and MathJax 3 leave on a page that was rendered before it was saved


def _katex(tex: str, display: bool) -> str:
    annotated = _annotated(tex, display)
    hidden = f'<span class="katex-mathml">{annotated}</span>'

    spans = _spans(_tree(tex))
    base = f'<span class="base">{spans}</span>'
    visible = f'<span class="katex-html" aria-hidden="true">{base}</span>'

    span = f'<span class="katex">{hidden}{visible}</span>'
    return f'<span class="katex-display">{span}</span>' if display else span


def _mathjax3(tex: str, display: bool) -> str:
    tree = _tree(tex)
    boxes = f'<mjx-math class="MJX-TEX" aria-hidden="true">{_boxes(tree)}</mjx-math>'

    layout = "block" if display else "inline"
    math = _math(_xml(tree), display)
    assistive = (
        f'<mjx-assistive-mml unselectable="on" display="{layout}">{math}</mjx-assistive-mml>'
    )

    attribute = ' display="true"' if display else ""
    start = f'<mjx-container class="MathJax" jax="CHTML"{attribute}>'
    return f"{start}{boxes}{assistive}</mjx-container>"


# Images


def _image(tex: str, display: bool) -> str:
    shape = "tex-display" if display else "tex-inline"
    address = f"/latex.php?latex={quote(tex)}"
    alternative = escape(tex)
    image = f'<img class="tex {shape}" src="{address}" alt="{alternative}">'
    return f'<span class="formula">{image}</span>' if display else image


def _hidden(tex: str, display: bool) -> str:
    """Hidden MathML with a visible image, as encyclopedias show it."""
    styled = f"{{\\displaystyle {tex}}}"
    style = 'class="mwe-math-mathml-inline mwe-math-mathml-a11y" style="display: none;"'
    annotated = _annotated(styled, display)
    hidden = f"<span {style}>{annotated}</span>"

    # A short name; two formulas may share it.
    name = quote(tex, safe="")[:40]
    fallback = 'class="mwe-math-fallback-image-inline"'
    alternative = escape(styled)
    image = f'<img src="/media/math/{name}.svg" {fallback} alt="{alternative}">'
    return f'<span class="mwe-math-element">{hidden}{image}</span>'


WRITERS: dict[str, Writer] = {
    "parentheses": _parentheses,
    "dollars": _dollars,
    "mathml": _mathml,
    "mathml_annotated": _annotated,
    "katex": _katex,
    "mathjax2": _mathjax2,
    "mathjax3": _mathjax3,
    "image": _image,
    "hidden_mathml": _hidden,
}

HEADS: dict[str, str] = {
    "parentheses": _MATHJAX.format("tex-chtml.js"),
    "dollars": "<script>MathJax = {tex: {inlineMath: [['$', '$'], ['\\\\(', '\\\\)']]}};</script>"
    + _MATHJAX.format("tex-svg.js"),
    "katex": '<link rel="stylesheet" href="/assets/katex/katex.min.css">',
    "mathjax2": _MATHJAX.format("MathJax.js?config=TeX-AMS_CHTML"),
    "mathjax3": _MATHJAX.format("tex-mml-chtml.js")
    + "<style>mjx-container {line-height: 0}</style>",
}


# A site repeats its formulas on mirrors and copies, and some carriers need the tree twice.
@lru_cache(maxsize=4096)
def _tree(tex: str) -> Element:
    return parse_tex(tex)


def _math(inner: str, display: bool) -> str:
    attribute = ' display="block"' if display else ""
    return f'<math xmlns="{_NAMESPACE}"{attribute}>{inner}</math>'


def _xml(element: Element) -> str:
    """The tree as MathML."""
    children = [_xml(child) for child in element.children]
    inner = "".join(children)
    if not children:
        inner = escape(element.text, quote=False)
    attribute = ' notation="box"' if element.tag == "menclose" else ""
    return f"<{element.tag}{attribute}>{inner}</{element.tag}>"


def _spans(element: Element) -> str:
    """The visible half of KaTeX output: nested spans without any structure that a parser could use."""
    if not element.children:
        kind = "mbin" if element.tag == "mo" else "mord"
        return f'<span class="{kind}">{escape(element.text, quote=False)}</span>'

    inner = "".join(_spans(child) for child in element.children)
    if element.tag == "mrow":
        return inner
    return f'<span class="mord {element.tag}">{inner}</span>'


def _boxes(element: Element) -> str:
    """The visible half of MathJax 3 output: one custom element for each MathML element."""
    if element.children:
        inner = "".join(_boxes(child) for child in element.children)
    else:
        # Glyphs come from a style sheet; the page itself has only the number of the character.
        inner = "".join(f'<mjx-c class="mjx-c{ord(c):X}"></mjx-c>' for c in element.text)
    return f"<mjx-{element.tag}>{inner}</mjx-{element.tag}>"
