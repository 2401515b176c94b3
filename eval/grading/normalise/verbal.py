"""Answers in words: numbers ("twenty-one", "three quarters"), times of day, yes and no, and set phrases.

Everything is a table or a bounded regular expression; what is not recognised is None.
"""

import re
from fractions import Fraction

_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_SMALL = {word: value for value, word in enumerate(_UNITS)}
_TENS = {
    word: 10 * value
    for value, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)
}
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_PARTS = {
    "half": 2, "halves": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8,
    "ninth": 9, "tenth": 10, "twelfth": 12, "hundredth": 100, "thousandth": 1000,
}  # fmt: skip
_PHRASES = {
    "all real numbers": r"\mathbb{R}", "all reals": r"\mathbb{R}", "any real number": r"\mathbb{R}",
    "all real x": r"\mathbb{R}", "all real values": r"\mathbb{R}", "the set of all real numbers": r"\mathbb{R}",
    "全体实数": r"\mathbb{R}", "所有实数": r"\mathbb{R}", "任意实数": r"\mathbb{R}", "实数集": r"\mathbb{R}",
    "empty set": r"\emptyset", "the empty set": r"\emptyset", "空集": r"\emptyset",
    "null set": r"\emptyset",
}  # fmt: skip
_EXCEPT = re.compile(
    r"(?:all|any) real (?:numbers?|values?)(?: of [a-z])? (?:except|other than|but|not equal to)(?: for)? (.{1,40})",
    re.I,
)
_SYNONYMS = {
    "是": "yes", "对": "yes", "正确": "yes", "√": "yes", "否": "no", "错": "no", "错误": "no", "不是": "no", "×": "no",
    "无解": "no solution", "no solutions": "no solution", "no real solution": "no solution", "none": "no solution",
    "no real solutions": "no solution", "无实数解": "no solution", "there is no solution": "no solution",
    "dne": "does not exist", "不存在": "does not exist", "undefined": "does not exist",
    "doesn't exist": "does not exist", "infinite": "infinitely many", "infinite solutions": "infinitely many",
    "infinitely many solutions": "infinitely many",
    "是的": "yes", "对的": "yes", "不对": "no", "方程无解": "no solution", "方程组无解": "no solution",
    "不等式无解": "no solution", "无实根": "no solution", "无实数根": "no solution", "没有实数根": "no solution",
    "无数个": "infinitely many", "无穷多": "infinitely many", "无数": "infinitely many", "correct": "yes",
    "incorrect": "no",
}  # fmt: skip
_DECIDED = frozenset(["yes", "no", "true", "false"])
_OPPOSITES = {"yes": {"no", "not"}, "no": {"yes"}, "true": {"false", "not"}, "false": {"true"}}
_GOES_ON = frozenset("it they he she we this that the there because since as so".split())
_TIME = re.compile(r"(\d{1,2})(?:\s*:\s*(\d{2}))?\s*(?:(a|p)\.?\s?m\b\.?)?", re.I)
_SHAPE = re.compile(r"(triangle|angle)\s+([A-Z]{1,4})", re.I)
_CLOCK = re.compile(r"(?<!\d)(\d{1,2})\s*[时点]\s*(\d{2})\s*分")
_ORDINAL = re.compile(r"(\d+)(?:st|nd|rd|th)", re.I)


def as_formula(text: str) -> str:
    """A set phrase as the formula it stands for ("all real numbers except 1"); other text unchanged."""
    found = (
        r"\mathbb{R}"
        if text == "R"
        else _PHRASES.get(text.lower().strip(" ."))
        if len(text) < 40
        else None
    )
    if found:
        return found
    apart = _EXCEPT.fullmatch(text) if len(text) < 120 else None
    shape = _SHAPE.fullmatch(text) if len(text) < 20 else None
    if shape:
        return rf"\{shape[1].lower()} {shape[2]}"
    return rf"\mathbb{{R}}\setminus\{{{apart[1].replace(' and ', ', ')}\}}" if apart else text


def number_in_words(text: str) -> Fraction | None:
    """The value of "twenty-one", "two hundred and five", "three quarters", "half", "3rd"."""
    ordinal = _ORDINAL.fullmatch(text)
    if ordinal:
        return Fraction(int(ordinal[1])) if len(ordinal[1]) < 9 else None
    words = re.findall(r"[a-z]+", text.lower())
    if not words or len(words) > 16 or re.search(r"[^A-Za-z\s-]", text):
        return None
    last = words[-1].removesuffix("s") if words[-1] != "halves" else "halves"
    for count in (2, 3):  # three and a half, two and three quarters
        if len(words) > count + 1 and words[-count - 1] == "and" and last in _PARTS:
            first, part = _whole(words[: -count - 1]), number_in_words(" ".join(words[-count:]))
            return None if first is None or part is None or part >= 1 else first + part
    if last in _PARTS:
        above = [word for word in words[:-1] if word not in ("a", "an")]
        value = _whole(above) if above else 1
        return None if value is None or len(words) > 3 else Fraction(value, _PARTS[last])
    value = _whole(words[1:] if words[0] in ("a", "an") and len(words) > 1 else words)
    return None if value is None else Fraction(value)


def _whole(words: list[str]) -> int | None:
    total = group = 0
    seen = False
    for word in words:
        if word == "and" and seen:
            continue
        if word in _SMALL:
            group += _SMALL[word]
        elif word in _TENS:
            group += _TENS[word]
        elif word == "hundred":
            group = (group or 1) * 100
        elif word == "dozen":
            group = (group or 1) * 12
        elif word in _SCALES:
            total, group = total + (group or 1) * _SCALES[word], 0
        else:
            return None
        seen = True
    return total + group if seen else None


def same_words(gold: str, answer: str) -> bool | None:
    """Whether two answers in words (cleaned of markup, lower case) mean the same; None: no words to compare."""
    first, second = _SYNONYMS.get(gold, gold), _SYNONYMS.get(answer, answer)
    if first in _DECIDED and second not in _DECIDED:
        words = re.findall(r"[a-z']+", second)
        goes_on = set(words[1:2]) & _GOES_ON or (
            len(words) < 2 and not re.search(r"\?|不|非", second)
        )
        if words[:1] == [first] and goes_on and not _OPPOSITES[first] & set(words[1:]):
            return True
    if "充分" in first or "必要" in first or "充要" in first:
        return _condition(first) == _condition(second)
    if len(first) < 2 or not re.search(r"[^\W\d_]", first):
        return None
    return first == second


def _condition(text: str) -> str:
    """充分而不必要的条件 as 充分不必要."""
    text = re.sub(r"[而但既又也的且并,，]|条件", "", text)
    return {"充分必要": "充要", "必要充分": "充要", "不必要不充分": "不充分不必要"}.get(text, text)


def is_decided(text: str) -> bool:
    """Whether a gold in words is yes, no, true or false."""
    return _SYNONYMS.get(text, text) in _DECIDED


def same_names(first: str, second: str) -> bool:
    """Alice and Bob; Bob, Alice."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z ,.'-]*", first):
        return False
    lists = [
        sorted(re.split(r"\s*,\s*(?:and\s+)?|\s+and\s+", text.lower())) for text in (first, second)
    ]
    return len(lists[0]) > 1 and lists[0] == lists[1]


def same_time(gold: str, answer: str) -> bool | None:
    """7 a.m. and 7:00 AM; a missing half of the day contradicts nothing. None where either is no time of day."""
    gold, answer = _CLOCK.sub(r"\1:\2", gold), _CLOCK.sub(r"\1:\2", answer)
    if gold == answer and ":" in gold:
        return True
    first, second = _TIME.fullmatch(gold), _TIME.fullmatch(answer)
    if not first or not second or not any(match[2] or match[3] for match in (first, second)):
        return None
    if not all(
        (match[2] or match[3]) and int(match[1]) < 25 and int(match[2] or 0) < 60
        for match in (first, second)
    ):
        return None
    if not (first[3] or second[3]):
        return None  # 3:45 may be a ratio as well: eval.grading.equality.compare decides
    if any(int(match[1]) > 12 for match in (first, second)):
        return _minutes(first) == _minutes(second)  # 14:30 is 2:30 PM
    if (int(first[1]), int(first[2] or 0)) != (int(second[1]), int(second[2] or 0)):
        return False
    return not (first[3] and second[3]) or first[3].lower() == second[3].lower()


def _minutes(match: re.Match[str]) -> int:
    hour, half = int(match[1]), (match[3] or "").lower()
    hour = hour % 12 + 12 * (half == "p") if half else hour
    return 60 * hour + int(match[2] or 0)
