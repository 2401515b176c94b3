"""Answers that are sentences: `sentence_answer("The area is 5 square meters")` is "5 square meters".

Only where exactly one number or one formula stands in the sentence, so that nothing has to be guessed.
"""

import re

from eval.grading.extract.math_spans import NUMBER, formulas_in, inside
from eval.grading.extract.wordings import NUMBER_WORDS
from eval.grading.normalise.units import unit_following

_MAX_SENTENCE = 300

_NUMBER_WORDS = re.compile(
    r"(?:\b(?:is|are|was|were|equals|has|have|had|gets?|takes?|needs?|makes?|costs?|there will be)"
    r"|\ba total of"
    r"|\b(?:it|that)['’]s)\s+"
    rf"(?:(?:exactly|only|just|equal to|therefore|thus)\s+)?(?P<number>{NUMBER_WORDS})",
    re.I,
)

_VERB = re.compile(
    r"\b(?:loses?|lost|wins?|won|is|are|was|were|it['’]s|that['’]s|equals?|has|have|had|gets?|takes?|costs?|needs?|makes?|earns?|spends?"
    r"|pays?|bought|sold|remains?|there|will|can|must|should|would)\b|[是为了有需]",
    re.I,
)
# Words and signs with which a sentence states no quantity: "x is not 5", "at least 5", "less than 5", "maybe 5".
_OPEN = re.compile(
    r"\b(?:not|never|no|neither|nor|or|least|most|more than|less than|fewer than|greater than|between|if|maybe|about|"
    r"cannot|unless|except|if)\b|n't\b|[不非或?？<>]|至少|至多|最多|最少|大约|\\(?:ne|neq|le|leq|ge|geq|pm|approx)(?![a-z])",
    re.I,
)
# What precedes the answer in "It is an ellipse", and what makes of such a sentence something else.
_STATING = re.compile(
    r"\b(?:is|are|was|were|be|becomes?|an?|the|on)\s+(?:\*\*|\\text\{)?(?:an?\s+|the\s+)?$", re.I
)
_NOUN = re.compile(r"^ (?:function|number|integer|triangle|sequence|series|angle|curve)\b")
_DENIED = re.compile(
    r"\b(?:not|never|neither|nor|or|no|either|whether|if|unless|and)\b|n't\b|,", re.I
)
# A formula without delimiters at the sentence's end: "the limit is \frac{1}{2}".
_FORMULA = re.compile(r"(?:\bis|\bare|\bequals?)\s+(?:equal to\s+)?(-?\\[A-Za-z].*|-?\(.*)$")
_TEXT_COMMAND = re.compile(r"\\text\s*\{([^{}]*)\}")
# How a sentence about the answer begins, and the verbs that may follow its name.
_CONCLUDING = r"(?i:so|thus|therefore|hence|then|finally|in conclusion|we (?:see|conclude|find) that|it follows that)"
_FINITE = (
    r"(?:is|was|has|had|wins?|won|gets?|got|makes?|made|earns?|earned|scores?|scored|finish(?:es|ed)|arrives?|arrived"
    r"|comes?|came|runs?|ran|pays?|paid|takes?|took|will|must|should|receives?|received|spends?|spent|needs?|travels?)"
)
_NO_SUBJECTS = frozenset("yes no true false it he she they we this that there what which".split())
_FEW_WORDS = re.compile(r"[A-Za-z]{2,}(?: [A-Za-z]+){0,3}")


def ends_in_words(gold: str, text: str) -> bool:
    """Whether a text without another answer ends by stating a gold in words: "It is an ellipse." for ellipse."""
    gold = _TEXT_COMMAND.sub(r"\1", gold).strip(" .")
    if not _FEW_WORDS.fullmatch(gold):
        return False

    ending = text.strip(" .!\n")[-_MAX_SENTENCE:]
    sentence = re.split(r"[\n.!?](?:\s|$)", ending)[-1]
    if gold in sentence:
        before, stated, after = sentence.rpartition(gold)
    else:
        before, stated, after = sentence.lower().rpartition(gold.lower())

    # "f is an even function": the noun behind an adjective says nothing.
    after = _NOUN.sub("", after)
    if not stated or after.strip(" *.$}") or not before.strip():
        return False
    if _DENIED.search(before):
        return False
    return bool(_STATING.search(before)) or " " in gold or gold.lower() == "diverges"


def begins_in_words(gold: str, text: str) -> bool:
    """Whether the last sentence is about a gold in words: "Therefore, Evelyn has the greatest speed." for Evelyn."""
    gold = _TEXT_COMMAND.sub(r"\1", gold).strip(" .")
    if not _FEW_WORDS.fullmatch(gold) or gold.lower() in _NO_SUBJECTS:
        return False

    ending = text.strip(" .!\n")[-_MAX_SENTENCE:]
    sentence = re.split(r"[\n.!?](?:\s|$)", ending)[-1]
    name = rf"(?:\*\*)?{re.escape(gold)}(?:\*\*)?"
    subject = re.match(rf"(?:{_CONCLUDING}[,:]?\s+)+(?:the\s+)?{name}\s+{_FINITE}\b", sentence)
    return subject is not None and not _DENIED.search(sentence[subject.end() :])


def sentence_answer(text: str) -> str | None:
    """The one quantity that a sentence states, None for what is no such sentence."""
    text = _TEXT_COMMAND.sub(r"\1", text)
    one_word = " " not in text and text.isascii()
    if len(text) > _MAX_SENTENCE or one_word or "\n" in text:
        return None
    if not _VERB.search(text) or _OPEN.search(text):
        return None

    formulas = formulas_in(text) if "$" in text or "\\(" in text else []
    if len(formulas) > 1:
        return None
    if formulas:
        return inside(formulas[0]) + unit_following(text, formulas[0].end())

    bare = _FORMULA.search(text)
    if bare:
        return bare[1].rstrip(" .")

    numbers = list(NUMBER.finditer(text))
    if not numbers:
        return _worded_quantity(text)
    if len(numbers) != 1:
        return None
    return numbers[0].group().strip() + unit_following(text, numbers[0].end())


def _worded_quantity(text: str) -> str | None:
    """The one number in words of a sentence without digits: "there are exactly six such triples"."""
    found = list(_NUMBER_WORDS.finditer(text))
    return found[0]["number"] if len(found) == 1 else None
