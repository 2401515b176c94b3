"""Read YAML data files into frozen dataclasses.

    @dataclass(frozen=True, slots=True, config=STRICT)  # pydantic.dataclasses
    class Form:
        openings: Lines
        ...

    forms = read_data(FOLDER / "prose.yaml", dict[str, Form])

The module that reads a file names it in its DATA_FILES, so that a change of the words reruns whatever was written with
them (pipeline/artifacts/code_digest.py).
"""

from pathlib import Path
from typing import Annotated, TypeVar

import yaml
from pydantic import BeforeValidator, ConfigDict, TypeAdapter, ValidationError

from pipeline.errors import UserError

Shape = TypeVar("Shape")

# libyaml reads all files of a program in milliseconds; the pure Python loader takes half a second.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# A misspelt field of a data file is an error, not silently left out.
STRICT = ConfigDict(extra="forbid")


def _split_lines(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(line.strip() for line in value.splitlines() if line.strip())


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
