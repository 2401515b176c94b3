"""Faults thrown at every command of a smoke run: kills, a full disk, damaged inputs and checkpoints.

    python -m benchmarks.faults             makes a smoke run, then 500 faults (an hour or two)

None may end in silence with other bytes, nor with a traceback; tests/faults/harness.py says what is done and has
options for a part of it.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FAULTS = 500


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.parse_args(argv)

    with tempfile.TemporaryDirectory() as scratch:
        run, work = Path(scratch) / "run", Path(scratch) / "work"
        run.mkdir()
        smoke = [
            "snakemake",
            "all",
            "--snakefile",
            str(ROOT / "Snakefile"),
            "--directory",
            str(run),
        ]
        smoke += ["--cores", "all", "--config", "preset=smoke"]
        subprocess.run([sys.executable, "-m", *smoke], cwd=ROOT, check=True, capture_output=True)

        faults = ["tests.faults.harness", "--results", str(run), "--work", str(work)]
        faults += ["--faults", str(FAULTS)]
        return subprocess.run([sys.executable, "-m", *faults], cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
