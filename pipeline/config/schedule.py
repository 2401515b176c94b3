"""Learning-rate schedules as pure functions of the step.

The paper's multi-step schedule (section 2.3): a linear rise over the warm-up steps, then the peak
rate; 31.6 % of it after 80 % of the steps and 10 % after 90 %.
"""

from typing import Annotated

from pydantic import AfterValidator, Field

from pipeline.config.base import Section


def _checked_shares(drops: dict[float, float]) -> dict[float, float]:
    for done, factor in drops.items():
        if not (0 < done < 1 and 0 < factor <= 1):
            raise ValueError(f"{done}: {factor} is not a pair of shares between 0 and 1")
    return drops


Drops = Annotated[dict[float, float], AfterValidator(_checked_shares)]
"""Share of all steps done -> share of the peak from there on; empty means constant."""


class Schedule(Section):
    """Learning rate over the steps of a training run."""

    peak: float = Field(4.2e-4, gt=0)
    """Peak learning rate. Paper, sections 2.3 and 3.2: 4.2e-4 for the 7B base model, 5e-5 for
    fine-tuning."""

    warmup_steps: int = Field(2000, ge=0)
    """Steps of linear warm-up. Paper: 2,000 for the base model; its shape is NS, linear assumed."""

    drops: Drops = Field(default_factory=lambda: {0.8: 0.316, 0.9: 0.1})
    """Share of all steps done -> share of the peak from there on; empty means constant. Paper: 31.6
    % and 10 %."""


def constant(peak: float, warmup_steps: int = 0) -> Schedule:
    """A schedule that stays at its peak."""
    return Schedule(peak=peak, warmup_steps=warmup_steps, drops={})


def learning_rate(schedule: Schedule, step: int, total_steps: int) -> float:
    """The rate of optimiser step `step` (counted from 0) in a run of `total_steps`."""
    factor = 1.0
    for done, share in sorted(schedule.drops.items()):
        # Rounding keeps 0.8 x 50,000 at 40,000 exactly.
        first = round(done * total_steps)
        if step >= first:
            factor = share

    warmup = 1.0
    if schedule.warmup_steps:
        # Counted from 1, so that the first step moves the weights too.
        warmup = min(1.0, (step + 1) / schedule.warmup_steps)
    return schedule.peak * factor * warmup
