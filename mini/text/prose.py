"""Everyday prose without mathematics: stories, recipes, travel notes and letters. The words are in `prose.yaml`."""

from functools import cache
from pathlib import Path
from random import Random

from mini.templates.data_files import Lines, data_class, read_data
from mini.templates.slots import fill
from mini.word_problems.template import vocabulary

DATA_FILES = ("prose.yaml",)


@data_class
class Form:
    """The sentences of one form of text, by their place in it."""

    openings: Lines
    middles: Lines
    closings: Lines


@data_class
class Language:
    """The prose of one language: word lists by slot, and forms of text by name."""

    space: str  # between two sentences
    words: dict[str, tuple[str, ...]]
    forms: dict[str, Form]


@cache
def _languages() -> dict[str, Language]:
    path = Path(__file__).with_name("prose.yaml")
    return read_data(path, dict[str, Language])


def prose_document(rng: Random, language: str) -> str:
    """A story, recipe, travel note or letter: an opening, two to four paragraphs and a closing."""
    prose = _languages()[language]
    forms = list(prose.forms.values())
    form = rng.choice(forms)

    # The two people of a text are the same in all its sentences; everything else is drawn anew.
    name, other = rng.sample(vocabulary(language).names, 2)
    people = {"name": name, "other": other}

    opening = rng.choice(form.openings)
    paragraphs = [_sentence(rng, opening, people, language)]

    for _ in range(rng.randint(2, 4)):
        count = rng.randint(2, 5)
        count = min(count, len(form.middles))

        sentences = []
        for template in rng.sample(form.middles, count):
            sentence = _sentence(rng, template, people, language)
            sentences.append(sentence)
        paragraphs.append(prose.space.join(sentences))

    closing = rng.choice(form.closings)
    paragraphs.append(_sentence(rng, closing, people, language))
    return "\n\n".join(paragraphs)


def _sentence(rng: Random, template: str, people: dict[str, str], language: str) -> str:
    # Two words of every list are drawn for each sentence, whichever of them it uses.
    word_lists = _languages()[language].words
    words: dict[str, str] = {}
    for slot, choices in word_lists.items():
        first, second = rng.sample(choices, 2)
        words[slot] = first
        words[f"{slot}2"] = second

    things = rng.choice(vocabulary(language).things)
    return fill(template, things=things, **people, **words)
