"""Try the user's own code of the RL settings on worked examples, before anything is trained with it.

Reads   the section rl as JSON (--config FILE); with --problems FILE the first problems of it are what
        rewards are tried on, else two that are made up.
Writes  nothing. The exit status is 2, with one line that begins with the setting and the name, where a name cannot be
        imported, where a function has another signature or returns another shape, or where a number is not finite.

    python -m rl.own_code.check --config results/mini/config/rl.json

Snakemake's first minute runs it where the settings name code of one's own, and so does rl.train.
"""

import argparse
from pathlib import Path

from pipeline.errors import run_main


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)

    # Loads torch, which --help and a wrong option do not wait for.
    from rl.own_code.trials import try_out

    try_out(args)


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, required=True, help="the section rl as JSON")
    parser.add_argument("--problems", type=Path, help="problems that rewards are tried on")
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_main(main)
