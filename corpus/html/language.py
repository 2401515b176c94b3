"""Which natural language a text is in: an annotation, never a reason to drop a page.

Languages with a script of their own are told by it; the rest, written in Latin letters, by resiliparse's trigram
profiles, which know neither Chinese nor empty texts and answer for formulas as well: code and formulas are left out.
"""

import re
import string
from collections import Counter

from resiliparse.parse.lang import detect_fast

UNKNOWN = "und"  # ISO 639: undetermined
_SAMPLE = 3_000  # characters looked at
_WORDS = 400
_NOT_PROSE = re.compile(
    r"```.*?(?:```|\Z)|\$\$?[^$]{1,2000}\$\$?|`[^`\n]*`|\bhttps?://\S+", re.DOTALL
)
_SCRIPTS = {
    "han": re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"),
    "kana": re.compile("[\u3040-\u30ff]"),
    "hangul": re.compile("[\uac00-\ud7af\u1100-\u11ff]"),
    "cyrillic": re.compile("[\u0400-\u04ff]"),
    "greek": re.compile(
        "[\u03b1-\u03c9\u03ac-\u03ce\u1f00-\u1fff]{3,}"
    ),  # words: single letters are formulas
    "arabic": re.compile("[\u0600-\u06ff]"),
    "hebrew": re.compile("[\u05d0-\u05ea]"),
    "devanagari": re.compile("[\u0900-\u097f]"),
    "bengali": re.compile("[\u0980-\u09ff]"),
    "tamil": re.compile("[\u0b80-\u0bff]"),
    "thai": re.compile("[\u0e00-\u0e7f]"),
    "georgian": re.compile("[\u10d0-\u10ff]"),
    "armenian": re.compile("[\u0561-\u0587]"),
}
_ONE_LANGUAGE = {
    "greek": "el",
    "hebrew": "he",
    "bengali": "bn",
    "tamil": "ta",
    "thai": "th",
    "georgian": "ka",
}
_ONE_LANGUAGE |= {"armenian": "hy", "hangul": "ko", "kana": "ja", "han": "zh"}
_LATIN = re.compile("[\u00c0-\u024f]")
_OTHER_SCRIPT = re.compile("[\u0370-\u1fff\u3040-\ud7af\uf900-\ufaff]")
_ASCII_RUN = re.compile("[\x00-\x7f]+")
_ASCII_LETTERS = string.ascii_letters.encode()
_DECIDED_BY_PROFILE = {
    "cyrillic": ("ru", "uk", "bg", "sr", "mk", "be", "kk", "mn"),
    "arabic": ("ar", "fa", "ur"),
}
_DECIDED_BY_PROFILE |= {"devanagari": ("hi", "mr", "ne")}
# Words so frequent that they decide between the profiles' usual confusions; single letters are formulas.
_FREQUENT = {
    "en": "the of and to in is that for it with as are this be on by",
    "de": "der die und das ist nicht ein eine mit den von auch sich werden wird im",
    "fr": "les des une est dans pour que qui sur pas avec sont vous cette plus et",
    "es": "los las una del que para con por como más pero este esta son el y",
    "pt": "os uma para com não por mais dos como são pelo foi esta isso em",
    "it": "il che di una per non sono della con più gli anche del questo è",
    "nl": "het een van dat niet zijn voor met ook aan wordt deze naar op te",
    "ca": "els les una amb per que del són més aquest aquesta els és dels",
    "ro": "și este care din pentru sunt mai această nu cu sau ale într-o la",
    "pl": "nie jest się że do na przez oraz jako które tego dla jak po",
    "sv": "och att det som är på för inte med den till av ett kan om",
    "da": "og at det som er på for ikke med den til af et kan om",
    "cs": "je se na že pro jako které nebo jsou ve který aby tento při",
    "tr": "ve bir bu için ile olarak da daha olan değil gibi kadar çok",
    "vi": "và của các là có được cho không này trong một những với",
    "id": "yang dan di untuk dengan dari ini pada adalah tidak dalam",
}
_LANGUAGES_OF: dict[str, list[str]] = {}  # frequent word -> the languages it is frequent in
for _name, _words in _FREQUENT.items():
    for _word in _words.split():
        _LANGUAGES_OF.setdefault(_word, []).append(_name)


def detect_language(text: str) -> tuple[str, float]:
    """ISO 639-1 code and a score in 0..1; ("und", 0.0) when there is too little prose to say."""
    prose = text[: 2 * _SAMPLE]
    if "`" in prose or "$" in prose or "://" in prose:
        prose = _NOT_PROSE.sub(" ", prose)
    prose = prose[:_SAMPLE]
    latin, scripts = _count_scripts(prose)
    # A Han or kana character or a Hangul syllable says about as much as three letters of an alphabet.
    weights = {
        name: count * (3 if name in ("han", "kana", "hangul") else 1)
        for name, count in scripts.items()
    }
    total = latin + sum(weights.values())
    if total < 20:
        return UNKNOWN, 0.0
    name, weight = max(weights.items(), key=lambda item: item[1], default=("", 0))
    east_asian = weights.get("han", 0) + weights.get("kana", 0)
    if name in ("han", "kana"):
        # Japanese mixes both: a tenth of kana is far above what a Chinese page quotes.
        name, weight = ("kana" if scripts["kana"] > 0.1 * scripts["han"] else "han"), east_asian
    if weight > 0.4 * total:
        return _language_of_script(name, prose), round(min(1.0, weight / total), 3)
    return _latin_language(prose)


def _count_scripts(prose: str) -> tuple[int, Counter]:
    """Number of Latin letters, and of letters of each other script."""
    scripts: Counter = Counter()
    ascii_part = prose.encode("ascii", "ignore")
    latin = len(ascii_part) - len(ascii_part.translate(None, _ASCII_LETTERS))
    if not prose.isascii():
        foreign = _ASCII_RUN.sub(" ", prose)  # most pages are mostly ASCII: look at the rest only
        latin += len(_LATIN.findall(foreign))
        for name, pattern in _SCRIPTS.items() if _OTHER_SCRIPT.search(foreign) else ():
            scripts[name] = sum(map(len, pattern.findall(foreign)))
    return latin, scripts


def _language_of_script(script: str, prose: str) -> str:
    if script in _ONE_LANGUAGE:
        return _ONE_LANGUAGE[script]
    choices = _DECIDED_BY_PROFILE[script]
    return detect_fast(prose, langs=choices)[0] if len(prose) > 200 else choices[0]


def _latin_language(prose: str) -> tuple[str, float]:
    words = [
        word for word in prose.lower().split()[:_WORDS] if word[:1].isalpha() and len(word) > 1
    ]
    if not words:
        return UNKNOWN, 0.0
    hits = dict.fromkeys(_FREQUENT, 0)
    for word in words:
        for name in _LANGUAGES_OF.get(word, ()):
            hits[name] += 1
    first, second = sorted(hits.items(), key=lambda item: -item[1])[:2]
    if first[1] >= max(2, 0.06 * len(words)) and first[1] >= 1.3 * second[1]:
        return first[0], round(min(1.0, 0.5 + first[1] / len(words)), 3)
    language, rank = detect_fast(prose)
    # The profile's rank is a distance: small is sure, beyond 1,200 it is a guess.
    if language == "unknown" or rank > 1200:
        return (first[0], 0.3) if first[1] >= 2 else (UNKNOWN, 0.0)
    return language, round(max(0.1, 1 - rank / 1500), 3)
