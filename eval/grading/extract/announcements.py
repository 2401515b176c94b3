"""Phrases that announce a final answer, in the languages of the benchmarks: `last_mark(text)`."""

import re
from dataclasses import dataclass

# Characters before a phrase that its `before` pattern may look at: the longest ("正确答案 ") needs fewer.
_LOOK_BACK = 12


@dataclass(frozen=True, slots=True)
class _Mark:
    """One way to announce an answer.

    `word` (lower case) is searched for from the end of the text, so that a long solution costs no regular-expression
    scan. Where it stands, `pattern` must match; it ends where the answer begins. `before`, if any, must match what
    precedes the word.
    """

    word: str
    pattern: re.Pattern[str]
    before: re.Pattern[str] | None

    @classmethod
    def of(cls, word: str, pattern: str, before: str = "") -> "_Mark":
        """Compile the patterns; `before` is tied to the place of the word."""
        announcement = re.compile(pattern, re.I)
        if not before:
            return cls(word, announcement, None)

        preceding = re.compile(rf"(?:{before})\Z")
        return cls(word, announcement, preceding)


_MARKS = (
    _Mark.of("####", r"####\s*"),  # GSM8K's own
    # "The answer is", "the answer to part (a) is", "the answer (in km) simplifies to", "Answer:"; not "the answer is
    # equally simple".
    _Mark.of(
        "answer",
        r"answer(?:\s*\([^()\n]{1,40}\))?(?:\s+(?:to|of|for)\s[^.\n:]{1,80}?)?\s*"
        r"(?:\bis\b(?! equally)"
        r"|\b(?:evaluates|simplifies|comes|amounts) (?:out )?to\b"
        r"|\bwould be\b|\bshould be\b|[:：=])(?:\s*(?:thus|therefore|then|simply))?\s*[:：=]?\s*",
        before=r"(?<![a-z])",
    ),
    _Mark.of("a:", r"A:[^\S\n]*", before=r"^[^\S\n]*|\n[^\S\n]*"),  # at the beginning of a line
    _Mark.of("ans", r"Ans\s*[:：=.]\s*", before=r"(?<![a-z])"),
    _Mark.of(
        "答",
        r"答(?:案)?(?:\s*(?:应该是|应是|应为|就是|[是为]|[:：】])|\s+(?=[-\d$\\]))\s*[:：]?\s*",
    ),
    _Mark.of(
        "选",
        r"选(?:项|择)?(?:是|为)?\s*[:：]?\s*(?=[(（]?\s*[A-H])",
        before=r"(?:故|应|所以|因此|则|本题|正确|答案|，)\s*",
    ),
    _Mark.of("respuesta", r"respuesta (?:final )?(?:es\s*:?|:)\s*"),
    _Mark.of("réponse", r"réponse (?:finale )?(?:est\s*:?|:)\s*"),
    _Mark.of("antwort", r"antwort\s*(?:ist|lautet|:)\s*:?\s*"),
    _Mark.of("ответ", r"ответ\s*(?:[—–:-]|равен|(?=\d))\s*"),
    _Mark.of("答え", r"答え\s*(?:は|[:：])\s*"),
    _Mark.of("jibu", r"jibu(?: ni\s*:?|:)\s*"),
    _Mark.of("คำตอบ", r"คำตอบ(?:คือ|\s*:)\s*:?\s*"),
    _Mark.of("정답", r"정답(?:은|\s*[:：])\s*"),
    _Mark.of("<answer>", r"<answer>\s*"),
    _Mark.of("[answer]", r"\[answer\]\s*"),
    _Mark.of("结果", r"结果(?:是|为|[:：])\s*"),
    _Mark.of("endergebnis", r"endergebnis\s*(?:ist|:)\s*"),
    _Mark.of("సమాధానం", r"సమాధానం\s*:?\s*"),
    _Mark.of("উত্তর", r"উত্তর(?:\s*(?:হল|হলো))?\s*[:：]?\s*"),
)
_ASCII_MARKS = tuple(mark for mark in _MARKS if mark.word.isascii())


def last_mark(text: str) -> re.Match[str] | None:
    """The last phrase that announces an answer; the answer begins at the end of the match."""
    lower = text.lower()
    if len(lower) != len(text):
        # A few letters (İ) change length in lower case; positions must stay those of the text.
        lower = text

    marks = _ASCII_MARKS if text.isascii() else _MARKS
    best: re.Match[str] | None = None

    for mark in marks:
        position = lower.rfind(mark.word)

        # From the last occurrence backwards, and never further back than the best phrase so far.
        while position >= 0 and (best is None or position > best.start()):
            match = mark.pattern.match(text, position)
            if match and _preceded(mark, lower, position):
                best = match
                break
            position = lower.rfind(mark.word, 0, position)

    return best


def _preceded(mark: _Mark, lower: str, position: int) -> bool:
    if mark.before is None:
        return True
    start = max(0, position - _LOOK_BACK)
    return mark.before.search(lower, start, position) is not None
