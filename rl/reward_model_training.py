"""The work of `python -m rl.reward_model`: solutions labelled, a model trained on the labels and judged on others."""

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from pipeline.artifacts.records import read_jsonl
from pipeline.artifacts.write import write_jsonl
from pipeline.config.prompts import Prompts
from pipeline.config.read import read_section
from pipeline.config.rl import Reward
from pipeline.config.schedule import Schedule
from pipeline.errors import UserError
from pipeline.forward.batches import Row
from pipeline.inference.engine import Engine
from pipeline.inference.forward_sampler import sampler_for
from pipeline.model import distributed
from pipeline.model.card import Card, origin_of, write_card
from pipeline.model.load import load_model, load_tokenizer
from pipeline.model.model_prompts import ModelPrompts, prompts_for
from pipeline.progress import Progress
from pipeline.training.checkpoint import Checkpoints
from pipeline.training.job import TrainingJob
from pipeline.training.loop import History, Plan, train
from pipeline.training.prepare import halve, prepare
from pipeline.training.step import adamw
from rl.implicit.training import DESCRIPTION as DESCRIPTION_OF_IMPLICIT
from rl.implicit.training import train_implicit
from rl.questions import hold_out, load_questions
from rl.ratings.labels import (
    RatedLabels,
    ask_experts,
    rated_labels,
    read_rated,
    split_rated,
)
from rl.ratings.scale import KEY, Scale, scale_of
from rl.reward_model_metrics import judge, length_correlation
from rl.rollouts import Question
from rl.score_model import load_score_model, row_scores, scored_row
from rl.step_labels import LabelledSolution, label_counts, label_outcomes, label_steps

CHUNK = 64
"""Problems that are labelled between two saves."""

LABELS = "labels.jsonl"
"""The labelled training solutions in a reward model's folder: iterative RL replays some of them."""

RATINGS = "ratings.jsonl"
"""The scored answers that a model learnt from or was judged by, in the form that people give theirs."""

DESCRIPTION = (
    "One logit a token: how likely what stands before it leads to the right answer. Read it at {place} (DeepSeekMath, "
    "section 4; labels after Math-Shepherd)."
)
RATED_DESCRIPTION = (
    "One logit a token: at the last one, what experts would score the whole answer. Its logistic function is the place "
    "on their scale of {lowest:g} to {highest:g}."
)
"""Of the model card, for labels of the rule and of experts."""


@distributed.session()
def make_reward_model(args: argparse.Namespace) -> None:
    settings = read_section(args.config, Reward) if args.config else Reward()
    prompts = prompts_for(args.sft, args.prompts)
    _check_labels(args, settings)
    job = TrainingJob(
        "rl.reward_model",
        settings,
        inputs={
            "base": args.base,
            "sft": args.sft,
            **{f"problems.{number}": path for number, path in enumerate(args.problems)},
            **{f"ratings.{number}": path for number, path in enumerate(args.ratings)},
        },
        out=args.out,
        resume=args.resume,
        fresh=args.fresh,
        compared={"kind": args.kind, "prompts": prompts.model_dump(mode="json")},
    )

    # An implicit process model is a language model, which starts as the one that writes the solutions.
    is_implicit = args.kind == "process" and settings.process_model == "implicit"
    tokenizer = load_tokenizer(args.sft)
    loaded = (
        load_model(args.sft, distribution=settings.distribution)
        if is_implicit
        else load_score_model(args.base, settings.distribution)
    )
    model = prepare(loaded, settings)
    if load_tokenizer(args.base).get_vocab() != tokenizer.get_vocab():
        raise UserError(f"{args.base} and {args.sft} have different tokenizers")

    labels = _labels(args, settings, prompts, tokenizer, model, job.checkpoints.folder)
    labelled, judged = labels.training, labels.held_out

    # Training, and the judgement on problems that had no part in it.
    if is_implicit:
        history, metrics = train_implicit(
            model, args.sft, labelled, judged, tokenizer, settings, job.checkpoints
        )
        shares = []
    else:
        history = train_reward_model(model, labelled, settings, job.checkpoints)
        shares = scores_of(model, judged, settings)
        metrics = judge(judged, shares)
    if args.kind == "process" and not is_implicit:
        ends = [solution.ends for solution in judged]
        metrics["length_correlation"] = length_correlation(judged, shares, ends)
    if labels.ratings is not None:
        metrics |= labels.ratings.metrics(shares)

    with tempfile.TemporaryDirectory() as scratch:
        labels_file = Path(scratch) / LABELS
        write_jsonl(labels_file, (solution.to_json() for solution in labelled))
        files = [labels_file]
        if labels.ratings is not None:
            files.append(Path(scratch) / RATINGS)
            write_jsonl(files[1], (each.to_json() for each in labels.ratings.rated))
        card = Card(
            title=f"{args.kind.capitalize()} reward model",
            description=DESCRIPTION_OF_IMPLICIT if is_implicit else _description(args.kind, model),
            origin=origin_of(args.sft if is_implicit else args.base),
            trained_on=[path.name for path in args.problems],
            asking=ModelPrompts(style="chat", suffixes=prompts),
            parameters=model.num_parameters(),
            context=labels.context,
            settings={"kind": args.kind, **settings.model_dump()},
            metrics=metrics,
            task="text-generation" if is_implicit else "token-classification",
        )
        job.save(
            model,
            tokenizer,
            card=write_card(card),
            settings={"kind": args.kind, **settings.model_dump()},
            counts={"train": label_counts(labelled), "held_out": label_counts(judged)},
            metrics=metrics,
            lines=history.lines,
            more_files=tuple(files),
        )


def _check_labels(args: argparse.Namespace, settings: Reward) -> None:
    """Refuse labels that the model to train cannot have."""
    of_answers = settings.labels in ("experts", "ratings")
    if of_answers and args.kind != "outcome":
        raise UserError(
            f"reward.labels = {settings.labels}: scores are of whole answers; a process model learns from hard or soft"
        )
    if settings.labels == "ratings" and not args.ratings:
        raise UserError(
            "reward.labels = ratings: give scored answers with --ratings FILE (sources.ratings)"
        )


def _description(kind: str, model: PreTrainedModel) -> str:
    """What the card says that the model's number means."""
    scale = scale_of(model)
    if scale == Scale():
        place = "the last token of every line" if kind == "process" else "the last token"
        return DESCRIPTION.format(place=place)

    text = RATED_DESCRIPTION.format(lowest=scale.lowest, highest=scale.highest)
    if scale.cuts:
        text += (
            f" (ordinal: the mean of the logistic functions of logit - cut, {KEY} in config.json)"
        )
    return text


@dataclass(frozen=True, slots=True)
class _Labels:
    """What the model learns and what it is judged by."""

    training: list[LabelledSolution]
    held_out: list[LabelledSolution]
    context: int
    """Tokens of the longest solution with its question."""
    ratings: RatedLabels | None = None
    """Where the labels come from scores."""


def _labels(
    args: argparse.Namespace,
    settings: Reward,
    prompts: Prompts,
    tokenizer: PreTrainedTokenizerBase,
    model: PreTrainedModel,
    folder: Path | None,
) -> _Labels:
    """Scored answers of the user's own, or solutions of the fine-tuned model judged by the rule or by experts."""
    context = model.config.max_position_embeddings
    if settings.labels == "ratings":
        rated = read_rated(args.ratings, tokenizer, prompts, settings, context)
        kept, apart = split_rated(rated, settings)
        ratings = rated_labels(kept, apart, model, settings)
        return _Labels(ratings.training, ratings.held_out, context, ratings)

    writer = load_model(args.sft)
    halve(writer, settings)
    context = min(writer.config.max_position_embeddings, context)
    questions = load_questions(args.problems, tokenizer, prompts, context, settings.max_new_tokens)
    training, held_out = _split(questions, settings, args)

    sampler = sampler_for(writer, tokenizer, settings.max_batch, settings.precision)
    # An implicit process model learns from verdicts of whole solutions.
    kind = "outcome" if settings.process_model == "implicit" else args.kind
    labelled = label_all(sampler, training, kind, settings, folder, "train")
    judged = label_all(sampler, held_out, kind, settings, folder, "held_out")
    if settings.labels != "experts":
        return _Labels(labelled, judged, context)

    problems = {question.problem.id: question.problem for question in questions}
    kept = ask_experts(labelled, problems, tokenizer, settings)
    apart = ask_experts(judged, problems, tokenizer, settings)
    ratings = rated_labels(kept, apart, model, settings)
    return _Labels(ratings.training, ratings.held_out, context, ratings)


def _split(
    questions: list[Question], settings: Reward, args: argparse.Namespace
) -> tuple[list[Question], list[Question]]:
    """Draw the problems that solutions are sampled for; returns those to train on and those held out."""
    # Held out by problem, not by solution: solutions of one problem resemble one another.
    _, drawn = hold_out(questions, settings.problems, settings.seed)
    held_out_count = max(1, round(settings.held_out * len(drawn)))
    training, held_out = hold_out(drawn, held_out_count, settings.seed + 1)
    if not training:
        raise UserError(
            f"{args.problems[0]}: {len(drawn)} usable problem(s); at least 2 are needed"
        )
    return training, held_out


def label_all(
    sampler: Engine,
    questions: Sequence[Question],
    kind: str,
    settings: Reward,
    folder: Path | None,
    name: str,
) -> list[LabelledSolution]:
    """Label solutions of `questions` chunk by chunk.

    Args:
        kind: "outcome" or "process".
        folder: where finished chunks are kept for a run that goes on; None keeps nothing.
        name: of the set, in the progress line and in the names of the chunks' files.
    """
    label = label_steps if kind == "process" else label_outcomes
    solutions: list[LabelledSolution] = []

    title = f"{kind} labels, {name}"
    stream = distributed.progress_stream()
    with Progress(title, len(questions), "problems", stream, beats=True) as progress:
        for start in range(0, len(questions), CHUNK):
            chunk = questions[start : start + CHUNK]
            file = folder / f"{name}-{start:07}.jsonl" if folder else None

            # Rollouts cost far more than training: finished chunks of a killed run are read again.
            if file is not None and file.is_file():
                labelled = [LabelledSolution(**row) for row in read_jsonl(file)]
            else:
                labelled = label(sampler, chunk, settings)
                if file is not None and distributed.is_main():
                    write_jsonl(file, (solution.to_json() for solution in labelled))

            solutions += labelled
            progress.add(len(chunk), solutions=len(solutions))
    return solutions


def train_reward_model(
    model: PreTrainedModel,
    solutions: Sequence[LabelledSolution],
    settings: Reward,
    checkpoints: Checkpoints,
) -> History:
    """Train `model` in place; every epoch goes through all solutions in a new order.

    The loss of a step is the mean over all its labels: binary cross-entropy, or that of the model's scale.
    """
    rows = [label_row(solution) for solution in solutions]
    batch = settings.batch_solutions
    steps_per_epoch = -(-len(rows) // batch)  # rounded up: the last batch may be smaller

    # A pure function of seed and step, so that a resumed training reads what it would have read.
    def rows_of_step(step: int) -> list[Row]:
        epoch, place = divmod(step, steps_per_epoch)
        order = np.random.default_rng([settings.seed, epoch]).permutation(len(rows))
        return weighted([rows[i] for i in order[place * batch : (place + 1) * batch]])

    plan = Plan(
        "reward model",
        settings.epochs * steps_per_epoch,
        Schedule(peak=settings.learning_rate, warmup_steps=0, drops=settings.drops),
        settings.micro_batch_tokens,
        clip_norm=settings.clip_norm,
        precision=settings.precision,
        packed=True,
        checkpoint_every=settings.checkpoint_every,
    )
    optimiser = adamw(model, weight_decay=settings.weight_decay)
    loss = scale_of(model).loss
    return train(model, optimiser, rows_of_step, loss, plan, checkpoints)


def label_row(solution: LabelledSolution) -> Row:
    """The solution as a row that is read at its labelled positions, with the column "label"."""
    return scored_row(solution.prompt, solution.ids, solution.ends, label=solution.labels)


def weighted(rows: Sequence[Row]) -> list[Row]:
    """The rows with the column "weight": 1 over the number of all their labels."""
    labels = sum(int(row.loss_mask.sum()) for row in rows)
    weight = 1 / max(1, labels)

    result = []
    for row in rows:
        column = np.full(len(row), weight, np.float32)
        result.append(Row(row.input_ids, row.loss_mask, row.columns | {"weight": column}))
    return result


def scores_of(
    model: PreTrainedModel, solutions: Sequence[LabelledSolution], settings: Reward
) -> list[np.ndarray]:
    """The model's values, probabilities or shares of its scale, [K_i] at each solution's labelled positions."""
    rows = [label_row(solution) for solution in solutions]
    logits = row_scores(model, rows, settings.micro_batch_tokens, settings.precision)
    scale = scale_of(model)
    return [scale.share(of_row) for of_row in logits]
