"""Read YAML data files into frozen dataclasses.

    @data_class
    class Form:
        openings: Lines
        ...

    forms = read_data(FOLDER / "prose.yaml", dict[str, Form])

The module that reads a file names it in its DATA_FILES, so that a change of the words reruns whatever was written with
them (pipeline/artifacts/code_digest.py).
"""

from pathlib import Path
from typing import Annotated, TypeVar, cast, dataclass_transform

import pydantic.dataclasses
import yaml
from pydantic import BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from pipeline.errors import UserError

Shape = TypeVar("Shape")

# libyaml reads all files of a program in milliseconds; the pure Python loader takes most of a second.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass_transform(frozen_default=True, field_specifiers=(Field,))
def data_class(shape: type[Shape]) -> type[Shape]:
    """Make `shape` a frozen dataclass that is checked when it is made: types, and no field that it does not have."""
    # Without `forbid`, a misspelt field of a data file would silently be left out.
    config = ConfigDict(extra="forbid")
    decorate = pydantic.dataclasses.dataclass(frozen=True, slots=True, config=config)
    return cast(type[Shape], decorate(shape))  # pydantic's own types forget the class


def _split_lines(value: object) -> object:
    if not isinstance(value, str):
        return value
    lines = [line.strip() for line in value.splitlines()]
    return tuple(line for line in lines if line)


Lines = Annotated[tuple[str, ...], BeforeValidator(_split_lines)]
"""Texts that a data file gives as one block with a text a line, or as a list."""


def read_data(path: Path, shape: type[Shape]) -> Shape:
    """Read a YAML file as `shape`. Raises UserError, naming file and place, where the content does not fit."""
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
        return TypeAdapter(shape).validate_python(content)
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not YAML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = " > ".join(str(part) for part in first["loc"])
        raise UserError(f"{path}: {place}: {first['msg']}") from None
