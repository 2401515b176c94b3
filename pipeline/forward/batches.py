"""Rows of token ids, micro-batches of rows, and a number for each of their scored tokens: its log-probability.

A training method (language modelling, SFT, RFT, GRPO, PPO, DPO) turns its data into rows and per-token columns;
everything below and the optimiser step are the same for all of them.

Shapes: T tokens of a row, B rows of a micro-batch, L its padded length, N its scored tokens, H hidden, V vocabulary.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint
from transformers import PreTrainedModel

from pipeline.forward.row_attention import Spread, attends_by_rows, spread_of, whole_mask
from pipeline.model import distributed
from pipeline.model.load import autocast
from pipeline.model.threads import ordered_map

LOGITS_AT_ONCE = 2**24
"""Numbers of logits that may exist at a time (64 MiB in fp32); more are computed in chunks of tokens."""


@dataclass(slots=True)
class Row:
    """One sequence. `scored[t]` says that token t is a target (given the tokens before it); t = 0 never is.

    `columns` holds per-token numbers for the loss (weight, advantage, old and reference log-probabilities), aligned
    with `ids`; only the values at scored positions are used.
    """

    ids: np.ndarray  # int32 [T]
    scored: np.ndarray  # bool [T]
    columns: dict[str, np.ndarray] = field(default_factory=dict)  # float32 [T]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(slots=True)
class MicroBatch:
    """Rows made one tensor. `columns`, `targets` and `token_logprobs` list the scored tokens row by row, in order."""

    rows: list[int]  # which rows of the given list, in the batch's order
    ids: torch.Tensor  # int64 [B, L]
    positions: torch.Tensor | None  # int64 [1, L]: packed rows restart at 0; None when padded
    predictors: (
        torch.Tensor
    )  # int64 [N]: flat index of the position whose output predicts the scored token
    targets: torch.Tensor  # int64 [N]
    columns: dict[str, torch.Tensor]  # float32 [N]
    spread: Spread | None = None  # of packed rows

    @property
    def tokens(self) -> int:
        return self.ids.numel()


def micro_batches(
    rows: Sequence[Row],
    max_tokens: int,
    *,
    packed: bool = False,
    device: torch.device | str = "cpu",
) -> Iterator[MicroBatch]:
    """Cut rows into even micro-batches of at most `max_tokens` tokens, padding counted (a row may exceed it alone).

    Padded: rows sorted by length, padded on the right; causal attention makes a mask needless, since no scored token
    sees a pad. Packed: rows laid end to end in one sequence with positions that restart; no row attends to another
    (pipeline.forward.row_attention; other implementations get a block-diagonal mask from transformers, or
    variable-length flash
    attention). Rows of one length have no padding to save and are never packed. Rows without scored tokens are left
    out: they add nothing to any loss; so does a row's last token, which predicts nothing.
    """
    useful = [i for i, row in enumerate(rows) if row.scored[1:].any()]
    packed = packed and len({len(rows[i]) for i in useful}) > 1
    useful.sort(key=lambda i: (len(rows[i]), i))
    for group in _even_groups(useful, [len(row) - 1 for row in rows], max_tokens, packed):
        yield _collate(rows, group, packed, device)


def token_logprobs(
    model: PreTrainedModel, batch: MicroBatch, temperature: float = 1.0
) -> torch.Tensor:
    """Log-probabilities [N] (fp32) of the batch's scored tokens at `temperature`, in the batch's order.

    The output layer runs over scored positions only; where the logits would be large they are computed in chunks and
    again in the backward pass, so that N x V numbers never exist at once.
    """
    return target_logprobs(model, predicting_states(model, batch), batch.targets, temperature)


def predicting_states(model: PreTrainedModel, batch: MicroBatch) -> torch.Tensor:
    """Final hidden states [N, H] at the positions before the scored tokens."""
    packing = {"attention_mask": None}
    if batch.spread is not None and attends_by_rows(model):
        packing = {"attention_mask": whole_mask(batch.ids.device), "row_spread": batch.spread}
    # use_cache=False matters: with a cache transformers ignores restarting positions and packed rows leak.
    hidden_BLH = model.base_model(
        input_ids=batch.ids, position_ids=batch.positions, use_cache=False, **packing
    ).last_hidden_state
    return hidden_BLH.flatten(0, 1)[batch.predictors]


def target_logprobs(
    model: PreTrainedModel, hidden_NH: torch.Tensor, targets_N: torch.Tensor, temperature: float
) -> torch.Tensor:
    """Log-probabilities [N] of the targets from the final hidden states that predict them."""
    head = model.get_output_embeddings()
    return in_chunks(_score, hidden_NH, targets_N, head, head.weight.shape[0], temperature)


def in_chunks(
    score: Callable[..., torch.Tensor],
    hidden_NH: torch.Tensor,
    targets_N: torch.Tensor,
    head: Any,
    words: int,
    *more,
) -> torch.Tensor:
    """`score(hidden, targets, head, *more)` of a vocabulary of `words`, with few logits at a time."""
    chunk = max(1, LOGITS_AT_ONCE // words)
    if len(targets_N) <= chunk:
        return score(hidden_NH, targets_N, head, *more)
    scores = [
        checkpoint(score, hidden, targets, head, *more, use_reentrant=False)
        for hidden, targets in zip(hidden_NH.split(chunk), targets_N.split(chunk), strict=True)
    ]
    return torch.cat(scores)


@dataclass(frozen=True)
class Layout:
    """How rows become micro-batches, `cut(rows, max_tokens, device=...)`, and how these are computed.

    `score(model, batch, temperature)` gives a number [N] for each scored token: its log-probability, or for a model
    with one output a token (rl.score_model) that output at the position before it.
    """

    cut: Callable[..., Iterator[Any]]
    score: Callable[[PreTrainedModel, Any, float], torch.Tensor]


def layout_of(packed: bool) -> Layout:
    """Rows on their own: padded to the same length, or laid end to end."""
    return Layout(partial(micro_batches, packed=packed), token_logprobs)


def row_logprobs(
    model: PreTrainedModel,
    rows: Sequence[Row],
    max_tokens: int,
    *,
    temperature: float = 1.0,
    packed: bool = False,
    precision: str = "auto",
    layout: Layout | None = None,
) -> list[np.ndarray]:
    """For each row float32 [T]: the log-probability of every scored token, 0 elsewhere (for old and reference).

    A `layout` may compute another number for each scored token.
    """
    layout = layout or layout_of(packed)
    results = [np.zeros(len(row), dtype=np.float32) for row in rows]
    sharded = distributed.is_sharded(model)

    def score(batch: MicroBatch) -> tuple[MicroBatch, np.ndarray]:
        with torch.no_grad(), autocast(precision):  # both belong to a thread
            return batch, distributed.run(layout.score, model, batch, temperature).cpu().numpy()

    batches = layout.cut(rows, max_tokens, device=model.device)
    if sharded:
        batches = list(batches)
        for filler in filler_batches(layout, len(batches), model.device):
            score(filler)
    side_by_side = model.device.type == "cpu" and not sharded
    for batch, values in ordered_map(score, batches) if side_by_side else map(score, batches):
        start = 0
        for index in batch.rows:
            where = scored_positions(rows[index])
            results[index][where] = values[start : start + len(where)]
            start += len(where)
    distributed.release(model)
    return results


def filler_batches(layout: Layout, count: int, device: torch.device) -> list[Any]:
    """Micro-batches without meaning for a process that has fewer than others: all must gather weights equally often.

    `count` is how many this process has.
    """
    missing = distributed.most(count) - count
    nothing = Row(np.zeros(2, dtype=np.int32), np.array([False, True]))
    return list(layout.cut([nothing], 2, device=device)) * missing


def scored_positions(row: Row) -> np.ndarray:
    """Indices of the row's scored tokens; the first token has nothing before it and never counts."""
    where = np.flatnonzero(row.scored)
    return where[where > 0]


def _score(
    hidden_NH: torch.Tensor, targets_N: torch.Tensor, head: torch.nn.Module, temperature: float
) -> torch.Tensor:
    logits_NV = head(hidden_NH).float()
    if temperature != 1.0:
        logits_NV = logits_NV / temperature
    return -F.cross_entropy(logits_NV, targets_N, reduction="none")


def _even_groups(
    order: list[int], lengths: list[int], max_tokens: int, packed: bool
) -> list[list[int]]:
    """Cut `order` into runs within the budget: about as few as can be, but an even number of even size.

    Cores work on micro-batches side by side (pipeline.model.threads); one large and one small would leave one core
    idle.
    """
    groups = _fill(order, lengths, max_tokens, packed)
    wanted = len(groups) + len(groups) % 2 if len(groups) > 1 else 1
    low, high = 1, max_tokens
    while low < high:
        middle = (low + high) // 2
        tried = _fill(order, lengths, middle, packed)
        if len(tried) <= wanted:
            groups, high = tried, middle
        else:
            low = middle + 1
    return groups


def _fill(order: list[int], lengths: list[int], max_tokens: int, packed: bool) -> list[list[int]]:
    """Cut `order` into runs, each of as many rows as the budget holds."""
    groups: list[list[int]] = []
    longest = total = 0
    for i in order:
        longest, total = max(longest, lengths[i]), total + lengths[i]
        if groups and (total if packed else (len(groups[-1]) + 1) * longest) <= max_tokens:
            groups[-1].append(i)
        else:
            groups.append([i])
            longest = total = lengths[i]
    return groups


def _collate(
    rows: Sequence[Row], group: list[int], packed: bool, device: torch.device | str
) -> MicroBatch:
    lengths = [len(rows[i]) - 1 for i in group]
    wheres = [scored_positions(rows[i]) for i in group]
    positions = None
    if packed:
        ids = np.concatenate([rows[i].ids[:-1] for i in group]).astype(np.int64)[None]
        starts = np.cumsum([0, *lengths[:-1]])
        positions = torch.from_numpy(np.concatenate([np.arange(n) for n in lengths])[None]).to(
            device
        )
    else:
        width = max(lengths)
        ids = np.zeros((len(group), width), dtype=np.int64)
        for b, i in enumerate(group):
            ids[b, : lengths[b]] = rows[i].ids[:-1]
        starts = np.arange(len(group)) * width
    predictors = np.concatenate(
        [start + where - 1 for start, where in zip(starts, wheres, strict=True)]
    )
    targets = np.concatenate([rows[i].ids[where] for i, where in zip(group, wheres, strict=True)])
    columns = {
        name: np.concatenate(
            [rows[i].columns[name][where] for i, where in zip(group, wheres, strict=True)]
        )
        for name in rows[group[0]].columns
    }
    return MicroBatch(
        rows=group,
        ids=torch.from_numpy(ids).to(device),
        positions=positions,
        predictors=torch.from_numpy(predictors.astype(np.int64)).to(device),
        targets=torch.from_numpy(targets.astype(np.int64)).to(device),
        columns={
            name: torch.from_numpy(v.astype(np.float32)).to(device) for name, v in columns.items()
        },
        spread=spread_of(lengths, device) if packed else None,
    )
