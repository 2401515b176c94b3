"""How rows are computed: the choice between the forward passes of this package, and what is the same for all of them.

    layout = layout_for(model, shared_prefix=True)
    for batch in layout.cut(rows, max_tokens, device=model.device):
        log_probs = layout.score(model, batch, temperature)

Stages use this module and pipeline.forward.batches; the modules behind them are theirs alone.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from transformers import PreTrainedModel

from pipeline.forward import (
    fused_llama,
    fused_packed,
    fused_shared_prefix,
    log_probs,
)
from pipeline.forward import shared_prefix as shared_prefixes
from pipeline.forward.batches import MicroBatch, Row, micro_batches, target_positions
from pipeline.forward.shared_prefix import shared_prefix_batches
from pipeline.forward.traits import traits_of
from pipeline.model import distributed
from pipeline.model.precision import autocast
from pipeline.model.threads import ordered_map


@dataclass(frozen=True, slots=True)
class Layout:
    """How rows become micro-batches, `cut(rows, max_tokens, device=...)`, and how one of these is computed.

    `score(model, batch, temperature)` gives a number [N] for each target token: its log-probability at the
    temperature, or for a score model (a token-classification head with one output) the output before it. The batches
    are those of `cut`: MicroBatch or SharedPrefixBatch, both with `rows`, `targets`, `columns` and `tokens`.
    """

    cut: Callable[..., Iterator[Any]]
    score: Callable[[PreTrainedModel, Any, float], torch.Tensor]


def layout_for(
    model: PreTrainedModel,
    *,
    packed: bool = True,
    shared_prefix: bool = False,
    allow_fused: bool = True,
) -> Layout:
    """The fastest layout that `model` allows.

    packed          rows end to end where the model allows it; else each is padded to the length of the longest
    shared_prefix   rows with the same prompt (all before the first target) compute it once; where the model does not
                    allow that, they are packed or padded
    allow_fused     a plain Llama on a CPU may run through fewer and larger operations, with the same numbers up to
                    rounding; without it, and everywhere else, transformers' own modules compute
    """
    if shared_prefix and allow_fused and fused_llama.supports(model):
        # Tokens lie end to end, so padding costs nothing and does not count.
        return Layout(
            partial(shared_prefix_batches, padded=False), fused_shared_prefix.token_log_probs
        )

    traits = traits_of(model)
    if shared_prefix and traits.shares_prefixes:
        return Layout(shared_prefix_batches, shared_prefixes.token_log_probs)

    packed = (packed or shared_prefix) and traits.packs_rows
    fused = allow_fused and packed and fused_packed.is_fused(model)
    cut = partial(micro_batches, packed=packed)
    if hasattr(model, "score"):  # a token-classification head
        return Layout(cut, fused_packed.token_scores if fused else log_probs.token_scores)
    return Layout(cut, fused_packed.token_log_probs if fused else log_probs.token_log_probs)


def row_log_probs(
    model: PreTrainedModel,
    rows: Sequence[Row],
    max_tokens: int,
    *,
    layout: Layout | None = None,
    temperature: float = 1.0,
    precision: str = "auto",
) -> list[np.ndarray]:
    """For each row float32 [T]: the log-probability (or score) of every target token, 0 elsewhere. No gradient.

    The layout is that of `layout_for(model)` unless another is given. With several processes each passes its own rows.
    """
    layout = layout or layout_for(model)
    sharded = distributed.is_sharded(model)

    def score(batch: MicroBatch) -> tuple[MicroBatch, np.ndarray]:
        # Both contexts belong to a thread, so they are entered in the one that computes.
        with torch.no_grad(), autocast(precision, model):
            values = distributed.run(layout.score, model, batch, temperature)
            return batch, values.cpu().numpy()

    batches = layout.cut(rows, max_tokens, device=model.device)
    if sharded:
        mine = list(batches)
        for filler in filler_batches(layout, len(mine), model.device):
            score(filler)
        batches = iter(mine)

    side_by_side = model.device.type == "cpu" and not sharded
    scored = ordered_map(score, batches) if side_by_side else map(score, batches)

    results = [np.zeros(len(row), dtype=np.float32) for row in rows]
    for batch, values in scored:
        start = 0
        for index in batch.rows:
            where = target_positions(rows[index])
            results[index][where] = values[start : start + len(where)]
            start += len(where)

    distributed.reshard(model)
    return results


def filler_batches(layout: Layout, count: int, device: torch.device) -> list[Any]:
    """Micro-batches without meaning for a process that has fewer than others: all must gather weights equally often.

    `count` is how many this process has.
    """
    missing = distributed.all_reduce_max(count) - count
    nothing = Row(np.zeros(2, dtype=np.int32), np.array([False, True]))
    return list(layout.cut([nothing], 2, device=device)) * missing
