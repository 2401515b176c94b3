r"""Exact numbers: `parse_number("2\frac{1}{2}")` is Number(5/2). No floating point anywhere.

Integers, decimals, thousands separators, fractions, mixed numbers, scientific notation, percent, 万 and 亿,
Chinese numerals, "3 million". What is not a plain number is None here and goes to eval.grading.formula.parser.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

# Bounds that keep exact arithmetic cheap whatever an answer says ("10^999999999").
MAX_DIGITS = 1000  # of one written number; beyond it only equal strings are equal
MAX_EXPONENT = 5000
_EXPONENT_LENGTH = 8  # characters; a longer exponent is not even converted

# How far double precision goes: a value printed with 15 to 18 digits is right to about 13.
_DOUBLE_DIGITS = range(15, 19)
_DOUBLE_NOISE = 10**13
_EXACT_DOUBLES = 2**53  # integers up to here have no rounding


@dataclass(frozen=True, slots=True)
class Number:
    """An exact value, and how it was written, which decides what counts as equal to it."""

    value: Fraction
    decimals: int | None = None  # digits written after the point; None: not written as a decimal
    digits: int = 0  # significant digits written
    percent: bool = False  # whether a % was written; the value is already divided by 100
    rounded: bool = False  # irrational, kept to far more digits than any comparison looks at


_PLAIN = r"(?:\d+(?:\.\d*)?|\.\d+)"
_DECIMAL = re.compile(rf"([-+]?)\s*({_PLAIN})(?:\s*e\s*([-+]?\d+))?", re.I)

# 2 \times 10^{-3}, 2*10**3, 10^5: sign, factor, and the exponent in one of three forms
_SCIENTIFIC = re.compile(
    rf"([-+]?)\s*(?:({_PLAIN})\s*(?:\\times|\\cdot|\*|x)\s*)?10\s*(?:\^|\*\*)\s*"
    r"(?:\{\s*([-+]?\s*\d+)\s*\}|\(([-+]?\d+)\)|([-+]?\d+))"
)

# Sign, the whole part of a mixed number (2 1/2, 2+1/2, 2又1/2), and the two parts of the fraction in one of several
# forms: \frac{1}{2}, \frac12, \frac1{12}, 1/2.
_FRACTION = re.compile(
    r"([-+]?)\s*(?:(\d+)\s*(?:\+|又|and\b|\s)?\s*)?"
    r"(?:\\frac\s*(?:\{\s*([-+]?\d+)\s*\}|(\d)(?!\d*\s*\})|(\d)(?=\d$))\s*(?:\{\s*([-+]?\d+)\s*\}|\s*(\d+))"
    r"|(?:(?<![\d])|(?<=\s)|(?<=又))(\d+)\s*/\s*(\d+))"
)
_SIMPLE_FRACTION = re.compile(rf"([-+]?)\s*({_PLAIN})\s*/\s*([-+]?)\s*({_PLAIN})")

# Factors behind a number. Percent divides and is remembered, so it has no factor here.
_SCALE = {
    "万": 10**4, "亿": 10**8, "万亿": 10**12, "thousand": 10**3, "million": 10**6, "billion": 10**9,
    "trillion": 10**12, "hundred": 100, "dozen": 12, "千": 10**3, "百": 100, "百万": 10**6, "千万": 10**7, "%": None,
    "percent": None, "\\%": None, "per cent": None,
}  # fmt: skip
_SCALE_NAMES = "|".join(re.escape(name) for name in sorted(_SCALE, key=len, reverse=True))
_SCALED = re.compile(rf"(.*?[\d.}}])\s*({_SCALE_NAMES})", re.I)

_DIGITS = {
    **{char: value for value, char in enumerate("零一二三四五六七八九")},
    "〇": 0,
    "两": 2,
    "○": 0,
}
_TENS = {"十": 10, "百": 100, "千": 1000}
_CHINESE = re.compile(r"负?(?:[零〇一二两三四五六七八九十百千万亿点]+)")
_CHINESE_FRACTION = re.compile(r"(负?)(?:(.+)又)?(.+)分之(.+)")  # 三又二分之一 is 3 1/2
_LONGEST_CHINESE = 40


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
    return _from_digits(sign, digits, exponent or "0")


def _scientific(text: str) -> Number | None:
    match = _SCIENTIFIC.fullmatch(text)
    if match is None:
        return None
    sign, digits, *forms = match.groups()
    exponent = next(form for form in forms if form is not None)
    return _from_digits(sign, digits or "1", exponent.replace(" ", ""))


def _from_digits(sign: str, digits: str, written_exponent: str) -> Number | None:
    """The number of a sign, digits with at most one point, and an exponent of ten; None beyond MAX_EXPONENT."""
    if len(written_exponent) >= _EXPONENT_LENGTH:
        return None
    exponent = int(written_exponent)
    if abs(exponent) > MAX_EXPONENT:
        return None

    whole, _, part = digits.partition(".")
    value = Fraction(int(whole + part or "0"), 10 ** len(part))
    significant = len((whole + part).lstrip("0")) or 1
    decimals = len(part) if part else None

    if exponent:
        value *= Fraction(10) ** exponent
        decimals = len(part) - exponent if part or exponent < 0 else None

    return Number(-value if sign == "-" else value, decimals, significant)


def _fraction(text: str) -> Number | None:
    if "frac" not in text and "/" not in text:
        return None
    match = _FRACTION.fullmatch(text)
    if match is None:
        return _decimal_fraction(text)

    sign, whole, *forms = match.groups()
    numerator, denominator = (int(part) for part in forms if part is not None)
    if denominator == 0:
        return None

    value = Fraction(numerator, denominator)
    if whole is not None:
        if not 0 <= value < 1:  # 2 7/3 is no mixed number
            return None
        value += int(whole)
    return Number(-value if sign == "-" else value)


def _decimal_fraction(text: str) -> Number | None:
    """1.5/-2 and the like."""
    match = _SIMPLE_FRACTION.fullmatch(text)
    if match is None:
        return None

    sign, numerator, sign_below, denominator = match.groups()
    if Fraction(denominator) == 0:
        return None
    value = Fraction(numerator) / Fraction(denominator)
    return Number(-value if (sign == "-") != (sign_below == "-") else value)


def _scaled(text: str) -> Number | None:
    """A number with a word or sign behind it that scales it: 3 million, 2.5万, 50 %."""
    match = _SCALED.fullmatch(text)
    if match is None:
        return None
    base = parse_number(match[1])
    if base is None or base.percent:
        return None

    scale = _SCALE[match[2].lower()]
    if scale is None:
        decimals = None if base.decimals is None else base.decimals + 2
        return Number(base.value / 100, decimals, base.digits, percent=True)

    zeros = len(str(scale)) - 1
    decimals = None if base.decimals is None else max(base.decimals - zeros, 0)
    return Number(base.value * scale, decimals or None, base.digits)


def _chinese(text: str) -> Number | None:
    """二十一, 负三点五, 四分之三, 一万二千."""
    if text.isascii() or len(text) > _LONGEST_CHINESE:
        return None
    fraction = _CHINESE_FRACTION.fullmatch(text)
    if fraction:
        return _chinese_fraction(fraction)
    if not _CHINESE.fullmatch(text):
        return None

    negative = text.startswith("负")
    body = text.removeprefix("负")
    whole, point, decimals = body.partition("点")

    value = _chinese_integer(whole) if whole else None
    if value is None:
        return None
    if not point:
        return Number(Fraction(-value if negative else value), None, len(body))

    if not decimals or any(char not in _DIGITS for char in decimals):
        return None
    exact = value + Fraction(_digit_by_digit(decimals), 10 ** len(decimals))
    return Number(-exact if negative else exact, len(decimals), len(body))


def _chinese_fraction(match: re.Match[str]) -> Number | None:
    sign, whole, below, above = match.groups()
    denominator = Number(Fraction(100)) if below == "百" else parse_number(below)  # 百分之: percent
    numerator = parse_number(above)
    first = parse_number(whole) if whole else Number(Fraction(0))
    if not denominator or not numerator or not first or not denominator.value:
        return None

    value = first.value + numerator.value / denominator.value
    return Number(-value if sign else value, percent=below == "百")


def _digit_by_digit(text: str) -> int:
    return int("".join(str(_DIGITS[char]) for char in text))


def _chinese_integer(text: str) -> int:
    """Value of a Chinese integer, read digit by digit (二〇二四) or by its tens, hundreds and myriads."""
    if all(char in _DIGITS for char in text):
        return _digit_by_digit(text)

    # `section` is what stands before the next 万 or 亿: numbers are grouped by four digits.
    total = section = digit = 0
    for char in text:
        if char in _DIGITS:
            digit = _DIGITS[char]
        elif char in _TENS:
            # 十二 is 12: a ten needs no one before it.
            implied = 1 if char == "十" else 0
            section += (digit or implied) * _TENS[char]
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

    `tolerance`: accepted relative error, for measured quantities; it takes the place of the rules of rounding.
    """
    if _close(gold, other, tolerance):
        return True
    if gold.percent == other.percent:
        return False

    # "What percent?" is answered by 50 as well as by 50 %; a gold below 1 is not meant as a percentage.
    if gold.percent:
        return _close(_without_percent(gold), other, tolerance)
    return abs(gold.value) >= 1 and _close(gold, _without_percent(other), tolerance)


def _without_percent(number: Number) -> Number:
    """50 % as 50."""
    decimals = None if number.decimals is None else number.decimals - 2
    return Number(number.value * 100, decimals, number.digits)


def _close(gold: Number, other: Number, tolerance: Fraction | None) -> bool:
    difference = abs(gold.value - other.value)
    if difference == 0:
        return True
    if tolerance is not None:
        return difference <= tolerance * abs(gold.value)
    if gold.value == 0:
        return False

    if _is_float_noise(gold, other, difference):
        return True

    # The gold is a rounded decimal: what is known more finely may round to it.
    if gold.decimals is not None:
        at_least_hundredths = gold.decimals >= 2
        scaled_up = gold.decimals < 0  # 1.23e5
        if (at_least_hundredths or scaled_up) and gold.digits >= 3:
            finer = other.decimals is None or other.decimals > gold.decimals
            return finer and difference <= _half_of_last_place(gold.decimals)

        if at_least_hundredths and gold.digits == 2 and other.decimals is None:
            # 0.33 for a third, but not for 0.334: two digits are too few to tell neighbouring decimals apart
            return _is_endless(other) and difference <= _half_of_last_place(gold.decimals)
        return False

    # The gold has no finite decimal: its rounding is accepted.
    if other.decimals is not None and other.digits >= 6 and _is_endless(gold):
        return difference <= _half_of_last_place(other.decimals)
    return False


def _is_float_noise(gold: Number, other: Number, difference: Fraction) -> bool:
    """Whether the difference is what a calculation in double precision leaves: 0.30000000000000004 for 0.3."""
    noisy = any(
        side.decimals is not None and side.digits in _DOUBLE_DIGITS for side in (gold, other)
    )
    if not noisy or difference > abs(gold.value) / _DOUBLE_NOISE:
        return False
    return gold.value.denominator > 1 or abs(gold.value) < _EXACT_DOUBLES


def _half_of_last_place(decimals: int) -> Fraction:
    """The largest error of a value that was rounded to so many decimals."""
    return Fraction(1, 2) / Fraction(10) ** decimals


def _is_endless(number: Number) -> bool:
    """Whether no finite decimal is the number's exact value."""
    return number.rounded or not _terminates(number.value.denominator)


def _terminates(denominator: int) -> bool:
    for prime in (2, 5):
        while denominator % prime == 0:
            denominator //= prime
    return denominator == 1
