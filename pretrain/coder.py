"""Check an existing coder checkpoint and bring it into the run: the start of continued pretraining.

Reads   a model folder or Hub id (`sources.coder`).
Writes  OUT: a Hugging Face folder with weights, tokenizer (with our chat template where it has none),
        prompts.json, model card (base checkpoint, its licence), manifest.json.

    python -m pretrain.coder --source deepseek-ai/deepseek-coder-7b-base-v1.5 --out results/gpu/models/coder

Checked: it is a causal language model with all its weights, finite, and a tokenizer that has EOS.
Embeddings that are smaller than the tokenizer are enlarged, with rows like the average of the old ones; larger
ones, which many models pad to a round number, stay as they are. The paper starts from the
checkpoint before learning-rate decay, which is not public. Not done here: any training (the
built-in world's checkpoint is trained by mini.coder).
"""

import argparse
from pathlib import Path

from pipeline.errors import run_main
from pipeline.model.model_prompts import add_evaluation_option


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)

    # Loads torch, which --help and a wrong option do not wait for.
    from pretrain.existing_checkpoint import bring_in

    bring_in(args)


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--source", required=True, help="model folder or Hub id")
    parser.add_argument("--out", type=Path, required=True, help="model folder to write")
    parser.add_argument("--prompts", type=Path, help="JSON of the section `prompts`")
    add_evaluation_option(parser)
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_main(main)
