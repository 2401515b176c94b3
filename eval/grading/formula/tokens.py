r"""Cut a cleaned answer (LaTeX, or what Python and sympy print) into tokens. Linear, no interpretation of text."""

import re
from typing import NamedTuple

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
    r"(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+(?![\d.]))?|\.\d+)"
    r"|\\(?P<env>begin|end)\s*\{(?P<name>[A-Za-z]+)\*?\}"
    r"|\\(?:text|mathrm|operatorname)\s*\{(?P<text>[^{}]*)\}"
    r"|\\(?P<command>[A-Za-z]+|[{}|%$&\\])"
    r"|(?:np\.|numpy\.|math\.|sympy\.)?(?P<word>[A-Za-z]+|[一-鿿]+)"
    r"|(?P<op>\.\.\.|\*\*|<=|>=|!=|==|[-+*/^_=<>(){}\[\],;:|!%&'.])"
    r")"
)
FUNCTIONS = frozenset(
    "sin cos tan cot sec csc arcsin arccos arctan arccot sinh cosh tanh asin acos atan acot ln log lg exp sqrt cbrt "
    "abs Abs floor ceiling ceil factorial gcd lcm max min binomial frac cis tg ctg cotg cosec arctg arcctg sh "
    "ch th mod".split()
)
_PYTHON = {
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "acot": "arccot", "Abs": "abs", "ceiling": "ceil",
    "binomial": "binom", "tg": "tan", "ctg": "cot", "cotg": "cot", "cosec": "csc", "arctg": "arctan",
    "arcctg": "arccot", "sh": "sinh", "ch": "cosh", "th": "tanh",
}  # fmt: skip
_CONSTANTS = {
    "pi": "pi",
    "oo": "infty",
    "inf": "infty",
    "infinity": "infty",
    "Infinity": "infty",
    "infty": "infty",
}
_GREEK = frozenset(
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi rho sigma tau phi "
    "varphi chi psi omega Gamma Delta Theta Lambda Xi Sigma Phi Psi Omega".split()
)
_SEPARATORS = {
    "and": "and",
    "or": "or",
    "和": ",",
    "或": "or",
    "且": "and",
    "或者": "or",
    "以及": ",",
    "与": ",",
}
_LOGIC = {"vee": "or", "lor": "or", "wedge": "and", "land": "and"}
_SPLIT_LETTERS = (frozenset("abcdk"), frozenset("xyz"), frozenset("mnk"))


def tokenize(text: str) -> list[Token]:
    """Tokens of a cleaned answer. Raises FormulaLimit or FormulaError."""
    if len(text) > MAX_CHARACTERS:
        raise FormulaLimit("characters")
    tokens: list[Token] = []
    position = 0
    text = text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise FormulaError(f"unexpected {text[position]!r}")
        position = match.end()
        last = tokens[-1] if tokens else None
        before = (last.kind if last.kind == "number" else last.text) if last else ""
        tokens.extend(_tokens_of(match, before))
        if len(tokens) > MAX_TOKENS:
            raise FormulaLimit("tokens")
    return tokens


def _tokens_of(match: re.Match[str], before: str) -> list[Token]:
    spaced = bool(match["space"])
    if match["env"]:
        return [Token(match["env"], match["name"], spaced)]
    if match["text"] is not None:
        return _text_tokens(match["text"].strip(), spaced)
    if match["word"]:
        return _word_tokens(match["word"], spaced)
    if match["command"]:
        name = match["command"]
        if name in "{}|%$&":
            return [
                Token("op", "\\" + name if name in "{}" else ("|" if name == "|" else name), spaced)
            ]
        if name in _LOGIC:
            return [Token("op", _LOGIC[name], spaced)]
        return [Token("command", _PYTHON.get(name, name), spaced)]
    if match["op"] == "!=" and before in ("number", ")"):
        return [Token("op", "!", spaced), Token("op", "=")]  # 3! = 6
    if match["op"] == "...":
        return [Token("command", "ldots", spaced)]
    kind = "number" if match["number"] else "op"
    return [
        Token(kind, match["number"] or match["op"].replace("**", "^").replace("==", "="), spaced)
    ]


def _text_tokens(content: str, spaced: bool) -> list[Token]:
    if not content:
        return []
    if content.strip(", ").lower() in _SEPARATORS or content == ",":
        return [Token("op", _SEPARATORS.get(content.strip(", ").lower(), ","), spaced)]
    if re.fullmatch(r"[A-Za-z]", content):
        return [Token("letter", content, spaced)]
    if content in FUNCTIONS:
        return [Token("command", _PYTHON.get(content, content), spaced)]
    if re.fullmatch(r"-?\d+(?:\.\d+)?", content):
        return (
            [Token("op", "-", spaced), Token("number", content[1:])]
            if content[0] == "-"
            else [Token("number", content)]
        )
    return [Token("text", " ".join(content.lower().split()), spaced)]


def _word_tokens(word: str, spaced: bool) -> list[Token]:
    if len(word) == 1 and word.isascii():
        return [Token("letter", word, spaced)]
    if word in _SEPARATORS:
        return [Token("op", _SEPARATORS[word], spaced)]
    if word in FUNCTIONS:
        return [Token("command", _PYTHON.get(word, word), spaced)]
    if word in _CONSTANTS:
        return [Token("command", _CONSTANTS[word], spaced)]
    if word in _GREEK or word in ("Matrix", "FiniteSet", "Interval", "Union", "Rational"):
        return [Token("command" if word in _GREEK else "word", word, spaced)]
    for function in ("sqrt", "sin", "cos", "tan", "log", "ln", "pi"):
        if word.endswith(function) and len(word) - len(function) == 1:
            return [Token("letter", word[0], spaced), *_word_tokens(function, False)]
        if word.startswith(function) and len(word) - len(function) == 1:
            return [*_word_tokens(function, spaced), Token("letter", word[-1], False)]
    if len(word) == 2 or any(letters.issuperset(word) for letters in _SPLIT_LETTERS):
        return [Token("letter", char, spaced and index == 0) for index, char in enumerate(word)]
    return [Token("text", word.lower(), spaced)]


def is_greek(name: str) -> bool:
    return name in _GREEK
