r"""Find the final answer in a solution: `extract(text) -> Extraction`.

Order (DeepSeekMath's public evaluation, made strict): the last `\boxed{}`; then the last "the answer is", "####",
答案是, 故选 …; then the output of the last program; then the whole text when it is short; then the last number.
Boxes inside code or program output are never taken (a program can print one). An unfinished or empty last box
is no answer: falling back on an earlier one would reward a cut-off solution. With `final_box_only=True` (the
mode of rewards) nothing but the last box counts.

Does not decide what the answer means: eval.grading does.
"""

import re
from dataclasses import dataclass
from itertools import islice

MAX_SOLUTION = 200_000  # characters; of a longer text only the end is read
_MAX_JOINED_BOXES = 16
_MAX_RUN_ONS = 8

_FENCED = re.compile(r"```.*?(?:```|\Z)", re.S)
_OUTPUT = re.compile(r"```output[^\S\n]*\n(.*?)(?:```|\Z)", re.S)
_RUN_ON = re.compile(r"\n\s*(?:Q|Question|Problem|问题)\s*[:：]|\n问题 ")
# Everything that may stand between two boxes which together are one answer.
_BETWEEN = re.compile(r"(?:\$|\\[()]|\\quad|\\[,;! ]|[ ,;、，；]|and|or|和|或|以及|\\text\{\s*(?:and|or|,)\s*\})*")
# Phrases that announce the final answer: a word to look for (lower case), the pattern that must match there, and
# what must stand before it. Looked up from the end, so that a long solution costs no regular-expression scan.
_MARKS = tuple(
    (word, re.compile(pattern, re.I), re.compile(rf"(?:{before})\Z") if before else None)
    for word, pattern, before in (
        ("####", r"####\s*", ""),
        (
            "answer",
            r"answer(?:\s*\([^()\n]{1,40}\))?(?:\s+(?:to|of|for)\s[^.\n:]{1,80}?)?\s*"
            r"(?:\bis\b|\bwould be\b|\bshould be\b|[:：=])(?:\s*(?:thus|therefore|then|simply))?\s*[:：=]?\s*",
            r"(?<![a-z])",
        ),
        ("a:", r"A:[^\S\n]*", r"^[^\S\n]*|\n[^\S\n]*"),
        ("ans", r"Ans\s*[:：=.]\s*", r"(?<![a-z])"),
        ("答", r"答(?:案)?(?:\s*(?:应该是|应是|应为|就是|[是为]|[:：])|\s+(?=[-\d$\\]))\s*[:：]?\s*", ""),
        (
            "选",
            r"选(?:项|择)?(?:是|为)?\s*[:：]?\s*(?=[(（]?\s*[A-H])",
            r"(?:故|应|所以|因此|则|本题|正确|答案|，)\s*",
        ),
        ("respuesta", r"respuesta (?:final )?es\s*:?\s*", ""),
        ("réponse", r"réponse (?:finale )?est\s*:?\s*", ""),
        ("antwort", r"antwort\s*(?:ist|lautet|:)\s*:?\s*", ""),
        ("ответ", r"ответ\s*(?:[—–:-]|равен)\s*", ""),
        ("答え", r"答え\s*(?:は|[:：])\s*", ""),
        ("jibu ni", r"jibu ni\s*:?\s*", ""),
        ("คำตอบคือ", r"คำตอบคือ\s*:?\s*", ""),
        ("సమాధానం", r"సమాధానం\s*:?\s*", ""),
        ("উত্তর", r"উত্তর(?:\s*(?:হল|হলো))?\s*[:：]?\s*", ""),
    )
)
_ASCII_MARKS = tuple(mark for mark in _MARKS if mark[0].isascii())
_ENDING = re.compile(
    r"(?<=\S)(?:[.。](?=\s|$)|！|!\s*$)|\s*I hope (?:it|this) is correct.*|\s*(?=\bbecause\b|\bsince\b)"
)
_MATH = re.compile(r"\$\$(.+?)\$\$|(?<!\\)\$(.+?)(?<!\\)\$|\\\((.+?)\\\)|\\\[(.+?)\\\]", re.S)
NUMBER = re.compile(
    r"(?<![\w.,^])[-−]?\\?[$€£¥￥]?\s?[-−]?"
    r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)?(?:\.\d+|(?<=\d))(?:e[+-]?\d+)?(?:\s?[/⁄]\s?\d+(?![\d.]))?(?:\s?\\?%)?",
    re.I,
)
_LETTER = re.compile(
    r"\(([A-H])\)|(?:选|选项|[Oo]ption|[Cc]hoice)\s*[:：]?\s*\(?([A-H])(?![A-Za-z])|^\W*([A-H])\W*$", re.M
)
_OPTION_FIRST = re.compile(r"\s*\(?[A-H]\s*[).:、．]\s[^\n]*\s*\Z")
_WORD = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2,}")


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
    start = max(visible.rfind("\\boxed"), visible.rfind("\\fbox"))
    if start >= 0:
        return _from_boxes(visible, start)
    if final_box_only:
        return Extraction(None, "no box")
    return _from_mark(visible) or _from_output(text) or _from_plain(visible.strip(), choice)


def _final_part(text: str) -> str:
    """Drop the thinking part and whatever the model wrote after starting on a next question."""
    if "</think>" in text:
        text = text.rpartition("</think>")[2]
    elif "<think>" in text:
        return ""
    for cut in islice(_RUN_ON.finditer(text), _MAX_RUN_ONS):
        head = text[: cut.start()]
        if "\\boxed" in head or _last_mark(head):
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
    found, stop = [content], last
    while len(found) < _MAX_JOINED_BOXES:
        before = text.rfind("\\boxed", 0, stop)
        if before < 0:
            break
        earlier, after = box_content(text, before)
        if earlier is None or after > stop or not _BETWEEN.fullmatch(text, after, stop):
            break
        found.append(earlier)
        stop = before
    distinct = list(dict.fromkeys(reversed(found)))
    return Extraction(", ".join(distinct), "box" if len(distinct) == 1 else "adjacent boxes")


def _last_mark(text: str) -> re.Match[str] | None:
    """The last phrase that announces an answer."""
    lower = text.lower()
    if len(lower) != len(text):  # a few letters change length in lower case; positions must not
        lower = text
    best: re.Match[str] | None = None
    for word, pattern, before in _ASCII_MARKS if text.isascii() else _MARKS:
        position = lower.rfind(word)
        while position >= 0 and (best is None or position > best.start()):
            match = pattern.match(text, position)
            if match and (not before or before.search(lower, max(0, position - 12), position)):
                best = match
                break
            position = lower.rfind(word, 0, position)
    return best


def _from_mark(text: str) -> Extraction | None:
    last = _last_mark(text)
    if last is None:
        return None
    rest = text[last.end() :].lstrip()
    line = rest.partition("\n")[0]
    if line.count("$") % 2 or line.rstrip().endswith(("\\[", "$$")):
        line = rest[:2000]
    answer = _tidy(line)
    return Extraction(answer, f"after {last.group().strip()!r}") if answer else None


def _tidy(line: str) -> str | None:
    """Cut a sentence that follows "the answer is" down to the answer itself."""
    line = line.replace("**", "").strip()
    spans = list(_MATH.finditer(line))
    if spans and spans[0].start() <= 40 and not any(c.isdigit() for c in line[: spans[0].start()]):
        stop = spans[0].end()
        for span in spans[1:]:
            if not _BETWEEN.fullmatch(line, stop, span.start()):
                break
            stop = span.end()
        tail = re.match(r"\s*(?:\\?%|[A-Za-z]+\b)?", line[stop:])
        joined = [inside(span) for span in spans if span.end() <= stop]
        unit = (tail.group() if tail else "").strip()
        if len(joined) == 1 and unit in {"%", "\\%", "percent"}:
            return joined[0] + "%"
        return ", ".join(joined)
    cut = _ENDING.search(line)
    if cut:
        line = line[: cut.start()]
    line = line.strip(" :：,，;；*`。.").removesuffix("です").removesuffix("だ")
    numbers = list(NUMBER.finditer(line))
    starts_with_number = bool(numbers) and numbers[0].start() <= 1
    if starts_with_number and re.match(r"[,;，；]\s+[A-Za-z]{2,}", line[numbers[0].end() :]):
        return numbers[0].group()
    if numbers and not starts_with_number and _is_prose(line):
        return numbers[-1].group().strip()
    return line or None


def inside(span: re.Match[str]) -> str:
    """The formula of a delimited piece of mathematics, without its delimiters."""
    return next(group for group in span.groups() if group is not None).strip()


def _from_output(text: str) -> Extraction | None:
    """Last line that the last program printed."""
    blocks = _OUTPUT.findall(text) if "```output" in text else []
    lines = [line.strip() for line in blocks[-1].splitlines() if line.strip()] if blocks else []
    return Extraction(lines[-1], "program output") if lines else None


def _from_plain(text: str, choice: bool) -> Extraction:
    if not text:
        return Extraction(None, "empty")
    if choice:
        letters = _LETTER.findall(text)
        if letters and len(text) > 12:
            return Extraction(next(filter(None, letters[-1])), "last letter")
    if "\n" not in text and len(text) <= 4000 and not _is_prose(text):
        return Extraction(text, "whole")
    numbers = [match.group().strip() for match in NUMBER.finditer(text)]
    if numbers and _is_prose(text):
        return Extraction(numbers[-1], "last number")
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > 1 and not text.startswith("\\begin") and numbers:
        return Extraction(numbers[-1], "last number")
    return Extraction(text, "whole")


def _is_prose(text: str) -> bool:
    """A sentence around a number ("She makes 18 dollars every day"), not an answer with a unit ("18 dollars")."""
    if not any(char.isdigit() for char in text):
        return False
    if re.match(r"(?:all|any) real", text, re.I):
        return False
    outside = re.sub(r"\\[A-Za-z]+\*?(?:\{[^{}]*\})?", " ", text)
    first = NUMBER.search(outside)
    before = outside[: first.start()] if first else outside
    if re.search(r"[一-鿿]{2,}", before) and not re.search(r"[零〇一二两三四五六七八九十百千万亿]\s*$", before):
        return True
    return len(_WORD.findall(before)) >= 2 or len(_WORD.findall(outside)) >= 6
