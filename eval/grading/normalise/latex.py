r"""One spelling for the many ways to write the same answer: `clean(text)`.

Full-width characters, Unicode mathematics (½, √, ≤, ①, x²), dollar signs and other delimiters, `\text` and its
relatives, thousands separators, closing punctuation. The result is still LaTeX; what it means is decided by
eval.grading.normalise.numbers (exact numbers) and eval.grading.formula.parser (everything else).
"""

import re
import unicodedata
from functools import lru_cache

from eval.grading.normalise.verbal import as_formula

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ", "0123456789+-n")
_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_VULGAR_FRACTIONS = {
    "½": "1/2", "⅓": "1/3", "⅔": "2/3", "¼": "1/4", "¾": "3/4", "⅕": "1/5", "⅖": "2/5", "⅗": "3/5", "⅘": "4/5",
    "⅙": "1/6", "⅚": "5/6", "⅛": "1/8", "⅜": "3/8", "⅝": "5/8", "⅞": "7/8", "⅐": "1/7", "⅑": "1/9", "⅒": "1/10",
}  # fmt: skip
_SYMBOLS = {
    "∞": r"\infty ", "π": r"\pi ", "×": r"\times ", "·": r"\cdot ", "⋅": r"\cdot ", "∙": r"\cdot ", "÷": r"\div ",
    "±": r"\pm ", "∓": r"\mp ", "≤": r"\le ", "≥": r"\ge ", "≦": r"\le ", "≧": r"\ge ", "⩽": r"\le ", "⩾": r"\ge ",
    "≠": r"\ne ", "≈": r"\approx ", "∪": r"\cup ", "∩": r"\cap ", "∈": r"\in ", "∅": r"\emptyset ", "Ø": r"\emptyset ",
    "ℝ": r"\mathbb{R}", "ℤ": r"\mathbb{Z}", "ℕ": r"\mathbb{N}", "ℚ": r"\mathbb{Q}", "ℂ": r"\mathbb{C}",
    "√": r"\sqrt ", "∛": r"\sqrt[3]", "°": r"^\circ ", "℃": r"^\circ \text{C}", "∠": r"\angle ", "△": r"\triangle ",
    "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "﹣": "-", "－": "-", "⁄": "/", "∕": "/", "：": ":", "∶": ":",
    "，": ", ", "、": ", ", "；": "; ", "。": ".", "।": ".",
    "（": "(", "）": ")", "【": "[", "】": "]", "｛": r"\{", "｝": r"\}",
    "〈": r"\langle ", "〉": r"\rangle ", "⟨": r"\langle ", "⟩": r"\rangle ", "′": "'", "″": "''", "’": "'", "‘": "'",
    "“": '"', "”": '"', "∣": r"\mid ", "∖": r"\setminus ", "θ": r"\theta ", "α": r"\alpha ", "β": r"\beta ",
    "γ": r"\gamma ", "λ": r"\lambda ", "μ": r"\mu ", "φ": r"\phi ", "ω": r"\omega ", "ρ": r"\rho ", "σ": r"\sigma ",
    "Δ": r"\Delta ", "δ": r"\delta ", "￥": "¥",
}  # fmt: skip
_CIRCLED = {chr(0x2460 + n): rf"\textcircled{{{n + 1}}}" for n in range(20)}
_TRANSLATION = str.maketrans(_SYMBOLS | _CIRCLED)
_VULGAR_FRACTION = re.compile(rf"((?<=\d)\s*)?([{''.join(_VULGAR_FRACTIONS)}])")
_OTHER_SEPARATORS = {"．": ".", "٫": ".", "٬": ","}
_OTHER_SEPARATOR = re.compile(r"(?<=\d)[．٫٬](?=\d)")
_OTHER_DIGITS = re.compile(r"[^\x00-\x7f\D]")  # Bengali, Thai, Arabic, full-width …
_ROOT = re.compile(r"√\s*(?:\(([^()]*)\)|([\d.]*\d|[A-Za-z]))")
_INVISIBLE = dict.fromkeys(
    map(ord, "\0\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u202a\u202c\u202d\u202e")
)

# What may stand around or before an answer

_WRAPPERS = (
    ("$$", "$$"),
    ("$", "$"),
    ("\\(", "\\)"),
    ("\\[", "\\]"),
    ("**", "**"),
    ("`", "`"),
    ('"', '"'),
)
_LEADING = re.compile(
    r"^(?:\s|[=-]+>|[→⇒➔]|=|:|\\(?:approx|simeq|thickapprox|colon|implies|Rightarrow|therefore)(?![A-Za-z])|≈|~|\\ "
    r"|(?:approximately|approx\.?|about|around|roughly)(?![A-Za-z]))+",
    re.I,
)
# 一共 12 (12 in all), 大约 5 (about 5)
_CHINESE_LEADING = re.compile(
    r"^(?:一共|总共|共计|合计|共有|共需|共|大约|约)(?:是|为|有|需要?)?\s*(?=[-\d\\$零一二两三四五六七八九十百])"
)

# Markup that changes nothing

_FONTS = r"text(?:bf|it|rm|sf|tt|normal|up)?|mbox|hbox|mathrm|mathsf|mathit|mathbf|boldsymbol|bm|operatorname\*?|rm|bf"
_TEXT = re.compile(rf"\\(?:{_FONTS})\s*\{{([^{{}}]*)\}}")
_TEXT_ONLY = re.compile(  # \text{5 cm}, \text{x = 3}
    r"^\\text\s*\{\s*(-?[\d(][^{}\\$]*|[a-zA-Z]\s*=[^{}\\$]*)\}$"
)
_SINGLE_LETTER = re.compile(r"\\text\{\s*([a-zA-Z])\s*\}")
_DROPPED = re.compile(
    r"\\(?:displaystyle|textstyle|scriptstyle|limits|nolimits|strut|rm|bf|it)(?![A-Za-z])"
    r"|\\(?:left|right|[bB]igg?[lrm]?)(?![A-Za-z])\s*\.?(?=[^\d]|$)"
)
_SPACES = re.compile(
    r"\\(?:quad|qquad|enspace|thinspace|,|;|:|>|~| |!)|~|[\t\n\r\xa0\u2000-\u200b\u202f\u3000]"
)
_WIDE_BLANK = re.compile(
    r"(?<=[\w})])\s*(?:\\q?quad\s*)+(?=(?:[A-Za-z]|\\[a-z]+)(?:_\{?\w+\}?)?\s*=)"
)
_APPROXIMATELY = re.compile(r"(?<=[\w})])\s+~\s*(?=[-\d])")  # 2\sqrt{3} ~ 3.46
_NAMED_BRACKETS = (
    (re.compile(r"\\lbrace(?![A-Za-z])"), r"\\{"),
    (re.compile(r"\\rbrace(?![A-Za-z])"), r"\\}"),
    (re.compile(r"\\lbrack(?![A-Za-z])"), "["),
    (re.compile(r"\\rbrack(?![A-Za-z])"), "]"),
    (re.compile(r"\\(?:lparen|lgroup)(?![A-Za-z])"), "("),
    (re.compile(r"\\(?:rparen|rgroup)(?![A-Za-z])"), ")"),
    (re.compile(r"\\(?:[lr]?Vert|Arrowvert)(?![A-Za-z])"), r"\\|"),
)
_NAMED_BRACKET = re.compile(r"\\(?:[lr]br|[lr]paren|[lr]group|[lr]?Vert|Arrowvert)")
_BOXED = re.compile(r"\\(?:boxed|fbox|displaystyle|mathop)\s*\{((?:[^{}]|\{[^{}]*\})*)\}")

# Ways to write a set, a vector or a condition

_POSITIVE_REALS = re.compile(r"\\mathbb\s*\{?\s*R\s*\}?\s*[\^_]\s*(?:\{\s*(?:\+|>\s*0)\s*\}|\+)")
_NOT_NEGATIVE = re.compile(
    r"\\mathbb\s*\{?\s*R\s*\}?\s*_\s*\{?\s*(?:\\geq?|\+)\s*0?\s*\}?(?:\s*\^\s*\{?\+\}?)?$"
)
_UNIT_VECTOR = re.compile(
    r"\\(?:mathbf|boldsymbol|bm|hat|widehat|vec|overrightarrow)\s*\{?\s*(?:\\(?:mathbf|boldsymbol|bm|hat)\s*\{?\s*)?"
    r"\\?([ijk])(?:math)?(?![A-Za-z])\s*\}{0,2}"
)
_CONDITION = re.compile(  # x = 2k\pi (k \in \mathbb{Z})
    r"\s*\(\s*([a-zA-Z]\s*(?:\\n?eq?|\\[gl]eq?|[<>])(?![a-z])[^()]{1,30}|[a-zA-Z]\s*\\in\s*(?:\\mathbb\s*)?\{?\s*[ZNRQ]\s*\}?(?:\s*[\^_]\s*\{?[+*]\}?)?)\s*\)$"
)
_OUTWARD = re.compile(
    r"([\[\](])([^\[\]()]*[,;][^\[\]()]*)([\[\])])"
)  # ]1, 2[, the French open interval
_COMPLEX = re.compile(r"((?:^|[-+ ])\d+(?:\.\d+)?)j$")  # Python's 3+2j
# Relations in words and what re.sub puts there; the longer words first, since they hold the shorter.
_RELATION_WORDS = (
    ("大于或等于", r"\\ge "), ("大于等于", r"\\ge "), ("不小于", r"\\ge "),
    ("小于或等于", r"\\le "), ("小于等于", r"\\le "), ("不大于", r"\\le "), ("不超过", r"\\le "),
    ("不等于", r"\\ne "), ("大于", ">"), ("小于", "<"), ("等于", "="),
)  # fmt: skip

# Numbers and quantities

_GROUPED = re.compile(
    r"(?<![\d.])(\d{1,3})((?:(?:\{,\}|\\[,!;: ]|,\\!|,)\d{3})+)(?![\d])"
)  # 1,234,567
_SPACED = re.compile(r"-?\d{1,3}(?: \d{3})+(?:\.\d+)?")  # 1 234 567
# Repeating decimals, with bounded digits since their fractions are built: 0.1\overline{6}, 0.\dot{3}; 0.(3); 0.333...
_REPEATING = re.compile(
    r"(?<![\d.])(\d{1,15})\.(\d{0,30})(?:\\(?:overline|bar)\s*\{?(\d{1,30})\}?|((?:\\dot\s*\{?\d\}?\d{0,20}){1,2}))"
)
_IN_BRACKETS = re.compile(r"-?(\d{1,15})\.(\d{0,30})\((\d{1,30})\)")
_DOTTED = re.compile(r"-?(\d{1,15})\.(\d{0,30}?)(\d{1,12}?)(\3{1,30})(?:\.{3}|…|\s*\\[lc]?dots)")
_UNIT_FRACTION = re.compile(  # \frac{\text{km}}{\text{h}}
    r"\\[dt]?frac\s*\{\s*\\(?:text|mathrm)\{\s*([a-z ]+)\}\s*\}\s*\{\s*\\(?:text|mathrm)\{\s*([a-z ]+)\}\s*\}"
)
_EQUAL_IN_WORDS = re.compile(r"(?<![A-Za-z\\])([A-Za-z]) (?:is equal to|equals) (?=[-\d\\])")
_CONDITIONAL = re.compile(
    r"^P\s*\(([^()|]{1,20})\|([^()|]{1,20})\)"
)  # P(A|B): its bar is no absolute value
_RATIO_IN_WORDS = re.compile(r"^(\d+(?:\.\d+)?) ?(?: to |\\text\{\s*to\s*\}) ?(\d+(?:\.\d+)?)$")
_INCHES = re.compile(r"^(\d+(?:\.\d+)?)\s*(?:\"|'')$")  # 6"
_FEET = re.compile(r"^(\d+)'\s*(\d+(?:\.\d+)?)\s*(?:\"|'')$")  # 5'6"
_UNIT_IN_BRACES = re.compile(r"(?<=\d)\s*\{([A-Za-z ]+)\}$")  # 48{grams}


@lru_cache(maxsize=65536)
def clean(text: str) -> str:
    """Return the answer in the one spelling that the rest of the grader reads. Idempotent, linear in length.

    The tests in front of the substitutions are for speed: most answers need none of them.
    """
    text = text.strip()
    if text.isascii() and text.isdigit():
        return text

    # Dots that go on must be read before closing punctuation is dropped.
    if text.endswith(("...", "dots", "…")):
        text = _continued(text)

    if not text.isascii() or "\0" in text:
        text = _plain_unicode(text.translate(_INVISIBLE)).strip()
        text = _CHINESE_LEADING.sub("", text)
        if "于" in text or "不超过" in text:
            text = _with_relations(text)

    if text.endswith(("'", '"')) and text[:1].isdigit():
        text = _INCHES.sub(r"\1 inches", text)
        text = _FEET.sub(r"\1 feet \2 inches", text)

    # A text that is nothing but delimiters stays as it is.
    text = _LEADING.sub("", _unwrapped(text)) or text

    if "\\" in text or "~" in text or "{,}" in text:
        text = _plain_latex(text)
    if "{" in text or "}" in text:
        text = _mended_braces(text)

    text = _plain_number(text)
    text = re.sub(r"\s+", " ", text).strip()

    if not text[:1].isdigit():
        text = as_formula(text)
    return text if text.endswith("\\") else text.rstrip(".,;: ").strip()


def plain_digits(text: str) -> str:
    """Digits of other scripts, full-width ones and vulgar fractions in plain ones: ４２ as 42, 2½ as 2 1/2."""
    text = _OTHER_DIGITS.sub(lambda digit: str(unicodedata.decimal(digit.group())), text)
    text = _OTHER_SEPARATOR.sub(lambda match: _OTHER_SEPARATORS[match.group()], text)
    return _VULGAR_FRACTION.sub(_as_plain_fraction, text)


def _as_plain_fraction(match: re.Match[str]) -> str:
    """½ as 1/2; behind a digit with a blank, as in the mixed number 2 1/2."""
    behind_digit = match[1] is not None
    return (" " if behind_digit else "") + _VULGAR_FRACTIONS[match[2]]


def _plain_unicode(text: str) -> str:
    """Unicode mathematics as LaTeX: ½, x², √2, ≤, ①, full-width characters, digits of other scripts."""
    text = plain_digits(text)

    text = re.sub(
        r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ]+", lambda run: "^{" + run.group().translate(_SUPERSCRIPTS) + "}", text
    )
    text = re.sub(
        r"[₀₁₂₃₄₅₆₇₈₉]+", lambda run: "_{" + run.group().translate(_SUBSCRIPTS) + "}", text
    )
    text = _ROOT.sub(lambda match: f"\\sqrt{{{match[1] or match[2]}}}", text)

    # Wide punctuation first: compatibility normalisation would turn ① into 1 and ： into a bare colon.
    return unicodedata.normalize("NFKC", text.translate(_TRANSLATION)).translate(_TRANSLATION)


def _with_relations(text: str) -> str:
    """x大于等于3 as x ≥ 3, where a name stands before the word and a number or name behind it."""
    for word, sign in _RELATION_WORDS:
        text = re.sub(rf"(?<=[A-Za-z\d}})])\s*{word}\s*(?=[-\dA-Za-z\\(])", f" {sign}", text)
    return text


def _unwrapped(text: str) -> str:
    """Drop delimiters, quotation marks and closing punctuation around an answer, however they are nested."""
    changed = True
    while changed:
        changed = False

        for left, right in _WRAPPERS:
            if _is_wrapped(text, left, right):
                text = text[len(left) : -len(right)].strip()
                changed = True

        closed = text.endswith((". ", ".", ",", ";")) and not text.endswith("\\;")
        if closed:
            stripped = text.rstrip(" .,;")
            if not stripped.endswith("\\"):
                text = stripped
                changed = True

    if "$" in text:
        text = _without_dollars(text)
    return text.replace("\\(", " ").replace("\\)", " ").strip()


def _is_wrapped(text: str, left: str, right: str) -> bool:
    """Whether one pair of delimiters stands around all of a text: not so in "$5$ or $6$"."""
    if len(text) < len(left) + len(right):
        return False
    if not text.startswith(left) or not text.endswith(right):
        return False

    inner = text[len(left) : -len(right)]
    if left in ("\\(", "\\["):
        return left not in inner or left[-1] not in inner.replace("\\$", "")
    return left[-1] not in inner.replace("\\$", "")


def _without_dollars(text: str) -> str:
    """Drop the dollar signs that delimit formulas ("$5$ or $6$"); those of money ("$5, $6") stay."""
    parts = re.split(r"(?<!\\)\$", text)
    formulas = parts[1::2]
    paired = len(parts) % 2 == 1
    if paired and all(part and part == part.strip(" ,;") for part in formulas):
        return " ".join(parts).strip()
    return text


def _plain_latex(text: str) -> str:
    """LaTeX without what only concerns its looks, and with one command for each meaning."""
    # Plain TeX's {a \over b}
    if "\\choose" in text or "\\over" in text:
        text = re.sub(r"\{([^{}]*?)\\choose(?![a-z])([^{}]*)\}", r"\\binom{\1}{\2}", text)
        text = re.sub(r"\{([^{}]*?)\\over(?![a-z])([^{}]*)\}", r"\\frac{\1}{\2}", text)

    if _NAMED_BRACKET.search(text):
        for pattern, bracket in _NAMED_BRACKETS:
            text = pattern.sub(bracket, text)

    # Backslashes that were escaped twice; in a matrix or system they end a row.
    if "\\\\" in text and "\\begin" not in text:
        text = re.sub(r"\\\\(?=[A-Za-z{}])", r"\\", text)
    text = text.rstrip("\\ ")

    # Columns of aligned equations say nothing.
    if "&=" in text or "& =" in text:
        text = text.replace("&=", "=").replace("& =", "=")

    # The brace of a system of equations is never closed.
    if "\\begin" in text and text.count("\\{") > text.count("\\}"):
        text = re.sub(r"\\(?:left\s*\\)?\{\s*(?=\\begin)", "", text)

    # Sets, units and conditions. These come before fonts are made \text, because they tell \mathbf{R} from \text{R}.
    if "\\Omega" in text:
        text = re.sub(r"(?<=\d)\s*\\Omega(?![A-Za-z])", r" \\text{ohm}", text)
    text = _POSITIVE_REALS.sub(r"(0,\\infty)", text)
    text = _NOT_NEGATIVE.sub(r"[0,\\infty)", text)
    text = _UNIT_FRACTION.sub(r"\\text{\1/\2}", text)
    text = _CONDITION.sub(r", \1", text)
    if text.startswith("\\text") and text.endswith("}"):
        text = _TEXT_ONLY.sub(r"\1", text)
    text = re.sub(r"\\text\s*\{\s*percent\s*\}", r"\\%", text)
    text = _UNIT_VECTOR.sub(r"\\vec{\1}", text)
    text = re.sub(r"\\(?:mathbf|bf|rm|mathrm)\s*\{?\s*R\}?$", r"\\mathbb{R}", text)

    # Variants of one command
    text = re.sub(r"\\[dtc]frac(?![A-Za-z])", r"\\frac", text)
    text = re.sub(r"\\[dt]binom(?![A-Za-z])", r"\\binom", text)
    text = _BOXED.sub(r"\1", text)

    # Separators of thousands. Elsewhere {,} is the decimal comma: 3{,}14.
    text = re.sub(r"\\!\s*", "", text)
    text = _GROUPED.sub(_ungrouped, text)
    if re.search(r"\d\{,\}\d", text):
        text = text.replace("{,}", ".")

    # x = 3 \quad y = 4: a wide blank between two equations separates them.
    if "quad" in text and text.count("=") > 1:
        text = _WIDE_BLANK.sub(", ", text)
    text = _APPROXIMATELY.sub(r" \\approx ", text)

    # Text, sizes and blanks
    text = _TEXT.sub(r"\\text{\1}", text)
    if re.search(r"\\text\{\s*[ie]\s*\}", text):  # the constants i and e
        text = _SINGLE_LETTER.sub(r" \1", text)
    text = _DROPPED.sub(" ", text)
    return _drop_spacing(text)


def _drop_spacing(text: str) -> str:
    r"""Replace spacing commands by blanks, minding that `\\,` is a row's end and a comma."""
    rows = text.split("\\\\")
    spaced = [_SPACES.sub(lambda match: "" if match[0] == "\\!" else " ", row) for row in rows]
    return "\\\\".join(spaced)


def _mended_braces(text: str) -> str:
    """Braces that an answer lost where it was cut out of its text."""
    text = re.sub(r"\{\s*\}\s*(?=[\^_])", "", text)  # {}^5C_2
    text = _closed(text)
    if text.startswith("boxed{") and text.endswith("}"):
        text = text[len("boxed{") : -1]

    # {x | x > 0} is a set
    in_braces = text[:1] == "{" and text[-1:] == "}"
    if in_braces and ("|" in text or "\\mid" in text):
        text = "\\" + text[:-1] + "\\}"
    return text


def _closed(text: str) -> str:
    """Close up to three braces that an answer leaves open; drop as many that it closes without opening them."""
    braces = re.findall(r"\\[{}]|[{}]", text)
    missing = braces.count("{") - braces.count("}")
    if 0 < missing <= 3:
        return text + "}" * missing

    while -3 <= missing < 0 and text.endswith("}") and not text.endswith("\\}"):
        text = text[:-1].rstrip()
        missing += 1
    return text


def _plain_number(text: str) -> str:
    """One way to write numbers, ratios, degrees and intervals."""
    text = _without_separators(text)
    if " equal" in text:
        text = _EQUAL_IN_WORDS.sub(r"\1 = ", text)

    if "|" in text and text.startswith("P"):
        text = _CONDITIONAL.sub(r"P(\1, \2)", text)
    if text[:1] == "]" or text[-1:] == "[":
        text = _OUTWARD.sub(_open_interval, text)
    if "." in text:
        text = _repeating(text)
    if text[:1] in "mMnN":
        text = re.sub(r"^(?:minus|negative)\s+(?=[\d\\])", "-", text, flags=re.I)
    if " out of " in text:
        text = re.sub(r"^(\d+) out of (\d+)$", r"\1/\2", text)
    if " to " in text:
        text = _RATIO_IN_WORDS.sub(r"\1:\2", text)
    if "^" in text:  # 90^o
        text = re.sub(r"(?<=\d)\s*\^\s*\{?o\}?(?![A-Za-z])", r"^\\circ ", text)
    if text.endswith("j"):
        text = _COMPLEX.sub(r"\1i", text)
    if text.endswith("}"):
        text = _UNIT_IN_BRACES.sub(r" \\text{\1}", text)
    return text


def _without_separators(text: str) -> str:
    """1,234,567 → 1234567 outside brackets (inside them a comma separates elements)."""
    if " " in text and _SPACED.fullmatch(text):
        return text.replace(" ", "")
    if "," not in text or "(" in text or "[" in text or "\\{" in text or text.startswith("{"):
        return text
    return _GROUPED.sub(_ungrouped, text)


def _ungrouped(match: re.Match[str]) -> str:
    return match[1] + re.sub(r"\D", "", match[2])


def _open_interval(match: re.Match[str]) -> str:
    """]1, 2[ as (1, 2)"""
    left = "(" if match[1] == "]" else "["
    right = ")" if match[3] == "[" else "]"
    return f"{left}{match[2]}{right}"


def _repeating(text: str) -> str:
    """Repeating decimals as fractions: 0.1\\overline{6}, 0.\\dot{3}, 0.(3)."""
    if "\\" in text and _REPEATING.search(text):
        return _REPEATING.sub(lambda m: _as_fraction(m[1], m[2], m[3] or m[4]), text)

    bracketed = _IN_BRACKETS.fullmatch(text) if text.endswith(")") else None
    if bracketed:
        sign = "-" if text[0] == "-" else ""
        return sign + _as_fraction(bracketed[1], bracketed[2], bracketed[3])
    return text


def _continued(text: str) -> str:
    """0.333... is one third; other decimals that go on lose their dots only."""
    dotted = _DOTTED.fullmatch(text)
    if dotted and len(dotted[3] + dotted[4]) >= 3:
        sign = "-" if text[0] == "-" else ""
        return sign + _as_fraction(dotted[1], dotted[2], dotted[3])
    return text


def _as_fraction(whole: str, start: str, period: str) -> str:
    """The fraction of a repeating decimal, from the digits before the point, before the period, and of the period."""
    period = "".join(char for char in period if char.isdigit())
    numerator = int(whole + start + period) - int(whole + start)
    denominator = 10 ** len(start) * (10 ** len(period) - 1)
    return f"\\frac{{{numerator}}}{{{denominator}}}"


def squeezed(text: str) -> str:
    """For comparing as strings: no blanks but those between two digits."""
    return re.sub(r"(?<!\d)\s+|\s+(?!\d)", "", text)


def as_words(text: str) -> str:
    r"""For comparing as words: no case, markup, articles or punctuation at the ends."""
    text = re.sub(r"\\text\{([^{}]*)\}", r"\1", text)
    text = re.sub(r"\\[A-Za-z]+|[{}$*_\"'`]", " ", text).lower()

    # Times, days and ordinals: 7 p.m., on Monday, 3rd
    text = re.sub(r"\b([ap])\.\s?m\b\.?", r"\1m", text)
    text = re.sub(r"^\s*on\s+(?=(?:mon|tues|wednes|thurs|fri|satur|sun)day)", "", text)
    text = re.sub(r"(?<=\d)(?:st|nd|rd|th)\b", "", text)

    # 第二象限 and 二象限 are 二 (the second quadrant)
    text = text.strip()
    text = re.sub(r"^第(?=[一二三四][、,和与一二三四 ]*象限$)", "", text)
    text = re.sub(r"(?<=[一二三四])象限$", "", text)

    text = re.sub(r"^\s*(?:the|a|an)\s+", "", text)
    text = re.sub(r"(?<=[a-z])-(?=[a-z])|[.,;:!?]+(?=\s|$)", " ", text)
    text = re.sub(r"\s+", " ", text).strip(" .,;:!?")

    if text.startswith("(") and text.endswith(")") and text.count("(") == 1:
        text = text[1:-1]
    return re.sub(r"(?<=\d) (?=[ap]m\b)", "", text).strip()
