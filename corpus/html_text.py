"""The text of an HTML page: main content, formulas as TeX, code fenced, boilerplate gone.

One parse. Formulas and code leave placeholders in the tree, resiliparse turns the tree into text, the formulas of the
running text are found, and the placeholders are resolved. resiliparse's choice of the main content drops formulas
with their blocks now and then: when it does, the body without its navigation is taken instead.
"""

import html as entities
import re
from collections import Counter
from dataclasses import dataclass, field

from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree

from corpus.asciimath import asciimath_to_tex
from corpus.formulas import PLACEHOLDER, Store, without_placeholders
from corpus.math_markup import replace_math
from corpus.nesting import exact_nesting, nesting_bound
from corpus.tex_text import count_strong, escape_dollars, has_engine, has_strong_hint, mark_dollars, mark_strong

_RETAINED = 0.99  # of the page's formulas must be in the main content; CORPUS figures are met at 0.99, not at 0.9
_ENOUGH = 0.9  # of the formulas outside navigation; with less, the whole body is taken
_MUCH_LESS = 0.05  # main content below this share of a long page's text is a misjudgement
_NAVIGATION = (
    "nav", "footer", "aside", "body > header", "[role=navigation]", "[role=search]", "[role=banner]",
    "[role=contentinfo]", "[role=complementary]", ".sidebar", ".sphinxsidebar", ".related", ".navbar", ".nav",
    ".menu", ".navigation", ".navheader", ".navfooter", ".breadcrumb", ".breadcrumbs", ".footer", ".cookie",
    ".headerlink", ".toc", "#toc", "#sidebar", "#footer", "#nav", "#navigation", "#menu", ".mw-editsection", ".share",
    ".advertisement",
)  # fmt: skip
_CODE = "pre,code,sub,sup"
_LANGUAGE = re.compile(r"\b(?:language|lang|highlight|brush:|sourceCode)[-\s:]+([A-Za-z][\w+#-]{0,15})")
_NOT_LANGUAGES = frozenset({"default", "text", "none", "notranslate", "plaintext", "highlight", "source", "plain"})
_TAG = re.compile(r"<[^>]*>")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_ORDINAL = re.compile(
    r"(?:st|nd|rd|th|er|e|ère|ème|re|o|a|º|ª|tm|sm|®|™|©|\*+|†|‡|\[?\d{0,3}\]|note.*)$", re.IGNORECASE
)
_SCRIPT_TEXT = re.compile(r"[\w+\-−=,()′'*/.∞ ]{1,12}$")
_ASCIIMATH = re.compile(r"(?<![`\\])`(?!`)([^`\n]{1,400})`(?!`)")
_SPACES_AT_END = re.compile(r"[ \t]+\n")
_MANY_LINES = re.compile(r"\n{3,}")


@dataclass(slots=True)
class PageText:
    """What a page says. `kinds` counts the formulas in `text` by markup; `escaped` the dollar signs written `\\$`."""

    text: str
    title: str
    kinds: Counter = field(default_factory=Counter)
    fallback: bool = False
    escaped: int = 0

    @property
    def n_math(self) -> int:
        return sum(self.kinds.values())


class TooDeep(ValueError):
    """Elements are nested deeper than any page made for readers."""


def extract_text(source: str, max_depth: int = 2_000) -> PageText:
    """Text of a page given as HTML.

    Raises TooDeep beyond `max_depth` levels: the time of the main-content heuristic grows with their square.
    """
    source = without_placeholders(source)
    tree = HTMLTree.parse(source)
    if nesting_bound(source) > max_depth and (depth := exact_nesting(tree.document.html)) > max_depth:
        raise TooDeep(f"{depth} levels")
    title = " ".join((tree.title or "").split())
    if tree.body is None:
        return PageText("", title)
    store = Store()
    replace_math(tree, source, store)
    _replace_code(tree, store)
    raw, fallback = _main_text(tree, store, has_strong_hint(source))
    text, escaped = _with_text_formulas(raw, source, store)
    text, kinds = store.restore(text)
    return PageText(_tidy(text), title, kinds, fallback, escaped)


def _main_text(tree: HTMLTree, store: Store, tex_in_text: bool) -> tuple[str, bool]:
    """Main content, or more of the page where that loses formulas or nearly everything."""
    main = extract_plain_text(tree, main_content=True, alt_texts=False)
    formulas = store.formulas()
    if formulas or tex_in_text or len(main) < 500:
        everything = extract_plain_text(tree, main_content=False, alt_texts=False)
        total = _formulas_in(everything, store)
        kept = _formulas_in(main, store)
        if kept < _RETAINED * total or len(main) < _MUCH_LESS * len(everything) or not main.strip():
            body = extract_plain_text(tree, main_content=False, alt_texts=False, skip_elements=_NAVIGATION)
            in_body = _formulas_in(body, store)
            if in_body < _ENOUGH * total or not body.strip():
                return everything, True
            # Nothing gained: what the main content lacks stands in the navigation.
            if in_body > kept or not formulas + total:
                return body, True
    return main, False


def _formulas_in(text: str, store: Store) -> int:
    return store.count_in(text) + count_strong(text)


def _with_text_formulas(text: str, source: str, store: Store) -> tuple[str, int]:
    """Turn TeX in the running text into placeholders; escape the dollar signs left over if there are formulas."""
    text = mark_strong(text, store)
    if "`" in text and ("ASCIIMathML" in source or "AM_CHTML" in source or "AM_HTMLorMML" in source):
        text = _ASCIIMATH.sub(lambda m: store.add(asciimath_to_tex(m[1]), "text_asciimath", False) or m[0], text)
    if "$" not in text:
        return text, 0
    text = mark_dollars(text, store, engine=store.formulas() > 0 or has_engine(source))
    return escape_dollars(text) if store.formulas() else (text, 0)


def _replace_code(tree: HTMLTree, store: Store) -> None:
    """Placeholders for code; short sub- and superscripts become `_{}` and `^{}`."""
    nodes = tree.document.query_selector_all(_CODE).values()
    position = 0
    while position < len(nodes):
        node, tag = nodes[position], nodes[position].tag
        position += 1
        if tag in ("sub", "sup"):
            _replace_script(node, "_" if tag == "sub" else "^")
            continue
        inside = len(node.query_selector_all(_CODE))
        if _replace_block(node, tag, store):
            position += inside


def _replace_block(node, tag: str, store: Store) -> bool:
    """A `<pre>` or `<code>` as a placeholder; False when it is left to the text."""
    markup = node.html
    text = node.text if "<br" not in markup else entities.unescape(_TAG.sub("", _BREAK.sub("\n", markup)))
    text = text.replace("\r\n", "\n").strip("\n")
    classes = node.get_attribute("class") or ""
    if not text.strip() or PLACEHOLDER.fullmatch(text.strip()):
        return False
    if "math" in classes.split() or "language-math" in markup[:200]:
        node.text = store.add(text, "code_math", display='math-style="inline"' not in markup[:300] and tag == "pre")
        return True
    text = store.bare(text) if PLACEHOLDER.search(text) else text
    if tag == "pre" or "\n" in text.strip():
        if re.fullmatch(r"\s*\d+(?:\s+\d+)+\s*", text):
            node.text = ""  # a column of line numbers
            return True
        node.text = store.add_code(_fenced(text, markup[:300]))
    else:
        node.text = store.add_code(_inline_code(text.strip()))
    return True


def _fenced(text: str, opening: str) -> str:
    """A code block as it stands, between fences longer than any in it."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`{3,}", text)), default=0))
    match = _LANGUAGE.search(opening)
    language = match[1].lower() if match and match[1].lower() not in _NOT_LANGUAGES else ""
    lines = "\n".join(line.rstrip() for line in text.split("\n"))
    return f"{fence}{language}\n{lines}\n{fence}"


def _inline_code(text: str) -> str:
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _replace_script(node, mark: str) -> None:
    text = node.text.strip()
    if not text or not _SCRIPT_TEXT.match(text) or _ORDINAL.match(text):
        return
    markup = node.html
    if "<a" in markup or ("class=" in markup[:60] and "reference" in markup):
        return
    previous = node.prev
    before = (previous.text or "")[-1:] if previous is not None else ""
    if not before or not (before.isalnum() or before in ")]}|'\ue001’"):
        return
    parent = node.parent_element
    if parent is not None and parent.tag == "a":
        return
    node.text = f"{mark}{{{text}}}"


def _tidy(text: str) -> str:
    """White space at line ends, pilcrow anchors and runs of empty lines outside code go."""
    if "```" not in text:
        return _tidy_prose(text).strip("\n")
    parts = re.split(r"(^(`{3,})[^\n]*\n.*?^\2$)", text, flags=re.DOTALL | re.MULTILINE)
    # The pattern's two groups give triples: prose, code block, its fence.
    tidied = [_tidy_prose(part) if i % 3 == 0 else part for i, part in enumerate(parts) if i % 3 != 2]
    return "".join(tidied).strip("\n")


def _tidy_prose(text: str) -> str:
    text = _SPACES_AT_END.sub("\n", text.replace("¶", "") if "¶" in text else text)
    return _MANY_LINES.sub("\n\n", text)
