"""Settings that every training has: learning rate, optimiser, precision, micro-batches, checkpoints."""

from typing import Literal

from pydantic import Field

from pipeline.config.base import Section
from pipeline.config.schedule import Schedule


class Optimisation(Section):
    """AdamW as in the paper (section 2.3)."""

    schedule: Schedule = Schedule()
    betas: tuple[float, float] = (0.9, 0.95)
    """Paper: 0.9 and 0.95."""
    weight_decay: float = Field(0.1, ge=0)
    """Paper: 0.1."""
    clip_norm: float = Field(1.0, gt=0)
    """Largest gradient norm. NS; DeepSeek LLM, whose framework is used, clips at 1.0."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """`auto`: bf16 autocast where the processor multiplies bf16 in hardware (AMX, CUDA), else fp32."""
    batching: Literal["auto", "padded", "packed"] = "auto"
    """How rows become micro-batches: sorted by length and padded, or packed without padding. `auto` packs, except
    where `attention` names one that needs a mask of the whole sequence for it."""
    micro_batch_tokens: int = Field(16_384, ge=16)
    """Tokens that one forward pass computes; sets memory, never results."""
    attention: Literal["auto", "eager", "sdpa", "flash_attention_2", "flex_attention"] = "auto"
    """How attention is computed. `auto`: flash_attention_2 on a GPU where it is installed, else torch's own, of packed
    rows row by row (pipeline/forward/row_attention.py)."""
    activation_checkpointing: Literal["auto", "always", "never"] = "auto"
    """Compute each layer again in the backward pass instead of keeping what it computed: a third more work for a
    fraction of the memory. `auto`: on a GPU."""
    compile: bool = False
    """torch.compile each layer: pays after minutes. Changes speed, and results by rounding only."""
    distribution: Literal["replicate", "shard"] = "shard"
    """With several processes, whether each holds the whole model (DDP) or a part of every layer (FSDP2)."""
    checkpoint_every: int = Field(250, ge=1)
    """Optimiser steps between checkpoints."""
    keep_checkpoints: int = Field(2, ge=1)
    """Newest checkpoints that are kept while a training runs; the best one by evaluation is kept besides."""
    final: Literal["last", "best"] = "last"
    """Which weights become the model: the last, or those with the lowest mean of all evaluations. NS; the last."""


class FineTuningSchedule(Schedule):
    """Paper, section 3: constant 5e-5; warm-up is NS, none assumed."""

    peak: float = Field(5e-5, gt=0)
    """Paper: 5e-5."""
    warmup_steps: int = Field(0, ge=0)
    """NS: none."""
    drops: dict[float, float] = Field(default_factory=dict)
    """Paper: none, the rate is constant."""


class FineTuning(Optimisation):
    """The optimiser of fine-tuning is NS; the base model's is taken."""

    schedule: FineTuningSchedule = FineTuningSchedule()
