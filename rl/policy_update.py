"""The update of a step: rows of the method in, new weights of the policy (and of PPO's value model) out."""

from collections.abc import Sequence

import numpy as np
import torch
from transformers import PreTrainedModel

from pipeline.config.rl import RL
from pipeline.forward.batches import Row
from pipeline.forward.layout import layout_for, row_log_probs
from pipeline.model import distributed
from pipeline.training.step import adamw, set_learning_rate, train_step
from rl.methods import Method, Scorers
from rl.value_model import ValueModel


class PolicyUpdate:
    """The policy with its optimiser, and the frozen reference that it is compared with.

    `reference` is None where nothing needs it; `value` is PPO's value model.
    """

    def __init__(
        self,
        settings: RL,
        method: Method,
        policy: PreTrainedModel,
        reference: PreTrainedModel | None,
        value: ValueModel | None,
    ):
        self.settings = settings
        self.policy = policy
        self.reference = reference
        self.value = value
        self.optimiser = adamw(policy, weight_decay=settings.weight_decay)
        # A prompt's keys and values cannot be shared by answers whose layers are computed again.
        self.layout = layout_for(policy, shared_prefix=not policy.is_activation_checkpointing)
        self.loss = method.loss(settings)

    @property
    def scorers(self) -> Scorers:
        """The forward passes without gradient that a method may ask for."""
        return Scorers(
            policy=self.policy_log_probs,
            reference=self.ref_log_probs,
            values=self.value.values if self.value else None,
        )

    def policy_log_probs(self, rows: Sequence[Row]) -> list[np.ndarray]:
        """For each row [T]: log-probabilities of its scored tokens under the policy, 0 elsewhere."""
        return self._log_probs(self.policy, rows)

    def ref_log_probs(self, rows: Sequence[Row]) -> list[np.ndarray]:
        """For each row [T]: log-probabilities of its scored tokens under the reference, 0 elsewhere."""
        if self.reference is None:
            raise ValueError(f"method {self.settings.method}: keeps no reference model")
        return self._log_probs(self.reference, rows)

    def _log_probs(self, model: PreTrainedModel, rows: Sequence[Row]) -> list[np.ndarray]:
        settings = self.settings
        # Processes share the rows; each gets the values of all of them back.
        mine = row_log_probs(
            model,
            distributed.shard_for_rank(rows),
            settings.micro_batch_tokens,
            temperature=settings.temperature,
            precision=settings.precision,
            layout=self.layout,
        )
        return distributed.gather(mine)

    def update(self, rows: Sequence[Row], rate: float, step: int) -> dict[str, float]:
        """One optimiser step of the value model, if there is one, and one of the policy; returns their metrics."""
        settings = self.settings
        value_metrics: dict[str, float] = {}

        if self.value is not None:
            value_metrics["value_error"] = self.value.update(rows)
            if step < settings.ppo.warmup_steps:
                # Only the value model learns yet. Without rows the policy's step changes nothing.
                rows = []

        # Rows are cut into micro-batches inside; the sum of their losses is the loss of the step.
        set_learning_rate(self.optimiser, rate)
        metrics = train_step(
            self.policy,
            self.optimiser,
            rows,
            self.loss,
            max_tokens=settings.micro_batch_tokens,
            clip_norm=settings.clip_norm,
            precision=settings.precision,
            temperature=settings.temperature,
            layout=self.layout,
        )
        return metrics | value_metrics

    @property
    def trained(self) -> list[torch.nn.Module]:
        """The models that have gradients and moments."""
        return [self.policy] if self.value is None else [self.policy, self.value.model]
