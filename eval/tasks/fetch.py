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
from pipeline.artifacts.write import atomic_path
from pipeline.errors import UserError

_RAW = "https://raw.githubusercontent.com/{}/{}/{}"
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
    if benchmark.source is None:
        raise UserError(f"{benchmark.name}: no public source is declared; {by_hand}")
    try:
        rows = list(_rows(benchmark.source))
        shown = (
            list(_worked_examples(benchmark.source)) if benchmark.examples == "cot_prompts" else []
        )
    except (OSError, ValueError, ConnectionError, ImportError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise UserError(f"{benchmark.name}: cannot be fetched ({reason}); {by_hand}") from None
    if benchmark.examples == "cot_prompts":
        _write(file.with_name(COT_PROMPTS), shown)
    _write(file, rows)


def _write(file: Path, rows: list[dict]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(file) as path:
        path.write_text(
            "".join(json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in rows),
            "utf-8",
        )


def _rows(source: Hub | Git) -> Iterator[dict]:
    if isinstance(source, Git):
        yield from _git_rows(source)
        return
    import datasets

    configs = [source.config]
    if source.config == "*":  # MATH: one configuration a subject
        configs = datasets.get_dataset_config_names(source.id, revision=source.revision)
    for config in configs:
        yield from datasets.load_dataset(
            source.id, config, split=source.split, revision=source.revision
        )


def _git_rows(source: Git) -> Iterator[dict]:
    if "{}" in source.path:  # BIG-Bench Hard: one file a task
        for task in _BBH_TASKS:
            examples = json.loads(_download(source, source.path.format(task)))["examples"]
            yield from (
                {"task": task, "idx": index, **example} for index, example in enumerate(examples)
            )
        return
    text = _download(source, source.path)
    if source.path.endswith(".tsv"):  # MGSM: question and answer, no header
        for question, answer in csv.reader(
            io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE
        ):
            yield {"question": question, "answer": answer}
        return
    for line in text.splitlines():
        if line.strip():
            yield json.loads(line)


def _worked_examples(source: Git) -> Iterator[dict]:
    """BIG-Bench Hard's chains of thought, one text a task."""
    for task in _BBH_TASKS:
        yield {"task": task, "prompt": _download(source, f"cot-prompts/{task}.txt")}


def _download(source: Git, path: str) -> str:
    url = _RAW.format(source.repository, source.commit, path)
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read().decode("utf-8")
