"""The answer of a text that announces none: its last formula, number or option, by how the last sentence is built."""

import re
from itertools import islice

from eval.grading.extract.math_spans import (
    MATH,
    NUMBER,
    WORD,
    formulas_in,
    inside,
    is_prose,
    joined,
    quantity,
    result,
)

_LETTER = re.compile(
    r"\(([A-H])\)|(?:选择?|选项|[Oo]ption|[Cc]hoice|[Cc]hoose|[Pp]ick|[Ss]elect)\s*(?:is|should be|是|为)?"
    r"(?:\s+therefore)?\s*[:：]?\s*\(?([A-H])(?![A-Za-z'])|(?:\b(?:is|be|therefore)\s+)([A-H])\s*\.?\s*$|^[^\w\n]*([A-H])[^\w\n]*$"
    r"|\b([A-H])\s+(?:matches|is (?:the )?(?:correct|right|best))|\bso\s+([A-H])\s*\.?\s*$",
    re.M,
)
_DENIED = re.compile(r"\b(?:not|neither|nor|except)\b|不", re.I)
_LEAD_IN = re.compile(
    r"(?:(?:so|thus|therefore|hence|then|and|finally|overall|we (?:get|have|find|obtain)|which (?:gives|means|is))\b"
    r"[,:]?\s*"
    r"|(?:即|所以|因此|于是|故|综上(?:所述)?)[,，:：]?\s*)+",
    re.I,
)
_SEVERAL = re.compile(
    r"\b(?:solutions|answers|results|roots|values|zeros)\s+(?:are|is|:)\s*:?\s*"
    r"([^.\n]{1,80}?(?:,| and | or )[^.\n]{1,40}?)\.?\s*$",
    re.I,
)
_EITHER = re.compile(
    r"\b(?:is|are|be)\s+(?:either|both)\s+([^.\n]{1,60}?(?:,| and | or )[^.\n]{1,40}?)\.?\s*$|"
    r"(?:是|为|等于)\s*[:：]?\s*([(\[（【{][^一-鿿。；\n]{1,80}[)\]）】}])\s*[。.]?\s*$|"
    r"(?:是|为|等于)\s*(负?[零一二两三四五六七八九十百千万亿点分之又]+)\s*[。.]?\s*$|"
    r"\b(?:is|are|equals)\s+(?:at\s+)?"
    r"(\([^()\n]{1,40}\)|(?:[-\d.]*\s?(?:√|sqrt|π|pi\b))[^A-Za-z\n]{0,30}|\d+\s(?:to|out of)\s\d+)\.?\s*$|"
    r"(?<!\d)\s(?:is|are)\s+(true|false|correct|incorrect|possible|impossible)\.?\s*$",
    re.I,
)
_NEGATED = re.compile(
    r"(?:\bnot|n't|\bnever|\bcannot|不是|不等于|不为)\s*(?:be\s+|equal\s+(?:to\s+)?)?$", re.I
)
_ASIDE = re.compile(
    r"\b(?:after|divided by|for|from|of|per|within|over|choose|choosing|select|with|every|each)\s+(?:the\s+)?$",
    re.I,
)
# "Thus there are 5 ways to arrange 4 balls into 2 boxes": the count, unless a total follows
_COUNTED = re.compile(
    r"\bthere (?:are|is|were|will be|must be)(?: only| exactly| a total of| thus| therefore| just| at least)?\s+"
    r"(\$[^$]{1,30}\$|\d[\d,]*)\s+(?![^.]*(?:=|\btotal|\bgiving\b|\bthus\b|\bhence\b|\bfor a\b|\bso\b|\band\b))"
    r"[A-Za-z\\][^.\n]*\.?\s*$",
    re.I,
)
_REMARK = re.compile(
    r"\s*\((?:[A-Z][a-z]+|that is|since|because|where|note)\b(?:[^()]|\([^()]*\))*\)\s*\.?\s*$"
    r"|(?<=[.!$\]])\s+"
    r"(?:Note that|We (?:can|may) (?:also )?(?:check|verify)|To check,|You should find|Recall that|Indeed,)\s"
    r"(?!.*\b(?:so|thus|hence|therefore|answer)\b)[^\n]*$"
    r"|,?\s+(?:because|since|which is achieved|which occurs)\s"
    r"(?!.*\b(?:so|thus|hence|therefore|we|gives?|is)\b)(?:[^.\n]|\.(?=\d))*\.?\s*$"
)
_LONG_WORD = re.compile(r"(?<![A-Za-z])(?!sqrt|sin|cos|tan|log)[A-Za-z]{3,}|[一-鿿]")
_CODE = re.compile(
    r"__\w+__|\b[A-Za-z_]\w*\((?:['\"]|\))|\blambda\b|\bimport\s+[a-z]|\b(?:eval|exec|open|getattr)\("
)


def plain_ending(text: str, choice: bool) -> tuple[str | None, str]:
    if not text:
        return (None, "empty")
    if choice:
        letters = _LETTER.findall(text[-4000:].replace("*", ""))
        if letters and len(text) > 2 and not text.startswith("-"):
            return (next(filter(None, letters[-1])), "last letter")
    if len(text) > 30:
        text = _without_afterthought(text)
    single = "\n" not in text and len(text) <= 4000
    led = _LEAD_IN.match(text) if single else None
    text = text[led.end() :] or text if led else text
    spans = formulas_in(text) if "$" in text or "\\" in text else []
    prose = is_prose(text)
    if led and len(spans) == 1 and not MATH.sub("", text).strip(" .。"):
        return (joined(text, spans), "last formula")
    if (
        single
        and len(spans) == 1
        and spans[0].group().strip() == text.strip(" .")
        and inside(spans[0]).count("=") > 1
    ):
        return (joined(text, spans), "last formula")
    either = _EITHER.search(text[-200:]) if not spans else None
    if either:
        return (next(filter(None, either.groups())).strip(), "last statement")
    if single and not prose and not (spans and WORD.search(MATH.sub(" ", text))):
        return (text, "whole")
    if single and _CODE.search(text):
        return (text, "whole")
    counted = _COUNTED.search(text[-400:])
    if counted:
        number = NUMBER.search(text, text.rfind(counted[1]))
        plain = number and "$" not in counted[1]
        return (quantity(text, number) if plain else counted[1].strip(" $"), "counted")  # type: ignore[arg-type]
    equation = _last_equation(text) if not spans else None
    if equation:
        return (equation, "last equation")
    several = _SEVERAL.search(text[-200:]) if not spans else None
    if several:
        return (several[1].strip(), "last list")
    numbers = list(islice(NUMBER.finditer(text, max(0, len(text) - 4000)), 2000))
    if spans and (not numbers or numbers[-1].start() < spans[-1].end()):
        return (joined(text, spans), "last formula")
    lines = [line for line in text.splitlines() if line.strip()]
    if numbers and (prose or (len(lines) > 1 and not text.startswith("\\begin"))):
        number = _main_number(text, numbers)
        denied = _NEGATED.search(text, max(0, number.start() - 24), number.start())
        return (text, "whole") if denied else (quantity(text, number), "last number")
    return (text, "whole")


def _last_equation(text: str) -> str | None:
    """The end of "… So y = 2x.", where the last line is an equation without words."""
    line = text.rstrip().rpartition("\n")[2].strip()
    led = _LEAD_IN.match(line)
    line = (line[led.end() :] if led else line).rstrip(" .。")
    if (
        ("\n" not in text and not led)
        or "=" not in line[1:-1]
        or len(line) > 80
        or _LONG_WORD.search(line)
    ):
        return None
    return result(line) if re.fullmatch(r"[\w\s()\[\]^+*/.,=√π'-]+", line) else None


def _without_afterthought(text: str) -> str:
    """Drop a last remark that is no part of the answer: "(Recall that …)", "Note that …", "… because …"."""
    kept = _REMARK.sub("", text[-1500:])
    return text[:-1500] + kept if re.search(r"\d|\$", kept) else text


def _main_number(text: str, numbers: list[re.Match[str]]) -> re.Match[str]:
    """The last number of the last sentence that is no aside ("5 days for 3 workers", "15 apples after 3 days")."""
    last = numbers[-1]
    if last.group().strip(" -")[:1] in "$\\€£¥￥":
        return last
    for number in reversed(numbers):
        between = text[number.end() : last.start()]
        if "\n" in between or ". " in between or "。" in between:
            return last
        if not _ASIDE.search(text, max(0, number.start() - 20), number.start()):
            return number
    return last


def chosen_option(text: str) -> str | None:
    """The option's letter that a line begins with or names last."""
    text = text.replace("*", "").strip(" .$\\")
    label = re.match(
        r"(?:text\w*\{)?\(?([A-H])\)?\}?(?:[.:)、\s]+(?!\s*(?:and|or|和|或)\b)(?![A-H]\b)|$)", text
    )
    if label:
        return None if _DENIED.search(text) else label[1]
    letters = [] if _DENIED.search(text) else _LETTER.findall(text)
    return next(filter(None, letters[-1])) if letters else None
