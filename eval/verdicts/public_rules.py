r"""The verdict of the public DeepSeekMath evaluation's rules, to compare scores with the paper's tables.

Written anew from a description of that code (order of extraction, string rules, tolerances), bugs included:

* numbers are equal within 1e-3 absolutely, so all tiny numbers are equal;
* a factor of 100 up or down is accepted, with or without a percent sign;
* "inf" inside any word becomes \infty, and every j becomes i when the answer holds no i;
* all boxes count, every gold and every prediction must be matched, the last len(gold) distinct ones are kept;
* a mixed number is read as a product;
* with no box, the text after the last "he answer is", then the last program output, then the last number.

Known difference: where the original asks sympy to parse and simplify, the values of the two formulas are compared by
eval.grading.formula.same_value; where the original runs into its 15-second limit or evaluates text as Python, this
says no.
"""

import re
from fractions import Fraction

from eval.grading.extract.answer import box_content
from eval.grading.formula.parser import parse_formula
from eval.grading.formula.same_value import value_of
from eval.grading.formula.tokens import FormulaError, FormulaLimit
from eval.grading.normalise.latex import clean

_TOLERANCE = 1e-3
_MAX_ANSWER = 1000  # characters; longer answers are compared as they are
_LAST_NUMBER = re.compile(r"-?\d+\.?\d*")
_PUBLIC_FINAL = re.compile(r"final answer is \$(.*?)\$\. I hope")
_UNIT_TEXT = re.compile(r"\\text\s*\{.*?\}$")


def compat_correct(gold: str, prediction: str, several: bool = False) -> bool:
    """Whether the public rules call the prediction right.

    `several`: the question asks for answers separated by commas, so answers without brackets are split there.
    """
    golds, predictions = compat_answers(str(gold), is_gold=True), compat_answers(str(prediction))
    golds, predictions = _split(golds, several), _split(predictions, several)
    if not golds or not predictions:
        return False
    distinct = list(dict.fromkeys(predictions))[-len(golds) :]
    return all(any(same_by_public_rules(p, g) for g in golds) for p in distinct) and all(
        any(same_by_public_rules(p, g) for p in distinct) for g in golds
    )


def _split(answers: list[str], several: bool) -> list[str]:
    """Answers split at \\text{ and }, and at commas where the question says so and no bracket occurs."""
    parts = [part for answer in answers for part in answer.split("{and}")]
    if several:
        parts = [
            p
            for part in parts
            for p in ([part] if re.search(r"[()\[\]]", part) else part.split(","))
        ]
    return [part for part in parts if part]


def compat_answers(text: str, is_gold: bool = False) -> list[str]:
    """All answers that the public extraction finds, normalised its way."""
    public = _PUBLIC_FINAL.findall(text)
    if public:
        return [compat_normal(public[-1])]
    boxes = _boxes(text)
    if boxes:
        return [compat_normal(box) for box in boxes]
    if "####" in text and is_gold:
        return [compat_normal(text.rpartition("####")[2])]
    if "he answer is" in text:
        return [compat_normal(text.rpartition("he answer is")[2])]
    if is_gold and "\n" not in text:
        return [compat_normal(text)]
    if "```output" in text:
        output = text.rpartition("```output")[2].partition("```")[0].strip()
        return [compat_normal(output)] if output else []
    numbers = _LAST_NUMBER.findall(text.replace(",", ""))
    return [compat_normal(numbers[-1])] if numbers else []


def _boxes(text: str) -> list[str]:
    found, position = [], text.find("boxed{")
    while position >= 0 and len(found) < 64:
        content, end = box_content(text, position - 1)
        if content is None:
            break
        found.append(content + ("%" if text.startswith(("%", "\\%"), end) else ""))
        position = text.find("boxed{", end)
    return found


def compat_normal(text: str) -> str:
    """The public string normalisation: first line, markup, units, fractions, and its oddities."""
    text = text.strip().partition("\n")[0]
    if len(text) > _MAX_ANSWER:
        return text
    text = text.lstrip(":").rstrip("./ ").strip()
    text = (
        text.replace("\\!", "")
        .replace("tfrac", "frac")
        .replace("dfrac", "frac")
        .replace("\\left", "")
    )
    text = (
        text.replace("\\right", "")
        .replace("^{\\circ}", "")
        .replace("^\\circ", "")
        .replace("\\$", "")
        .replace("$", "")
    )
    without_unit = _UNIT_TEXT.sub("", text).strip()
    text = without_unit if without_unit else text
    text = (
        text.replace("\\text", "")
        .replace("x\\in", "")
        .replace("\\%", "")
        .replace("%", "")
        .replace("\\ ", "")
    )
    text = re.sub(r"\\mbox\{.*?\}", "", text)
    text = text.replace("infinity", "\\infty") if "\\infty" not in text else text
    text = re.sub(r"(?<!\\)inf(?!ty)", "\\\\infty", text)
    if "j" in text and "i" not in text:
        text = text.replace("j", "i")
    text = re.sub(r"(\d+)\.0+(?!\d)", r"\1", text)
    text = "0" + text if text.startswith(".") else text
    parts = text.split("=")
    if len(parts) == 2 and len(parts[0].strip()) <= 2:
        text = parts[1]
    text = re.sub(
        r"\\frac(\d)(\d)",
        r"\\frac{\1}{\2}",
        re.sub(r"\\sqrt(\d)", r"\\sqrt{\1}", text.replace(" ", "")),
    )
    text = re.sub(r"\((\d+),(\d{3})\)$", r"(\1,\2)", text)
    plain = re.fullmatch(r"(-?\d+)/(\d+)", text)
    return f"\\frac{{{plain[1]}}}{{{plain[2]}}}" if plain else text


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", "")) if len(text) <= 400 else None
    except ValueError:
        return None


def same_by_public_rules(prediction: str, reference: str) -> bool:
    """Equality of two normalised answers: strings, numbers within 1e-3 or a factor of 100, elements, values."""
    if prediction == reference:
        return True
    left, right = _number(prediction), _number(reference)
    if left is not None and right is not None:
        return any(
            left == item or abs(left - item) <= _TOLERANCE
            for item in (right / 100, right, right * 100)
        )
    if not prediction or not reference or max(len(prediction), len(reference)) > 4 * _MAX_ANSWER:
        return False
    if prediction.lower() == reference.lower() or prediction.strip("[](){}") == reference.strip(
        "[](){}"
    ):
        return True
    elements = _elements(prediction), _elements(reference)
    if elements[0] and elements[1]:
        return len(elements[0]) == len(elements[1]) and all(map(same_by_public_rules, *elements))
    return _symbolicallysame_by_public_rules(prediction, reference)


def _elements(text: str) -> list[str] | None:
    """Parts of a tuple or interval, or the rows and cells of a pmatrix; brackets are not compared."""
    matrix = re.fullmatch(r"\\begin\{[pb]matrix\}(.*)\\end\{[pb]matrix\}", text)
    if matrix:
        return [cell for row in matrix[1].split("\\\\") if row for cell in row.split("&")]
    if re.fullmatch(r"[(\[].+,.+[)\]]", text):
        return text[1:-1].split(",")
    return None


def _symbolicallysame_by_public_rules(prediction: str, reference: str) -> bool:
    from eval.grading.equality.compare import same_formula

    as_product = (
        re.sub(r"(\d)\\frac", r"\1\\cdot\\frac", text) for text in (reference, prediction)
    )
    try:
        gold, other = (parse_formula(clean(text)) for text in as_product)
        if same_formula(gold, other):
            return True
        values = value_of(gold), value_of(other)
    except (FormulaError, FormulaLimit):
        return False
    return None not in values and abs(values[0] - values[1]) <= Fraction(1, 1000)  # type: ignore[operator]
