"""The base of every configuration section, and the mark of settings that change no result."""

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict

Value = TypeVar("Value")
_INCIDENTAL = "incidental"

Incidental = Annotated[Value, _INCIDENTAL]
"""`name: Incidental[int]`: a setting that changes memory, speed or what is shown meanwhile, and the
result by the rounding of sums at most. State of a run with another value is taken up again
(pipeline/artifacts/resume.py)."""


class Section(BaseModel):
    """Settings of one stage: frozen, unknown keys refused, each field with its source in the
    description."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        validate_default=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )

    def result_settings(self) -> dict[str, Any]:
        """The settings that decide the result, as JSON values: all but those marked
        `Incidental`."""
        values = self.model_dump(mode="json")
        for name, field in type(self).model_fields.items():
            inner = getattr(self, name)
            if _INCIDENTAL in field.metadata:
                del values[name]
            elif isinstance(inner, Section):
                values[name] = inner.result_settings()
        return values


class SeededSection(Section):
    """A section whose stage draws random numbers: the run's seed comes along into the stage's own
    file."""

    seed: int = 0
    """Filled in from the top-level `seed`."""
