"""Formulas written as TeX in running text: `\\(..\\)`, `\\[..\\]`, `$$..$$`, environments, `$..$`, forum tags.

They become placeholders (`corpus.formulas.placeholders`). A dollar sign means a formula only where the page gives a
reason to
believe so; otherwise it is money or a variable of some program.
"""

import re

from corpus.formulas.placeholders import OPEN, Store

_ENVIRONMENTS = (
    "equation|align|alignat|gather|multline|eqnarray|flalign|displaymath|math|split|aligned|gathered|cases|array|"
    "matrix|pmatrix|bmatrix|Bmatrix|vmatrix|Vmatrix|smallmatrix|dmath|subequations"
)
_STRONG = re.compile(
    r"(?<!\\)\\\[(?P<bracket>.{1,8000}?)(?<!\\)\\\]"
    r"|(?<!\\)\\\((?P<paren>.{1,4000}?)(?<!\\)\\\)"
    r"|(?<![\\$])\$\$(?P<dollars>(?:\\.|[^$\\]|\$(?!\$)){1,8000}?)\$\$"
    rf"|(?P<environment>\\begin\{{(?P<name>(?:{_ENVIRONMENTS})\*?)\}}.{{1,8000}}?\\end\{{(?P=name)\}})"
    r"|\[(?P<tag>tex|latex|math|itex|imath)\](?P<tagged>.{1,4000}?)\[/(?P=tag)\]"
    r"|(?<!\\)\$latex\s(?P<wordpress>(?:\\.|[^$\\])+?)(?<!\\)\$",
    re.DOTALL,
)
_HINTS = (
    "\\(",
    "\\[",
    "$$",
    "\\begin{",
    "[tex]",
    "[latex]",
    "[math]",
    "[itex]",
    "[imath]",
    "$latex ",
)
_DELIMITER = re.compile(r"\\[(\[b]")  # one leading byte: the search runs at memory speed
_DOUBLE_DOLLAR = re.compile(r"\$\$")
_LONGEST = 8_000  # characters of a formula: beyond, an opening without its close has run away

# An opening dollar is followed by a non-space, a closing one preceded by a non-space and followed by no digit.
_DOLLARS = re.compile(
    r"(?<![\\$\w])\$(?![\s$])(?P<tex>(?:\\.|[^$\\\n]|\n(?!\s*\n))*?)(?<![\s\\])\$(?![\d$])",
    re.DOTALL,
)
_COMMAND = re.compile(r"\\[A-Za-z]{2,}|\\[,;:!{}|]")
_PROSE = re.compile(
    r"(?<![A-Za-z\\{])[A-Za-z]{2,}[,.;:]?\s+[A-Za-z]{2,}(?![A-Za-z])|[\u3040-\u30ff\u4e00-\u9fff]"
)
_TEXT_GROUP = re.compile(
    r"\\(?:text|mbox|mathrm|textrm|operatorname|textbf|textit)\s*\{[^{}]*\}|\\[A-Za-z]+"
)
_LONE_WORD = re.compile(r"[A-Za-z]{6,}")
_ENGINES = ("MathJax", "mathjax", "katex", "math-container", "mathquill", "math/tex")


def has_strong_hint(text: str) -> bool:
    """Whether a delimiter that is not a lone dollar occurs: substring searches only."""
    return ("\\" in text or "$" in text or "[" in text) and any(hint in text for hint in _HINTS)


def may_hold_tex(source: str, dollars: bool) -> bool:
    """Whether a page's HTML has a TeX delimiter outside its scripts, which are full of backslashes.

    `dollars` says whether double dollar signs count as well.
    """
    position = 0
    while match := _DELIMITER.search(source, position):
        opened = source.rfind("<script", 0, match.start())
        if opened < 0 or source.find("</script", opened, match.start()) >= 0:
            return True
        position = source.find("</script", match.start())
        if position < 0:
            return False
    return dollars and _DOUBLE_DOLLAR.search(source) is not None


def count_strong(text: str) -> int:
    """Number of opening delimiters, for comparing two texts of one page."""
    return sum(text.count(hint) for hint in _HINTS)


def has_engine(hints: str) -> bool:
    """Whether a page loads, or was made by, something that typesets TeX (hints of `corpus.formulas.carriers`)."""
    return any(name in hints for name in _ENGINES)


def mark_strong(text: str, store: Store) -> str:
    """Replace every formula in delimiters other than single dollars by a placeholder."""
    if not has_strong_hint(text):
        return text

    def replaced(match: re.Match) -> str:
        body = next(match[name] for name in _BODIES if match[name] is not None)
        if len(body) > _LONGEST or not body.strip():
            return match[0]
        if match["bracket"] is not None and not _is_math(body):
            return match[0]
        display = any(match[name] is not None for name in ("bracket", "dollars", "environment"))
        return store.add(store.bare(body), "tex_text", display) or match[0]

    return _STRONG.sub(replaced, text)


_BODIES = ("bracket", "paren", "dollars", "environment", "tagged", "wordpress")


def mark_dollars(text: str, store: Store, engine: bool) -> str:
    """Replace `$..$` by placeholders where it is mathematics.

    On a page with a typesetting engine, or with other TeX in it, whatever does not read as prose or money counts;
    elsewhere a formula must hold a TeX command.
    """
    if text.count("$") < 2:
        return text
    position, parts = 0, []
    while match := _DOLLARS.search(text, position):
        if _is_dollar_formula(match["tex"], text[match.end() : match.end() + 1], engine):
            parts += [
                text[position : match.start()],
                store.add(store.bare(match["tex"]), "tex_text", False),
            ]
            position = match.end()
        else:
            # This dollar opens nothing; its partner may.
            parts.append(text[position : match.start() + 1])
            position = match.start() + 1
    return "".join(parts) + text[position:]


def escape_dollars(text: str) -> tuple[str, int]:
    """Write the remaining dollar signs as `\\$`, so that in a text with formulas every bare one is a delimiter."""
    escaped, count = re.subn(r"(?<!\\)\$", r"\\$", text)
    return escaped, count


def _is_dollar_formula(tex: str, following: str, engine: bool) -> bool:
    if len(tex) > 1_000 or ("<" in tex and ">" in tex and "</" in tex):
        return False
    if OPEN in tex and not engine:
        return False
    bare = _TEXT_GROUP.sub(" ", tex)
    if _PROSE.search(bare):
        return False
    if _COMMAND.search(tex):
        return True
    if not engine or tex[-1] in ",;:=+-(" or (following.isalpha() and not tex[-1].isalnum()):
        return False
    return not _LONE_WORD.search(bare)


def _is_math(body: str) -> bool:
    """`\\[` also occurs in prose about regular expressions: what stands inside must not read as prose."""
    return bool(_COMMAND.search(body)) or not _PROSE.search(body)
