"""The base of every configuration section."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Settings of one stage: frozen, unknown keys refused, each field with its source in the description."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        validate_default=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )


class SeededSection(Section):
    """A section whose stage draws random numbers: the run's seed comes along into the stage's own file."""

    seed: int = 0
    """Filled in from the top-level `seed`."""
