"""Speed of a training step compared with transformers' Trainer, and what continued pretraining gains.

    python -m benchmarks.training                       # speed, on a finished run in results/mini: three minutes
    python -m benchmarks.training --part gain           # figures of that run: bits per byte, accuracy
    python -m benchmarks.training --part start          # fine-tunes from base and from coder: ten minutes
    python -m benchmarks.training --part start --results results/mini results/seed1 results/seed2
    python -m benchmarks.training --json figures.json
    python -m benchmarks.training --results results/real --warm-up 2 --steps 6      # a model of 135M parameters

speed   The same model, examples, tokens a step, optimiser and threads. The Trainer draws its batches and pads each to
        its longest example; ours packs the examples of a step into even micro-batches. Tokens are those of examples,
        without padding; the first steps of each are not counted. With --threads 1 (the default) processor time is
        measured, which other processes hardly disturb, with more wall time. Needs accelerate (pip install accelerate),
        which the Trainer requires and nothing else here does.
gain    Base compared with coder: bits per byte of each held-out text, accuracy with chain of thought and with programs.
start   Instruct models trained from base and from coder for equal steps: greedy accuracy, and the 95 % interval of the
        difference (paired by problem). With several finished runs (other seeds) for each, and over all problems.
"""

import argparse
from pathlib import Path

from pipeline.errors import run_main


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)

    # Loads torch, which --help and a wrong option do not wait for.
    from benchmarks.training_speed import measure

    measure(args)


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--results", type=Path, nargs="+", default=[Path("results/mini")], help="finished run(s)"
    )
    parser.add_argument("--part", choices=("speed", "gain", "start"), default="speed")
    parser.add_argument("--steps", type=int, default=150, help="timed steps (speed)")
    parser.add_argument("--warm-up", type=int, default=20, help="steps before them (speed)")
    parser.add_argument(
        "--training-steps", type=int, default=1000, help="steps of each fine-tuning (start)"
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the figures there too")
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_main(main)
