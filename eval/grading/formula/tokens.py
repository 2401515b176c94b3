r"""Cut a cleaned answer (LaTeX, or what Python and sympy print) into tokens, in linear time."""

import re
from typing import NamedTuple

from eval.grading.formula.vocabulary import (
    COMMAND_OF_WORD,
    CONSTANT_WORDS,
    FUNCTION_WORDS,
    GREEK,
    LETTERS_OF_PRODUCTS,
    LOGIC_COMMANDS,
    SEPARATOR_WORDS,
    SYMPY_OBJECTS,
)

MAX_CHARACTERS = 16_384
MAX_TOKENS = 6_000


class FormulaLimit(Exception):
    """The answer is larger than the static limits allow."""


class FormulaError(Exception):
    """The answer is not a formula that the parser knows."""


class Token(NamedTuple):
    kind: str  # number, letter, word, command, text, begin, end, op
    text: str
    spaced: bool = False  # a blank stands before it


_TOKEN = re.compile(
    r"(?P<space>\s*)(?:"
    # 12, 3.5, .5, 2e-3; the number in 1e3.5 ends before the e
    r"(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+(?![\d.]))?|\.\d+)"
    r"|\\(?P<env>begin|end)\s*\{(?P<name>[A-Za-z]+)\*?\}"
    # before the commands, which would match \text too
    r"|\\(?:text|mathrm|operatorname)\s*\{(?P<text>[^{}]*)\}"
    r"|\\(?P<command>[A-Za-z]+|[{}|%$&\\])"
    r"|(?:np\.|numpy\.|math\.|sympy\.)?(?P<word>[A-Za-z]+|[一-鿿]+)"
    # the longer operators first
    r"|(?P<op>\.\.\.|\*\*|<=|>=|!=|==|[-+*/^_=<>(){}\[\],;:|!%&'.])"
    r")"
)
_PYTHON_OPERATORS = {"**": "^", "==": "="}
_GLUED = ("sqrt", "sin", "cos", "tan", "log", "ln", "pi")


def tokenize(text: str) -> list[Token]:
    """Tokens of a cleaned answer. Raises FormulaLimit or FormulaError."""
    if len(text) > MAX_CHARACTERS:
        raise FormulaLimit("characters")

    tokens: list[Token] = []
    text = text.rstrip()
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise FormulaError(f"unexpected {text[position]!r}")
        position = match.end()

        tokens.extend(_tokens_of(match, tokens))
        if len(tokens) > MAX_TOKENS:
            raise FormulaLimit("tokens")
    return tokens


def _tokens_of(match: re.Match[str], before: list[Token]) -> list[Token]:
    spaced = bool(match["space"])
    if match["env"]:
        return [Token(match["env"], match["name"], spaced)]
    if match["text"] is not None:
        return _tokens_of_text(match["text"].strip(), spaced)
    if match["word"]:
        return _tokens_of_word(match["word"], spaced)
    if match["command"]:
        return [_command_token(match["command"], spaced)]
    if match["number"]:
        return [Token("number", match["number"], spaced)]

    operator = match["op"]
    if operator == "...":
        return [Token("command", "ldots", spaced)]
    if operator == "!=" and _may_have_factorial(before):
        return [Token("op", "!", spaced), Token("op", "=")]
    return [Token("op", _PYTHON_OPERATORS.get(operator, operator), spaced)]


def _may_have_factorial(before: list[Token]) -> bool:
    """3!=6 and (n)!=6 are factorials that equal 6; x!=6 is an inequality."""
    if not before:
        return False
    last = before[-1]
    return last.kind == "number" or last.text == ")"


def _command_token(name: str, spaced: bool) -> Token:
    # \{ is the bracket of a set, { only groups.
    if name in ("{", "}"):
        return Token("op", "\\" + name, spaced)
    if name in ("|", "%", "$", "&"):
        return Token("op", name, spaced)
    if name in LOGIC_COMMANDS:
        return Token("op", LOGIC_COMMANDS[name], spaced)
    return Token("command", COMMAND_OF_WORD.get(name, name), spaced)


def _tokens_of_text(content: str, spaced: bool) -> list[Token]:
    r"""What \text{...} holds: often a letter, number or function that is only set upright."""
    if not content:
        return []

    word = content.strip(", ").lower()
    if word in SEPARATOR_WORDS:
        return [Token("op", SEPARATOR_WORDS[word], spaced)]
    if content == ",":
        return [Token("op", ",", spaced)]
    if re.fullmatch(r"[A-Za-z]", content):
        return [Token("letter", content, spaced)]
    if content.lower() in CONSTANT_WORDS:
        return [Token("command", CONSTANT_WORDS[content.lower()], spaced)]
    if content in FUNCTION_WORDS:
        return [Token("command", COMMAND_OF_WORD.get(content, content), spaced)]

    if re.fullmatch(r"-?\d+(?:\.\d+)?", content):
        if content.startswith("-"):
            return [Token("op", "-", spaced), Token("number", content[1:])]
        return [Token("number", content)]
    return [Token("text", " ".join(content.lower().split()), spaced)]


def _tokens_of_word(word: str, spaced: bool) -> list[Token]:
    if len(word) == 1 and word.isascii():
        return [Token("letter", word, spaced)]
    if word in SEPARATOR_WORDS:
        return [Token("op", SEPARATOR_WORDS[word], spaced)]
    if word in FUNCTION_WORDS:
        return [Token("command", COMMAND_OF_WORD.get(word, word), spaced)]
    if word in CONSTANT_WORDS:
        return [Token("command", CONSTANT_WORDS[word], spaced)]
    if word in GREEK:
        return [Token("command", word, spaced)]
    if word in SYMPY_OBJECTS:
        return [Token("word", word, spaced)]

    # One letter glued to a function: xsin, sinx, pir.
    for function in _GLUED:
        if len(word) != len(function) + 1:
            continue
        if word.endswith(function):
            return [Token("letter", word[0], spaced), *_tokens_of_word(function, False)]
        if word.startswith(function):
            return [*_tokens_of_word(function, spaced), Token("letter", word[-1], False)]

    # xy and abc are products of letters; anything else is a word.
    if len(word) == 2 or any(letters.issuperset(word) for letters in LETTERS_OF_PRODUCTS):
        return [Token("letter", letter, spaced and place == 0) for place, letter in enumerate(word)]
    return [Token("text", word.lower(), spaced)]
