r"""One spelling for the many ways to write the same answer: `clean(text)`.

Full-width characters, Unicode mathematics (½, √, ≤, ①, x²), dollar signs and other delimiters, `\text` and its
relatives, thousands separators, closing punctuation. The result is still LaTeX; what it means is decided by
eval.grading.normalise.numbers (exact numbers) and eval.grading.formula.parser (everything else).
"""

import re
import unicodedata
from functools import lru_cache

from eval.grading.normalise.verbal import as_formula

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ", "0123456789+-n")
_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_VULGAR = {
    "½": "1/2", "⅓": "1/3", "⅔": "2/3", "¼": "1/4", "¾": "3/4", "⅕": "1/5", "⅖": "2/5", "⅗": "3/5", "⅘": "4/5",
    "⅙": "1/6", "⅚": "5/6", "⅛": "1/8", "⅜": "3/8", "⅝": "5/8", "⅞": "7/8", "⅐": "1/7", "⅑": "1/9", "⅒": "1/10",
}  # fmt: skip
_SYMBOLS = {
    "∞": r"\infty ", "π": r"\pi ", "×": r"\times ", "·": r"\cdot ", "⋅": r"\cdot ", "∙": r"\cdot ", "÷": r"\div ",
    "±": r"\pm ", "∓": r"\mp ", "≤": r"\le ", "≥": r"\ge ", "≦": r"\le ", "≧": r"\ge ", "⩽": r"\le ", "⩾": r"\ge ",
    "≠": r"\ne ", "≈": r"\approx ", "∪": r"\cup ", "∩": r"\cap ", "∈": r"\in ", "∅": r"\emptyset ", "Ø": r"\emptyset ",
    "ℝ": r"\mathbb{R}", "ℤ": r"\mathbb{Z}", "ℕ": r"\mathbb{N}", "ℚ": r"\mathbb{Q}", "ℂ": r"\mathbb{C}",
    "√": r"\sqrt ", "∛": r"\sqrt[3]", "°": r"^\circ ", "℃": r"^\circ \text{C}", "∠": r"\angle ", "△": r"\triangle ",
    "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "﹣": "-", "－": "-", "⁄": "/", "∕": "/", "：": ":", "∶": ":",
    "，": ", ", "、": ", ", "；": "; ", "。": ".", "।": ".",
    "（": "(", "）": ")", "【": "[", "】": "]", "｛": r"\{", "｝": r"\}",
    "〈": r"\langle ", "〉": r"\rangle ", "⟨": r"\langle ", "⟩": r"\rangle ", "′": "'", "″": "''", "’": "'", "‘": "'",
    "“": '"', "”": '"', "∣": r"\mid ", "∖": r"\setminus ", "θ": r"\theta ", "α": r"\alpha ", "β": r"\beta ",
    "γ": r"\gamma ", "λ": r"\lambda ", "μ": r"\mu ", "φ": r"\phi ", "ω": r"\omega ", "ρ": r"\rho ", "σ": r"\sigma ",
    "Δ": r"\Delta ", "δ": r"\delta ", "￥": "¥",
}  # fmt: skip
_CIRCLED = {chr(0x2460 + n): rf"\textcircled{{{n + 1}}}" for n in range(20)}
_TRANSLATION = str.maketrans(_SYMBOLS | _CIRCLED)
_TEXT = re.compile(
    r"\\(?:text(?:bf|it|rm|sf|tt|normal|up)?|mbox|hbox|mathrm|mathsf|mathit|mathbf|boldsymbol|bm|operatorname\*?|rm|bf)"
    r"\s*\{([^{}]*)\}"
)
_SINGLE_LETTER = re.compile(r"\\text\{\s*([a-zA-Z])\s*\}")
_DROPPED = re.compile(
    r"\\(?:displaystyle|textstyle|scriptstyle|limits|nolimits|strut|rm|bf|it)(?![A-Za-z])"
    r"|\\(?:left|right|[bB]igg?[lrm]?)(?![A-Za-z])\s*\.?(?=[^\d]|$)"
)
_SPACES = re.compile(
    r"\\(?:quad|qquad|enspace|thinspace|,|;|:|>|~| |!)|~|[\t\n\r\xa0\u2000-\u200b\u202f\u3000]"
)
_GROUPED = re.compile(r"(?<![\d.])(\d{1,3})((?:(?:\{,\}|\\[,!;: ]|,\\!|,)\d{3})+)(?![\d])")
_LEADING = re.compile(
    r"^(?:\s|=|:|\\(?:approx|simeq|thickapprox|colon|implies|Rightarrow|therefore)(?![A-Za-z])|≈|~|\\ "
    r"|(?:approximately|approx\.?|about|around|roughly)(?![A-Za-z]))+",
    re.I,
)
_OUTWARD = re.compile(r"([\[\](])([^\[\]()]*[,;][^\[\]()]*)([\[\])])")
_REPEATING = re.compile(
    r"(?<![\d.])(\d{1,15})\.(\d{0,30})(?:\\(?:overline|bar)\s*\{?(\d{1,30})\}?|((?:\\dot\s*\{?\d\}?\d{0,20}){1,2}))"
)
_IN_BRACKETS = re.compile(r"-?(\d{1,15})\.(\d{0,30})\((\d{1,30})\)")
_DOTTED = re.compile(r"-?(\d{1,15})\.(\d{0,30}?)(\d{1,12}?)(\3{1,30})(?:\.{3}|…|\s*\\[lc]?dots)")
_INVISIBLE = dict.fromkeys(
    map(ord, "\0\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u202a\u202c\u202d\u202e")
)
_POSITIVE_REALS = re.compile(r"\\mathbb\s*\{?\s*R\s*\}?\s*[\^_]\s*(?:\{\s*(?:\+|>\s*0)\s*\}|\+)")
_NOT_NEGATIVE = re.compile(
    r"\\mathbb\s*\{?\s*R\s*\}?\s*_\s*\{?\s*(?:\\geq?|\+)\s*0?\s*\}?(?:\s*\^\s*\{?\+\}?)?$"
)
_UNIT_FRACTION = re.compile(
    r"\\[dt]?frac\s*\{\s*\\(?:text|mathrm)\{\s*([a-z ]+)\}\s*\}\s*\{\s*\\(?:text|mathrm)\{\s*([a-z ]+)\}\s*\}"
)
_CONDITION = re.compile(
    r"\s*\(\s*([a-zA-Z]\s*\\in\s*(?:\\mathbb\s*)?\{?\s*[ZNRQ]\s*\}?(?:\s*[\^_]\s*\{?[+*]\}?)?)\s*\)$"
)
_TEXT_ONLY = re.compile(r"^\\text\s*\{\s*(-?[\d(][^{}\\$]*)\}$")
_INCHES = re.compile(r"^(\d+(?:\.\d+)?)\s*(?:\"|'')$")
_FEET = re.compile(r"^(\d+)'\s*(\d+(?:\.\d+)?)\s*(?:\"|'')$")
_BEFORE = re.compile(
    r"^(?:一共|总共|共计|合计|共有|共需|共|大约|约)(?:是|为|有|需要?)?\s*(?=[-\d\\$零一二两三四五六七八九十百])"
)
_RELATION_WORDS = (
    ("大于或等于", r"\ge "), ("大于等于", r"\ge "), ("不小于", r"\ge "), ("小于或等于", r"\le "), ("小于等于", r"\le "),
    ("不大于", r"\le "), ("不超过", r"\le "), ("不等于", r"\ne "), ("大于", ">"), ("小于", "<"), ("等于", "="),
)  # fmt: skip
_OTHER_DIGITS = re.compile(r"[^\x00-\x7f\D]")  # Bengali, Thai, Arabic, full-width …
_SPACED = re.compile(r"-?\d{1,3}(?: \d{3})+(?:\.\d+)?")
_COMPLEX = re.compile(r"((?:^|[-+ ])\d+(?:\.\d+)?)j$")
_UNIT_VECTOR = re.compile(
    r"\\(?:mathbf|boldsymbol|bm|hat|widehat|vec|overrightarrow)\s*\{?\s*(?:\\(?:mathbf|boldsymbol|bm|hat)\s*\{?\s*)?"
    r"\\?([ijk])(?:math)?(?![A-Za-z])\s*\}{0,2}"
)
_WRAPPERS = (
    ("$$", "$$"),
    ("$", "$"),
    ("\\(", "\\)"),
    ("\\[", "\\]"),
    ("**", "**"),
    ("`", "`"),
    ('"', '"'),
)


@lru_cache(maxsize=65536)
def clean(text: str) -> str:
    """Return the answer in the one spelling that the rest of the grader reads. Idempotent, linear in length."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return text
    if text.endswith(("...", "dots", "…")):
        text = _continued(text)
    if not text.isascii() or "\0" in text:
        text = _BEFORE.sub("", _plain_unicode(text.translate(_INVISIBLE)).strip())
        if "于" in text or "不超过" in text:
            text = _with_relations(text)
    if text.endswith(("'", '"')) and text[:1].isdigit():
        text = _FEET.sub(r"\1 feet \2 inches", _INCHES.sub(r"\1 inches", text))
    text = _LEADING.sub("", _unwrapped(text)) or text
    if "\\" in text or "~" in text or "{,}" in text:
        text = _plain_latex(text)
    if "{" in text or "}" in text:
        text = _closed(text)
        if text.startswith("boxed{") and text.endswith("}"):
            text = text[6:-1]
        if text[:1] == "{" and text[-1:] == "}" and ("|" in text or "\\mid" in text):
            text = "\\" + text[:-1] + "\\}"
    text = _without_separators(text)
    if text[:1] == "]" or text[-1:] == "[":
        text = _OUTWARD.sub(
            lambda m: f"{'(' if m[1] == ']' else '['}{m[2]}{')' if m[3] == '[' else ']'}", text
        )
    if "." in text:
        text = _repeating(text)
    if text[:1] in "mMnN":
        text = re.sub(r"^(?:minus|negative)\s+(?=[\d\\])", "-", text, flags=re.I)
    if " out of " in text:
        text = re.sub(r"^(\d+) out of (\d+)$", r"\1/\2", text)
    if " to " in text:
        text = re.sub(r"^(\d+(?:\.\d+)?) to (\d+(?:\.\d+)?)$", r"\1:\2", text)
    if "^" in text:
        text = re.sub(r"(?<=\d)\s*\^\s*\{?o\}?(?![A-Za-z])", r"^\\circ ", text)
    if text.endswith("j"):
        text = _COMPLEX.sub(r"\1i", text)
    if text.endswith("}"):
        text = re.sub(r"(?<=\d)\s*\{([A-Za-z ]+)\}$", r" \\text{\1}", text)  # 48{grams}
    text = re.sub(r"\s+", " ", text).strip()
    if not text[:1].isdigit():
        text = as_formula(text)
    return text.rstrip(".,;: ").strip() if not text.endswith("\\") else text


def _with_relations(text: str) -> str:
    """x大于等于3 as x ≥ 3, where a name stands before the word and a number or name behind it."""
    for word, sign in _RELATION_WORDS:
        text = re.sub(
            rf"(?<=[A-Za-z\d}})])\s*{word}\s*(?=[-\dA-Za-z\\(])",
            lambda _, sign=sign: f" {sign}",
            text,
        )
    return text


def _repeating(text: str) -> str:
    """Repeating decimals as fractions: 0.1\\overline{6}, 0.\\dot{3}, 0.(3), 0.333..."""
    if "\\" in text and _REPEATING.search(text):
        return _REPEATING.sub(lambda m: _as_fraction(m[1], m[2], m[3] or m[4]), text)
    bracketed = _IN_BRACKETS.fullmatch(text) if text.endswith(")") else None
    if bracketed:
        return ("-" if text[0] == "-" else "") + _as_fraction(*bracketed.groups())
    return text


def _continued(text: str) -> str:
    """0.333... is one third; other decimals that go on lose their dots only."""
    dotted = _DOTTED.fullmatch(text)
    if dotted and len(dotted[3] + dotted[4]) >= 3:
        return ("-" if text[0] == "-" else "") + _as_fraction(*dotted.groups()[:3])
    return text


def _as_fraction(whole: str, start: str, period: str) -> str:
    period = "".join(char for char in period if char.isdigit())
    above = int(whole + start + period) - int(whole + start)
    return f"\\frac{{{above}}}{{{10 ** len(start) * (10 ** len(period) - 1)}}}"


def _plain_unicode(text: str) -> str:
    text = _OTHER_DIGITS.sub(lambda digit: str(unicodedata.decimal(digit.group())), text)
    for char, fraction in _VULGAR.items():
        if char in text:
            text = re.sub(rf"(\d)\s*{char}", rf"\1 {fraction}", text).replace(char, fraction)
    text = re.sub(
        r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ]+", lambda run: "^{" + run.group().translate(_SUPERSCRIPTS) + "}", text
    )
    text = re.sub(
        r"[₀₁₂₃₄₅₆₇₈₉]+", lambda run: "_{" + run.group().translate(_SUBSCRIPTS) + "}", text
    )
    text = re.sub(
        r"√\s*(?:\(([^()]*)\)|([\d.]*\d|[A-Za-z]))",
        lambda m: f"\\sqrt{{{m.group(1) or m.group(2)}}}",
        text,
    )
    # Wide punctuation first: compatibility normalisation would turn ① into 1 and ： into a bare colon.
    return unicodedata.normalize("NFKC", text.translate(_TRANSLATION)).translate(_TRANSLATION)


def _unwrapped(text: str) -> str:
    changed = True
    while changed:
        changed = False
        for left, right in _WRAPPERS:
            if (
                len(text) >= len(left) + len(right)
                and text.startswith(left)
                and text.endswith(right)
            ):
                inner = text[len(left) : -len(right)]
                if left[-1] not in inner.replace("\\$", "") or (
                    left in ("\\(", "\\[") and left not in inner
                ):
                    text, changed = inner.strip(), True
        stripped = (
            text.rstrip(" .,;")
            if text.endswith((". ", ".", ",", ";")) and not text.endswith("\\;")
            else text
        )
        if stripped != text and not stripped.endswith("\\"):
            text, changed = stripped, True
    if "$" in text:
        text = _without_dollars(text)
    return text.replace("\\(", " ").replace("\\)", " ").strip()


def _without_dollars(text: str) -> str:
    """Drop the dollar signs that delimit formulas ("$5$ or $6$"); those of money ("$5, $6") stay."""
    parts = re.split(r"(?<!\\)\$", text)
    if len(parts) % 2 and all(part and part == part.strip(" ,;") for part in parts[1::2]):
        return " ".join(parts).strip()
    return text


def _plain_latex(text: str) -> str:
    if "\\choose" in text or "\\over" in text:
        text = re.sub(r"\{([^{}]*?)\\choose(?![a-z])([^{}]*)\}", r"\\binom{\1}{\2}", text)
        text = re.sub(r"\{([^{}]*?)\\over(?![a-z])([^{}]*)\}", r"\\frac{\1}{\2}", text)
    if "\\lbr" in text or "\\rbr" in text:
        for name, bracket in (
            ("lbrace", "\\{"),
            ("rbrace", "\\}"),
            ("lbrack", "["),
            ("rbrack", "]"),
        ):
            text = re.sub(rf"\\{name}(?![A-Za-z])", lambda _, b=bracket: b, text)
    if "\\\\" in text and "\\begin" not in text:
        text = re.sub(r"\\\\(?=[A-Za-z{}])", r"\\", text)  # escaped twice
    text = text.rstrip("\\ ")
    if "\\begin" in text and text.count("\\{") > text.count("\\}"):
        text = re.sub(r"\\(?:left\s*\\)?\{\s*(?=\\begin)", "", text)  # the brace of a system
    if "\\Omega" in text:
        text = re.sub(r"(?<=\d)\s*\\Omega(?![A-Za-z])", r" \\text{ohm}", text)
    text = _POSITIVE_REALS.sub(r"(0,\\infty)", text)
    text = _NOT_NEGATIVE.sub(r"[0,\\infty)", text)
    text = _UNIT_FRACTION.sub(r"\\text{\1/\2}", text)
    text = _CONDITION.sub(r", \1", text)
    if text.startswith("\\text") and text.endswith("}"):
        text = _TEXT_ONLY.sub(r"\1", text)
    text = re.sub(r"\\text\s*\{\s*percent\s*\}", r"\\%", text)
    text = _UNIT_VECTOR.sub(r"\\vec{\1}", text)
    text = re.sub(r"\\(?:mathbf|bf|rm|mathrm)\s*\{?\s*R\}?$", r"\\mathbb{R}", text)
    text = re.sub(r"\\[dtc]frac(?![A-Za-z])", r"\\frac", text)
    text = re.sub(r"\\[dt]binom(?![A-Za-z])", r"\\binom", text)
    text = re.sub(
        r"\\(?:boxed|fbox|displaystyle|mathop)\s*\{((?:[^{}]|\{[^{}]*\})*)\}", r"\1", text
    )
    text = re.sub(r"\\!\s*", "", text)
    text = _GROUPED.sub(lambda m: m.group(1) + re.sub(r"\D", "", m.group(2)), text)
    text = text.replace("{,}", ".") if re.search(r"\d\{,\}\d", text) else text
    text = _TEXT.sub(r"\\text{\1}", text)
    text = _SINGLE_LETTER.sub(r" \1", text) if re.search(r"\\text\{\s*[ie]\s*\}", text) else text
    text = _DROPPED.sub(" ", text)
    return _drop_spacing(text)


def _closed(text: str) -> str:
    """Close up to three braces that an answer leaves open; drop as many that it closes without opening them."""
    braces = re.findall(r"\\[{}]|[{}]", text)
    missing = braces.count("{") - braces.count("}")
    if 0 < missing <= 3:
        return text + "}" * missing
    while -3 <= missing < 0 and text.endswith("}") and not text.endswith("\\}"):
        text, missing = text[:-1].rstrip(), missing + 1
    return text


def _drop_spacing(text: str) -> str:
    r"""Replace spacing commands by blanks, minding that `\\,` is a row's end and a comma."""
    parts = text.split("\\\\")
    return "\\\\".join(
        _SPACES.sub(lambda m: "" if m.group() == "\\!" else " ", part) for part in parts
    )


def _without_separators(text: str) -> str:
    """1,234,567 → 1234567 outside brackets (inside them a comma separates elements)."""
    if " " in text and _SPACED.fullmatch(text):
        return text.replace(" ", "")
    if "," not in text or "(" in text or "[" in text or "\\{" in text or text.startswith("{"):
        return text
    return _GROUPED.sub(lambda m: m.group(1) + re.sub(r"\D", "", m.group(2)), text)


def squeezed(text: str) -> str:
    """For comparing as strings: no blanks but those between two digits."""
    return re.sub(r"(?<!\d)\s+|\s+(?!\d)", "", text)


def as_words(text: str) -> str:
    r"""For comparing as words: no case, markup, articles or punctuation at the ends."""
    text = re.sub(r"\\text\{([^{}]*)\}", r"\1", text)
    text = re.sub(r"\\[A-Za-z]+|[{}$*_\"'`]", " ", text).lower()
    text = re.sub(r"\b([ap])\.\s?m\b\.?", r"\1m", text)
    text = re.sub(
        r"^\s*on\s+(?=(?:mon|tues|wednes|thurs|fri|satur|sun)day)|(?<=\d)(?:st|nd|rd|th)\b",
        "",
        text,
    )
    text = re.sub(
        r"^第(?=[一二三四][、,和与一二三四 ]*象限$)|(?<=[一二三四])象限$", "", text.strip()
    )
    text = re.sub(r"^\s*(?:the|a|an)\s+", "", text)
    text = re.sub(r"(?<=[a-z])-(?=[a-z])|[.,;:!?]+(?=\s|$)", " ", text)
    text = re.sub(r"\s+", " ", text).strip(" .,;:!?")
    if text.startswith("(") and text.endswith(")") and text.count("(") == 1:
        text = text[1:-1]
    return re.sub(r"(?<=\d) (?=[ap]m\b)", "", text).strip()
