"""Benchmark files of any shape to the texts that must not be in a training corpus.

A benchmark is JSON Lines. Which of a record's strings are its question, its answer or mere bookkeeping is told by
their keys; a key nobody listed counts as content, so that a new benchmark is guarded before anyone adapts this file.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.artifacts.records import read_jsonl
from pipeline.errors import UserError

QUESTION, ANSWER, OPTIONS, OTHER = "question", "answer", "options", "other"


def _keys(names: str) -> frozenset[str]:
    return frozenset(names.split())


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
_BOOKKEEPING_KEYS = _keys(
    "id idx index uid uuid task_id task name problem_name source src path file level type kind subject topic "
    "category tag tags dataset split lang language url link date year difficulty answer_type picture theorem "
    "subfield field entry_point label correct role licence license author metadata meta other annotated_formula "
    "linear_formula system choice_answer header"
)
_GENERIC_NAMES = (
    "test",
    "train",
    "validation",
    "valid",
    "val",
    "dev",
    "data",
    "problems",
    "questions",
)


@dataclass(slots=True)
class Item:
    """One record of a benchmark: `texts` are pairs of the part it comes from and the raw text."""

    benchmark: str
    item: str | int  # the record's own id, else its row
    row: int  # 0-based
    texts: list[tuple[str, str]] = field(default_factory=list)


def read_benchmark(path: str | Path, name: str | None = None) -> list[Item]:
    """All items of a benchmark file. UserError where a line is not JSON, or no record holds any text."""
    name = name or benchmark_name(path)
    items = []
    for row, record in enumerate(read_jsonl(path)):
        own_id = next(
            (record[key] for key in ("id", "task_id", "idx") if record.get(key) not in (None, "")),
            row,
        )
        own_id = own_id if isinstance(own_id, int | str) else row
        items.append(Item(name, own_id, row, list(_texts(record))))
    if not any(item.texts for item in items):
        raise UserError(
            f"{path}: no record holds a question or an answer (expected JSON Lines with text fields)"
        )
    return items


def benchmark_name(path: str | Path) -> str:
    """`gsm8k/test.jsonl` is gsm8k/test, `my-quiz.jsonl` is my-quiz."""
    path = Path(path)
    generic = path.stem.split("_")[0] in _GENERIC_NAMES and path.parent.name
    return f"{path.parent.name}/{path.stem}" if generic else path.stem


def _texts(record: dict) -> Iterator[tuple[str, str]]:
    for key, value in record.items():
        lowered = key.strip().lower()
        if lowered not in _BOOKKEEPING_KEYS:
            yield from _strings(value, _part(lowered), joined=lowered in _OPTIONS_KEYS)


def _part(key: str) -> str:
    for part, keys in (
        (QUESTION, _QUESTION_KEYS),
        (ANSWER, _ANSWER_KEYS),
        (OPTIONS, _OPTIONS_KEYS),
    ):
        if key in keys:
            return part
    return OTHER


def _strings(value: object, part: str, joined: bool = False) -> Iterator[tuple[str, str]]:
    """Strings below a value. Options are one text: "2", "4", "6" say nothing each alone."""
    if isinstance(value, str):
        yield part, value
    elif isinstance(value, list):
        if joined:
            yield part, "\n".join(str(option) for option in value)
        else:
            for entry in value:
                yield from _strings(entry, part)
    elif isinstance(value, dict):
        if isinstance(value.get("content"), str) and "role" in value:  # a message of a conversation
            if value["role"] != "system":
                yield _part(str(value["role"]).lower()), value["content"]
        elif joined and all(isinstance(option, str) for option in value.values()):
            yield part, "\n".join(value.values())
        else:
            yield from _texts(value)
