"""Numbers and delimited formulas in a text: where they stand, and what a derivation ends with."""

import re
from itertools import islice, pairwise

from eval.grading.normalise.units import unit_following

MAX_JOINED = 16  # formulas or boxes that together are one answer

# Only the end of a text is searched for formulas, and only so many of them: extraction stays linear.
_END_OF_TEXT = 4000
_MAX_FORMULAS = 400

# Everything that may stand between two formulas or boxes which together are one answer.
BETWEEN = re.compile(
    r"(?:\$|\\[()]|\\quad|\\[,;! ]|[ ,;、，；]|and|or|和|或|以及|\\text\{\s*(?:and|or|,)\s*\})*"
)

# A formula between $$…$$, $…$, \(…\), \[…\] or in an environment; one group a kind, the formula in it.
_ENVIRONMENTS = r"(?:align|aligned|equation|gather|eqnarray)"
MATH = re.compile(
    r"\$\$(.+?)\$\$|(?<!\\)\$(.+?)(?<!\\)\$|\\\((.+?)\\\)|\\\[(.+?)\\\]"
    rf"|\\begin\{{{_ENVIRONMENTS}\*?\}}(.+?)\\end\{{{_ENVIRONMENTS}\*?\}}",
    re.S,
)

# A number of running text: sign, currency, thousands separators, decimals, exponent, "/3" or ":30", percent, "p.m.".
NUMBER = re.compile(
    r"(?<![A-Za-z0-9_.,^])[-−]?\\?[$€£¥￥]?\s?[-−]?"
    r"(?:\d{1,3} (?=\d{1,2}/\d{1,3}(?![\d/])))?"  # the 2 of 2 1/2
    r"(?:\d{1,3}(?:(?:,|\{,\})\d{3})+(?!\d)|\d+)?(?:\.\d+|(?<=\d))(?:e[+-]?\d+)?"
    r"(?:(?:\s?[/⁄]\s?|:)\d+(?!\d|\.\d))?(?:\s?\\?%)?"
    r"(?:\s?[ap]\.?m\b)?",
    re.I,
)
_SCALE = re.compile(r"\s?(?:(?:thousand|million|billion|trillion|hundred|dozen)\b|[万亿])")

WORD = re.compile(r"(?<![\\A-Za-z])(?![A-Z]{2,4}(?![A-Za-z]))[A-Za-z]{2,}")  # not the segment AB
_ENGLISH = re.compile(rf"(?=[A-Za-z\\]*[aeiou]){WORD.pattern}")  # not the product pqr

# A formula that only names something: x, f(x), (a, b), \alpha_1. It is no answer where another formula is.
_NAME_ONLY = re.compile(r"\(?\\?[A-Za-z]+(?:_\{?\w\}?)?(?:\([a-z]\)|(?:\s*,\s*[a-z])+\))?[.,]?")
_BARE_NAME = re.compile(r"[A-Za-z](?:_\{?\w\}?)?[.,]?")
# "x =", "\alpha_1 =", "(x, y) =": what gives a value to a name or to a tuple of names.
_NAMED = r"\(?(?:[A-Za-z]|\\[a-z]+)(?:_\{?\w+\}?)?\s*(?:,[^=()]*\))?\s*"
_ASSIGNED = re.compile(rf"\s*{_NAMED}=")
# Between two signs of equality, the name of the next unknown behind a comma, "and" or a wide blank.
_JOINT = r"\\q?quad|\\text\s*\{\s*,?\s*(?:and|or)\s*\}"
_NEXT_NAME = re.compile(
    rf"(?:[,;，；和且或]|\b(?:and|or)\b|{_JOINT}|\\(?:land|lor|wedge|vee)(?![a-z]))"
    rf"(?:\s|\\[,;:! ]|{_JOINT})*{_NAMED}$"
)

# Signs of equality, and the brackets that tell whether one stands at the top level. Escaped braces come first, so
# that they are not taken for grouping; "<=", ">=" and ":=" are no equalities.
_EQUALS = re.compile(r"\\[{}=]|[{}]|\\begin|\\end|(?<![<>:])=|\\(?:equiv|approx)(?![A-Za-z])")
_EQUALITY_SIGNS = ("=", "\\equiv", "\\approx")
_DEPTH_OF = {"{": 1, "}": -1, "\\begin": 1, "\\end": -1}
_ARROWS = ("\\Rightarrow", "\\implies", "\\Longrightarrow", "\\therefore")

_GREEK = "alpha|beta|gamma|delta|theta|lambda|mu|phi|omega|rho|sigma|epsilon|tau"
# What may hold letters on the left side of "= 5" without naming an unknown.
_COMMANDS_AND_TEXT = re.compile(
    r"\\(?:begin|end)\{\w+\}|\\text(?:normal|rm)?\s*\{[^{}]*\}"
    rf"|\\(?!(?:{_GREEK})(?![A-Za-z]))[A-Za-z]+"
)


def inside(span: re.Match[str]) -> str:
    """The formula of a match of MATH without its delimiters; of aligned lines the last."""
    formula = next(group for group in span.groups() if group is not None).strip()

    if span.group().startswith("\\begin"):
        formula = _last_row(formula.rstrip("\\ \n"))
        formula = re.sub(r"&\s*\\text\s*\{[^{}]*\}\.?", "", formula)  # a remark beside the line
        formula = formula.replace("&", "").strip(" .\n")

    return formula


def _last_row(formula: str) -> str:
    """The last of aligned lines. The rows of a matrix in it are not lines of their own."""
    depth, start = 0, 0

    for mark in re.finditer(r"\\\\|\\begin(?![A-Za-z])|\\end(?![A-Za-z])", formula):
        if mark.group() == "\\begin":
            depth += 1
        elif mark.group() == "\\end":
            depth -= 1
        elif depth == 0:
            start = mark.end()

    return formula[start:]


def formulas_in(text: str) -> list[re.Match[str]]:
    """Delimited formulas in the end of a text.

    What stands between the dollar signs of two sums of money is not one. Where some formulas say more than a name,
    those that only name something are left out.
    """
    found = []
    for span in islice(MATH.finditer(text, max(0, len(text) - _END_OF_TEXT)), _MAX_FORMULAS):
        if _looks_like_formula(inside(span)):
            found.append(span)

    telling = [span for span in found if not _NAME_ONLY.fullmatch(inside(span))]
    return telling or found


def names_only(formula: str) -> bool:
    """Whether a formula only names something: x, f(x), \\alpha_1."""
    return _NAME_ONLY.fullmatch(formula) is not None


def _looks_like_formula(content: str) -> bool:
    """Not the text between two amounts: "$5 per day and spends $3" holds "5 per day and spends "."""
    if (
        not content
        or content[0] in "^_"
        or ". " in content
        or content.endswith(("=", "+", "-", "*", ","))
    ):
        return False

    plain = re.sub(r"\\[A-Za-z]+\s*(?:\{[^{}]*\})?", " ", content)
    return len(_ENGLISH.findall(plain)) < 2


def result(formula: str) -> str:
    """The end of a derivation: the last side of a chain of equations, the last of several lines.

    A single equation is kept whole when its left side names an unknown ("y = 2x"), since it may itself be the
    answer; of "18 = x" the number is the result, and of "a = 22/7 \\approx 3.14" the exact value.
    """
    for arrow in _ARROWS:
        formula = formula.rpartition(arrow)[2]

    signs = _top_level_equalities(formula)
    if not signs:
        return formula

    left = formula[: signs[0].start()].strip()
    right = formula[signs[-1].end() :].strip()

    if len(signs) > 1 and _assigns_several(formula, signs):
        return formula

    if signs[-1].group() == "\\approx":
        start = signs[-2].end() if len(signs) > 1 else 0
        before_approx = formula[start : signs[-1].start()].strip()
        if not before_approx:
            return right
        if "." not in before_approx and not _NAME_ONLY.fullmatch(before_approx):
            return before_approx

    if len(signs) == 1 and not re.search("[A-Za-z]", left) and _BARE_NAME.fullmatch(right):
        return left  # 18 = x

    derived = len(signs) > 1 or not re.search(r"[A-Za-z]", _COMMANDS_AND_TEXT.sub("", left))
    return right if derived and right.strip(" .,;") else formula


def _assigns_several(formula: str, signs: list[re.Match[str]]) -> bool:
    """Whether values are given to several names: "u = 4, v = -1", where a derivation goes on with one."""
    if not _ASSIGNED.match(formula):
        return False
    sides = [formula[before.end() : behind.start()] for before, behind in pairwise(signs)]
    return any(_NEXT_NAME.search(side) for side in sides)


def _top_level_equalities(formula: str) -> list[re.Match[str]]:
    """Signs of equality outside braces and environments: those of \\sum_{i=1} do not count."""
    depth = 0
    signs = []

    for match in _EQUALS.finditer(formula):
        depth += _DEPTH_OF.get(match.group(), 0)
        if depth == 0 and match.group() in _EQUALITY_SIGNS:
            signs.append(match)

    return signs


def joined(text: str, spans: list[re.Match[str]]) -> str:
    """The last formula, with those before it that belong to the same list ("$1$ and $2$")."""
    last = spans[-1]
    kept = [last]
    last_is_assignment = _ASSIGNED.match(inside(last))

    for span in reversed(spans[:-1]):
        if len(kept) >= MAX_JOINED or not BETWEEN.fullmatch(text, span.end(), kept[-1].start()):
            break
        if last_is_assignment and not _ASSIGNED.match(inside(span)):
            break  # "5x = 180 or x = 36"
        kept.append(span)

    end = last.end()
    percent = "%" if re.match(r"\s?\\?%", text[end : end + 3]) else ""

    # A derivation ("$x = 3 + 4 = 7$") is an answer by its result alone, never a member of a list.
    if len(kept) == 1 or result(inside(last)) != inside(last):
        return result(inside(last)) + (percent or unit_following(text, end))
    return ", ".join(inside(span) for span in reversed(kept)) + percent


def quantity(text: str, number: re.Match[str]) -> str:
    """A number of a sentence with its scale ("million") and the unit behind it, if that is a known one."""
    scale = _SCALE.match(text, number.end())
    end = scale.end() if scale else number.end()
    return text[number.start() : end].strip() + unit_following(text, end)


# "yes, because 3 > 2", "all real numbers": answers in words that hold a number.
_ANSWER_IN_WORDS = re.compile(
    r"(?:all|any) real|(?:yes|no|true|false)\b,? (?:because|since|as)\b", re.I
)
_FUNCTION_NAME = re.compile(r"(?:np\.|math\.)?[A-Za-z]{2,8}(?=\()")  # sqrt(2), np.arcsin(10/13)
_COMMAND = re.compile(r"\\[A-Za-z]+\*?(?:\{[^{}]*\})?")
# "x大于等于" (x is at least): an inequality in words
_CHINESE_RELATION = re.compile(r"[a-zA-Z]\s*(?:[大小]于(?:或?等于)?|不[大小等]于|不超过|等于)\s*")
_CHINESE_NUMERAL_END = re.compile(r"[零〇一二两三四五六七八九十百千万亿]\s*$")
_FOREIGN_WORD = re.compile(
    r"[\u0400-\u0fff\u3040-\u30ff\uac00-\ud7af]{2}"
)  # Cyrillic to Thai, kana, Hangul
# "After 2 years she has $64": what somebody has, behind the verb.
_HAS_NUMBER = re.compile(
    r"\b(?:has|have|had|gets?|pays?|paid|costs?|earns?|earned|needs?|takes?|saves?|saved)\s+\\?\$?\d[^()]{0,30}$"
)
_IS_NUMBER = re.compile(r"\b(?:is|are|was|equals)\s+\\?\$?-?\d[\d,./]*\W*$")
_NUMBER_THEN_SENTENCE = re.compile(
    r"\d[%\s]*(?:[a-z]+\s+)?"
    r"(?:(?:of(?=\s+\D)|in|for)\s+\w|(?:left|remains?|remaining|more|are|were|as (?:the|our|my))\b)"
)


def is_prose(text: str) -> bool:
    """A sentence around a number ("She makes 18 dollars every day"), not an answer with its unit ("18 dollars")."""
    if not any(char.isdigit() for char in text):
        return False
    if _ANSWER_IN_WORDS.match(text):
        return False

    outside = _COMMAND.sub(" ", _FUNCTION_NAME.sub(" ", text))
    first = NUMBER.search(outside)
    before = outside[: first.start()] if first else outside

    if _CHINESE_RELATION.fullmatch(before):
        return False
    if re.search(r"[一-鿿]{2,}", before) and not _CHINESE_NUMERAL_END.search(before):
        return True
    if not text.isascii() and _FOREIGN_WORD.search(before):
        return True
    if not before.strip(" $*") and _NUMBER_THEN_SENTENCE.search(outside):
        return True  # "12 apples remain in total"

    if len(WORD.findall(outside)) >= 3 and _HAS_NUMBER.search(outside):
        return True

    # "…, the minimum is 14."
    if len(WORD.findall(outside)) >= 3 and _IS_NUMBER.search(outside):
        return True

    # Two words before the number, or six in all: nobody writes a unit of that length.
    return len(WORD.findall(before)) >= 2 or len(WORD.findall(outside)) >= 6
