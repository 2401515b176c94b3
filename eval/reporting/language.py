"""The language of a text by its writing, for `lang` attributes: fonts and screen readers need it."""

import re

HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
KANA = re.compile(r"[\u3040-\u30ff]")
HANGUL = re.compile(r"[\uac00-\ud7af]")


def language_of(text: str) -> str:
    """ "zh", "ja" or "ko" where the text has such characters, else "en"."""
    if KANA.search(text):
        return "ja"
    if HANGUL.search(text):
        return "ko"
    return "zh" if HAN.search(text) else "en"
