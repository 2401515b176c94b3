"""Answers that a last sentence states in words and symbols at once.

Values for names ("$p$ is 3 and $q$ is 5"), a conclusion ("…, so x + y = 8"), inequalities ("x is at
least 7", "all real numbers less than 4"), lists of points ("are (3, 4) and (1, 2)").
"""

import re

_END = 300  # characters of a text that are read
_NUMBER = r"-?\d+(?:\.\d+)?(?:/\d+)?"
_NUMERAL = (
    "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen"
    "|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million"
)
_PART = "halves|half|thirds?|quarters?|fourths?|fifths?|sixths?|eighths?|tenths?"
# "twenty-one", "one hundred and five", "two thirds", "five percent"; "one" alone is mostly no number.
NUMBER_WORDS = (
    rf"(?:(?:negative|minus)\s+)?(?:(?:one|a|{_NUMERAL})[ -](?:{_PART})"
    rf"|(?:(?:one|a)[ -])?(?:{_NUMERAL})(?:(?:[ -]|\s+and\s+)(?:{_NUMERAL}|one))*)\b(?: percent)?"
)

_NAME = r"\$?(?<![A-Za-z0-9])[A-Za-z](?:_\{?\w\}?)?(?![A-Za-z])\$?"

# "p is 3, q is 5 and r equals 7"
_ONE_VALUE = rf"({_NAME})\s+(?:is|equals|must be)\s+\$?({_NUMBER})\$?"
_VALUE = re.compile(_ONE_VALUE)
_VALUES = re.compile(rf"{_ONE_VALUE}(?:(?:,\s*|,?\s+and\s+){_ONE_VALUE})+\s*\.?\s*$")

_NUMBER_AT_END = re.compile(
    rf"\b(?:is|are|be|equals)\s+(?:(?:exactly|equal to|therefore|thus|simply)\s+)?({NUMBER_WORDS}|one|zero)\s*[.!]?$",
    re.I,
)

# "Seven trees were left."
_NUMBER_LEFT = re.compile(
    rf"({NUMBER_WORDS})\s+(?:[a-z]+\s+){{0,3}}(?:(?:were|are|was|is)\s+left|remain(?:s|ed)?)\s*[.!]?",
    re.I,
)

# "at x = 4, y = 6": values behind a word
_EQUATION = r"[A-Za-z](?:_\{?\w\}?)?\s*=\s*[^\s,;=]{1,30}"
_ASSIGNED_AT_END = re.compile(
    rf"^[^=]*(?<=[a-z:]\s)({_EQUATION}(?:(?:[,;]\s*(?:and\s+|or\s+)?|\s+and\s+|\s+or\s+){_EQUATION})+?)\s*\.?$"
)

# ", so x + y = 8": the last clause draws the conclusion from equations before it.
_CONCLUSION = re.compile(
    r"=.*[,;.]\s+(?:and\s+)?(?:so|hence|thus|therefore|giving|which gives)\s+([^,;=]{1,60}=[^,;=]{1,40}?)\.?\s*$"
)

_LONG_WORD = re.compile(r"(?<![A-Za-z\\])(?!sqrt|sin|cos|tan|log)[A-Za-z]{3,}")
_CONCLUDING_CLAUSE = re.compile(
    r"=.*\s(?:so|hence|thus|therefore),?\s+((?:there|the|it|she|he|they|we)\b[^=]*\d[^=]*)$"
)

# "are (3, 4) and (1, 2)"
_POINT = r"\([^()\n]{1,40}\)"
_POINTS = re.compile(
    rf"\b(?:is|are|at|be)\s+(?:exactly\s+)?({_POINT}(?:(?:,\s*|,?\s+(?:and|or)\s+){_POINT})+)\s*\.?\s*$"
)

# "is $29$ when divided by $100$", "is $12$ for $n = 3$": the second formula says of what.
_QUALIFIED = re.compile(
    r"\b(?:is|are|equals|be)\s+\$([^$=]*\d[^$=]*)\$\s+"
    r"(?:(?:when|if|on|after)\s+(?:it is\s+|being\s+)?divid(?:ed|ing) by|modulo|for|when|at|where|if)"
    r"\s+\$[^$]+\$\s*\.?\s*$"
)

_RELATION_OF = {
    "at least": "\\ge", "no less than": "\\ge", "not less than": "\\ge", "greater than or equal to": "\\ge",
    "at most": "\\le", "no more than": "\\le", "not more than": "\\le", "not greater than": "\\le",
    "less than or equal to": "\\le", "no greater than": "\\le",
    "greater than": ">", "more than": ">", "larger than": ">",
    "less than": "<", "fewer than": "<", "smaller than": "<",
}  # fmt: skip
_PHRASES = "|".join(sorted(_RELATION_OF, key=len, reverse=True))
_BOUND = r"(?:\\[a-z]+|[-\d./{}\s])*[\d}]|[-+]?\\infty"
_IN_WORDS = re.compile(
    rf"(?P<subject>{_NAME}|(?:all|any)\s+(?:the\s+)?(?:real\s+)?(?:numbers|values)(?:\s+(?:of\s+)?{_NAME})?)"
    r"(?:\s+(?:that\s+|which\s+)?(?:is|are|must be|has to be))?"
    rf"\s+(?P<phrase>{_PHRASES})\s+\$?(?P<bound>{_BOUND})\$?\s*\.?\s*$"
)
_IN_SYMBOLS = re.compile(
    rf"\b(?:all|any|every)\s+(?:the\s+)?(?:real\s+|integers?\s+|positive\s+)*(?:numbers?|values?|integers?)?\s*"
    rf"(?:of\s+)?(?:{_NAME}\s+)?(?:such that\s+|with\s+|satisfying\s+|for which\s+|where\s+)?"
    r"\$?((?=[-\w|\\(])[^$.\n]{0,30}(?:[<>≤≥]|\\[gl]eq?(?:slant)?)[^$\n]{1,40}?)\$?\s*\.?\s*$"
)
_DENIED = re.compile(r"\bnot\b|n't\b|\bnever\b|\bif\b|\bunless\b")


def assigned_in_words(text: str) -> str | None:
    """ "p = 3, q = 5" of "so $p$ is 3 and $q$ is 5"; None where a text ends otherwise."""
    ending = text[-_END:]
    verbs = ending.count(" is ") + ending.count(" equals ") + ending.count(" must be ")
    stated = _VALUES.search(ending) if verbs > 1 else None
    if stated is None:
        return None
    values = _VALUE.findall(stated.group())
    names = {name for name, _ in values}
    if len(names) != len(values):
        return None
    equations = [f"{name.strip('$')} = {value}" for name, value in values]
    return ", ".join(equations)


def assigned_at_end(text: str) -> str | None:
    """ "x = 4, y = 6" of "The lines meet at x = 4, y = 6." """
    values = _ASSIGNED_AT_END.search(text.rstrip()[-_END:])
    return values[1].rstrip(".") if values else None


def number_word_at_end(text: str) -> str | None:
    """ "four" of "the number of values is four" """
    number = _NUMBER_AT_END.search(text.rstrip()[-_END:]) or _NUMBER_LEFT.fullmatch(text.strip())
    return number[1] if number else None


def concluding_clause(line: str) -> str:
    """ "there are 81 functions" of "3^4 = 81 so there are 81 functions"; else the line itself."""
    drawn = _CONCLUDING_CLAUSE.search(line[-_END:])
    return drawn[1] if drawn else line


def qualified_value(text: str) -> str | None:
    """The value of a last sentence that goes on with what it holds for."""
    ending = text.rstrip(" .\n")[-_END:]
    stated = _QUALIFIED.search(ending) if ending.endswith("$") else None
    return stated[1].strip() if stated else None


def conclusion(line: str) -> str | None:
    """The equation that a line of equations draws at its end."""
    drawn = _CONCLUSION.search(line[-_END:])
    if drawn is None or _LONG_WORD.search(drawn[1]):
        return None
    return drawn[1].strip(" $")


def listed_points(text: str) -> str | None:
    """The points that a text names at its end, two or more."""
    named = _POINTS.search(text[-_END:])
    return named[1] if named else None


def stated_inequality(text: str) -> str | None:
    """The inequality that a text ends with in words, or as the condition on "all real numbers"."""
    ending = re.split(r"[.!?。]\s|\n", text.strip()[-_END:])[-1]
    if _DENIED.search(ending):
        return None

    worded = _IN_WORDS.search(ending)
    if worded:
        name = worded["subject"].strip("$")
        name = name if len(name) == 1 or "_" in name else "x"
        return f"{name} {_RELATION_OF[worded['phrase']]} {worded['bound'].strip()}"

    symbolic = _IN_SYMBOLS.search(ending)
    return symbolic[1].strip() if symbolic else None
