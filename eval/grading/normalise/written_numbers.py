"""One way to write numbers, ratios, degrees and intervals; the result is still LaTeX.

Separators of thousands, repeating decimals, inches, relations in words. What the numbers are is
decided by eval.grading.normalise.numbers.
"""

import re
from fractions import Fraction

_OUTWARD = re.compile(
    r"([\[\](])([^\[\]()]*[,;][^\[\]()]*)([\[\])])"
)  # ]1, 2[, the French open interval
_COMPLEX = re.compile(r"((?:^|[-+ ])\d+(?:\.\d+)?)j$")  # Python's 3+2j
_RELATION_WORDS = (
    ("大于或等于", r"\\ge "), ("大于等于", r"\\ge "), ("不小于", r"\\ge "),
    ("小于或等于", r"\\le "), ("小于等于", r"\\le "), ("不大于", r"\\le "), ("不超过", r"\\le "),
    ("不等于", r"\\ne "), ("大于", ">"), ("小于", "<"), ("等于", "="),
)  # fmt: skip
_GROUPED = re.compile(
    r"(?<![\d.])(\d{1,3})((?:(?:\{,\}|\\[,!;: ]|,\\!|,)\d{3})+)(?![\d])"
)  # 1,234,567
_SPACED = re.compile(r"-?\d{1,3}(?: \d{3})+(?:\.\d+)?")  # 1 234 567
_REPEATING = re.compile(
    r"(?<![\d.])(\d{1,15})\.(\d{0,30})(?:\\(?:overline|bar)\s*\{?(\d{1,30})\}?|((?:\\dot\s*\{?\d\}?\d{0,20}){1,2}))"
)
_IN_BRACKETS = re.compile(r"-?(\d{1,15})\.(\d{0,30})\((\d{1,30})\)")
_DOTTED = re.compile(r"-?(\d{1,15})\.(\d{0,30}?)(\d{1,12}?)(\3{1,30})(?:\.{3}|…|\s*\\[lc]?dots)")
_EQUAL_IN_WORDS = re.compile(r"(?<![A-Za-z\\])([A-Za-z]) (?:is equal to|equals) (?=[-\d\\])")
_CONDITIONAL = re.compile(
    r"^P\s*\(([^()|]{1,20})\|([^()|]{1,20})\)"
)  # P(A|B): its bar is no absolute value
_RATIO_IN_WORDS = re.compile(r"^(\d+(?:\.\d+)?) ?(?: to |\\text\{\s*to\s*\}) ?(\d+(?:\.\d+)?)$")
_INCHES = re.compile(r"^(\d+(?:\.\d+)?)\s*(?:\"|'')$")  # 6"
_FEET = re.compile(r"^(\d+)'\s*(\d+(?:\.\d+)?)\s*(?:\"|'')$")  # 5'6"
_MINUTES = re.compile(  # 22^\circ 30' 15''
    r"^(\d{1,4})\s*\^\s*\{?\\circ\s*\}?\s*(\d{1,2})\s*(?:'|\^\s*\{?\\prime\}?)"
    r"(?:\s*(\d{1,2})\s*(?:''|\^\s*\{?\\prime\s*\\prime\}?))?$"
)
_RADIANS = re.compile(r"\s*(?:\\text\{\s*)?\s*rad(?:ians?)?\.?\s*\}?$")
_LIST_GOES_ON = re.compile(r",\s*(?:\.{3,}|…)$")
_UNIT_IN_BRACES = re.compile(r"(?<=\d)\s*\{([A-Za-z ]+)\}$")  # 48{grams}


def plain_number(text: str) -> str:
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
    if text.endswith(("'", "prime}")) and "circ" in text:
        text = _MINUTES.sub(_in_degrees, text)
    if "^" in text:  # 90^o
        text = re.sub(r"(?<=\d)\s*\^\s*\{?o\}?(?![A-Za-z])", r"^\\circ ", text)
    if "\\pi" in text and "rad" in text:
        text = _RADIANS.sub("", text)
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
    return without_grouping(text)


def without_grouping(text: str) -> str:
    """Drop separators of thousands: 1,234,567 and 1\\,234."""
    return _GROUPED.sub(_ungrouped, text)


def feet_and_inches(text: str) -> str:
    """6" and 5'6" with their units in words."""
    text = _INCHES.sub(r"\1 inches", text)
    return _FEET.sub(r"\1 feet \2 inches", text)


def _in_degrees(match: re.Match[str]) -> str:
    """22° 30' as 45/2 degrees."""
    minutes = Fraction(int(match[2])) + Fraction(int(match[3] or 0), 60)
    degrees = int(match[1]) + minutes / 60
    return f"\\frac{{{degrees.numerator}}}{{{degrees.denominator}}}^\\circ"


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


def continued(text: str) -> str:
    """0.333... is one third; other decimals that go on lose their dots only, lists that go on keep them."""
    if _LIST_GOES_ON.search(text):
        return _LIST_GOES_ON.sub(r", \\ldots", text)
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


def with_relations(text: str) -> str:
    """x大于等于3 as x ≥ 3, where a name stands before the word and a number or name behind it."""
    if "于" not in text and "不超过" not in text:
        return text
    for word, sign in _RELATION_WORDS:
        text = re.sub(rf"(?<=[A-Za-z\d}})])\s*{word}\s*(?=[-\dA-Za-z\\(])", f" {sign}", text)
    return text
