"""What leaked benchmark problems gain: copies of test problems in the corpus, none to many, in one base model.

The test problems are dealt into as many groups as there are `doses`. A problem of dose d stands d times in a source of
the mixture, with its answer. Gain: whether the fine-tuned model solves the problem, less whether that of the start
does, which has read none of them. All doses are measured in one training, so that they cost one.

Settings: `doses`, and `weight`, the source's share of the mixture.
"""

from collections.abc import Iterator
from random import Random

import numpy as np
import pyarrow.parquet as pq

from findings.evidence import problems_digest
from findings.statistics import Sample
from findings.studies.corpora import WEIGHTS
from findings.studies.runs import TAKEN_AFTER
from findings.studies.task import Outcome, Task
from pipeline.artifacts.records import Problem, read_problems
from pipeline.artifacts.write import write_jsonl

PROGRAMS = ("pretrain.train", "sft.train", "eval.run")


def run(task: Task) -> Outcome:
    start = task.start("eval/sft", "world/problems/test.jsonl", "corpus/final")
    groups = dealt(
        read_problems(start / "world" / "problems" / "test.jsonl"),
        task.settings["doses"],
        Random(f"{task.seed}/leak doses"),
    )
    file = task.folder / "leaks.jsonl"
    documents = write_jsonl(file, ({"text": text} for text in copies(groups)))

    weight = task.settings["weight"]
    mixture = {
        part: {"path": part if part == "corpus" else "mini", "weight": share * (1 - weight)}
        for part, share in WEIGHTS.items()
    }
    mixture["leaks"] = {"path": str(file), "weight": weight}
    overlay = {
        "from": str(start / TAKEN_AFTER["corpus"]),
        "pretrain": {"mixture": mixture},
        "eval": {"samples": 0, "modes": ["cot"], "sample_modes": ["cot"]},
    }
    run = task.run_arm("leaks", overlay, "eval/sft")

    clean = solved(str(start / "eval" / "sft"))
    leaked = solved(str(run / "eval" / "sft"))
    arms = {}
    for dose, problems in groups.items():
        gains = [leaked[problem.id] - clean[problem.id] for problem in problems]
        name = problems_digest([problem.question for problem in problems])
        arms[f"dose_{dose}"] = {"gain": Sample(name, np.array(gains))}
    means = {dose: float(arms[f"dose_{dose}"]["gain"].values.mean()) for dose in groups}
    return Outcome(arms, notes={"documents": documents, "gain by dose": means})


def dealt(problems: list[Problem], doses: list[int], rng: Random) -> dict[int, list[Problem]]:
    """Dose -> its problems, equally many for each dose, in the order of their ids."""
    shuffled = rng.sample(problems, len(problems))
    return {
        dose: sorted(shuffled[place :: len(doses)], key=lambda problem: problem.id)
        for place, dose in enumerate(doses)
    }


def copies(groups: dict[int, list[Problem]]) -> Iterator[str]:
    for dose, problems in groups.items():
        for problem in problems:
            text = f"{problem.question}\n\\boxed{{{problem.answer}}}"
            for _ in range(dose):
                yield text


def solved(folder: str) -> dict[str, float]:
    """Problem id -> 1 where the greedy chain of thought is right, else 0."""
    table = pq.read_table(f"{folder}/minimath.cot.parquet", columns=["id", "greedy", "correct"])
    return {row["id"]: float(row["correct"]) for row in table.to_pylist() if row["greedy"]}
