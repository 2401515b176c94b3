"""Unicode mathematics as LaTeX: ½, x², √2, ≤, ①, full-width characters, digits of other scripts."""

import re
import unicodedata

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ", "0123456789+-n")
_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_VULGAR_FRACTIONS = {
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
_VULGAR_FRACTION = re.compile(rf"((?<=\d)\s*)?([{''.join(_VULGAR_FRACTIONS)}])")
_OTHER_SEPARATORS = {"．": ".", "٫": ".", "٬": ","}
_OTHER_SEPARATOR = re.compile(r"(?<=\d)[．٫٬](?=\d)")
_OTHER_DIGITS = re.compile(r"[^\x00-\x7f\D]")  # Bengali, Thai, Arabic, full-width …
_ROOT = re.compile(r"√\s*(?:\(([^()]*)\)|([\d.]*\d|[A-Za-z]))")
_INVISIBLE = dict.fromkeys(
    map(ord, "\0\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u202a\u202c\u202d\u202e")
)


def plain_digits(text: str) -> str:
    """Digits of other scripts, full-width ones and vulgar fractions in plain ones: ４２ as 42, 2½ as 2 1/2."""
    text = _OTHER_DIGITS.sub(lambda digit: str(unicodedata.decimal(digit.group())), text)
    text = _OTHER_SEPARATOR.sub(lambda match: _OTHER_SEPARATORS[match.group()], text)
    return _VULGAR_FRACTION.sub(_as_plain_fraction, text)


def _as_plain_fraction(match: re.Match[str]) -> str:
    """½ as 1/2; behind a digit with a blank, as in the mixed number 2 1/2."""
    behind_digit = match[1] is not None
    return (" " if behind_digit else "") + _VULGAR_FRACTIONS[match[2]]


def plain_unicode(text: str) -> str:
    """Unicode mathematics as LaTeX: ½, x², √2, ≤, ①, full-width characters, digits of other scripts."""
    text = plain_digits(text.translate(_INVISIBLE))

    text = re.sub(
        r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ]+", lambda run: "^{" + run.group().translate(_SUPERSCRIPTS) + "}", text
    )
    text = re.sub(
        r"[₀₁₂₃₄₅₆₇₈₉]+", lambda run: "_{" + run.group().translate(_SUBSCRIPTS) + "}", text
    )
    text = _ROOT.sub(lambda match: f"\\sqrt{{{match[1] or match[2]}}}", text)

    # Wide punctuation first: compatibility normalisation would turn ① into 1 and ： into a bare colon.
    return unicodedata.normalize("NFKC", text.translate(_TRANSLATION)).translate(_TRANSLATION)
