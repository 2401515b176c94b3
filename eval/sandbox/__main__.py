"""Run Python programs in isolation: files in, JSON Lines out, in the same order.

    python -m eval.sandbox --timeout 5 --memory-mb 512 attempt1.py attempt2.py

Reads the files (`-` is stdin). Writes one object a program: `file`, `status` (ok, error, timeout, memory, output,
killed), `stdout`, `stderr`, `seconds`. The isolation that holds is printed on stderr. A program has no network, no
files but an empty folder of its own, no environment and no other processes; it may use the installed packages.
"""

import argparse
import json
import os
import sys
from dataclasses import asdict

from eval.sandbox.pool import Sandbox
from pipeline.errors import UserError, run_main


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m eval.sandbox",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", nargs="+", metavar="FILE.py", help='programs; "-" is stdin')
    parser.add_argument(
        "--timeout", type=float, default=10.0, help="wall seconds of each program (10)"
    )
    parser.add_argument(
        "--memory-mb", type=int, default=1024, help="address space of each program (1024)"
    )
    parser.add_argument(
        "--workers", type=int, default=0, help="programs at the same time (number of cores)"
    )
    parser.add_argument(
        "--allow-weak", action="store_true", help="run even where isolation is too weak"
    )
    arguments = parser.parse_args(argv)
    for name, lowest in (("timeout", 0.01), ("memory_mb", 16), ("workers", 0)):
        if not lowest <= getattr(arguments, name) < 10**6:
            raise UserError(
                f"--{name.replace('_', '-')} {getattr(arguments, name)}: allowed is {lowest} or more"
            )
    programs = [_read(path) for path in arguments.files]
    workers = min(arguments.workers or os.cpu_count() or 1, len(programs))
    options = {"workers": workers, "allow_weak": arguments.allow_weak}
    with Sandbox(arguments.timeout, arguments.memory_mb, **options) as box:
        print(f"sandbox: {box.level}", file=sys.stderr)
        for path, run in zip(arguments.files, box.run_many(programs), strict=True):
            result = {"file": path} | asdict(run)
            result["seconds"] = round(result["seconds"], 4)
            sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")


def _read(path: str) -> bytes:
    if path == "-":
        return sys.stdin.buffer.read()
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise UserError(f"{path}: {(error.strerror or 'unreadable').lower()}") from None


if __name__ == "__main__":
    run_main(main)
