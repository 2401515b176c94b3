"""Subjects of pages: titles, sentences and headings, and the words that fill them (`subjects/*.yaml`)."""

import random
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field

from mini.templates.data_files import Lines, data_class, read_data
from mini.templates.slots import expand

DATA_FILES = ("subjects/*.yaml",)
_FOLDER = Path(__file__).with_name("subjects")
_SUBJECT_FILES = (
    "everyday.yaml",
    "technical.yaml",
    "chinese.yaml",
    "campus.yaml",
    "mathematics.yaml",
)

WordLists = dict[str, tuple[str, ...]]


@data_class
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
        """One of the subject's templates with words and numbers drawn."""
        return expand(rng, template, self.words)

    def title(self, rng: random.Random) -> str:
        """A title with a capital letter; the rest keeps its own, unlike str.capitalize()."""
        template = rng.choice(self.titles)
        text = self.text(rng, template)
        return text[:1].upper() + text[1:]

    def paragraph(self, rng: random.Random, sentences: int) -> str:
        """`sentences` different sentences in random order (fewer if the subject has fewer)."""
        count = min(sentences, len(self.sentences))
        texts = []
        for template in rng.sample(self.sentences, count):
            texts.append(self.text(rng, template))
        return self.joiner.join(texts)


def subject(name: str) -> Subject:
    """The subject that the YAML files call `name`, such as `recipes` or `news_zh`."""
    return _subjects()[name]


@cache
def common_words() -> dict[str, WordLists]:
    """Words that every subject of a language may use, by language."""
    path = _FOLDER / "common_words.yaml"
    return read_data(path, dict[str, WordLists])


@cache
def _subjects() -> dict[str, Subject]:
    """The subjects of all files, their words and the common words of their language together."""
    found: dict[str, Subject] = {}
    for file_name in _SUBJECT_FILES:
        found |= read_data(_FOLDER / file_name, dict[str, Subject])

    for name, own in found.items():
        common = common_words()[own.language]
        found[name] = replace(own, words=common | own.words)
    return found
