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

from eval.answer_marks import last_mark

MAX_SOLUTION = 200_000  # characters; of a longer text only the end is read
_MAX_JOINED_BOXES = 16
_MAX_RUN_ONS = 8

_FENCED = re.compile(r"```.*?(?:```|\Z)", re.S)
_OUTPUT = re.compile(r"```output[^\S\n]*\n(.*?)(?:```|\Z)", re.S)
_RUN_ON = re.compile(r"\n[^\S\n]*(?:Q|Question|Problem|问题)\s*[:：]|\n问题 ")
# Everything that may stand between two boxes which together are one answer.
_BETWEEN = re.compile(r"(?:\$|\\[()]|\\quad|\\[,;! ]|[ ,;、，；]|and|or|和|或|以及|\\text\{\s*(?:and|or|,)\s*\})*")
_ENDING = re.compile(
    r"(?<=\S)(?:[.。](?=\s|$)|！|!\s*$)|\s*I hope (?:it|this) is correct.*|\s*\(?(?=\bbecause\b|\bsince\b)"
    r"|</answer>|\[/answer\]",
    re.I,
)
_MATH = re.compile(
    r"\$\$(.+?)\$\$|(?<!\\)\$(.+?)(?<!\\)\$|\\\((.+?)\\\)|\\\[(.+?)\\\]"
    r"|\\begin\{(?:align|aligned|equation|gather|eqnarray)\*?\}(.+?)\\end\{(?:align|aligned|equation|gather|eqnarray)\*?\}",
    re.S,
)
NUMBER = re.compile(
    r"(?<![A-Za-z0-9_.,^])[-−]?\\?[$€£¥￥]?\s?[-−]?"
    r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)?(?:\.\d+|(?<=\d))(?:e[+-]?\d+)?(?:(?:\s?[/⁄]\s?|:)\d+(?!\d|\.\d))?(?:\s?\\?%)?"
    r"(?:\s?[ap]\.?m\b)?",
    re.I,
)
_LETTER = re.compile(
    r"\(([A-H])\)|(?:选|选项|[Oo]ption|[Cc]hoice|[Cc]hoose|[Pp]ick|[Ss]elect)\s*(?:is|should be)?"
    r"(?:\s+therefore)?\s*[:：]?\s*\(?([A-H])(?![A-Za-z'])|(?:\b(?:is|be|therefore)\s+)([A-H])\s*\.?\s*$|^[^\w\n]*([A-H])[^\w\n]*$",
    re.M,
)
_LEAD_IN = re.compile(
    r"(?:(?:so|thus|therefore|hence|then|and|finally|overall|we (?:get|have|find|obtain)|which (?:gives|means|is))\b"
    r"[,:]?\s*"
    r"|(?:即|所以|因此|于是|故|综上(?:所述)?)[,，:：]?\s*)+",
    re.I,
)
_NAME_ONLY = re.compile(r"\(?\\?[A-Za-z]+(?:_\{?\w\}?)?(?:\([a-z]\)|(?:\s*,\s*[a-z])+\))?[.,]?")
_EQUALS = re.compile(r"\\[{}=]|[{}]|\\begin|\\end|(?<![<>:])=|\\(?:equiv|approx)(?![A-Za-z])")
_HEDGE = re.compile(r"(?:approximately|approx\.|about|around|roughly|nearly|exactly|simply|just|大约|约)\s*", re.I)
_SEVERAL = re.compile(
    r"\b(?:solutions|answers|results|roots|values|zeros)\s+(?:are|is|:)\s*:?\s*"
    r"([^.\n]{1,80}?(?:,| and | or )[^.\n]{1,40}?)\.?\s*$",
    re.I,
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


def _from_mark(text: str) -> Extraction | None:
    last = last_mark(text)
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
    line = re.sub(r"\s+", " ", line)
    line = (
        _HEDGE.sub("", line.replace("**", "").strip(), count=1)
        if _HEDGE.match(line)
        else line.replace("**", "").strip()
    )
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
        return _result(joined[0]) if len(joined) == 1 else ", ".join(joined)
    cut = _ENDING.search(line)
    if cut:
        line = line[: cut.start()]
    line = line.rstrip(" :：,，;；*`。.\"'_").lstrip(" :：,，;；*`。\"'_")
    line = line.lstrip(".") if not re.match(r"\.\d", line) else line
    line = line.removesuffix("です").removesuffix("だ").removesuffix("입니다")
    numbers = list(NUMBER.finditer(line))
    starts_with_number = bool(numbers) and numbers[0].start() <= 1
    if starts_with_number and re.match(r"[,;，；]\s+[A-Za-z]{2,}", line[numbers[0].end() :]):
        return numbers[0].group()
    if numbers and not starts_with_number and _is_prose(line):
        return numbers[-1].group().strip()
    return line or None


def inside(span: re.Match[str]) -> str:
    """The formula of a delimited piece of mathematics, without its delimiters; of aligned lines the last."""
    formula = next(group for group in span.groups() if group is not None).strip()
    if span.group().startswith("\\begin"):
        formula = formula.rstrip("\\ \n").rpartition("\\\\")[2]
        formula = re.sub(r"&\s*\\text\s*\{[^{}]*\}\.?", "", formula).replace("&", "").strip(" .\n")
    return formula


def _from_output(text: str) -> Extraction | None:
    """Last line that the last program printed."""
    blocks = _OUTPUT.findall(text) if "```output" in text else []
    lines = [line.strip() for line in blocks[-1].splitlines() if line.strip()] if blocks else []
    return Extraction(lines[-1], "program output") if lines else None


def _from_plain(text: str, choice: bool) -> Extraction:
    if not text:
        return Extraction(None, "empty")
    if choice:
        letters = _LETTER.findall(text[-4000:])
        if letters and len(text) > 2 and not text.startswith("-"):
            return Extraction(next(filter(None, letters[-1])), "last letter")
    single = "\n" not in text and len(text) <= 4000
    led = _LEAD_IN.match(text) if single else None
    text = text[led.end() :] or text if led else text
    spans = _formulas(text) if "$" in text or "\\" in text else []
    prose = _is_prose(text)
    if led and len(spans) == 1 and not _MATH.sub("", text).strip(" .。"):
        return Extraction(_joined(text, spans), "last formula")
    if single and not prose and not (spans and _WORD.search(_MATH.sub(" ", text))):
        return Extraction(text, "whole")
    several = _SEVERAL.search(text[-200:]) if not spans else None
    if several:
        return Extraction(several[1].strip(), "last list")
    numbers = list(islice(NUMBER.finditer(text, max(0, len(text) - 4000)), 2000))
    if spans and (not numbers or numbers[-1].start() < spans[-1].end()):
        return Extraction(_joined(text, spans), "last formula")
    lines = [line for line in text.splitlines() if line.strip()]
    if numbers and (prose or (len(lines) > 1 and not text.startswith("\\begin"))):
        return Extraction(numbers[-1].group().strip(), "last number")
    return Extraction(text, "whole")


def _formulas(text: str) -> list[re.Match[str]]:
    """Delimited formulas in the end of a text; what stands between two dollar signs of money is none."""
    found = []
    for span in islice(_MATH.finditer(text, max(0, len(text) - 4000)), 400):
        content = inside(span)
        words = _WORD.findall(re.sub(r"\\[A-Za-z]+\s*(?:\{[^{}]*\})?", " ", content))
        if content and len(words) < 2 and not content.endswith(("=", "+", "-", "*", ",")) and ". " not in content:
            found.append(span)
    telling = [span for span in found if not _NAME_ONLY.fullmatch(inside(span))]
    return telling or found


def _result(formula: str) -> str:
    """The end of a derivation: of a chain of equations the last side, of several lines the last line."""
    for arrow in ("\\Rightarrow", "\\implies", "\\Longrightarrow", "\\therefore"):
        formula = formula.rpartition(arrow)[2]
    depth, places = 0, []
    for match in _EQUALS.finditer(formula):
        depth += {"{": 1, "}": -1, "\\begin": 1, "\\end": -1}.get(match.group(), 0)
        if depth == 0 and match.group() in ("=", "\\equiv", "\\approx"):
            places.append(match)
    if not places:
        return formula
    left, right = formula[: places[0].start()].strip(), formula[places[-1].end() :].strip()
    derived = len(places) > 1 or not re.search(r"[A-Za-z]", re.sub(r"\\[A-Za-z]+", "", left))
    return right if derived and right.strip(" .,;") else formula


def _joined(text: str, spans: list[re.Match[str]]) -> str:
    """The last formula, with those before it that belong to the same list ("$1$ and $2$")."""
    kept = [spans[-1]]
    for span in reversed(spans[:-1]):
        if len(kept) >= _MAX_JOINED_BOXES or not _BETWEEN.fullmatch(text, span.end(), kept[-1].start()):
            break
        kept.append(span)
    percent = "%" if re.match(r"\s?\\?%", text[kept[0].end() : kept[0].end() + 3]) else ""
    if len(kept) == 1 or _result(inside(kept[0])) != inside(kept[0]):
        return _result(inside(kept[0])) + percent
    return ", ".join(inside(span) for span in reversed(kept)) + percent


def _is_prose(text: str) -> bool:
    """A sentence around a number ("She makes 18 dollars every day"), not an answer with a unit ("18 dollars")."""
    if not any(char.isdigit() for char in text):
        return False
    if re.match(r"(?:all|any) real|(?:yes|no|true|false)\b,? (?:because|since|as)\b", text, re.I):
        return False
    text = re.sub(r"(?:np\.|math\.)?[A-Za-z]{2,8}(?=\()", " ", text)  # sqrt(2), np.arcsin(10/13)
    outside = re.sub(r"\\[A-Za-z]+\*?(?:\{[^{}]*\})?", " ", text)
    first = NUMBER.search(outside)
    before = outside[: first.start()] if first else outside
    if re.search(r"[一-鿿]{2,}", before) and not re.search(r"[零〇一二两三四五六七八九十百千万亿]\s*$", before):
        return True
    words = _WORD.findall(outside)
    rest = r"\d[%\s]*(?:[a-z]+\s+)?(?:(?:of|in|for)\s+\w|(?:left|remains?|remaining|more|are|were)\b)"
    if not before.strip(" $") and re.search(rest, outside):
        return True  # "12 apples remain in total"
    return len(_WORD.findall(before)) >= 2 or len(words) >= 6
