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
from resiliparse.parse.html import ElementNode, HTMLTree

from corpus.formulas.asciimath import asciimath_to_tex
from corpus.formulas.carriers import replace_math
from corpus.formulas.inline_tex import (
    count_strong,
    escape_dollars,
    has_engine,
    mark_dollars,
    mark_strong,
    may_hold_tex,
)
from corpus.formulas.lone_characters import marked, unmarked
from corpus.formulas.placeholders import CLOSE, PLACEHOLDER, Store, without_placeholders
from corpus.html.nesting import exact_nesting, nesting_bound

_ENOUGH = 0.9  # of the formulas outside navigation; with less, the whole body is taken
_SHORT = 500  # characters: a main content below may be a misjudgement
_MUCH_LESS = 0.05  # main content below this share of a long page's text is a misjudgement
_NAVIGATION = (
    "nav", "footer", "body > aside", "body > header", "[role=navigation]", "[role=search]", "[role=banner]",
    "[role=contentinfo]", "[role=complementary]", ".sidebar", ".sphinxsidebar", ".related", ".navbar", ".nav",
    ".menu", ".navigation", ".navheader", ".navfooter", ".breadcrumb", ".breadcrumbs", ".footer", ".cookie",
    ".headerlink", ".toc", "#toc", "#sidebar", "#footer", "#nav", "#navigation", "#menu", ".mw-editsection", ".share",
    ".advertisement",
)  # fmt: skip
_CODE = "pre,code,sub,sup"
_CODE_TAGS = re.compile(r"<(?:pre|code|sub|sup)[\s>]")
_CODE_OF_MATH = re.compile(r"""<[^>]*\bclass="(?:[^"]*\s)?(?:math|language-math)[\s"]""")
_LANGUAGE = re.compile(
    r"\b(?:language|lang|highlight|brush:|sourceCode)[-\s:]+([A-Za-z][\w+#-]{0,15})"
)
_NOT_LANGUAGES = frozenset(
    {"default", "text", "none", "notranslate", "plaintext", "highlight", "source", "plain"}
)
_TAG = re.compile(r"<[^>]*>")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_ORDINAL = re.compile(
    r"(?:st|nd|rd|th|er|e|ère|ème|re|o|a|º|ª|tm|sm|®|™|©|\*+|†|‡|\[?\d{0,3}\]|note.*)$",
    re.IGNORECASE,
)
_SCRIPT_TEXT = re.compile(r"[\w+\-−=,()′'*/.∞ ]{1,12}$")
_ASCIIMATH = re.compile(r"(?<![`\\])`(?!`)([^`\n]{1,400})`(?!`)")
_SPACES_AT_END = re.compile(r"[ \t]+\n")
_ASCIIMATH_ENGINE = re.compile("ASCIIMath|asciimath|=AM_|=TeX-AM")
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


def extract_text(source: str, max_depth: int = 2_000, markup: bytes | None = None) -> PageText:
    """Text of a page given as HTML.

    `markup` is the page's bytes where they are at hand. Raises TooDeep beyond `max_depth` levels: the time of the
    main-content heuristic grows with their square.
    """
    source = without_placeholders(source)
    tree = HTMLTree.parse(marked(source))
    if markup is None:
        markup = source.encode("utf-8", "replace")
    bound = nesting_bound(markup, enough=max_depth)
    if bound > max_depth and (depth := exact_nesting(tree.document.html)) > max_depth:
        raise TooDeep(f"{depth} levels")
    title = " ".join(unmarked(tree.title or "").split())
    if tree.body is None:
        return PageText("", title)
    store = Store()
    hints = replace_math(tree, source, markup, store)
    _replace_code(tree, store)
    raw, fallback = _main_text(tree, store, may_hold_tex(source, dollars=bool(hints)))
    text, escaped = _with_text_formulas(unmarked(raw), hints, store)
    text, kinds = store.restore(text)
    return PageText(_tidy(text), title, kinds, fallback, escaped)


def _main_text(tree: HTMLTree, store: Store, tex_in_text: bool) -> tuple[str, bool]:
    """Main content, or more of the page where that loses formulas or nearly everything."""
    main = extract_plain_text(tree, main_content=True, alt_texts=False)
    expected = store.formulas()
    if not tex_in_text and len(main) >= _SHORT and store.count_in(main) == expected:
        return main, False
    everything = extract_plain_text(tree, main_content=False, alt_texts=False)
    total, kept = _formulas_in(everything, store), _formulas_in(main, store)
    if kept >= total and main.strip() and len(main) >= _MUCH_LESS * len(everything):
        return main, False
    body = extract_plain_text(tree, main_content=False, alt_texts=False, skip_elements=_NAVIGATION)
    in_body = _formulas_in(body, store)
    if in_body < _ENOUGH * total or not body.strip():
        return everything, True
    # Where the body has no more formulas either, what the main content lacks stands in the navigation.
    return (body, True) if in_body > kept or not total else (main, False)


def _formulas_in(text: str, store: Store) -> int:
    return store.count_in(text) + count_strong(text)


def _with_text_formulas(text: str, hints: str, store: Store) -> tuple[str, int]:
    """Turn TeX in the running text into placeholders; escape the dollar signs left over if there are formulas."""
    text = mark_strong(text, store)
    if "`" in text and _ASCIIMATH_ENGINE.search(hints):
        text = _ASCIIMATH.sub(
            lambda m: store.add(asciimath_to_tex(m[1]), "text_asciimath", False) or m[0], text
        )
    if "$" not in text:
        return text, 0
    text = mark_dollars(text, store, engine=store.formulas() > 0 or has_engine(hints))
    return escape_dollars(text) if store.formulas() else (text, 0)


def _replace_code(tree: HTMLTree, store: Store) -> None:
    """Placeholders for code; short sub- and superscripts become `_{}` and `^{}`."""
    nodes = tree.document.query_selector_all(_CODE).values()
    position = 0
    while position < len(nodes):
        node = nodes[position]
        tag = node.tag
        position += 1
        if tag in ("sub", "sup"):
            _replace_script(node, "_" if tag == "sub" else "^")
            continue
        markup = node.html
        if _replace_block(node, tag, markup, store):
            position += len(_CODE_TAGS.findall(markup, 1))


def _replace_block(node: ElementNode, tag: str, markup: str, store: Store) -> bool:
    """A `<pre>` or `<code>` as a placeholder; False when it is left to the text."""
    text = (
        node.text
        if "<br" not in markup
        else entities.unescape(_TAG.sub("", _BREAK.sub("\n", markup)))
    )
    text = text.replace("\r\n", "\n").strip("\n")
    if not text.strip() or PLACEHOLDER.fullmatch(text.strip()):
        return False
    if _CODE_OF_MATH.match(markup):
        node.text = store.add(
            text, "code_math", display='math-style="inline"' not in markup[:300] and tag == "pre"
        )
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


def _replace_script(node: ElementNode, mark: str) -> None:
    text = unmarked(node.text).strip()
    if not text or not _SCRIPT_TEXT.match(text) or _ORDINAL.match(text):
        return
    markup = node.html
    if "<a" in markup or ("class=" in markup[:60] and "reference" in markup):
        return
    previous = node.prev
    before = (previous.text or "")[-1:] if previous is not None else ""
    if not before or not (before.isalnum() or before in ")]}|'’" + CLOSE):
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
    tidied = [
        _tidy_prose(part) if i % 3 == 0 else part for i, part in enumerate(parts) if i % 3 != 2
    ]
    return "".join(tidied).strip("\n")


def _tidy_prose(text: str) -> str:
    if "¶" in text:
        text = text.replace("¶", "")
    if " \n" in text or "\t\n" in text:
        text = _SPACES_AT_END.sub("\n", text)
    return _MANY_LINES.sub("\n\n", text) if "\n\n\n" in text else text
