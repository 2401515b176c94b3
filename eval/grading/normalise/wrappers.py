"""What may stand around an answer: delimiters of formulas, emphasis, quotation marks, punctuation."""

import re

_WRAPPERS = (
    ("$$", "$$"),
    ("$", "$"),
    ("\\(", "\\)"),
    ("\\[", "\\]"),
    ("**", "**"),
    ("`", "`"),
    ('"', '"'),
)
_LEADING = re.compile(
    r"^(?:\s|[=-]+>|[→⇒➔]|=|:|\\(?:approx|simeq|thickapprox|colon|implies|Rightarrow|therefore)(?![A-Za-z])|≈|~|\\ "
    r"|(?:approximately|approx\.?|about|around|roughly)(?![A-Za-z]))+",
    re.I,
)
_CHINESE_LEADING = re.compile(
    r"^(?:一共|总共|共计|合计|共有|共需|共|大约|约)(?:是|为|有|需要?)?\s*(?=[-\d\\$零一二两三四五六七八九十百])"
)


def without_lead(text: str) -> str:
    """Drop arrows, equals signs and "about" before an answer."""
    return _LEADING.sub("", text)


def without_chinese_lead(text: str) -> str:
    """Drop 一共 (in all) and 大约 (about) before a number."""
    return _CHINESE_LEADING.sub("", text)


def unwrapped(text: str) -> str:
    """Drop delimiters, quotation marks and closing punctuation around an answer, however they are nested."""
    changed = True
    while changed:
        changed = False

        for left, right in _WRAPPERS:
            if _is_wrapped(text, left, right):
                text = text[len(left) : -len(right)].strip()
                changed = True

        closed = text.endswith((". ", ".", ",", ";")) and not text.endswith("\\;")
        if closed:
            stripped = text.rstrip(" .,;")
            if not stripped.endswith("\\"):
                text = stripped
                changed = True

    if "$" in text:
        text = _without_dollars(text)
    return text.replace("\\(", " ").replace("\\)", " ").strip()


def _is_wrapped(text: str, left: str, right: str) -> bool:
    """Whether one pair of delimiters stands around all of a text: not so in "$5$ or $6$"."""
    if len(text) < len(left) + len(right):
        return False
    if not text.startswith(left) or not text.endswith(right):
        return False

    inner = text[len(left) : -len(right)]
    if left in ("\\(", "\\["):
        return left not in inner or left[-1] not in inner.replace("\\$", "")
    return left[-1] not in inner.replace("\\$", "")


def _without_dollars(text: str) -> str:
    """Drop the dollar signs that delimit formulas ("$5$ or $6$"); those of money ("$5, $6") stay."""
    parts = re.split(r"(?<!\\)\$", text)
    formulas = parts[1::2]
    paired = len(parts) % 2 == 1
    if paired and all(part and part == part.strip(" ,;") for part in formulas):
        return " ".join(parts).strip()
    return text
