r"""Find the final answer in a solution: `extract(text) -> Extraction`.

Order (DeepSeekMath's public evaluation, made strict): the last `\boxed{}`; then the last "the answer is", "####",
答案是, 故选 …; then the output of the last program; then the whole text when it is short; then the last number.
Boxes inside code or program output are never taken (a program can print one). An unfinished or empty last box
is no answer: falling back on an earlier one would reward a cut-off solution. With `final_box_only=True` (the
mode of rewards) nothing but the last box counts.

Does not decide what the answer means: eval.grading.grader does.
"""

import re
from dataclasses import dataclass
from itertools import islice

from eval.grading.extract.announcements import last_mark
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
from eval.grading.extract.unannounced import chosen_option, plain_ending
from eval.grading.normalise.units import unit_following
from eval.grading.normalise.verbal import number_in_words

MAX_SOLUTION = 200_000  # characters; of a longer text only the end is read
_MAX_RUN_ONS = 8
_LONGEST_LINE = 20_000  # characters read after "the answer is": more than a gradable answer has

_FENCED = re.compile(r"```.*?(?:```|\Z)", re.S)
_FOREIGN = r"\u0400-\u0fff\u3040-\u30ff\uac00-\ud7af"  # Cyrillic to Thai, kana, Hangul
_FOREIGN_UNIT = re.compile(
    rf"\s?[{_FOREIGN}][\u0300-\u036f{_FOREIGN}\s]*[円個本枚冊人]?|[円個本枚冊人]"
)
_RANGE = re.compile(r"\bbetween\b|\bnot\b|n't\b", re.I)
_DRAWING = re.compile(r"\[asy\].*?(?:\[/asy\]|\Z)", re.S)
_OUTPUT = re.compile(r"```output[^\S\n]*\n(.*?)(?:```|\Z)", re.S)
_RUN_ON = re.compile(r"\n[^\S\n]*(?:Q|Question|Problem|问题)\s*[:：]|\n问题 ")
# … and what may name the next one: "$x=\\boxed{1}$ or $x=\\boxed{2}$".
_BETWEEN_BOXES = re.compile(rf"(?:{BETWEEN.pattern})*(?:[A-Za-z](?:_\{{?\w\}}?)?\s*=\s*)?")
_ENDING = re.compile(
    r"(?<=\S)(?:[.。](?=\s|$)|！|!\s*$)|\s*I hope (?:it|this) is correct.*|\s*\(?(?=\bbecause\b|\bsince\b)"
    r"|</answer>|\[/answer\]",
    re.I,
)
_HEDGE = re.compile(
    r"(?:approximately|approx\.|about|around|roughly|nearly|exactly|simply|just|大约|约)\s*", re.I
)
_OPTION_FIRST = re.compile(r"\s*\(?[A-H]\s*[).:、．]\s[^\n]*\s*\Z")


@dataclass(frozen=True, slots=True)
class Extraction:
    """The final answer as written, or None; `method` names the rule that found it or why there is none."""

    answer: str | None
    method: str


def extract(text: str, *, final_box_only: bool = False, choice: bool = False) -> Extraction:
    r"""Return the final answer of a solution (or of a bare answer).

    `choice`: the expected answer is an option's letter, so that "(B)" in the last line is an answer.
    """
    text = _final_part(text[-MAX_SOLUTION:])
    if choice and len(text) < 400 and _OPTION_FIRST.match(text):
        return Extraction(text.strip(), "whole")
    visible = _FENCED.sub("\n", text) if "```" in text else text
    if "[asy]" in visible:
        visible = _DRAWING.sub("\n", visible)
    start = max(visible.rfind("\\boxed"), visible.rfind("\\fbox"))
    if start >= 0:
        return _from_boxes(visible, start)
    if final_box_only:
        return Extraction(None, "no box")
    return (
        _from_mark(visible, choice)
        or _from_output(text)
        or Extraction(*plain_ending(visible.strip(), choice))
    )


def _final_part(text: str) -> str:
    """Drop the thinking part and whatever the model wrote after starting on a next question."""
    if "</think>" in text:
        text = text.rpartition("</think>")[2]
    elif "<think>" in text:
        return ""
    for cut in islice(_RUN_ON.finditer(text), _MAX_RUN_ONS):
        head = text[: cut.start()]
        if "\\boxed" in head or last_mark(head):
            return head
    return text


def box_content(text: str, start: int) -> tuple[str | None, int]:
    r"""Content of the `\boxed` or `\fbox` at `start` and the position after it; None when it is not closed."""
    index = start + (6 if text.startswith("\\boxed", start) else 5)
    while index < len(text) and text[index] == " ":
        index += 1
    if index >= len(text):
        return None, len(text)
    if text[index] != "{":  # \boxed 5
        end = re.compile(r"[\s$,;。]|\\[)\]]|\.(?!\d)|$").search(text, index).start()  # type: ignore[union-attr]
        return text[index:end], end
    depth, first = 0, index + 1
    while index < len(text):
        char = text[index]
        if char == "\\":
            index += 1
        elif char == "{":
            depth += 1
        elif char == "}":
            depth -= 1
            if depth == 0:
                return text[first:index], index + 1
        index += 1
    return None, len(text)


def _from_boxes(text: str, last: int) -> Extraction:
    content, end = box_content(text, last)
    if content is None:
        return Extraction(None, "unfinished box")
    if not content.strip(" $\t\n"):
        return Extraction(None, "empty box")
    if text.startswith("%", end) or text.startswith("\\%", end):
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
    return Extraction(", ".join(distinct), "box" if len(distinct) == 1 else "adjacent boxes")


def _from_mark(text: str, choice: bool) -> Extraction | None:
    last = last_mark(text)
    if last is None:
        return None
    rest = text[last.end() :].lstrip()
    line = rest.partition("\n")[0]
    if line.count("$") % 2 or line.rstrip().endswith(("\\[", "$$")):
        line = rest[:2000]
    option = chosen_option(line) if choice else None
    answer = option or _tidy(line)
    return Extraction(answer, f"after {last.group().strip()!r}") if answer else None


def _tidy(line: str) -> str | None:
    """Cut a sentence that follows "the answer is" down to the answer itself."""
    line = re.sub(r"\s+", " ", line[:_LONGEST_LINE])
    line = (
        _HEDGE.sub("", line.replace("**", "").strip(), count=1)
        if _HEDGE.match(line)
        else line.replace("**", "").strip()
    )
    spans = list(MATH.finditer(line, 0, 5_000))
    if spans and spans[0].start() <= 40 and not any(c.isdigit() for c in line[: spans[0].start()]):
        stop = spans[0].end()
        for span in spans[1:]:
            if not BETWEEN.fullmatch(line, stop, span.start()):
                break
            stop = span.end()
        tail = re.match(r"\s*(?:\\?%|[A-Za-z]+\b)?", line[stop:])
        joined = [inside(span) for span in spans if span.end() <= stop]
        unit = (tail.group() if tail else "").strip()
        if len(joined) == 1 and unit in {"%", "\\%", "percent"}:
            return joined[0] + "%"
        return (
            result(joined[0]) + unit_following(line, stop)
            if len(joined) == 1
            else ", ".join(joined)
        )
    line = re.sub(r"\s+(?:in total|altogether|in all)(?=\W*$)", "", line)
    cut = _ENDING.search(line)
    if cut:
        line = line[: cut.start()]
    line = line.rstrip(" :：,，;；*`。।.\"'_").lstrip(" :：,，;；*`。\"'_")
    line = line.lstrip(".") if not re.match(r"\.\d", line) else line
    line = line.removesuffix("です").removesuffix("だ").removesuffix("입니다")
    numbers = list(NUMBER.finditer(line))
    starts_with_number = bool(numbers) and numbers[0].start() <= 1
    aside = (
        re.match(r"\s*\(([A-Za-z -]{3,40})\)$", line[numbers[0].end() :])
        if starts_with_number
        else None
    )
    if aside and number_in_words(aside[1]) is not None:
        return numbers[0].group()
    if starts_with_number and _FOREIGN_UNIT.fullmatch(line, numbers[0].end()):
        return numbers[0].group()
    if starts_with_number and re.match(r"[,;，；]\s+[A-Za-z]{2,}", line[numbers[0].end() :]):
        return numbers[0].group()
    if numbers and not starts_with_number and is_prose(line) and not _RANGE.search(line):
        return quantity(line, numbers[-1])
    return line or None


def _from_output(text: str) -> Extraction | None:
    """Last line that the last program printed."""
    blocks = _OUTPUT.findall(text) if "```output" in text else []
    lines = [line.strip() for line in blocks[-1].splitlines() if line.strip()] if blocks else []
    return Extraction(lines[-1], "program output") if lines else None
