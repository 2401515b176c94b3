r"""Units of measurement: split them off an answer and compare them.

`split_unit("5 \text{ cm}^2")` is ("5", "cm^2"). Two known units of one dimension are converted (2 hours = 120
minutes); known units of different dimensions contradict each other; a missing unit contradicts nothing, because
the question usually names it.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

from eval.grading.normalise.numbers import Number

# For each dimension the names of its units, and each unit's size in the dimension's base unit (exact fractions).
# Months and years are a dimension apart from days: no factor between them is exact.
_TABLE: dict[str, dict[str, str]] = {
    "length": {
        "mm millimeter millimetre 毫米": "1/1000", "cm centimeter centimetre 厘米": "1/100",
        "dm decimeter decimetre 分米": "1/10", "m meter metre 米": "1", "km kilometer kilometre 千米 公里": "1000",
        "in inch inches": "254/10000", "ft foot feet": "3048/10000", "yd yard": "9144/10000",
        "mi mile": "1609344/1000", "里": "500", "nm": "1/1000000000",
    },
    "mass": {
        "mg milligram 毫克": "1/1000000", "g gram 克": "1/1000", "kg kilogram 千克 公斤": "1", "t ton tonne 吨": "1000",
        "oz ounce": "28349523125/1000000000000", "lb lbs pound": "45359237/100000000", "斤": "1/2",
    },
    "time": {
        "s sec second 秒 秒钟": "1", "min minute 分 分钟": "60", "h hr hour 时 小时 个小时": "3600",
        "day 天 日": "86400", "week 周 星期 个星期": "604800", "ms millisecond": "1/1000",
    },
    "months": {"month 月 个月": "1", "year 年": "12"},
    "dollars": {"dollar usd buck 美元": "1", "cent ¢ 美分": "1/100"},
    "yuan": {"yuan rmb ¥ 元 块 人民币 圆 块钱 元钱": "1", "角": "1/10", "分钱": "1/100"},
    "euros": {"euro eur € 欧元": "1"}, "yen": {"yen jpy 円 日元": "1"}, "won": {"won krw 원 韩元": "1"},
    "pounds sterling": {"£ gbp": "1"}, "rupees": {"rs rupee inr": "1"},
    "length^3": {
        "ml milliliter millilitre 毫升": "1/1000000", "l liter litre 升": "1/1000",
        "gallon gal": "3785411784/1000000000000",
        "quart qt": "946352946/1000000000000", "pint": "473176473/1000000000000", "cup": "2365882365/10000000000000",
    },
    "angle": {"degree deg 度": "1"},
    "temperature": {"°c celsius 摄氏度": "1"}, "fahrenheit": {"°f fahrenheit": "1"},
    "square": {"squareunit sq.unit unit^2 平方单位": "1"}, "unit": {"unit 单位": "1"},
    "energy": {"j joule": "1", "kj": "1000", "cal": "4184/1000", "kcal": "4184"},
    "electron volts": {"ev": "1", "kev": "1000", "mev": "1000000", "gev": "1000000000"},
    "resistance": {"ohm": "1"}, "charge": {"coulomb": "1"}, "kelvin": {"k kelvin": "1"},
    "force": {"n newton": "1"}, "power": {"w watt": "1", "kw": "1000"},
    "voltage": {"v volt": "1"}, "current": {"a amp ampere": "1"}, "frequency": {"hz": "1", "khz": "1000"},
    "pressure": {"pa": "1", "kpa": "1000"}, "amount": {"mol mole": "1"}, "data": {"byte": "1", "mb": "1000000"},
}  # fmt: skip
# Words that raise the unit behind them to a power.
_POWERS = {"square": 2, "sq": 2, "cubic": 3, "cu": 3, "平方": 2, "立方": 3}
_ABBREVIATIONS = {"mph": "mile/hour", "kph": "km/hour"}


@dataclass(frozen=True, slots=True)
class _Unit:
    """What a unit measures, and its size in the dimension's base unit."""

    dimension: str
    factor: Fraction

    def __truediv__(self, other: "_Unit") -> "_Unit":
        return _Unit(f"{self.dimension}/{other.dimension}", self.factor / other.factor)

    def __pow__(self, power: int) -> "_Unit":
        return self if power == 1 else _Unit(f"{self.dimension}^{power}", self.factor**power)


_KNOWN: dict[str, _Unit] = {
    name: _Unit(dimension, Fraction(factor))
    for dimension, rows in _TABLE.items()
    for names, factor in rows.items()
    for name in names.split()
}

# Letters that are a unit only behind a digit and a blank: "5 m", never the variable of "5m".
_SINGLE = frozenset(["m", "g", "s", "h", "t", "l", "n", "j", "w", "v", "a", "c", "k"])

# Signs in front of an amount, the longer before those that they begin with.
_CURRENCY_BEFORE = {
    "US\\$": "dollar", "US$": "dollar", "\\$": "dollar", "$": "dollar", "¥": "yuan", "€": "euro", "£": "£",
    "₹": "rs", "USD ": "dollar", "Rs. ": "rs", "Rs ": "rs",
}  # fmt: skip
_CURRENCY_AFTER = {"$": "dollar", "€": "euro", "£": "£", "¥": "yuan"}

# Chinese units and counters, with up to six characters behind them (5个苹果, 3元/千克).
_CHINESE_UNIT = (
    r"(?:平方|立方)?(?:千米|分钱|厘米|毫米|分米|公里|米|公斤|千克|毫克|克|吨|斤|小时|分钟|秒钟|秒|天|年|个月|月|円|欧元|日元|韩元|元钱|块钱|元|美元|升|毫升|度|角|"
    r"个星期|星期|周|[个只条本人张支枝件辆次名位颗箱台棵把块页盒袋束杯瓶朵头包套种道岁层排组份间座根面段步圈片筐篮篇队])"
    r"[一-鿿]{0,6}(?:/[一-鿿]{1,3})?"
)
_TAIL = re.compile(
    r"(?P<value>.*?[\d)}\]a-zA-Z%万亿千百十零一二三四五六七八九])\s*(?P<unit>"
    # \text{cm}^2, \circ, \text{km}/\text{h}
    r"(?:\\text\{[^{}\d]*(?:\^[23][^{}\d]*){0,2}\}|\\circ)(?:\s*\^\s*\{?[23]\}?)?(?:\s*/\s*\\text\{[^{}\d]*\}(?:\s*\^\s*\{?[23]\}?)?)?"
    # ^{\circ}\text{C}, and the Chinese ones
    rf"|\^\s*\{{?\\circ\s*\}}?\s*(?:\\text\{{\s*[CF]?\s*\}}|[CF](?![a-z]))?|{_CHINESE_UNIT}"
    # plain words: cm^2, sq. m, miles per hour
    r"|(?:(?<=[\d)}%])|(?<=\s))[A-Za-zµ¢À-ɏͰ-࿿]+(?:\.[a-z]+)*\.?(?:\s*\^\s*\{?[23]\}?)?"
    r"(?:(?:\s*/\s*|\s+)[A-Za-z'’-]+(?:\s*\^\s*\{?[23]\}?)?)*)\.?",
    re.S,
)
_LONGEST_WITH_UNIT = 400  # characters: the pattern is not linear

# Words that make what stands behind a number something other than a unit.
_NOT_UNITS = frozenset(
    "and or to pi sqrt sin cos tan log ln exp oo inf infinity x y z i e if for all mod in no not times over "
    "divided plus minus million billion trillion thousand hundred dozen half percent base is are am pm between than "
    "where remainder because since so but except both either only each from".split()
)


_BRACKETED_UNIT = re.compile(r"([-\d.,/]*\d)\s*\(([A-Za-z ]{1,30}(?:\^?[23])?|[一-鿿]{1,4})\)")
_TIMES_AS = re.compile(r"times as (?:many|much|large|big|long|old|fast)\b")
_SCALE_WORD = re.compile(r"(thousand|million|billion|trillion|hundred|dozen)\s+(?=\S)")
# m s^-2: a division by a negative power
_NEGATIVE_POWER = re.compile(r"^([a-z]+)(?:\s*\\?cdot)?\s+([a-z]+)\^\{?-([12])\}?$")


def split_unit(text: str) -> tuple[str, str | None]:
    """(value, unit) of a cleaned answer; the unit is None when there is none. Text is never lost but as a unit."""
    bracketed = _BRACKETED_UNIT.fullmatch(text) if text.endswith(")") else None
    if bracketed and (_lookup(bracketed[2].lower()) or not text.isascii()):  # 5 (cm), 9 (个)
        return bracketed[1], bracketed[2].lower()

    text, unit = _split_currency(text)
    if unit is None and text[-1:] in _CURRENCY_AFTER:
        return text.rstrip("$€£¥\\ "), _CURRENCY_AFTER[text[-1]]

    match = _TAIL.fullmatch(text) if len(text) <= _LONGEST_WITH_UNIT else None
    if match is None:
        return text, unit

    value, words = match["value"], _plain_words(match["unit"])
    scale = _SCALE_WORD.match(words)
    if scale:  # 3 million dollars
        return f"{value.rstrip()} {scale[1]}", unit or words[scale.end() :]

    separator = text[len(value)]
    if not words or not _acceptable(words, value, match["unit"], separator):
        return text, unit
    return value.rstrip(), words if unit is None else unit


def _split_currency(text: str) -> tuple[str, str | None]:
    """(text without a currency sign in front, the currency); the minus of -$5 stays."""
    for sign, currency in _CURRENCY_BEFORE.items():
        if text.startswith(sign):
            return text[len(sign) :].lstrip(), currency
        if text.startswith("-" + sign):
            return "-" + text[len(sign) + 1 :].lstrip(), currency
    return text, None


def _plain_words(unit: str) -> str:
    """A unit in lower case without markup: "\\text{ cm}^{2}" as "cm^2", "^\\circ C" as "°c"."""
    if "circ" in unit:
        letter = re.search(r"[CF](?![a-z])", unit.replace("\\circ", ""))
        return f"°{letter.group().lower()}" if letter else "degree"

    unit = re.sub(r"\\text\{([^{}]*)\}", r" \1 ", unit)
    unit = re.sub(r"\bdegrees? (?=celsius|fahrenheit)", "", unit, flags=re.I)
    unit = re.sub(r"\s*\^\s*\{?([23])\}?", r"^\1", unit)
    return re.sub(r"\s+", " ", unit).strip(" .~,").lower()


def _acceptable(words: str, value: str, raw: str, separator: str) -> bool:
    """Whether what stands behind a value is a unit and no part of a formula or sentence.

    `words`: the unit in plain words; `raw`: as written; `separator`: the character between value and unit.
    """
    if words in ("times", "time") or _TIMES_AS.match(words):
        return True
    if words != "in" and any(word in _NOT_UNITS for word in re.findall(r"[a-z]+", words)):
        return False

    # Marked as text, or Chinese: no variable is written like this.
    if "text" in raw or "circ" in raw or not words.isascii():
        return bool(value)

    known = _lookup(words) is not None
    if value[-1].isalpha() and not known:
        return False

    behind_digit_and_blank = separator.isspace() and value[-1:].isdigit()
    first = re.split(r"[\s/]", words)[0]
    name = first.split("^")[0]
    if name in _SINGLE:
        return behind_digit_and_blank
    if len(name) == 1:
        return False
    if known:
        return True

    # An unknown word ("5 apples", "3 of them"), if it is too long for a product of variables.
    return behind_digit_and_blank and (len(first) > 2 or (first == "of" and " " in words))


def _lookup(unit: str) -> _Unit | None:
    """A unit by its name in plain words ("square meters", "km/h", "m s^-2"), or None when it is not known."""
    unit = re.sub(r"^(?:us|u s)\s+", "", unit)  # US dollars
    unit = _ABBREVIATIONS.get(unit, unit)
    unit = _NEGATIVE_POWER.sub(_divided, unit)

    if unit not in _KNOWN:
        ratio = re.fullmatch(r"(.+?)\s*(?:/| per )\s*(.+)", unit)
        if ratio:
            above, below = _lookup(ratio[1]), _lookup(ratio[2])
            return above / below if above and below else None

    power = 1
    for word, exponent in _POWERS.items():
        begins = unit.startswith(word) and not unit[len(word) :][:1].isascii()
        begins = begins or unit.startswith((f"{word} ", f"{word}."))
        if begins and unit not in _KNOWN:
            unit = unit[len(word) :].lstrip(" .")
            power = exponent

    caret = re.fullmatch(r"(.+)\^([23])", unit)
    if caret:
        unit, power = caret[1].strip(), int(caret[2])

    for name in (unit, unit.removesuffix("s"), unit.removesuffix("es")):
        if name in _KNOWN:
            return _KNOWN[name] ** power
    return None


def _divided(match: re.Match[str]) -> str:
    """m s^-2 as m/s^2"""
    squared = "^2" if match[3] == "2" else ""
    return f"{match[1]}/{match[2]}{squared}"


# What may be a unit behind a number in a sentence: \text{cm}^2, up to three words, or up to four Chinese characters.
_FOLLOWING = re.compile(
    r"\$?(?:\\[,;:) ]|[~ ])*"
    r"(?:\\(?:text|mathrm|mbox|textrm|rm)\s*\{\s*(?P<text>[^{}\d$]{1,40}?)\s*\}(?P<power>\s*\^\s*\{?[23]\}?)?"
    r"|(?P<words>(?:[A-Za-z]{1,14}(?:\s?\^\s?\{?[23]\}?|[²³])?(?:\s?/\s?[A-Za-z]{1,8})?[ ]?){1,3})"
    r"|(?P<chinese>[一-鿿]{1,4}))"
)


def unit_following(text: str, position: int) -> str:
    """The known unit that stands behind a number in a sentence ("5 km.", "$5$ square meters"), else ""."""
    match = _FOLLOWING.match(text, position)
    if match is None:
        return ""

    if match["chinese"]:
        characters = match["chinese"]
        for length in (4, 3, 2, 1):
            if _lookup(characters[:length]):
                return characters[:length]
        return ""

    if match["text"]:
        power = match["power"] or ""
        known = _lookup(_plain_words(match["text"] + power))
        return " \\text{" + match["text"] + "}" + power if known else ""

    # The longest run of words that is a unit.
    words = match["words"].split()
    for count in range(len(words), 0, -1):
        unit = " ".join(words[:count])
        spelled = unit.replace("²", "^2").replace("³", "^3")
        if _lookup(_plain_words(spelled)) is None:
            continue

        if len(unit) == 1 or unit == "in":
            ends = count == len(words) and re.match(r"\s*(?:[.,;$)\\]|$)", text[match.end() :])
            if not ends:
                return ""  # "5 in total", "5 a day"
        return " " + spelled

    return ""


# One part of "1 hour 30 minutes": a value and its unit.
_PIECE = re.compile(
    r"(\d+(?:\.\d+)?)\s*(?:\\text\{\s*)?([A-Za-z]+|[一-鿿]{1,3}?)\.?\s*(?:and\b)?\s*\}?\s*(?:,|and\b)?\s*(?=\d|$)"
)
_LONGEST_COMPOUND = 80


def compound(text: str) -> tuple[Number, str] | None:
    """A quantity in several units of one dimension: 2米5厘米, 1 hour 30 minutes, 5 feet 6 inches; in the first unit."""
    if len(text) > _LONGEST_COMPOUND or not text[:1].isdigit():
        return None

    names: list[str] = []
    units: list[_Unit] = []
    total = Fraction(0)
    position = 0

    while position < len(text):
        piece = _PIECE.match(text, position)
        if piece is None:
            return None
        name = piece[2].lower()
        unit = _lookup(name)
        if unit is None:
            return None

        # Each unit is smaller than the one before and of the same kind: 5 feet 6 inches.
        if units and (unit.dimension != units[0].dimension or unit.factor >= units[-1].factor):
            return None

        names.append(name)
        units.append(unit)
        total += Fraction(piece[1]) * unit.factor
        position = piece.end()

    if len(units) < 2:
        return None
    return Number(total / units[0].factor), names[0]


def conversion(gold: str | None, other: str | None) -> Fraction | None:
    """Factor from the other's unit to the gold's; 1 where either is missing; None where they contradict."""
    if gold is None or other is None or gold == other:
        return Fraction(1)

    known_gold, known_other = _lookup(gold), _lookup(other)
    if known_gold and known_other:
        same_dimension = known_gold.dimension == known_other.dimension
        return known_other.factor / known_gold.factor if same_dimension else None
    if known_gold or known_other:
        return None

    # Two unknown units are equal up to a plural, and in Chinese up to what follows (个, 个苹果).
    first, second = _stem(gold), _stem(other)
    longer_in_chinese = not first.isascii() and (
        first.startswith(second) or second.startswith(first)
    )
    return Fraction(1) if first == second or longer_in_chinese else None


def _stem(unit: str) -> str:
    return re.sub(r"(?:es|s)$", "", unit.split()[0])
