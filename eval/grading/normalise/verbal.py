"""Answers in words: numbers ("twenty-one", "three quarters"), times of day, yes and no, and set phrases.

Everything is a table or a bounded regular expression; what is not recognised is None.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

_BELOW_TWENTY = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_SMALL = {word: value for value, word in enumerate(_BELOW_TWENTY)}
_TENS = {
    word: 10 * value
    for value, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)
}
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_PARTS = {
    "half": 2, "halves": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8,
    "ninth": 9, "tenth": 10, "twelfth": 12, "hundredth": 100, "thousandth": 1000,
}  # fmt: skip
# Set phrases, and the formula that each stands for.
_PHRASES = {
    "all real numbers": r"\mathbb{R}", "all reals": r"\mathbb{R}", "any real number": r"\mathbb{R}",
    "all real x": r"\mathbb{R}", "all real values": r"\mathbb{R}", "the set of all real numbers": r"\mathbb{R}",
    "全体实数": r"\mathbb{R}", "所有实数": r"\mathbb{R}", "任意实数": r"\mathbb{R}", "实数集": r"\mathbb{R}",
    "empty set": r"\emptyset", "the empty set": r"\emptyset", "空集": r"\emptyset",
    "null set": r"\emptyset", "positive infinity": r"\infty", "negative infinity": r"-\infty",
    "diverges to infinity": r"\infty", "diverges to negative infinity": r"-\infty",
}  # fmt: skip
_SIGNED_REALS = re.compile(
    r"(?:the )?(?:set of )?(?:all )?(?:the )?(positive|negative|non-?negative|non-?positive) real(?:s|(?: numbers?)?)"
)
_SIGNED_SETS = {
    "positive": r"(0,\infty)", "negative": r"(-\infty,0)",
    "nonnegative": r"[0,\infty)", "nonpositive": r"(-\infty,0]",
}  # fmt: skip
_LONGEST_PHRASE = 40  # characters
_EXCEPT = re.compile(
    r"(?:all|any) real (?:numbers?|values?)(?: of [a-z])? (?:except|other than|but|not equal to)(?: for)? (.{1,40})",
    re.I,
)
_LONGEST_EXCEPTION = 120
_SHAPE = re.compile(r"(triangle|angle)\s+([A-Z]{1,4})", re.I)  # triangle ABC
_LONGEST_SHAPE = 20

_ORDINAL = re.compile(r"(\d+)(?:st|nd|rd|th)", re.I)
_LONGEST_ORDINAL = 8  # digits
_MOST_WORDS = 16  # of a number in words

# Many ways to say one thing, each mapped to the one that is compared.
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
# Words behind a verdict that take it back: "true, but not for x = 0".
_OPPOSITES = {"yes": {"no", "not"}, "no": {"yes"}, "true": {"false", "not"}, "false": {"true"}}
# Words that begin an explanation behind the verdict: "yes, because …", "no, it is …".
_GOES_ON = frozenset("it they he she we this that the there because since as so".split())

_TIME = re.compile(r"(\d{1,2})(?:\s*:\s*(\d{2}))?\s*(?:(a|p)\.?\s?m\b\.?)?", re.I)
_CHINESE_TIME = re.compile(r"(?<!\d)(\d{1,2})\s*[时点]\s*(\d{2})\s*分")


def as_formula(text: str) -> str:
    """A set phrase as the formula it stands for ("all real numbers except 1"); other text unchanged."""
    if text == "R":
        return r"\mathbb{R}"
    if len(text) < _LONGEST_PHRASE:
        formula = _PHRASES.get(text.lower().strip(" ."))
        if formula:
            return formula
        signed = _SIGNED_REALS.fullmatch(text.lower().strip(" ."))
        if signed:
            return _SIGNED_SETS[signed[1].replace("-", "")]

    if len(text) < _LONGEST_SHAPE:
        shape = _SHAPE.fullmatch(text)
        if shape:
            return rf"\{shape[1].lower()} {shape[2]}"

    if len(text) < _LONGEST_EXCEPTION:
        exception = _EXCEPT.fullmatch(text)
        if exception:
            excluded = exception[1].replace(" and ", ", ")
            return rf"\mathbb{{R}}\setminus\{{{excluded}\}}"

    return text


def number_in_words(text: str) -> Fraction | None:
    """The value of "twenty-one", "two hundred and five", "three quarters", "half", "3rd"."""
    ordinal = _ORDINAL.fullmatch(text)
    if ordinal:
        return Fraction(int(ordinal[1])) if len(ordinal[1]) <= _LONGEST_ORDINAL else None

    words = re.findall(r"[a-z]+", text.lower())
    if words[:1] in (["negative"], ["minus"]):
        positive = number_in_words(text.strip()[len(words[0]) :])
        return None if positive is None else -positive
    if not words or len(words) > _MOST_WORDS or re.search(r"[^A-Za-z\s-]", text):
        return None

    last = words[-1] if words[-1] == "halves" else words[-1].removesuffix("s")
    if last not in _PARTS:
        if words[0] in ("a", "an") and len(words) > 1:
            words = words[1:]
        whole = _whole(words)
        return None if whole is None else Fraction(whole)

    # A mixed number, whose part is the last two or three words: three and a half, two and three quarters
    for count in (2, 3):
        if len(words) > count + 1 and words[-count - 1] == "and":
            whole = _whole(words[: -count - 1])
            part = number_in_words(" ".join(words[-count:]))
            if whole is None or part is None or part >= 1:
                return None
            return whole + part

    # A fraction: half, a half, three quarters
    counted = [word for word in words[:-1] if word not in ("a", "an")]
    numerator = _whole(counted) if counted else 1
    if numerator is None or len(words) > 3:
        return None
    return Fraction(numerator, _PARTS[last])


def _whole(words: list[str]) -> int | None:
    """The value of a whole number in words; None where a word is none of its own."""
    # `group` is what stands before the next thousand or million.
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
            total += (group or 1) * _SCALES[word]
            group = 0
        else:
            return None
        seen = True

    return total + group if seen else None


def same_words(gold: str, answer: str) -> bool | None:
    """Whether two answers in words (cleaned of markup, lower case) mean the same; None: no words to compare."""
    first, second = _SYNONYMS.get(gold, gold), _SYNONYMS.get(answer, answer)

    if first in _DECIDED and second not in _DECIDED and _begins_with_verdict(second, first):
        return True
    if "充分" in first or "必要" in first or "充要" in first:
        return _condition(first) == _condition(second)

    has_letters = re.search(r"[^\W\d_]", first)
    if len(first) < 2 or not has_letters:
        return None
    return first == second


def _begins_with_verdict(text: str, verdict: str) -> bool:
    """Whether a text opens with yes, no, true or false and explains it without taking it back."""
    words = re.findall(r"[a-z']+", text)
    if words[:1] != [verdict] or _OPPOSITES[verdict] & set(words[1:]):
        return False
    if len(words) == 1:
        return not re.search(r"\?|不|非", text)
    return words[1] in _GOES_ON


def _condition(text: str) -> str:
    """充分而不必要的条件 as 充分不必要: sufficient, necessary, both or neither."""
    text = re.sub(r"[而但既又也的且并,，]|条件", "", text)
    return {"充分必要": "充要", "必要充分": "充要", "不必要不充分": "不充分不必要"}.get(text, text)


def is_decided(text: str) -> bool:
    """Whether a gold in words is yes, no, true or false."""
    return _SYNONYMS.get(text, text) in _DECIDED


def same_names(first: str, second: str) -> bool:
    """Whether two lists hold the same names in any order: "Alice and Bob"; "Bob, Alice"."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z ,.'-]*", first):
        return False
    names = _names(first)
    return len(names) > 1 and names == _names(second)


def _names(text: str) -> list[str]:
    return sorted(re.split(r"\s*,\s*(?:and\s+)?|\s+and\s+", text.lower()))


def same_time(gold: str, answer: str) -> bool | None:
    """7 a.m. and 7:00 AM; a missing half of the day contradicts nothing. None where either is no time of day."""
    gold = _CHINESE_TIME.sub(r"\1:\2", gold)
    answer = _CHINESE_TIME.sub(r"\1:\2", answer)
    if gold == answer and ":" in gold:
        return True

    first, second = _time_of_day(gold), _time_of_day(answer)
    if first is None or second is None:
        return None
    if not first.half and not second.half:
        return None  # 3:45 may be a ratio as well: eval.grading.equality.compare decides

    if first.hour > 12 or second.hour > 12:
        return first.minute_of_day() == second.minute_of_day()  # 14:30 is 2:30 PM
    if (first.hour, first.minute) != (second.hour, second.minute):
        return False
    return not first.half or not second.half or first.half == second.half


@dataclass(frozen=True, slots=True)
class _Time:
    """A time of day as written; `half` is "a", "p" or, where neither is written, empty."""

    hour: int
    minute: int
    half: str

    def minute_of_day(self) -> int:
        hour = self.hour
        if self.half:
            hour = hour % 12 + (12 if self.half == "p" else 0)
        return 60 * hour + self.minute


def _time_of_day(text: str) -> _Time | None:
    """The time that a text is; a bare "7" is none."""
    match = _TIME.fullmatch(text)
    if match is None or not (match[2] or match[3]):
        return None

    hour, minute = int(match[1]), int(match[2] or 0)
    if hour > 24 or minute > 59:
        return None
    return _Time(hour, minute, (match[3] or "").lower())


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
