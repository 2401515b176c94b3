"""The evidence of one seed of one claim: a small JSON file.

    claim, claim_digest, wanted    what it was made for, and how many seeds were wanted then
    preset, seed                   where
    arms                           arm -> measure -> {"problems": digest, "values": …}: a value for each problem, in one
                                   order; 0/1 values as a string of digits, others as numbers of four decimals
    settings, notes                what was run, and what an arm reports of it (the rate chosen, tokens sampled)
    code, made                     digest of the programs it came from; commit, date, machine, seconds

Evidence lies in results/<preset>/findings/evidence/ when it is new, and in findings/evidence/<preset>/ when it is
committed, below both as <claim>/seed_<n>.json.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from findings.statistics import Sample
from pipeline.artifacts.write import read_json, write_text
from pipeline.errors import UserError

DATA_FILES = ("evidence/*/*/*.json",)
FILE = re.compile(r"seed_(\d+)\.json")
DECIMALS = 4

Measures = dict[str, Sample]
"""Measure -> the values of one arm in one seed."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The outcome of one seed."""

    claim: str
    claim_digest: str
    wanted: int
    preset: str
    seed: int
    arms: dict[str, Measures]
    settings: dict[str, Any]
    code: str
    notes: dict[str, Any] = field(default_factory=dict)
    made: dict[str, Any] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """A line for each arm's measure, so that a change reads well and the file stays small."""
        values = {name: value for name, value in self._plain().items() if name != "arms"}
        lines = [f" {json.dumps(name)}: {_compact(value)}" for name, value in values.items()]

        of_arms = []
        for arm, measures in self.arms.items():
            packed = [
                f"   {json.dumps(measure)}: {_compact(packed_sample(sample))}"
                for measure, sample in measures.items()
            ]
            of_arms.append(f"  {json.dumps(arm)}: {{\n" + ",\n".join(packed) + "\n  }")
        lines.append(' "arms": {\n' + ",\n".join(of_arms) + "\n }")
        write_text(path, "{\n" + ",\n".join(lines) + "\n}\n")

    def _plain(self) -> dict[str, Any]:
        values = asdict(self)
        del values["arms"]
        return values


def _compact(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def packed_sample(sample: Sample) -> dict[str, Any]:
    """As it stands in the file."""
    values = np.asarray(sample.values, dtype=np.float64)
    if np.isin(values, (0, 1)).all():
        return {"problems": sample.problems, "values": "".join(str(int(v)) for v in values)}
    return {"problems": sample.problems, "values": [round(float(v), DECIMALS) for v in values]}


def read_evidence(path: Path) -> Evidence:
    """Raises UserError, with the file's name, where it holds no evidence."""
    values = read_json(path)
    try:
        arms = {
            arm: {measure: _unpacked(packed) for measure, packed in measures.items()}
            for arm, measures in values.pop("arms").items()
        }
        return Evidence(arms=arms, **values)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"{path}: no evidence of a seed ({error})") from None


def _unpacked(packed: Mapping[str, Any]) -> Sample:
    values = packed["values"]
    numbers = [float(digit) for digit in values] if isinstance(values, str) else values
    array = np.asarray(numbers, dtype=np.float64)
    if array.ndim != 1 or not len(array) or not np.isfinite(array).all():
        raise ValueError("values: a number for each of at least one problem is needed")
    return Sample(str(packed["problems"]), array)


def problems_digest(problems: Sequence[object]) -> str:
    """Names a list of problems: what was asked and what is right, not only their ids, which worlds share."""
    text = json.dumps(list(problems), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def gather(folders: Sequence[Path], claim: str) -> dict[int, Evidence]:
    """Evidence of a claim by seed, in order of seeds; where several folders have a seed, the last folder's counts."""
    found: dict[int, Evidence] = {}
    for folder in folders:
        for path in sorted((folder / claim).glob("seed_*.json")):
            if not FILE.fullmatch(path.name):
                continue
            evidence = read_evidence(path)
            named = int(path.stem.removeprefix("seed_"))
            if evidence.claim != claim or evidence.seed != named:
                raise UserError(
                    f"{path}: holds seed {evidence.seed} of {evidence.claim}; name it after what it holds"
                )
            found[evidence.seed] = evidence
    return dict(sorted(found.items()))
