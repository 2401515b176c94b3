"""The unified paradigm (paper section 5.2.1): a method is a data source, a reward and a gradient coefficient.

    method         outputs sampled from      coefficient of an output's token
    sft            - (worked solutions)      1
    rft            the initial policy        1 if right, else 0                                    Eq. 10
    online_rft     the current policy        1 if right, else 0                                    Eq. 10
    dpo            the initial policy        + or - beta sigmoid(-beta margin)                     Eq. 14 (times beta)
    ppo            the current policy        generalised advantage, KL in the reward               Eq. 18
    grpo_outcome   the current policy        normalised reward + beta (reference/policy - 1)       Eq. 21
    grpo_process   the current policy        the same with the sum over later steps' rewards       Eq. 21

Each method turns groups of outputs into rows with per-token columns; the trainer below them is the same for all.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from pipeline.config.rl import RL
from pipeline.forward.batches import Row
from pipeline.training.step import Loss
from rl.advantages import (
    generalised_advantages,
    outcome_advantages,
    process_advantages,
    token_weights,
)
from rl.objectives import dpo_coefficient, grpo_loss, likelihood_loss
from rl.rollouts import Group

LogProbs = Callable[[Sequence[Row]], list[np.ndarray]]
"""Rows -> per-token log-probabilities under a fixed model, 0 where a token is not scored."""


@dataclass(frozen=True)
class Scorers:
    """Forward passes without gradient that a method may need for its columns."""

    policy: LogProbs
    reference: LogProbs
    values: LogProbs | None = None
    """PPO's value model: the value before each scored token."""


@dataclass(frozen=True)
class Method:
    """Where outputs come from ("initial" or "current" policy, or "solutions"), their rows, and the loss on those."""

    source: str
    rows: Callable[[list[Group], RL, Scorers], list[Row]]
    loss: Callable[[RL], Loss]


def output_row(group: Group, index: int, **columns: np.ndarray | float) -> Row:
    """One output behind its prompt; `columns` are arrays over the tokens that the model wrote, or one number.

    Those tokens are scored. What a tool wrote between them is read and no more: in every loss, credit and denominator
    the output is what it would be without the gap.
    """
    prompt, sample = group.question.prompt, group.samples[index]
    scored = np.concatenate([np.zeros(len(prompt), dtype=bool), sample.sampled])
    aligned = {}
    for name, values in columns.items():
        aligned[name] = np.zeros(len(scored), dtype=np.float32)
        aligned[name][scored] = values
    return Row(np.array(prompt + sample.ids, dtype=np.int32), scored, aligned)


def policy_gradient_rows(
    groups: list[Group], advantages: list[list[np.ndarray]], settings: RL
) -> list[Row]:
    """Rows with columns weight, advantage and old; denominators are counted over all outputs of the step.

    An output whose advantages are all 0 has no gradient but the KL term's: without one it needs no computing.
    """
    lengths = [length for group in groups for length in group.lengths]
    weights = iter(token_weights(lengths, settings.aggregation, settings.max_new_tokens))
    rows = []
    for group, of_group in zip(groups, advantages, strict=True):
        group.advantages = of_group
        for index, advantage in enumerate(of_group):
            weight, old = next(weights), np.array(group.samples[index].logprobs)
            if np.any(advantage) or not (settings.beta == 0 or settings.contrast_only):
                rows.append(output_row(group, index, weight=weight, advantage=advantage, old=old))
    return rows


def add_columns(rows: list[Row], settings: RL, scorers: Scorers) -> list[Row]:
    """What the loss needs of fixed models: the reference's log-probabilities, the trainer's own before the update."""
    if settings.beta > 0:
        for row, values in zip(rows, scorers.reference(rows), strict=True):
            row.columns["reference"] = values
    if settings.importance == "truncated":
        for row, values in zip(rows, scorers.policy(rows), strict=True):
            row.columns["sampler"], row.columns["old"] = row.columns["old"], values
    return rows


def grpo_outcome_rows(groups: list[Group], settings: RL, scorers: Scorers) -> list[Row]:
    how, decay = settings.normalisation, settings.decay
    advantages = [outcome_advantages(group.rewards, group.lengths, how, decay) for group in groups]
    return add_columns(policy_gradient_rows(groups, advantages, settings), settings, scorers)


def grpo_process_rows(groups: list[Group], settings: RL, scorers: Scorers) -> list[Row]:
    """Process supervision. Other rewards than the process model's are added to an output's last step."""
    advantages = []
    weight = settings.rewards["process_model"]
    for group in groups:
        other = group.rewards - weight * group.parts["process_model"]
        steps = [weight * rewards for rewards in group.step_rewards]
        for rewards, extra in zip(steps, other, strict=True):
            if len(rewards):
                rewards[-1] += extra
        # a step's end among the tokens that the model wrote
        ends = [
            np.cumsum(sample.sampled)[of_sample] - 1
            for sample, of_sample in zip(group.samples, group.step_ends, strict=True)
        ]
        advantages.append(process_advantages(steps, ends, group.lengths, settings.normalisation))
    return add_columns(policy_gradient_rows(groups, advantages, settings), settings, scorers)


def rejection_rows(groups: list[Group], settings: RL, scorers: Scorers) -> list[Row]:
    """Right outputs with weight 1, wrong ones with 0: they stay in the denominator and out of the batch."""
    lengths = [length for group in groups for length in group.lengths]
    weights = iter(token_weights(lengths, settings.aggregation, settings.max_new_tokens))
    rows = []
    for group in groups:
        for index, right in enumerate(group.right):
            weight = next(weights)
            if right and group.samples[index].ids:
                rows.append(output_row(group, index, weight=weight))
    return rows


def solution_rows(groups: list[Group], settings: RL, scorers: Scorers) -> list[Row]:
    """Worked solutions, all with weight 1."""
    lengths = [length for group in groups for length in group.lengths]
    weights = iter(token_weights(lengths, settings.aggregation, settings.max_new_tokens))
    return [
        output_row(group, index, weight=next(weights))
        for group in groups
        for index in range(len(group.samples))
    ]


def ppo_rows(groups: list[Group], settings: RL, scorers: Scorers) -> list[Row]:
    """Generalised advantages from the value model; the KL term is in every token's reward, the outcome in the last.

    Eq. 2 with the sampling policy in the KL's numerator: with one update per rollout it is the current one. The
    column "returns" is what the value model learns.
    """
    lengths = [length for group in groups for length in group.lengths]
    weights = iter(token_weights(lengths, settings.aggregation, settings.max_new_tokens))
    rows = []
    for group in groups:
        for index, sample in enumerate(group.samples):
            rows.append(
                output_row(group, index, weight=next(weights), old=np.array(sample.logprobs))
            )
    add_columns(rows, settings, scorers)
    places = [(group, index) for group in groups for index in range(len(group.samples))]
    for (group, index), row, values in zip(places, rows, scorers.values(rows), strict=True):
        rewards = np.zeros(int(row.loss_mask.sum()))
        if settings.beta > 0:
            rewards -= (
                settings.beta * (row.columns["old"] - row.columns["reference"])[row.loss_mask]
            )
        rewards[-1:] += group.rewards[index]
        advantages, returns = generalised_advantages(
            rewards,
            values[row.loss_mask].astype(np.float64),
            settings.ppo.gamma,
            settings.ppo.gae_lambda,
        )
        for name, column in (("advantage", advantages), ("returns", returns)):
            row.columns[name] = np.zeros(len(row), dtype=np.float32)
            row.columns[name][row.loss_mask] = column
        group.advantages = [*(group.advantages or []), advantages]
    return rows


def preference_rows(groups: list[Group], settings: RL, scorers: Scorers) -> list[Row]:
    """Pairs of a right and a wrong output of one question; each answer's log-ratio has the coefficient of Eq. 13.

    The k-th right output meets the k-th wrong one; what has no partner is left out. The margin is computed with
    the current weights before the update, so the gradient is that of the DPO loss itself.
    """
    pairs = [pair for group in groups for pair in _pairs(group)]
    rows = [row for pair in pairs for row in pair]
    if not rows:
        return []
    lengths = np.array([row.loss_mask.sum() for row in rows], dtype=np.float64)
    ratios = [p - r for p, r in zip(scorers.policy(rows), scorers.reference(rows), strict=True)]
    sums = np.array([ratio.sum(dtype=np.float64) for ratio in ratios])
    divisor = lengths if settings.dpo.form == "mean" else np.ones_like(lengths)
    margins = (sums / divisor)[0::2] - (sums / divisor)[1::2]
    coefficients = dpo_coefficient(torch.from_numpy(margins), settings.dpo.beta).numpy() / len(
        pairs
    )
    for place, row in enumerate(rows):
        sign = 1.0 if place % 2 == 0 else -1.0
        row.columns["weight"] = (
            row.loss_mask * (sign * coefficients[place // 2] / divisor[place])
        ).astype(np.float32)
    return rows


def _pairs(group: Group) -> list[tuple[Row, Row]]:
    usable = [index for index, sample in enumerate(group.samples) if sample.ids]
    right = [index for index in usable if group.right[index]]
    wrong = [index for index in usable if not group.right[index]]
    return [
        (output_row(group, i), output_row(group, j)) for i, j in zip(right, wrong, strict=False)
    ]


def _grpo(settings: RL) -> Loss:
    high = settings.epsilon if settings.epsilon_high is None else settings.epsilon_high
    return grpo_loss(settings.beta, settings.kl, settings.epsilon, high, settings.importance_cap)


def _ppo(settings: RL) -> Loss:
    high = settings.epsilon if settings.epsilon_high is None else settings.epsilon_high
    return grpo_loss(0.0, settings.kl, settings.epsilon, high, settings.importance_cap)


def _likelihood(settings: RL) -> Loss:
    return likelihood_loss


METHODS = {
    "sft": Method("solutions", solution_rows, _likelihood),
    "rft": Method("initial", rejection_rows, _likelihood),
    "online_rft": Method("current", rejection_rows, _likelihood),
    "dpo": Method("initial", preference_rows, _likelihood),
    "ppo": Method("current", ppo_rows, _ppo),
    "grpo_outcome": Method("current", grpo_outcome_rows, _grpo),
    "grpo_process": Method("current", grpo_process_rows, _grpo),
}
