"""Rows on their own through the lean forward (pipeline.forward.fused_llama): the layout of fine-tuning, pretraining
and scores.

Micro-batches are those of pipeline.forward.batches, packed; the numbers those of `token_logprobs`, up to rounding.
Only attention
sees rows: those of about one length are laid out as a padded block, attended causally by torch's fused kernel and laid
back; padding stands behind every row's tokens and takes part in nothing. `row_layout(model, packed)` picks the layout.

Shapes: T tokens of a micro-batch, P places of all blocks, n heads, k key-value heads, D head size, N scored tokens.
"""

from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn import functional as F
from transformers import PreTrainedModel

from pipeline.forward import fused_llama
from pipeline.forward.batches import Layout, MicroBatch, layout_of, micro_batches
from pipeline.forward.fused_ops import rotate
from pipeline.forward.row_attention import attends_by_rows
from pipeline.model import distributed

SPREAD = 1.5
"""Rows of one block differ in length by this factor at most: fewer blocks cost padding, more cost calls."""


@dataclass(slots=True)
class Blocks:
    """Rows that lie end to end, sorted by length, as padded blocks; their places are numbered through."""

    sizes: list[tuple[int, int]]
    """(rows, padded length) of each block."""
    positions: Tensor  # (T,)
    fill: Tensor | None = (
        None  # (P,): the token at each place, any token at padding; None: tokens lie so already
    )
    back: Tensor | None = None  # (T,): the place of each token


def blocks_of(batch: MicroBatch) -> Blocks:
    """The blocks of a packed micro-batch, or of one whose rows have one length."""
    if batch.positions is None:
        rows, length = batch.ids.shape
        return Blocks([(rows, length)], torch.arange(length).repeat(rows))
    starts = (batch.positions[0] == 0).nonzero()[:, 0].tolist()
    lengths = [end - start for start, end in pairwise([*starts, batch.tokens])]
    groups: list[list[int]] = []
    for length in lengths:
        if groups and length <= SPREAD * groups[-1][0]:
            groups[-1].append(length)
        else:
            groups.append([length])
    fills, backs, token, place = [], [], 0, 0
    for group in groups:
        steps = torch.arange(max(group))
        sizes = torch.tensor(group)
        inside = steps < sizes[:, None]
        fills.append(
            torch.where(inside, token + (sizes.cumsum(0) - sizes)[:, None] + steps, token).flatten()
        )
        backs.append(place + inside.flatten().nonzero()[:, 0])
        token, place = token + sum(group), place + inside.numel()
    return Blocks(
        [(len(g), max(g)) for g in groups], batch.positions[0], torch.cat(fills), torch.cat(backs)
    )


def lean_states(model: PreTrainedModel, batch: MicroBatch, dtype: torch.dtype) -> Tensor:
    """Final hidden states [N, H] before the scored tokens, normalised, without the last norm's gain."""
    blocks = blocks_of(batch)
    attend = partial(attend_blocks, blocks)
    return fused_llama.final_hidden(
        model, batch.ids.flatten(), blocks.positions, attend, batch.predictors, dtype
    )


def compute_dtype() -> torch.dtype:
    """The type of products here: that of the surrounding autocast, if any."""
    return torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else torch.float32


def lean_token_logprobs(
    model: PreTrainedModel, batch: MicroBatch, temperature: float = 1.0
) -> Tensor:
    """The same as `pipeline.forward.batches.token_logprobs`."""
    dtype = compute_dtype()
    with torch.autocast("cpu", enabled=False):
        hidden = lean_states(model, batch, dtype)
        return fused_llama.target_logprobs(model, hidden, batch.targets, temperature, dtype)


LEAN_ROWS = Layout(partial(micro_batches, packed=True), lean_token_logprobs)


def computes_lean(model: PreTrainedModel) -> bool:
    """Whether packed rows of `model` are computed here: nothing about its layers or attention was chosen by hand."""
    if (
        distributed.is_sharded(model)
        or not attends_by_rows(model)
        or not fused_llama.supports(model)
    ):
        return False
    compiled = any(layer._compiled_call_impl is not None for layer in model.base_model.layers)
    return not compiled and not model.is_activation_checkpointing


def row_layout(model: PreTrainedModel, packed: bool = True) -> Layout:
    """Packed rows in the faster way that `model` allows; padded ones by transformers."""
    return LEAN_ROWS if packed and computes_lean(model) else layout_of(packed)


def attend_blocks(
    blocks: Blocks, joint: Tensor, cos: Tensor, sin: Tensor, heads: int, kv: int
) -> Tensor:
    """`Attend` of rows in blocks."""
    laid = _LayOut.apply(joint, cos, sin, blocks, heads + kv)
    results = []
    parts = laid.split([rows * length for rows, length in blocks.sizes])
    for (rows, _), block in zip(blocks.sizes, parts, strict=True):
        query, key, value = block.unflatten(0, (rows, -1)).transpose(1, 2).split((heads, kv, kv), 1)
        mixed = F.scaled_dot_product_attention(
            query, key, value, is_causal=True, scale=1.0, enable_gqa=heads != kv
        )
        results.append(mixed.transpose(1, 2).flatten(0, 1).flatten(1))
    if blocks.back is None:
        return results[0]
    return _LayBack.apply(torch.cat(results), blocks)


class _LayOut(Function):
    """Rotate the first heads of [T, h, D] and lay the tokens out: [P, h, D]. Padding gets no gradient."""

    @staticmethod
    def forward(
        ctx, joint: Tensor, cos: Tensor, sin: Tensor, blocks: Blocks, turning: int
    ) -> Tensor:
        ctx.save_for_backward(cos, sin)
        ctx.blocks, ctx.turning = blocks, turning
        turned = _turned(joint, cos, sin, turning, 1)
        return turned if blocks.fill is None else turned.index_select(0, blocks.fill)

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor):
        grad = grad if ctx.blocks.back is None else grad.index_select(0, ctx.blocks.back)
        return _turned(grad, *ctx.saved_tensors, ctx.turning, -1), None, None, None, None


class _LayBack(Function):
    """The inverse without rotation: [P, w] -> [T, w]."""

    @staticmethod
    def forward(ctx, laid: Tensor, blocks: Blocks) -> Tensor:
        ctx.blocks = blocks
        return laid.index_select(0, blocks.back)

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor):
        blocks = ctx.blocks
        return grad.new_zeros(len(blocks.fill), grad.shape[1]).index_copy_(
            0, blocks.back, grad
        ), None


def _turned(joint: Tensor, cos: Tensor, sin: Tensor, turning: int, sign: int) -> Tensor:
    result = torch.empty(joint.shape, dtype=joint.dtype)
    rotate(joint[:, :turning], cos, sin, sign, out=result[:, :turning])
    result[:, turning:] = joint[:, turning:]
    return result
