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
from eval.grading.normalise.clean import clean

_TOLERANCE = 1e-3
_MAX_ANSWER = 1000  # characters; longer answers are compared as they are
_MAX_BOXES = 64
_LONGEST_NUMBER = 400  # characters
_LAST_NUMBER = re.compile(r"-?\d+\.?\d*")
# Minerva's format, which the public few-shot prompts ask for
_PUBLIC_FINAL = re.compile(r"final answer is \$(.*?)\$\. I hope")
_UNIT_TEXT = re.compile(r"\\text\s*\{.*?\}$")

# Markup that the public normalisation deletes or renames, in its order: first before a unit in \text at the end is
# dropped, then what is left of \text and of percent signs.
_MARKUP = (
    ("\\!", ""),
    ("tfrac", "frac"),
    ("dfrac", "frac"),
    ("\\left", ""),
    ("\\right", ""),
    ("^{\\circ}", ""),
    ("^\\circ", ""),
    ("\\$", ""),
    ("$", ""),
)
_MARKUP_AFTER_UNIT = (
    ("\\text", ""),
    ("x\\in", ""),
    ("\\%", ""),
    ("%", ""),
    ("\\ ", ""),
)


def compat_correct(gold: str, prediction: str, several: bool = False) -> bool:
    """Whether the public rules call the prediction right.

    `several`: the question asks for answers separated by commas, so answers without brackets are split there.
    """
    golds = _split(compat_answers(str(gold), is_gold=True), several)
    predictions = _split(compat_answers(str(prediction)), several)
    if not golds or not predictions:
        return False

    # Only the last answers count, as many as there are golds; each must match, and each gold be matched.
    last = list(dict.fromkeys(predictions))[-len(golds) :]
    every_answer_matches = all(any(same_by_public_rules(p, g) for g in golds) for p in last)
    return every_answer_matches and all(
        any(same_by_public_rules(p, g) for p in last) for g in golds
    )


def _split(answers: list[str], several: bool) -> list[str]:
    """Answers split at \\text{ and }, and at commas where the question says so and no bracket occurs."""
    parts: list[str] = []
    for answer in answers:
        for part in answer.split("{and}"):
            if several and not re.search(r"[()\[\]]", part):
                parts += part.split(",")
            else:
                parts.append(part)
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
    r"""Contents of all boxes ("boxed{" without its backslash is one too), each with the percent sign behind it."""
    found: list[str] = []
    position = text.find("boxed{")

    while position >= 0 and len(found) < _MAX_BOXES:
        content, end = box_content(text, position - 1)
        if content is None:
            break
        percent = "%" if text.startswith(("%", "\\%"), end) else ""
        found.append(content + percent)
        position = text.find("boxed{", end)

    return found


def compat_normal(text: str) -> str:
    """The public string normalisation: first line, markup, units, fractions, and its oddities."""
    text = text.strip().partition("\n")[0]
    if len(text) > _MAX_ANSWER:
        return text

    # Markup and units
    text = text.lstrip(":").rstrip("./ ").strip()
    for markup, replacement in _MARKUP:
        text = text.replace(markup, replacement)
    text = _UNIT_TEXT.sub("", text).strip() or text  # an answer that is all text stays
    for markup, replacement in _MARKUP_AFTER_UNIT:
        text = text.replace(markup, replacement)
    text = re.sub(r"\\mbox\{.*?\}", "", text)

    # Bug: "inf" inside any word is infinity.
    if "\\infty" not in text:
        text = text.replace("infinity", "\\infty")
    text = re.sub(r"(?<!\\)inf(?!ty)", "\\\\infty", text)
    # Bug: every j is the imaginary unit where no i occurs.
    if "j" in text and "i" not in text:
        text = text.replace("j", "i")

    # Numbers: 5.000 is 5, .5 is 0.5
    text = re.sub(r"(\d+)\.0+(?!\d)", r"\1", text)
    if text.startswith("."):
        text = "0" + text

    # x = 5 is 5
    sides = text.split("=")
    if len(sides) == 2 and len(sides[0].strip()) <= 2:
        text = sides[1]

    # Roots and fractions with their braces; 1/2 as \frac
    text = text.replace(" ", "")
    text = re.sub(r"\\sqrt(\d)", r"\\sqrt{\1}", text)
    text = re.sub(r"\\frac(\d)(\d)", r"\\frac{\1}{\2}", text)
    text = re.sub(r"\((\d+),(\d{3})\)$", r"(\1,\2)", text)
    plain = re.fullmatch(r"(-?\d+)/(\d+)", text)
    return f"\\frac{{{plain[1]}}}{{{plain[2]}}}" if plain else text


def _number(text: str) -> float | None:
    if len(text) > _LONGEST_NUMBER:
        return None
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return None


def same_by_public_rules(prediction: str, reference: str) -> bool:
    """Equality of two normalised answers: strings, numbers within 1e-3 or a factor of 100, elements, values."""
    if prediction == reference:
        return True

    left, right = _number(prediction), _number(reference)
    if left is not None and right is not None:
        # Equality is asked for besides the distance: two infinities have none.
        return any(
            left == value or abs(left - value) <= _TOLERANCE
            for value in (right / 100, right, right * 100)
        )

    if not prediction or not reference or max(len(prediction), len(reference)) > 4 * _MAX_ANSWER:
        return False
    if prediction.lower() == reference.lower():
        return True
    brackets = "[](){}"
    if prediction.strip(brackets) == reference.strip(brackets):
        return True

    elements, reference_elements = _elements(prediction), _elements(reference)
    if elements and reference_elements:
        return len(elements) == len(reference_elements) and all(
            map(same_by_public_rules, elements, reference_elements)
        )
    return _same_value(prediction, reference)


def _elements(text: str) -> list[str] | None:
    """Parts of a tuple or interval, or the rows and cells of a pmatrix; brackets are not compared."""
    matrix = re.fullmatch(r"\\begin\{[pb]matrix\}(.*)\\end\{[pb]matrix\}", text)
    if matrix:
        return [cell for row in matrix[1].split("\\\\") if row for cell in row.split("&")]
    if re.fullmatch(r"[(\[].+,.+[)\]]", text):
        return text[1:-1].split(",")
    return None


def _same_value(prediction: str, reference: str) -> bool:
    """In the place of the original's sympy: equal as formulas, or in value within 1e-3."""
    # Loaded here: most pairs are decided without the formula code.
    from eval.grading.equality.compare import same_formula

    try:
        gold = parse_formula(clean(_with_products(reference)))
        other = parse_formula(clean(_with_products(prediction)))
        if same_formula(gold, other):
            return True
        gold_value, other_value = value_of(gold), value_of(other)
    except (FormulaError, FormulaLimit):
        return False

    if gold_value is None or other_value is None:
        return False
    return bool(abs(gold_value - other_value) <= Fraction(1, 1000))


def _with_products(text: str) -> str:
    r"""Bug: a mixed number, 2\frac{1}{2}, is read as a product."""
    return re.sub(r"(\d)\\frac", r"\1\\cdot\\frac", text)
