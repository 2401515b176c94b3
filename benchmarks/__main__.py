"""Run all benchmarks of this project, or some, one after another.

    make bench                            everything (an hour on two cores)
    python -m benchmarks grading rl       only benchmarks/grading.py and benchmarks/rl.py

Each is also a program of its own, `python -m benchmarks.<name>`, whose docstring says what it measures and what it
compares with. A library to compare with that is not installed (TRL, math-verify, trafilatura) is named and left out.
Figures go to docs/measurements/, together with the load of the machine.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
NAMES = ("corpus", "faults", "grading", "model_folders", "rl", "sandbox", "training")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; default: all"
    )
    args = parser.parse_args(argv)

    wanted = args.names or NAMES
    unknown = set(wanted) - set(NAMES)
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")

    failed = []
    for name in wanted:
        # A busy machine explains slow figures, so the load is printed with them.
        load = os.getloadavg()[0]
        cores = os.cpu_count()
        print(f"\n==== {name} (load before it: {load:.1f} on {cores} cores) ====", flush=True)

        done = subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], cwd=HERE.parent)
        if done.returncode:
            failed.append(name)

    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
