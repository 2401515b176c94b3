"""Fill sentence templates: `{word}` is replaced by a random entry of a lexicon, or by a random number."""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field

_SLOT = re.compile(r"\{(\w+)\}")

NUMBERS: dict[str, Callable[[random.Random], str]] = {
    "n": lambda rng: str(rng.randint(2, 19)),
    "m": lambda rng: str(rng.randint(20, 99)),
    "k": lambda rng: str(rng.randint(100, 2400)),
    "tens": lambda rng: str(rng.randint(2, 48) * 5),
    "price": lambda rng: f"{rng.randint(3, 240)}.{rng.choice(('00', '49', '50', '95', '99'))}",
    "year": lambda rng: str(rng.randint(1871, 2023)),
    "clock": lambda rng: f"{rng.randint(1, 12)}:{rng.randint(0, 59):02}",
    "day": lambda rng: str(rng.randint(1, 28)),
    "percent": lambda rng: f"{rng.randint(1, 89)}%",
    "score": lambda rng: f"{rng.randint(0, 6)}-{rng.randint(0, 6)}",
    "decimal": lambda rng: f"{rng.randint(0, 40)}.{rng.randint(1, 9)}",
    "code": lambda rng: f"{rng.choice('ABKMRTX')}{rng.choice('CDEHN')}-{rng.randint(100, 9999)}",
}


@dataclass(frozen=True)
class Vertical:
    """What pages of one subject are written from: titles, sentences, headings and the words that fill them."""

    titles: tuple[str, ...]
    sentences: tuple[str, ...]
    headings: tuple[str, ...]
    words: dict[str, tuple[str, ...]] = field(default_factory=dict)
    rows: tuple[str, ...] = ()  # lines of a list or table, when the subject has them


def lexicon(text: str) -> dict[str, tuple[str, ...]]:
    """Parse lines of the form `slot: word | word | word`; a line that begins with `|` goes on with the last one."""
    joined = re.sub(r"\n\s*\|", " |", text.strip())
    pairs = (line.partition(":") for line in joined.splitlines() if line.strip())
    return {
        key.strip(): tuple(word.strip() for word in words.split("|")) for key, _, words in pairs
    }


def lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.strip().splitlines() if line.strip())


def fill(rng: random.Random, template: str, words: dict[str, tuple[str, ...]]) -> str:
    """Replace every slot of `template`; words may hold slots themselves. A slot nobody defines is a KeyError."""

    def choose(match: re.Match) -> str:
        slot = match.group(1)
        if slot in words:
            return fill(rng, rng.choice(words[slot]), words)
        return NUMBERS[slot](rng)

    return _SLOT.sub(choose, template)


def headline(rng: random.Random, vertical: Vertical) -> str:
    """A title of a vertical, with a capital letter."""
    text = fill(rng, rng.choice(vertical.titles), vertical.words)
    return text[:1].upper() + text[1:]


def paragraph(rng: random.Random, vertical: Vertical, sentences: int, joiner: str = " ") -> str:
    """`sentences` different sentences of a vertical, in random order (fewer if it has fewer)."""
    chosen = rng.sample(vertical.sentences, min(sentences, len(vertical.sentences)))
    return joiner.join(fill(rng, sentence, vertical.words) for sentence in chosen)
