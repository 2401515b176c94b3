r"""Grade an answer: `grade(gold, prediction) -> Verdict`. For benchmarks and for rewards in RL.

    >>> grade("1/2", r"Half of it, so \boxed{\frac{1}{2}}.").correct
    True

`same_answer` compares two bare answers in tiers, cheap ones first, each deciding what it can: equal
strings; letters of options; numbers (fractions, percent, units, 万); words; structure and values of
formulas (sets, tuples, intervals, matrices, relations). Model text is data: nothing is ever passed
to `eval`, `sympify` or `parse_expr`. All work is bounded by static limits instead of clocks, so a
pair has the same verdict on every machine, in every thread and process; where a limit forbids a
decision, `status` says so.

Does not run programs (eval.sandbox does) and does not read questions.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from eval.cases.answer import Unreadable, read_answer
from eval.cases.gold import Case, case_of
from eval.grading.choices import is_choice, same_choice, without_label, without_option
from eval.grading.extract.answer import Extraction, extract
from eval.grading.extract.sentences import begins_in_words, ends_in_words, sentence_answer
from eval.grading.extract.wordings import stated_inequality
from eval.grading.formula.tokens import FormulaError, FormulaLimit
from eval.grading.normalise.asides import Approximated, split_approximation, without_aside
from eval.grading.normalise.clean import clean, squeezed
from eval.grading.normalise.units import conversion, split_unit
from eval.grading.normalise.verbal import (
    as_words,
    is_decided,
    same_names,
    same_time,
    same_words,
)
from eval.grading.quantities import same_quantity, without_text_commands
from pipeline.process_pool import run_jobs

GRADER_VERSION = "1"
MAX_ANSWER = 16_384  # characters; a longer answer is right only as an equal string
_MAX_WORDS = 1000  # characters of an answer in words
# Characters of a gold such as "yes" or "no solution", which other words cannot equal.
_MAX_DECIDED = 20
_MAX_TIME = 24  # characters of a time of day
_MAX_CHUNK = 2000  # pairs that a process grades at once

_UNANNOUNCED = ("whole", "last number", "last formula")  # nothing in the text announced the answer

# What is written before an answer: "the point (1, 2)", "\text{area} = 5", "Answer: 5".
_LABEL = re.compile(
    r"^(?!lambda\s*:|(?i:option|choice)\b)(?:(?:(?:the )?(?:\\text\{\s*)?points?\s*\}?|点)\s*(?=\()"
    r"|[a-zA-Z]\s*:\s*(?=[^:=]+=[^:=]+$)"  # l: x - y = 0
    r"|(?:\\text\{[^{}\d]*\}|[A-Z]?[a-z]{3,}(?: [A-Za-z]+)*)\s*[=:]\s*(?=\S))"
)
_WORD_FOR = {
    r"\infty": "infinite",
    r"+\infty": "infinite",
    r"\emptyset": "no solution",
    r"\varnothing": "no solution",
}
# Only where a word or bracket stands behind something is there a remark or a sentence to look for.
_MAY_SAY_MORE = re.compile(r"[a-z]{2}|[(≈~]|[^\x00-\x7f]", re.I)
_FORMULA_SIGN = re.compile(r"\\(?!text\b)[A-Za-z]|[=<>^_|+*/]")
_INEQUALITY = re.compile(r"[<>≤≥]|\\[gl](?:eq?|t)(?![a-z])|infty|∞|\\[gl]eqslant")
_SIGNED_NUMBER = re.compile(r"(?<![A-Za-z])-\s*\d|\d[.,:]\d")
_MIXED_IN_WORDS = re.compile(
    r"(\d+)\s*(?:and|\\text\{\s*and\s*\})\s*(\d+/\d+|\\frac\s*\{\d+\}\s*\{\d+\})"
)
_DEGREES = re.compile(r"\^\s*\{?\\circ\s*\}?")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an answer is right, and how this was found out.

    `status`: ok (decided), no_answer (nothing to grade), limit (too large to decide), crash (of a
    worker).

    `method` says how the answer was found, `tier` what decided: string, number, choice, formula,
    text or none. Only status ok can be correct.
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

    `final_box_only` is the mode of rewards: only the last, finished, non-empty `\boxed{}` counts.
    `tolerance` is a relative tolerance for numbers (OCW: 0.01); without it numbers are exact up to
    the rounding of the gold. `language` is accepted for every benchmark's call; the rules of all
    languages are always on. `answer_type` is the benchmark's ("choice": a letter is looked for);
    without it the gold's own form decides.
    """
    prediction = str(prediction)
    case = case_of(str(gold))
    if case is not None:
        return _case_verdict(case, prediction)

    gold_answer = _gold_answer(str(gold))
    if not final_box_only and gold_answer and gold_answer == prediction.strip():
        return Verdict(True, gold_answer, "ok", "whole", "string")

    choice = answer_type == "choice" or is_choice(gold_answer)
    found = extract(prediction, final_box_only=final_box_only, choice=choice)
    verdict = _verdict(gold_answer, found, tolerance)
    if verdict.correct or choice or found.method not in _UNANNOUNCED:
        return verdict

    # Nothing in the text announced the answer: it may still end with the gold in words.
    if ends_in_words(gold_answer, prediction) or begins_in_words(gold_answer, prediction):
        return Verdict(True, gold_answer, "ok", "last words", "text")

    # … or with an inequality in words.
    inequality = stated_inequality(prediction) if _INEQUALITY.search(gold_answer) else None
    if inequality and inequality != found.answer:
        in_words = _verdict(gold_answer, Extraction(inequality, "last words"), tolerance)
        return in_words if in_words.correct else verdict
    return verdict


def _case_verdict(case: Case, prediction: str) -> Verdict:
    """Of an answer to a case the diagnosis is right or wrong; how good the rest is, eval.cases measures."""
    answer = read_answer(prediction)
    if isinstance(answer, Unreadable):
        return Verdict(False, None, "no_answer", "case")
    return Verdict(answer.diagnosis in case.diagnosis, answer.diagnosis, "ok", "case", "text")


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

    # About four chunks a worker, so that a slow one does not keep the others waiting.
    size = max(1, min(_MAX_CHUNK, -(-len(pairs) // (4 * workers))))
    chunks = [pairs[start : start + size] for start in range(0, len(pairs), size)]
    graded = run_jobs(
        _grade_chunk,
        [(chunk,) for chunk in chunks],
        workers,
        shared=(final_box_only, tolerance),
        on_failure=_crashed_chunk,
    )
    return [verdict for verdicts in graded for verdict in verdicts]


def _grade_chunk(
    pairs: Iterable[tuple[str, str]], final_box_only: bool, tolerance: float | None
) -> list[Verdict]:
    return [
        grade(gold, text, final_box_only=final_box_only, tolerance=tolerance)
        for gold, text in pairs
    ]


def _crashed_chunk(pairs: Sequence[tuple[str, str]]) -> list[Verdict]:
    """Verdicts of a chunk whose process died: no pair of it may pass for graded."""
    return [Verdict(False, None, "crash") for _ in pairs]


@lru_cache(maxsize=16384)
def _gold_answer(gold: str) -> str:
    """The answer inside a gold, which may be a whole solution."""
    gold = gold.strip()
    if "\\boxed" in gold or "####" in gold or "\n" in gold:
        return (extract(gold).answer or "").strip()
    return gold


# --- the tiers: each compares two bare answers, cleaned and without labels, and decides (True or
# False) or leaves the decision to the next (None)

Tier = Callable[[str, str, Fraction | None], bool | None]


def _choice_tier(gold: str, answer: str, _: Fraction | None) -> bool | None:
    return same_choice(gold, answer)


def _time_tier(gold: str, answer: str, _: Fraction | None) -> bool | None:
    """Times of day: 3:45 pm."""
    if len(gold) >= _MAX_TIME or len(answer) >= _MAX_TIME:
        return None
    first, second = without_text_commands(gold), without_text_commands(answer)
    return same_time(first, second)


def _words_tier(gold: str, answer: str, _: Fraction | None) -> bool | None:
    """Names, yes and no, "no solution"."""
    gold = _WORD_FOR.get(squeezed(gold), gold)
    answer = _WORD_FOR.get(squeezed(answer), answer)
    if gold.startswith("-") != answer.startswith("-"):
        return None

    # Against "yes" or "no solution", only words of the same meaning count.
    if len(gold) < _MAX_DECIDED and len(answer) < _MAX_WORDS and is_decided(as_words(gold)):
        return same_words(as_words(gold), as_words(answer)) or None

    if _FORMULA_SIGN.search(gold + answer):
        return None
    if max(len(gold), len(answer)) > _MAX_WORDS:
        return None
    if not same_words(as_words(gold), as_words(answer)):
        names = without_text_commands(gold), without_text_commands(answer)
        if not same_names(*names):
            return None

    # Words ignore punctuation, in which numbers may differ: -5, 3.2, 3:2.
    return _SIGNED_NUMBER.findall(gold) == _SIGNED_NUMBER.findall(answer) or None


def _formula_tier(gold: str, answer: str, tolerance: Fraction | None) -> bool | None:
    """Structure and values of the parsed answers, in every reading of their units."""
    # Imported here: the ordinary answer never comes this far.
    from eval.grading.equality.compare import same_formula
    from eval.grading.formula.parser import parse_formula

    for first, second in _readings(gold, answer):
        try:
            if same_formula(parse_formula(first), parse_formula(second), tolerance):
                return True
        except FormulaError:
            continue
    return None


def _readings(gold: str, answer: str) -> list[tuple[str, str]]:
    """The pair as it stands, without equal units, with degrees on both sides or on none."""
    readings = [(gold, answer)]

    gold_value, gold_unit = split_unit(gold)
    value, unit = split_unit(answer)
    if (gold_unit or unit) and conversion(gold_unit, unit) == 1:
        readings.append((gold_value, value))

    # 30° beside 30, which may be degrees or the number: both sides in degrees.
    if gold_unit == "degree" and unit is None:
        readings.append((f"({gold_value})^\\circ", value))
    elif unit == "degree" and gold_unit is None:
        readings.append((gold_value, f"({value})^\\circ"))

    # "2 and 5/6" may be a mixed number.
    mixed = _MIXED_IN_WORDS.fullmatch(answer)
    if mixed and "," not in gold and "and" not in gold:
        readings.append((gold, f"{mixed[1]} + {mixed[2]}"))

    # 45°, 135° and 45, 135
    if ("\\circ" in gold) != ("\\circ" in answer) and "," in gold:
        readings.append((_DEGREES.sub("", gold), _DEGREES.sub("", answer)))
    return readings


# Tried in this order, cheap ones first, after equal strings. The name is what Verdict.tier shows.
_TIERS: tuple[tuple[str, Tier], ...] = (
    ("choice", _choice_tier),
    ("text", _time_tier),
    ("number", same_quantity),
    ("text", _words_tier),
    ("formula", _formula_tier),
)


@lru_cache(maxsize=65536)
def same_answer(gold: str, answer: str, tolerance: float | None = None) -> tuple[bool, str]:
    """(whether the two bare answers are the same, the tier that decided). Raises FormulaLimit."""
    if gold.strip() == answer.strip():
        return True, "string"
    if max(len(gold), len(answer)) > MAX_ANSWER:
        raise FormulaLimit("characters")

    bare_gold, bare_answer = clean(gold), clean(answer)
    if not bare_gold or not bare_answer:
        return False, "string"
    if squeezed(bare_gold) == squeezed(bare_answer):
        return True, "string"

    bare_gold, bare_answer = _LABEL.sub("", bare_gold), _LABEL.sub("", bare_answer)
    bare_gold = without_option(bare_gold, bare_answer)
    bare_answer = without_label(bare_gold, bare_answer)
    exact_tolerance = None if tolerance is None else Fraction(tolerance)
    for name, tier in _TIERS:
        same = tier(bare_gold, bare_answer, exact_tolerance)
        if same is not None:
            return same, name

    # No tier decided: once more without what is appended, and with what a whole sentence states.
    stated_gold, stated_answer = _stated(gold, bare_gold), _stated(answer, bare_answer)
    if stated_gold == gold and stated_answer == answer:
        return False, "formula"

    # "There are two acute angles" beside "There are two obtuse angles": the number says too little.
    both_in_words = stated_gold != gold and stated_answer != answer
    if both_in_words and not re.search(r"\d", gold + answer):
        return False, "text"
    return same_answer(stated_gold, stated_answer, tolerance)


def _stated(answer: str, cleaned: str) -> str:
    """What an answer says without its remarks, or as a sentence; the answer itself where it says no less."""
    if not _MAY_SAY_MORE.search(cleaned):
        return answer
    approximated = split_approximation(cleaned)
    if approximated and approximated.unit and _agrees(approximated):
        return approximated.exact
    value = without_aside(cleaned)
    if value != cleaned:
        return value
    return sentence_answer(answer) or answer


def _agrees(answer: Approximated) -> bool:
    """Whether the decimal is an approximation of the value that it stands behind."""
    from eval.grading.equality.approximations import approximated
    from eval.grading.formula.parser import parse_formula

    value, _ = split_unit(answer.exact)
    try:
        return approximated(parse_formula(f"{value} \\approx {answer.decimal}")) is not None
    except (FormulaError, FormulaLimit):
        return False
