r"""Find the final answer in a solution: `extract(text) -> Extraction`.

Order (DeepSeekMath's public evaluation, made strict): the last `\boxed{}`; then the last "the answer is", "####",
答案是, 故选 …; then the output of the last program; then the whole text when it is short; then the last number.
Boxes inside code or program output are never taken (a program can print one). An unfinished or empty last box
is no answer: falling back on an earlier one would reward a cut-off solution. With `final_box_only=True` (the
mode of rewards) nothing but the last box counts.

Does not decide what the answer means: eval.grading.grader does.
"""

import re
from itertools import islice

from eval.grading.extract.announcements import has_decimal_comma, last_mark
from eval.grading.extract.extraction import Extraction
from eval.grading.extract.math_spans import (
    BETWEEN,
    MATH,
    MAX_JOINED,
    NUMBER,
    inside,
    is_prose,
    quantity,
    result,
)
from eval.grading.extract.options import chosen_option, last_letter, names_option, rules_out
from eval.grading.extract.unannounced import DENIED_BEHIND, plain_ending
from eval.grading.normalise.plain_unicode import plain_digits
from eval.grading.normalise.units import unit_following
from eval.grading.normalise.verbal import number_in_words

__all__ = ["MAX_SOLUTION", "Extraction", "box_content", "extract"]

# Bounds that keep extraction linear. None of them is reached by a solution that a person would write.
MAX_SOLUTION = 200_000  # characters; of a longer text only the end is read
_MAX_RUN_ONS = 8  # further questions that the model asked itself
_LONGEST_LINE = 20_000  # characters read after "the answer is": more than a gradable answer has
_LONGEST_DISPLAY = 2_000  # characters read where the answer is a formula over several lines
_FORMULAS_WITHIN = 5_000  # characters of that line in which formulas are looked for

# A bare answer to a multiple-choice question is shorter than this.
_LONGEST_OPTION = 400
# Characters behind a box in which a letter is looked for.
_END_FOR_LETTER = 2_000
# How far into a line a formula may begin and still be the answer ("the answer is the area $A$").
_FORMULA_BEGINS_WITHIN = 40

# Blocks whose boxes are not the model's answer. An unclosed block reaches to the end.
_FENCED = re.compile(r"```.*?(?:```|\Z)", re.S)
_DRAWING = re.compile(r"\[asy\].*?(?:\[/asy\]|\Z)", re.S)
_OUTPUT = re.compile(r"```output[^\S\n]*\n(.*?)(?:```|\Z)", re.S)

_RUN_ON = re.compile(r"\n[^\S\n]*(?:Q|Question|Problem|问题)\s*[:：]|\n问题 ")
_OPTION_FIRST = re.compile(r"\s*\(?[A-H]\s*[).:、．]\s[^\n]*\s*\Z")

# Where the content of an unbraced box ends: "\boxed 5." but not within "\boxed 5.2".
_UNBRACED_END = re.compile(r"[\s$,;。]|\\[)\]]|\.(?!\d)|$")
# What stands between two boxes of one answer, and what may name the next: "$x=\boxed{1}$ or $x=\boxed{2}$".
_BETWEEN_BOXES = re.compile(rf"(?:{BETWEEN.pattern})*(?:[A-Za-z](?:_\{{?\w\}}?)?\s*=\s*)?")

# The power of a unit in a formula of its own: cm$^2$
_RAISED_UNIT = re.compile(r"(?<=[A-Za-z]{2})\$(\^\s*\{?[23]\}?)\$")

# What closes the answer: the sentence's end, a reason, Minerva's "I hope it is correct", a closing tag.
_ENDING = re.compile(
    r"(?<=\S)(?:[.。](?=\s|$)|！|!\s*$)|\s*I hope (?:it|this) is correct.*|\s*\(?(?=\bbecause\b|\bsince\b)"
    r"|</answer>|\[/answer\]",
    re.I,
)
_HEDGE = re.compile(
    r"(?:approximately|approx\.|about|around|roughly|nearly|exactly|simply|just|大约|约)\s*", re.I
)
_NAME_BEFORE_VALUE = re.compile(
    r"(?:\$[A-Za-z](?:_\{?\w\}?)?\$|\\\([A-Za-z]\\\)),?\s*(?:(?:which|that)\s+)?(?:is|equals?|=)\s+"
    r"(?:equal to\s+)?(?=[-\d$\\])"
)
_IN_TOTAL = re.compile(r"\s+(?:in total|altogether|in all)(?=\W*$)")
# "is" at the end of a Japanese, Korean or Hindi sentence
_COPULAS = (
    "です",
    "だ",
    "である",
    "となります",
    "になります",
    "となる",
    "입니다",
    "이다",
    "है",
    "हैं",
)

_TURKISH_COPULA = re.compile(r"(?<=\d)['’][dt][ıiuü]r$")  # 42'dir

# A unit in a script whose units the grader does not know: Cyrillic to Thai, kana, Hangul, and Japanese counters.
_FOREIGN = r"\u0400-\u0fff\u3040-\u30ff\uac00-\ud7af"
_DECIMAL_COMMA = re.compile(r"^(-?\d+),(\d{1,2}|\d{4,})(?!\d)(?!\s*,)")  # 3,5 but 3,500
# 1.234 in these languages is no decimal
_GROUPED_BY_POINTS = re.compile(r"^-?[1-9]\d{0,2}(?:\.\d{3})+(?![\d.,])")
_FOREIGN_UNIT = re.compile(
    rf"\s?[{_FOREIGN}][\u0300-\u036f{_FOREIGN}\s]*[円個本枚冊人]?|[円個本枚冊人]"
)
_NUMBER_REPEATED = re.compile(r"\s*\(([A-Za-z -]{3,40})\)$")  # 7 (seven)
_FOREIGN_REMARK = re.compile(rf"\s*\([{_FOREIGN}][{_FOREIGN}\s-]*\)")  # 42 (сорок два)
_SENTENCE_GOES_ON = re.compile(r"[,;，；]\s+[A-Za-z]{2,}")
_QUESTIONED = re.compile(r"\S{1,12}\s?[?？]\s")  # "the answer is 5? No, …"
_RANGE = re.compile(r"\bbetween\b|\bnot\b|n't\b", re.I)


def extract(text: str, *, final_box_only: bool = False, choice: bool = False) -> Extraction:
    r"""Return the final answer of a solution (or of a bare answer).

    `choice`: the expected answer is an option's letter, so that "(B)" in the last line is an answer.
    """
    text = _final_part(text[-MAX_SOLUTION:])
    if not text.isascii():
        text = plain_digits(text)

    if "$^" in text:
        text = _RAISED_UNIT.sub(r"\1", text)

    if choice and len(text) < _LONGEST_OPTION and _OPTION_FIRST.match(text) and not rules_out(text):
        return Extraction(text.strip(), "whole")

    visible = _FENCED.sub("\n", text) if "```" in text else text
    if "[asy]" in visible:
        visible = _DRAWING.sub("\n", visible)

    last_box = max(visible.rfind("\\boxed"), visible.rfind("\\fbox"))
    if last_box >= 0:
        boxed = _from_boxes(visible, last_box)
        letter = (
            _letter_beside_box(visible, last_box, boxed) if choice and not final_box_only else None
        )
        return letter or boxed
    if final_box_only:
        return Extraction(None, "no box")

    return (
        _from_mark(visible, choice)
        or _from_output(text)
        or plain_ending(visible.strip(), choice=choice)
    )


def _final_part(text: str) -> str:
    """Drop the thinking part and whatever the model wrote after starting on a next question."""
    if "</think>" in text:
        text = text.rpartition("</think>")[2]
    elif "<think>" in text:
        return ""  # cut off while thinking

    # "Problem:" ends the solution only once there is an answer: a solution may begin by restating its question.
    for cut in islice(_RUN_ON.finditer(text), _MAX_RUN_ONS):
        head = text[: cut.start()]
        if "\\boxed" in head or last_mark(head):
            return head

    return text


def box_content(text: str, start: int) -> tuple[str | None, int]:
    r"""Content of the `\boxed` or `\fbox` at `start` and the position after it; None when it is not closed."""
    command = "\\boxed" if text.startswith("\\boxed", start) else "\\fbox"
    index = start + len(command)
    while index < len(text) and text[index] == " ":
        index += 1

    if index >= len(text):
        return None, len(text)

    if text[index] != "{":  # \boxed 5
        ending = _UNBRACED_END.search(text, index)
        end = ending.start() if ending else len(text)
        return text[index:end], end

    depth, first = 0, index + 1
    while index < len(text):
        char = text[index]
        if char == "\\":
            index += 1  # whatever is escaped is no brace
        elif char == "{":
            depth += 1
        elif char == "}":
            depth -= 1
            if depth == 0:
                return text[first:index], index + 1
        index += 1
    return None, len(text)


def _from_boxes(text: str, last: int) -> Extraction:
    """The box at `last`, with the boxes before it that belong to the same list."""
    content, end = box_content(text, last)
    if content is None:
        return Extraction(None, "unfinished box")
    if not content.strip(" $\t\n"):
        return Extraction(None, "empty box")

    if text.startswith(("%", "\\%"), end):
        content += "%"
    elif content[-1:].isdigit() or content[-1:] in "})":
        content += unit_following(text, end)

    found, stop = [content], last
    while len(found) < MAX_JOINED:
        before = text.rfind("\\boxed", 0, stop)
        if before < 0:
            break
        earlier, after = box_content(text, before)
        if earlier is None or after > stop or not _BETWEEN_BOXES.fullmatch(text, after, stop):
            break
        found.append(earlier)
        stop = before

    distinct = list(dict.fromkeys(reversed(found)))
    method = "box" if len(distinct) == 1 else "adjacent boxes"
    return Extraction(", ".join(distinct), method)


def _letter_beside_box(text: str, box: int, boxed: Extraction) -> Extraction | None:
    """The letter announced behind a boxed value, where letters are asked for: "\\boxed{12}, so the answer is B"."""
    if boxed.answer is None or names_option(boxed.answer):
        return None

    _, end = box_content(text, box)
    behind = text[end:]
    announced = _from_mark(behind, choice=True)
    if announced and announced.answer and names_option(announced.answer):
        return announced

    letter = last_letter(behind[-_END_FOR_LETTER:].replace("*", ""))
    return Extraction(letter, "letter behind box") if letter else None


def _from_mark(text: str, choice: bool) -> Extraction | None:
    """What follows the last phrase that announces an answer."""
    mark = last_mark(text)
    if mark is None:
        return None

    rest = text[mark.end() :].lstrip()
    line = rest.partition("\n")[0]
    formula_goes_on = line.count("$") % 2 or line.rstrip().endswith(("\\[", "$$"))
    if formula_goes_on:
        line = rest[:_LONGEST_DISPLAY]

    if _QUESTIONED.match(line):
        return None
    option = chosen_option(line) if choice else None
    if option is None and (DENIED_BEHIND.search(line) or (choice and rules_out(line))):
        return None
    answer = option or _tidy(line)
    if answer and has_decimal_comma(mark):
        answer = _DECIMAL_COMMA.sub(r"\1.\2", answer)
        answer = _GROUPED_BY_POINTS.sub(_without_points, answer)
    return Extraction(answer, f"after {mark.group().strip()!r}") if answer else None


def _tidy(line: str) -> str | None:
    """Cut a sentence that follows "the answer is" down to the answer itself."""
    line = re.sub(r"\s+", " ", line[:_LONGEST_LINE])
    hedged = _HEDGE.match(line) is not None
    line = line.replace("**", "").strip()
    named = _NAME_BEFORE_VALUE.match(line)
    if named:  # "the answer is $k$, which equals 12"
        line = line[named.end() :]
    if hedged:
        line = _HEDGE.sub("", line, count=1)

    formulas = list(MATH.finditer(line, 0, _FORMULAS_WITHIN))
    if formulas and formulas[0].start() <= _FORMULA_BEGINS_WITHIN:
        lead = line[: formulas[0].start()]
        if not any(char.isdigit() for char in lead):
            return _first_formulas(line, formulas)

    line = _IN_TOTAL.sub("", line)
    ending = _ENDING.search(line)
    if ending:
        line = line[: ending.start()]
    line = line.rstrip(" :：,，;；*`。।.\"'_").lstrip(" :：,，;；*`。\"'_")
    if not re.match(r"\.\d", line):  # the point of .5 is kept
        line = line.lstrip(".")
    for copula in _COPULAS:
        line = line.removesuffix(copula)
    line = _TURKISH_COPULA.sub("", line)

    return _number_of(line) or line or None


def _without_points(number: re.Match[str]) -> str:
    return number.group().replace(".", "")


def _first_formulas(line: str, formulas: list[re.Match[str]]) -> str:
    """The first formula of a line, with those that follow it as members of the same list, and the unit behind."""
    stop = formulas[0].end()
    for span in formulas[1:]:
        if not BETWEEN.fullmatch(line, stop, span.start()):
            break
        stop = span.end()

    members = [inside(span) for span in formulas if span.end() <= stop]
    if len(members) > 1:
        return ", ".join(members)

    tail = re.match(r"\s*(?:\\?%|[A-Za-z]+\b)?", line[stop:])
    if tail and tail.group().strip() in {"%", "\\%", "percent"}:
        return members[0] + "%"
    return result(members[0]) + unit_following(line, stop)


def _number_of(line: str) -> str | None:
    """The number that a line states among other words; None where the line as a whole is the answer."""
    numbers = list(NUMBER.finditer(line))
    if not numbers:
        return None

    first = numbers[0]
    begins_with_number = first.start() <= 1  # a bracket or quotation mark may precede it
    if not begins_with_number:
        stated = is_prose(line) and not _RANGE.search(line)
        return quantity(line, numbers[-1]) if stated else None

    rest = line[first.end() :]
    repeated = _NUMBER_REPEATED.match(rest)
    if repeated and number_in_words(repeated[1]) is not None:
        return first.group()
    if _FOREIGN_UNIT.fullmatch(line, first.end()) or _FOREIGN_REMARK.fullmatch(rest):
        return first.group()
    if _SENTENCE_GOES_ON.match(rest):
        return first.group()
    return None


def _from_output(text: str) -> Extraction | None:
    """Last line that the last program printed."""
    if "```output" not in text:
        return None

    blocks = _OUTPUT.findall(text)
    if not blocks:
        return None

    lines = [line.strip() for line in blocks[-1].splitlines() if line.strip()]
    return Extraction(lines[-1], "program output") if lines else None
