"""Which natural language a text is in: an annotation, never a reason to drop a page.

Languages with a script of their own are recognised by it. The rest, written in Latin letters, are
recognised by their most frequent words, or else by resiliparse's trigram profiles. These know neither Chinese nor
empty texts, and answer for formulas as well: code and formulas are left out.
"""

import re
import string
from collections import Counter
from dataclasses import dataclass

from resiliparse.parse.lang import detect_fast

UNKNOWN = "und"  # ISO 639: undetermined
_SAMPLE = 3_000  # characters looked at
_WORDS = 400
_FEWEST_LETTERS = 20
_WORST_RANK = 1200  # distance of resiliparse's profiles beyond which their answer is a guess
_NOT_PROSE = re.compile(
    r"```.*?(?:```|\Z)|\$\$?[^$]{1,2000}\$\$?|`[^`\n]*`|\bhttps?://\S+", re.DOTALL
)

# Unicode blocks of the scripts. Greek must come in words: single letters are formulas.
_SCRIPTS = {
    "han": re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"),
    "kana": re.compile("[\u3040-\u30ff]"),
    "hangul": re.compile("[\uac00-\ud7af\u1100-\u11ff]"),
    "cyrillic": re.compile("[\u0400-\u04ff]"),
    "greek": re.compile("[\u03b1-\u03c9\u03ac-\u03ce\u1f00-\u1fff]{3,}"),
    "arabic": re.compile("[\u0600-\u06ff]"),
    "hebrew": re.compile("[\u05d0-\u05ea]"),
    "devanagari": re.compile("[\u0900-\u097f]"),
    "bengali": re.compile("[\u0980-\u09ff]"),
    "tamil": re.compile("[\u0b80-\u0bff]"),
    "thai": re.compile("[\u0e00-\u0e7f]"),
    "georgian": re.compile("[\u10d0-\u10ff]"),
    "armenian": re.compile("[\u0561-\u0587]"),
}
_LATIN = re.compile("[\u00c0-\u024f]")
_OTHER_SCRIPT = re.compile("[\u0370-\u1fff\u3040-\ud7af\uf900-\ufaff]")
_ASCII_RUN = re.compile("[\x00-\x7f]+")
_ASCII_LETTERS = string.ascii_letters.encode()

# Scripts of one language, and scripts whose language the profiles decide (the likeliest first).
_ONE_LANGUAGE = {
    "greek": "el",
    "hebrew": "he",
    "bengali": "bn",
    "tamil": "ta",
    "thai": "th",
    "georgian": "ka",
    "armenian": "hy",
    "hangul": "ko",
    "kana": "ja",
    "han": "zh",
}
_DECIDED_BY_PROFILE = {
    "cyrillic": ("ru", "uk", "bg", "sr", "mk", "be", "kk", "mn"),
    "arabic": ("ar", "fa", "ur"),
    "devanagari": ("hi", "mr", "ne"),
}

# Words so frequent that they settle what the profiles confuse; single letters are formulas.
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


def _languages_of_words() -> dict[str, list[str]]:
    """Frequent word -> the languages it is frequent in."""
    languages: dict[str, list[str]] = {}
    for name, words in _FREQUENT.items():
        for word in words.split():
            languages.setdefault(word, []).append(name)
    return languages


_LANGUAGES_OF = _languages_of_words()


def detect_language(text: str) -> tuple[str, float]:
    """ISO 639-1 code and a score in 0..1; ("und", 0.0) when there is too little prose to say."""
    prose = text[: 2 * _SAMPLE]
    if "`" in prose or "$" in prose or "://" in prose:
        prose = _NOT_PROSE.sub(" ", prose)
    prose = prose[:_SAMPLE]

    letters = _count_letters(prose)
    weights = letters.weights()
    total = letters.latin + sum(weights.values())
    if total < _FEWEST_LETTERS:
        return UNKNOWN, 0.0
    if not weights:
        return _latin_language(prose)

    script = max(weights, key=weights.__getitem__)
    weight = weights[script]
    if script in ("han", "kana"):
        # Japanese mixes both: a tenth of kana is far above what a Chinese page quotes.
        is_japanese = letters.others["kana"] > 0.1 * letters.others["han"]
        script = "kana" if is_japanese else "han"
        weight = weights.get("han", 0) + weights.get("kana", 0)

    if weight > 0.4 * total:
        return _language_of_script(script, prose), round(min(1.0, weight / total), 3)
    return _latin_language(prose)


@dataclass(frozen=True, slots=True)
class _Letters:
    """Number of Latin letters, and of letters of each other script (of _SCRIPTS)."""

    latin: int
    others: Counter[str]

    def weights(self) -> dict[str, int]:
        """A Han or kana character or a Hangul syllable says about as much as three letters."""
        return {
            name: 3 * count if name in ("han", "kana", "hangul") else count
            for name, count in self.others.items()
        }


def _count_letters(prose: str) -> _Letters:
    ascii_part = prose.encode("ascii", "ignore")
    latin = len(ascii_part) - len(ascii_part.translate(None, _ASCII_LETTERS))
    others: Counter[str] = Counter()
    if prose.isascii():
        return _Letters(latin, others)

    # Most pages are mostly ASCII: look at the rest only.
    foreign = _ASCII_RUN.sub(" ", prose)
    latin += len(_LATIN.findall(foreign))
    if _OTHER_SCRIPT.search(foreign):
        for name, pattern in _SCRIPTS.items():
            others[name] = sum(map(len, pattern.findall(foreign)))
    return _Letters(latin, others)


def _language_of_script(script: str, prose: str) -> str:
    if script in _ONE_LANGUAGE:
        return _ONE_LANGUAGE[script]
    choices = _DECIDED_BY_PROFILE[script]
    # The profiles need some text to go by.
    if len(prose) <= 200:
        return choices[0]
    return detect_fast(prose, langs=choices)[0]


def _latin_language(prose: str) -> tuple[str, float]:
    """Code and score of a text in Latin letters: by frequent words, or else by the profiles."""
    candidates = prose.lower().split()[:_WORDS]
    words = [word for word in candidates if len(word) > 1 and word[:1].isalpha()]
    if not words:
        return UNKNOWN, 0.0

    hits = dict.fromkeys(_FREQUENT, 0)
    for word in words:
        for name in _LANGUAGES_OF.get(word, ()):
            hits[name] += 1

    # Clear: every sixteenth word or so is a frequent one, and no other language comes near.
    (first, most), (_, second_most) = sorted(hits.items(), key=lambda item: -item[1])[:2]
    if most >= max(2, 0.06 * len(words)) and most >= 1.3 * second_most:
        return first, round(min(1.0, 0.5 + most / len(words)), 3)

    # The profile's rank is a distance: small is sure.
    language, rank = detect_fast(prose)
    if language != "unknown" and rank <= _WORST_RANK:
        return language, round(max(0.1, 1 - rank / 1500), 3)
    if most >= 2:
        return first, 0.3
    return UNKNOWN, 0.0
