"""Pieces of a transformer's forward pass with hand-written backward passes: few passes over memory, nothing kept twice.

Every function here is checked against automatic differentiation of its plain formula. Shapes: T tokens laid end to
end without padding, h heads of size D, H hidden, N target tokens, V vocabulary.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn.functional import silu


class Normalised(Function):
    """x / sqrt(mean(x^2) + eps) over the last dimension, [T, H] fp32 -> [T, H] in `dtype`; the gain is not applied."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, eps: float, dtype: torch.dtype) -> Tensor:
        norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
        scale = norm.square_().div_(x.shape[-1]).add_(eps).rsqrt_()
        result = (x * scale).to(dtype)

        ctx.save_for_backward(result, scale)
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        # With y = x s: dx = s (dy - y mean(y dy)).
        result, scale = ctx.saved_tensors
        grad, result = grad.float(), result.float()
        along = (grad * result).mean(-1, keepdim=True)
        return torch.addcmul(grad, result, along, value=-1).mul_(scale), None, None


class Gated(Function):
    """silu(gate) * up for a joint [T, 2 x width] -> [T, width]; the sigmoid is computed again backwards."""

    @staticmethod
    def forward(ctx: Any, joint: Tensor) -> Tensor:
        ctx.save_for_backward(joint)
        gate, up = joint.chunk(2, -1)
        return silu(gate).mul_(up)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (joint,) = ctx.saved_tensors
        gate, up = joint.chunk(2, -1)

        result = torch.empty_like(joint)
        of_gate, of_up = result.chunk(2, -1)
        torch.mul(grad, silu(gate), out=of_up)
        torch.ops.aten.silu_backward.grad_input(grad * up, gate, grad_input=of_gate)
        return result


class TargetLogProbs(Function):
    """Log-probability [N] fp32 of each target under softmax(hidden @ head^T / temperature); logits are kept once.

    hidden [N, H], head [V, H], targets [N].
    """

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, head: Tensor, targets: Tensor, temperature: float
    ) -> Tensor:
        logits = (hidden @ head.t()).float()
        if temperature != 1.0:
            logits /= temperature

        # In place: from here on they are log-probabilities.
        logits -= logits.logsumexp(-1, keepdim=True)
        log_probs = logits

        ctx.save_for_backward(hidden, head, targets, log_probs.to(hidden.dtype))
        ctx.temperature = temperature
        return log_probs.gather(-1, targets[:, None])[:, 0]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None, None]:
        # d log p(target) / d logits = (one-hot of the target - p) / temperature.
        hidden, head, targets, log_probs = ctx.saved_tensors
        grad = grad[:, None] / ctx.temperature
        of_logits = log_probs.float().exp_().mul_(-grad)
        of_logits.scatter_add_(-1, targets[:, None], grad)

        of_logits = of_logits.to(hidden.dtype)
        return of_logits @ head, of_logits.t() @ hidden, None, None


def attend_plainly(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    """[B, n, L, D] on [B, k, W, D] under an additive mask [B or 1, 1, L, W]; the query is scaled already.

    Two products and a softmax. On short rows their backward pass is faster than that of torch's fused kernel.
    """
    rows, kv_heads, width, size = key.shape
    # The queries of the heads that share a key-value head are one matrix.
    asked = query.shape[1] // kv_heads * query.shape[2]
    grouped = query.view(rows, kv_heads, asked, size)

    scores = (grouped @ key.transpose(-1, -2)).view(*query.shape[:3], width) + mask
    weights = scores.softmax(-1).view(rows, kv_heads, asked, width)
    return (weights @ value).view(query.shape)


def rotate(x: Tensor, cos: Tensor, sin: Tensor, sign: int = 1, out: Tensor | None = None) -> Tensor:
    """Rotary positions on x [T, h, D], cos and sin [T, 1, D]; sign -1 is the transpose (and the inverse) rotation.

    `out`, if given, takes the result and must not overlap with x. The two halves of `sin` are equal, as they are in
    every Llama.
    """
    half = x.shape[-1] // 2
    first, second = x[..., :half], x[..., half:]

    result = torch.mul(x, cos, out=out)
    result[..., :half].addcmul_(second, sin[..., :half], value=-sign)
    result[..., half:].addcmul_(first, sin[..., half:], value=sign)
    return result
