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


_COLON = r"\s*[:：]?\s*"
# "is", masculine and feminine, behind "the (final, correct) answer"
_ARABIC = r"(?:\s+(?:النهائية|الصحيحة|النهائي|الصحيح))*\s*(?:هي|هو|تساوي|[:=])\s*:?\s*"

_PHRASES = (
    _Mark.of("####", r"####\s*"),  # GSM8K's own
    # "The answer is", "the answer to part (a) is", "the answer (in km) simplifies to", "Answer:"; not "the answer is
    # equally simple".
    _Mark.of(
        "answer",
        r"answer(?:\s*\([^()\n]{1,40}\))?(?:\s+(?:to|of|for)\s[^.\n:]{1,80}?)?\s*"
        r"(?:\bis\b(?! equally)"
        r"|\b(?:evaluates|simplifies|comes|amounts) (?:out )?to\b"
        r"|\bwould be\b|\bshould be\b|[:：=]|\s[-–—]\s)(?:\s*(?:thus|therefore|then|simply|indeed|also|still|just"
        r"|clearly|precisely|equal to|given by))?\s*[:：=]?\s*",
        before=r"(?<![a-z])",
    ),
    _Mark.of("a:", r"A:[^\S\n]*", before=r"^[^\S\n]*|\n[^\S\n]*"),  # at the beginning of a line
    _Mark.of("r:", r"(?-i:R):[^\S\n]*(?=[-\d$\\])", before=r"^[^\S\n]*|\n[^\S\n]*"),
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
    _Mark.of("答え", r"答え\s*(?:は|[:：])\s*"),
    _Mark.of("正解", r"正解\s*(?:は|[:：])\s*"),
    _Mark.of("jibu", r"jibu(?: ni\s*:?|:)\s*"),
    _Mark.of("คำตอบ", r"คำตอบ(?:คือ|\s*:)\s*:?\s*"),
    _Mark.of("답", r"답(?:은|\s*[:：])\s*"),
    _Mark.of("الإجابة", rf"الإجابة{_ARABIC}"),
    _Mark.of("الجواب", rf"الجواب{_ARABIC}"),
    _Mark.of("उत्तर", r"उत्तर\s*(?:(?:है|होगा)\s*[:：]?|[:：=])?\s*(?=[-\d$\\(*A-H])"),
    _Mark.of("תשובה", r"תשובה(?:\s+(?:הסופית|הנכונה))?\s*(?:היא|:)\s*:?\s*"),
    _Mark.of("đáp án", r"đáp án(?:\s+(?:cuối cùng|đúng))?\s*(?:là|:)\s*:?\s*"),
    _Mark.of("jawaban", r"jawaban(?:nya)?(?:\s+akhir(?:nya)?)?\s*(?:adalah|ialah|:)\s*:?\s*"),
    _Mark.of("<answer>", r"<answer>\s*"),
    _Mark.of("[answer]", r"\[answer\]\s*"),
    _Mark.of("结果", r"结果(?:是|为|[:：])\s*"),
    _Mark.of("సమాధానం", r"సమాధానం\s*:?\s*"),
    _Mark.of("উত্তর", r"উত্তর(?:\s*(?:হলো|হল|হবে))?\s*[:：]?\s*"),
)
# Languages that write 3,5 for three and a half.
_COMMA_MARKS = (
    _Mark.of(
        "respuesta",
        rf"respuesta(?: final| correcta)?\s*(?:(?:es|sería|será){_COLON}|:\s*)(?:la (?=\(?[A-H]\b))?",
    ),
    _Mark.of(
        "réponse",
        rf"réponse(?: finale| correcte)?\s*(?:est(?: donc)?{_COLON}|:\s*)(?:la (?=\(?[A-H]\b))?",
    ),
    _Mark.of(
        "antwort", rf"antwort\s*(?:(?:ist|lautet|beträgt)(?: (?:daher|somit|also))?{_COLON}|:\s*)"
    ),
    _Mark.of("ergebnis", rf"ergebnis\s*(?:(?:ist|lautet|beträgt){_COLON}|:\s*)"),
    _Mark.of("lösung", rf"lösung\s*(?:(?:ist|lautet){_COLON}|:\s*)(?=[-\d$\\x(])"),
    _Mark.of("solución", rf"solución\s*(?:es{_COLON}|:\s*)(?=[-\d$\\x(])"),
    _Mark.of("soluzione", rf"soluzione\s*(?:è{_COLON}|:\s*)(?=[-\d$\\x(])"),
    _Mark.of("resultado", rf"resultado(?: final)?\s*(?:(?:es|é){_COLON}|:\s*)(?=[-\d$\\x(*])"),
    _Mark.of("résultat", rf"résultat(?: final)?\s*(?:est{_COLON}|:\s*)(?=[-\d$\\x(*])"),
    _Mark.of("ответ", r"ответ(?:ом)?\s*(?:[—–:-]|равен|будет|является|(?=[\d$]))\s*"),
    _Mark.of("відповідь", r"відповідь\s*(?:[—–:-]|дорівнює)\s*"),
    _Mark.of("resposta", rf"resposta(?: final| correta)?\s*(?:(?:é|será){_COLON}|:\s*)"),
    _Mark.of("risposta", rf"risposta(?: finale| corretta)?\s*(?:è{_COLON}|:\s*)"),
    _Mark.of("odpowiedź", rf"odpowiedź(?: końcowa)?\s*(?:(?:to|brzmi|wynosi){_COLON}|[:–—-]\s*)"),
    _Mark.of("odpověď", rf"odpověď\s*(?:je{_COLON}|:\s*)"),
    _Mark.of("antwoord", rf"antwoord\s*(?:is{_COLON}|:\s*)"),
    _Mark.of("svar", rf"svar(?:et)?\s*(?:(?:är|er){_COLON}|:\s*)"),
    _Mark.of("vastaus", rf"vastaus\s*(?:on{_COLON}|:\s*)"),
    _Mark.of("cevap", rf"cevap\s*(?:(?:şudur){_COLON}|:\s*|(?=\d))"),
    _Mark.of("răspuns", rf"răspuns(?:ul)?(?: final| corect)?\s*(?:este{_COLON}|:\s*)"),
    _Mark.of("απάντηση", rf"απάντηση\s*(?:είναι{_COLON}|:\s*)"),
)
_MARKS = _PHRASES + _COMMA_MARKS
_COMMA_PATTERNS = frozenset(mark.pattern for mark in _COMMA_MARKS)
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


def has_decimal_comma(mark: re.Match[str]) -> bool:
    """Whether the language of the phrase writes 3,5 for three and a half."""
    return mark.re in _COMMA_PATTERNS


def _preceded(mark: _Mark, lower: str, position: int) -> bool:
    if mark.before is None:
        return True
    start = max(0, position - _LOOK_BACK)
    return mark.before.search(lower, start, position) is not None
