"""The built-in world's coder checkpoint: a small Llama and its tokenizer, trained from scratch on
Python source.

Reads   the sections `coder` and `prompts` of the configuration (JSON), WORLD/code/train.jsonl, and
        for the tokenizer's vocabulary also WORLD/prose/train.jsonl and WORLD/solutions.jsonl.
Writes  OUT: a Hugging Face folder with tokenizer (chat template included), prompts.json, model
        card, metrics.jsonl, manifest.json.

    python -m mini.coder --config results/mini/config/coder.json --prompts results/mini/config/prompts.json \\
        --world results/mini/world --resume results/mini/resume/coder --out results/mini/models/coder

It takes the place of deepseek-coder-7b-base-v1.5: byte-level BPE that splits digits
singly, Llama, code first. The model sees code only; prose, problems and prompts are in the
tokenizer's sample so that they become few tokens. Not done here: checking a checkpoint that exists
already (pretrain.coder).
"""

import argparse
from pathlib import Path

from pipeline.errors import run_main
from pipeline.model.model_prompts import add_evaluation_option
from pipeline.training.options import add_job_options


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)

    # Loads torch, which --help and a wrong option do not wait for.
    from mini.coder_training import train_coder

    train_coder(args)


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, required=True, help="JSON of the section `coder`")
    parser.add_argument("--prompts", type=Path, required=True, help="JSON of the section `prompts`")
    parser.add_argument("--world", type=Path, required=True, help="folder of the built-in world")
    add_evaluation_option(parser)
    add_job_options(parser)
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_main(main)
