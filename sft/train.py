"""Fine-tune the base model on worked solutions: the instruct model.

Reads   the section `sft` of the configuration (JSON), the base model's folder, the examples written by sft.data with
        the same tokenizer.
Writes  OUT: a Hugging Face folder with tokenizer, model card, metrics.jsonl and manifest.json (epochs; loss a token
        on the validation examples before and after, by format).

    python -m sft.train --config results/mini/config/sft.json --base results/mini/models/base \\
        --examples results/mini/sft/examples.parquet --resume results/mini/resume/sft --out results/mini/models/sft

Loss falls on what the model writes, never on prompts or tool output. Examples that share a context do not attend to
each other. A run that was killed goes on from its last checkpoint in --resume and ends with the same weights on a
CPU. `torchrun --nproc-per-node 8 -m sft.train …` trains on eight processes. Not done here: accuracy (eval.run).
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
from transformers import PreTrainedModel

from pipeline.artifacts.resume import fingerprint
from pipeline.artifacts.write import check_replaceable, file_digest
from pipeline.config.load import read_section
from pipeline.config.sft import SFT
from pipeline.errors import UserError, run_main
from pipeline.forward.layout import row_log_probs
from pipeline.model import distributed
from pipeline.model.load import load_model, load_tokenizer, model_card, save_model
from pipeline.training.checkpoint import Checkpoints, seed_everything
from pipeline.training.loop import plan_of, train
from pipeline.training.step import adamw, prepare, weighted_nll
from sft.batches import Examples, plan_batches, read_examples


@distributed.session()
def main(argv: list[str] | None = None) -> None:
    arguments = _parse(argv)
    settings = read_section(arguments.config, SFT)
    check_replaceable(arguments.out)
    seed_everything(settings.seed)
    optimisation = settings.optimisation
    tokenizer = load_tokenizer(arguments.base)
    model = load_model(arguments.base, optimisation.attention)
    training, validation = read_examples(arguments.examples)
    check_fit(model, training, arguments)
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
    prepare(model, optimisation)
    optimiser = adamw(model, betas=optimisation.betas, weight_decay=optimisation.weight_decay)
    mark = fingerprint(
        settings.model_dump(mode="json"),
        file_digest(arguments.base),
        file_digest(arguments.examples),
    )
    checkpoints = Checkpoints(arguments.resume, mark, optimisation.keep_checkpoints)
    with tempfile.TemporaryDirectory() as scratch:
        metrics_file = Path(scratch) / "metrics.jsonl"
        results = train(
            model,
            optimiser,
            lambda step: training.rows(plan[step]),
            weighted_nll,
            plan_of("sft", settings.steps, optimisation, settings.evaluate_every),
            checkpoints,
            metrics_file,
            validation_loss(model, validation, settings) if len(validation) else None,
        )
        save_model(
            arguments.out,
            model,
            tokenizer,
            card=model_card(
                "Instruct model",
                "Fine-tuned on step-by-step, program and tool-integrated solutions (DeepSeekMath, section 3).",
                settings.model_dump(mode="json"),
                results,
            ),
            stage="sft.train",
            settings=settings.model_dump(mode="json"),
            inputs=[arguments.base, arguments.examples],
            counts={
                "examples": len(training),
                "validation": len(validation),
                "epochs": round(epochs, 4),
            },
            metrics=results,
            metrics_file=metrics_file,
        )
    checkpoints.delete()


def check_fit(model: PreTrainedModel, training: Examples, arguments: argparse.Namespace) -> None:
    """The examples must fit into the model's context and hold ids of its vocabulary."""
    longest, limit = int(training.lengths.max()), model.config.max_position_embeddings
    if longest > limit:
        raise UserError(
            f"{arguments.examples}: an example has {longest} tokens, {arguments.base} is made for {limit}; set "
            f"sft.context to {limit} at most"
        )
    largest = int(
        pq.read_table(arguments.examples, columns=["ids"])["ids"]
        .combine_chunks()
        .flatten()
        .to_numpy()
        .max()
    )
    if largest >= model.get_input_embeddings().weight.shape[0]:
        raise UserError(
            f"{arguments.examples}: token {largest} is not in the vocabulary of {arguments.base}"
        )


def validation_loss(
    model: PreTrainedModel, examples: Examples, settings: SFT
) -> Callable[[], dict[str, float]]:
    """A function that measures the mean negative log-likelihood of a scored token, by format."""
    by_format: dict[str, list[int]] = {}
    for i, name in enumerate(examples.formats):
        by_format.setdefault(name, []).append(i)
    rows = {name: examples.rows(indices) for name, indices in sorted(by_format.items())}

    def measure() -> dict[str, float]:
        optimisation = settings.optimisation
        losses = {}
        for name, group in rows.items():
            mine = distributed.share(group)
            tokens = optimisation.micro_batch_tokens
            values = row_log_probs(model, mine, tokens, precision=optimisation.precision)
            logprob = distributed.total({name: sum(float(v.sum(dtype="float64")) for v in values)})[
                name
            ]
            losses[f"validation_loss.{name}"] = round(
                -logprob / sum(int(row.scored.sum()) for row in group), 5
            )
        return losses

    return measure


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, required=True, help="JSON of the section `sft`")
    parser.add_argument("--base", required=True, help="model folder to start from")
    parser.add_argument(
        "--examples", type=Path, required=True, help="Parquet file written by sft.data"
    )
    parser.add_argument("--resume", type=Path, help="folder for checkpoints; deleted when done")
    parser.add_argument("--out", type=Path, required=True, help="model folder to write")
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_main(main)
