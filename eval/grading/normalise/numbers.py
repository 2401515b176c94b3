r"""Exact numbers: `parse_number("2\frac{1}{2}")` is Number(5/2). No floating point anywhere.

Integers, decimals, thousands separators, fractions, mixed numbers, scientific notation, percent, 万 and 亿,
Chinese numerals, "3 million". What is not a plain number is None here and goes to eval.grading.formula.parser.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

MAX_DIGITS = 1000  # of one written number; beyond it only equal strings are equal
MAX_EXPONENT = 5000


@dataclass(frozen=True, slots=True)
class Number:
    """An exact value. `decimals` is the count of digits written after the point (None: not written as a decimal),
    `digits` the count of significant digits written, `percent` whether a % was written (value already divided).
    `rounded`: an irrational value, kept to far more digits than any comparison looks at."""

    value: Fraction
    decimals: int | None = None
    digits: int = 0
    percent: bool = False
    rounded: bool = False


_PLAIN = r"(?:\d+(?:\.\d*)?|\.\d+)"
_DECIMAL = re.compile(rf"([-+]?)\s*({_PLAIN})(?:\s*e\s*([-+]?\d+))?", re.I)
_SCIENTIFIC = re.compile(
    rf"([-+]?)\s*(?:({_PLAIN})\s*(?:\\times|\\cdot|\*|x)\s*)?10\s*(?:\^|\*\*)\s*(?:\{{\s*([-+]?\s*\d+)\s*\}}|\(([-+]?\d+)\)|([-+]?\d+))"
)
_FRACTION = re.compile(
    r"([-+]?)\s*(?:(\d+)\s*(?:\+|又|and\b|\s)?\s*)?"
    r"(?:\\frac\s*(?:\{\s*([-+]?\d+)\s*\}|(\d)(?!\d*\s*\})|(\d)(?=\d$))\s*(?:\{\s*([-+]?\d+)\s*\}|\s*(\d+))"
    r"|(?:(?<![\d])|(?<=\s)|(?<=又))(\d+)\s*/\s*(\d+))"
)
_SIMPLE_FRACTION = re.compile(rf"([-+]?)\s*({_PLAIN})\s*/\s*([-+]?)\s*({_PLAIN})")
_SCALE = {
    "万": 10**4, "亿": 10**8, "万亿": 10**12, "thousand": 10**3, "million": 10**6, "billion": 10**9,
    "trillion": 10**12, "hundred": 100, "dozen": 12, "千": 10**3, "百": 100, "百万": 10**6, "千万": 10**7, "%": None,
    "percent": None, "\\%": None, "per cent": None,
}  # fmt: skip
_SCALED = re.compile(
    r"(.*?[\d.}])\s*("
    + "|".join(re.escape(k) for k in sorted(_SCALE, key=len, reverse=True))
    + ")",
    re.I,
)
_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {
    "〇": 0,
    "两": 2,
    "○": 0,
}
_CHINESE = re.compile(r"负?(?:[零〇一二两三四五六七八九十百千万亿点]+)")


def parse_number(text: str) -> Number | None:
    """The exact value of a cleaned answer that is one number, else None."""
    if len(text) > MAX_DIGITS:
        return None
    if text.isdigit() and text.isascii():
        return Number(Fraction(int(text)), None, len(text))
    if text.startswith("(") and text.endswith(")") and text.count("(") == 1:
        text = text[1:-1]
    if text.startswith("{") and text.endswith("}") and text.count("{") == 1:
        text = text[1:-1]
    text = text.strip()
    return _decimal(text) or _fraction(text) or _scientific(text) or _scaled(text) or _chinese(text)


def _decimal(text: str) -> Number | None:
    match = _DECIMAL.fullmatch(text)
    if match is None:
        return None
    sign, digits, exponent = match.groups()
    return _from_digits(sign, digits, int(exponent) if exponent and len(exponent) < 8 else exponent)


def _from_digits(sign: str, digits: str, exponent: int | str | None) -> Number | None:
    if isinstance(exponent, str) or abs(exponent or 0) > MAX_EXPONENT:
        return None
    whole, _, part = digits.partition(".")
    value = Fraction(int(whole + part or "0"), 10 ** len(part))
    significant = len((whole + part).lstrip("0")) or 1
    decimals = len(part) if part else None
    if exponent:
        value *= Fraction(10) ** exponent
        decimals = len(part) - exponent if part or exponent < 0 else None
    return Number(-value if sign == "-" else value, decimals, significant)


def _scientific(text: str) -> Number | None:
    match = _SCIENTIFIC.fullmatch(text)
    if match is None:
        return None
    sign, digits, *exponents = match.groups()
    exponent = next(e for e in exponents if e is not None).replace(" ", "")
    return _from_digits(sign, digits or "1", int(exponent) if len(exponent) < 8 else exponent)


def _fraction(text: str) -> Number | None:
    if "frac" not in text and "/" not in text:
        return None
    match = _FRACTION.fullmatch(text)
    if match is None:
        return _decimal_fraction(text)
    sign, whole, *parts = match.groups()
    above, below = (int(part) for part in parts if part is not None)
    if below == 0:
        return None
    value = Fraction(above, below)
    if whole is not None:
        if not 0 <= value < 1:  # 2 7/3 is no mixed number
            return None
        value += int(whole)
    return Number(-value if sign == "-" else value)


def _decimal_fraction(text: str) -> Number | None:
    match = _SIMPLE_FRACTION.fullmatch(text)
    if match is None:
        return None
    sign, above, sign_below, below = match.groups()
    if Fraction(below) == 0:
        return None
    value = Fraction(above) / Fraction(below)
    return Number(-value if (sign == "-") != (sign_below == "-") else value)


def _scaled(text: str) -> Number | None:
    match = _SCALED.fullmatch(text)
    base = parse_number(match[1]) if match else None
    if match is None or base is None or base.percent:
        return None
    scale = _SCALE[match[2].lower()]
    if scale is None:
        decimals = None if base.decimals is None else base.decimals + 2
        return Number(base.value / 100, decimals, base.digits, percent=True)
    decimals = None if base.decimals is None else max(base.decimals - len(str(scale)) + 1, 0)
    return Number(base.value * scale, decimals or None, base.digits)


def _chinese(text: str) -> Number | None:
    if text.isascii() or len(text) > 40:
        return None
    part = re.fullmatch(r"(负?)(?:(.+)又)?(.+)分之(.+)", text)
    if part:
        return _chinese_fraction(part)
    if not _CHINESE.fullmatch(text):
        return None
    sign, body = (-1, text[1:]) if text.startswith("负") else (1, text)
    whole, point, decimals = body.partition("点")
    value = Fraction(_chinese_integer(whole)) if whole else None
    if value is None or value < 0:
        return None
    if point:
        if not decimals or any(char not in _DIGITS for char in decimals):
            return None
        value += Fraction(
            int("".join(str(_DIGITS[char]) for char in decimals)), 10 ** len(decimals)
        )
    return Number(sign * value, len(decimals) if point else None, len(body))


def _chinese_fraction(part: re.Match[str]) -> Number | None:
    sign, whole, below, above = part.groups()
    bottom = Number(Fraction(100)) if below == "百" else parse_number(below)
    top = parse_number(above)
    first = parse_number(whole) if whole else Number(Fraction(0))
    if not bottom or not top or not first or not bottom.value:
        return None
    value = first.value + top.value / bottom.value
    return Number(-value if sign else value, percent=below == "百")


def _chinese_integer(text: str) -> int:
    """Value of a Chinese integer, -1 when the characters do not form one."""
    if all(char in _DIGITS for char in text):
        return int("".join(str(_DIGITS[char]) for char in text))
    total = section = digit = 0
    for char in text:
        if char in _DIGITS:
            digit = _DIGITS[char]
        elif char in "十百千":
            unit = {"十": 10, "百": 100, "千": 1000}[char]
            section += (digit or (1 if char == "十" else 0)) * unit
            digit = 0
        else:
            total = (total + section + digit) * (10**4 if char == "万" else 10**8)
            section = digit = 0
    return total + section + digit


def same_number(gold: Number, other: Number, tolerance: Fraction | None = None) -> bool:
    """Whether `other` is the gold's number.

    Exact, except: a gold written as a decimal with three or more significant digits accepts what rounds to it; a
    gold that has no finite decimal accepts its own correct rounding to six or more significant digits; the noise
    of double precision is forgiven. A factor of 100 is accepted only where a % was written.
    """
    if _close(gold, other, tolerance):
        return True
    if gold.percent != other.percent:
        # "What percent?" is answered by 50 as well as by 50 %; a gold below 1 is not meant as a percentage.
        shown = gold if gold.percent else other
        bare = Number(
            shown.value * 100, None if shown.decimals is None else shown.decimals - 2, shown.digits
        )
        if gold.percent:
            return _close(bare, other, tolerance)
        return abs(gold.value) >= 1 and _close(gold, bare, tolerance)
    return False


def _close(gold: Number, other: Number, tolerance: Fraction | None) -> bool:
    difference = abs(gold.value - other.value)
    if difference == 0:
        return True
    if tolerance is not None:
        return difference <= tolerance * abs(gold.value)
    if gold.value == 0:
        return False
    noisy = any(side.decimals is not None and 15 <= side.digits <= 18 for side in (gold, other))
    if (
        noisy
        and difference <= abs(gold.value) / 10**13
        and (gold.value.denominator > 1 or abs(gold.value) < 2**53)
    ):
        return True
    if gold.decimals is not None and (gold.decimals >= 2 or gold.decimals < 0) and gold.digits >= 3:
        finer = other.decimals is None or other.decimals > gold.decimals
        return finer and difference <= Fraction(1, 2) / Fraction(10) ** gold.decimals
    if (
        gold.decimals is not None
        and gold.decimals >= 2
        and gold.digits == 2
        and other.decimals is None
    ):
        # 0.33 for a third, but not for 0.334: two digits are too few to tell neighbouring decimals apart
        endless = other.rounded or not _terminates(other.value.denominator)
        return endless and difference <= Fraction(1, 2) / Fraction(10) ** gold.decimals
    endless = gold.rounded or not _terminates(gold.value.denominator)
    if gold.decimals is None and endless and other.decimals is not None and other.digits >= 6:
        return difference <= Fraction(1, 2) / Fraction(10) ** other.decimals
    return False


def _terminates(denominator: int) -> bool:
    for prime in (2, 5):
        while denominator % prime == 0:
            denominator //= prime
    return denominator == 1
