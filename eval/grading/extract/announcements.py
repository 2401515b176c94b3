"""Phrases that announce a final answer, in the languages of the benchmarks: `last_mark(text)`."""

import re

# Phrases that announce the final answer: a word to look for (lower case), the pattern that must match there, and
# what must stand before it. Looked up from the end, so that a long solution costs no regular-expression scan.
_MARKS = tuple(
    (word, re.compile(pattern, re.I), re.compile(rf"(?:{before})\Z") if before else None)
    for word, pattern, before in (
        ("####", r"####\s*", ""),
        (
            "answer",
            r"answer(?:\s*\([^()\n]{1,40}\))?(?:\s+(?:to|of|for)\s[^.\n:]{1,80}?)?\s*"
            r"(?:\bis\b(?! equally)"
            r"|\b(?:evaluates|simplifies|comes|amounts) (?:out )?to\b"
            r"|\bwould be\b|\bshould be\b|[:：=])(?:\s*(?:thus|therefore|then|simply))?\s*[:：=]?\s*",
            r"(?<![a-z])",
        ),
        ("a:", r"A:[^\S\n]*", r"^[^\S\n]*|\n[^\S\n]*"),
        ("ans", r"Ans\s*[:：=.]\s*", r"(?<![a-z])"),
        (
            "答",
            r"答(?:案)?(?:\s*(?:应该是|应是|应为|就是|[是为]|[:：】])|\s+(?=[-\d$\\]))\s*[:：]?\s*",
            "",
        ),
        (
            "选",
            r"选(?:项|择)?(?:是|为)?\s*[:：]?\s*(?=[(（]?\s*[A-H])",
            r"(?:故|应|所以|因此|则|本题|正确|答案|，)\s*",
        ),
        ("respuesta", r"respuesta (?:final )?(?:es\s*:?|:)\s*", ""),
        ("réponse", r"réponse (?:finale )?(?:est\s*:?|:)\s*", ""),
        ("antwort", r"antwort\s*(?:ist|lautet|:)\s*:?\s*", ""),
        ("ответ", r"ответ\s*(?:[—–:-]|равен|(?=\d))\s*", ""),
        ("答え", r"答え\s*(?:は|[:：])\s*", ""),
        ("jibu", r"jibu(?: ni\s*:?|:)\s*", ""),
        ("คำตอบ", r"คำตอบ(?:คือ|\s*:)\s*:?\s*", ""),
        ("정답", r"정답(?:은|\s*[:：])\s*", ""),
        ("<answer>", r"<answer>\s*", ""),
        ("[answer]", r"\[answer\]\s*", ""),
        ("结果", r"结果(?:是|为|[:：])\s*", ""),
        ("endergebnis", r"endergebnis\s*(?:ist|:)\s*", ""),
        ("సమాధానం", r"సమాధానం\s*:?\s*", ""),
        ("উত্তর", r"উত্তর(?:\s*(?:হল|হলো))?\s*[:：]?\s*", ""),
    )
)
_ASCII_MARKS = tuple(mark for mark in _MARKS if mark[0].isascii())


def last_mark(text: str) -> re.Match[str] | None:
    """The last phrase that announces an answer."""
    lower = text.lower()
    if len(lower) != len(text):  # a few letters change length in lower case; positions must not
        lower = text
    best: re.Match[str] | None = None
    for word, pattern, before in _ASCII_MARKS if text.isascii() else _MARKS:
        position = lower.rfind(word)
        while position >= 0 and (best is None or position > best.start()):
            match = pattern.match(text, position)
            if match and (not before or before.search(lower, max(0, position - 12), position)):
                best = match
                break
            position = lower.rfind(word, 0, position)
    return best
