"""Few-shot prompts for models that were never taught to chat (coder, base).

    Problem:
    <question>

    Solution:
    <worked solution>

repeated for each shot, then the question to answer. A completion ends where the model starts a problem of its own.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from pipeline.errors import UserError
from pipeline.records import Problem, read_solutions

STOP = ("\nProblem:", "\nProblem：")
FENCES = {"code": ("```python\n", "\n```"), "output": ("```output\n", "\n```"), "text": ("", "")}
KEPT = 64  # shots kept of each mode and language: no prompt shows more


@dataclass(frozen=True, slots=True)
class Shot:
    """A worked example as it is shown."""

    question: str
    text: str
    mode: str
    language: str


def read_shots(path: str | Path, tokenizer) -> list[Shot]:
    """Worked examples from sft/examples.parquet (training split) or from JSON Lines of Solution records."""
    if Path(path).suffix != ".parquet":
        return [Shot(s.question, _turns_text(s.turns), s.format, s.language) for s in read_solutions(path)]
    columns = ["question", "format", "language", "ids", "scored", "split"]
    try:
        batches = pq.ParquetFile(path).iter_batches(1000, columns=columns)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: not a table of fine-tuning examples ({error})") from None
    shots: list[Shot] = []
    seen: Counter = Counter()
    for batch in batches:
        for row in batch.to_pylist():
            key = row["format"], row["language"]
            if row["split"] == "train" and seen[key] < KEPT:
                seen[key] += 1
                answer = row["ids"][row["scored"].index(True) :]
                text = tokenizer.decode(answer, skip_special_tokens=True).strip()
                shots.append(Shot(row["question"], text, *key))
    return shots


def pick_shots(shots: list[Shot], mode: str, language: str, count: int) -> list[Shot]:
    """The first `count` shots of a mode and language; of any language where there are too few."""
    fitting = [shot for shot in shots if shot.mode == mode]
    same = [shot for shot in fitting if shot.language == language]
    return (same + [shot for shot in fitting if shot.language != language])[:count]


def few_shot_prompt(problem: Problem, shots: list[Shot]) -> str:
    """The text to complete. The shots are never the problem itself: they come from training data."""
    blocks = [f"Problem:\n{shot.question.strip()}\n\nSolution:\n{shot.text}\n\n" for shot in shots]
    return "".join(blocks) + f"Problem:\n{problem.question.strip()}\n\nSolution:\n"


def cut_at_stop(text: str) -> str:
    """What the model wrote before it started another problem."""
    for stop in STOP:
        text = text.split(stop, 1)[0]
    return text.strip()


def _turns_text(turns: list[dict]) -> str:
    return "\n".join(FENCES[t["role"]][0] + t["content"].strip() + FENCES[t["role"]][1] for t in turns)
