"""Settings of stage 3, supervised fine-tuning. Defaults: DeepSeekMath section 3."""

from pydantic import Field

from pipeline.config.base import Incidental
from pipeline.config.training import FineTuning, Training


class SFT(Training):
    """Fine-tuning of the base model on worked solutions."""

    context: int = Field(4096, ge=16)
    """Examples are concatenated at random up to this many tokens. Paper: 4K. Longer examples are
    left out."""

    batch_sequences: int = Field(256, ge=1)
    """Contexts of an optimiser step. Paper: batch size 256."""

    steps: int = Field(500, ge=1)
    """Optimiser steps. Paper: 500."""

    checked_programs: float = Field(1.0, ge=0, le=1)
    """Share of the solutions with programs that are run in the sandbox; those whose programs fail
    or give another answer are left out. NS; all are run."""

    optimisation: FineTuning = FineTuning()
    validation_share: float = Field(0.01, ge=0, lt=1)
    """Share of the problems whose solutions are kept from training and measure the loss. NS."""

    evaluate_every: Incidental[int] = Field(100, ge=0)
    """Optimiser steps between measurements of that loss; 0: only before and after. NS."""
