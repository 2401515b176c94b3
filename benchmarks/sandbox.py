"""Speed of the sandbox, and whether it contains hostile programs, in one table.

    python -m benchmarks.sandbox                        # about a minute
    python -m benchmarks.sandbox --in-a-row 10000       # the long run without a leak
    python -m benchmarks.sandbox --json figures.json

Measures, with one worker unless it says otherwise:

speed      small programs, and programs with sympy or numpy, a second; compared with a fresh `python -c` for each; the
           small ones are like those for school problems
hostile    programs that must be refused, bounded, or leave no trace for the next one; as the calling user and, when
           called by root, as an ordinary user too
in a row   what a long run leaves behind
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from eval.sandbox import Sandbox
from tests.support.hostile_programs import BOUNDED, REFUSED, TRACES, failure, host, not_fresh

SMALL = [
    f"def solution():\n    pens, price = {i}, {i % 7 + 2}\n    total = pens * price\n    change = 1000 - total\n"
    "    return change / 2 if change % 2 else change // 2\n\nprint(solution())\n"
    for i in range(50)
]
SYMPY = [
    (
        f"from sympy import symbols, Eq, solve\nx = symbols('x')\nprint(solve(Eq(3*x + {i}, 50), x)[0])",
        f"from sympy import Rational, sqrt, simplify\nprint(simplify(Rational({i}, 7) + Rational(1, 3)), sqrt(72))",
        f"from sympy import symbols, solve\nx = symbols('x')\nprint(max(solve(x**2 - {i + 3}*x + {i + 2}, x)))",
        f"import numpy as np\na = np.arange({i + 5})\nprint(a.sum(), a.mean())",
    )[i % 4]
    for i in range(50)
]
NOBODY = 65534
HOSTILE_ALONE = "import json; from benchmarks.sandbox import hostile; print(json.dumps(hostile()))"

Figures = dict[str, Any]


def rate(
    run: Callable[[list[str]], object], programs: list[str], seconds: float, rounds: int = 3
) -> float:
    """Programs a second of wall time, the best of `rounds`."""
    run(programs[:2])  # warm up

    best = 0.0
    for _ in range(rounds):
        start, done = time.perf_counter(), 0
        while (passed := time.perf_counter() - start) < seconds / rounds:
            run(programs)
            done += len(programs)
        best = max(best, done / passed)
    return best


def fresh(programs: list[str]) -> None:
    """Each program in a new interpreter."""
    for program in programs:
        subprocess.run([sys.executable, "-c", program], stdout=subprocess.DEVNULL, check=True)


def boxed(box: Sandbox) -> Callable[[list[str]], None]:
    """All programs in the sandbox; each must succeed."""

    def run(programs: list[str]) -> None:
        for execution in box.run_many(programs):
            assert execution.status == "ok" and execution.stdout, execution

    return run


def speeds(seconds: float) -> dict[str, float]:
    """Programs a second of wall time; nothing else should run on the machine meanwhile."""
    figures = {
        "small, python -c": rate(fresh, SMALL[:10], seconds, 1),
        "sympy or numpy, python -c": rate(fresh, SYMPY[:4], seconds, 1),
    }
    with Sandbox() as box:
        figures["small, one worker"] = rate(boxed(box), SMALL, seconds)
        figures["sympy or numpy, one worker"] = rate(boxed(box), SYMPY, seconds)
    cores = len(os.sched_getaffinity(0))
    with Sandbox(workers=cores) as box:
        figures[f"small, {cores} workers"] = rate(boxed(box), SMALL * 4, seconds)
        figures[f"sympy or numpy, {cores} workers"] = rate(boxed(box), SYMPY * 4, seconds)
    return figures


def processor_times(count: int) -> dict[str, float]:
    """Milliseconds of processor time that a program costs, in this process and its children.

    A busy machine disturbs these less than programs a second.
    """
    # Starting the sandbox is subtracted: it is paid once, whatever the number of programs.
    small = _spent_boxed(SMALL, count) - _spent_boxed(SMALL, 0)
    sympy = _spent_boxed(SYMPY, count) - _spent_boxed(SYMPY, 0)
    return {
        "small, python -c": 1000 * _spent(lambda: fresh(SMALL[:20])) / 20,
        "sympy or numpy, python -c": 1000 * _spent(lambda: fresh(SYMPY[:4])) / 4,
        "small, sandbox": 1000 * small / count,
        "sympy or numpy, sandbox": 1000 * sympy / count,
    }


def _spent_boxed(programs: list[str], count: int) -> float:
    def run() -> None:
        with Sandbox() as box:
            boxed(box)(programs[:4])
            boxed(box)([programs[i % len(programs)] for i in range(count)])

    return _spent(run)


def _spent(run: Callable[[], object]) -> float:
    def now() -> float:
        kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, kinds))

    start = now()
    run()
    return now() - start


def hostile() -> Figures:
    """How many hostile programs were contained at this user's isolation, and which were not."""
    failed: list[str] = []
    with (
        tempfile.TemporaryDirectory() as name,
        host(Path(name)) as facts,
        Sandbox(timeout=1.0, memory_mb=256) as box,
    ):
        for title, program in REFUSED.items():
            found = failure(box, facts, program)
            if found:
                failed.append(f"{title}: {found}")

        for title, program in BOUNDED.items():
            run = box.run(program)
            if run.seconds > 2 or not_fresh(box):
                failed.append(f"{title}: {run}")

        # The second program looks for what the first has left, and says "no" where there is nothing.
        for title, (first, second) in TRACES.items():
            box.run(first)
            run = box.run(second, timeout=5)
            if run.stdout != "no\n":
                failed.append(f"{title}: {run}")

        level = box.level

    programs = len(REFUSED) + len(BOUNDED) + len(TRACES)
    return {"user": os.getuid(), "level": level, "programs": programs, "failed": failed}


def hostile_as_user() -> Figures | None:
    """The suite as user nobody, in an interpreter that this user can run. None where there is none."""
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    packages = [path for path in sys.path if path.endswith("-packages")]
    for python in (sys.executable, shutil.which(version, path="/usr/local/bin:/usr/bin")):
        if python is None or not _may_run(python):
            continue

        search = os.pathsep.join([os.getcwd(), *packages])
        done = subprocess.run(
            [python, "-c", HOSTILE_ALONE],
            env={"PYTHONPATH": search, "PATH": os.environ["PATH"]},
            user=NOBODY,
            group=NOBODY,
            extra_groups=[],
            capture_output=True,
            text=True,
        )
        if done.returncode == 0:
            return json.loads(done.stdout)
    return None


def _may_run(python: str) -> bool:
    """Whether user nobody can start this interpreter."""
    try:
        subprocess.run([python, "-c", ""], user=NOBODY, group=NOBODY, extra_groups=[], check=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def in_a_row(count: int) -> Figures:
    """Run `count` programs that end in different ways; returns what is left that was not there before."""
    kinds = [
        "print(1)",
        "1/0",
        "open('f', 'w').write('x')",
        "import os; os.abort()",
        "x = bytearray(10**10)",
    ]
    with Sandbox(timeout=5) as box:
        box.run_many(kinds)

        before = _held()
        start = time.perf_counter()
        for number in range(0, count, 500):
            box.run_many([kinds[i % len(kinds)] for i in range(number, min(number + 500, count))])
        seconds = time.perf_counter() - start
        after = _held()

        inside = len(box.run("import os\nprint(os.listdir('.'))").stdout) - len("[]\n")
        descriptor = box.run("import os\nprint(os.dup(0))").stdout.strip()

    left = {name: after[name] - before[name] for name in before}
    return {
        "programs": count,
        "rate": count / seconds,
        **left,
        "files inside": inside,
        "first free descriptor": descriptor,
    }


def _held() -> dict[str, int]:
    """How many processes descend from this one, its open descriptors, and the sandbox's temporary files."""
    ours = {os.getpid()}
    for _ in range(4):  # supervisor, its first process, programs
        ours |= {int(p) for p in os.listdir("/proc") if p.isdigit() and _parent(p) in ours}
    return {
        "processes": len(ours),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "temporary files": sum(
            name.startswith("sandbox-") for name in os.listdir(tempfile.gettempdir())
        ),
    }


def _parent(pid: str) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    except OSError:
        return -1


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=4.0, help="for each rate (4)")
    parser.add_argument(
        "--in-a-row", type=int, default=1000, metavar="N", help="programs of the leak check (1000)"
    )
    parser.add_argument("--json", type=Path, help="write the figures here too")
    args = parser.parse_args(argv)

    figures: Figures = {
        "speeds": speeds(args.seconds),
        "processor": processor_times(200),
        "in a row": in_a_row(args.in_a_row),
        "hostile": [hostile()],
    }
    if os.getuid() == 0:
        figures["hostile"].append(hostile_as_user())

    show(figures)
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def show(figures: Figures) -> None:
    for name, value in figures["speeds"].items():
        print(f"{name:28}{value:7.1f} programs/s")
    for name, value in figures["processor"].items():
        print(f"{name:28}{value:7.2f} ms of processor time a program")

    for suite in figures["hostile"]:
        if suite is None:
            print("hostile suite as an ordinary user: not run, no interpreter that nobody can run")
            continue
        contained = suite["programs"] - len(suite["failed"])
        print(
            f"hostile, user {suite['user']}: {contained} of {suite['programs']} contained, {suite['level']}"
        )
        for line in suite["failed"]:
            print(f"  {line}")

    cells = []
    for name, value in figures["in a row"].items():
        cells.append(f"{name} {value:.0f}" if isinstance(value, float) else f"{name} {value}")
    print(f"in a row: {', '.join(cells)}")


if __name__ == "__main__":
    main()
