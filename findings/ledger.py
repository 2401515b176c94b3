"""The ledger: a row for each claim, computed from evidence.

A verdict is given only when every seed that was declared has evidence, so that nobody stops at a good moment; seeds
beyond those are listed and do not count. Until then a row shows what its seeds say, and is open.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from findings.claims import Claim, Condition, claims_of, read_reasons
from findings.evidence import Evidence, gather
from findings.plan import COMMITTED
from findings.statistics import (
    Estimate,
    Sample,
    combined,
    detectable,
    estimate,
    seeds_needed,
    verdict,
)
from pipeline.artifacts.code_digest import code_digest
from pipeline.errors import UserError


@dataclass(frozen=True, slots=True)
class Tested:
    """One condition of a claim and what was found."""

    name: str
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    verdict: str = "open"
    by_seed: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A claim with its verdict; the first ten fields are the stable ones of findings.json."""

    id: str
    claim: str
    source: str
    comparison: str
    estimate: float | None
    low: float | None
    high: float | None
    n: int
    """Problems of all seeds together."""
    seeds: int
    verdict: str

    paper: str
    tests: list[Tested]
    wanted_seeds: int
    missing_seeds: list[int]
    uncounted_seeds: list[int]
    """Seeds with evidence beyond those that were declared."""

    detectable: float
    """The difference that the declared seeds would show (power 80 %), with the spread assumed beforehand."""
    seeds_for_effect: int | None
    """Seeds that the first condition's threshold takes."""

    changed: list[str] = field(default_factory=list)
    """What of the declaration is not as it was when evidence was made."""
    older_code: list[int] = field(default_factory=list)
    """Seeds whose evidence came from code that is not the present one."""

    hours: float = 0.0
    """Of all seeds' studies, in wall time of the machines that ran them."""
    machines: list[str] = field(default_factory=list)
    commits: list[str] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def build(preset: str, own: Path | None = None) -> list[Row]:
    """The rows of all claims that can be tested in a preset's world.

    Args:
        own: a run's folder of evidence; where it and the committed evidence hold one seed, its own counts.
    """
    folders = [COMMITTED / preset]
    if own is not None:
        folders.append(own)
    reasons = read_reasons()
    return [
        row_of(claim, preset, gather(folders, claim.id), reasons.get(claim.id, ""))
        for claim in claims_of(preset)
    ]


def row_of(claim: Claim, preset: str, found: dict[int, Evidence], reason: str = "") -> Row:
    wanted = claim.presets[preset]
    counted = [evidence for seed, evidence in found.items() if seed < wanted]
    present = {evidence.seed for evidence in counted}
    missing = [seed for seed in range(wanted) if seed not in present]

    tests = [tested(condition, counted, complete=not missing) for condition in claim.tests]
    first = tests[0]
    main = claim.tests[0]
    effect = main.threshold

    return Row(
        id=claim.id,
        claim=claim.claim,
        source=claim.source,
        comparison=claim.comparison,
        estimate=first.estimate,
        low=first.low,
        high=first.high,
        n=sum(len(_sample(evidence, main.measure, main.of).values) for evidence in counted),
        seeds=len(counted),
        verdict=combined([test.verdict for test in tests]),
        paper=claim.paper,
        tests=tests,
        wanted_seeds=wanted,
        missing_seeds=missing,
        uncounted_seeds=[seed for seed in found if seed >= wanted],
        detectable=detectable(claim.spread, wanted),
        seeds_for_effect=seeds_needed(claim.spread, effect) if main.against else None,
        changed=changes(claim, wanted, counted),
        older_code=[e.seed for e in counted if e.code != current_code(claim.study)],
        hours=round(sum(e.made.get("seconds", 0) for e in counted) / 3600, 3),
        machines=_distinct(
            f"{e.made.get('processor')}, {e.made.get('cores_used')} core(s)" for e in counted
        ),
        commits=_distinct(str(e.made.get("commit") or "unknown")[:12] for e in counted),
        settings=claim.settings,
        notes={f"seed {evidence.seed}": evidence.notes for evidence in counted if evidence.notes},
        reason=reason,
    )


def tested(condition: Condition, counted: Sequence[Evidence], complete: bool) -> Tested:
    """A condition's estimate from the seeds that count; its verdict where they are complete."""
    if not counted:
        return Tested(condition.name)

    first = [_sample(evidence, condition.measure, condition.of) for evidence in counted]
    second = None
    if condition.against is not None:
        second = [_sample(evidence, condition.measure, condition.against) for evidence in counted]
    found: Estimate = estimate(first, second)
    # One value has no spread, and an interval of no width would look like certainty.
    has_spread = found.problems > 1
    return Tested(
        condition.name,
        round(found.mean, 4),
        round(found.low, 4) if has_spread else None,
        round(found.high, 4) if has_spread else None,
        verdict(condition, found) if complete else "open",
        tuple(round(value, 4) for value in found.by_seed),
    )


def _sample(evidence: Evidence, measure: str, arm: str) -> Sample:
    """Raises UserError where the evidence lacks what the claim compares."""
    try:
        return evidence.arms[arm][measure]
    except KeyError:
        raise UserError(
            f"evidence of {evidence.claim}, seed {evidence.seed}: no measure {measure} of the arm {arm}"
        ) from None


def changes(claim: Claim, wanted: int, counted: Sequence[Evidence]) -> list[str]:
    """What was declared otherwise when evidence was made."""
    found = []
    other = [evidence.seed for evidence in counted if evidence.claim_digest != claim.digest]
    if other:
        found.append(f"the claim or its comparison, since seed(s) {_listed(other)}")
    fewer = [evidence.seed for evidence in counted if evidence.wanted != wanted]
    if fewer:
        found.append(f"the number of seeds, since seed(s) {_listed(fewer)}")
    return found


@cache
def current_code(study: str) -> str:
    """Digest of the programs that a study's outcome comes from, as they are now."""
    module = import_module(f"findings.studies.{study}")
    return code_digest(*module.PROGRAMS)


def _listed(seeds: Sequence[int]) -> str:
    return ", ".join(map(str, seeds))


def _distinct(values: Any) -> list[str]:
    return list(dict.fromkeys(values))
