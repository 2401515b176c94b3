"""Reinforcement learning: time of a GRPO step, speed of the sampler, memory of PPO and GRPO, accuracy of the methods.

    python -m benchmarks.rl                         step, sampler and memory, a few minutes
    python -m benchmarks.rl step --harness FILE     a GRPO step compared with TRL and a minimal loop (FILE: the harness)
    python -m benchmarks.rl sampler                 tokens a second compared with transformers' generate
    python -m benchmarks.rl memory                  peak memory and model states of PPO and GRPO
    python -m benchmarks.rl methods --results …     benchmarks/rl_methods.py: all methods on a finished results folder

With one thread processor time is measured, which other processes hardly disturb, with two threads wall time. Each
figure is a median. TRL is measured where it is installed (trl 1.16.0, accelerate 1.15.0); --python names the
interpreter that has it.
"""

import argparse
import os
import sys
from pathlib import Path

from benchmarks.rl_variants import METHODS
from pipeline.errors import run_main


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)

    # Loads torch, which --help and a wrong option do not wait for.
    from benchmarks.rl_speed import measure

    measure(args)


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command")

    step = commands.add_parser("step", help="a GRPO step compared with TRL and a minimal loop")
    step.add_argument(
        "--harness", type=Path, default=os.environ.get("GRPO_HARNESS"), help="the harness's file"
    )
    step.add_argument(
        "--python", default=sys.executable, help="an interpreter with trl and accelerate"
    )
    step.add_argument("--threads", type=int, nargs="+", default=[1, 2])

    sampler = commands.add_parser(
        "sampler", help="tokens a second compared with transformers' generate"
    )
    sampler.add_argument("--threads", type=int, default=1)

    commands.add_parser("memory", help="PPO compared with GRPO")
    add_arguments(commands.add_parser("methods", help="all methods on a finished results folder"))

    # Not for people: bench_memory starts it in a process of its own.
    one = commands.add_parser("memory-of", help=argparse.SUPPRESS)
    one.add_argument("method")
    return parser.parse_args(argv)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--results",
        type=Path,
        nargs="+",
        default=[Path("results/mini")],
        help="finished results folders, one a seed",
    )
    parser.add_argument("--reward", type=Path, help="settings of the process reward model (JSON)")
    parser.add_argument(
        "--seeds", type=int, nargs="+", help="seeds to run; default: one for each results folder"
    )
    parser.add_argument("--steps", type=int, help="instead of the preset's")
    parser.add_argument("--outputs", type=int, help="outputs a step, instead of the preset's")
    parser.add_argument("--learning-rate", type=float, help="instead of the preset's")
    parser.add_argument("--only", nargs="*", choices=list(METHODS))
    parser.add_argument(
        "--out", type=Path, default=Path("results/rl_methods"), help="folder of the finished runs"
    )


if __name__ == "__main__":
    run_main(main)
