r"""The public DeepSeekMath evaluation's own extraction and equality for each task, where it has one.

    >>> compat_verdict(TABLE["ocw"], "-1.5", "The final answer is -1.5. I hope it is correct.", style="few-shot")
    False

Chat models: the general rules of eval.verdicts.public_rules for every answer that is not a program or a proof.
Few-shot: GSM8K takes the last number before the next "Q: "; SAT and MMLU-STEM the letter after "the final answer is";
CMATH the last number after 答案是; Gaokao MathCloze and MathQA what follows 答案是; OCW what stands before
"I hope it is correct". Bugs that are reproduced on purpose stand at the functions; docs/grading.md lists them.
"""

import re

from eval.grading.normalise.numbers import parse_number
from eval.tasks.declarations import Benchmark
from eval.verdicts.public_rules import compat_correct, compat_normal, same_by_public_rules

_NUMBER = re.compile(r"-?\d+\.?\d*")
_FINAL_CHOICE = re.compile(r"the final answer is \(?([A-E])\)?", re.I)
_OCW_FINAL = re.compile(r"final answer is\s*(.*?)\.?\s*I hope it is correct", re.S)
_FLOAT = re.compile(r"-?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d{1,3})?", re.I)

# Relative closeness that the public code ends up with, whatever its 1 % threshold says
_OCW_NEAR = 1e-5
_OCW_TINY = 1e-8


def compat_verdict(
    benchmark: Benchmark, gold: str, prediction: str, style: str = "chat", question: str = ""
) -> bool | None:
    """Whether the public rules call the prediction right; None where the benchmark is not scored by its answer.

    `style`: "chat" or "few-shot". `question`: asks for several answers where it says "separated by commas".
    """
    if benchmark.metric != "answer":
        return None

    rules = _FEW_SHOT.get(benchmark.name) if style == "few-shot" else None
    if rules is not None:
        return rules(str(gold), str(prediction))
    return compat_correct(gold, prediction, several="separated by commas" in question)


def _gsm8k(gold: str, text: str) -> bool:
    """The last number of the answer to this question, within 1e-3 or a factor of 100."""
    answer = text.split("Q: ")[0]  # the model goes on with a question of its own
    numbers = _NUMBER.findall(answer.replace(",", ""))
    if not numbers:
        return False
    return same_by_public_rules(numbers[-1], gold.replace(",", ""))


def _choice(gold: str, text: str) -> bool:
    """The letter that was named last."""
    letters = _FINAL_CHOICE.findall(text)
    if not letters:
        return False
    return letters[-1].upper() == gold.strip("() ").upper()


def _cmath(gold: str, text: str) -> bool:
    """Bug: the last number, so the prediction 1/5 is 5 and every fraction among the golds is lost."""
    numbers = _NUMBER.findall(_after_mark(text).replace(",", ""))
    if not numbers:
        return False
    return same_by_public_rules(numbers[-1], gold)


def _cloze(gold: str, text: str) -> bool:
    r"""Bug: the gold is normalised and the prediction is not, so 90^{\circ}, \mathrm{i} or \left[ cannot be matched."""
    golds = [compat_normal(part) for part in gold.split(";")]
    answers = [part.strip() for part in _after_mark(text).strip("。. $").split(";")]

    if any(re.search(r"\\circ|\\mathrm|\\left|\$", part) for part in answers):
        return False
    return len(golds) == len(answers) and all(map(same_by_public_rules, answers, golds))


def _gaokao_choice(gold: str, text: str) -> bool:
    """Bug: of all letters named, the one whose first mention comes last ("BACD" is D)."""
    answer = _after_mark(text)
    first_mention = {letter: answer.find(letter) for letter in "ABCD" if letter in answer}
    if not first_mention:
        return False

    chosen = max(first_mention, key=first_mention.__getitem__)
    return chosen == "".join(gold.split()).strip("()")


def _after_mark(text: str) -> str:
    """The line behind the last 答案是 of the answer to this question."""
    answer = text.split("\n问题")[0]
    behind = answer.rpartition("答案是")[2]
    return behind.lstrip("：: ").partition("\n")[0]


def _ocw(gold: str, text: str) -> bool:
    """Numbers by the public code's comparison, everything else as a string (its symbolic branch is never reached)."""
    found = _OCW_FINAL.findall(text)
    answer = found[-1].strip().strip("$") if found else ""

    if not _FLOAT.fullmatch(gold.strip()):
        return bool(answer) and _squeezed(answer) == _squeezed(gold)

    number = parse_number(answer)
    return number is not None and _ocw_numbers(float(number.value), float(gold))


def _ocw_numbers(first: float, second: float) -> bool:
    """Bug: the tolerance of equal values is 1 % of their mean, so it is negative for -5 = -5 and none for 0 = 0;
    other values are near within 1e-5, so 1.60 is not 1.61."""
    distance = abs(first - second)
    if min(abs(first), abs(second), distance) <= _OCW_TINY:
        mean = (first + second) / 2
        return distance < 0.01 * mean
    return distance <= _OCW_TINY + _OCW_NEAR * abs(second)


def _squeezed(text: str) -> str:
    """Without blanks and markup of size and space."""
    return re.sub(r"\s|\\left|\\right|\\,|\\;|\$", "", text)


_FEW_SHOT = {
    "gsm8k": _gsm8k, "sat": _choice, "mmlu_stem": _choice, "mmlu": _choice, "cmath": _cmath,
    "gaokao_mathcloze": _cloze, "gaokao_mathqa": _gaokao_choice, "ocw": _ocw,
}  # fmt: skip
