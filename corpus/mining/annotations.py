"""Accepted and rejected URL prefixes: the YAML that a person or the automatic annotator writes, and its meaning.

    version: 1
    prefixes:
    - prefix: example.org/questions/        # host without www. and scheme, then the path
      decision: accept                      # or reject, or undecided
    others: automatic                       # a person's file only; reject: nobody judges what is not listed

Pages under an accepted prefix teach the next classifier what the subject is, those under a rejected one
beside them what it is not. Under an undecided prefix only pages teach that the annotator read and that
its two views agree about. The longest prefix of a page decides.
A person's decisions win over those of the automatic annotator.
"""

from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.errors import UserError

# Folders of an address that are looked at. The paper's example, mathoverflow.net/questions, has one;
# the bound is for the addresses that a broken link makes longer with every click.
_DEPTH = 8


Decision = Literal["accept", "reject", "undecided"]


class Annotation(BaseModel):
    """One judged prefix; the table of a round adds what helps to judge it."""

    model_config = ConfigDict(extra="ignore")
    prefix: str
    decision: Decision
    by: Literal["automatic", "person"] = "person"


Decisions = dict[str, Annotation]
"""By prefix in its normal form."""


class Annotations(BaseModel):
    """A whole file."""

    version: Literal[1]
    prefixes: list[Annotation] = []
    others: Literal["automatic", "reject"] = "automatic"

    def decisions(self) -> Decisions:
        return {normal_prefix(item.prefix): item for item in self.prefixes}


def read_annotations(path: str | Path) -> Annotations:
    """Read a YAML of annotations; UserError with one line that says what is wrong where."""
    try:
        value = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        return Annotations.model_validate(value)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise UserError(f"{path}: cannot be read ({reason})") from None
    except yaml.YAMLError as error:
        on_one_line = " ".join(str(error).split())
        raise UserError(f"{path}: not YAML ({on_one_line})") from None
    except ValidationError as error:
        first = error.errors()[0]
        keys = [str(part) for part in first["loc"]]
        where = ".".join(keys) or "the file"
        mistake = f"{first['msg']} (found {first['input']!r})"
        raise UserError(f"{path}: {where}: {mistake}") from None


def normal_prefix(prefix: str) -> str:
    """Without scheme and `www.`, the host in lower case, with a slash after a bare host."""
    without_scheme = prefix.strip().split("://", 1)[-1]
    host, slash, path = without_scheme.partition("/")
    return host.lower().removeprefix("www.") + (slash or "/") + path


def ancestors(domain: str, path: str) -> list[str]:
    """The prefixes of a page that end in a slash, the host alone first: at most 8 folders deep."""
    # The path begins with a slash, and behind its last one is the page itself.
    folders = path.split("/")[1:-1]

    prefixes = [f"{domain}/"]
    for folder in folders[:_DEPTH]:
        prefixes.append(f"{prefixes[-1]}{folder}/")
    return prefixes


def decide(address: str, decisions: Decisions) -> Annotation | None:
    """The decision about a page: that of the longest prefix of "domain/path" that somebody judged."""
    # Character by character, for a person's prefix need not end in a slash ("a.example/q/off-").
    for end in range(len(address), 0, -1):
        if address[:end] in decisions:
            return decisions[address[:end]]
    return None
