"""A stage reads its own section of the configuration; a mistake in it is one line.

Stages import this module and the module of their section, never `load`, which knows all sections:
the digest of a stage's code then covers the sections that the stage reads, and no others.
"""

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pipeline.artifacts.write import read_json
from pipeline.config.base import Section
from pipeline.errors import UserError

AnySection = TypeVar("AnySection", bound=Section)


def read_section(path: str | Path, section: type[AnySection]) -> AnySection:
    """Read a stage's own settings from the JSON file that `pipeline.workflow.settings_file` writes."""
    return checked(section, read_json(path), str(path))


def checked(model: type[AnySection], values: object, origin: str) -> AnySection:
    """The section that `values` make; a UserError names all problems in one line that begins with
    `origin`."""
    if not isinstance(values, dict):
        raise UserError(f"{origin}: expected a mapping of settings, found {type(values).__name__}")
    try:
        return model.model_validate(values)
    except ValidationError as error:
        lines = [_explain(model, problem) for problem in error.errors()]
        # A field of several types reports the same mistake once a type.
        raise UserError(f"{origin}: " + "; ".join(dict.fromkeys(lines))) from None


def _explain(model: type[BaseModel], problem: ErrorDetails) -> str:
    """One problem as "key = value: what is allowed"."""
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        allowed = _keys_at(model, problem["loc"][:-1])
        near = difflib.get_close_matches(str(problem["loc"][-1]), allowed, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"allowed: {', '.join(allowed)}"
        return f"{key}: unknown key; {hint}"

    message = problem["msg"].removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    if not key:
        return message
    # Several settings of a section do not go together; the message names them.
    if isinstance(problem["input"], dict):
        return f"{key}: {message}"
    return f"{key} = {problem['input']!r}: {message}"


def _keys_at(model: type[BaseModel], location: Iterable[str | int]) -> list[str]:
    """The keys that are allowed at a place of the tree."""
    for part in location:
        field = model.model_fields.get(str(part))
        inner = field.annotation if field else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            break
        model = inner
    return sorted(field.alias or name for name, field in model.model_fields.items())
