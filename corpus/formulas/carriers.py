"""Formulas in the markup of a page: every carrier is replaced by one placeholder, its copies are removed.

Sources in order of trust: TeX annotations, `alttext`, `math/tex` scripts, data attributes, image descriptions and
image addresses, presentation MathML. Rendered copies (KaTeX's HTML, MathJax's output and previews, fallback images)
go away with the carrier that holds them.

resiliparse nodes: a Python wrapper costs microseconds, so nodes are fetched by one selector and judged by their
serialised form; lists of nodes are taken with `.values()`, because indexing them is linear.
"""

import html as entities
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from resiliparse.parse.html import ElementNode, HTMLTree

from corpus.formulas.asciimath import asciimath_to_tex
from corpus.formulas.inline_tex import has_strong_hint, mark_dollars, mark_strong
from corpus.formulas.mathml import NotMathML, mathml_to_tex
from corpus.formulas.placeholders import Store

# Where a carrier names itself: <math, mml:math, "math/tex, mwe-math, /math/ (not Math.max, not "maths"); latex.php,
# katex, "tex, data-tex (not text). Both begin with fixed letters, so the search runs at memory speed.
_MATH_NAME = re.compile(rb"math(?<=[<\"':/=.\s-]math)(?!s\b)")
_TEX_NAME = re.compile(rb"tex(?![A-Za-z])")
_ENGINE_NAME = re.compile(rb"Math(?:Jax|(?<=ASCIIMath))")
# Selectors with a substring that the page must hold for them to match anything: long selectors are slow.
_CONTAINERS = (
    ("katex", ".katex-display,.katex,.katex-error"),
    ("mwe-math", ".mwe-math-element"),
    ("mjx-container", "mjx-container"),
    (
        "MathJax",
        ".MathJax_Display,.MathJax,.MathJax_SVG_Display,.MathJax_SVG,.MathJax_CHTML,.MathJax_MathML",
    ),
    ("MathJax_Preview", ".MathJax_Preview"),
    ("MJXc", ".MJXc-display"),
    ("math", "math"),
    ("mml:", "mml\\:math"),
    ("m:math", "m\\:math"),
    ("math/", 'script[type^="math/"]'),
    ("data-expr", "[data-expr]"),
    ("data-latex", "[data-latex]"),
    ("data-tex", "[data-tex]"),
    ("data-mathml", "[data-mathml]"),
)
_IMAGES = (
    ("math", 'img[class*="math"],img[src*="mathtex"],img[src*="render/math"],img[src*="/math/"]'),
    (
        "tex",
        'img.tex,img[class*="latex"],img[src*="latex"],img[src*="tex.cgi"],img[src*="mimetex"]',
    ),
    ("codecogs", 'img[src*="codecogs"]'),
    ("formula", 'img[class*="formula"]'),
    ("equation", 'img[class*="equation"],img[src*="equation?tex="]'),
    ("cht=tx", 'img[src*="cht=tx"]'),
)
_OTHER_HINTS = (
    b"=TeX-AM",
    b"=AM_",
    b"MathJax_Preview",
    b"MJXc",
    b"mjx-container",
    b"formula",
    b"equation",
    b"cht=tx",
    b"data-mathml",
)
_GENERIC = ".math,.math-container,.tex,.latex,.arithmatex,.MathTex,.inline-formula,.display-formula"

_MAY_HOLD_CARRIER = re.compile(
    r"<(?:\w+:)?(?:math|script|img|mjx)|class=\"[^\"]*(?:ath|tex|formula)|\bdata-", re.IGNORECASE
)
_ANNOTATION = re.compile(
    r"""<(?:\w+:)?annotation\b[^>]*encoding\s*=\s*["'](?:application/x-(?:la)?tex|application/(?:la)?tex|(?:la)?tex|"""
    r"""text/x-tex)["'][^>]*>(.*?)</(?:\w+:)?annotation>""",
    re.DOTALL | re.IGNORECASE,
)
_MATH_ELEMENT = re.compile(r"<((?:\w+:)?math)\b.*?</\1>", re.DOTALL)
_ALTTEXT = re.compile(r"""<(?:\w+:)?math\b[^>]*?\balttext\s*=\s*"([^"]*)\"""", re.DOTALL)
_IMAGE_ALT = re.compile(r"""<img\b[^>]*?\balt\s*=\s*"([^"]*)\"""", re.DOTALL)
_DISPLAY = re.compile(
    r"""\bdisplay\s*=\s*"(?:block|true)"|mode\s*=\s*"display"|\\displaystyle\s*\\begin"""
)
_DISPLAY_CLASS = re.compile(
    r"\b(?:katex-display|MathJax_(?:SVG_)?Display|MJXc-display|displaymath|display-formula)\b"
)
_TEX_EVIDENCE = re.compile(r"\\[A-Za-z]+|\\[,;!:{}]|[_^]\{?\w|^[A-Za-z0-9]$|[=<>+]")
_WORDS = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{3,}\s+(?:[a-z]{1,2}\s+)?[A-Za-z]{3,}")
_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Page:
    """What the carriers of one page are replaced with, and how they are found."""

    tree: HTMLTree
    store: Store
    specific: str  # selector of carriers that show one formula each
    selector: str  # those and elements of a class such as `math`
    scripted: bool = False  # MathJax's scripts hold the sources, its output is a copy


def replace_math(tree: HTMLTree, source: str, markup: bytes, store: Store) -> str:
    """Put a placeholder for each formula into the tree; the page's HTML, as text and as bytes, gives hints only.

    Returns the hints found, "" for a page without any trace of mathematical markup.
    """
    hints = _hints(markup) if tree.body is not None else ""
    if not hints:
        return ""
    images = _IMAGES if "<img" in source else ()
    specific = ",".join(selector for hint, selector in (*_CONTAINERS, *images) if hint in hints)
    selector = f"{specific},{_GENERIC}" if specific else _GENERIC
    nodes = tree.document.query_selector_all(selector).values()
    scripted = "math/" in source and any(node.tag == "script" for node in nodes)
    page = _Page(tree, store, specific, selector, scripted)
    hidden = "display:none" in source or "display: none" in source
    position = display_until = 0
    while position < len(nodes):
        node = nodes[position]
        inside = _carriers_inside(node, page)
        if _replace(node, page, position < display_until):
            if hidden and node.tag != "img" and node.tag != "script":
                _unhide(node)
            position += inside
        elif inside and _is_display_block(node):
            display_until = max(display_until, position + 1 + inside)
        position += 1
    return hints


def _hints(markup: bytes) -> str:
    """The places of the page that may name a carrier, joined; "" where there is none."""
    places = [markup[max(m.start() - 10, 0) : m.end() + 10] for m in _MATH_NAME.finditer(markup)]
    places += [markup[max(m.start() - 12, 0) : m.end() + 9] for m in _TEX_NAME.finditer(markup)]
    places += sorted(
        {markup[m.start() - 5 * (m[0] == b"Math") : m.end()] for m in _ENGINE_NAME.finditer(markup)}
    )
    if b"data-expr" in markup:
        places.append(b"data-expr")
    if places:
        places += [name for name in _OTHER_HINTS if name in markup]
    return b"\n".join(places).decode("latin-1")


def _carriers_inside(node: ElementNode, page: _Page) -> int:
    """How many of the page's carriers are descendants: they follow in document order."""
    if node.tag in ("img", "script") or not _MAY_HOLD_CARRIER.search(node.html, 1):
        return 0
    return len(node.query_selector_all(page.selector))


def _replace(node: ElementNode, page: _Page, in_display: bool) -> bool:
    """Replace one carrier. False when it is none, so that carriers inside it get their turn."""
    tag, classes, tree, store = node.tag, node.get_attribute("class") or "", page.tree, page.store
    if tag == "script":
        return _replace_script(tree, node, store)
    if tag == "img":
        return _replace_image(tree, node, store, in_display)
    if page.scripted and "MathJax" in classes:
        node.decompose()  # the script beside it holds the source
        return True
    if "MathJax_Preview" in classes:
        return False  # no script: the preview is the only copy, text-level TeX
    found = _from_container(node, tag, classes)
    if found is None:
        return _replace_generic(node, classes, page, in_display)
    tex, kind = found
    display = bool(
        _DISPLAY.search(node.html[:2000]) or _DISPLAY_CLASS.search(classes) or in_display
    )
    placeholder = store.add(tex, kind, display)
    node.text = placeholder
    return True


def _from_container(node: ElementNode, tag: str, classes: str) -> tuple[str, str] | None:
    """TeX and kind of markup of an element that shows one formula, or None."""
    markup = node.html
    kind = _kind(tag, classes)
    if match := _ANNOTATION.search(markup):
        return entities.unescape(re.sub(r"<[^>]+>", "", match[1])), kind or "mathml_annotation"
    if (match := _ALTTEXT.search(markup)) and _reads_as_tex(tex := entities.unescape(match[1])):
        return tex, kind or "mathml_alttext"
    for name in ("data-expr", "data-latex", "data-tex"):
        if (tex := node.get_attribute(name)) and _reads_as_tex(tex):
            return tex, "data_attribute"
    if "katex-error" in classes and "katex-error" in classes.split():
        return node.text, "katex"
    if (match := _IMAGE_ALT.search(markup)) and "mwe-math" in classes:
        return entities.unescape(match[1]), "image_alt"
    mathml = _MATH_ELEMENT.search(markup)
    source = mathml[0] if mathml else node.get_attribute("data-mathml")
    if source is None and (inner := re.search(r'\bdata-mathml="([^"]*)"', markup)):
        source = entities.unescape(inner[1])
    if source:
        try:
            return mathml_to_tex(source), kind or "mathml"
        except NotMathML:
            return None
    if "katex" in classes.split() or tag == "mjx-container":
        return (node.text, kind) if node.text.strip() else None
    return None


def _kind(tag: str, classes: str) -> str:
    if "katex" in classes:
        return "katex"
    if "mwe-math" in classes:
        return "mediawiki"
    return "mathjax" if tag == "mjx-container" or "MathJax" in classes or "MJX" in classes else ""


def _replace_script(tree: HTMLTree, node: ElementNode, store: Store) -> bool:
    """MathJax's own carriers: math/tex, math/latex, math/asciimath, math/mml, each with "; mode=display" or not."""
    kind = (node.get_attribute("type") or "").lower()
    display = "mode=display" in kind.replace(" ", "")
    text = (
        node.text.strip().removeprefix("<![CDATA[").removeprefix("% <![CDATA[").removesuffix("%]]>")
    )
    text = text.removesuffix("]]>").strip()
    try:
        if kind.startswith("math/asciimath"):
            placeholder = store.add(asciimath_to_tex(text), "script_asciimath", display)
        elif kind.startswith("math/mml"):
            tex = (
                annotated.group(1)
                if (annotated := _ANNOTATION.search(text))
                else mathml_to_tex(text)
            )
            shown = display or bool(_DISPLAY.search(text))
            placeholder = store.add(
                entities.unescape(tex) if annotated else tex, "script_mathml", shown
            )
        else:
            placeholder = store.add(text, "script_tex", display)
    except NotMathML:
        placeholder = ""
    node.replace_with(tree.create_text_node(placeholder))
    return True


def _replace_image(tree: HTMLTree, node: ElementNode, store: Store, in_display: bool) -> bool:
    """A picture of a formula: its description if that is TeX, else the TeX in its address."""
    alt = (node.get_attribute("alt") or "").strip()
    classes = node.get_attribute("class") or ""
    source = node.get_attribute("src") or ""
    from_url = tex_in_url(source)
    named = (
        bool(set(classes.split()) & {"tex", "latex", "math", "equation", "formula"})
        or "mwe-math" in classes
    )
    if alt and (_reads_as_tex(alt) or (named and len(alt) < 200 and not _WORDS.search(alt))):
        tex, kind = alt, "image_alt"
    elif from_url:
        tex, kind = from_url, "image_url"
    else:
        return False
    display = in_display or "display" in classes
    node.replace_with(tree.create_text_node(store.add(tex, kind, display)))
    return True


def tex_in_url(url: str) -> str:
    """TeX in the address of a formula-rendering service, "" if there is none.

    Known: `…latex?TEX` and its siblings (codecogs, mimetex.cgi, mathtex.cgi), `latex.php?latex=TEX`, `chl=`, `math=`,
    `tex=`.
    """
    try:
        parts = urlsplit(url.replace("&amp;", "&"))
    except ValueError:
        return ""
    if not parts.query:
        return ""
    if re.search(
        r"codecogs|mimetex|mathtex|tex\.cgi|/(?:gif|png|svg)\.latex", url
    ) and not re.match(r"(?:latex|tex|formula|math|eq)=", parts.query):
        return unquote(parts.query.replace("&space;", " ")).replace("&space;", " ").strip()
    # PHP writes a space as a plus sign; addresses made by hand or by encodeURIComponent mean a plus.
    spaces = "latex.php" in url or "%2B" in parts.query or "%2b" in parts.query
    for name, value in parse_qsl(parts.query if spaces else parts.query.replace("+", "%2B")):
        if name in ("latex", "chl", "math", "tex", "formula", "eq") and value.strip():
            return value.strip()
    return ""


def _replace_generic(node: ElementNode, classes: str, page: _Page, in_display: bool) -> bool:
    """An element of a class such as `math`: TeX as its text, with or without delimiters."""
    if not _names_math(classes) or (
        page.specific and node.query_selector(page.specific) is not None
    ):
        return False
    text, store = node.text or "", page.store
    if has_strong_hint(text) or text.count("$") >= 2:
        count = len(store.entries)
        marked = mark_dollars(mark_strong(text, store), store, engine=True)
        if len(store.entries) == count:
            return False
        node.text = marked.replace("¶", "").strip()
        return True
    stripped = text.strip()
    bare = (
        node.first_element_child is None
        and 0 < len(stripped) <= 2_000
        and not _WORDS.search(stripped)
    )
    strict = "math" not in classes.split()
    if not bare or not (_reads_as_tex(stripped) if strict else _TEX_EVIDENCE.search(stripped)):
        return False
    display = in_display or _is_display_block(node)
    node.text = store.add(stripped, "tex_element", display)
    return True


def _names_math(classes: str) -> bool:
    return bool(_GENERIC_CLASSES.intersection(classes.split()))


_GENERIC_CLASSES = frozenset(name.removeprefix(".") for name in _GENERIC.split(","))


def _is_display_block(node: ElementNode) -> bool:
    """Whether a `.math` element stands for display formulas: a block, or a class that says so."""
    classes = (node.get_attribute("class") or "").split()
    return bool({"math", "tex", "latex"}.intersection(classes)) and (
        node.tag in ("div", "p") or bool({"display", "block"}.intersection(classes))
    )


def _reads_as_tex(text: str) -> bool:
    """Whether a description is TeX rather than a sentence for people who cannot see the formula."""
    text = text.strip()
    if not text or len(text) > 8_000:
        return False
    if re.search(r"\\[A-Za-z]+|\\[,;!{}]|[_^]\{", text) or re.fullmatch(r"\$.+\$", text, re.DOTALL):
        return True
    return bool(_TEX_EVIDENCE.search(text)) and not _WORDS.search(text)


def _unhide(node: ElementNode) -> None:
    """Show the wrapper that a page hides because a script would replace it."""
    parent = node.parent_element
    for _ in range(2):
        if parent is None:
            return
        style = parent.get_attribute("style")
        if style and _HIDDEN.search(style):
            parent.set_attribute("style", "")
        parent = parent.parent_element
