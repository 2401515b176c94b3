"""Continue the pretraining of the coder checkpoint on the mixture: the base model.

Reads   the section `pretrain` of the configuration (JSON), the coder's model folder, the token
        folder written by pretrain.tokens with the same tokenizer, and held-out texts (JSON Lines of
        {"text"}).
Writes  OUT: a Hugging Face folder with tokenizer, prompts.json, model card, metrics.jsonl (loss,
        rate, speed, bits per byte of each held-out text) and manifest.json (the plan of the mixture; bits per
        byte before and after).

    python -m pretrain.train --config results/mini/config/pretrain.json --coder results/mini/models/coder \\
        --tokens results/mini/pretrain/tokens/manifest.json --heldout math=results/mini/world/heldout/math.jsonl \\
        --resume results/mini/resume/base --out results/mini/models/base

The order of the data is a pure function of seed and step; a run that was killed goes on from its
last checkpoint in --resume and ends with the same weights. `torchrun --nproc-per-node 8 -m
pretrain.train …` trains on eight processes with the same results up to the order of sums. Not done
here: tokenising.
"""

import argparse
from pathlib import Path

from pipeline.errors import run_main
from pipeline.model.model_prompts import add_evaluation_option
from pipeline.training.options import add_job_options


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)

    # Loads torch, which --help and a wrong option do not wait for.
    from pretrain.continued_training import continue_pretraining

    continue_pretraining(args)


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, required=True, help="JSON of the section `pretrain`")
    parser.add_argument("--coder", required=True, help="model folder to start from")
    parser.add_argument(
        "--tokens", type=Path, required=True, help="manifest.json of the token folder"
    )
    parser.add_argument(
        "--heldout",
        action="append",
        default=[],
        metavar="NAME=PATH",
        help="held-out text to measure",
    )
    add_evaluation_option(parser)
    add_job_options(parser)
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_main(main)
