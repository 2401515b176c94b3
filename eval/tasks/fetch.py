"""Fetch a declared benchmark from its source into the folder of benchmarks, as JSON Lines.

Needs a network once; afterwards the file is the benchmark. A set that cannot be fetched is a UserError that says
where to put the file by hand. Hugging Face data sets are read by `datasets`; files of a public Git repository are
taken at the commit that the declaration names, so they never change.
"""

import csv
import io
import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from eval.tasks.declarations import COT_PROMPTS, Benchmark, Git, Hub
from eval.tasks.rows import Row
from pipeline.artifacts.write import atomic_path
from pipeline.errors import UserError

_RAW = "https://raw.githubusercontent.com/{}/{}/{}"  # repository, commit, path
_TIMEOUT = 60  # seconds, for one file
_LONGEST_REASON = 160  # characters of a library's error message

# BIG-Bench Hard: one file a task. Raw files of a repository cannot be listed, so the tasks are named here.
_BBH_TASKS = (
    "boolean_expressions causal_judgement date_understanding disambiguation_qa dyck_languages formal_fallacies "
    "geometric_shapes hyperbaton logical_deduction_five_objects logical_deduction_seven_objects "
    "logical_deduction_three_objects movie_recommendation multistep_arithmetic_two navigate object_counting "
    "penguins_in_a_table reasoning_about_colored_objects ruin_names salient_translation_error_detection snarks "
    "sports_understanding temporal_sequences tracking_shuffled_objects_five_objects "
    "tracking_shuffled_objects_seven_objects tracking_shuffled_objects_three_objects web_of_lies word_sorting"
).split()


def fetch(benchmark: Benchmark, file: Path) -> None:
    """Write the benchmark's rows to `file`. Raises UserError where there is no source or no network."""
    by_hand = (
        f"put the rows as JSON Lines into {file}, or give --benchmark {benchmark.name}=FILE.jsonl"
    )
    source = benchmark.source
    if source is None:
        raise UserError(f"{benchmark.name}: no public source is declared; {by_hand}")

    # Everything is fetched before anything is written: a set whose worked examples are missing does not count.
    examples: list[Row] | None = None
    try:
        rows = list(_rows(source))
        if isinstance(source, Git) and benchmark.examples == "cot_prompts":
            examples = list(_worked_examples(source))
    except (OSError, ValueError, ConnectionError, ImportError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:_LONGEST_REASON] or type(error).__name__
        raise UserError(f"{benchmark.name}: cannot be fetched ({reason}); {by_hand}") from None

    if examples is not None:
        _write(file.with_name(COT_PROMPTS), examples)
    _write(file, rows)


def _write(file: Path, rows: list[Row]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in rows]
    with atomic_path(file) as path:
        path.write_text("".join(lines), "utf-8")


def _rows(source: Hub | Git) -> Iterator[Row]:
    if isinstance(source, Git):
        yield from _git_rows(source)
    else:
        yield from _hub_rows(source)


def _hub_rows(source: Hub) -> Iterator[Row]:
    import datasets  # slow to import, and needed once

    configs = [source.config]
    if source.config == "*":  # MATH: one configuration a subject
        configs = datasets.get_dataset_config_names(source.id, revision=source.revision)

    for config in configs:
        yield from datasets.load_dataset(
            source.id, config, split=source.split, revision=source.revision
        )


def _git_rows(source: Git) -> Iterator[Row]:
    if "{}" in source.path:
        for task in _BBH_TASKS:
            examples = json.loads(_download(source, source.path.format(task)))["examples"]
            for index, example in enumerate(examples):
                yield {"task": task, "idx": index, **example}
        return

    text = _download(source, source.path)
    if source.path.endswith(".tsv"):  # MGSM: question and answer, no header
        lines = csv.reader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE)
        for question, answer in lines:
            yield {"question": question, "answer": answer}
        return

    for line in text.splitlines():
        if line.strip():
            yield json.loads(line)


def _worked_examples(source: Git) -> Iterator[Row]:
    """BIG-Bench Hard's chains of thought, one text a task."""
    for task in _BBH_TASKS:
        yield {"task": task, "prompt": _download(source, f"cot-prompts/{task}.txt")}


def _download(source: Git, path: str) -> str:
    url = _RAW.format(source.repository, source.commit, path)
    with urllib.request.urlopen(url, timeout=_TIMEOUT) as response:
        content: bytes = response.read()
    return content.decode("utf-8")
