"""Subjects of pages: titles, sentences and headings, and the words that fill them. All of it is in `subjects/*.yaml`."""

import random
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from mini.templates.data_files import STRICT, Lines, read_data
from mini.templates.slots import expand

DATA_FILES = (
    "subjects/common_words.yaml",
    "subjects/everyday.yaml",
    "subjects/technical.yaml",
    "subjects/chinese.yaml",
    "subjects/campus.yaml",
    "subjects/mathematics.yaml",
)

WordLists = dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, config=STRICT)
class Subject:
    """What pages of one subject are written from. All texts are templates over `words` and random numbers."""

    language: str
    titles: Lines
    sentences: Lines
    headings: Lines = ()
    rows: Lines = ()  # of a list or table, when the subject has them
    listings: tuple[str, ...] = ()  # program text
    byline: str = ""
    form: Literal["article", "thread"] = "article"
    words: WordLists = Field(default_factory=dict)

    @property
    def joiner(self) -> str:
        """What stands between two sentences."""
        return "" if self.language == "zh" else " "

    def text(self, rng: random.Random, template: str) -> str:
        return expand(rng, template, self.words)

    def title(self, rng: random.Random) -> str:
        text = self.text(rng, rng.choice(self.titles))
        return text[:1].upper() + text[1:]

    def paragraph(self, rng: random.Random, sentences: int) -> str:
        """`sentences` different sentences in random order (fewer if the subject has fewer)."""
        count = min(sentences, len(self.sentences))
        chosen = rng.sample(self.sentences, count)
        return self.joiner.join(self.text(rng, sentence) for sentence in chosen)


def subject(name: str) -> Subject:
    """The subject that the YAML files call `name`, such as `recipes` or `news_zh`."""
    return _subjects()[name]


@cache
def common_words() -> dict[str, WordLists]:
    """Words that every subject of a language may use, by language."""
    return read_data(Path(__file__).parent / DATA_FILES[0], dict[str, WordLists])


@cache
def _subjects() -> dict[str, Subject]:
    found: dict[str, Subject] = {}
    for name in DATA_FILES[1:]:
        for key, own in read_data(Path(__file__).parent / name, dict[str, Subject]).items():
            words = common_words()[own.language] | own.words
            found[key] = replace(own, words=words)
    return found
