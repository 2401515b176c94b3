"""The work of `python -m pretrain.coder`: a checkpoint made elsewhere, checked and saved as a model folder."""

import argparse

import torch

from pipeline.config.prompts import Prompts
from pipeline.config.read import read_section
from pipeline.errors import UserError
from pipeline.model.card import Card, origin_of_checkpoint, write_card
from pipeline.model.load import load_model, load_tokenizer, save_model
from pipeline.model.model_prompts import (
    ModelPrompts,
    carried_by,
    read_evaluation,
)
from pipeline.training.checkpoint import seed_everything


def bring_in(args: argparse.Namespace) -> None:
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
