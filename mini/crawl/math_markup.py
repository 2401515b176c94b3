"""Turn the `$...$` and `$$...$$` spans of a text into the markup in which web pages carry formulas.

A carrier is one way of writing formulas on a page; each page uses one throughout, as real sites do.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from html import escape
from urllib.parse import quote

from mini.crawl.tex_to_mathml import Element, parse_tex

_FORMULA = re.compile(r"(?<!\\)\$\$(.+?)(?<!\\)\$\$|(?<!\\)\$(.+?)(?<!\\)\$", re.DOTALL)
_MATHML = "http://www.w3.org/1998/Math/MathML"
_MATHJAX = '<script async src="/assets/mathjax/{}"></script>'

Writer = Callable[[str, bool], str]


def to_html(text: str, carrier: str) -> str:
    """`text` as HTML, its formulas written by `carrier`. A literal dollar sign is `\\$` in `text`."""
    write = WRITERS[carrier]
    parts, at = [], 0
    for match in _FORMULA.finditer(text):
        parts.append(_plain(text[at : match.start()]))
        display = match.group(1) is not None
        parts.append(write((match.group(1) or match.group(2)).strip(), display))
        at = match.end()
    return "".join(parts) + _plain(text[at:])


def count_formulas(text: str) -> int:
    return len(_FORMULA.findall(text))


def head_of(carrier: str) -> str:
    """What a page with this carrier loads in its head."""
    return HEADS.get(carrier, "")


def _plain(text: str) -> str:
    return escape(text.replace("\\$", "$"), quote=False)


def _parentheses(tex: str, display: bool) -> str:
    tex = escape(tex, quote=False)
    return f"\\[{tex}\\]" if display else f"\\({tex}\\)"


def _dollars(tex: str, display: bool) -> str:
    tex = escape(tex, quote=False)
    return f"$${tex}$$" if display else f"${tex}$"


def _mathml(tex: str, display: bool) -> str:
    return f'<math xmlns="{_MATHML}"{_block(display)}>{_xml(_tree(tex))}</math>'


def _annotated(tex: str, display: bool) -> str:
    inner = f'{_xml(_tree(tex))}<annotation encoding="application/x-tex">{escape(tex, quote=False)}</annotation>'
    return f'<math xmlns="{_MATHML}"{_block(display)}><semantics>{inner}</semantics></math>'


def _katex(tex: str, display: bool) -> str:
    visible = f'<span class="katex-html" aria-hidden="true"><span class="base">{_spans(_tree(tex))}</span></span>'
    span = f'<span class="katex"><span class="katex-mathml">{_annotated(tex, display)}</span>{visible}</span>'
    return f'<span class="katex-display">{span}</span>' if display else span


def _mathjax2(tex: str, display: bool) -> str:
    kind = "math/tex; mode=display" if display else "math/tex"
    preview = f'<span class="MathJax_Preview">{escape(tex, quote=False)}</span>'
    return f'{preview}<script type="{kind}">{tex}</script>'


def _mathjax3(tex: str, display: bool) -> str:
    tree = _tree(tex)
    assistive = (
        f'<mjx-assistive-mml unselectable="on" display="{"block" if display else "inline"}">'
    )
    math = f'<math xmlns="{_MATHML}"{_block(display)}>{_xml(tree)}</math>'
    rendered = f'<mjx-math class="MJX-TEX" aria-hidden="true">{_boxes(tree)}</mjx-math>'
    kind = ' display="true"' if display else ""
    return (
        f'<mjx-container class="MathJax" jax="CHTML"{kind}>{rendered}{assistive}{math}</mjx-assistive-mml>'
        "</mjx-container>"
    )


def _image(tex: str, display: bool) -> str:
    shape = "tex-display" if display else "tex-inline"
    image = f'<img class="tex {shape}" src="/latex.php?latex={quote(tex)}" alt="{escape(tex)}">'
    return f'<span class="formula">{image}</span>' if display else image


def _hidden(tex: str, display: bool) -> str:
    """Hidden MathML with a visible image, as encyclopedias show it."""
    styled = escape(f"{{\\displaystyle {tex}}}")
    source = f"/media/math/{quote(tex, safe='')[:40]}.svg"
    image = f'<img src="{source}" class="mwe-math-fallback-image-inline" alt="{styled}">'
    math = _annotated(f"{{\\displaystyle {tex}}}", display)
    hidden = f'<span class="mwe-math-mathml-inline mwe-math-mathml-a11y" style="display: none;">{math}</span>'
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


@lru_cache(maxsize=4096)
def _tree(tex: str) -> Element:
    return parse_tex(tex)


def _block(display: bool) -> str:
    return ' display="block"' if display else ""


def _xml(element: Element) -> str:
    inner = "".join(map(_xml, element.children)) or escape(element.text, quote=False)
    attribute = ' notation="box"' if element.tag == "menclose" else ""
    return f"<{element.tag}{attribute}>{inner}</{element.tag}>"


def _spans(element: Element) -> str:
    """The visible half of KaTeX output: nested spans without any structure that a parser could use."""
    if not element.children:
        kind = "mbin" if element.tag == "mo" else "mord"
        return f'<span class="{kind}">{escape(element.text, quote=False)}</span>'
    inner = "".join(map(_spans, element.children))
    return inner if element.tag == "mrow" else f'<span class="mord {element.tag}">{inner}</span>'


def _boxes(element: Element) -> str:
    """The visible half of MathJax 3 output: one custom element a MathML element."""
    if element.children:
        return f"<mjx-{element.tag}>{''.join(map(_boxes, element.children))}</mjx-{element.tag}>"
    glyphs = "".join(f'<mjx-c class="mjx-c{ord(c):X}"></mjx-c>' for c in element.text)
    return f"<mjx-{element.tag}>{glyphs}</mjx-{element.tag}>"
