"""The work of `python -m sft.train`: fine-tune a base model on encoded examples, measure it on validation examples."""

import argparse
from collections.abc import Callable

import pyarrow.parquet as pq
import torch
from transformers import PreTrainedModel

from pipeline.config.read import read_section
from pipeline.config.sft import SFT
from pipeline.errors import UserError
from pipeline.forward.layout import row_log_probs
from pipeline.model import distributed
from pipeline.model.adapters import add_adapters, parameter_count
from pipeline.model.card import Card, origin_of, write_card
from pipeline.model.load import load_model, load_tokenizer
from pipeline.model.model_prompts import (
    ModelPrompts,
    carried_by,
    read_evaluation,
)
from pipeline.training.job import TrainingJob
from pipeline.training.prepare import prepare
from pipeline.training.step import weighted_nll
from sft.batches import Examples, plan_batches, read_about, read_examples

DESCRIPTION = (
    "Fine-tuned on step-by-step, program and tool-integrated solutions (DeepSeekMath, section 3)."
)
"""Of the model card."""


@distributed.session()
def fine_tune(args: argparse.Namespace) -> None:
    settings = read_section(args.config, SFT)
    optimisation = settings.optimisation
    job = TrainingJob(
        "sft.train",
        settings,
        inputs={"base": args.base, "examples": args.examples},
        out=args.out,
        resume=args.resume,
        fresh=args.fresh,
        keep=optimisation.keep_checkpoints,
    )

    tokenizer = load_tokenizer(args.base)
    model = load_model(args.base, optimisation.attention, distribution=optimisation.distribution)
    training, validation = read_examples(args.examples)
    check_fit(model, training, args)
    plan, epochs = plan_batches(
        training.lengths,
        context=settings.context,
        batch_sequences=settings.batch_sequences,
        steps=settings.steps,
        seed=settings.seed,
    )
    drawn = sum(map(len, plan))
    print(
        f"sft: {len(training):,} examples, {drawn:,} drawn in {settings.steps} steps, {epochs:.2f} epochs"
    )

    add_adapters(model, optimisation.lora)
    prepare(model, optimisation)
    history = job.fit(
        model,
        lambda step: training.rows(plan[step]),
        weighted_nll,
        name="sft",
        steps=settings.steps,
        optimisation=optimisation,
        evaluate=validation_loss(model, validation, settings) if len(validation) else None,
        evaluate_every=settings.evaluate_every,
    )

    about = read_about(args.examples)
    asking = ModelPrompts.of(
        "chat", carried_by(args.base), about.prompts, read_evaluation(args.evaluation)
    )
    origin = origin_of(args.base)
    results = history.results
    card = Card(
        title="Instruct model",
        description=DESCRIPTION,
        origin=origin.with_languages(about.languages),
        trained_on=about.sources,
        asking=asking,
        parameters=parameter_count(model),
        context=model.config.max_position_embeddings,
        settings=settings.model_dump(mode="json"),
        metrics=results,
    )
    job.save(
        model,
        tokenizer,
        card=write_card(card),
        asking=asking,
        counts={
            "examples": len(training),
            "validation": len(validation),
            "epochs": round(epochs, 4),
        },
        metrics=results,
        lines=history.lines,
    )


def check_fit(model: PreTrainedModel, training: Examples, args: argparse.Namespace) -> None:
    """The examples must fit into the model's context and hold ids of its vocabulary."""
    longest = int(training.lengths.max())
    limit = model.config.max_position_embeddings
    if longest > limit:
        raise UserError(
            f"{args.examples}: an example has {longest} tokens, {args.base} is made for {limit}; set "
            f"sft.context to {limit} at most"
        )

    ids = pq.read_table(args.examples, columns=["ids"])["ids"].combine_chunks().flatten()
    largest = int(ids.to_numpy().max())
    embeddings = model.get_input_embeddings().weight
    assert isinstance(embeddings, torch.Tensor)
    if largest >= embeddings.shape[0]:
        raise UserError(f"{args.examples}: token {largest} is not in the vocabulary of {args.base}")


def validation_loss(
    model: PreTrainedModel, examples: Examples, settings: SFT
) -> Callable[[], dict[str, float]]:
    """A function that measures the mean negative log-likelihood of a scored token, by format."""
    optimisation = settings.optimisation
    by_format: dict[str, list[int]] = {}
    for i, name in enumerate(examples.formats):
        by_format.setdefault(name, []).append(i)
    rows_by_format = {name: examples.rows(indices) for name, indices in sorted(by_format.items())}

    def measure() -> dict[str, float]:
        losses = {}
        for name, rows in rows_by_format.items():
            log_probs = row_log_probs(
                model,
                distributed.shard_for_rank(rows),
                optimisation.micro_batch_tokens,
                precision=optimisation.precision,
            )
            mine = sum(float(row.sum(dtype="float64")) for row in log_probs)
            total = distributed.all_reduce_sum({name: mine})[name]
            tokens = sum(int(row.loss_mask.sum()) for row in rows)
            losses[f"validation_loss.{name}"] = round(-total / tokens, 5)
        return losses

    return measure
