"""Phrases that pages of all subjects share, by language. They are in `phrases.yaml`, which says what each is for."""

from functools import cache
from pathlib import Path

from mini.templates.data_files import Lines, data_class, read_data

DATA_FILES = ("phrases.yaml",)


@data_class
class Phrases:
    """The phrases of one language; those that are many are drawn from."""

    byline: str
    block_labels: dict[str, str]
    lecture_titles: Lines
    question_titles: Lines
    question_leads: Lines
    answer_leads: Lines
    copy_notes: Lines
    copy_suffixes: tuple[str, ...]
    leaked_answer: str
    leaked_solution: str


def phrases(language: str) -> Phrases:
    return _by_language()[language]


@cache
def _by_language() -> dict[str, Phrases]:
    path = Path(__file__).with_name("phrases.yaml")
    return read_data(path, dict[str, Phrases])
