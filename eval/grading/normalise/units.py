r"""Units of measurement: split them off an answer and compare them.

`split_unit("5 \text{ cm}^2")` is ("5", "cm^2"). Two known units of one dimension are converted (2 hours = 120
minutes); known units of different dimensions contradict each other; a missing unit contradicts nothing, because
the question usually names it.
"""

import re
from fractions import Fraction

from eval.grading.normalise.numbers import Number

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
    "euros": {"euro eur €": "1"}, "pounds sterling": {"£ gbp": "1"}, "rupees": {"rs rupee inr": "1"},
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
_WORDS = {
    "square": "2", "sq": "2", "cubic": "3", "cu": "3", "平方": "2", "立方": "3",
}  # fmt: skip
_PLAIN: dict[str, tuple[str, Fraction]] = {
    name: (dimension, Fraction(factor))
    for dimension, rows in _TABLE.items()
    for names, factor in rows.items()
    for name in names.split()
}
_SINGLE = frozenset(["m", "g", "s", "h", "t", "l", "n", "j", "w", "v", "a", "c", "k"])
CURRENCY = {
    "$": "dollar",
    "\\$": "dollar",
    "¥": "yuan",
    "€": "euro",
    "£": "£",
    "USD": "dollar",
    "US$": "dollar",
    "₹": "rs",
}
_CHINESE_UNIT = (
    r"(?:平方|立方)?(?:千米|分钱|厘米|毫米|分米|公里|米|公斤|千克|毫克|克|吨|斤|小时|分钟|秒钟|秒|天|年|个月|月|元钱|块钱|元|美元|升|毫升|度|角|"
    r"个星期|星期|周|[个只条本人张支枝件辆次名位颗箱台棵把块页盒袋束杯瓶朵头包套种道岁层排组份间座根面段步圈片筐篮篇队])"
    r"[一-鿿]{0,6}(?:/[一-鿿]{1,3})?"
)
_TAIL = re.compile(
    r"(?P<value>.*?[\d)}\]a-zA-Z%万亿千百十零一二三四五六七八九])\s*(?P<unit>"
    r"(?:\\text\{[^{}\d]*\}|\\circ)(?:\s*\^\s*\{?[23]\}?)?(?:\s*/\s*\\text\{[^{}\d]*\}(?:\s*\^\s*\{?[23]\}?)?)?"
    rf"|\^\s*\{{?\\circ\s*\}}?\s*(?:\\text\{{\s*[CF]?\s*\}}|[CF](?![a-z]))?|{_CHINESE_UNIT}"
    r"|(?:(?<=[\d)}%])|(?<=\s))[A-Za-zµ¢]+(?:\.[a-z]+)*\.?(?:\s*\^\s*\{?[23]\}?)?"
    r"(?:(?:\s*/\s*|\s+)[A-Za-z'’-]+(?:\s*\^\s*\{?[23]\}?)?)*)\.?",
    re.S,
)
_NOT_UNITS = frozenset(
    "and or to pi sqrt sin cos tan log ln exp oo inf infinity x y z i e if for all mod in no not times over "
    "divided plus minus million billion trillion thousand hundred dozen half percent base is are am pm between than "
    "where remainder because since so but except both either only each from".split()
)


def split_unit(text: str) -> tuple[str, str | None]:
    """(value, unit) of a cleaned answer; the unit is None when there is none. Text is never lost but as a unit."""
    unit = None
    for sign in ("US\\$", "US$", "\\$", "$", "¥", "€", "£", "₹", "USD ", "Rs. ", "Rs "):
        negative = text.startswith("-" + sign)
        if text.startswith(sign) or negative:
            text = ("-" if negative else "") + text[len(sign) + negative :].lstrip()
            unit = CURRENCY.get(sign.strip().replace("\\", ""), "rs")
            break
    else:
        if text.endswith(("\\$", "$", "€", "£", "¥")):
            return text.rstrip("$€£¥\\ "), CURRENCY.get(text[-1])
    match = _TAIL.fullmatch(text) if len(text) <= 400 else None
    if match is None:
        return text, unit
    words = _plain_words(match["unit"])
    value, scale = (
        match["value"],
        re.match(r"(thousand|million|billion|trillion|hundred|dozen)\s+(?=\S)", words),
    )
    if scale:
        return f"{value.rstrip()} {scale[1]}", unit or words[scale.end() :]
    if not words or not _acceptable(
        words, match["value"], match["unit"], text[len(match["value"])]
    ):
        return text, unit
    return match["value"].rstrip(), words if unit is None else unit


def _plain_words(unit: str) -> str:
    if "circ" in unit:
        letter = re.search(r"[CF](?![a-z])", unit.replace("\\circ", ""))
        return f"°{letter.group().lower()}" if letter else "degree"
    unit = re.sub(r"\\text\{([^{}]*)\}", r" \1 ", unit)
    unit = re.sub(r"\bdegrees? (?=celsius|fahrenheit)", "", unit, flags=re.I)
    unit = re.sub(r"\s*\^\s*\{?([23])\}?", r"^\1", unit)
    return re.sub(r"\s+", " ", unit).strip(" .~,").lower()


def _acceptable(words: str, value: str, raw: str, separator: str) -> bool:
    first = re.split(r"[\s/]", words)[0]
    if words in ("times", "time") or re.match(
        r"times as (?:many|much|large|big|long|old|fast)\b", words
    ):
        return True
    if words != "in" and any(word in _NOT_UNITS for word in re.findall(r"[a-z]+", words)):
        return False
    if "text" in raw or "circ" in raw or not words.isascii():
        return bool(value)
    known = _lookup(words) is not None
    if value[-1].isalpha() and not known:
        return False
    if first.split("^")[0] in _SINGLE:
        return separator.isspace() and value[-1:].isdigit()
    if len(first.split("^")[0]) == 1:
        return False
    return known or (
        separator.isspace()
        and value[-1:].isdigit()
        and (len(first) > 2 or (first == "of" and " " in words))
    )


def _divided(match: re.Match[str]) -> str:
    """m s^-2 as m/s^2"""
    return f"{match[1]}/{match[2]}" + ("^2" if match[3] == "2" else "")


def _lookup(unit: str) -> tuple[str, Fraction] | None:
    """(dimension, factor to the dimension's base unit) or None when the unit is not known."""
    unit = re.sub(r"^(?:us|u s)\s+", "", unit)
    unit = {"mph": "mile/hour", "kph": "km/hour"}.get(unit, unit)
    unit = re.sub(r"^([a-z]+)(?:\s*\\?cdot)?\s+([a-z]+)\^\{?-([12])\}?$", _divided, unit)
    per = re.fullmatch(r"(.+?)\s*(?:/| per )\s*(.+)", unit)
    if unit not in _PLAIN and per:
        above, below = _lookup(per[1]), _lookup(per[2])
        return (f"{above[0]}/{below[0]}", above[1] / below[1]) if above and below else None
    power = 1
    for word, exponent in _WORDS.items():
        if unit.startswith(word) and unit not in _PLAIN:
            unit, power = unit[len(word) :].lstrip(" ."), int(exponent)
    caret = re.fullmatch(r"(.+)\^([23])", unit)
    if caret:
        unit, power = caret[1].strip(), int(caret[2])
    found = (
        _PLAIN.get(unit)
        or _PLAIN.get(unit.removesuffix("s"))
        or _PLAIN.get(unit.removesuffix("es"))
    )
    if found is None:
        return None
    return (found[0] if power == 1 else f"{found[0]}^{power}"), found[1] ** power


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
        return next(
            (match["chinese"][:n] for n in (4, 3, 2, 1) if _lookup(match["chinese"][:n])), ""
        )
    if match["text"]:
        unit = match["text"] + (match["power"] or "")
        return (
            " \\text{" + match["text"] + "}" + (match["power"] or "")
            if _lookup(_plain_words(unit))
            else ""
        )
    words = match["words"].split()
    for count in range(len(words), 0, -1):
        unit = " ".join(words[:count])
        spelled = unit.replace("²", "^2").replace("³", "^3")
        if _lookup(_plain_words(spelled)) is None:
            continue
        ends = count == len(words) and re.match(r"\s*(?:[.,;$)\\]|$)", text[match.end() :])
        if (len(unit) == 1 or unit == "in") and not ends:
            return ""  # "5 in total", "5 a day"
        return " " + spelled
    return ""


_PIECE = re.compile(
    r"(\d+(?:\.\d+)?)\s*(?:\\text\{\s*)?([A-Za-z]+|[一-鿿]{1,3}?)\.?\s*(?:and\b)?\s*\}?\s*(?:,|and\b)?\s*(?=\d|$)"
)


def compound(text: str) -> tuple[Number, str] | None:
    """A quantity in several units of one dimension: 2米5厘米, 1 hour 30 minutes, 5 feet 6 inches; in the first unit."""
    if len(text) > 80 or not text[:1].isdigit():
        return None
    pieces, position, total = [], 0, Fraction(0)
    while position < len(text):
        match = _PIECE.match(text, position)
        known = _lookup(match[2].lower()) if match else None
        if known is None or (pieces and (known[0] != pieces[0][0] or known[1] >= pieces[-1][1])):
            return None
        pieces.append(known)
        total += Fraction(match[1]) * known[1]  # type: ignore[index]
        position = match.end()  # type: ignore[union-attr]
    if len(pieces) < 2:
        return None
    first = _PIECE.match(text)
    return Number(total / pieces[0][1]), first[2].lower()  # type: ignore[index]


def conversion(gold: str | None, other: str | None) -> Fraction | None:
    """Factor from the other's unit to the gold's; 1 where either is missing; None where they contradict."""
    if gold is None or other is None or gold == other:
        return Fraction(1)
    known_gold, known_other = _lookup(gold), _lookup(other)
    if known_gold is None or known_other is None:
        first, second = _stem(gold), _stem(other)
        same = known_gold is known_other and (
            first == second
            or (not first.isascii() and (first.startswith(second) or second.startswith(first)))
        )
        return Fraction(1) if same else None
    if known_gold[0] != known_other[0]:
        return None
    return known_other[1] / known_gold[1]


def _stem(unit: str) -> str:
    return re.sub(r"(?:es|s)$", "", unit.split()[0])
