"""Which layouts a model's own forward pass allows, tried on the model itself.

Rows laid end to end must not see each other, an answer that continues a cached prompt must get the logits that it gets
behind the prompt itself, and the output layer, applied to the last hidden states, must give the model's own logits.
For the architectures in TESTED the project's tests show it. For all others two short rows are computed in each way
and compared: an architecture that nobody here has seen is used right, or refused, but never used wrong.
"""

from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from pipeline.errors import UserError
from pipeline.forward import log_probs, shared_prefix
from pipeline.forward.batches import Row, micro_batches
from pipeline.forward.shared_prefix import shared_prefix_batches
from pipeline.model import distributed
from pipeline.model.architecture import has_windows

TESTED = ("llama", "mistral", "qwen2", "qwen3")
"""Architectures that need no trial."""

TOLERANCE = 1e-3
"""Largest difference of two log-probabilities that rounding may make; a wrong mask makes far larger ones."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What the layouts of pipeline.forward.layout may do with a model."""

    packs_rows: bool
    """Rows may lie end to end in one sequence whose positions restart."""

    shares_prefixes: bool
    """A prompt's keys and values may be computed once for all its answers."""


_KNOWN: "WeakKeyDictionary[PreTrainedModel, Traits]" = WeakKeyDictionary()


def traits_of(model: PreTrainedModel) -> Traits:
    """The model's traits, found once for each model. With several processes all must call it.

    Raises UserError for a model whose own logits cannot be had from its last hidden states.
    """
    if model not in _KNOWN:
        _KNOWN[model] = _find(model)
    return _KNOWN[model]


def _find(model: PreTrainedModel) -> Traits:
    # A prompt's cache holds the last positions of a window only; the trial's rows are too short to show it.
    # Flash attention takes no mask that says which prompt an answer sees.
    uses_flash = "flash" in str(model.config._attn_implementation)
    may_share = not has_windows(model.config) and not uses_flash
    if model.config.model_type in TESTED:
        return Traits(packs_rows=True, shares_prefixes=may_share)
    if hasattr(model, "score"):  # a score model has no logits of its own to compare with
        return Traits(packs_rows=False, shares_prefixes=False)

    rows = _trial_rows(model.config.vocab_size)
    padded = list(micro_batches(rows, 1_000, device=model.device))
    packed = list(micro_batches(rows, 1_000, packed=True, device=model.device))
    shared = list(shared_prefix_batches(rows, 1_000, model.device))

    expected = _own_log_probs(model, rows)
    found = _tried(model, log_probs.token_log_probs, padded, rows)
    if not _agree(expected, found):
        kind = model.config.model_type
        raise UserError(
            f"model type {kind}: its logits are not its output layer's, in a way that is not known here; "
            "training it would use wrong log-probabilities"
        )
    return Traits(
        packs_rows=_agree(expected, _tried(model, log_probs.token_log_probs, packed, rows)),
        shares_prefixes=may_share
        and _agree(expected, _tried(model, shared_prefix.token_log_probs, shared, rows)),
    )


def _trial_rows(vocabulary: int) -> list[Row]:
    """Two rows that begin alike and differ in length."""
    draw = np.random.default_rng(0).integers(0, vocabulary, size=12).astype(np.int32)
    prompt, first, second = draw[:4], draw[4:9], draw[9:]

    rows = []
    for answer in (first, second):
        input_ids = np.concatenate([prompt, answer])
        rows.append(Row(input_ids, np.arange(len(input_ids)) >= len(prompt)))
    return rows


@torch.no_grad()
def _own_log_probs(model: PreTrainedModel, rows: list[Row]) -> list[Tensor]:
    """For each row log-probabilities of its targets by the model's own logits, one row at a time."""

    def of_row(model: PreTrainedModel, row: Row) -> Tensor:
        input_ids = torch.from_numpy(row.input_ids.astype(np.int64)).to(model.device)
        logits = model(input_ids=input_ids[None], use_cache=False).logits[0, :-1].float()
        chosen = logits.log_softmax(-1).gather(-1, input_ids[1:, None])[:, 0]
        return chosen[torch.from_numpy(row.loss_mask[1:]).to(model.device)]

    return [distributed.run(of_row, model, row) for row in rows]


@torch.no_grad()
def _tried(
    model: PreTrainedModel, score: Callable[..., Tensor], batches: list, rows: list[Row]
) -> list[Tensor] | None:
    """The same by one of our layouts; None where the model cannot be computed so at all."""
    found: dict[int, Tensor] = {}
    try:
        for batch in batches:
            counts = [int(rows[index].loss_mask.sum()) for index in batch.rows]
            values = distributed.run(score, model, batch, 1.0).split(counts)
            found |= dict(zip(batch.rows, values, strict=True))
    except Exception:  # whatever an architecture stumbles over: it cannot be computed so
        return None
    return [found[index] for index in range(len(rows))]


def _agree(expected: list[Tensor], found: list[Tensor] | None) -> bool:
    if found is None:
        return False
    pairs = zip(expected, found, strict=True)
    return all(torch.allclose(e, f, rtol=0, atol=TOLERANCE) for e, f in pairs)
