"""Continue the pretraining of the coder checkpoint on the mixture: the base model.

Reads   the section `pretrain` of the configuration (JSON), the coder's model folder, the token folder written by
        pretrain.tokens with the same tokenizer, and held-out texts (JSON Lines of {"text"}).
Writes  OUT: a Hugging Face folder with tokenizer, model card, metrics.jsonl (loss, rate, speed, bits per byte of each
        held-out text) and manifest.json (the plan of the mixture; bits per byte before and after).

    python -m pretrain.train --config results/mini/config/pretrain.json --coder results/mini/models/coder \\
        --tokens results/mini/pretrain/tokens/manifest.json --heldout math=results/mini/world/heldout/math.jsonl \\
        --resume results/mini/resume/base --out results/mini/models/base

The order of the data is a pure function of seed and step; a run that was killed goes on from its last checkpoint in
--resume and ends with the same weights. `torchrun --nproc-per-node 8 -m pretrain.train …` trains on eight processes
with the same results up to the order of sums. Not done here: tokenising.
"""

import argparse
import tempfile
from pathlib import Path

from pipeline.artifacts.write import check_replaceable, file_digest
from pipeline.config.load import read_section
from pipeline.config.pretrain import Pretrain
from pipeline.errors import UserError, run_main
from pipeline.forward.batches import Row, context_rows
from pipeline.model import distributed
from pipeline.model.load import load_model, load_tokenizer, model_card, save_model
from pipeline.training.checkpoint import Checkpoints, fingerprint, seed_everything
from pipeline.training.loop import plan_of, train
from pipeline.training.step import adamw, prepare, weighted_nll
from pretrain.held_out import HeldOutText, read_held_out
from pretrain.mixture import Plan, plan_mixture
from pretrain.token_source import TokenSource, open_sources


@distributed.session()
def main(argv: list[str] | None = None) -> None:
    arguments = _parse(argv)
    settings = read_section(arguments.config, Pretrain)
    check_replaceable(arguments.out)
    seed_everything(settings.seed)
    tokenizer = load_tokenizer(arguments.coder)
    sources, plan, plan_table = prepare_mixture(arguments.tokens, arguments.coder, settings)
    held_out = {
        name: read_held_out(path, tokenizer, settings.context, settings.heldout_bytes)
        for name, path in named_paths(arguments.heldout).items()
    }
    optimisation = settings.optimisation
    model = prepare(load_model(arguments.coder, optimisation.attention), optimisation)
    optimiser = adamw(model, betas=optimisation.betas, weight_decay=optimisation.weight_decay)

    def rows_of_step(step: int) -> list[Row]:
        contexts = [sources[name].window(index) for name, index in plan.of_step(step)]
        return context_rows(contexts, tokenizer.bos_token_id, settings.attend_across_documents)

    def evaluate() -> dict[str, float]:
        return measure(model, held_out, settings)

    mark = fingerprint(
        settings.model_dump(mode="json"),
        file_digest(arguments.tokens),
        file_digest(arguments.coder),
    )
    checkpoints = Checkpoints(arguments.resume, mark, optimisation.keep_checkpoints)
    with tempfile.TemporaryDirectory() as scratch:
        metrics_file = Path(scratch) / "metrics.jsonl"
        results = train(
            model,
            optimiser,
            rows_of_step,
            weighted_nll,
            plan_of("base", plan.steps, optimisation, settings.evaluate_every),
            checkpoints,
            metrics_file,
            evaluate,
        )
        metrics = {"bits_per_byte": compare(results), "best": results.get("best", {})}
        counts = {"mixture": plan_table, "steps": plan.steps, "parameters": model.num_parameters()}
        _save(
            arguments,
            model,
            tokenizer,
            settings.model_dump(mode="json"),
            counts,
            metrics,
            metrics_file,
        )
    checkpoints.delete()
    print_comparison(metrics["bits_per_byte"])


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
    if any("=" not in pair for pair in pairs):
        raise UserError(f"--heldout: expected NAME=PATH, got {pairs}")
    return dict(pair.split("=", 1) for pair in pairs)


def measure(model, held_out: dict[str, HeldOutText], settings: Pretrain) -> dict[str, float]:
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


def _save(
    arguments, model, tokenizer, settings: dict, counts: dict, metrics: dict, metrics_file: Path
) -> None:
    description = (
        "A coder checkpoint whose pretraining was continued on a mined mathematics corpus and other sources "
        "(DeepSeekMath, section 2)."
    )
    save_model(
        arguments.out,
        model,
        tokenizer,
        card=model_card("Base model", description, settings, metrics),
        stage="pretrain.train",
        settings=settings,
        inputs=[arguments.coder, arguments.tokens],
        counts=counts,
        metrics=metrics,
        metrics_file=metrics_file,
    )


def _parse(argv: list[str] | None) -> argparse.Namespace:
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
    parser.add_argument("--resume", type=Path, help="folder for checkpoints; deleted when done")
    parser.add_argument("--out", type=Path, required=True, help="model folder to write")
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_main(main)
