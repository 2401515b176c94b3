"""Train a reward model: of whole solutions ("outcome") or of their steps ("process").

Reads   the base model (the reward model starts from it), the fine-tuned model (it writes the solutions and the
        rollouts that label their steps), training problems.
Writes  a Hugging Face folder (`AutoModelForTokenClassification`, one label: the logit that what stands before a token
        is right) with tokenizer, model card, metrics.jsonl, labels.jsonl (the labelled training solutions) and
        manifest.json, which holds accuracy, AUC and calibration on problems that were kept from training.

    python -m rl.reward_model --kind outcome --config results/mini/config/reward.json \
        --base results/mini/models/base --sft results/mini/models/sft \
        --problems results/mini/world/problems/train.jsonl --resume /tmp/reward --out my_reward

Labels and checkpoints are kept in --resume; a killed run goes on there and ends with the same weights.
`torchrun --nproc-per-node 8 -m rl.reward_model …` labels and trains on eight processes. Not done here: RL (rl.train),
and preference pairs: the paper's reward model learns from the rule's verdicts.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from pipeline.artifacts.code_digest import code_digest
from pipeline.artifacts.records import read_jsonl
from pipeline.artifacts.write import check_replaceable, file_digest, write_jsonl
from pipeline.config.load import read_section
from pipeline.config.rl import Reward
from pipeline.config.schedule import Schedule
from pipeline.config.world import Prompts
from pipeline.errors import UserError, run_main
from pipeline.forward.batches import Row
from pipeline.inference.sampler import Sampler
from pipeline.model import distributed
from pipeline.model.load import load_model, load_tokenizer, save_model
from pipeline.progress import Progress
from pipeline.training.checkpoint import Checkpoints, fingerprint, seed_everything
from pipeline.training.loop import Plan, train
from pipeline.training.step import Columns, adamw, share_out
from rl.questions import hold_out, load_questions
from rl.reward_model_metrics import judge
from rl.rollouts import Question
from rl.score_model import load_score_model, probabilities, row_scores, scored_row
from rl.step_labels import LabelledSolution, label_counts, label_outcomes, label_steps

CHUNK = 64  # problems labelled between two saves
METRICS = "metrics.jsonl"
LABELS = "labels.jsonl"
"""The labelled training solutions in a reward model's folder: iterative RL replays some of them."""


@distributed.session()
def main(argv: list[str] | None = None) -> None:
    args = _parse(argv)
    settings = read_section(args.config, Reward) if args.config else Reward()
    prompts = read_section(args.prompts, Prompts) if args.prompts else Prompts()
    check_replaceable(args.out)
    seed_everything(settings.seed)
    tokenizer, model = load_tokenizer(args.sft), load_score_model(args.base)
    if load_tokenizer(args.base).get_vocab() != tokenizer.get_vocab():
        raise UserError(f"{args.base} and {args.sft} have different tokenizers")
    inputs = [args.base, args.sft, *args.problems]
    code = code_digest("rl.reward_model")
    mark = fingerprint(
        args.kind, settings.model_dump(), prompts.model_dump(), code, *map(file_digest, inputs)
    )
    checkpoints = Checkpoints(args.resume, mark)
    writer = load_model(args.sft)
    context = min(writer.config.max_position_embeddings, model.config.max_position_embeddings)
    questions = load_questions(args.problems, tokenizer, prompts, context, settings.max_new_tokens)
    _, questions = hold_out(questions, settings.problems, settings.seed)
    training, held_out = hold_out(
        questions, max(1, round(settings.held_out * len(questions))), settings.seed + 1
    )
    if not training:
        raise UserError(
            f"{args.problems[0]}: {len(questions)} usable problem(s); at least 2 are needed"
        )
    sampler = Sampler(writer, tokenizer, settings.max_batch)
    labelled = label_all(sampler, training, args.kind, settings, checkpoints.folder, "train")
    judged = label_all(sampler, held_out, args.kind, settings, checkpoints.folder, "held_out")
    share_out(model, settings.distribution, settings.precision)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        train_on(model, labelled, settings, checkpoints, scratch / METRICS)
        metrics = judge(judged, scores_of(model, judged, settings))
        _save(
            args,
            model,
            tokenizer,
            settings,
            inputs,
            scratch,
            metrics,
            {"train": labelled, "held_out": judged},
        )
    checkpoints.delete()


def label_all(
    sampler: Sampler,
    questions: Sequence[Question],
    kind: str,
    settings: Reward,
    folder: Path | None,
    name: str,
) -> list[LabelledSolution]:
    """Label solutions of `questions` chunk by chunk; finished chunks are kept in `folder`."""
    label = label_steps if kind == "process" else label_outcomes
    solutions: list[LabelledSolution] = []
    with Progress(
        f"{kind} labels, {name}", len(questions), "problems", distributed.progress_stream()
    ) as progress:
        for start in range(0, len(questions), CHUNK):
            chunk = questions[start : start + CHUNK]
            file = folder / f"{name}-{start:07}.jsonl" if folder else None
            if file is not None and file.is_file():
                part = [LabelledSolution(**row) for row in read_jsonl(file)]
            else:
                part = label(sampler, chunk, settings)
                if file is not None and distributed.is_main():
                    write_jsonl(file, (solution.to_json() for solution in part))
            solutions += part
            progress.add(len(chunk), solutions=len(solutions))
    return solutions


def train_on(
    model,
    solutions: Sequence[LabelledSolution],
    settings: Reward,
    checkpoints: Checkpoints,
    metrics_file: Path | None,
) -> None:
    """Train `model` in place; every epoch goes through all solutions in a new order.

    A step's loss is the mean binary cross-entropy over all its labels.
    """
    rows = [label_row(solution) for solution in solutions]
    size = settings.batch_solutions
    per_epoch = -(-len(rows) // size)

    def rows_of_step(step: int) -> list[Row]:
        epoch, place = divmod(step, per_epoch)
        order = np.random.default_rng([settings.seed, epoch]).permutation(len(rows))
        return weighted([rows[i] for i in order[place * size : (place + 1) * size]])

    plan = Plan(
        "reward model",
        settings.epochs * per_epoch,
        Schedule(peak=settings.learning_rate, warmup_steps=0, drops=settings.drops),
        settings.micro_batch_tokens,
        clip_norm=settings.clip_norm,
        precision=settings.precision,
        packed=True,
        checkpoint_every=settings.checkpoint_every,
    )
    optimiser = adamw(model, weight_decay=settings.weight_decay)
    history = train(model, optimiser, rows_of_step, label_loss, plan, checkpoints)
    if metrics_file is not None:
        write_jsonl(metrics_file, history.lines)


def label_row(solution: LabelledSolution) -> Row:
    return scored_row(solution.prompt, solution.ids, solution.ends, label=solution.labels)


def weighted(rows: Sequence[Row]) -> list[Row]:
    """The rows with the column "weight": 1 over the number of all their labels."""
    total = sum(int(row.loss_mask.sum()) for row in rows)
    weight = 1 / max(1, total)
    return [
        Row(r.input_ids, r.loss_mask, r.columns | {"weight": np.full(len(r), weight, np.float32)})
        for r in rows
    ]


def label_loss(logits: torch.Tensor, columns: Columns) -> torch.Tensor:
    """Binary cross-entropy [N] of the column "label" under the logits, times the column "weight"."""
    return (
        binary_cross_entropy_with_logits(logits, columns["label"], reduction="none")
        * columns["weight"]
    )


def scores_of(model, solutions: Sequence[LabelledSolution], settings: Reward) -> list[np.ndarray]:
    """The model's probabilities at each solution's positions."""
    rows = [label_row(solution) for solution in solutions]
    return [
        probabilities(logits)
        for logits in row_scores(model, rows, settings.micro_batch_tokens, settings.precision)
    ]


def _save(
    args, model, tokenizer, settings: Reward, inputs, scratch: Path, metrics: dict, data: dict
) -> None:
    place = "the last token of every line" if args.kind == "process" else "the last token"
    card = (
        "---\nlibrary_name: transformers\npipeline_tag: token-classification\nlicense: apache-2.0\n---\n\n"
        f"# {args.kind.capitalize()} reward model\n\nOne logit a token: how likely what stands before it leads to the"
        f" right answer. Read it at {place} (DeepSeekMath, section 4; labels after Math-Shepherd).\n"
    )
    labels_file = scratch / LABELS
    write_jsonl(labels_file, (solution.to_json() for solution in data["train"]))
    save_model(
        args.out,
        model,
        tokenizer,
        card=card,
        stage="rl.reward_model",
        settings={"kind": args.kind, **settings.model_dump()},
        inputs=inputs,
        counts={name: label_counts(solutions) for name, solutions in data.items()},
        metrics=metrics,
        metrics_file=scratch / METRICS,
        more_files=(labels_file,),
    )


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kind", choices=("outcome", "process"), required=True)
    parser.add_argument("--config", type=Path, help="settings, the section reward as JSON")
    parser.add_argument("--prompts", type=Path, help="the section prompts as JSON")
    parser.add_argument("--base", type=Path, required=True, help="the model to start from")
    parser.add_argument(
        "--sft", type=Path, required=True, help="the model that writes the solutions"
    )
    parser.add_argument(
        "--problems", type=Path, nargs="+", required=True, help="training problems (JSON Lines)"
    )
    parser.add_argument(
        "--resume", type=Path, help="folder for labels and checkpoints, deleted at the end"
    )
    parser.add_argument("--out", type=Path, required=True, help="the reward model's folder")
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_main(main)
