"""Formulas written as TeX in running text.

Between `\\(..\\)`, `\\[..\\]`, `$$..$$` or `$..$`, in environments or forum tags. They become
placeholders (`corpus.formulas.placeholders`). A dollar sign means a formula only where the page
gives a reason to believe so; otherwise it is money or a variable of some program.
"""

import re

from corpus.formulas.placeholders import OPEN, Store, only_defines

# ---- delimiters that are not a lone dollar ("strong": they mean a formula on any page) ----

_ENVIRONMENTS = (
    "equation|align|alignat|gather|multline|eqnarray|flalign|displaymath|math|split|aligned|gathered|cases|array|"
    "matrix|pmatrix|bmatrix|Bmatrix|vmatrix|Vmatrix|smallmatrix|dmath|subequations"
)
# Lengths are bounded: an opening delimiter without its close must not swallow the page, nor cost
# its square in time.
_STRONG = re.compile(
    r"(?<!\\)\\\[(?P<bracket>.{1,8000}?)(?<!\\)\\\]"
    r"|(?<!\\)\\\((?P<paren>.{1,4000}?)(?<!\\)\\\)"
    r"|(?<![\\$])\$\$(?P<dollars>(?:\\.|[^$\\]|\$(?!\$)){1,8000}?)\$\$"
    rf"|(?P<environment>\\begin\{{(?P<name>(?:{_ENVIRONMENTS})\*?)\}}.{{1,8000}}?\\end\{{(?P=name)\}})"
    r"|\[(?P<tag>tex|latex|math|itex|imath)\](?P<tagged>.{1,4000}?)\[/(?P=tag)\]"
    r"|(?<!\\)\$latex\s(?P<wordpress>(?:\\.|[^$\\])+?)(?<!\\)\$",
    re.DOTALL,
)
_BODIES = ("bracket", "paren", "dollars", "environment", "tagged", "wordpress")
_DISPLAYS = frozenset({"bracket", "dollars", "environment"})
_LONGEST = 8_000  # characters of a formula: beyond, an opening without its close has run away
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

# Over a page's HTML this pattern is up to nine times as fast as `"$$" in source`.
_DOUBLE_DOLLAR = re.compile(r"\$\$")

# ---- single dollars ----

# An opening dollar is followed by a non-space, a closing one preceded by a non-space and followed
# by no digit (the rule of pandoc's tex_math_dollars).
_DOLLARS = re.compile(
    r"(?<![\\$\w])\$(?![\s$])(?P<tex>(?:\\.|[^$\\\n]|\n(?!\s*\n))*?)(?:(?<![\s\\])|(?<=\\ ))\$(?![\d$])",
    re.DOTALL,
)
_LONGEST_INLINE = 1_000  # characters
_BARE_DOLLAR = re.compile(r"(?<!\\)\$")
_COMMAND = re.compile(r"\\[A-Za-z]{2,}|\\[,;:!{}|]")
_NAMED_COMMAND = re.compile(r"\\[A-Za-z]{2,}")
# What groups of basic regular expressions hold: any characters, a set, a repetition, alternatives.
_REGEX = re.compile(
    r"\.\*|\.\\\+|^\.\+|\.\+$|\[\^[^\]]*\][*\\]|\[[^\]\s]*(?:a-z|A-Z|a-f|0-9|1-9)[^\]\s]*\]|\[:\w+:\]"
    r"|\\[<>+?]|[\w\].]\\\{\d|\w{2,}\\\|\w{2,}|^\.$"
    # Classes of characters in Perl's manner, and the options of `find`.
    r"|\\[dDwWs](?![A-Za-z])|(?:^|\s)-[a-z]{4,}\s"
)
_CHARACTER_SET = re.compile(r"\[\^?[\w-]*\w-\w[\w-]*\]")
_AFTER_REGEX_GROUP = frozenset({"/\\", "\\{", "\\|", "\\+", "\\?", "\\1"})
# Two words in a row, or Chinese or Japanese.
_PROSE = re.compile(
    r"(?<![A-Za-z\\{])[A-Za-z]{2,}[,.;:]?\s+[A-Za-z]{2,}(?![A-Za-z])|[\u3040-\u30ff\u4e00-\u9fff]"
)
# What may be prose inside a formula, and the names of commands.
_TEXT_GROUP = re.compile(
    r"\\(?:text|mbox|mathrm|textrm|operatorname|textbf|textit)\s*\{[^{}]*\}|\\[A-Za-z]+"
)
_LONE_WORD = re.compile(r"[A-Za-z]{6,}")
_UNFINISHED = frozenset(",;:=+-(")  # a formula does not end with these, but a price or a list does
_ENGINES = ("MathJax", "mathjax", "katex", "math-container", "mathquill", "math/tex")


def has_strong_hint(text: str) -> bool:
    """Whether a delimiter that is not a lone dollar occurs: substring searches only."""
    if "\\" not in text and "$" not in text and "[" not in text:
        return False
    return any(hint in text for hint in _HINTS)


def may_hold_tex(source: str, dollars: bool) -> bool:
    """Whether a page's HTML has a TeX delimiter outside its scripts, which are full of backslashes.

    `dollars` says whether double dollar signs count as well.
    """
    position = 0
    while match := _DELIMITER.search(source, position):
        script = source.rfind("<script", 0, match.start())
        is_inside = script >= 0 and source.find("</script", script, match.start()) < 0
        if not is_inside:
            return True

        position = source.find("</script", match.start())
        if position < 0:
            return False
    return dollars and _DOUBLE_DOLLAR.search(source) is not None


def count_strong(text: str) -> int:
    """Number of opening delimiters, for comparing two texts of one page."""
    return sum(text.count(hint) for hint in _HINTS)


def has_engine(hints: str) -> bool:
    """Whether the hints of `corpus.formulas.carriers` name something that typesets TeX."""
    return any(name in hints for name in _ENGINES)


def mark_strong(text: str, store: Store) -> str:
    """Replace every formula in delimiters other than single dollars by a placeholder."""
    if not has_strong_hint(text):
        return text

    def replaced(match: re.Match[str]) -> str:
        name = next(name for name in _BODIES if match[name] is not None)
        body = match[name]
        if len(body) > _LONGEST or not body.strip():
            return match[0]
        # `\[` also occurs in texts about regular expressions: prose inside is no formula.
        if name == "bracket" and not _COMMAND.search(body) and _PROSE.search(body):
            return match[0]
        if name == "bracket" and _CHARACTER_SET.fullmatch(body):
            return match[0]
        following = text[match.end() : match.end() + 2]
        if name == "paren" and (following in _AFTER_REGEX_GROUP or _reads_as_regex(body)):
            return match[0]

        tex = store.bare(body)
        if only_defines(tex):
            return ""
        return store.add(tex, "tex_text", name in _DISPLAYS) or match[0]

    return _STRONG.sub(replaced, text)


def _reads_as_regex(body: str) -> bool:
    """Whether what is between `\\(` and `\\)` is a group of a regular expression (sed, grep, vi)."""
    if _NAMED_COMMAND.search(body):
        return False
    # A norm has two bars, a choice between two words one.
    return _REGEX.search(body) is not None or body.count("\\|") % 2 == 1


def mark_dollars(text: str, store: Store, engine: bool) -> str:
    """Replace `$..$` by placeholders where it is mathematics.

    Args:
        text: of the page, other formulas replaced by placeholders.
        store: where the formulas go.
        engine: whether the page has a typesetting engine, or other TeX in it. Then everything
            counts that does not read as prose or money; elsewhere a formula must hold a TeX
            command.
    """
    if text.count("$") < 2:
        return text

    parts: list[str] = []
    position = 0
    while match := _DOLLARS.search(text, position):
        following = text[match.end() : match.end() + 1]
        if _is_dollar_formula(match["tex"], following, engine):
            placeholder = store.add(store.bare(match["tex"]), "tex_text", display=False)
            parts += [text[position : match.start()], placeholder]
            position = match.end()
        else:
            # This dollar opens nothing; its partner may.
            after_dollar = match.start() + 1
            parts.append(text[position:after_dollar])
            position = after_dollar
    return "".join(parts) + text[position:]


def escape_dollars(text: str) -> tuple[str, int]:
    """Write the remaining dollar signs as `\\$`: then every bare one is a delimiter.

    Returns the text and the number of dollar signs that were escaped.
    """
    return _BARE_DOLLAR.subn(r"\\$", text)


def _is_dollar_formula(tex: str, following: str, engine: bool) -> bool:
    """Whether `tex` between two dollar signs is a formula; `following` is the next character."""
    if len(tex) > _LONGEST_INLINE:
        return False
    has_markup = "<" in tex and ">" in tex and "</" in tex
    if has_markup:
        return False
    if OPEN in tex and not engine:
        return False

    without_text = _TEXT_GROUP.sub(" ", tex)
    if _PROSE.search(without_text):
        return False
    if _COMMAND.search(tex):
        return True
    if not engine:
        return False

    # No command, so the shape decides: "$5-$7", "$a$b" and "$variable$" are none.
    if tex[-1] in _UNFINISHED:
        return False
    if following.isalpha() and not tex[-1].isalnum():
        return False
    return not _LONE_WORD.search(without_text)
