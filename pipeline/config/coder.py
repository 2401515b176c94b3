"""Settings of the coder checkpoint that is trained from scratch, where no other is named."""

from pydantic import Field, model_validator

from pipeline.config.base import Incidental, Section, SeededSection
from pipeline.config.schedule import Schedule
from pipeline.config.training import Optimisation


class Model(Section):
    """Shape of a Llama that is trained from scratch (`sources.coder: mini`)."""

    vocabulary: int = Field(1024, ge=300)
    """Tokens of the byte-level BPE tokenizer that is trained with it. The paper's model has
    102,400."""

    hidden: int = Field(128, ge=16)
    """Width of the residual stream. The paper's 7B: 4096."""

    intermediate: int = Field(352, ge=16)
    """Width inside the feed-forward blocks. 7B: 11008."""

    layers: int = Field(3, ge=1)
    """Transformer blocks. 7B: 30."""

    heads: int = Field(4, ge=1)
    """Attention heads of a block. 7B: 32."""

    context: int = Field(512, ge=64)
    """Tokens of the longest sequence that the model is made for. The paper's 7B: 4096."""

    initializer_range: float = Field(0.08, gt=0)
    """Spread of the first weights: about 1/sqrt(hidden). The usual 0.02 starts a model this narrow
    too slowly."""

    rope_theta: float = Field(100.0, gt=1)
    """Base of the rotary positions: short contexts need short wavelengths."""

    @model_validator(mode="after")
    def _heads_divide_the_width(self) -> "Model":
        """Each head gets an equal part of the width, and rotary positions turn pairs of its numbers."""
        if self.hidden % self.heads:
            raise ValueError(f"hidden {self.hidden}: must be a multiple of heads ({self.heads})")
        width = self.hidden // self.heads
        if width % 2:
            raise ValueError(
                f"hidden {self.hidden} with {self.heads} heads: a head has {width} numbers, it must be an even count"
            )
        return self


class CoderSchedule(Schedule):
    """The base model's schedule, for a training of a few hundred steps."""

    peak: float = Field(1e-3, gt=0)
    """Highest learning rate; small models bear more than the 4.2e-4 of 7B."""

    warmup_steps: int = Field(20, ge=0)
    """Steps over which the rate rises from 0. The paper's 2,000 are more than this training has."""


class CoderOptimisation(Optimisation):
    """The base model's optimiser, on a small machine."""

    schedule: CoderSchedule = CoderSchedule()
    micro_batch_tokens: Incidental[int] = Field(2048, ge=16)
    """Tokens that one forward pass computes, padding included; sets memory and speed, never
    results."""

    checkpoint_every: Incidental[int] = Field(25, ge=1)
    """Optimiser steps between checkpoints."""


class Coder(SeededSection):
    """Training of the coder checkpoint from scratch; unused where `sources.coder` names an existing
    one."""

    model: Model = Model()
    tokens: int = Field(450_000, ge=1)
    """Training tokens of Python source."""

    batch_tokens: int = Field(1024, ge=16)
    """Small batches: at this size the number of optimiser steps is what counts."""

    context: int = Field(256, ge=16)
    """Tokens of a training sequence."""

    optimisation: CoderOptimisation = CoderOptimisation()
