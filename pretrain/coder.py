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

import torch

from pipeline.config.prompts import Prompts
from pipeline.config.read import read_section
from pipeline.errors import UserError, run_main
from pipeline.model.card import Card, origin_of_checkpoint, write_card
from pipeline.model.load import load_model, load_tokenizer, save_model
from pipeline.model.model_prompts import (
    ModelPrompts,
    add_evaluation_option,
    carried_by,
    read_evaluation,
)
from pipeline.training.checkpoint import seed_everything


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    tokenizer = load_tokenizer(args.source)
    if not tokenizer.is_fast:
        raise UserError(f"{args.source}: the tokenizer has no fast form (tokenizer.json)")

    model = load_model(args.source)
    embeddings = model.get_input_embeddings().weight
    assert isinstance(embeddings, torch.Tensor)
    rows = embeddings.shape[0]
    if rows < len(tokenizer):
        # The new rows are drawn around the average of the old ones.
        seed_everything(0)
        model.resize_token_embeddings(len(tokenizer))

    # The DAG shows it worked examples, whatever it was taught before.
    prompts = read_section(args.prompts, Prompts) if args.prompts else None
    evaluation = read_evaluation(args.evaluation)
    asking = ModelPrompts.of("few-shot", carried_by(args.source), prompts, evaluation)

    settings = {"source": args.source}
    card = Card(
        title="Coder checkpoint",
        description="A checkpoint made elsewhere, checked; the start of continued pretraining.",
        origin=origin_of_checkpoint(args.source),
        asking=asking,
        parameters=model.num_parameters(),
        context=getattr(model.config, "max_position_embeddings", None),
        settings=settings,
    )
    save_model(
        args.out,
        model,
        tokenizer,
        card=write_card(card),
        asking=asking,
        stage="pretrain.coder",
        settings=settings,
        counts={
            "parameters": model.num_parameters(),
            "embeddings_before": rows,
            "vocabulary": len(tokenizer),
        },
    )


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
