"""PPO's value model: the expected reward to go before each token of an output."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from pipeline.config.rl import RL
from pipeline.forward.batches import Row
from pipeline.training.prepare import prepare
from pipeline.training.step import Columns, adamw, set_learning_rate, train_step
from rl.score_model import load_score_model, row_scores


class ValueModel:
    """A model with one number a token, trained by squared error; it starts from the policy's body."""

    def __init__(self, source: Path, settings: RL):
        self.settings = settings
        self.model = load_score_model(source, settings.distribution)

        # A new head knows nothing: it starts at 0, not at random values.
        with torch.no_grad():
            for parameter in self.model.get_submodule("score").parameters():
                parameter.zero_()

        prepare(self.model, settings)
        self.optimiser = adamw(self.model, weight_decay=settings.weight_decay)

    def values(self, rows: Sequence[Row]) -> list[np.ndarray]:
        """For each row float32 [T]: the value before every scored token, 0 elsewhere."""
        settings = self.settings
        scores = row_scores(self.model, rows, settings.micro_batch_tokens, settings.precision)

        values = []
        for row, of_row in zip(rows, scores, strict=True):
            aligned = np.zeros(len(row), dtype=np.float32)
            aligned[row.loss_mask] = of_row
            values.append(aligned)
        return values

    def update(self, rows: Sequence[Row]) -> float:
        """One step towards the column "returns"; returns the squared error, weighted as the policy's loss is."""
        settings = self.settings

        def squared_error(values: torch.Tensor, columns: Columns) -> torch.Tensor:
            return (values - columns["returns"]) ** 2 * columns["weight"]

        # The value model has a rate of its own, which does not follow the policy's schedule.
        set_learning_rate(self.optimiser, settings.ppo.value_learning_rate)
        metrics = train_step(
            self.model,
            self.optimiser,
            rows,
            squared_error,
            max_tokens=settings.micro_batch_tokens,
            clip_norm=settings.clip_norm,
            precision=settings.precision,
            packed=True,
        )
        return metrics["loss"]
