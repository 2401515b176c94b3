r"""What people append to a value: a reason ("5, because …"), a remark, an approximation ("3π, or about 9.42").

`without_aside(text)` reads a cleaned answer and is asked only where the answer as it stands was not decided.
"""

import re
from dataclasses import dataclass

_LONGEST = 400  # characters; what is longer is no value with a remark

# Words that begin a reason or a remark. A condition ("if x > 0", "when n is even") may be half of the answer.
_REASON = (
    r"because|since|as (?:required|desired|needed|claimed|expected|wanted|stated|shown|above|before|well)\b"
    r"|as(?: (?:the|it|we|[a-z]\b)|\s*\})|for\s*\}?\s*[a-z]\s*(?:\\n?eq?|\\[gl]eq?|[<>])"
    r"|by (?:the|symmetry|definition|inspection|induction|[A-Z])|due to|thanks to|where\b"
    r"|for (?:all|any|every|each|some)\b"
    r"|given that|assuming|rejecting|ignoring|discarding|excluding|taking|using|from the"
    r"|according to|which (?:is|was|can|means|follows|comes|equals)\b(?! (?:not|wrong))|note that|see\b"
    r"|verified|checked|valid for|obtained|attained|achieved|reached|in simplest|in lowest|rounded"
    r"|correct to|to the nearest|so that"
)
_TEXT = r"(?:\\text\s*\{\s*)?"
# ", because …" and "since …" up to the end.
_TRAILING = re.compile(
    rf"\s*,?\s+{_TEXT}(?:{_REASON}).*$|\s*,\s*{_TEXT}(?:{_REASON}).*$", re.I | re.S
)
# A remark in brackets at the end: "(since x > 0)", "(x = -3 is extraneous)".
_BRACKETED = re.compile(
    rf"\s*(?:\\text\s*\{{\s*)?\(\s*{_TEXT}(?:{_REASON}|reject|or equivalently"
    r"|(?:a )?(?:double|repeated|twice|triple)\b|(?:with )?multiplicity"
    r"|[^()]*\b(?:extraneous|rejected|discarded|invalid|inadmissible"
    r"|not (?:valid|possible|allowed|a solution|in the domain)))"
    r"(?:[^()]|\([^()]*\))*\)\s*\}?$",
    re.I,
)
# "(≈ 9.42)", ", or about 9.42", "or 0.75": an approximation, to be compared as one.
_ABOUT = r"(?:approximately|approx\.?|about|around|roughly|nearly|\\approx|\\simeq|~|≈)(?:\s*equal(?:s)? (?:to )?)?"
_DECIMAL = r"-?\d*\.\d+|-?\d+"
_APPROXIMATION = re.compile(
    rf"\s*,?\s*{_TEXT}\(?\s*{_TEXT}(?:which is|that is|i\.e\.|or|and is|is|=)?,?\s*{_ABOUT}\s*\}}?\s*"
    rf"(?P<value>{_DECIMAL})(?P<percent>\s*\\?%)?(?P<unit>[^\d()]*)\)?\s*\}}?$",
    re.I,
)
_OR_DECIMAL = re.compile(
    rf"\s*,?\s*{_TEXT}\(?\s*{_TEXT}(?:or|=|i\.e\.|that is)\s*\}}?\s*"
    r"(?P<value>-?\d*\.\d+)(?P<percent>)(?P<unit>)\s*\)?\s*\}?$",
    re.I,
)
_EXACT = re.compile(r"\\(?:frac|sqrt|pi|ln|log|sin|cos|tan|exp)|[/^]|\be\b|√|π")
_ENDS_OPEN = re.compile(r"(?:[-+*/=<>^_(,]|\\[a-z]+)$")


@dataclass(frozen=True, slots=True)
class Approximated:
    """An exact value, the decimal behind it, and the unit behind that."""

    exact: str
    decimal: str
    unit: str


def without_aside(text: str) -> str:
    """The answer without a reason or remark at its end, and with its approximation behind a sign for it."""
    if len(text) > _LONGEST:
        return text

    for pattern in (_BRACKETED, _TRAILING):
        remark = pattern.search(text)
        if remark and _is_value(text[: remark.start()]):
            text = text[: remark.start()].rstrip(" ,;")

    approximated = split_approximation(text)
    if approximated:
        text = f"{approximated.exact} \\approx {approximated.decimal}"
    return text


def split_approximation(text: str) -> Approximated | None:
    """An exact value and the decimal that is said to be about it; None where there is none."""
    if len(text) > _LONGEST:
        return None
    found = _APPROXIMATION.search(text) or _OR_DECIMAL.search(text)
    if found is None or not _EXACT.search(text[: found.start()]):
        return None
    decimal = found["value"] + (found["percent"] or "")
    return Approximated(text[: found.start()].rstrip(), decimal, found["unit"].strip(" .$"))


def _is_value(text: str) -> bool:
    """Whether what stands before a remark can be an answer by itself."""
    text = text.strip()
    return bool(text) and not _ENDS_OPEN.search(text) and text.count("(") == text.count(")")
