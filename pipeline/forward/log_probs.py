"""A number for each target token of a micro-batch, computed by transformers' own modules.

For a language model it is the target's log-probability, for a score model (a token-classification head with one
output) the output at the position before the target.

Shapes: B rows of a micro-batch, L its padded length, N its target tokens, H hidden, V vocabulary.
"""

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint
from transformers import PreTrainedModel

from pipeline.forward.batches import MicroBatch
from pipeline.forward.row_attention import attends_by_rows, packing_arguments
from pipeline.model.architecture import FinalLogits, final_logits

LOGITS_AT_ONCE = 2**24
"""Numbers of logits that may exist at a time (64 MiB in fp32); more are computed in chunks of tokens."""


def token_log_probs(model: PreTrainedModel, batch: MicroBatch, temperature: float = 1.0) -> Tensor:
    """Log-probabilities [N] (fp32) of the batch's target tokens at `temperature`, in the batch's order.

    The output layer runs over the positions that predict a target only; where the logits would be large they are
    computed in chunks, and again in the backward pass, so that N x V numbers never exist at once.
    """
    hidden_NH = predicting_states(model, batch)
    return target_log_probs(model, hidden_NH, batch.targets, temperature)


def token_scores(model: PreTrainedModel, batch: MicroBatch, temperature: float = 1.0) -> Tensor:
    """A score model's outputs [N] (fp32) at the positions before the targets. A score knows no temperature."""
    hidden_NH = predicting_states(model, batch)
    head = cast(torch.nn.Linear, model.score)
    return head(hidden_NH)[:, 0].float()


def predicting_states(model: PreTrainedModel, batch: MicroBatch) -> Tensor:
    """Final hidden states [N, H] at the positions before the targets."""
    packing: dict[str, Any] = {"attention_mask": None}
    if batch.ragged is not None and attends_by_rows(model):
        packing = packing_arguments(batch.ragged)

    # use_cache=False matters: with a cache transformers ignores restarting positions and packed rows leak.
    outputs = model.base_model(
        input_ids=batch.input_ids, position_ids=batch.position_ids, use_cache=False, **packing
    )
    hidden_BLH = outputs.last_hidden_state
    return hidden_BLH.flatten(0, 1)[batch.predictors]


def target_log_probs(
    model: PreTrainedModel, hidden_NH: Tensor, targets_N: Tensor, temperature: float
) -> Tensor:
    """Log-probabilities [N] of the targets from the final hidden states that predict them."""
    head = model.get_output_embeddings()
    vocabulary = head.weight.shape[0]
    final = final_logits(model.config)
    return in_chunks(_target_log_probs, hidden_NH, targets_N, head, vocabulary, final, temperature)


def in_chunks(
    score: Callable[..., Tensor],
    hidden_NH: Tensor,
    targets_N: Tensor,
    head: torch.nn.Module | Tensor,
    vocabulary: int,
    *more: Any,
) -> Tensor:
    """`score(hidden, targets, head, *more)` [N], with at most LOGITS_AT_ONCE logits at a time."""
    chunk = max(1, LOGITS_AT_ONCE // vocabulary)
    if len(targets_N) <= chunk:
        return score(hidden_NH, targets_N, head, *more)

    # Checkpointed: logits are computed again in the backward pass instead of being kept.
    scores = [
        checkpoint(score, hidden, targets, head, *more, use_reentrant=False)
        for hidden, targets in zip(hidden_NH.split(chunk), targets_N.split(chunk), strict=True)
    ]
    return torch.cat(scores)


def _target_log_probs(
    hidden_NH: Tensor,
    targets_N: Tensor,
    head: torch.nn.Module,
    final: FinalLogits | None,
    temperature: float,
) -> Tensor:
    logits_NV = head(hidden_NH).float()
    if final is not None:
        logits_NV = final(logits_NV)
    if temperature != 1.0:
        logits_NV = logits_NV / temperature
    return -F.cross_entropy(logits_NV, targets_N, reduction="none")
