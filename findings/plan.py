"""Which seeds are still to be run. The Snakefile asks, so nothing here loads NumPy or SciPy."""

from pathlib import Path

from findings.claims import Claim
from pipeline.artifacts.write import read_json

COMMITTED = Path(__file__).resolve().parent / "evidence"
"""Committed evidence: <preset>/<claim>/seed_<n>.json."""


def evidence_file(folder: Path, claim: str, seed: int) -> Path:
    return folder / claim / f"seed_{seed}.json"


def planned(claim: Claim, preset: str, committed: Path = COMMITTED) -> list[int]:
    """The declared seeds without committed evidence of the claim as it stands."""
    left = []
    for seed in range(claim.presets[preset]):
        file = evidence_file(committed / preset, claim.id, seed)
        if not file.is_file() or read_json(file).get("claim_digest") != claim.digest:
            left.append(seed)
    return left
