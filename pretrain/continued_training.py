"""The work of `python -m pretrain.train`: a checkpoint trained on the mixture, held-out texts measured before and
after."""

import argparse
from pathlib import Path

from transformers import PreTrainedModel

from pipeline.artifacts.write import file_digest
from pipeline.config.pretrain import Pretrain
from pipeline.config.read import read_section
from pipeline.errors import UserError
from pipeline.forward.batches import Row, context_rows
from pipeline.model import distributed
from pipeline.model.card import Card, hub_id, origin_of, write_card
from pipeline.model.load import load_model, load_tokenizer
from pipeline.model.model_prompts import (
    ModelPrompts,
    carried_by,
    read_evaluation,
)
from pipeline.training.job import TrainingJob
from pipeline.training.prepare import prepare
from pipeline.training.step import weighted_nll
from pretrain.held_out import HeldOutText, document_start, read_held_out
from pretrain.mixture import Plan, plan_mixture
from pretrain.token_source import TokenSource, open_sources

DESCRIPTION = (
    "A coder checkpoint whose pretraining was continued on a mined mathematics corpus and other sources "
    "(DeepSeekMath, section 2)."
)
"""Of the model card."""


@distributed.session()
def continue_pretraining(args: argparse.Namespace) -> None:
    settings = read_section(args.config, Pretrain)
    optimisation = settings.optimisation
    heldout_files = named_paths(args.heldout)
    job = TrainingJob(
        "pretrain.train",
        settings,
        inputs={"coder": args.coder, "tokens": args.tokens},
        out=args.out,
        resume=args.resume,
        fresh=args.fresh,
        # Before and after must be measured on the same texts.
        compared={"heldout": {name: file_digest(path) for name, path in heldout_files.items()}},
        keep=optimisation.keep_checkpoints,
    )

    tokenizer = load_tokenizer(args.coder)
    sources, plan, plan_table = prepare_mixture(args.tokens, args.coder, settings)
    held_out = {
        name: read_held_out(path, tokenizer, settings.context, settings.heldout_bytes)
        for name, path in heldout_files.items()
    }
    model = load_model(args.coder, optimisation.attention, distribution=optimisation.distribution)
    prepare(model, optimisation)

    def rows_of_step(step: int) -> list[Row]:
        contexts = [sources[name].window(index) for name, index in plan.of_step(step)]
        return context_rows(contexts, document_start(tokenizer), settings.attend_across_documents)

    history = job.fit(
        model,
        rows_of_step,
        weighted_nll,
        name="base",
        steps=plan.steps,
        optimisation=optimisation,
        evaluate=lambda: measure(model, held_out, settings),
        evaluate_every=settings.evaluate_every,
    )

    comparison = compare(history.results)
    metrics = {"bits_per_byte": comparison, "best": history.results.get("best", {})}
    evaluation = read_evaluation(args.evaluation)
    asking = ModelPrompts.of("few-shot", carried_by(args.coder), None, evaluation)
    card = Card(
        title="Base model",
        description=DESCRIPTION,
        origin=origin_of(args.coder),
        trained_on=[hub_id(source.path) or name for name, source in settings.mixture.items()],
        asking=asking,
        parameters=model.num_parameters(),
        context=model.config.max_position_embeddings,
        settings=settings.model_dump(mode="json"),
        metrics=metrics,
    )
    job.save(
        model,
        tokenizer,
        card=write_card(card),
        asking=asking,
        counts={"mixture": plan_table, "steps": plan.steps, "parameters": model.num_parameters()},
        metrics=metrics,
        lines=history.lines,
    )
    print_comparison(comparison)


def prepare_mixture(
    manifest: Path, coder: str, settings: Pretrain
) -> tuple[dict[str, TokenSource], Plan, dict[str, dict]]:
    """Open the token files and plan the run; prints the plan, one line a source."""
    sources, counts = open_sources(manifest.parent, settings.context)
    tokenizer_file = Path(coder) / "tokenizer.json"
    if not tokenizer_file.is_file() or file_digest(tokenizer_file) != counts["tokenizer"]:
        raise UserError(f"{manifest}: these tokens were not made with the tokenizer of {coder}")
    if set(sources) != set(settings.mixture):
        raise UserError(
            f"{manifest}: holds {', '.join(sources)}; the mixture asks for {', '.join(settings.mixture)}"
        )
    plan = plan_mixture(
        {name: source.weight for name, source in settings.mixture.items()},
        {name: sources[name].windows for name in settings.mixture},
        steps=settings.steps,
        contexts=settings.contexts,
        context=settings.context,
        seed=settings.seed,
    )
    table = plan.table()
    for name, row in table.items():
        print(
            f"mixture {name}: {row['tokens']:,} tokens ({100 * row['share']:.1f} %), {row['epochs']:.2f} epochs of "
            f"{counts['sources'][name]['tokens']:,}"
        )
    return sources, plan, table


def named_paths(pairs: list[str]) -> dict[str, str]:
    """`NAME=PATH` arguments as a mapping."""
    if any("=" not in pair for pair in pairs):
        raise UserError(f"--heldout: expected NAME=PATH, got {pairs}")
    return dict(pair.split("=", 1) for pair in pairs)


def measure(
    model: PreTrainedModel, held_out: dict[str, HeldOutText], settings: Pretrain
) -> dict[str, float]:
    """Bits per byte of each held-out text."""
    optimisation = settings.optimisation
    return {
        f"bits_per_byte.{name}": text.bits_per_byte(
            model, optimisation.micro_batch_tokens, optimisation.precision
        )
        for name, text in held_out.items()
    }


def compare(results: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """Per held-out text: bits per byte before and after, and the relative change."""
    before, after = results["before"], results["after"]
    return {
        key.removeprefix("bits_per_byte."): {
            "before": round(before[key], 4),
            "after": round(after[key], 4),
            "change": round(after[key] / before[key] - 1, 4),
        }
        for key in before
    }


def print_comparison(table: dict[str, dict[str, float]]) -> None:
    for name, row in table.items():
        print(
            f"bits per byte, {name}: {row['before']:.3f} -> {row['after']:.3f} ({100 * row['change']:+.1f} %)"
        )
