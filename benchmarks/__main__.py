"""All benchmarks of this project, one after another: what each measures and against what stands in its own docstring.

    make bench                            everything (an hour on two cores)
    python -m benchmarks grading rl      only benchmarks/grading.py and benchmarks/rl.py

Each is a program of its own, `python -m benchmarks.<name>`, with options of its own. A peer that is not installed
(TRL, math-verify, trafilatura) is named and left out. Figures belong into docs/measurements.md with the machine's load.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main(argv: list[str] | None = None) -> int:
    names = ["corpus", "grading", "rl", "sandbox", "training"]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(names)}; without: all"
    )
    wanted = parser.parse_args(argv).names or names
    if unknown := set(wanted) - set(names):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    failed = []
    for name in wanted:
        load = os.getloadavg()[0]
        print(
            f"\n==== {name} (load before it: {load:.1f} on {os.cpu_count()} cores) ====", flush=True
        )
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], cwd=HERE.parent).returncode:
            failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
