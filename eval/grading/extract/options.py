"""The option that a text decides for: "B is correct", "not A but B", "A、C、D都不正确，所以B正确"."""

import re

# One letter or several: B, (B), "A, C and D", A、C、D.
_ONE = r"\(?(?<![A-Za-z])[A-H]\)?(?![A-Za-z'’])"
_BETWEEN = r"(?:\s*[,、，/]\s*(?:(?:and|or|nor)\s+)?|\s+(?:and|or|nor)\s+|\s*[和与及或]\s*)"
_SOME = rf"(?:(?:[Oo]ptions?|[Cc]hoices?|[Aa]nswers?|选项)\s*)?{_ONE}(?:{_BETWEEN}{_ONE}){{0,8}}(?:\s*(?:选项|项))?"
_TO_CLAUSE_END = r"[^.;,，。；\n]*"

# Options that a sentence rules out, with the words that do so.
_RULED_OUT = re.compile(
    # not A; rather than A or C; eliminate A, C and D; cannot be A
    r"\b(?:not|nor|neither|rather than|instead of|eliminat\w+|exclud\w+|rul\w+ out|reject\w*|discard\w*|unlike"
    rf"|(?:cannot|can't|couldn't|can not) be|isn't|aren't)\s+(?:either\s+|both\s+|be\s+)?{_SOME}"
    # A is wrong; C and D are too big
    rf"|{_SOME}\s+(?:is|are|was|were|seems?|looks?)\s+(?:(?:all|both|also|clearly|therefore|thus)\s+)*"
    r"(?:not|wrong|incorrect|false|too|invalid|impossible|ruled out|eliminated|excluded|inconsistent|out)\b"
    rf"{_TO_CLAUSE_END}"
    # A fails; B and C do not hold
    rf"|{_SOME}\s+(?:fails?|contradicts?|violates?|cannot|(?:do|does|did|is|are|was|were|can)(?: not|n't))\b"
    rf"{_TO_CLAUSE_END}"
    # A: false
    rf"|{_SOME}\s*[:.]?\s*(?:false|wrong|incorrect|no)\b"
    # 排除A; 不是A; A错误; A、C都不正确
    rf"|(?:排除(?:了|掉)?|而不是|不是|而非|不选|除去)\s*{_SOME}"
    rf"|{_SOME}\s*[:：,，.．、]?\s*(?:均|都|是|也|为|显然)*\s*"
    r"(?:错误的?|错|不对|不正确|不符合?[^，。；\n]*|不成立|不满足[^，。；\n]*|不可能[^，。；\n]*|排除|有误)"
)
_MAY_RULE_OUT = re.compile(
    r"\b(?:not?|nor|neither|rather|instead|eliminat|exclud|rul\w+ out|reject|discard|unlike|wrong|false|incorrect|too"
    r"|fail|contradict|violat|cannot|invalid|impossible|inconsistent|out)|n't|[错排非不误]"
)

# An option's letter, by how it is named. Every alternative has one group.
_LETTER = re.compile(
    # (B)
    r"\(([A-H])\)"
    # option B, choose (B), 选择B
    r"|(?:选择?|选项|[Oo]ption|[Cc]hoice|[Cc]hoose|[Pp]ick|[Ss]elect|[Gg]o with|[Ll]eaves?)\s*(?:is|should be|是|为)?"
    r"(?:\s+(?:only|us with|therefore))?\s*[:：]?\s*\(?([A-H])(?![A-Za-z'])"
    # … is B, and a line that holds nothing but the letter
    r"|(?:\b(?:is|be|[Tt]herefore|[Hh]ence|[Tt]hus|leaving|leaves)\s*[,:]?\s+)([A-H])\s*\.?\s*$"
    r"|(?:是|为|应为|选)\s*[:：]?\s*([A-H])\s*[。.]?\s*$"
    r"|^[^\w\n]*([A-H])[^\w\n]*$"
    # B is correct, only B works, B正确, so B, it's B
    r"|\b([A-H])[).]?\s+"
    r"(?:matches|works|(?:is|must be|has to be|seems|looks like) (?:clearly |indeed |thus |therefore )?"
    r"(?:the )?(?:only )?(?:correct|right|best|answer|one|valid|true))"
    r"|\b[Oo]nly\s+(?:[Oo]ption\s+)?([A-H])\b(?!\s+and\b)"
    r"|(?<![A-Za-z])([A-H])\s{0,2}(?:选项|项)?\s{0,2}[.．、:：]?\s{0,2}(?:是|为)?\s{0,2}(?:正确|对的?(?![A-Za-z])|成立|符合)"
    # C it is
    r"|(?<![A-Za-z])([A-H]) it (?:is|must be)\b"
    r"|只有\s*(?:选项)?\s*([A-H])(?![A-Za-z、和])"
    # C: true
    r"|(?<![A-Za-z])([A-H])\s*[:.)]\s*(?:true|correct|right|yes)\b"
    r"|\b(?:[Ss]o|but|[Ii]t's|[Ii]t is|must be):?\s+([A-H])\s*\.?\s*$"
    # the right option is b
    r"|\b(?:[Oo]ption|[Cc]hoice)\s+(?:is|must be|would be|should be)\s+\(?([b-h])\)?\s*\.?\s*$",
    re.M,
)
# The letter that an option's text begins with: "(B) 12", "\text{B}", "B."; not "A and B".
_LABEL = re.compile(
    r"(?:text\w*\{)?\(?([A-H])\)?\}?(?:[.:)、．：\s,，]+(?!\s*(?:and|or|和|或)\b)(?![A-H]\b)|$)"
)
_DENIED = re.compile(r"\b(?:not|neither|nor|except)\b|不", re.I)
# "The correct options are A, C and D": several of them.
_SEVERAL = re.compile(
    rf"\b(?:options|choices|answers|statements)\s+(?:are|is)\s*:?\s*({_ONE}(?:{_BETWEEN}{_ONE}){{1,8}})"
    rf"|(?:选项|答案|正确的|符合(?:题意|条件|要求)的)(?:是|为|有)\s*[:：]?\s*({_ONE}(?:{_BETWEEN}{_ONE}){{1,8}})"
)
_NAMES_OPTION = re.compile(r"(?<![A-Za-z\\])[A-H](?![A-Za-z])|^\s*\(?[a-h]\)?\s*$")


def last_letter(text: str) -> str | None:
    """The option's letter (or letters) that a text decides for last; those that it rules out do not count."""
    text = _without_ruled_out(text)
    several = list(_SEVERAL.finditer(text))
    if several:
        return several[-1][1] or several[-1][2]

    found = _LETTER.findall(text)
    letter = next(filter(None, found[-1])) if found else None
    return letter.upper() if letter else None


def chosen_option(text: str) -> str | None:
    """The option's letter that a line begins with or names last; None where the line denies something."""
    text = text.replace("*", "").strip(" .$\\")
    text = _without_ruled_out(text).strip(" .$\\，,。")
    if _DENIED.search(text):
        return None

    label = _LABEL.match(text)
    return label[1] if label else last_letter(text)


def rules_out(text: str) -> bool:
    """Whether a text says of an option that it is not the answer."""
    return _MAY_RULE_OUT.search(text) is not None and _RULED_OUT.search(text) is not None


def names_option(answer: str) -> bool:
    """Whether a letter of an option stands in an answer."""
    return _NAMES_OPTION.search(answer) is not None


def _without_ruled_out(text: str) -> str:
    if not _MAY_RULE_OUT.search(text):
        return text
    return _RULED_OUT.sub(" ", text)
