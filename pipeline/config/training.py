"""Settings that every training has: learning rate, optimiser, precision, micro-batches,
checkpoints."""

from typing import Any, Literal

from pydantic import Field

from pipeline.config.base import Incidental, Section, SeededSection
from pipeline.config.schedule import Schedule


class Updates(Section):
    """How an optimiser step is computed and saved; shared by all trainings, RL and reward models
    included."""

    weight_decay: float = Field(0.1, ge=0)
    """Of matrices; vectors are not decayed. Paper: 0.1."""

    clip_norm: float = Field(1.0, gt=0)
    """Largest gradient norm. NS; DeepSeek LLM, whose framework is used, clips at 1.0."""

    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """NS. `auto`: bf16 autocast where this machine multiplies bf16 faster than fp32, which is
    measured at the start; models of fewer than 16 million parameters stay in fp32 on a processor."""

    micro_batch_tokens: Incidental[int] = Field(16_384, ge=1)
    """Tokens that one forward pass computes, padding included. NS; sets memory and speed, never
    results."""

    distribution: Incidental[Literal["replicate", "shard", "hybrid"]] = "shard"
    """With several processes (torchrun), whether each holds the whole model (DDP) or a part of
    every layer (FSDP2). `hybrid` shards over the processes of a node and replicates over nodes,
    between which only gradients travel then (HSDP). NS; the update is the same."""

    activation_checkpointing: Incidental[Literal["auto", "always", "never"]] = "auto"
    """Compute each layer again in the backward pass instead of keeping what it computed: a third
    more work for a fraction of the memory. `auto`: on a GPU. NS."""

    checkpoint_every: Incidental[int] = Field(250, ge=1)
    """Optimiser steps between checkpoints. NS."""


class Optimisation(Updates):
    """AdamW as in the paper (section 2.3)."""

    schedule: Schedule = Schedule()
    betas: tuple[float, float] = (0.9, 0.95)
    """AdamW's decay rates of the two moments. Paper: 0.9 and 0.95."""

    batching: Incidental[Literal["auto", "padded", "packed"]] = "auto"
    """How rows become micro-batches: sorted by length and padded, or packed without padding. `auto`
    packs, except where `attention` names one that needs a mask of the whole sequence for it. NS;
    the result is the same."""

    micro_batch_tokens: Incidental[int] = Field(16_384, ge=16)
    """Tokens that one forward pass computes, padding included. NS; sets memory and speed, never
    results."""

    attention: Incidental[
        Literal["auto", "eager", "sdpa", "flash_attention_2", "flex_attention"]
    ] = "auto"
    """Which implementation computes attention. `auto`: flash_attention_2 on a GPU where it is
    installed, else torch's own, of packed rows row by row (pipeline/forward/row_attention.py).
    NS."""

    compile: Incidental[bool] = False
    """torch.compile each layer: pays after minutes. NS; changes speed, and results by rounding
    only."""

    keep_checkpoints: Incidental[int] = Field(2, ge=1)
    """Newest checkpoints that are kept while a training runs; the best one by evaluation is kept
    besides. NS."""

    final: Literal["last", "best"] = "last"
    """Which weights become the model: the last, or those with the lowest mean of all evaluations.
    NS; the last."""


class Training(SeededSection):
    """A training that is evaluated on the way."""

    optimisation: Optimisation = Optimisation()
    evaluate_every: Incidental[int] = Field(0, ge=0)
    """Optimiser steps between evaluations; 0: only before and after. NS."""

    def result_settings(self) -> dict[str, Any]:
        """The settings that decide the result."""
        values = super().result_settings()
        # Where the best evaluation becomes the model, their number decides which weights there are
        # to choose from.
        if self.optimisation.final == "best":
            values["evaluate_every"] = self.evaluate_every
        return values


class FineTuningSchedule(Schedule):
    """Paper, section 3.2: constant 5e-5; warm-up is NS, none assumed."""

    peak: float = Field(5e-5, gt=0)
    """Peak learning rate. Paper: 5e-5."""

    warmup_steps: int = Field(0, ge=0)
    """Steps of linear warm-up. NS: none."""

    drops: dict[float, float] = Field(default_factory=dict)
    """Share of all steps done -> share of the peak from there on. Paper: none, the rate is
    constant."""


class Lora(Section):
    """Low-rank adapters (arXiv 2106.09685), trained in the place of the weights and merged into them
    when the model is saved. Needs the package peft (requirements-lora.txt)."""

    rank: int = Field(0, ge=0)
    """Rank of the adapters of all products of the layers; 0: all weights are trained. Paper: none."""

    alpha: float = Field(32.0, gt=0)
    """What the adapters add is multiplied by alpha / rank. NS."""


class FineTuning(Optimisation):
    """The optimiser of fine-tuning is NS; the base model's is taken."""

    schedule: FineTuningSchedule = FineTuningSchedule()
    lora: Lora = Lora()
