"""The answer of a text that announces none: its last formula, number or option, by how the last sentence is built."""

import re
from dataclasses import dataclass, replace
from itertools import islice

from eval.grading.extract.extraction import Extraction
from eval.grading.extract.math_spans import (
    MATH,
    NUMBER,
    WORD,
    formulas_in,
    inside,
    is_prose,
    joined,
    names_only,
    quantity,
    result,
)
from eval.grading.extract.options import last_letter
from eval.grading.extract.wordings import (
    assigned_at_end,
    assigned_in_words,
    concluding_clause,
    conclusion,
    listed_points,
    number_word_at_end,
    qualified_value,
)

# Only the end of a text is read, so that extraction stays linear: the last characters for numbers and letters, for
# statements at the very end, for a count, and for a remark.
_END_OF_TEXT = 4000
_END_FOR_STATEMENT = 200
_END_FOR_COUNT = 400
_END_FOR_REMARK = 1500
_MAX_NUMBERS = 2000
_SHORT = 12  # characters; no remark fits behind an answer in less

_SHORT_NUMBER = r"-?\d[\d./]{0,12}"
# "So", "therefore", "we get", 所以: what a last sentence may begin with.
_LEAD_IN = re.compile(
    r"(?:(?:so|thus|therefore|hence|then|and|finally|overall|we (?:get|have|find|obtain)|which (?:gives|means|is))\b"
    r"[,:]?\s*"
    r"|(?:即|所以|因此|于是|故|综上(?:所述)?)[,，:：]?\s*)+",
    re.I,
)
# "Therefore $12$ is the greatest …", "12 is our answer": the answer comes first.
_SUBJECT = re.compile(
    r"(?:\s|\*\*)*(\$[^$]{1,60}\$|\\\(.{1,60}?\\\)|-?\d[\d,]*(?:\.\d+)?(?:/\d+)?)(?:\*\*)?\s+"
    r"(?:is|are|must be|has to be)\s+(?:(?:thus|therefore|hence|indeed|then|in fact)\s+)?(?:the|our|your)\s"
    r"(?![^\n]*(?:=|\b(?:so|thus|hence|therefore|equals?|which is|giving|gives|but|not"
    r"|and(?=[^\n]*\b(?:is|are|has|have)\b))\b))[^\n]*$"
)
_CONDITION = re.compile(r"\b(?:for|when|if|where|with|such that|to)\s+\$[^$]*\$")
# "$k$ equals 12", "$\\angle ABC$ is 45 degrees": a name before the number that it stands for.
_NAME_THEN_NUMBER = re.compile(
    r"(?:\$|\\\))\s*,?\s*(?:(?:which|that)\s+)?(?:is|equals?|must be|has to be|becomes|="
    r"|(?:evaluates|simplifies|comes|amounts|works out|reduces) to|turns out to be)\s[^$\\]*\d[^$\\]*$"
)
_UNDERSCORED = re.compile(r"(?<!\w)__([^_\n]*\d[^_\n]*)__(?!\w)")  # bold in Markdown: __12__
# "is x^2 + 1": a formula in plain characters.
_PLAIN_FORMULA = re.compile(
    r"\b(?:is|equals?|becomes|obtain|get|find)\s+([-\w^*/+()., √π=]{3,80}?)\s*\.?\s*$"
)
_OPERATOR_AND_LETTER = re.compile(r"(?=.*[+*/^=-])(?=.*(?<![A-Za-z])[a-zπ](?![A-Za-z]))")
_TWO_LETTERS = re.compile(r"(?!(?:sqrt|sin|cos|tan|log|ln|pi|exp)\b)\b[A-Za-z]{2,}\b")
# "is \\frac{3}{4}": a formula without delimiters at the end of a sentence.
_BARE_FORMULA = re.compile(
    r"\b(?:is|are|equals?|be|becomes|obtain|get|find)\s+"
    r"(?:(?:equal to|therefore|thus|then|simply|exactly|about)\s+)?:?\s*"
    r"(-?\d*\\(?:[dt]?frac|sqrt|pi|binom|begin|left|infty|log|ln|sin|cos|tan|pm)(?![a-z])[^\n$]{0,200}?)\s*\.?\s*$"
)
# "$3\\pi$, or about $9.42$", "$3\\pi$ (approximately 9.42)": what follows the exact value is its approximation.
_ABOUT = (
    r"[\s,(]*(?:(?:which|that) is|or|i\.e\.,?|and is)?\s*"
    r"(?:approximately|approx\.?|about|roughly|around|≈|\\approx)(?: equal to)?\s*"
)
_BEGINS_APPROXIMATE = re.compile(r"(?:\\(?:approx|simeq)(?![a-z])|≈)")
_APPROXIMATED_IN_FORMULA = re.compile(_ABOUT)
_APPROXIMATED_IN_WORDS = re.compile(
    r"(?:\s+[a-z]+(?:\^?[23])?){0,3}" + _ABOUT + r"\$?[-\d][\d.,]*[^.\d]*\.?\s*$"
)
# "The solutions are 3 and 5."
_SEVERAL = re.compile(
    r"\b(?:solutions|answers|results|roots|values|zeros)\s+(?:are|is|:)\s*:?\s*"
    r"(?![^\n]*\b(?:so|thus|hence|therefore|sum|total|product|difference)\b)"
    r"([^.\n]{1,80}?(?:,| and | or )[^.\n]{1,40}?)\.?\s*$"
    # "The two numbers are 7 and 8."
    r"|\b(?:numbers|integers|primes|factors|divisors|sides|lengths|dimensions|angles|digits|terms|ages|prices|scores"
    r"|weights|heights|coordinates|possibilities|candidates)\s+are\s+(?:either\s+)?"
    rf"({_SHORT_NUMBER}(?:(?:,\s*(?:and\s+|or\s+)?|\s+and\s+|\s+or\s+){_SHORT_NUMBER})+)\.?\s*$",
    re.I,
)
# Statements whose end is the answer as a whole, where the last number would be half of it. One group each.
_STATED = re.compile(
    # … is either 3 or 5
    r"\b(?:is|are|be)\s+(?:either|both)\s+([^.\n]{1,60}?(?:,| and | or )[^.\n]{1,40}?)\.?\s*$|"
    # 坐标是(3, 5)。
    r"(?:是|为|等于)\s*[:：]?\s*([(\[（【{][^一-鿿。；\n]{1,80}[)\]）】}])\s*[。.]?\s*$|"
    # 等于二十一
    r"(?:是|为|等于)\s*(负?[零一二两三四五六七八九十百千万亿点分之又]+)\s*[。.]?\s*$|"
    # … is (3, 5); … is 2√3 cm; … are 3 to 5
    r"\b(?:is|are|equals)\s+(?:at\s+)?"
    r"(\([^()\n]{1,40}\)|(?:[-\d.]*\s?(?:√|sqrt|π|pi\b))[^A-Za-z\n]{0,30}|\d+\s(?:to|out of)\s\d+)\.?\s*$|"
    # … is false
    r"(?<!\d)\s(?:is|are)\s+(true|false|correct|incorrect|possible|impossible)\.?\s*$",
    re.I,
)
# Before a number: "x is not 5".
_NEGATED = re.compile(
    r"(?:\bnot|n't|\bnever|\bcannot|不是|不等于|不为|\bno es|\bn'est pas|\bnicht|\bнет?|ليست?|\bnão é|\bnon è)"
    r"\s*(?:be\s+|equal\s+(?:to\s+)?|gleich\s+|равно?\s+)?$",
    re.I,
)
# Behind it, in languages whose verb comes last.
DENIED_BEHIND = re.compile(r"\s*(?:नहीं|ではない|ではありません|じゃない|[이가]? 아니|না|নয়)")
_NEGATION_WITHIN = 24  # characters before the number
# Before a number that is not the sentence's result: "15 apples after 3 days".
_ASIDE = re.compile(
    r"\b(?:after|divided by|for|from|of|per|within|over|choose|choosing|select|with|every|each)\s+(?:the\s+)?\$?$"
    # "14 left after giving 6"
    r"|\b(?:after|by|before|when|while)\s+[a-z]{2,9}ing\s+(?:away\s+|out\s+|up\s+)?\$?$"
    # The same in other languages: "42 pommes après 3 jours"
    r"|\b(?:après|pour|pendant|chaque|durante|después de|para|por|cada|nach|für|pro|jede[nrs]?"
    r"|während|depois de|dopo|per|через|после|для|за|по|кажд\w+)\s+(?:las?\s+|los\s+|les\s+|den\s+|die\s+)?$",
    re.I,
)
# "5 more pieces to finish 3 sets": the second number belongs to a purpose; not in "needs to pay 30".
_PURPOSE = re.compile(
    r"\d\s+(?:(?!(?:needs?|has|have|had|wants?|going|able|is|are|was|were|used|will|and|,)\b)[a-z]+\s+){1,4}"
    r"to\s+(?:[a-z]+)\s+(?:the\s+|all\s+|these\s+)?$"
)
_EACH = re.compile(r"\$?\s*(?:each|apiece|per|a piece)\b|\s*/\s*[a-z]", re.I)
_IN = re.compile(r"[\d$]\S*(?:\s+\w+){0,3}\s+(?:in|every|each)\s+$")
_TIME = re.compile(r"\s*(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?)\b")
_ASIDE_WITHIN = 24  # characters before the number
_PURPOSE_WITHIN = 60
# "Thus there are 5 ways to arrange 4 balls into 2 boxes": the count, unless a total follows.
_COUNTED = re.compile(
    r"\bthere (?:are|is|were|will be|must be)(?: only| exactly| a total of| thus| therefore| just| at least)?\s+"
    r"(\$[^$]{1,30}\$|\d[\d,]*)\s+(?![^.]*(?:=|\btotal|\bgiving\b|\bthus\b|\bhence\b|\bfor a\b|\bso\b|\band\b))"
    r"[A-Za-z\\][^.\n]*\.?\s*$",
    re.I,
)
# A last remark in brackets, in a sentence of its own, or behind "because"; none that draws a conclusion.
_REMARK = re.compile(
    r"\s*\((?:[A-Z][a-z]+|that is|since|because|as|where|note|by)\b(?:[^()]|\([^()]*\))*\)\s*\.?\s*$"
    r"|,?\s+(?:and\s+)?not\s+\$?-?\d[\d.,]*\$?\s*\.?\s*$|[，,]\s*而?不是\s*-?[\d.]+[^，。\d]{0,4}[。.]?\s*$"
    r"|,\s+which is (?:less|more|greater|smaller|larger|fewer|bigger) than\s(?:[^.\n]|\.(?=\d))*\.?\s*$"
    r"|(?<=\$)\s+for (?:all|any|every|each|some)\s[^.\n=]*\.?\s*$"
    r"|(?<=[.!$\]])\s+"
    r"(?:Note that|We (?:can|may) (?:also )?(?:check|verify)|To check,|You should find|Recall that|Indeed,)\s"
    r"(?!.*\b(?:so|thus|hence|therefore|answer)\b)[^\n]*$"
    r"|,?\s+(?:because|since|which is achieved|which occurs)\s"
    r"(?!.*\b(?:so|thus|hence|therefore|we|gives?|is)\b)(?:[^.\n]|\.(?=\d))*\.?\s*$"
    r"|,\s+(?:(?:which|and)\s+is\s+)?(?:attained|achieved|reached|occurring|obtained)\s+(?:when|at|for|if|by)\s"
    r"(?!.*\b(?:so|thus|hence|therefore|we|gives?|is)\b)(?:[^.\n]|\.(?=\d))*\.?\s*$"
)

# An equation in plain characters, without words: "y = 2x + 1".
_EQUATION = re.compile(r"[\w\s()\[\]^+*/.,=√π'-]+")
_LONGEST_EQUATION = 80
_LONG_WORD = re.compile(r"(?<![A-Za-z])(?!sqrt|sin|cos|tan|log)[A-Za-z]{3,}|[一-鿿]")
# Program text that is given as an answer: no number is picked out of it.
_CODE = re.compile(
    r"__[a-z]+__|\b[A-Za-z_]\w*\((?:['\"]|\))|(?<!\\)\blambda\b|\bimport\s+[a-z]|\b(?:eval|exec|open|getattr)\("
)


@dataclass(frozen=True)
class _Ending:
    """A text made ready for the rules."""

    text: str
    formulas: list[re.Match[str]]  # positions in `text`
    single_line: bool
    prose: bool
    had_lead_in: bool  # "So", "Therefore," stood before it


def plain_ending(text: str, *, choice: bool) -> Extraction:
    """The answer of a text that neither boxes nor announces one, and the rule that found it.

    The order of the rules decides: what states an answer as a whole comes before its last formula, and this before
    the last number. `choice`: the expected answer is an option's letter.
    """
    if not text:
        return Extraction(None, "empty")

    if choice:
        # Asterisks are Markdown's. "-A" and a text of two characters are formulas sooner than options.
        letter = last_letter(text[-_END_OF_TEXT:].replace("*", ""))
        if letter and len(text) > 2 and not text.startswith("-"):
            return Extraction(letter, "last letter")

    ending = _prepared(text)
    for rule in (_only_formula, _assigned):
        found = rule(ending)
        if found is not None:
            return found

    ending = _conclusion_only(ending)
    for rule in _RULES:
        found = rule(ending)
        if found is not None:
            return found

    return Extraction(ending.text, "whole")


def _prepared(text: str) -> _Ending:
    """The text without its afterthought, its lead-in and the steps before its last arrow."""
    if len(text) > _SHORT:
        text = _without_afterthought(text)

    single_line = "\n" not in text and len(text) <= _END_OF_TEXT
    if "__" in text:
        text = _UNDERSCORED.sub(r"**\1**", text)
    text = text.replace("i.e.", "that is")
    if "⟹" in text or "⇒" in text:
        text = re.split("[⟹⇒]", text)[-1].strip() or text

    lead_in = _LEAD_IN.match(text) if single_line else None
    if lead_in:
        text = text[lead_in.end() :] or text

    formulas = formulas_in(text) if "$" in text or "\\" in text else []
    prose = is_prose(text) or _NAME_THEN_NUMBER.search(text[-_END_FOR_STATEMENT:]) is not None
    return _Ending(text, formulas, single_line, prose, had_lead_in=lead_in is not None)


def _conclusion_only(ending: _Ending) -> _Ending:
    """A single line in words, cut down to the clause that concludes it."""
    if ending.formulas or not ending.single_line:
        return ending

    text = concluding_clause(ending.text)
    return replace(ending, text=text, prose=ending.prose or is_prose(text))


def _only_formula(ending: _Ending) -> Extraction | None:
    """One formula and nothing else: what stands behind its last equality."""
    text, formulas = ending.text, ending.formulas
    if len(formulas) != 1:
        return None

    if ending.had_lead_in and not MATH.sub("", text).strip(" .。"):
        return Extraction(joined(text, formulas), "last formula")

    alone = formulas[0].group().strip() == text.strip(" .")
    if ending.single_line and alone and inside(formulas[0]).count("=") > 1:
        return Extraction(joined(text, formulas), "last formula")
    return None


def _assigned(ending: _Ending) -> Extraction | None:
    assigned = assigned_in_words(ending.text)
    return Extraction(assigned, "last statement") if assigned else None


def _stated_as_a_whole(ending: _Ending) -> Extraction | None:
    """A statement without formulas whose whole end is the answer."""
    if ending.formulas:
        return None

    text = ending.text
    whole = listed_points(text) or assigned_at_end(text) or number_word_at_end(text)
    whole = whole or (conclusion(text) if ending.single_line else None)
    if whole:
        return Extraction(whole, "last statement")

    stated = _STATED.search(text[-_END_FOR_STATEMENT:])
    return Extraction(_group_that_matched(stated).strip(), "last statement") if stated else None


def _subject_of_sentence(ending: _Ending) -> Extraction | None:
    subject = _subject(ending.text) or qualified_value(ending.text)
    return Extraction(subject, "subject") if subject else None


def _undelimited_formula(ending: _Ending) -> Extraction | None:
    """A formula in LaTeX without delimiters at the end of a sentence."""
    text = ending.text
    if "\\" not in text or ending.formulas or not WORD.search(text):
        return None

    bare = _BARE_FORMULA.search(text[-_END_FOR_STATEMENT:])
    return Extraction(result(bare[1].strip()), "last statement") if bare else None


def _bare_answer(ending: _Ending) -> Extraction | None:
    """A line that is no sentence, or program text."""
    text = ending.text
    if not ending.single_line:
        return None

    words_around_formulas = ending.formulas and WORD.search(MATH.sub(" ", text))
    if not ending.prose and not words_around_formulas:
        return Extraction(text, "whole")
    return Extraction(text, "whole") if _CODE.search(text) else None


def _counted(ending: _Ending) -> Extraction | None:
    counted = _COUNTED.search(ending.text[-_END_FOR_COUNT:])
    return Extraction(_count(ending.text, counted[1]), "counted") if counted else None


def _plain_characters(ending: _Ending) -> Extraction | None:
    """A formula, an equation or a list in plain characters."""
    if ending.formulas:
        return None

    text = ending.text
    plain = _PLAIN_FORMULA.search(text[-_END_FOR_STATEMENT:])
    if plain and _OPERATOR_AND_LETTER.match(plain[1]) and not _TWO_LETTERS.search(plain[1]):
        return Extraction(plain[1], "last statement")

    equation = _last_equation(text)
    if equation:
        return Extraction(equation, "last equation")

    several = _SEVERAL.search(text[-_END_FOR_STATEMENT:])
    return Extraction(_group_that_matched(several).strip(), "last list") if several else None


def _last_formula_or_number(ending: _Ending) -> Extraction | None:
    """The last formula or number, whichever comes later."""
    text = ending.text
    start = max(0, len(text) - _END_OF_TEXT)
    numbers = list(islice(NUMBER.finditer(text, start), _MAX_NUMBERS))
    end = ending.formulas[-1].end() if ending.formulas else 0

    formulas = _without_approximation(text, ending.formulas)
    approximated = formulas and _APPROXIMATED_IN_WORDS.fullmatch(text, formulas[-1].end())
    if formulas and (not numbers or approximated or numbers[-1].start() < end):
        return Extraction(joined(text, formulas), "last formula")

    if not numbers or not (ending.prose or _has_several_lines(text)):
        return None

    number = _main_number(text, numbers)
    before = max(0, number.start() - _NEGATION_WITHIN)
    if _NEGATED.search(text, before, number.start()) or DENIED_BEHIND.match(text, number.end()):
        return Extraction(text, "whole")
    return Extraction(quantity(text, number), "last number")


# In this order; the first that finds something decides.
_RULES = (
    _stated_as_a_whole,
    _subject_of_sentence,
    _undelimited_formula,
    _bare_answer,
    _counted,
    _plain_characters,
    _last_formula_or_number,
)


def _subject(text: str) -> str | None:
    """The number or formula that the last sentence begins with and calls the answer ("12 is the least such number")."""
    sentence = re.split(r"(?:[.!?]\s|\n)\s*", text.rstrip()[-_END_FOR_COUNT:])[-1]
    lead_in = _LEAD_IN.match(sentence)
    if lead_in:
        sentence = sentence[lead_in.end() :]

    match = _SUBJECT.match(_CONDITION.sub("", sentence))
    if match is None:
        return None
    formulas = formulas_in(match[1])
    if not formulas:
        return match[1]
    only_name = names_only(inside(formulas[0]))
    return None if only_name else result(inside(formulas[0]))


def _without_approximation(text: str, formulas: list[re.Match[str]]) -> list[re.Match[str]]:
    """The formulas without the last one where it approximates the one before."""
    if len(formulas) > 1 and _BEGINS_APPROXIMATE.match(inside(formulas[-1])):
        return formulas[:-1]
    if len(formulas) < 2 or not re.fullmatch(r"-?\d*\.\d+\S{0,20}", inside(formulas[-1])):
        return formulas
    between = text[formulas[-2].end() : formulas[-1].start()]
    return formulas[:-1] if _APPROXIMATED_IN_FORMULA.fullmatch(between) else formulas


def _group_that_matched(match: re.Match[str]) -> str:
    return next(group for group in match.groups() if group)


def _count(text: str, counted: str) -> str:
    """The count that `_COUNTED` found: with its unit, or as the formula that it is ("$2^5$")."""
    number = NUMBER.search(text, text.rfind(counted))
    if number and "$" not in counted:
        return quantity(text, number)
    return counted.strip(" $")


def _has_several_lines(text: str) -> bool:
    """More than one line of text; a matrix in its environment is one formula."""
    if text.startswith("\\begin"):
        return False
    return len([line for line in text.splitlines() if line.strip()]) > 1


def _last_equation(text: str) -> str | None:
    """The end of "… So y = 2x.", where the last line is an equation without words."""
    line = text.rstrip().rpartition("\n")[2].strip()
    lead_in = _LEAD_IN.match(line)
    if lead_in:
        line = line[lead_in.end() :]
    elif "\n" not in text:
        return None

    line = line.rstrip(" .。")
    if "=" not in line[1:-1] or len(line) > _LONGEST_EQUATION or _LONG_WORD.search(line):
        return None
    return result(line) if _EQUATION.fullmatch(line) else None


def _without_afterthought(text: str) -> str:
    """Drop a last remark that is no part of the answer: "(Recall that …)", "Note that …", "… because …"."""
    kept = _REMARK.sub("", text[-_END_FOR_REMARK:])
    holds_an_answer = re.search(r"\d|\$", kept)
    return text[:-_END_FOR_REMARK] + kept if holds_an_answer else text


def _main_number(text: str, numbers: list[re.Match[str]]) -> re.Match[str]:
    """The last number of the last sentence, leaving out asides ("5 days for 3 workers", "15 apples after 3 days")."""
    last = numbers[-1]
    is_money = last.group().strip(" -")[:1] in "$\\€£¥￥"
    if is_money and not _EACH.match(text, last.end()):
        return last  # an amount of money is never left out, but a price for each thing is

    for number in reversed(numbers):
        between = text[number.end() : last.start()]
        if "\n" in between or ". " in between or "。" in between:
            return last

        before = max(0, number.start() - _ASIDE_WITHIN)
        takes_time = _IN.search(text, before, number.start()) and _TIME.match(text, number.end())
        if _EACH.match(text, number.end()):
            continue
        if takes_time or _ASIDE.search(text, before, number.start()):
            continue
        if not _PURPOSE.search(text, max(0, number.start() - _PURPOSE_WITHIN), number.start()):
            return number

    return last
