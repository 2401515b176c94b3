"""From a reward model's logit to points of the experts' scale, and the losses that teach it.

A model that learnt from the rule's verdicts has the scale 0 to 1: its value is a probability. One that learnt from
ratings carries its scale in config.json:

    regression   the logit's logistic function, stretched over the scale; the loss is the cross-entropy against the
                 score's place on it
    ordinal      cumulative logits (McCullagh 1980): P(score > k) = logistic(logit - cut_k). The loss is the mean
                 cross-entropy of these, the value the expected score. The cuts are fixed by the scores' distribution,
                 so that the model is one number a token, like the others
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits
from transformers import PreTrainedModel

from pipeline.training.step import Columns

KEY = "rating_scale"
"""The scale's name in a model's config.json."""


@dataclass(frozen=True, slots=True)
class Scale:
    """What a reward model's values mean."""

    lowest: float = 0.0
    highest: float = 1.0
    cuts: tuple[float, ...] = ()
    """Of an ordinal model: one between any two neighbouring whole scores."""

    def share(self, logits: np.ndarray) -> np.ndarray:
        """The value from 0 to 1, in float64."""
        logits = logits.astype(np.float64)
        if not self.cuts:
            return 1 / (1 + np.exp(-logits))
        above = 1 / (1 + np.exp(np.array(self.cuts) - logits[..., None]))
        return above.mean(axis=-1)

    def points(self, shares: np.ndarray) -> np.ndarray:
        return self.lowest + (self.highest - self.lowest) * shares

    def place(self, points: float) -> float:
        """Where a score stands between the ends, from 0 to 1."""
        share = (points - self.lowest) / (self.highest - self.lowest)
        return float(min(1.0, max(0.0, share)))

    def loss(self, logits: torch.Tensor, columns: Columns) -> torch.Tensor:
        """Cross-entropy [N] of the column "label" (places) under the logits, times the column "weight"."""
        labels = columns["label"]
        if not self.cuts:
            losses = binary_cross_entropy_with_logits(logits, labels, reduction="none")
            return losses * columns["weight"]

        # Of P(score > k) for each k: 1 below the score, 0 above it, a fraction where it stands between two.
        cuts = torch.tensor(self.cuts, dtype=logits.dtype, device=logits.device)
        steps = torch.arange(len(cuts), dtype=logits.dtype, device=logits.device)
        targets = (labels[:, None] * len(cuts) - steps).clamp(0, 1)
        losses = binary_cross_entropy_with_logits(logits[:, None] - cuts, targets, reduction="none")
        return losses.mean(dim=1) * columns["weight"]


def scale_of(model: PreTrainedModel) -> Scale:
    """The scale that a model carries."""
    values = getattr(model.config, KEY, None)
    if not values:
        return Scale()
    return Scale(values["lowest"], values["highest"], tuple(values["cuts"]))


def set_scale(model: PreTrainedModel, scale: Scale) -> None:
    """Let the model carry its scale into its folder."""
    values: dict[str, Any] = asdict(scale)
    values["cuts"] = list(scale.cuts)
    setattr(model.config, KEY, values)


def ordinal_cuts(places: np.ndarray, count: int) -> tuple[float, ...]:
    """The logits at which as many scores stand above each cut as in `places` (0 to 1); `count` cuts.

    One score more on either side keeps a cut finite where all stand on one.
    """
    cuts = []
    for step in range(count):
        above = np.clip(places * count - step, 0, 1).sum()
        share = (above + 1) / (len(places) + 2)
        cuts.append(float(np.log((1 - share) / share)))
    return tuple(cuts)
