"""Micro-batches in which a prompt is computed once for all its answers, forwards and backwards.

G samples of one question share their prompt; a padded batch computes it G times. Here a prompt runs through the model
once, its keys and values go to every answer (their gradients come back summed), and only answers are computed G
times: with prompts of 45 tokens and answers of 20, G = 16, that is 2.8 times fewer tokens. The numbers are those of
`pipeline.forward.log_probs.token_log_probs`, up to the order of sums. This module computes them by transformers' own
modules, padded; pipeline.forward.fused_shared_prefix is the faster way where it may stand in.

Shapes: Q prompts of padded length P, R answers of padded length A, N target tokens, H hidden.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from pipeline.forward.batches import Row, target_columns, target_ids, target_positions
from pipeline.forward.log_probs import target_log_probs


@dataclass(slots=True)
class SharedPrefixBatch:
    """Rows with few different prompts. `columns` and `targets` list the target tokens row by row, in order."""

    rows: list[int]  # which rows of the given list, in the batch's order
    prompts: Tensor  # int64 [Q, P], padded on the right
    prompt_lengths: Tensor  # int64 [Q]
    answers: Tensor  # int64 [R, A], padded on the right; without each row's last token: it predicts nothing
    answer_lengths: Tensor  # int64 [R]
    owners: Tensor  # int64 [R]: which prompt an answer continues
    predictors: Tensor  # int64 [N]: index into the Q prompts' last positions and, behind them, all R x A positions
    targets: Tensor  # int64 [N]
    columns: dict[str, Tensor]  # float32 [N]

    @property
    def tokens(self) -> int:
        """Tokens that are computed, padding included."""
        return self.prompts.numel() + self.answers.numel()


def shared_prefix_batches(
    rows: Sequence[Row], max_tokens: int, device: torch.device | str = "cpu", *, padded: bool = True
) -> Iterator[SharedPrefixBatch]:
    """Cut rows into micro-batches of at most about `max_tokens` tokens, an even number of about equal ones.

    `padded` says whether padding counts among those. A row's prompt is everything before its first target. A prompt
    with more answers than fit is computed once for each part of them. Rows without targets are left out.
    """
    groups = _rows_by_prompt(rows)
    parts = [part for group in groups for part in _parts(rows, group, max_tokens, padded)]
    costs = [_cost(rows, part, padded) for part in parts]

    count = -(-sum(costs) // max_tokens)
    if count > 1:
        count += count % 2  # cores work on micro-batches side by side

    batch: list[list[int]] = []
    filled = done = 0
    for part, cost in zip(parts, costs, strict=True):
        batch.append(part)
        filled += cost
        # Integers: filled >= the share of all costs that `done + 1` of `count` micro-batches have.
        if filled * count >= sum(costs) * (done + 1):
            yield _collate(rows, batch, device)
            batch, done = [], done + 1
    if batch:
        yield _collate(rows, batch, device)


def token_log_probs(
    model: PreTrainedModel, batch: SharedPrefixBatch, temperature: float = 1.0
) -> Tensor:
    """Log-probabilities [N] (fp32) of the batch's target tokens at `temperature`, in the batch's order."""
    device = batch.prompt_lengths.device
    prompt = model.base_model(input_ids=batch.prompts, use_cache=True)
    questions = torch.arange(len(batch.prompt_lengths), device=device)
    last_QH = prompt.last_hidden_state[questions, batch.prompt_lengths - 1]

    cache = DynamicCache(config=model.config)
    for index, layer in enumerate(prompt.past_key_values.layers):
        cache.update(layer.keys[batch.owners], layer.values[batch.owners], index)

    lengths = batch.prompt_lengths[batch.owners, None]
    steps = torch.arange(batch.answers.shape[1], device=device)
    hidden_RAH = model.base_model(
        input_ids=batch.answers,
        position_ids=lengths + steps,
        attention_mask=_answer_mask(batch, lengths, steps),
        past_key_values=cache,
        use_cache=True,
    ).last_hidden_state

    hidden_NH = torch.cat([last_QH, hidden_RAH.flatten(0, 1)])[batch.predictors]
    return target_log_probs(model, hidden_NH, batch.targets, temperature)


def _answer_mask(batch: SharedPrefixBatch, lengths: Tensor, steps: Tensor) -> Tensor:
    """Additive mask [R, 1, A, P + A]: an answer sees its own prompt without padding, and itself up to each token."""
    places = torch.arange(batch.prompts.shape[1], device=lengths.device)
    unseen_prompt = (places >= lengths)[:, None].expand(-1, len(steps), -1)
    unseen_answer = (steps > steps[:, None]).expand(len(lengths), -1, -1)
    unseen = torch.cat([unseen_prompt, unseen_answer], -1)[:, None]

    # A boolean 4-D mask is read in another sense by the eager attention; an additive one means the same everywhere.
    mask = torch.zeros(unseen.shape, device=lengths.device)
    return mask.masked_fill_(unseen, torch.finfo(torch.float32).min)


def _rows_by_prompt(rows: Sequence[Row]) -> list[list[int]]:
    """Indices of the rows that have targets, grouped by prompt, short prompts first."""
    groups: dict[bytes, list[int]] = {}
    for index, row in enumerate(rows):
        where = target_positions(row)
        if len(where):
            prompt = row.input_ids[: where[0]].tobytes()
            groups.setdefault(prompt, []).append(index)
    return sorted(groups.values(), key=lambda group: (_prompt_length(rows[group[0]]), group[0]))


def _parts(
    rows: Sequence[Row], group: list[int], max_tokens: int, padded: bool
) -> Iterator[list[int]]:
    """Cut the rows of one prompt, sorted by length, into parts within the budget."""
    part: list[int] = []
    for index in sorted(group, key=lambda i: (len(rows[i]), i)):
        if part and _cost(rows, [*part, index], padded) > max_tokens:
            yield part
            part = []
        part.append(index)
    yield part


def _cost(rows: Sequence[Row], part: list[int], padded: bool) -> int:
    """Tokens that a part of one prompt's rows computes; `padded`: answers count as long as the longest."""
    prompt = _prompt_length(rows[part[0]])
    answers = [len(rows[i]) - prompt for i in part]
    if padded:
        return prompt + len(part) * max(answers)
    return prompt + sum(answers)


def _prompt_length(row: Row) -> int:
    return int(target_positions(row)[0])


def _collate(
    rows: Sequence[Row], groups: list[list[int]], device: torch.device | str
) -> SharedPrefixBatch:
    """One batch of `groups`, each of which holds the indices of one prompt's rows."""
    prompt_lengths = [_prompt_length(rows[group[0]]) for group in groups]
    prompts = np.zeros((len(groups), max(prompt_lengths)), dtype=np.int64)
    for place, group in enumerate(groups):
        length = prompt_lengths[place]
        prompts[place, :length] = rows[group[0]].input_ids[:length]

    order = [index for group in groups for index in group]
    owners = [place for place, group in enumerate(groups) for _ in group]
    answer_inputs = [
        rows[index].input_ids[prompt_lengths[owner] : -1]
        for index, owner in zip(order, owners, strict=True)
    ]
    answer_lengths = [len(ids) for ids in answer_inputs]
    width = max(1, *answer_lengths)
    answers = np.zeros((len(order), width), dtype=np.int64)
    for place, ids in enumerate(answer_inputs):
        answers[place, : len(ids)] = ids

    predictors = []
    for place, (index, owner) in enumerate(zip(order, owners, strict=True)):
        # The position before a target, counted in the answer; -1: the prompt's last one predicts the first token.
        before = target_positions(rows[index]) - prompt_lengths[owner] - 1
        inside = len(groups) + place * width + before
        predictors.append(np.where(before < 0, owner, inside))

    return SharedPrefixBatch(
        rows=order,
        prompts=torch.from_numpy(prompts).to(device),
        prompt_lengths=torch.tensor(prompt_lengths, device=device),
        answers=torch.from_numpy(answers).to(device),
        answer_lengths=torch.tensor(answer_lengths, device=device),
        owners=torch.tensor(owners, device=device),
        predictors=torch.from_numpy(np.concatenate(predictors)).to(device),
        targets=target_ids(rows, order, device),
        columns=target_columns(rows, order, device),
    )
