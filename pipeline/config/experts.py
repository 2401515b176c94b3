"""Settings of the simulated experts who score answers to cases (eval/cases/experts.py)."""

from pydantic import Field, model_validator

from pipeline.config.base import Section


class Experts(Section):
    """A panel of simulated raters. NS throughout: the article says "several doctors, 1 to 10"."""

    raters: int = Field(6, ge=1, le=50)
    """Experts who score each answer."""

    held_out: int = Field(2, ge=0)
    """Of these, whose scores have no part in training: the reward model is compared with them."""

    severity: float = Field(0.8, ge=0)
    """How much milder or stricter experts are than one another: standard deviation, in points."""

    noise: float = Field(0.8, ge=0)
    """How much an expert's scores of the same answer would differ: standard deviation, in points.
    Experts differ in this, too, by half of it up or down."""

    disagreement: float = Field(0.3, ge=0, lt=1)
    """How differently they weigh diagnosis, reasoning and treatment: each weight is multiplied by up
    to 1 plus or minus this."""

    outliers: int = Field(0, ge=0)
    """Experts who score at random."""

    favourite: str = ""
    """A treatment that all experts like more than it deserves: a bias that they have in common."""

    favour: float = Field(0.0, ge=0)
    """Points that every expert adds where an answer names the favourite."""

    revised_from: int | None = Field(None, ge=0)
    """Iteration of RL from which the experts score by the changed guideline; 0 is the training of
    the reward model. None: never."""

    @model_validator(mode="after")
    def _enough_experts(self) -> "Experts":
        if self.held_out >= self.raters:
            raise ValueError(
                f"held_out {self.held_out}: some of the {self.raters} raters must train"
            )
        if self.outliers > self.raters - self.held_out:
            raise ValueError(f"outliers {self.outliers}: more than experts who are not held out")
        if bool(self.favourite) != bool(self.favour):
            raise ValueError("favourite and favour go together")
        return self
