"""A seed of a claim, and runs of the whole workflow with other settings that studies are made of."""

import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from findings.claims import Claim
from findings.statistics import Sample
from pipeline.artifacts.code_digest import ROOT
from pipeline.artifacts.write import MANIFEST, read_json, write_json
from pipeline.config.load import RECORD
from pipeline.errors import UserError

LOG_LINES = 5
"""Last lines of a failed run's log that are shown."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a study found in one seed."""

    arms: dict[str, dict[str, Sample]]
    """Arm -> measure -> a value for each problem."""

    notes: dict[str, Any] = field(default_factory=dict)
    """What an arm reports besides: the rate that was chosen, tokens sampled."""


@dataclass(frozen=True, slots=True)
class Task:
    """One seed of one claim in one preset's world."""

    claim: Claim
    seed: int

    preset: str
    """A preset's name or YAML path."""

    name: str
    """Name of the preset's run: results/<name>."""

    cores: int

    @property
    def folder(self) -> Path:
        """Where files of this seed lie while it runs."""
        return Path("results") / self.name / "findings" / "work" / self.claim.id / str(self.seed)

    @property
    def settings(self) -> dict[str, Any]:
        """The study's own settings, of the claim."""
        return self.claim.settings

    def start(self, *targets: str) -> Path:
        """A run of the preset with this seed, made up to `targets`; all claims of a seed share it.

        The preset's own run is taken where it has this seed and its models are finished.
        """
        own = Path("results") / self.name
        has_seed = (own / RECORD).is_file() and read_json(own / RECORD).get("seed") == self.seed
        if has_seed and all(_is_finished(own / target) for target in targets):
            print(f"start: {own}, as it is", file=sys.stderr)
            return own
        return self.run_workflow(f"{self.name}-findings-start-{self.seed}", {}, *targets)

    def run_arm(self, arm: str, overlay: dict[str, Any], *targets: str) -> Path:
        """A run of the preset with `overlay`, made up to `targets`; its folder."""
        name = f"{self.name}-findings-{self.claim.id}-{arm}-{self.seed}"
        return self.run_workflow(re.sub(r"[^A-Za-z0-9_.-]+", "-", name), overlay, *targets)

    def run_workflow(self, name: str, overlay: dict[str, Any], *targets: str) -> Path:
        """Run the workflow as a person would, with a preset that extends this one; finished stages are kept.

        Raises UserError with the end of the log where it fails.
        """
        results = Path("results") / name
        preset = self.folder / f"{name}.yaml"
        # A path in `extends` is read from the working folder, as the name of a preset is.
        values = {**overlay, "extends": self.preset, "name": name, "seed": self.seed}
        write_json(preset, values)  # JSON is YAML

        command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
        # The run that this one is a part of holds the folder's lock.
        command += ["--nolock", "--cores", str(self.cores), "--config", f"preset={preset}", "--"]
        command += [str(results / target) for target in targets]

        log = preset.with_suffix(".log")
        print(f"{self.claim.id}, seed {self.seed}: {name}, log {log}", file=sys.stderr, flush=True)
        with open(log, "a", encoding="utf-8") as stream:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT
            )
        if done.returncode:
            lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            raise UserError(f"{name} failed; {log} ends with: {' | '.join(lines[-LOG_LINES:])}")
        return results


def _is_finished(place: Path) -> bool:
    """A folder with its manifest, or a file."""
    return (place / MANIFEST).is_file() if place.is_dir() else place.is_file()
