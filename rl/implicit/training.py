"""Train the implicit process model on the rule's verdicts of whole solutions, and judge it on other problems."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from pipeline.config.rl import Reward
from pipeline.config.schedule import Schedule
from pipeline.errors import UserError
from pipeline.forward.batches import Row
from pipeline.forward.layout import layout_for
from pipeline.model.load import load_model
from pipeline.training.checkpoint import Checkpoints
from pipeline.training.loop import History, Plan, train
from pipeline.training.prepare import freeze
from pipeline.training.step import adamw
from rl.implicit.scores import log_probs_of, solution_row, step_rewards, weighted_rows
from rl.objectives import likelihood_loss
from rl.reward_model_metrics import judge, length_correlation
from rl.solution_steps import step_ends
from rl.step_labels import LabelledSolution

DESCRIPTION = (
    "A language model whose log-ratio to the fine-tuned model that it started from rewards the steps of a solution "
    "(arXiv 2412.01981), trained on verdicts of whole solutions."
)
"""Of the model card."""


def train_implicit(
    model: PreTrainedModel,
    sft: Path,
    labelled: Sequence[LabelledSolution],
    judged: Sequence[LabelledSolution],
    tokenizer: PreTrainedTokenizerBase,
    settings: Reward,
    checkpoints: Checkpoints,
) -> tuple[History, dict[str, Any]]:
    """Train `model`, prepared for it and with the weights of `sft`, in place; its history, and its metrics on `judged`.

    Raises UserError where no problem has both a right and a wrong solution.
    """
    reference = freeze(load_model(sft, distribution=settings.distribution), settings)

    groups = by_problem(labelled)
    mixed = [group for group in groups if len({solution.right for solution in group}) == 2]
    if not mixed:
        raise UserError(
            "reward.process_model = implicit: no problem has both right and wrong solutions; sample more of them "
            "(reward.samples_per_problem), at a higher reward.temperature"
        )
    if settings.mixed_problems or settings.implicit_loss == "pairwise":
        groups = mixed

    history = _train(model, reference, groups, settings, checkpoints)
    return history, metrics_of(model, reference, judged, tokenizer, settings)


def by_problem(solutions: Sequence[LabelledSolution]) -> list[list[LabelledSolution]]:
    """Solutions of each problem, in the order in which problems first occur."""
    groups: dict[str, list[LabelledSolution]] = {}
    for solution in solutions:
        groups.setdefault(solution.problem_id, []).append(solution)
    return list(groups.values())


def _train(
    model: PreTrainedModel,
    reference: PreTrainedModel,
    groups: Sequence[list[LabelledSolution]],
    settings: Reward,
    checkpoints: Checkpoints,
) -> History:
    """Every epoch goes through all problems in a new order; a step has whole problems, so that they can be compared."""
    solutions = sum(len(group) for group in groups)
    per_step = max(1, round(settings.batch_solutions * len(groups) / solutions))
    steps_per_epoch = -(-len(groups) // per_step)  # rounded up: the last batch may be smaller

    # A function of seed, step and weights, so that a resumed training computes what it would have computed.
    def rows_of_step(step: int) -> list[Row]:
        epoch, place = divmod(step, steps_per_epoch)
        order = np.random.default_rng([settings.seed, epoch]).permutation(len(groups))
        chosen = [groups[i] for i in order[place * per_step : (place + 1) * per_step]]
        batch = [solution for group in chosen for solution in group]

        rows = [solution_row(solution.prompt, solution.ids) for solution in batch]
        return weighted_rows(
            rows,
            log_probs_of(model, rows, settings.micro_batch_tokens, settings.precision),
            log_probs_of(reference, rows, settings.micro_batch_tokens, settings.precision),
            np.array([solution.right for solution in batch], dtype=bool),
            [solution.problem_id for solution in batch],
            settings.implicit_beta,
            settings.implicit_loss,
        )

    plan = Plan(
        "implicit process model",
        settings.epochs * steps_per_epoch,
        Schedule(peak=settings.learning_rate, warmup_steps=0, drops=settings.drops),
        settings.micro_batch_tokens,
        clip_norm=settings.clip_norm,
        precision=settings.precision,
        layout=layout_for(model, shared_prefix=True),
        checkpoint_every=settings.checkpoint_every,
    )
    optimiser = adamw(model, weight_decay=settings.weight_decay)
    return train(model, optimiser, rows_of_step, likelihood_loss, plan, checkpoints)


def metrics_of(
    model: PreTrainedModel,
    reference: PreTrainedModel,
    judged: Sequence[LabelledSolution],
    tokenizer: PreTrainedTokenizerBase,
    settings: Reward,
) -> dict[str, Any]:
    """The measures of every reward model, of whole solutions by their sum of log-ratios, and of a process model."""
    rows = [solution_row(solution.prompt, solution.ids) for solution in judged]
    own = log_probs_of(model, rows, settings.micro_batch_tokens, settings.precision)
    ref = log_probs_of(reference, rows, settings.micro_batch_tokens, settings.precision)

    beta = settings.implicit_beta
    ends, rewards, shares = [], [], []
    for solution, a, b in zip(judged, own, ref, strict=True):
        log_ratio = (a - b)[len(solution.prompt) :]
        of_solution = step_ends(tokenizer, solution.ids, joins_answer=True)
        ends.append(of_solution)
        rewards.append(step_rewards(log_ratio, of_solution, beta))
        log_odds = beta * log_ratio.sum(dtype=np.float64)
        shares.append(np.exp([-np.logaddexp(0.0, -log_odds)]))

    metrics = judge(judged, shares)
    metrics["length_correlation"] = length_correlation(judged, rewards, ends)
    return metrics
