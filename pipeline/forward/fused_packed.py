"""Packed rows through the fused forward (pipeline.forward.fused_llama): fine-tuning, pretraining and score models.

Micro-batches are those of pipeline.forward.batches, packed; the numbers those of pipeline.forward.log_probs, up to
rounding. Only attention sees rows: rows of about one length are laid out as a padded block, attended causally, and
laid back. Padding stands behind every row's tokens and takes part in nothing.

Shapes: T tokens of a micro-batch, P places of all blocks, n heads, k key-value heads, D head size, N target tokens.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn import functional as F
from transformers import PreTrainedModel
from transformers.models.llama.modeling_llama import LlamaDecoderLayer, LlamaModel

from pipeline.forward import fused_llama
from pipeline.forward.batches import MicroBatch
from pipeline.forward.fused_ops import attend_plainly, rotate
from pipeline.forward.ragged import RaggedRows, ragged_rows
from pipeline.forward.row_attention import attends_by_rows
from pipeline.model import distributed

LENGTH_RATIO = 1.5
"""Rows of one block differ in length by this factor at most: fewer blocks cost padding, more cost calls."""
SHORT = 256
"""Length up to which plain products in bf16 beat torch's kernel, which computes bf16 as fp32 on most processors.

Forward and backward of 2,100 tokens, nine heads: 14 ms instead of 63 at length 88, 52 instead of 66 at 256, 157 instead
of 117 at 512. In fp32 both take the same."""


def is_fused(model: PreTrainedModel) -> bool:
    """Whether packed rows of `model` are computed here: nothing about its layers or attention was chosen by hand."""
    if distributed.is_sharded(model) or not attends_by_rows(model):
        return False
    if not fused_llama.supports(model):
        return False

    layers = cast(list[LlamaDecoderLayer], cast(LlamaModel, model.base_model).layers)
    compiled = any(layer._compiled_call_impl is not None for layer in layers)
    return not compiled and not model.is_activation_checkpointing


def token_log_probs(model: PreTrainedModel, batch: MicroBatch, temperature: float = 1.0) -> Tensor:
    """The same as `pipeline.forward.log_probs.token_log_probs`."""
    dtype = fused_llama.compute_dtype()
    with torch.autocast("cpu", enabled=False):
        hidden = _predicting_states(model, batch, dtype)
        return fused_llama.target_log_probs(model, hidden, batch.targets, temperature, dtype)


def token_scores(model: PreTrainedModel, batch: MicroBatch, temperature: float = 1.0) -> Tensor:
    """The same as `pipeline.forward.log_probs.token_scores`."""
    dtype = fused_llama.compute_dtype()
    head, norm = cast(torch.nn.Linear, model.score), cast(LlamaModel, model.base_model).norm
    with torch.autocast("cpu", enabled=False):
        hidden = _predicting_states(model, batch, dtype)
        weight = (head.weight * norm.weight).to(dtype)
        bias = None if head.bias is None else head.bias.to(dtype)
        return F.linear(hidden, weight, bias)[:, 0].float()


def _predicting_states(model: PreTrainedModel, batch: MicroBatch, dtype: torch.dtype) -> Tensor:
    """Final hidden states [N, H] before the targets, normalised, without the last norm's gain."""
    blocks = blocks_of(batch)
    attend = partial(attend_blocks, blocks)
    input_ids = batch.input_ids.flatten()
    return fused_llama.final_hidden(
        model, input_ids, blocks.positions, attend, batch.predictors, dtype
    )


@dataclass(slots=True)
class Blocks:
    """Rows that lie end to end, sorted by length, as padded blocks; the places of all blocks are numbered through."""

    shapes: list[tuple[int, int]]  # (rows, padded length) of each block
    positions: Tensor  # int64 [T]
    layout: "BlockLayout | None"  # None where the tokens, end to end, are the one block already


@dataclass(slots=True)
class BlockLayout:
    """Which token stands at which place."""

    token_at: Tensor  # int64 [P]; at padding some token
    place_of: Tensor  # int64 [T]


def blocks_of(batch: MicroBatch) -> Blocks:
    """The blocks of a packed micro-batch, or of one whose rows have one length."""
    if batch.ragged is None:
        rows, length = batch.input_ids.shape
        return Blocks([(rows, length)], torch.arange(length).repeat(rows), None)

    blocks: list[RaggedRows] = []
    token = 0
    for lengths in _similar_lengths(batch.ragged.lengths.tolist()):
        blocks.append(ragged_rows(lengths, first=token))
        token += sum(lengths)

    place_of, place = [], 0
    for block in blocks:
        place_of.append(place + block.place_of)
        place += block.token_at.numel()

    token_at = torch.cat([block.token_at.flatten() for block in blocks])
    shapes = [(block.token_at.shape[0], block.token_at.shape[1]) for block in blocks]
    return Blocks(shapes, batch.ragged.positions, BlockLayout(token_at, torch.cat(place_of)))


def _similar_lengths(lengths: list[int]) -> list[list[int]]:
    """Cut sorted lengths into runs in which the longest is at most LENGTH_RATIO times the shortest."""
    groups: list[list[int]] = []
    for length in lengths:
        if groups and length <= LENGTH_RATIO * groups[-1][0]:
            groups[-1].append(length)
        else:
            groups.append([length])
    return groups


def attend_blocks(
    blocks: Blocks, joint: Tensor, cos: Tensor, sin: Tensor, heads: int, kv_heads: int
) -> Tensor:
    """`fused_llama.Attend` of rows in blocks."""
    laid_out = _LayOut.apply(joint, cos, sin, blocks.layout, heads + kv_heads)
    parts = laid_out.split([rows * length for rows, length in blocks.shapes])

    results = []
    for (rows, _), block in zip(blocks.shapes, parts, strict=True):
        by_head = block.unflatten(0, (rows, -1)).transpose(1, 2)
        query, key, value = by_head.split((heads, kv_heads, kv_heads), 1)
        mixed = _attend(query, key, value)
        results.append(mixed.transpose(1, 2).flatten(0, 1).flatten(1))

    if blocks.layout is None:
        return results[0]
    return _LayBack.apply(torch.cat(results), blocks.layout)


def _attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Causal attention [B, n, L, D] on [B, k, L, D]; the query is scaled already."""
    length = query.shape[2]
    if query.dtype == torch.bfloat16 and length <= SHORT:
        mask = torch.full((1, 1, length, length), float("-inf"), dtype=query.dtype).triu(1)
        return attend_plainly(query.contiguous(), key, value, mask)

    shared = query.shape[1] != key.shape[1]
    return F.scaled_dot_product_attention(
        query, key, value, is_causal=True, scale=1.0, enable_gqa=shared
    )


class _LayOut(Function):
    """Rotate the first `rotated` heads of [T, h, D] and lay the tokens out: [P, h, D]. Padding gets no gradient."""

    @staticmethod
    def forward(
        ctx: Any,
        joint: Tensor,
        cos: Tensor,
        sin: Tensor,
        layout: BlockLayout | None,
        rotated: int,
    ) -> Tensor:
        ctx.save_for_backward(cos, sin)
        ctx.layout, ctx.rotated = layout, rotated

        turned = _rotate_first(joint, cos, sin, rotated, 1)
        return turned if layout is None else turned.index_select(0, layout.token_at)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None, None, None]:
        cos, sin = ctx.saved_tensors
        if ctx.layout is not None:
            grad = grad.index_select(0, ctx.layout.place_of)
        return _rotate_first(grad, cos, sin, ctx.rotated, -1), None, None, None, None


class _LayBack(Function):
    """The inverse of `_LayOut` without rotation: [P, w] -> [T, w]."""

    @staticmethod
    def forward(ctx: Any, laid_out: Tensor, layout: BlockLayout) -> Tensor:
        ctx.layout = layout
        return laid_out.index_select(0, layout.place_of)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        layout = ctx.layout
        result = grad.new_zeros(len(layout.token_at), grad.shape[1])
        return result.index_copy_(0, layout.place_of, grad), None


def _rotate_first(joint: Tensor, cos: Tensor, sin: Tensor, rotated: int, sign: int) -> Tensor:
    result = torch.empty(joint.shape, dtype=joint.dtype)
    rotate(joint[:, :rotated], cos, sin, sign, out=result[:, :rotated])
    result[:, rotated:] = joint[:, rotated:]
    return result
