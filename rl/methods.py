"""The unified paradigm (paper section 5.2.1): a method is a data source, a reward and a gradient coefficient.

    method         outputs sampled from      coefficient of an output's token
    sft            - (worked solutions)      1
    rft            the initial policy        1 if right, else 0 (with likelihood_kl: + the KL)     Eq. 10
    online_rft     the current policy        1 if right, else 0 (the same)                         Eq. 10
    dpo            the initial policy        + or - beta sigmoid(-beta margin)                     Eq. 14 (times beta)
    ppo            the current policy        generalised advantage, KL in the reward               Eq. 18
    grpo_outcome   the current policy        normalised reward + beta (reference/policy - 1)       Eq. 21
    grpo_process   the current policy        the same with the sum over later steps' rewards       Eq. 21

Each method turns groups of outputs into rows with a number for each token (the columns that rl.objectives lists); the
trainer below is the same for all of them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from pipeline.config.rl import RL
from pipeline.forward.batches import Row
from pipeline.training.step import Loss
from rl.advantages import (
    combined_advantages,
    generalised_advantages,
    has_spread,
    outcome_advantages,
    process_advantages,
    spread_over_tokens,
    token_weights,
)
from rl.objectives import dpo_coefficient, grpo_loss, likelihood_kl_loss, likelihood_loss
from rl.rollouts import Group

LogProbs = Callable[[Sequence[Row]], list[np.ndarray]]
"""Rows -> for each row [T] the log-probabilities under a fixed model, 0 where a token is not scored."""


@dataclass(frozen=True)
class Scorers:
    """Forward passes without gradient that a method may need for its columns."""

    policy: LogProbs
    reference: LogProbs
    values: LogProbs | None = None
    """PPO's value model: for each row [T] the value before each scored token."""


@dataclass(frozen=True)
class Method:
    """What tells one method from another."""

    source: Literal["solutions", "initial", "current"]
    """Where outputs come from: worked solutions, the policy as it started, or the policy as it is."""

    rows: Callable[[list[Group], RL, Scorers], list[Row]]
    """A step's groups to rows with columns."""

    loss: Callable[[RL], Loss]
    """The settings to the loss of those rows."""


def kept_groups(groups: list[Group], how: str) -> list[Group]:
    """The groups that an update learns from: all of them, those with a right output ("all_wrong" are dropped), or those
    whose rewards differ ("flat" ones are dropped)."""
    match how:
        case "all_wrong":
            return [group for group in groups if group.right.any()]
        case "flat":
            return [group for group in groups if has_spread(group.rewards)]
        case _:
            return groups


@dataclass(frozen=True, slots=True)
class Output:
    """One output of a step: its group, its place in it, and the factor of its tokens' terms in the loss."""

    group: Group
    index: int
    weight: float


def outputs_of_step(groups: list[Group], settings: RL) -> Iterator[Output]:
    """All outputs in order. Their weights' denominators are counted over the whole step, before any is left out."""
    # Denominators come from all outputs, so that they do not depend on which rows are computed.
    lengths = [length for group in groups for length in group.lengths]
    weights = iter(token_weights(lengths, settings.aggregation, settings.max_new_tokens))
    for group in groups:
        for index in range(len(group.samples)):
            yield Output(group, index, next(weights))


def output_row(group: Group, index: int, **columns: np.ndarray | float) -> Row:
    """One output behind its prompt, with the tokens scored that the model wrote.

    What a tool wrote between them is read and nothing more: in every loss, credit and denominator the output is what
    it would be without that gap.

    Args:
        columns: arrays [T_i] over the tokens that the model wrote, or one number for all of them.
    """
    prompt, sample = group.question.prompt, group.samples[index]
    loss_mask = np.concatenate([np.zeros(len(prompt), dtype=bool), sample.sampled])

    aligned = {}
    for name, values in columns.items():
        aligned[name] = np.zeros(len(loss_mask), dtype=np.float32)
        aligned[name][loss_mask] = values

    input_ids = np.array(prompt + sample.ids, dtype=np.int32)
    return Row(input_ids, loss_mask, aligned)


# ---- GRPO --------------------------------------------------------------------------------------------------------


def policy_gradient_rows(
    groups: list[Group], advantages: list[list[np.ndarray]], settings: RL
) -> list[Row]:
    """Rows with the columns weight, advantage and old_log_probs; sets the groups' advantages.

    An output whose advantages are all 0 has no gradient but that of the KL term. Where there is none, or
    `contrast_only` does without it, the output is left out and still counts in the denominators. A step without any
    advantage has no rows: the KL term alone would only undo what was learnt, at the price of a whole step.
    """
    for group, of_group in zip(groups, advantages, strict=True):
        group.advantages = of_group
    has_signal = any(np.any(advantage) for of_group in advantages for advantage in of_group)
    keeps_all = has_signal and settings.beta > 0 and not settings.contrast_only

    rows = []
    for output in outputs_of_step(groups, settings):
        advantage = output.group.advantages[output.index]
        if not keeps_all and not np.any(advantage):
            continue
        old_log_probs = np.array(output.group.samples[output.index].logprobs)
        row = output_row(
            output.group,
            output.index,
            weight=output.weight,
            advantage=advantage,
            old_log_probs=old_log_probs,
        )
        rows.append(row)
    return rows


def add_model_columns(rows: list[Row], settings: RL, scorers: Scorers) -> list[Row]:
    """Add what the loss needs of models without gradient; returns the same rows.

    With a KL term, the reference's log-probabilities. With importance sampling, the trainer's own take the place of
    the sampler's as the old policy's, and the sampler's stay beside them. Where something is computed over whole
    outputs, their numbers.
    """
    if settings.surrogate == "gspo" or settings.importance.startswith("sequence"):
        for number, row in enumerate(rows):
            row.columns["sequence"] = np.full(len(row), number, dtype=np.float32)

    if settings.beta > 0:
        _add_reference(rows, scorers)

    if settings.importance != "none":
        for row, log_probs in zip(rows, scorers.policy(rows), strict=True):
            row.columns["sampler_log_probs"] = row.columns["old_log_probs"]
            row.columns["old_log_probs"] = log_probs
    return rows


def _add_reference(rows: list[Row], scorers: Scorers) -> list[Row]:
    """Add the reference's log-probabilities; returns the same rows."""
    for row, log_probs in zip(rows, scorers.reference(rows), strict=True):
        row.columns["ref_log_probs"] = log_probs
    return rows


def grpo_outcome_rows(groups: list[Group], settings: RL, scorers: Scorers) -> list[Row]:
    """GRPO with outcome supervision (section 4.1.2)."""
    advantages = []
    for group in groups:
        if settings.combine == "advantages":
            values = combined_advantages(group.parts, settings.rewards, settings.normalisation)
            of_group = spread_over_tokens(values, group.lengths, settings.decay)
        else:
            of_group = outcome_advantages(
                group.rewards, group.lengths, settings.normalisation, settings.decay
            )
        advantages.append(of_group)
    rows = policy_gradient_rows(groups, advantages, settings)
    return add_model_columns(rows, settings, scorers)


def grpo_process_rows(groups: list[Group], settings: RL, scorers: Scorers) -> list[Row]:
    """GRPO with process supervision (section 4.1.3).

    Rewards other than the process model's are added to the last step of an output.
    """
    weight = settings.rewards["process_model"]

    advantages = []
    for group in groups:
        step_rewards = [weight * rewards for rewards in group.step_rewards]
        other_rewards = group.rewards - weight * group.parts["process_model"]
        for rewards, other in zip(step_rewards, other_rewards, strict=True):
            if len(rewards):
                rewards[-1] += other

        # Step ends are places among all ids; advantages want places among those that the model wrote.
        step_ends = []
        for sample, ends in zip(group.samples, group.step_ends, strict=True):
            written_up_to = np.cumsum(sample.sampled)
            step_ends.append(written_up_to[ends] - 1)

        of_group = process_advantages(
            step_rewards,
            step_ends,
            group.lengths,
            settings.normalisation,
            settings.process_credit,
        )
        advantages.append(of_group)
    rows = policy_gradient_rows(groups, advantages, settings)
    return add_model_columns(rows, settings, scorers)


def _grpo(settings: RL) -> Loss:
    return _policy_loss(settings, settings.beta)


def _policy_loss(settings: RL, beta: float) -> Loss:
    return grpo_loss(
        beta,
        settings.kl,
        low=settings.epsilon,
        high=_epsilon_high(settings),
        cap=settings.importance_cap,
        surrogate=settings.surrogate,
        correction=settings.importance,
    )


def _epsilon_high(settings: RL) -> float:
    return settings.epsilon if settings.epsilon_high is None else settings.epsilon_high


# ---- Likelihood: SFT, RFT and Online RFT -------------------------------------------------------------------------


def rejection_rows(groups: list[Group], settings: RL, scorers: Scorers) -> list[Row]:
    """Right outputs with weight 1, wrong ones with 0: these stay in the denominator and out of the batch.

    With a KL term, which acts on them too, they are in the batch, and the column "right" tells them apart.
    """
    if _has_kl(settings):
        outputs = [output for output in outputs_of_step(groups, settings) if output.weight]
        rows = [
            output_row(
                output.group,
                output.index,
                weight=output.weight,
                right=float(output.group.right[output.index]),
            )
            for output in outputs
        ]
        # Without a right output the KL term alone would only undo what was learnt.
        has_right = any(output.group.right[output.index] for output in outputs)
        return _add_reference(rows, scorers) if has_right else []

    rows = []
    for output in outputs_of_step(groups, settings):
        is_right = output.group.right[output.index]
        if is_right and output.group.samples[output.index].ids:
            rows.append(output_row(output.group, output.index, weight=output.weight))
    return rows


def solution_rows(groups: list[Group], settings: RL, scorers: Scorers) -> list[Row]:
    """Worked solutions, all with weight 1."""
    return [
        output_row(output.group, output.index, weight=output.weight)
        for output in outputs_of_step(groups, settings)
    ]


def _has_kl(settings: RL) -> bool:
    return settings.likelihood_kl and settings.beta > 0


def _likelihood(settings: RL) -> Loss:
    return likelihood_loss


def _rejection(settings: RL) -> Loss:
    if _has_kl(settings):
        return likelihood_kl_loss(settings.beta, settings.kl)
    return likelihood_loss


# ---- PPO ---------------------------------------------------------------------------------------------------------


def ppo_rows(groups: list[Group], settings: RL, scorers: Scorers) -> list[Row]:
    """Generalised advantages from the value model; the KL term is in every token's reward, the outcome in the last.

    Eq. 2, with the sampling policy in the numerator of the KL: with one update per rollout it is the current one. The
    column "returns" is what the value model learns.
    """
    if scorers.values is None:
        raise ValueError("method ppo: needs a value model")

    outputs = list(outputs_of_step(groups, settings))
    rows = []
    for output in outputs:
        old_log_probs = np.array(output.group.samples[output.index].logprobs)
        rows.append(
            output_row(
                output.group, output.index, weight=output.weight, old_log_probs=old_log_probs
            )
        )
    add_model_columns(rows, settings, scorers)

    # Outputs and rows run in parallel: none is left out here.
    for output, row, values in zip(outputs, rows, scorers.values(rows), strict=True):
        rewards = np.zeros(int(row.loss_mask.sum()))
        if settings.beta > 0:
            log_ratio = row.columns["old_log_probs"] - row.columns["ref_log_probs"]
            rewards -= settings.beta * log_ratio[row.loss_mask]
        rewards[-1:] += output.group.rewards[output.index]  # a slice: an output may have no tokens

        advantages, returns = generalised_advantages(
            rewards,
            values[row.loss_mask].astype(np.float64),
            settings.ppo.gamma,
            settings.ppo.gae_lambda,
        )
        output.group.advantages.append(advantages)

        # Both become columns over all ids of the row.
        for name, column in (("advantage", advantages), ("returns", returns)):
            row.columns[name] = np.zeros(len(row), dtype=np.float32)
            row.columns[name][row.loss_mask] = column
    return rows


def _ppo(settings: RL) -> Loss:
    """As GRPO without its KL term, which is in the reward."""
    return _policy_loss(settings, 0.0)


# ---- DPO ---------------------------------------------------------------------------------------------------------


def preference_rows(groups: list[Group], settings: RL, scorers: Scorers) -> list[Row]:
    """Pairs of a right and a wrong output of one question, each with its coefficient of Eq. 13 as weight.

    The margin is computed with the current weights before the update, so the gradient is that of the DPO loss itself.
    """
    rows: list[Row] = []
    for group in groups:
        for right, wrong in _pairs(group):
            rows += [output_row(group, right), output_row(group, wrong)]
    if not rows:
        return []
    pairs = len(rows) // 2

    policy_log_probs, ref_log_probs = scorers.policy(rows), scorers.reference(rows)
    log_ratios = [
        (policy - reference).sum(dtype=np.float64)
        for policy, reference in zip(policy_log_probs, ref_log_probs, strict=True)
    ]
    lengths = np.array([row.loss_mask.sum() for row in rows], dtype=np.float64)
    divisor = lengths if settings.dpo.form == "mean" else np.ones_like(lengths)

    # Rows alternate: right, wrong, right, wrong, ...
    normalised = np.array(log_ratios) / divisor
    margins = normalised[0::2] - normalised[1::2]
    # The mean over pairs is the loss, hence the division.
    coefficients = dpo_coefficient(torch.from_numpy(margins), settings.dpo.weight).numpy() / pairs

    for place, row in enumerate(rows):
        sign = 1.0 if place % 2 == 0 else -1.0
        weight = sign * coefficients[place // 2] / divisor[place]
        row.columns["weight"] = (row.loss_mask * weight).astype(np.float32)
    return rows


def _pairs(group: Group) -> list[tuple[int, int]]:
    """The k-th right output meets the k-th wrong one; what has no partner, or no tokens, is left out."""
    usable = [index for index, sample in enumerate(group.samples) if sample.ids]
    right = [index for index in usable if group.right[index]]
    wrong = [index for index in usable if not group.right[index]]
    return list(zip(right, wrong, strict=False))


METHODS = {
    "sft": Method("solutions", solution_rows, _likelihood),
    "rft": Method("initial", rejection_rows, _rejection),
    "online_rft": Method("current", rejection_rows, _rejection),
    "dpo": Method("initial", preference_rows, _likelihood),
    "ppo": Method("current", ppo_rows, _ppo),
    "grpo_outcome": Method("current", grpo_outcome_rows, _grpo),
    "grpo_process": Method("current", grpo_process_rows, _grpo),
}
