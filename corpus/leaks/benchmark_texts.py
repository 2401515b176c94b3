"""Benchmark files of any shape to the texts that must not be in a training corpus.

A benchmark is JSON Lines. Which of a record's strings are its question, its answer or mere bookkeeping
is told by their keys; a key nobody listed counts as content, so that a new benchmark is guarded before
anyone adapts this file.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.artifacts.records import read_jsonl
from pipeline.errors import UserError

QUESTION, ANSWER, OPTIONS, OTHER = "question", "answer", "options", "other"


def _keys(names: str) -> frozenset[str]:
    return frozenset(names.split())


# Names of fields in lower case, as public benchmarks use them.
_QUESTION_KEYS = _keys(
    "question problem input prompt query instruction stem passage context statement informal_statement "
    "formal_statement premise text few_shot_text user human 问题 题目"
)
_ANSWER_KEYS = _keys(
    "answer answers solution solutions target output response completion rationale explanation reasoning code "
    "canonical_solution informal_proof formal_proof proof final_answer generated_solution hint hints "
    "assistant gpt 答案 解析"
)
_OPTIONS_KEYS = _keys("options choices endings 选项")
# Fields that say something about the record and nothing of its problem.
_BOOKKEEPING_KEYS = _keys(
    "id idx index uid uuid task_id task name problem_name source src path file level type kind subject topic "
    "category tag tags dataset split lang language url link date year difficulty answer_type picture theorem "
    "subfield field entry_point label correct role licence license author metadata meta other annotated_formula "
    "linear_formula system choice_answer header"
)
_ID_KEYS = ("id", "task_id", "idx")

# File names that say nothing without their folder: `gsm8k/test.jsonl`.
_GENERIC_NAMES = frozenset(
    ("test", "train", "validation", "valid", "val", "dev", "data", "problems", "questions")
)


@dataclass(frozen=True, slots=True)
class Text:
    """One text of a record, as it is written there."""

    part: str  # QUESTION, ANSWER, OPTIONS or OTHER
    raw: str


@dataclass(frozen=True, slots=True)
class Item:
    """One record of a benchmark."""

    benchmark: str
    item: str | int  # the record's own id, else its row
    row: int  # 0-based
    texts: list[Text] = field(default_factory=list)


def read_benchmark(path: str | Path, name: str | None = None) -> list[Item]:
    """All items of a benchmark file. UserError where a line is not JSON, or no record holds any text."""
    name = name or benchmark_name(path)

    items = []
    for row, record in enumerate(read_jsonl(path)):
        items.append(Item(name, _own_id(record, row), row, list(_texts_of_record(record))))

    if not any(item.texts for item in items):
        raise UserError(
            f"{path}: no record holds a question or an answer (expected JSON Lines with text fields)"
        )
    return items


def benchmark_name(path: str | Path) -> str:
    """`gsm8k/test.jsonl` is gsm8k/test, `my-quiz.jsonl` is my-quiz."""
    path = Path(path)
    folder = path.parent.name
    first_word = path.stem.split("_")[0]  # mgsm/test_zh.jsonl
    if first_word in _GENERIC_NAMES and folder:
        return f"{folder}/{path.stem}"
    return path.stem


def _own_id(record: dict, row: int) -> str | int:
    """The first field that is filled decides; where it is neither a name nor a number, the row."""
    for key in _ID_KEYS:
        value = record.get(key)
        if value not in (None, ""):
            return value if isinstance(value, int | str) else row
    return row


def _texts_of_record(record: dict) -> Iterator[Text]:
    for key, value in record.items():
        name = key.strip().lower()
        if name not in _BOOKKEEPING_KEYS:
            yield from _texts_of_value(value, _part(name), joined=name in _OPTIONS_KEYS)


def _texts_of_value(value: object, part: str, joined: bool = False) -> Iterator[Text]:
    """The strings below a value.

    Args:
        joined: the value lists options. They are one text: "2", "4", "6" say nothing each alone.
    """
    match value:
        case str():
            yield Text(part, value)

        case list() if joined:
            yield Text(part, "\n".join(str(option) for option in value))

        case list():
            for entry in value:
                yield from _texts_of_value(entry, part)

        case {"content": str(content), "role": role}:  # a message of a conversation
            if role != "system":
                yield Text(_part(str(role).lower()), content)

        case dict() if joined and all(isinstance(option, str) for option in value.values()):
            yield Text(part, "\n".join(value.values()))

        case dict():
            yield from _texts_of_record(value)


def _part(key: str) -> str:
    """What a field of this name holds, or what somebody in this role says."""
    if key in _QUESTION_KEYS:
        return QUESTION
    if key in _ANSWER_KEYS:
        return ANSWER
    if key in _OPTIONS_KEYS:
        return OPTIONS
    return OTHER
