"""Formulas in the markup of a page.

Every carrier (an element that holds a formula) is replaced by one placeholder, and its copies are
removed.

Sources in order of trust: TeX annotations, `alttext`, `math/tex` scripts, data attributes, image
descriptions and image addresses, presentation MathML. Rendered copies (KaTeX's HTML, MathJax's
output and previews, fallback images) go away with the carrier that holds them.

resiliparse nodes: a Python wrapper costs microseconds, so nodes are fetched by one selector and
judged by their serialised form; lists of nodes are taken with `.values()`, because indexing them is
linear.
"""

import html as entities
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from resiliparse.parse.html import ElementNode, HTMLTree, Node, NodeType

from corpus.formulas.asciimath import asciimath_to_tex
from corpus.formulas.inline_tex import has_strong_hint, mark_dollars, mark_strong
from corpus.formulas.lone_characters import unmarked
from corpus.formulas.mathml import NotMathML, mathml_to_tex
from corpus.formulas.placeholders import Store
from corpus.formulas.rendered import NoStructure, rendered_to_tex

# ---- which carriers a page may have ----

# Where a carrier names itself: <math, mml:math, "math/tex, mwe-math, /math/ (not Math.max, not
# "maths"); latex.php, katex, "tex, data-tex (not text). Both begin with fixed letters, so the
# search runs at memory speed.
_MATH_NAME = re.compile(rb"math(?<=[<\"':/=.\s-]math)(?!s\b)")
_TEX_NAME = re.compile(rb"tex(?:render|(?![A-Za-z]))")
# Each begins with fixed letters: attributes, classes of pictures, their descriptions.
_LONE_NAMES = (
    re.compile(rb"data-(?:expr|formula|equation)"),
    re.compile(rb"ormula(?=(?:Inl|Dsp)?[\w -]*\")"),
    re.compile(rb'alt="[$\\]'),
)
_ENGINE_NAME = re.compile(rb"Math(?:Jax|(?<=ASCIIMath))")

# Selectors, each with a substring without which it cannot match: long selectors are slow.
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
    ("d-math", "d-math"),
    ("data-expr", "[data-expr]"),
    ("data-latex", "[data-latex]"),
    ("data-tex", "[data-tex]"),
    ("data-math", "[data-math]"),
    ("data-formula", "[data-formula]"),
    ("data-equation", "[data-equation],[data-equation-content]"),
    ("data-mathml", "[data-mathml]"),
)
_IMAGES = (
    ("math", 'img[class*="math"],img[src*="mathtex"],img[src*="render/math"],img[src*="/math/"]'),
    (
        "tex",
        'img.tex,img[class*="latex"],img[src*="latex"],img[src*="tex.cgi"],img[src*="mimetex"]',
    ),
    ("tex/pix", 'img[src*="tex/pix.php"]'),
    ("mimetex", "img.mimetex"),
    ("codecogs", 'img[src*="codecogs"]'),
    ("formula", 'img[class*="formula"]'),
    ("equation", 'img[class*="equation"],img[src*="equation?tex="]'),
    ("texrender", "img.texrender"),
    ('alt="$', 'img[alt^="$"]'),
    ('alt="\\', 'img[alt^="\\\\("],img[alt^="\\\\["]'),
    ("cht=tx", 'img[src*="cht=tx"]'),
)
# Names of engines and services that only matter on a page with another hint.
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
    b"data-math",
    b"texrender",
)
# Classes of elements whose text is TeX, with or without delimiters.
_GENERIC = ".math,.math-container,.tex,.latex,.arithmatex,.MathTex,.inline-formula,.display-formula"
_GENERIC_CLASSES = frozenset(name.removeprefix(".") for name in _GENERIC.split(","))

# ---- what their markup says ----

# A quick refusal: an element whose HTML has none of these holds no carrier.
_MAY_HOLD_CARRIER = re.compile(
    r"<(?:\w+:)?(?:math|script|img|mjx)|class=\"[^\"]*(?:ath|tex|formula)|\bdata-", re.IGNORECASE
)
_ANNOTATION = re.compile(
    r"""<(?:\w+:)?annotation\b[^>]*encoding\s*=\s*["'](?:application/x-(?:la)?tex|application/(?:la)?tex|(?:la)?tex|"""
    r"""text/x-tex)\s*(?:;[^"']*)?["'][^>]*>(.*?)</(?:\w+:)?annotation>""",
    re.DOTALL | re.IGNORECASE,
)
_MATH_ELEMENT = re.compile(r"<((?:\w+:)?math)\b.*?</\1>", re.DOTALL)
_ALTTEXT = re.compile(r"""<(?:\w+:)?math\b[^>]*?\balttext\s*=\s*"([^"]*)\"""", re.DOTALL)
_IMAGE_ALT = re.compile(r"""<img\b[^>]*?\balt\s*=\s*"([^"]*)\"""", re.DOTALL)
_DATA_MATHML = re.compile(r'\bdata-mathml="([^"]*)"')
_TEX_ATTRIBUTES = (
    "data-expr",
    "data-latex",
    "data-tex",
    "data-math",
    "data-formula",
    "data-equation",
    "data-equation-content",
)
_TAG = re.compile(r"<[^>]+>")
_DISPLAY = re.compile(
    r"""\bdisplay\s*=\s*"(?:block|true)"|mode\s*=\s*"display"|\\displaystyle\s*\\begin"""
)
_DISPLAY_CLASS = re.compile(
    r"\b(?:katex-display|MathJax_(?:SVG_)?Display|MJXc-display|displaymath|display-formula)\b"
)
_BLOCK_CLASSES = frozenset({"math", "tex", "latex"})
_IMAGE_CLASSES = frozenset(
    {
        "tex",
        "latex",
        "math",
        "equation",
        "formula",
        "formulaInl",
        "formulaDsp",
        "texrender",
        "mimetex",
        "ql-img-inline-formula",
        "ql-img-displayed-equation",
    }
)
# Elements that may stand around paragraphs, and what then stands in them.
_WRAPPERS = frozenset({"div", "section", "article", "main", "body", "td", "span", "blockquote"})
_BLOCK_INSIDE = re.compile(r"<(?:p|li|h[1-6]|article|section|blockquote)[\s>]")
_OUTPUT_CLASSES = frozenset(
    {
        "MathJax",
        "MathJax_Display",
        "MathJax_SVG",
        "MathJax_SVG_Display",
        "MathJax_CHTML",
        "MJXc-display",
    }
)
_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)

# The editor WIRIS writes MathML with other signs in the place of markup's.
_EDITOR_MARKUP = str.maketrans({"«": "<", "»": ">", "¨": '"', "§": "&", "`": "'"})

# ---- which texts are TeX ----

# Nothing but TeX has these.
_CERTAIN_TEX = re.compile(r"\\[A-Za-z]+|\\[,;!{}]|[_^]\{")
_IN_DELIMITERS = re.compile(r"\$.+\$|\\\(.+\\\)|\\\[.+\\\]", re.DOTALL)
# TeX has these, and a sentence may: scripts, one single character, relations.
_TEX_EVIDENCE = re.compile(r"\\[A-Za-z]+|\\[,;!:{}]|[_^]\{?\w|^[A-Za-z0-9]$|[=<>+]")
# Two words in a row, perhaps with a short one between them: a sentence.
_WORDS = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{3,}\s+(?:[a-z]{1,2}\s+)?[A-Za-z]{3,}")
_LONGEST_DESCRIPTION = 8_000  # characters
_LONGEST_BARE = 2_000  # characters of an element's text that is taken for TeX without delimiters

# ---- addresses of services that draw formulas ----

_WHOLE_QUERY_SERVICE = re.compile(r"codecogs|mimetex|mathtex|tex\.cgi|/(?:gif|png|svg)\.latex")
_NAMED_PARAMETER = re.compile(r"(?:latex|tex|formula|math|eq)=")
_PARAMETERS = ("latex", "chl", "math", "tex", "formula", "eq")


@dataclass(frozen=True, slots=True)
class _Formula:
    """What a carrier holds: TeX, and the kind of markup it was found in."""

    tex: str
    kind: str


@dataclass(frozen=True, slots=True)
class _Page:
    """What the carriers of one page are replaced with, and how they are found."""

    tree: HTMLTree
    store: Store
    specific: str  # selector of carriers that show one formula each
    selector: str  # those and elements of a class such as `math`
    scripted: bool = False  # MathJax's scripts hold the sources, its output is a copy
    is_cut: bool = False  # it ends inside a formula, which must not be read from its output
    # Of elements of a class such as `math` that are left to the search in running text.
    prose_of_class: list[str] = field(default_factory=list)

    def replace_with_text(self, node: ElementNode, text: str) -> None:
        """Put text in the place of an element that cannot hold any (`<img>`, `<script>`)."""
        text_node: Node | None = self.tree.create_text_node(text)
        assert text_node is not None  # only a tree without a document gives none
        node.replace_with(text_node)


def replace_math(tree: HTMLTree, source: str, markup: bytes, store: Store) -> str:
    """Put a placeholder for each formula into the tree.

    Args:
        tree: the parsed page, which is changed.
        source: the page's HTML, which gives hints only.
        markup: the same as bytes, in a charset that contains ASCII.
        store: where the formulas go.

    Returns the hints found, "" for a page without any trace of mathematical markup.
    """
    document = tree.document
    if document is None or tree.body is None:
        return ""
    hints = _hints(markup)
    if not hints:
        return ""

    # Only selectors that can match anything: the time of a query grows with their number.
    known = (*_CONTAINERS, *_IMAGES) if "<img" in source else _CONTAINERS
    specific = ",".join(selector for hint, selector in known if hint in hints)
    selector = f"{specific},{_GENERIC}" if specific else _GENERIC
    nodes = document.query_selector_all(selector).values()
    scripted = "math/" in source and any(node.tag == "script" for node in nodes)
    is_cut = source.count("<mjx-container") > source.count("</mjx-container")
    page = _Page(tree, store, specific, selector, scripted, is_cut)

    may_be_hidden = "display:none" in source or "display: none" in source
    position = 0
    display_until = 0  # carriers in front of this position are inside a display block
    while position < len(nodes):
        node = nodes[position]
        # Counted first: a replaced carrier has no descendants any more.
        inside = _carriers_inside(node, page)
        if _replace(node, page, in_display=position < display_until):
            if may_be_hidden and node.tag not in ("img", "script"):
                _unhide(node)
            position += inside
        elif inside and _is_display_block(node) and not _has_prose(node):
            display_until = max(display_until, position + 1 + inside)
        position += 1
    # Such a class tells of dollar signs what the name of an engine would.
    return hints + " math-container" if page.prose_of_class else hints


def _hints(markup: bytes) -> str:
    """The places of the page that may name a carrier, joined; "" where there is none."""
    places = [markup[max(m.start() - 10, 0) : m.end() + 10] for m in _MATH_NAME.finditer(markup)]
    places += [markup[max(m.start() - 12, 0) : m.end() + 9] for m in _TEX_NAME.finditer(markup)]

    # "ASCIIMath" is found at its end, five letters after its beginning.
    engines = set()
    for match in _ENGINE_NAME.finditer(markup):
        start = match.start() - 5 if match[0] == b"Math" else match.start()
        engines.add(markup[start : match.end()])
    places += sorted(engines)

    for pattern in _LONE_NAMES:
        found = pattern.search(markup)
        if found:
            places += sorted(set(pattern.findall(markup, found.start())))
    if places:
        places += [name for name in _OTHER_HINTS if name in markup]
    return b"\n".join(places).decode("latin-1")


def _carriers_inside(node: ElementNode, page: _Page) -> int:
    """How many of the page's carriers are descendants: they follow in document order."""
    # From 1: the element's own tag is no descendant.
    if node.tag in ("img", "script") or not _MAY_HOLD_CARRIER.search(node.html, 1):
        return 0
    return len(node.query_selector_all(page.selector))


def _replace(node: ElementNode, page: _Page, in_display: bool) -> bool:
    """Replace one carrier. False when it is none, so that carriers inside it get their turn."""
    tag = node.tag or ""
    if tag == "script":
        _replace_script(node, page)
        return True
    if tag == "img":
        return _replace_image(node, page, in_display)

    classes = node.get_attribute("class") or ""
    if page.scripted and "MathJax" in classes:
        node.decompose()  # the script beside it holds the source
        return True
    if "MathJax_Preview" in classes:
        return False  # no script: the preview is the only copy, text-level TeX
    # Paragraphs of a class such as `math` are no formula, but may hold some.
    if tag in _WRAPPERS and _BLOCK_INSIDE.search(node.html):
        page.prose_of_class.append(classes)
        return False

    shows_one = _shows_one_formula(node, tag, classes)
    formula = _from_container(node, tag, classes, page.is_cut) if shows_one else None
    if formula is None:
        if shows_one and _is_rendered(node, tag, classes):
            node.text = ""
            page.store.left_out += 1
            return True
        return _replace_generic(node, classes, page, in_display)

    is_display = in_display or _DISPLAY_CLASS.search(classes) or _DISPLAY.search(node.html[:2000])
    is_block = tag == "d-math" and node.has_attribute("block")
    node.text = page.store.add(formula.tex, formula.kind, bool(is_display) or is_block)
    return True


# ---- one formula in an element: MathML, KaTeX, MathJax, data attributes ----


def _shows_one_formula(node: ElementNode, tag: str, classes: str) -> bool:
    """Whether an element is one formula by its name or attributes, not only by a class like `math`."""
    if _GENERIC_CLASSES.isdisjoint(classes.split()):
        return True
    if tag.rpartition(":")[2] == "math" or _engine(tag, classes):
        return True
    return any(node.get_attribute(name) for name in (*_TEX_ATTRIBUTES, "data-mathml"))


def _is_rendered(node: ElementNode, tag: str, classes: str) -> bool:
    """Whether an element is a typesetter's output, whose text alone would be a false formula."""
    if tag == "mjx-container":
        return True
    names = classes.split()
    is_output = "katex" in names or not _OUTPUT_CLASSES.isdisjoint(names)
    if not is_output or node.first_element_child is None:
        return False
    return not has_strong_hint(node.text or "")


def _from_container(
    node: ElementNode, tag: str, classes: str, is_cut: bool = False
) -> _Formula | None:
    """The formula of an element that shows one, from its most trusted source; or None."""
    markup = unmarked(node.html)
    kind = _engine(tag, classes)

    annotation = _ANNOTATION.search(markup)
    if annotation:
        tex = entities.unescape(_TAG.sub("", annotation[1]))
        return _Formula(tex, kind or "mathml_annotation")

    alttext = _ALTTEXT.search(markup)
    if alttext:
        tex = entities.unescape(alttext[1])
        if _reads_as_tex(tex):
            return _Formula(tex, kind or "mathml_alttext")

    for name in _TEX_ATTRIBUTES:
        value = node.get_attribute(name)
        # A leading equals sign is a spreadsheet's.
        if value and _reads_as_tex(value) and not value.lstrip().startswith("="):
            return _Formula(value, "data_attribute")

    # The element of distill.pub and its template.
    if tag == "d-math":
        return _Formula(node.text or "", "tex_element")

    # KaTeX shows the source of what it cannot typeset.
    if "katex-error" in classes.split():
        return _Formula(node.text or "", "katex")

    image_alt = _IMAGE_ALT.search(markup) if "mwe-math" in classes else None
    if image_alt:
        return _Formula(entities.unescape(image_alt[1]), "image_alt")

    mathml = _mathml_source(node, markup)
    if mathml:
        try:
            return _Formula(mathml_to_tex(mathml), kind or "mathml")
        except NotMathML:
            return None

    # A source that was not typeset.
    text = node.text or ""
    if "katex" in classes.split() and node.first_element_child is None and text.strip():
        return _Formula(text, kind)

    if tag == "mjx-container" and not is_cut:
        try:
            return _Formula(rendered_to_tex(markup), kind)
        except NoStructure:
            return None
    return None


def _mathml_source(node: ElementNode, markup: str) -> str | None:
    """MathML in an element, as an element of its own or in MathJax's attribute."""
    element = _MATH_ELEMENT.search(markup)
    if element:
        return element[0]

    own = node.get_attribute("data-mathml")
    if own is not None:
        return own
    inner = _DATA_MATHML.search(markup)
    return entities.unescape(inner[1]) if inner else None


def _engine(tag: str, classes: str) -> str:
    """What typeset the formula, "" when the element does not say."""
    if "katex" in classes:
        return "katex"
    if "mwe-math" in classes:
        return "mediawiki"
    if tag == "mjx-container" or "MathJax" in classes or "MJX" in classes:
        return "mathjax"
    return ""


# ---- MathJax's scripts ----


def _replace_script(node: ElementNode, page: _Page) -> None:
    """math/tex, math/latex, math/asciimath or math/mml, each with "; mode=display" or not."""
    kind = (node.get_attribute("type") or "").lower()
    display = "mode=display" in kind.replace(" ", "")

    # XHTML pages hide TeX from the parser, some after a TeX comment sign.
    text = (node.text or "").strip().removeprefix("<![CDATA[").removeprefix("% <![CDATA[")
    text = text.removesuffix("%]]>").removesuffix("]]>").strip()

    store = page.store
    if kind.startswith("math/asciimath"):
        placeholder = store.add(asciimath_to_tex(text), "script_asciimath", display)
    elif kind.startswith("math/mml"):
        tex = _tex_of_mathml_script(text)
        display = display or bool(_DISPLAY.search(text))
        placeholder = store.add(tex, "script_mathml", display)
    else:
        placeholder = store.add(text, "script_tex", display)
    page.replace_with_text(node, placeholder)


def _tex_of_mathml_script(text: str) -> str:
    """TeX of a math/mml script; "" when nothing comes of it."""
    annotation = _ANNOTATION.search(text)
    if annotation:
        return entities.unescape(annotation[1])
    try:
        return mathml_to_tex(text)
    except NotMathML:
        return ""


# ---- pictures ----


def _replace_image(node: ElementNode, page: _Page, in_display: bool) -> bool:
    """A picture of a formula: its description if that is TeX, else the TeX in its address."""
    alt = (node.get_attribute("alt") or "").strip().removeprefix("LaTeX:").strip()
    classes = node.get_attribute("class") or ""

    source = _source_of_image(node)
    if source:
        display = in_display or "display" in classes
        page.replace_with_text(node, page.store.add(source.tex, source.kind, display))
        return True

    # Where a class says that it is a formula, its description need only not be a sentence.
    is_named = "mwe-math" in classes or bool(_IMAGE_CLASSES.intersection(classes.split()))
    is_short = len(alt) < 200 and not _WORDS.search(alt)
    if alt and (_reads_as_tex(alt) or (is_named and is_short)):
        formula = _Formula(alt, "image_alt")
    else:
        tex = tex_in_url(node.get_attribute("src") or "")
        if not tex:
            return False
        formula = _Formula(tex, "image_url")

    display = in_display or "display" in classes or "formulaDsp" in classes
    page.replace_with_text(node, page.store.add(formula.tex, formula.kind, display))
    return True


def _source_of_image(node: ElementNode) -> _Formula | None:
    """The formula in an attribute of its picture: TeX, or an editor's MathML."""
    for name in _TEX_ATTRIBUTES:
        value = node.get_attribute(name)
        if value and _reads_as_tex(unquote(value)):
            # Course platforms escape it as in an address.
            return _Formula(unquote(value) if "%" in value else value, "data_attribute")

    mathml = node.get_attribute("data-mathml")
    if not mathml:
        return None
    try:
        return _Formula(mathml_to_tex(mathml.translate(_EDITOR_MARKUP)), "mathml")
    except NotMathML:
        return None


def tex_in_url(url: str) -> str:
    """TeX in the address of a formula-rendering service, "" if there is none.

    Known: `…latex?TEX` and its siblings (codecogs, mimetex.cgi, mathtex.cgi),
    `latex.php?latex=TEX`, `chl=`, `math=`, `tex=`.
    """
    try:
        query = urlsplit(url.replace("&amp;", "&")).query
    except ValueError:
        return ""
    if not query:
        return ""

    if _WHOLE_QUERY_SERVICE.search(url) and not _NAMED_PARAMETER.match(query):
        # codecogs writes a space as `&space;`, which may be percent-encoded itself.
        return unquote(query.replace("&space;", " ")).replace("&space;", " ").strip()

    # PHP writes a space as a plus sign; in other addresses a plus is a plus.
    plus_is_space = "latex.php" in url or "%2B" in query or "%2b" in query
    if not plus_is_space:
        query = query.replace("+", "%2B")
    for name, value in parse_qsl(query):
        if name in _PARAMETERS and value.strip():
            return value.strip()
    return ""


# ---- elements of a class such as `math` ----


def _replace_generic(node: ElementNode, classes: str, page: _Page, in_display: bool) -> bool:
    """An element of a class such as `math`: TeX as its text, with or without delimiters."""
    if _GENERIC_CLASSES.isdisjoint(classes.split()):
        return False
    # It wraps a carrier that says more.
    if page.specific and node.query_selector(page.specific) is not None:
        return False

    text = node.text or ""
    store = page.store
    if has_strong_hint(text) or text.count("$") >= 2:
        count = len(store.entries)
        marked = mark_dollars(mark_strong(text, store), store, engine=True)
        if len(store.entries) == count:
            return False
        # Prose with markup of its own: as one text its lines and words would run together.
        if node.first_element_child is not None and _WORDS.search(marked):
            del store.entries[count:]
            page.prose_of_class.append(classes)
            return False
        node.text = marked.replace("¶", "").strip()
        return True

    # Without delimiters the whole text must be the formula.
    tex = text.strip()
    is_bare = node.first_element_child is None and 0 < len(tex) <= _LONGEST_BARE
    if not is_bare or _WORDS.search(tex):
        return False
    # The other classes promise less than `math`: there the text itself must read as TeX.
    has_math_class = "math" in classes.split()
    if has_math_class and not _TEX_EVIDENCE.search(tex):
        return False
    if not has_math_class and not _reads_as_tex(tex):
        return False

    node.text = store.add(tex, "tex_element", in_display or _is_display_block(node))
    return True


def _is_display_block(node: ElementNode) -> bool:
    """Whether a `.math` element holds display formulas: a block, or a class that says so."""
    classes = (node.get_attribute("class") or "").split()
    if _BLOCK_CLASSES.isdisjoint(classes):
        return False
    return node.tag in ("div", "p") or "display" in classes or "block" in classes


def _has_prose(node: ElementNode) -> bool:
    """Whether a block has words between its carriers, which are part of a sentence then."""
    for block in (node, *node.query_selector_all("p,li,td").values()):
        texts = [child.text or "" for child in block.child_nodes if child.type == NodeType.TEXT]
        if _WORDS.search(" ".join(texts)):
            return True
    return False


def _reads_as_tex(text: str) -> bool:
    """Whether a description is TeX rather than a sentence for people who cannot see the formula."""
    text = text.strip()
    if not text or len(text) > _LONGEST_DESCRIPTION:
        return False
    if _CERTAIN_TEX.search(text) or _IN_DELIMITERS.fullmatch(text):
        return True
    return bool(_TEX_EVIDENCE.search(text)) and not _WORDS.search(text)


def _unhide(node: ElementNode) -> None:
    """Show the wrapper that a page hides because a script would replace it."""
    parent = node.parent_element
    # It is the parent or the grandparent.
    for _ in range(2):
        if parent is None:
            return
        style = parent.get_attribute("style")
        if style and _HIDDEN.search(style):
            parent.set_attribute("style", "")
        parent = parent.parent_element
