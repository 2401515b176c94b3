"""The base of every configuration section, and the mark of settings that change no result."""

from typing import Annotated, Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

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

    @field_validator("*", mode="before")
    @classmethod
    def _true_is_no_number(cls, value: object, info: ValidationInfo) -> object:
        """`steps: true` (and `yes`, `on`) would count as 1."""
        field = cls.model_fields[str(info.field_name)]
        if not _allows_bool(field.annotation) and _holds_bool(value):
            raise ValueError("true and false are allowed for switches only")
        return value

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


def _allows_bool(annotation: object) -> bool:
    """Whether a field is a switch, or holds one; an inner section looks at its own fields."""
    if annotation is bool or (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        return True
    return any(_allows_bool(part) for part in get_args(annotation))


def _holds_bool(value: object) -> bool:
    """Whether a value is true or false, or a list or mapping of such."""
    if isinstance(value, dict):
        return any(isinstance(inner, bool) for inner in value.values())
    if isinstance(value, list | tuple):
        return any(isinstance(inner, bool) for inner in value)
    return isinstance(value, bool)
