"""Fine-tune the base model on worked solutions: the instruct model.

Reads   the section `sft` of the configuration (JSON), the base model's folder, the examples written
        by sft.data with the same tokenizer.
Writes  OUT: a Hugging Face folder with tokenizer, prompts.json, model card, metrics.jsonl and
        manifest.json (epochs; loss a token on the validation examples before and after, by format).

    python -m sft.train --config results/mini/config/sft.json --base results/mini/models/base \\
        --examples results/mini/sft/examples.parquet --resume results/mini/resume/sft --out results/mini/models/sft

Loss falls on what the model writes, never on prompts or tool output. Examples that share a context
do not attend to each other. A run that was killed goes on from its last checkpoint in --resume and
ends with the same weights on a CPU. `torchrun --nproc-per-node 8 -m sft.train …` trains on eight
processes. Not done here: accuracy (eval.run).
"""

import argparse
from pathlib import Path

from pipeline.errors import run_main
from pipeline.model.model_prompts import add_evaluation_option
from pipeline.training.options import add_job_options


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)

    # Loads torch, which --help and a wrong option do not wait for.
    from sft.fine_tuning import fine_tune

    fine_tune(args)


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, required=True, help="JSON of the section `sft`")
    parser.add_argument("--base", required=True, help="model folder to start from")
    parser.add_argument(
        "--examples", type=Path, required=True, help="Parquet file written by sft.data"
    )
    add_evaluation_option(parser)
    add_job_options(parser)
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_main(main)
