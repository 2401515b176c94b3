"""The claims of claims.yaml: what is compared, by which threshold, with how many seeds."""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import Field, TypeAdapter, ValidationError, field_validator, model_validator

from pipeline.config.base import Section
from pipeline.config.preset_file import read_yaml
from pipeline.errors import UserError

DATA_FILES = ("claims.yaml", "reasons.yaml")
HERE = Path(__file__).resolve().parent

NOT_COMPARED = ("spread", "presets")
"""Fields that no measurement depends on: they say how many seeds are wanted, and where."""


class Condition(Section):
    """One condition of a claim: a measure of one arm, or its difference to that of another arm."""

    measure: str
    of: str
    against: str | None = None
    """The arm whose measure is taken off; without it the measure itself is tested."""

    more_than: float | None = None
    """The value is positive. The number is the least value that counts: where the interval excludes it, the claim is
    refuted."""

    at_least: float | None = None
    """The value is not below this."""

    at_most: float | None = None
    """The value is not above this."""

    @model_validator(mode="after")
    def _one_threshold(self) -> "Condition":
        given = [self.more_than, self.at_least, self.at_most]
        if sum(value is not None for value in given) != 1:
            raise ValueError(f"{self.measure}: give one of more_than, at_least, at_most")
        if self.more_than is not None and self.more_than <= 0:
            raise ValueError(f"{self.measure}: more_than must be above 0")
        return self

    @property
    def threshold(self) -> float:
        """The number that an interval is compared with."""
        for value in (self.more_than, self.at_least, self.at_most):
            if value is not None:
                return value
        raise AssertionError("one is given")

    @property
    def name(self) -> str:
        """The test in words, such as "cot.greedy, grpo - rft > 0"."""
        value = f"{self.of} − {self.against}" if self.against else self.of
        if self.more_than is not None:
            return f"{self.measure}, {value} > 0"
        sign = "≥" if self.at_least is not None else "≤"
        return f"{self.measure}, {value} {sign} {self.threshold:g}"


class Spread(Section):
    """What is assumed of the value before anything is measured, for the power."""

    seeds: float = Field(ge=0)
    """Standard deviation over seeds, that of the problems apart."""

    within: float = Field(ge=0)
    """Standard deviation over the problems of a seed."""

    problems: int = Field(ge=1)
    """Problems of a seed."""


class Claim(Section):
    """A claim and everything that is fixed before its runs."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    claim: str
    source: str
    paper: str
    comparison: str
    study: str
    presets: dict[str, int]
    settings: dict[str, Any] = Field(default_factory=dict)
    tests: list[Condition] = Field(min_length=1)
    spread: Spread

    @field_validator("presets")
    @classmethod
    def _enough_seeds(cls, presets: dict[str, int]) -> dict[str, int]:
        for preset, seeds in presets.items():
            if seeds < 2:
                raise ValueError(f"{preset}: {seeds} seed(s) have no spread; at least 2 are needed")
        return presets

    @property
    def rule(self) -> str:
        """Name of the Snakemake target that runs it."""
        return f"finding_{self.id.replace('-', '_')}"

    @property
    def digest(self) -> str:
        """Changes with the claim, its comparison, its thresholds and what is run for it."""
        values = self.model_dump(mode="json", exclude=set(NOT_COMPARED))
        text = json.dumps(values, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@cache
def read_claims(path: Path = HERE / "claims.yaml") -> tuple[Claim, ...]:
    """All claims, in the order of the file. Raises UserError with one line for a mistake in it."""
    values = read_yaml(path).get("claims")
    try:
        claims = TypeAdapter(tuple[Claim, ...]).validate_python(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise UserError(f"{path}: claim {place}: {first['msg']}") from None

    names = [claim.id for claim in claims]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UserError(f"{path}: the id {twice[0]} stands there twice")
    return claims


def claims_of(preset: str) -> list[Claim]:
    """The claims that can be tested in a preset's world."""
    return [claim for claim in read_claims() if preset in claim.presets]


def claim_named(name: str) -> Claim:
    """Raises UserError where there is none."""
    for claim in read_claims():
        if claim.id == name:
            return claim
    known = ", ".join(claim.id for claim in read_claims())
    raise UserError(f"claim {name!r}: not declared; there are {known}")


def read_reasons(path: Path = HERE / "reasons.yaml") -> dict[str, str]:
    """What results are thought to mean, by claim."""
    reasons = read_yaml(path)
    known = {claim.id for claim in read_claims()}
    unknown = sorted(set(reasons) - known)
    if unknown:
        raise UserError(f"{path}: no claim {unknown[0]!r}")
    return {str(name): str(text) for name, text in reasons.items()}
