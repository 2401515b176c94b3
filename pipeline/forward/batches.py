"""Rows of token ids with a loss mask and per-token columns, and how they are cut into micro-batches.

A training method (language modelling, SFT, RFT, GRPO, PPO, DPO) turns its data into rows and per-token columns;
everything behind that and the optimiser step are the same for all of them.

Shapes: T tokens of a row, B rows of a micro-batch, L its padded length, N its target tokens.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from pipeline.forward.ragged import RaggedRows, ragged_rows


@dataclass(slots=True)
class Row:
    """One sequence. `loss_mask[t]` says that token t is a target (given the tokens before it); t = 0 never is.

    `columns` holds per-token numbers for the loss (weight, advantage, old and reference log-probabilities), aligned
    with `input_ids`; only the values at targets are used.
    """

    input_ids: np.ndarray  # int32 [T]
    loss_mask: np.ndarray  # bool [T]
    columns: dict[str, np.ndarray] = field(default_factory=dict)  # float32 [T]

    def __len__(self) -> int:
        return len(self.input_ids)


@dataclass(slots=True)
class MicroBatch:
    """Rows made one tensor. `columns` and `targets` list the target tokens row by row, in the order of `rows`."""

    rows: list[int]  # which rows of the given list, in the batch's order
    input_ids: torch.Tensor  # int64 [B, L]; packed rows: [1, L]
    position_ids: torch.Tensor | None  # int64 [1, L]: packed rows restart at 0; None when padded
    predictors: torch.Tensor  # int64 [N]: flat index of the position whose output predicts a target
    targets: torch.Tensor  # int64 [N]
    columns: dict[str, torch.Tensor]  # float32 [N]
    ragged: RaggedRows | None = None  # of packed rows

    @property
    def tokens(self) -> int:
        """Tokens that are computed, padding included."""
        return self.input_ids.numel()


def target_positions(row: Row) -> np.ndarray:
    """Indices of the row's target tokens; the first token has nothing before it and never is one."""
    where = np.flatnonzero(row.loss_mask)
    return where[where > 0]


# Language modelling: contexts of a token stream.


def context_rows(
    contexts: list[np.ndarray], bos: int, attend_across_documents: bool = True
) -> list[Row]:
    """Rows whose language-modelling losses add up to the mean over all their targets.

    `contexts` are int32 id arrays cut from a stream of documents, each of which begins with `bos`. Unless a token may
    attend to earlier documents, a context falls into one row a document.
    """
    pieces = contexts
    if not attend_across_documents:
        pieces = [piece for ids in contexts for piece in _documents(ids, bos)]

    rows = [Row(ids, np.arange(len(ids)) > 0) for ids in pieces]

    total = max(1, sum(len(ids) - 1 for ids in pieces))
    for row in rows:
        row.columns["weight"] = np.full(len(row), 1 / total, dtype=np.float32)
    return rows


def _documents(ids: np.ndarray, bos: int) -> list[np.ndarray]:
    return [piece for piece in np.split(ids, np.flatnonzero(ids == bos)) if len(piece)]


# Micro-batches.


def micro_batches(
    rows: Sequence[Row],
    max_tokens: int,
    *,
    packed: bool = False,
    device: torch.device | str = "cpu",
) -> Iterator[MicroBatch]:
    """Cut rows into even micro-batches of at most `max_tokens` tokens, padding counted (a row may exceed it alone).

    Padded: rows sorted by length, padded on the right; causal attention makes a mask needless, since no target sees a
    pad. Packed: rows laid end to end in one sequence with positions that restart; no row attends to another
    (pipeline.forward.row_attention; other implementations get a block-diagonal mask from transformers, or
    variable-length flash attention). Rows of one length have no padding to save and are never packed. Rows without
    targets are left out: they add nothing to any loss; so does a row's last token, which predicts nothing.
    """
    useful = [i for i, row in enumerate(rows) if row.loss_mask[1:].any()]
    packed = packed and len({len(rows[i]) for i in useful}) > 1
    useful.sort(key=lambda i: (len(rows[i]), i))

    lengths = [len(row) - 1 for row in rows]
    for group in _even_groups(useful, lengths, max_tokens, packed):
        yield _collate(rows, group, packed, device)


def _even_groups(
    order: list[int], lengths: list[int], max_tokens: int, packed: bool
) -> list[list[int]]:
    """Cut `order` into runs within the budget: about as few as can be, but an even number of even size.

    Cores work on micro-batches side by side (pipeline.model.threads); one large and one small would leave one core
    idle.
    """
    groups = _fill(order, lengths, max_tokens, packed)
    wanted = 1
    if len(groups) > 1:
        wanted = len(groups) + len(groups) % 2

    # The smallest budget that still gives `wanted` groups makes them the most even.
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
        fits = False
        if groups:
            tokens = total if packed else (len(groups[-1]) + 1) * longest
            fits = tokens <= max_tokens

        if fits:
            groups[-1].append(i)
        else:
            groups.append([i])
            longest = total = lengths[i]
    return groups


def _collate(
    rows: Sequence[Row], group: list[int], packed: bool, device: torch.device | str
) -> MicroBatch:
    # A row's last token predicts nothing and is left out of the input.
    inputs = [rows[i].input_ids[:-1] for i in group]
    lengths = [len(ids) for ids in inputs]

    ragged = position_ids = None
    if packed:
        input_ids = np.concatenate(inputs).astype(np.int64)[None]
        starts = np.cumsum([0, *lengths[:-1]])
        ragged = ragged_rows(lengths, device=device)
        position_ids = ragged.positions[None]
    else:
        width = max(lengths)
        input_ids = np.zeros((len(group), width), dtype=np.int64)
        for place, ids in enumerate(inputs):
            input_ids[place, : len(ids)] = ids
        starts = np.arange(len(group)) * width

    wheres = [target_positions(rows[i]) for i in group]
    predictors = [start + where - 1 for start, where in zip(starts, wheres, strict=True)]

    return MicroBatch(
        rows=group,
        input_ids=torch.from_numpy(input_ids).to(device),
        position_ids=position_ids,
        predictors=torch.from_numpy(np.concatenate(predictors).astype(np.int64)).to(device),
        targets=target_ids(rows, group, device),
        columns=target_columns(rows, group, device),
        ragged=ragged,
    )


def target_ids(rows: Sequence[Row], group: list[int], device: torch.device | str) -> torch.Tensor:
    """The target tokens int64 [N] of the rows `group`, row by row."""
    targets = [rows[i].input_ids[target_positions(rows[i])] for i in group]
    return torch.from_numpy(np.concatenate(targets).astype(np.int64)).to(device)


def target_columns(
    rows: Sequence[Row], group: list[int], device: torch.device | str
) -> dict[str, torch.Tensor]:
    """The columns float32 [N] at the target tokens of the rows `group`, row by row."""
    columns = {}
    for name in rows[group[0]].columns:
        values = [rows[i].columns[name][target_positions(rows[i])] for i in group]
        columns[name] = torch.from_numpy(np.concatenate(values).astype(np.float32)).to(device)
    return columns
