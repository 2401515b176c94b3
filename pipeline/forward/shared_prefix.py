"""Micro-batches in which a prompt is computed once for all its answers, forwards and backwards.

G samples of one question share their prompt; a padded batch computes it G times. Here a prompt runs through the model
once, its keys and values go to every answer (their gradients come back summed), and only answers are computed G
times: with prompts of 45 tokens and answers of 20, G = 16, that is 2.8 times fewer tokens. Same numbers as
`pipeline.forward.batches.token_logprobs`, up to the order of sums. `shared_layout(model)` picks how a batch is
computed: end to
end by pipeline.forward.fused_llama where that may stand in, else padded by transformers' own modules.

Shapes: Q prompts of padded length P, R answers of padded length A, N scored tokens, H hidden.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from transformers import DynamicCache, PreTrainedModel

from pipeline.forward import fused_llama
from pipeline.forward.batches import Layout, Row, scored_positions, target_logprobs
from pipeline.forward.fused_packed import compute_dtype


@dataclass(slots=True)
class PromptBatch:
    """Rows with few different prompts. `columns` and `targets` list the scored tokens row by row, in order."""

    rows: list[int]  # which rows of the given list, in the batch's order
    prompts: torch.Tensor  # int64 [Q, P], padded on the right
    lengths: torch.Tensor  # int64 [Q]
    answers: (
        torch.Tensor
    )  # int64 [R, A], padded on the right, without each row's last token: it predicts nothing
    answer_lengths: torch.Tensor  # int64 [R]
    owners: torch.Tensor  # int64 [R]: which prompt an answer continues
    predictors: (
        torch.Tensor
    )  # int64 [N]: index into the Q prompts' last positions followed by all R x A positions
    targets: torch.Tensor  # int64 [N]
    columns: dict[str, torch.Tensor]  # float32 [N]

    @property
    def tokens(self) -> int:
        return self.prompts.numel() + self.answers.numel()


def prompt_batches(
    rows: Sequence[Row], max_tokens: int, device: torch.device | str = "cpu", *, padded: bool = True
) -> Iterator[PromptBatch]:
    """Cut rows into micro-batches of at most about `max_tokens` tokens, an even number of about equal ones.

    `padded` says whether padding counts among those. A row's prompt is everything before its first scored token. A
    prompt with more answers than fit is computed once for each part. Rows without scored tokens are left out.
    """
    groups: dict[bytes, list[int]] = {}
    for index, row in enumerate(rows):
        where = scored_positions(row)
        if len(where):
            groups.setdefault(row.ids[: where[0]].tobytes(), []).append(index)
    ordered = sorted(groups.values(), key=lambda group: (_prompt_length(rows[group[0]]), group[0]))
    parts = [part for group in ordered for part in _parts(rows, group, max_tokens, padded)]
    costs = [_cost(rows, part, padded) for part in parts]
    count = -(-sum(costs) // max_tokens)
    count += count % 2 if count > 1 else 0
    batch: list[list[int]] = []
    filled = done = 0
    for part, cost in zip(parts, costs, strict=True):
        batch.append(part)
        filled += cost
        if filled * count >= sum(costs) * (done + 1):
            yield _collate(rows, batch, device)
            batch, done = [], done + 1
    if batch:
        yield _collate(rows, batch, device)


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
    if not padded:
        return prompt + sum(len(rows[i]) - prompt for i in part)
    return prompt + len(part) * (max(len(rows[i]) for i in part) - prompt)


def prompt_logprobs(
    model: PreTrainedModel, batch: PromptBatch, temperature: float = 1.0
) -> torch.Tensor:
    """Log-probabilities [N] (fp32) of the batch's scored tokens at `temperature`, in the batch's order."""
    prompt = model.base_model(input_ids=batch.prompts, use_cache=True)
    last_QH = prompt.last_hidden_state[
        torch.arange(len(batch.lengths), device=batch.lengths.device), batch.lengths - 1
    ]
    cache = DynamicCache(config=model.config)
    for index, layer in enumerate(prompt.past_key_values.layers):
        cache.update(layer.keys[batch.owners], layer.values[batch.owners], index)
    lengths = batch.lengths[batch.owners, None]
    steps = torch.arange(batch.answers.shape[1], device=lengths.device)
    hidden_RAH = model.base_model(
        input_ids=batch.answers,
        position_ids=lengths + steps,
        attention_mask=_mask(batch, lengths, steps),
        past_key_values=cache,
        use_cache=True,
    ).last_hidden_state
    hidden_NH = torch.cat([last_QH, hidden_RAH.flatten(0, 1)])[batch.predictors]
    return target_logprobs(model, hidden_NH, batch.targets, temperature)


def lean_logprobs(
    model: PreTrainedModel, batch: PromptBatch, temperature: float = 1.0
) -> torch.Tensor:
    """The same as `prompt_logprobs`, all tokens end to end; in bf16 where that is the surrounding autocast's type."""
    dtype = compute_dtype()
    questions, in_prompts = len(batch.lengths), int(batch.lengths.sum())
    with torch.autocast("cpu", enabled=False):
        plan = fused_llama.plan_of(batch.lengths, batch.answer_lengths, batch.owners, dtype)
        ids = torch.cat(
            [batch.prompts.flatten()[plan.prompt_back], batch.answers.flatten()[plan.answer_back]]
        )
        # `predictors` count the prompts' last positions and padded answers; here all real tokens stand end to end
        place = torch.zeros(questions + batch.answers.numel(), dtype=torch.long)
        place[:questions] = batch.lengths.cumsum(0) - 1
        place[questions + plan.answer_back] = torch.arange(in_prompts, len(ids))
        attend = partial(fused_llama.attend_shared, plan)
        # Nearly every token is wanted, and a product of bf16 is prepared anew (time, memory) for each number of rows.
        hidden = fused_llama.final_hidden(model, ids, plan.positions, attend, None, dtype)[
            place[batch.predictors]
        ]
        return fused_llama.target_logprobs(model, hidden, batch.targets, temperature, dtype)


SHARED_PROMPTS = Layout(prompt_batches, prompt_logprobs)
LEAN_SHARED_PROMPTS = Layout(partial(prompt_batches, padded=False), lean_logprobs)


def shared_layout(model: PreTrainedModel) -> Layout:
    """The faster layout that `model` allows."""
    return LEAN_SHARED_PROMPTS if fused_llama.supports(model) else SHARED_PROMPTS


def _mask(batch: PromptBatch, lengths: torch.Tensor, steps: torch.Tensor) -> torch.Tensor:
    """Additive mask [R, 1, A, P + A]: an answer sees its own prompt without padding, and itself up to each token."""
    columns = torch.arange(batch.prompts.shape[1], device=lengths.device)
    blind_to_prompt = (columns >= lengths)[:, None].expand(-1, len(steps), -1)
    blind_to_answer = (steps > steps[:, None]).expand(len(lengths), -1, -1)
    blind = torch.cat([blind_to_prompt, blind_to_answer], -1)[:, None]
    # A boolean 4-D mask is read in another sense by the eager attention; an additive one means the same everywhere.
    return torch.zeros(blind.shape, device=lengths.device).masked_fill_(
        blind, torch.finfo(torch.float32).min
    )


def _prompt_length(row: Row) -> int:
    return int(scored_positions(row)[0])


def _collate(
    rows: Sequence[Row], groups: list[list[int]], device: torch.device | str
) -> PromptBatch:
    lengths = [_prompt_length(rows[group[0]]) for group in groups]
    order = [index for group in groups for index in group]
    owners = [place for place, group in enumerate(groups) for _ in group]
    answer_lengths = [
        len(rows[i]) - lengths[owner] - 1 for i, owner in zip(order, owners, strict=True)
    ]
    prompts = np.zeros((len(groups), max(lengths)), dtype=np.int64)
    for place, group in enumerate(groups):
        prompts[place, : lengths[place]] = rows[group[0]].ids[: lengths[place]]
    answers = np.zeros((len(order), max(1, *answer_lengths)), dtype=np.int64)
    predictors, wheres = [], [scored_positions(rows[i]) for i in order]
    for place, (index, owner) in enumerate(zip(order, owners, strict=True)):
        answers[place, : answer_lengths[place]] = rows[index].ids[lengths[owner] : -1]
        before = (
            wheres[place] - lengths[owner] - 1
        )  # -1: the prompt's last position predicts the first answer token
        inside = len(groups) + place * answers.shape[1] + before
        predictors.append(np.where(before < 0, owner, inside))
    columns = {
        name: np.concatenate(
            [rows[i].columns[name][where] for i, where in zip(order, wheres, strict=True)]
        )
        for name in rows[order[0]].columns
    }
    targets = np.concatenate([rows[i].ids[where] for i, where in zip(order, wheres, strict=True)])
    return PromptBatch(
        rows=order,
        prompts=torch.from_numpy(prompts).to(device),
        lengths=torch.tensor(lengths, device=device),
        answers=torch.from_numpy(answers).to(device),
        answer_lengths=torch.tensor(answer_lengths, device=device),
        owners=torch.tensor(owners, device=device),
        predictors=torch.from_numpy(np.concatenate(predictors)).to(device),
        targets=torch.from_numpy(targets.astype(np.int64)).to(device),
        columns={
            name: torch.from_numpy(v.astype(np.float32)).to(device) for name, v in columns.items()
        },
    )
