"""What a run was made with: commit, date, versions and hardware, recorded beside its times.

    python -m eval.reporting.provenance --out results/mini/benchmarks/environment.json

It is recorded once the models have been evaluated, on the machine that did so. Like times it stays
out of manifests, which are equal for equal runs.
"""

import argparse
import os
import platform
import shutil
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pipeline.artifacts.code_digest import ROOT
from pipeline.artifacts.write import read_json, write_json
from pipeline.errors import run_main

FILE = Path("benchmarks") / "environment.json"
PACKAGES = ("torch", "transformers", "tokenizers", "numpy", "pyarrow", "sympy", "snakemake")

Facts = list[tuple[str, str]]  # label, value


# ---- Recording -----------------------------------------------------------------------------------
def current_environment() -> dict[str, Any]:
    """The commit, date, versions and hardware of this very process."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _output("git", "-C", str(ROOT), "rev-parse", "HEAD"),
        "uncommitted_changes": bool(
            _output("git", "-C", str(ROOT), "status", "--porcelain", "--untracked-files=no")
        ),
        "python": platform.python_version(),
        "packages": _versions(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": _memory_gb(),
        "accelerators": _accelerators(),
    }


def _output(*command: str) -> str | None:
    """What a program prints; None where it is absent or fails."""
    if shutil.which(command[0]) is None:
        return None
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _processor() -> str:
    """The processor's model name; Linux tells it in /proc, elsewhere Python knows the kind."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.processor() or platform.machine()


def _memory_gb() -> float | None:
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None
    return round(size / 2**30, 1)


def _accelerators() -> list[str]:
    """Names of the accelerators: asked of the driver's program, since importing torch takes seconds."""
    names = _output("nvidia-smi", "--query-gpu=name", "--format=csv,noheader")
    return names.splitlines() if names else []


# ---- Reading -------------------------------------------------------------------------------------
def read_environment(results: Path) -> dict[str, Any] | None:
    """What was recorded of a run; None where nothing was."""
    path = results / FILE
    return read_json(path) if path.is_file() else None


def facts(results: Path) -> Facts:
    """What was recorded of a run, as labels and values; empty where nothing was."""
    recorded = read_environment(results)
    if recorded is None:
        return []

    found = recorded["packages"]
    packages = ", ".join(f"{name} {found[name]}" for name in PACKAGES if name in found)
    return [
        ("Evaluated", recorded["date"].replace("T", " ").replace("+00:00", " UTC")),
        ("Commit", commit(recorded)),
        ("Versions", f"Python {recorded['python']}, {packages}"),
        ("Hardware", _hardware(recorded)),
    ]


def commit(recorded: dict[str, Any]) -> str:
    """The commit, short, and whether the files differed from it."""
    name = recorded["commit"]
    if name is None:
        return "unknown (not a Git checkout)"
    changed = ", with uncommitted changes" if recorded["uncommitted_changes"] else ""
    return f"{name[:12]}{changed}"


def _hardware(recorded: dict[str, Any]) -> str:
    parts = [f"{recorded['cores']} cores of {recorded['processor']}"]
    if recorded["memory_gb"]:
        parts.append(f"{recorded['memory_gb']:g} GiB of memory")

    accelerators = recorded["accelerators"]
    kinds = [f"{accelerators.count(name)} × {name}" for name in sorted(set(accelerators))]
    parts.append(", ".join(kinds) or "no accelerator")
    return ", ".join([*parts, recorded["system"]])


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args(argv)
    write_json(args.out, current_environment())


if __name__ == "__main__":
    run_main(main)
