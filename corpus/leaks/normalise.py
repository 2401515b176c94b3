"""One text for one wording: markup and TeX taken away before n-grams are compared.

The same question reaches the web as HTML, Markdown, TeX, MathML turned into TeX, or plain Unicode. What
survives `plain` is what these share: the words, numbers and variable names in their order. TeX commands
that only lay out or draw an operator disappear, as the operators of plain text do when grams are cut
(`corpus.leaks.ngrams`).
"""

import html
import re

_INLINE = "a abbr b bdi big cite code del dfn em font i ins kbd label mark q s samp small span strike strong tt u var"
_BLOCK = (
    "article aside blockquote body br caption dd details div dl dt figcaption figure footer h1 h2 h3 h4 h5 h6 head "
    "header hr html img input li main meta nav ol option p pre section select sub summary sup table tbody td tfoot "
    "th thead title tr ul wbr"
)


def _tags(names: str) -> re.Pattern[str]:
    """Tags of known elements only: in `a<b and c>d` nothing is a tag."""
    alternatives = "|".join(sorted(names.split(), key=len, reverse=True))
    return re.compile(rf"</?(?:{alternatives})(?:\s+[\w:-]+\s*=[^<>]*)?\s*/?>", re.IGNORECASE)


# An inline element may divide a word (`<b>se</b>ven`), a block never does.
_INLINE_TAG = _tags(_INLINE)
_BLOCK_TAG = _tags(_BLOCK)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)

# GSM8K's <<16-3=13>>, which no copy on the web carries.
_CALCULATOR = re.compile(r"<<[^<>\n]{0,200}>>")
# [words](address) of Markdown.
_LINK_TARGET = re.compile(r"\]\([^()\s]*\)")

_GREEK_NAMES = (
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi omicron pi varpi "
    "rho varrho sigma varsigma tau upsilon phi varphi chi psi omega ell"
)
_GREEK = dict(zip(_GREEK_NAMES.split(), "αβγδεεζηθθικλμνξοππρρσστυφφχψωl", strict=True))
_FUNCTION_NAMES = (
    "arccos arcsin arctan arg cos cosh cot coth csc deg det dim exp gcd hom inf ker lcm lg lim liminf limsup ln log "
    "max min mod pmod bmod pr sec sin sinh sup tan tanh"
)
FUNCTIONS = frozenset(_FUNCTION_NAMES.split())

# With the column specification of a table: \begin{array}{c|c}.
_ENVIRONMENT = re.compile(r"\\(?:begin|end|BEGIN|END)\s*\{[^{}]*\}(?:\s*\{[lcrpLCRP|@.\d\s]*\})?")
# \frac12 is 1/2, not 12.
_SHORT_FRACTION = re.compile(r"\\[dtc]?frac\s*(\d)\s*(\d)", re.IGNORECASE)
# 12\,000 and 12{,}000: the separator between a digit and exactly three more.
_DIGIT_GROUP = re.compile(r"(?:\\[,!;: ](?<=\d\\.)|\{,\}(?<=\d\{,\}))(?=\d{3}(?!\d))")
# A name with its star, or a backslash and any one sign.
_COMMAND = re.compile(r"\\([A-Za-z]+)\*?|\\.", re.DOTALL)


def plain(text: str) -> str:
    """The text without markup; TeX letters as Unicode, TeX function names as words, the rest of TeX gone.

    Numbers stay. Punctuation and operators stay too: `corpus.leaks.ngrams` reads past them, and settles
    Unicode form and case, which costs it next to nothing.
    """
    # Most pages have none of these signs, and looking for one is far cheaper than a substitution.
    if "&" in text:
        text = html.unescape(text)
    if "<" in text:
        text = _without_tags(text)
    if "](" in text:
        text = _LINK_TARGET.sub("]", text)
    if "\\" in text or "{,}" in text:
        text = _without_tex(text)
    return text


def _without_tags(text: str) -> str:
    text = _CALCULATOR.sub(" ", text)
    text = _COMMENT.sub(" ", text)
    text = _BLOCK_TAG.sub(" ", text)
    return _INLINE_TAG.sub("", text)


def _without_tex(text: str) -> str:
    text = _DIGIT_GROUP.sub("", text)
    text = _ENVIRONMENT.sub(" ", text)
    text = _SHORT_FRACTION.sub(r" \1 \2 ", text)
    return _COMMAND.sub(_letter_or_name, text)


def _letter_or_name(command: re.Match[str]) -> str:
    """What a command leaves: a Greek letter, a function's name, nothing; blanks around it."""
    name = (command[1] or "").lower()
    if name in _GREEK:
        return f" {_GREEK[name]} "
    if name in FUNCTIONS:
        return f" {name} "
    return "  "
