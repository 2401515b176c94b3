"""Numbers and delimited formulas in a text: where they stand, and what a derivation ends with."""

import re
from itertools import islice

from eval.grading.normalise.units import unit_following

MAX_JOINED = 16  # formulas or boxes that together are one answer

# Everything that may stand between two boxes which together are one answer.
BETWEEN = re.compile(
    r"(?:\$|\\[()]|\\quad|\\[,;! ]|[ ,;、，；]|and|or|和|或|以及|\\text\{\s*(?:and|or|,)\s*\})*"
)
MATH = re.compile(
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
_NAME_ONLY = re.compile(r"\(?\\?[A-Za-z]+(?:_\{?\w\}?)?(?:\([a-z]\)|(?:\s*,\s*[a-z])+\))?[.,]?")
_EQUALS = re.compile(r"\\[{}=]|[{}]|\\begin|\\end|(?<![<>:])=|\\(?:equiv|approx)(?![A-Za-z])")
WORD = re.compile(r"(?<![\\A-Za-z])(?![A-Z]{2,4}(?![A-Za-z]))[A-Za-z]{2,}")  # not the segment AB

_SCALE = re.compile(r"\s?(?:(?:thousand|million|billion|trillion|hundred|dozen)\b|[万亿])")
_ENGLISH = re.compile(rf"(?=[A-Za-z\\]*[aeiou]){WORD.pattern}")  # not the product pqr


def inside(span: re.Match[str]) -> str:
    """The formula of a delimited piece of mathematics, without its delimiters; of aligned lines the last."""
    formula = next(group for group in span.groups() if group is not None).strip()
    if span.group().startswith("\\begin"):
        formula = _last_row(formula.rstrip("\\ \n"))
        formula = re.sub(r"&\s*\\text\s*\{[^{}]*\}\.?", "", formula).replace("&", "").strip(" .\n")
    return formula


def _last_row(formula: str) -> str:
    """The last of aligned lines; rows of a matrix in it are no lines."""
    depth, start = 0, 0
    for mark in re.finditer(r"\\\\|\\begin(?![A-Za-z])|\\end(?![A-Za-z])", formula):
        depth += {"\\begin": 1, "\\end": -1}.get(mark.group(), 0)
        start = mark.end() if mark.group() == "\\\\" and depth == 0 else start
    return formula[start:]


def formulas_in(text: str) -> list[re.Match[str]]:
    """Delimited formulas in the end of a text; what stands between two dollar signs of money is none."""
    found = []
    for span in islice(MATH.finditer(text, max(0, len(text) - 4000)), 400):
        content = inside(span)
        words = _ENGLISH.findall(re.sub(r"\\[A-Za-z]+\s*(?:\{[^{}]*\})?", " ", content))
        if (
            content
            and len(words) < 2
            and not content.endswith(("=", "+", "-", "*", ","))
            and ". " not in content
        ):
            found.append(span)
    telling = [span for span in found if not _NAME_ONLY.fullmatch(inside(span))]
    return telling or found


def result(formula: str) -> str:
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
    if (
        len(places) > 1
        and places[-1].group() == "\\approx"
        and "." not in (exact := formula[places[-2].end() : places[-1].start()].strip())
    ):
        return exact
    if len(places) == 1 and not re.search("[A-Za-z]", left) and _BARE_NAME.fullmatch(right):
        return left  # 18 = x
    derived = len(places) > 1 or not re.search(
        r"[A-Za-z]",
        re.sub(r"\\(?:begin|end)\{\w+\}|\\text(?:normal|rm)?\s*\{[^{}]*\}|\\[A-Za-z]+", "", left),
    )
    return right if derived and right.strip(" .,;") else formula


_BARE_NAME = re.compile(r"[A-Za-z](?:_\{?\w\}?)?[.,]?")
_ASSIGNED = re.compile(r"\s*[A-Za-z](?:_\{?\w\}?)?\s*=")


def joined(text: str, spans: list[re.Match[str]]) -> str:
    """The last formula, with those before it that belong to the same list ("$1$ and $2$")."""
    kept = [spans[-1]]
    for span in reversed(spans[:-1]):
        if len(kept) >= MAX_JOINED or not BETWEEN.fullmatch(text, span.end(), kept[-1].start()):
            break
        if _ASSIGNED.match(inside(spans[-1])) and not _ASSIGNED.match(inside(span)):
            break  # "5x = 180 or x = 36"
        kept.append(span)
    percent = "%" if re.match(r"\s?\\?%", text[kept[0].end() : kept[0].end() + 3]) else ""
    if len(kept) == 1 or result(inside(kept[0])) != inside(kept[0]):
        return result(inside(kept[0])) + (percent or unit_following(text, kept[0].end()))
    return ", ".join(inside(span) for span in reversed(kept)) + percent


def quantity(text: str, number: re.Match[str]) -> str:
    """A number of a sentence with the unit behind it, if that is a known one."""
    scale = _SCALE.match(text, number.end())
    end = scale.end() if scale else number.end()
    return text[number.start() : end].strip() + unit_following(text, end)


def is_prose(text: str) -> bool:
    """A sentence around a number ("She makes 18 dollars every day"), not an answer with a unit ("18 dollars")."""
    if not any(char.isdigit() for char in text):
        return False
    if re.match(r"(?:all|any) real|(?:yes|no|true|false)\b,? (?:because|since|as)\b", text, re.I):
        return False
    text = re.sub(r"(?:np\.|math\.)?[A-Za-z]{2,8}(?=\()", " ", text)  # sqrt(2), np.arcsin(10/13)
    outside = re.sub(r"\\[A-Za-z]+\*?(?:\{[^{}]*\})?", " ", text)
    first = NUMBER.search(outside)
    before = outside[: first.start()] if first else outside
    if re.fullmatch(r"[a-zA-Z]\s*(?:[大小]于(?:或?等于)?|不[大小等]于|不超过|等于)\s*", before):
        return False
    if re.search(r"[一-鿿]{2,}", before) and not re.search(
        r"[零〇一二两三四五六七八九十百千万亿]\s*$", before
    ):
        return True
    words = WORD.findall(outside)
    rest = r"\d[%\s]*(?:[a-z]+\s+)?(?:(?:of(?=\s+\D)|in|for)\s+\w|(?:left|remains?|remaining|more|are|were)\b)"
    if not before.strip(" $") and re.search(rest, outside):
        return True  # "12 apples remain in total"
    return len(WORD.findall(before)) >= 2 or len(words) >= 6
