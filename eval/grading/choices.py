"""Answers to multiple-choice questions: B, (B), "B. 12 cm", ABD, ①③."""

import re

_MAX_ANSWER = 400  # characters; what is longer is no choice
_MAX_OPTIONS = 40  # characters of a gold in which "A and B" is read as two letters

# B, (B), \text{(B)}, "B."
_CHOICE = re.compile(r"\(?\s*(?:\\text\{\s*)?\(?([A-H])\)?\s*\}?\s*\)?\.?")

# ABD, "A, C", "A C D"
_SEVERAL = re.compile(r"[A-H](?:[\s,]*[A-H])+")
_SEVERAL_IN_WORDS = re.compile(r"[A-H](?:(?:[\s,&和与、]|and)*[A-H])*")
_LETTER_ROW = re.compile(r"[A-H]+")

# A letter at the start of an answer that goes on with the text of the option; "A and B" names two.
_LABELLED = re.compile(
    r"\(?\s*(?:\\text\{\s*\(?)?([A-H])\s*\)?\s*\}?\s*(?:[.:)]|$|\s(?!\s*(?:and|or)\b))"
)
_LABELLED_GOLD = re.compile(r"\(?([A-H])[).:]\s")
_OPTION_TEXT = re.compile(r"\(?([A-H])[).:]\s+(?=\S)")

# Words and brackets around a letter: "The correct option is B", "选B", "[B]", "B选项".
_OPTION_WORDS = re.compile(
    r"^(?:(?:the )?(?:correct )?(?:option|choice|answer)\s*(?:is)?\s*:?|选项?|选择|答案)\s*|^\[(?=[A-Ha-h]\]$)|\]$"
    r"|(?<=^[A-H])\s*选?项$",
    re.I,
)
_LOWER_CASE = re.compile(r"\(?[a-h][.)]?")
_LOWER_CASE_LABEL = re.compile(r"\([a-h]\)\s")

_LETTERS = re.compile(r"(?<![A-Za-z\\])([A-H])(?![A-Za-z])")
_OTHER_OPTIONS = re.compile(r"(?:[\s,]*(?:and|or|和|或)?[\s,]*\(?[A-H]\)?(?![A-Za-z]))+[\s.]*")
_JOINED_OPTIONS = re.compile(r"(?<=[A-H])\s*(?:and|和|、)\s*(?=[A-H])")

_CIRCLED = re.compile(r"\\textcircled\s*\{?\s*(\d+)\s*\}?")


def is_choice(gold: str) -> bool:
    """Whether the gold is one letter of an option."""
    return _CHOICE.fullmatch(gold) is not None


def without_option(gold: str, answer: str) -> str:
    """The gold "C. 5" as what option C says, where the answer names no option."""
    option = _OPTION_TEXT.match(gold)
    if option is None or _OPTION_TEXT.match(answer) or is_choice(answer):
        return gold
    return gold[option.end() :]


def without_label(gold: str, answer: str) -> str:
    """The answer "B) 12" as what option B says, where the gold names no option."""
    option = _OPTION_TEXT.match(answer)
    if option is None or _LETTERS.search(gold):
        return answer
    return answer[option.end() :]


def same_choice(gold: str, answer: str) -> bool | None:
    """Whether both choose the same options; None when one of them is not in such a form."""
    if len(gold) > _MAX_ANSWER or len(answer) > _MAX_ANSWER:
        return None
    if len(gold) < _MAX_OPTIONS:
        gold = _JOINED_OPTIONS.sub(",", gold)

    # ①③ and nothing else
    rest = _CIRCLED.sub("", gold)
    if rest != gold and not re.search(r"\w", rest):
        return _same_circled(gold, answer)

    single = _CHOICE.fullmatch(gold)
    if single:
        return _same_letter(single[1], answer)

    labelled = _LABELLED_GOLD.match(gold)
    chosen = _CHOICE.fullmatch(answer)
    if labelled and chosen:
        return chosen[1] == labelled[1]

    if _SEVERAL.fullmatch(gold):
        return _same_letters(gold, answer)
    return None


def _same_circled(gold: str, answer: str) -> bool | None:
    """①③, in any order."""
    rest = _CIRCLED.sub("", answer)
    if rest.strip().startswith("-"):
        return False
    if re.search(r"\w", rest.replace("and", "")):
        return None
    numbers = _CIRCLED.findall(gold)
    chosen = _CIRCLED.findall(answer)
    return sorted(numbers) == sorted(chosen)


def _same_letter(letter: str, answer: str) -> bool | None:
    if answer.startswith("-"):
        return False
    answer = _OPTION_WORDS.sub("", answer)
    if _LOWER_CASE.fullmatch(answer) or _LOWER_CASE_LABEL.match(answer):
        answer = answer[:3].upper() + answer[3:]

    label = _LABELLED.match(answer)
    if label is None:
        return None
    if _OTHER_OPTIONS.fullmatch(answer, label.end()):
        return False  # "A B C D"

    # The option's text may name its letter again, but no other.
    _, _, text = answer.partition(")")
    other_letters = set(_LETTERS.findall(text)) - {letter}
    return label[1] == letter and not other_letters


def _same_letters(gold: str, answer: str) -> bool | None:
    letters = re.findall(r"[A-H]", gold)
    ascending = letters == sorted(set(letters))
    if ascending and _SEVERAL_IN_WORDS.fullmatch(answer):
        chosen = re.findall(r"[A-H]", answer)
        # BCAD may be an order that the question asks for; "B, C, A" and BA are sets of options.
        if not _LETTER_ROW.fullmatch(answer) or len(letters) < 4:
            chosen.sort()
        return chosen == letters

    if _LETTER_ROW.fullmatch(gold) and _LETTER_ROW.fullmatch(answer):
        return gold == answer  # an order of letters
    return None
