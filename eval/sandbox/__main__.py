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
    args = parse_args(argv)
    programs = [_read(path) for path in args.files]
    workers = min(args.workers or os.cpu_count() or 1, len(programs))

    with Sandbox(args.timeout, args.memory_mb, workers, allow_weak=args.allow_weak) as box:
        print(f"sandbox: {box.level}", file=sys.stderr)
        for path, run in zip(args.files, box.run_many(programs), strict=True):
            result = {"file": path} | asdict(run)
            result["seconds"] = round(run.seconds, 4)
            sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")


def parse_args(argv: list[str] | None) -> argparse.Namespace:
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
    args = parser.parse_args(argv)

    for name, lowest in (("timeout", 0.01), ("memory_mb", 16), ("workers", 0)):
        value = getattr(args, name)
        if not lowest <= value < 10**6:
            raise UserError(f"--{name.replace('_', '-')} {value}: allowed is {lowest} or more")
    return args


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
