"""The text of an HTML page: main content, formulas as TeX, code fenced, boilerplate gone.

The page is parsed once. Formulas and code leave placeholders in the tree, resiliparse turns the
tree into text, the formulas of the running text are found, and the placeholders are resolved.
resiliparse's choice of the main content drops formulas with their blocks now and then: when it
does, the body without its navigation is taken instead.
"""

import html as entities
import re
from collections import Counter
from dataclasses import dataclass, field

from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import DocumentNode, ElementNode, HTMLTree

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
from corpus.html.boilerplate import remove_boilerplate
from corpus.html.content_lines import content_of
from corpus.html.nesting import exact_nesting, nesting_bound
from corpus.html.repair import repaired

# ---- when the main content is not to be trusted ----

_ENOUGH = 0.9  # of the formulas outside navigation; with less, the whole body is taken
_SHORT = 500  # characters: a main content below may be a misjudgement
_MUCH_LESS = 0.05  # main content below this share of a long page's text is a misjudgement
_LEAST_OF_MARKUP = 0.005  # main content below this share of the HTML is worth a second look
_LEAST_PROSE = 0.3  # of the sentences; a choice of less is a misjudgement
_MOSTLY = 0.5  # share of sentences in a text that is prose
_FEW = 200  # bytes of sentences: a main content below is none
_SENTENCE = 60  # bytes of a line that is one
_NAVIGATION = (
    "nav", "footer", "body > aside", "body > header", "[role=navigation]", "[role=search]", "[role=banner]",
    "[role=contentinfo]", "[role=complementary]", ".sidebar", ".sphinxsidebar", ".related", ".navbar", ".nav",
    ".menu", ".navigation", ".navheader", ".navfooter", ".breadcrumb", ".breadcrumbs", ".footer", ".cookie",
    ".headerlink", ".toc", "#toc", "#sidebar", "#footer", "#nav", "#navigation", "#menu", ".mw-editsection", ".share",
    ".advertisement",
)  # fmt: skip

# ---- code, sub- and superscripts ----

_CODE = "pre,code,sub,sup"
_MAY_HOLD_CODE = re.compile(rb"<(?:pre|code|su[bp]|PRE|CODE|SU[BP])[\s>]")
_CODE_TAGS = re.compile(r"<(?:pre|code|sub|sup)[\s>]")
# <code class="math"> and <code class="language-math"> hold TeX (GitLab and others).
_CODE_OF_MATH = re.compile(r"""<[^>]*\bclass="(?:[^"]*\s)?(?:math|language-math)[\s"]""")
# The programming language, as the usual highlighters name it in a class.
_LANGUAGE = re.compile(
    r"\b(?:language|lang|highlight|brush:|sourceCode)[-\s:]+([A-Za-z][\w+#-]{0,15})"
)
_NOT_LANGUAGES = frozenset(
    {"default", "text", "none", "notranslate", "plaintext", "highlight", "source", "plain"}
)
_LINE_NUMBERS = re.compile(r"\s*\d+(?:\s+\d+)+\s*")
_BACKTICKS = re.compile(r"`{3,}")
_TAG = re.compile(r"<[^>]*>")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
# Raised text that is no exponent: ordinals in several languages, trade marks, footnote marks.
_ORDINAL = re.compile(
    r"(?:st|nd|rd|th|er|e|ère|ème|re|o|a|º|ª|tm|sm|®|™|©|\*+|†|‡|\[?\d{0,3}\]|note.*)$",
    re.IGNORECASE,
)
_SCRIPT_TEXT = re.compile(r"[\w+\-−=,()′'*/.∞ ]{1,12}$")
# What may come before an exponent, besides letters and digits.
_TAKES_SCRIPT = ")]}|'’" + CLOSE

_FRACTION_BARS = frozenset("⁄∕/")

# ---- running text ----

_ASCIIMATH = re.compile(r"(?<![`\\])`(?!`)([^`\n]{1,400})`(?!`)")
_ASCIIMATH_ENGINE = re.compile("ASCIIMath|asciimath|=AM_|=TeX-AM")
_TEX_COMMAND = re.compile(r"\\[A-Za-z]{2,}")
# A fenced block, from its opening fence to a line that is the same fence again.
_FENCED_BLOCK = re.compile(r"(^(`{3,})[^\n]*\n.*?^\2$)", re.DOTALL | re.MULTILINE)
_SPACES_AT_END = re.compile(r"[ \t]+\n")
_MANY_LINES = re.compile(r"\n{3,}")


@dataclass(slots=True)
class PageText:
    """What a page says."""

    text: str
    title: str
    kinds: Counter[str] = field(default_factory=Counter)  # of markup -> formulas in `text`
    fallback: bool = False  # more was taken than the main content
    escaped: int = 0  # dollar signs written `\$`
    left_out: int = 0  # formulas that the page shows as drawn boxes only, without a source

    @property
    def n_math(self) -> int:
        return sum(self.kinds.values())


@dataclass(frozen=True, slots=True)
class _Text:
    """Text of a page, with the marks of links and headings and without them."""

    marked: str
    plain: str

    @classmethod
    def taken(
        cls, tree: HTMLTree, main_content: bool = False, without: tuple[str, ...] = ()
    ) -> "_Text":
        marked = extract_plain_text(
            tree, main_content=main_content, alt_texts=False, skip_elements=without
        )
        return cls(marked, unmarked(marked))


@dataclass(frozen=True, slots=True)
class _Content:
    """The part of a page that is taken; `fallback` where that is not resiliparse's main content."""

    text: _Text
    fallback: bool


class TooDeep(ValueError):
    """Elements are nested deeper than any page made for readers."""


def extract_text(source: str, max_depth: int = 2_000) -> PageText:
    """Text of a page.

    Args:
        source: the page's HTML.
        max_depth: levels of nesting. Beyond them TooDeep is raised: the time of the main-content
            heuristic grows with their square.
    """
    source = repaired(without_placeholders(source))
    markup = source.encode("utf-8", "replace")
    tree = HTMLTree.parse(marked(source))
    document = tree.document

    if document is not None and nesting_bound(markup, enough=max_depth) > max_depth:
        depth = exact_nesting(document.html)
        if depth > max_depth:
            raise TooDeep(f"{depth} levels")

    title = " ".join(unmarked(tree.title or "").split())
    if document is None or tree.body is None:
        return PageText("", title)

    store = Store()
    hints = replace_math(tree, source, markup, store)
    if _MAY_HOLD_CODE.search(markup):
        _replace_code(document, store)
    remove_boilerplate(document, source, markup)
    tex_in_text = may_hold_tex(source, dollars=bool(hints))
    content = _content(tree, store, len(source), tex_in_text)

    text = content_of(content.text.marked, content.text.plain, tex_in_text)
    text, escaped = _with_text_formulas(text, hints, store)
    text, kinds = store.restore(text)
    return PageText(_tidy(text), title, kinds, content.fallback, escaped, store.left_out)


def _content(tree: HTMLTree, store: Store, size: int, tex_in_text: bool) -> _Content:
    """Main content, or more of the page where that loses formulas or nearly everything."""
    main = _Text.taken(tree, main_content=True)

    # Most pages: nothing is lost, and no second pass is needed to see it.
    enough = max(_SHORT, _LEAST_OF_MARKUP * size)
    is_enough = len(main.plain) >= enough
    if not tex_in_text and is_enough and store.count_in(main.plain) == store.formulas():
        return _Content(main, fallback=False)

    everything = _Text.taken(tree)
    total = _formulas_in(everything.plain, store)
    kept = _formulas_in(main.plain, store)
    is_plausible = len(main.plain) >= max(_MUCH_LESS * len(everything.plain), 1)
    has_all = kept >= total and bool(main.plain.strip()) and is_plausible
    if has_all and len(main.plain) >= _SHORT:
        return _Content(main, fallback=False)

    body = _Text.taken(tree, without=_NAVIGATION)
    in_body = _formulas_in(body.plain, store)
    # A class such as `related` around the whole page takes all of it away.
    sentences = _prose(everything.plain)
    is_prose = sentences >= _MOSTLY * len(everything.plain)
    is_hollow = is_prose and _prose(body.plain) < _LEAST_PROSE * sentences
    if in_body < _ENOUGH * total or is_hollow or not body.plain.strip():
        body, in_body = everything, total
    if has_all:
        # A few words are right where the page has no more to say than menus and lists.
        is_prose = _prose(body.plain) >= _MOSTLY * len(body.plain)
        if is_prose and _prose(main.plain) < min(_FEW, _LEAST_PROSE * _prose(body.plain)):
            return _Content(body, fallback=True)
        return _Content(main, fallback=False)
    if in_body > kept or total == 0:
        return _Content(body, fallback=True)
    # The body has no more formulas either: what the main content lacks is in the navigation.
    return _Content(main, fallback=False)


def _prose(text: str) -> int:
    """Characters in lines that are as long as sentences; lines of menus and buttons are short."""
    total = 0
    for line in text.split("\n"):
        # One Chinese character says about as much as three letters.
        length = len(line.encode("utf-8", "replace")) if not line.isascii() else len(line)
        total += length if length >= _SENTENCE else 0
    return total


def _formulas_in(text: str, store: Store) -> int:
    return store.count_in(text) + count_strong(text)


def _with_text_formulas(text: str, hints: str, store: Store) -> tuple[str, int]:
    """Turn TeX in the running text into placeholders.

    Where there are formulas, the dollar signs left over are escaped. Returns the text and the
    number of escaped dollar signs.
    """
    text = mark_strong(text, store)
    if "`" in text and _ASCIIMATH_ENGINE.search(hints):

        def replaced(match: re.Match[str]) -> str:
            # TeX between backticks, perhaps found already by its own delimiters.
            is_tex = PLACEHOLDER.search(match[1]) or _TEX_COMMAND.search(match[1])
            tex = store.bare(match[1]) if is_tex else asciimath_to_tex(match[1])
            return store.add(tex, "text_asciimath", display=False) or match[0]

        text = _ASCIIMATH.sub(replaced, text)

    if "$" not in text:
        return text, 0
    text = mark_dollars(text, store, engine=store.formulas() > 0 or has_engine(hints))
    if store.formulas() == 0:
        return text, 0
    return escape_dollars(text)


# ---- code ----


def _replace_code(document: DocumentNode, store: Store) -> None:
    """Placeholders for code; short sub- and superscripts become `_{}` and `^{}`."""
    nodes = document.query_selector_all(_CODE).values()
    position = 0
    while position < len(nodes):
        node = nodes[position]
        tag = node.tag
        position += 1
        if tag == "sub":
            _replace_script(node, "_")
        elif tag == "sup":
            _replace_script(node, "^")
        else:
            markup = node.html
            if _replace_block(node, markup, store, is_block=tag == "pre"):
                # The elements inside follow in the list, and are gone with it.
                position += len(_CODE_TAGS.findall(markup, 1))


def _replace_block(node: ElementNode, markup: str, store: Store, is_block: bool) -> bool:
    """A `<pre>` or `<code>` as a placeholder; False when it is left to the text."""
    text = node.text or ""
    # The tree's text has no line ends for <br>.
    if "<br" in markup:
        text = entities.unescape(_TAG.sub("", _BREAK.sub("\n", markup)))
    text = text.replace("\r\n", "\n").strip("\n")

    # Blank, or a formula that was found before.
    stripped = text.strip()
    if not stripped or PLACEHOLDER.fullmatch(stripped):
        return False

    opening = markup[:300]
    if _CODE_OF_MATH.match(markup):
        display = is_block and 'math-style="inline"' not in opening
        node.text = store.add(text, "code_math", display)
        return True

    if PLACEHOLDER.search(text):
        text = store.bare(text)
    if not is_block and "\n" not in text.strip():
        node.text = store.add_code(_inline_code(text.strip()))
    elif _LINE_NUMBERS.fullmatch(text):
        node.text = ""
    else:
        node.text = store.add_code(_fenced(text, opening))
    return True


def _fenced(text: str, opening: str) -> str:
    """A code block, unchanged but for spaces at line ends, between fences longer than any in it."""
    longest = max((len(run) for run in _BACKTICKS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)

    match = _LANGUAGE.search(opening)
    language = match[1].lower() if match else ""
    if language in _NOT_LANGUAGES:
        language = ""

    lines = "\n".join(line.rstrip() for line in text.split("\n"))
    return f"{fence}{language}\n{lines}\n{fence}"


def _inline_code(text: str) -> str:
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _replace_script(node: ElementNode, mark: str) -> None:
    """A short sub- or superscript as TeX would write it; ordinals and references to notes stay."""
    text = unmarked(node.text or "").strip()
    if not text or not _SCRIPT_TEXT.match(text) or _ORDINAL.match(text):
        return

    markup = node.html
    is_link = "<a" in markup
    is_reference = "class=" in markup[:60] and "reference" in markup
    if is_link or is_reference:
        return

    previous = node.prev
    before = unmarked(previous.text or "")[-1:] if previous is not None else ""
    # A fraction written with raised and lowered numbers: 1<sup>3</sup>⁄<sub>4</sub>.
    if mark == "^" and text.isdigit() and _is_numerator(node):
        if before.isdigit():
            node.text = f" {text}"
        return
    if not before or not (before.isalnum() or before in _TAKES_SCRIPT):
        return

    parent = node.parent_element
    if parent is not None and parent.tag == "a":
        return
    node.text = f"{mark}{{{text}}}"


def _is_numerator(node: ElementNode) -> bool:
    """Whether a fraction's bar and a lowered number follow."""
    bar = node.next
    if bar is None or unmarked(bar.text or "").strip() not in _FRACTION_BARS:
        return False
    below = bar.next
    return isinstance(below, ElementNode) and below.tag == "sub"


# ---- the finished text ----


def _tidy(text: str) -> str:
    """Remove white space at line ends, pilcrow anchors and runs of empty lines, but not in code."""
    if "```" not in text:
        return _tidy_prose(text).strip("\n")

    # The pattern's two groups give triples: prose, code block, its fence.
    parts = _FENCED_BLOCK.split(text)
    tidied: list[str] = []
    for prose, block in zip(parts[::3], [*parts[1::3], ""], strict=True):
        tidied += [_tidy_prose(prose), block]
    return "".join(tidied).strip("\n")


def _tidy_prose(text: str) -> str:
    # Nearly always there is nothing to do: a search for a substring is faster than any pattern.
    if "¶" in text:
        text = text.replace("¶", "")
    if " \n" in text or "\t\n" in text:
        text = _SPACES_AT_END.sub("\n", text)
    if "\n\n\n" in text:
        text = _MANY_LINES.sub("\n\n", text)
    return text
