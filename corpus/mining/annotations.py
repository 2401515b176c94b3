"""Accepted and rejected URL prefixes: the YAML that a person or the automatic annotator writes, and its meaning.

    version: 1
    prefixes:
    - prefix: example.org/questions/        # host without www. and scheme, then the path
      decision: accept                      # or reject
    others: automatic                       # a person's file only; reject: nobody judges what is not listed

The longest prefix of a page decides. A person's decisions win over those of the automatic annotator.
"""

from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.errors import UserError


class Annotation(BaseModel):
    """One judged prefix; the table of a round adds what helps to judge it."""

    model_config = ConfigDict(extra="ignore")
    prefix: str
    decision: Literal["accept", "reject"]
    by: Literal["automatic", "person"] = "person"


class Annotations(BaseModel):
    version: Literal[1]
    prefixes: list[Annotation] = []
    others: Literal["automatic", "reject"] = "automatic"

    def decisions(self) -> dict[str, Annotation]:
        return {normal_prefix(item.prefix): item for item in self.prefixes}


def read_annotations(path: str | Path) -> Annotations:
    """Read a YAML of annotations; UserError with one line that says what is wrong where."""
    try:
        value = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        return Annotations.model_validate(value)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"{path}: cannot be read ({getattr(error, 'strerror', None) or 'not UTF-8'})"
        ) from None
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not YAML ({' '.join(str(error).split())})") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise UserError(f"{path}: {where}: {first['msg']} (found {first['input']!r})") from None


def normal_prefix(prefix: str) -> str:
    """Without scheme and `www.`, the host in lower case, with a slash after a bare host."""
    bare = prefix.strip().split("://", 1)[-1]
    host, slash, path = bare.partition("/")
    return host.lower().removeprefix("www.") + (slash or "/") + path


def ancestors(domain: str, path: str, depth: int = 8) -> list[str]:
    """The prefixes of a page that end in a slash, the host alone first: at most `depth` folders deep."""
    folders = path.split("/")[1:-1][:depth]
    prefixes = [f"{domain}/"]
    for folder in folders:
        prefixes.append(f"{prefixes[-1]}{folder}/")
    return prefixes


def decide(address: str, decisions: dict[str, Annotation]) -> Annotation | None:
    """The longest prefix of "domain/path" that somebody judged; prefixes need not end in a slash."""
    for end in range(len(address), 0, -1):
        if address[:end] in decisions:
            return decisions[address[:end]]
    return None
