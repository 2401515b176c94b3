"""Command-line options of every trainer. They load nothing heavy, so that a program parses before it loads torch."""

import argparse
from pathlib import Path


def add_job_options(parser: argparse.ArgumentParser) -> None:
    """The options of every trainer: --resume, --fresh, --out."""
    parser.add_argument("--resume", type=Path, help="folder for checkpoints; deleted when done")
    parser.add_argument(
        "--fresh",
        action="store_true",
        help="start anew; what --resume holds is moved aside, not deleted",
    )
    parser.add_argument("--out", type=Path, required=True, help="model folder to write")
