r"""Grade an answer: `grade(gold, prediction) -> Verdict`. The benchmark's grader and the reward of RL.

    >>> grade("1/2", r"Half of it, so \boxed{\frac{1}{2}}.").correct
    True

Tiers, each deciding what it can: equal strings; exact numbers (fractions, percent, units, 万); structure (sets,
tuples, intervals, matrices, relations); values of formulas. Model text is data: nothing is ever passed to `eval`,
`sympify` or `parse_expr`. All work is bounded by static limits instead of clocks, so a pair has the same verdict
on every machine, in every thread and process; where a limit forbids a decision, `status` says so.

Does not run programs (eval.sandbox does) and does not read questions.
"""

import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from multiprocessing import get_context

from eval.grading.extract.answer import Extraction, extract
from eval.grading.extract.sentences import ends_in_words, sentence_answer
from eval.grading.formula.tokens import FormulaError, FormulaLimit
from eval.grading.normalise.latex import as_words, clean, squeezed
from eval.grading.normalise.numbers import Number, parse_number, same_number
from eval.grading.normalise.units import compound, conversion, split_unit
from eval.grading.normalise.verbal import (
    is_decided,
    number_in_words,
    same_names,
    same_time,
    same_words,
)

GRADER_VERSION = "1"
_MAX_WORDS = 1000  # characters of an answer in words
MAX_ANSWER = 16_384  # characters; a longer answer is right only as an equal string
_CHOICE = re.compile(r"\(?\s*(?:\\text\{\s*)?\(?([A-H])\)?\s*\}?\s*\)?\.?")
_MANY_CHOICES = re.compile(r"[A-H](?:[\s,]*[A-H])+")
_LABELLED = re.compile(
    r"\(?\s*(?:\\text\{\s*\(?)?([A-H])\s*\)?\s*\}?\s*(?:[.:)]|$|\s(?!\s*(?:and|or)\b))"
)
_OPTION = re.compile(
    r"^(?:(?:the )?(?:correct )?(?:option|choice|answer)\s*(?:is)?\s*:?|选项?|选择|答案)\s*|^\[(?=[A-Ha-h]\]$)|\]$"
    r"|(?<=^[A-H])\s*选?项$",
    re.I,
)
_DEGREES = re.compile(r"\^\s*\{?\\circ\s*\}?")
_LETTERS = re.compile(r"(?<![A-Za-z\\])([A-H])(?![A-Za-z])")
_LABEL = re.compile(
    r"^(?!lambda\s*:|(?i:option|choice)\b)(?:(?:the )?(?:\\text\{\s*)?points?\s*\}?\s*(?=\()"
    r"|(?:\\text\{[^{}\d]*\}|[A-Z]?[a-z]{3,}(?: [A-Za-z]+)*)\s*[=:]\s*(?=\S))"
)
_OPTION_TEXT = re.compile(r"\(?([A-H])[).:]\s+(?=\S)")
_OTHER_OPTIONS = re.compile(r"(?:[\s,]*(?:and|or|和|或)?[\s,]*\(?[A-H]\)?(?![A-Za-z]))+[\s.]*")
_UNANNOUNCED = ("whole", "last number", "last formula")  # nothing in the text announced the answer
_WORD_FOR = {
    r"\infty": "infinite",
    r"+\infty": "infinite",
    r"\emptyset": "no solution",
    r"\varnothing": "no solution",
}
_CIRCLED = re.compile(r"\\textcircled\s*\{?\s*(\d+)\s*\}?")


@dataclass(frozen=True, slots=True)
class Verdict:
    """`status`: ok (decided), no_answer (nothing to grade), limit (too large to decide), crash (of a worker).

    `method` says how the answer was found, `tier` what decided: string, number, choice, formula, text or none.
    Only status ok can be correct.
    """

    correct: bool
    extracted: str | None
    status: str = "ok"
    method: str = ""
    tier: str = "none"


def grade(
    gold: str,
    prediction: str,
    language: str = "en",
    *,
    final_box_only: bool = False,
    tolerance: float | None = None,
    answer_type: str = "",
) -> Verdict:
    r"""Compare a prediction (an answer or a whole solution) with the gold answer (likewise).

    `final_box_only` is the mode of rewards: only the last, finished, non-empty `\boxed{}` counts. `tolerance` is a
    relative tolerance for numbers (OCW: 0.01); without it numbers are exact up to the rounding of the gold.
    `language` is accepted for every benchmark's call; the rules of all languages are always on. `answer_type` is the
    benchmark's ("choice": a letter is looked for); without it the gold's own form decides.
    """
    gold_answer = _gold_answer(str(gold))
    if not final_box_only and gold_answer and gold_answer == str(prediction).strip():
        return Verdict(True, gold_answer, "ok", "whole", "string")
    choice = answer_type == "choice" or bool(_CHOICE.fullmatch(gold_answer))
    found = extract(str(prediction), final_box_only=final_box_only, choice=choice)
    verdict = _verdict(gold_answer, found, tolerance)
    if (
        verdict.correct
        or choice
        or found.method not in _UNANNOUNCED
        or not ends_in_words(gold_answer, str(prediction))
    ):
        return verdict
    return Verdict(True, gold_answer, "ok", "last words", "text")


def _verdict(gold: str, found: Extraction, tolerance: float | None) -> Verdict:
    if not gold or found.answer is None or not found.answer.strip():
        return Verdict(False, None, "no_answer", found.method)
    try:
        correct, tier = same_answer(gold, found.answer, tolerance)
    except FormulaLimit:
        return Verdict(False, found.answer, "limit", found.method)
    except Exception:  # a fault of ours must neither stop a run nor pass for a wrong answer
        return Verdict(False, found.answer, "crash", found.method)
    return Verdict(correct, found.answer, "ok", found.method, tier)


def grade_many(
    pairs: Sequence[tuple[str, str]],
    workers: int = 1,
    *,
    final_box_only: bool = False,
    tolerance: float | None = None,
) -> list[Verdict]:
    """Verdicts of (gold, prediction) pairs, in order; with `workers` > 1 in that many processes."""
    if workers <= 1 or len(pairs) < 2:
        return _grade_chunk(pairs, final_box_only, tolerance)
    size = max(1, min(2000, -(-len(pairs) // (4 * workers))))
    chunks = [pairs[start : start + size] for start in range(0, len(pairs), size)]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(_grade_chunk, chunk, final_box_only, tolerance) for chunk in chunks]
        results: list[Verdict] = []
        for chunk, future in zip(chunks, futures, strict=True):
            try:
                results.extend(future.result())
            except Exception:
                results.extend(Verdict(False, None, "crash") for _ in chunk)
    return results


def _grade_chunk(
    pairs: Iterable[tuple[str, str]], final_box_only: bool, tolerance: float | None
) -> list[Verdict]:
    return [
        grade(gold, text, final_box_only=final_box_only, tolerance=tolerance)
        for gold, text in pairs
    ]


@lru_cache(maxsize=16384)
def _gold_answer(gold: str) -> str:
    """The answer inside a gold, which may be a whole solution."""
    gold = gold.strip()
    if "\\boxed" in gold or "####" in gold or "\n" in gold:
        return (extract(gold).answer or "").strip()
    return gold


@lru_cache(maxsize=65536)
def same_answer(gold: str, answer: str, tolerance: float | None = None) -> tuple[bool, str]:
    """(whether the two bare answers are the same, the tier that decided). Raises FormulaLimit."""
    if gold.strip() == answer.strip():
        return True, "string"
    if max(len(gold), len(answer)) > MAX_ANSWER:
        raise FormulaLimit("characters")
    first, second = clean(gold), clean(answer)
    if not first or not second:
        return False, "string"
    if squeezed(first) == squeezed(second):
        return True, "string"
    first, second = _LABEL.sub("", first), _LABEL.sub("", second)
    option = _OPTION_TEXT.match(first)
    if option and not _OPTION_TEXT.match(second) and not _CHOICE.fullmatch(second):
        first = first[option.end() :]  # the gold "C. 5" answered by what option C says
    letters = _same_choice(first, second)
    if letters is not None:
        return letters, "choice"
    times = same_time(_bare(first), _bare(second)) if len(first) < 24 and len(second) < 24 else None
    if times is not None:
        return times, "text"
    exact_tolerance = None if tolerance is None else Fraction(tolerance)
    numbers = _number_of(first), _number_of(second)
    if None in numbers:
        numbers = numbers[0] or _worded(first), numbers[1] or _worded(second)
    if None in numbers and any(
        number and number[1] for number in numbers
    ):  # one letter beside its number: 3m
        numbers = numbers[0] or _close_unit(first), numbers[1] or _close_unit(second)
    if numbers[0] and numbers[1]:
        return _same_quantity(numbers[0], numbers[1], exact_tolerance), "number"
    if _same_text(first, second):
        return True, "text"
    if _same_formula(first, second, exact_tolerance):
        return True, "formula"
    stated = sentence_answer(gold) or gold, sentence_answer(answer) or answer
    return same_answer(*stated, tolerance) if stated != (gold, answer) else (False, "formula")


@lru_cache(maxsize=65536)
def _number_of(text: str) -> tuple[Number, str | None] | None:
    """(number, unit) of a cleaned answer that is one plain number."""
    number = parse_number(text)
    if number is not None:
        return number, None
    value, unit = split_unit(text)
    number = parse_number(value) if unit is not None else None
    return compound(text) if number is None else (number, unit)


def _bare(text: str) -> str:
    return re.sub(r"\\text\{([^{}]*)\}", r"\1", text).strip()


def _worded(text: str) -> tuple[Number, str | None] | None:
    """twenty-one; 21st; two dozen apples are left to the units."""
    if len(text) > 80 or not text[-1].isalpha():
        return None
    text = _bare(text)
    value = number_in_words(text)
    if value is None and text.lower().endswith(" percent"):
        value = number_in_words(text[:-8])
        return None if value is None else (Number(value / 100, percent=True), None)
    return None if value is None else (Number(value), None)


def _close_unit(text: str) -> tuple[Number, str | None] | None:
    match = re.fullmatch(r"([-+]?[\d.]+)([A-Za-z])(?:\^\{?([23])\}?)?", text)
    number = parse_number(match[1]) if match else None
    return (
        None
        if number is None
        else (number, match[2].lower() + (f"^{match[3]}" if match[3] else ""))
    )  # type: ignore[index]


def _same_quantity(gold: tuple, other: tuple, tolerance: Fraction | None) -> bool:
    factor = conversion(gold[1], other[1])
    if (gold[0].percent and other[1]) or (other[0].percent and gold[1]):
        factor = None  # 5% and 5 km
    if factor is None:
        return False
    number = other[0]
    if factor != 1:
        number = Number(number.value * factor, None, number.digits, number.percent)
    return same_number(gold[0], number, tolerance)


def _same_choice(gold: str, answer: str) -> bool | None:
    """Options: B, (B), "B. 12 cm", ABD, ①③. None when the gold is no option."""
    if len(gold) > 400 or len(answer) > 400:
        return None
    gold = re.sub(r"(?<=[A-H])\s*(?:and|和|、)\s*(?=[A-H])", ",", gold) if len(gold) < 40 else gold
    circled = _CIRCLED.findall(gold)
    if circled and not re.search(r"\w", _CIRCLED.sub("", gold)):
        rest = _CIRCLED.sub("", answer)
        if rest.strip().startswith("-"):
            return False
        return (
            None
            if re.search(r"\w", rest.replace("and", ""))
            else sorted(circled) == sorted(_CIRCLED.findall(answer))
        )
    single = _CHOICE.fullmatch(gold)
    if single:
        if answer.startswith("-"):
            return False
        answer = _OPTION.sub("", answer)
        if re.fullmatch(r"\(?[a-h][.)]?", answer) or re.match(r"\([a-h]\)\s", answer):
            answer = answer[:3].upper() + answer[3:]
        label = _LABELLED.match(answer)
        if label is None:
            return None
        if _OTHER_OPTIONS.fullmatch(answer, label.end()):
            return False  # "A B C D"
        return label[1] == single[1] and set(_LETTERS.findall(answer.partition(")")[2] or "")) <= {
            single[1]
        }
    labelled = re.match(r"\(?([A-H])[).:]\s", gold)
    if labelled and _CHOICE.fullmatch(answer):
        return _CHOICE.fullmatch(answer)[1] == labelled[1]  # type: ignore[index]
    if _MANY_CHOICES.fullmatch(gold):
        letters = re.findall(r"[A-H]", gold)
        if letters == sorted(set(letters)) and re.fullmatch(
            r"[A-H](?:(?:[\s,]|and)*[A-H])*", answer
        ):
            theirs = re.findall(r"[A-H]", answer)
            separated = not re.fullmatch(r"[A-H]+", answer)
            return (sorted(theirs) if separated or len(letters) < 4 else theirs) == letters
        if re.fullmatch(r"[A-H]+", gold) and re.fullmatch(r"[A-H]+", answer):
            return gold == answer  # an order of letters
    return None


def _same_text(gold: str, answer: str) -> bool:
    gold, answer = _WORD_FOR.get(squeezed(gold), gold), _WORD_FOR.get(squeezed(answer), answer)
    if gold.startswith("-") != answer.startswith("-"):
        return False
    if len(gold) < 20 and len(answer) < _MAX_WORDS and is_decided(as_words(gold)):
        return bool(same_words(as_words(gold), as_words(answer)))
    if re.search(r"\\(?!text\b)[A-Za-z]", gold + answer) or re.search(
        r"[=<>^_|+*/]", gold + answer
    ):
        return False
    if max(len(gold), len(answer)) > _MAX_WORDS or not (
        same_words(as_words(gold), as_words(answer)) or same_names(_bare(gold), _bare(answer))
    ):
        return False
    signs = re.compile(r"(?<![A-Za-z])-\s*\d|\d[.,:]\d")
    return signs.findall(gold) == signs.findall(answer)


def _same_formula(gold: str, answer: str, tolerance: Fraction | None) -> bool:
    from eval.grading.equality.compare import (
        same_formula,
    )  # the ordinary answer never comes this far
    from eval.grading.formula.parser import parse_formula

    (gold_value, gold_unit), (value, unit) = split_unit(gold), split_unit(answer)
    attempts = [(gold, answer)]
    if (gold_unit or unit) and conversion(gold_unit, unit) == 1:
        attempts.append((gold_value, value))
    if (gold_unit == "degree") != (unit == "degree") and (gold_unit is None or unit is None):
        sides = (
            (f"({gold_value})^\\circ", value) if gold_unit else (gold_value, f"({value})^\\circ")
        )
        attempts.append(sides)
    if ("\\circ" in gold) != ("\\circ" in answer) and "," in gold:
        attempts.append((_DEGREES.sub("", gold), _DEGREES.sub("", answer)))  # 45°, 135° and 45, 135
    for first, second in attempts:
        try:
            if same_formula(parse_formula(first), parse_formula(second), tolerance):
                return True
        except FormulaError:
            continue
    return False
