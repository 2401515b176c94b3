"""The commands of a run, as Snakemake would start them, and what they read and write."""

import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SIDE_FOLDERS = ("logs", "benchmarks", "resume", "config")
"""Folders of a run that hold no results."""
MEASURED = ("metrics.jsonl", "events.out.tfevents", ".")
"""Beginnings of the names of files that hold speeds or times."""


@dataclass
class Step:
    """One command: a module with its arguments. What it writes is found by running it."""

    module: str
    arguments: list[str]
    seconds: float = 0.0
    outputs: dict[Path, bytes] = field(default_factory=dict)
    """What it writes undisturbed: path in the run's folder -> content."""

    @property
    def name(self) -> str:
        return self.module

    @property
    def resume(self) -> Path | None:
        for option in ("--resume", "--scratch"):
            if option in self.arguments:
                return Path(self.arguments[self.arguments.index(option) + 1])
        return None

    def inputs(self, folder: Path) -> list[Path]:
        """Files that the arguments name, or that lie in folders which they name, apart from settings and outputs."""
        arguments = list(self.arguments)
        if "--out" in arguments:
            del arguments[arguments.index("--out") + 1]
        named = {folder / argument.partition("=")[2] for argument in arguments}
        named |= {folder / argument for argument in arguments}
        results = [path for path in named if path != folder and "results" in path.parts]

        files: set[Path] = set()
        for path in results:
            files |= {path} if path.is_file() else set(path.rglob("*")) if path.is_dir() else set()
        found = [f for f in files if f.is_file() and f.stat().st_size and is_result(f, folder)]
        return sorted(f for f in found if f.relative_to(folder) not in self.outputs)


def is_result(file: Path, folder: Path) -> bool:
    """Whether a file is something that equal runs write alike."""
    parts = file.relative_to(folder).parts
    return parts[2] not in SIDE_FOLDERS and not file.name.startswith(MEASURED)


def planned_steps(folder: Path) -> list[Step]:
    """All commands of preset smoke in an order in which they can be run, by a dry run."""
    command = [sys.executable, "-m", "snakemake", "all", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--directory", str(folder), "--cores", "1", "--config", "preset=smoke"]
    command += ["--dry-run", "--printshellcmds", "--forceall"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)

    steps = []
    for line in done.stdout.splitlines():
        if not line.startswith("Shell command: "):
            continue
        text = line.removeprefix("Shell command: ").partition(" 2>&1")[0].strip("() ")
        for part in text.split(" && "):
            words = shlex.split(part)
            if words[:2] == ["python", "-m"]:
                steps.append(Step(words[2], words[3:]))
    return steps
