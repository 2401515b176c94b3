"""Everyday prose without mathematics: stories, recipes, travel notes and letters. The words are in `prose.yaml`."""

from functools import cache
from pathlib import Path
from random import Random

from pydantic.dataclasses import dataclass

from mini.templates.data_files import STRICT, Lines, read_data
from mini.templates.slots import fill
from mini.word_problems.template import vocabulary

DATA_FILES = ("prose.yaml",)


@dataclass(frozen=True, slots=True, config=STRICT)
class Form:
    """The sentences of one form of text, by their place in it."""

    openings: Lines
    middles: Lines
    closings: Lines


@dataclass(frozen=True, slots=True, config=STRICT)
class Language:
    space: str  # between two sentences
    words: dict[str, tuple[str, ...]]
    forms: dict[str, Form]


@cache
def _languages() -> dict[str, Language]:
    return read_data(Path(__file__).with_name("prose.yaml"), dict[str, Language])


def prose_document(rng: Random, language: str) -> str:
    """A story, recipe, travel note or letter: an opening, two to four paragraphs and a closing."""
    prose = _languages()[language]
    form = rng.choice(tuple(prose.forms.values()))
    name, other = rng.sample(vocabulary(language).names, 2)

    def sentence(template: str) -> str:
        return _sentence(rng, template, name, other, language)

    paragraphs = [sentence(rng.choice(form.openings))]
    for _ in range(rng.randint(2, 4)):
        count = min(len(form.middles), rng.randint(2, 5))
        chosen = rng.sample(form.middles, count)
        paragraphs.append(prose.space.join(sentence(template) for template in chosen))

    paragraphs.append(sentence(rng.choice(form.closings)))
    return "\n\n".join(paragraphs)


def _sentence(rng: Random, template: str, name: str, other: str, language: str) -> str:
    # Two words of every list are drawn for each sentence, whichever of them it uses.
    words: dict[str, str] = {}
    for slot, choices in _languages()[language].words.items():
        words[slot], words[f"{slot}2"] = rng.sample(choices, 2)

    things = rng.choice(vocabulary(language).things)
    return fill(template, name=name, other=other, things=things, **words)
