"""Which examples make which step: random concatenation to the context, a pure function of seed and
step."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.artifacts.check import check_artifact
from pipeline.config.prompts import Prompts
from pipeline.errors import UserError
from pipeline.forward.batches import Row


class Examples:
    """The encoded examples of one split, by index."""

    def __init__(self, table: pa.Table):
        self.ids = table["ids"].combine_chunks()
        self.scored = table["scored"].combine_chunks()
        self.formats = table["format"].to_pylist()
        self.lengths = np.diff(self.ids.offsets.to_numpy())

    def __len__(self) -> int:
        return len(self.lengths)

    def rows(self, indices: list[int]) -> list[Row]:
        """The examples as rows whose losses add up to the mean over all tokens that carry loss."""
        rows = []
        for i in indices:
            ids = np.asarray(self.ids[i].values)
            # Arrow packs truth values into bits, which NumPy cannot view.
            scored = self.scored[i].values.to_numpy(zero_copy_only=False)
            rows.append(Row(ids, np.asarray(scored, dtype=bool)))

        total = max(1, sum(int(row.loss_mask.sum()) for row in rows))
        for row in rows:
            row.columns["weight"] = np.full(len(row), 1 / total, dtype=np.float32)
        return rows


def read_examples(path: Path) -> tuple[Examples, Examples]:
    """Training and validation examples of a file written by sft.data."""
    check_artifact(path.parent)
    try:
        table = pq.read_table(path, columns=["ids", "scored", "split", "format"])
    except (OSError, pa.ArrowInvalid, KeyError) as error:
        raise UserError(f"{path}: not a table of examples ({str(error).splitlines()[0]})") from None

    splits = table["split"].to_numpy(zero_copy_only=False)
    train = Examples(table.filter(pa.array(splits == "train")))
    validation = Examples(table.filter(pa.array(splits == "validation")))
    if not len(train):
        raise UserError(f"{path}: holds no training examples")
    return train, validation


@dataclass(frozen=True, slots=True)
class About:
    """What a file of examples says of itself, for the trained model's card and prompts."""

    sources: tuple[str, ...]
    languages: tuple[str, ...]
    prompts: Prompts | None


def read_about(path: Path) -> About:
    """Sources and languages of the examples, and the prompts that sft.data encoded them with (None
    in files of older versions)."""
    table = pq.read_table(path, columns=["source", "language"])
    metadata = table.schema.metadata or {}
    prompts = metadata.get(b"prompts")
    return About(
        sources=tuple(sorted(table["source"].unique().to_pylist())),
        languages=tuple(sorted(table["language"].unique().to_pylist())),
        prompts=Prompts.model_validate_json(prompts) if prompts else None,
    )


def plan_batches(
    lengths: np.ndarray, *, context: int, batch_sequences: int, steps: int, seed: int
) -> tuple[list[list[int]], float]:
    """The examples of every step, and how many epochs they are.

    In each epoch all examples come in a new random order and are laid one behind the other; a
    context ends where the next example does not fit. A step has `batch_sequences` contexts; an
    epoch's end does not cut a step.
    """
    plan: list[list[int]] = []
    step: list[int] = []
    contexts = 0  # begun in this step
    room = 0  # tokens left in the last of them
    drawn = epoch = 0

    while True:
        order = np.random.default_rng([seed, epoch]).permutation(len(lengths))
        for i in order.tolist():
            if lengths[i] > room:
                if contexts == batch_sequences:
                    plan.append(step)
                    step, contexts = [], 0
                    if len(plan) == steps:
                        return plan, drawn / len(lengths)
                contexts += 1
                room = context
            step.append(i)
            room -= int(lengths[i])
            drawn += 1
        epoch += 1
