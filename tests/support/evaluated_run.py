"""A results folder with evaluated models, as the DAG leaves it, whose texts are hostile to a page."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from eval.summary import compare_models, read_model, summarise
from eval.tasks.declarations import TABLE
from eval.verdicts.graded_samples import SAMPLES, graded_rows
from pipeline.artifacts.records import Problem
from pipeline.artifacts.write import write_json

EVIL = "</script><img src=x onerror=alert(1)> <b>bold</b> \\boxed{4}"
# In a script element "<!--<script>" would keep "</script>" from ending it.
EVIL_QUESTION = "What is $2+2$? <!--<script> </script>"
LONG_WORD = "pneumono" * 40  # that no line can hold


def graded(answers: Sequence[str], mode: str = "cot", question: str = EVIL_QUESTION) -> list[dict]:
    """Rows of as many problems with gold 4 as there are answers, level by turns: one greedy sample
    and two others of each."""
    problems = [
        Problem(f"p{i}", f"{question} ({i})", "4", level=str(1 + i % 2))
        for i in range(len(answers))
    ]
    usual = {
        "printed": None,
        "program": "",
        "prompt": "?",
        "tokens": 7,
        "finish": "stop",
        "logprob": -1.0,
        "seconds": 0.1,
        "sample": 0,
    }
    rows = [
        {"id": f"p{i}", "output": answer, "greedy": True} | usual
        for i, answer in enumerate(answers)
    ]
    rows += [row | {"greedy": False, "sample": k} for row in rows for k in range(2)]
    return graded_rows(rows, problems, TABLE["gsm8k"], mode, None)


def write_run(
    folder: Path,
    answers: dict[str, Sequence[str]],
    question: str = EVIL_QUESTION,
    task: str = "gsm8k.cot",
) -> Path:
    """Evaluate each model's answers (model -> output for each problem) as the DAG does."""
    for model, outputs in answers.items():
        place = folder / "eval" / model
        place.mkdir(parents=True)
        table = pa.Table.from_pylist(graded(outputs, question=question), schema=SAMPLES)
        pq.write_table(table, place / f"{task}.parquet")
        write_json(place / "manifest.json", {"metrics": {"isolation": "namespaces+seccomp"}})

    models = {name: read_model(folder / "eval" / name) for name in answers}
    summary = {}
    for model, tasks in models.items():
        summary[model] = {name: summarise(rows) for name, rows in tasks.items()}
    write_json(folder / "eval" / "summary.json", summary)
    write_json(folder / "eval" / "comparisons.json", compare_models(models))
    return folder
