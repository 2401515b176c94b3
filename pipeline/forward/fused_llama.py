"""The training forward of a small Llama on a CPU: what transformers computes, in fewer and larger operations.

Tokens of all rows lie end to end, without padding, in every product, norm and activation; only attention sees rows:
`attend_shared` here, in which a question's prompt is computed once for all its answers, or that of
pipeline.forward.fused_packed.
Behind the last attention only tokens that predict a scored one are computed. Query, key and value are one product,
gate and up another; gains, the attention's scale and the type cast go into the weights, once a call. `attend_shared`
is two plain products, whose backward pass is faster on short answers than that of the fused kernel. The residual
stream stays in fp32. Gradients reach the model's own parameters; the numbers are those of transformers up to rounding.

On accelerators, with sharded parameters and wherever `supports` says no, transformers' own modules run instead.

Shapes: Q prompts of padded length P, R answers of padded length A, T tokens of both end to end, H hidden, n heads,
k key-value heads, D head size, N scored tokens.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn import functional as F
from transformers import PreTrainedModel

from pipeline.forward.batches import in_chunks
from pipeline.forward.fused_ops import Gated, Normalised, TargetLogProbs, rotate


def supports(model: PreTrainedModel) -> bool:
    """Whether the lean forward may stand in: a plain Llama, whole, on a CPU, without adapters or dropout."""
    config = model.config
    rope = (getattr(config, "rope_parameters", None) or {}).get("rope_type", "default")
    return (
        config.model_type == "llama"
        and model.device.type == "cpu"
        and config.hidden_act == "silu"
        and rope not in ("dynamic", "longrope")
        and not (model.training and config.attention_dropout)
        and all(type(parameter) is torch.nn.Parameter for parameter in model.parameters())
        and all(
            type(module) is torch.nn.Linear
            for module in model.modules()
            if hasattr(module, "in_features")
        )
    )


@dataclass(slots=True)
class Plan:
    """Where the tokens of a batch stand: which are seen together, and how end-to-end and padded places correspond.

    `fill` maps padded places to tokens (a padding place to any token), `back` tokens to padded places.
    """

    prompt_lengths: Tensor  # (Q,)
    answer_lengths: Tensor  # (R,)
    owners: Tensor  # (R,)
    positions: Tensor  # (T,)
    prompt_fill: Tensor  # (Q, P)
    prompt_back: Tensor  # (tokens of prompts,)
    answer_fill: Tensor  # (R, A)
    answer_back: Tensor  # (tokens of answers,)
    prompt_mask: Tensor  # (1, 1, P, P) additive
    answer_mask: Tensor  # (R, 1, A, P + A) additive


def plan_of(
    prompt_lengths: Tensor, answer_lengths: Tensor, owners: Tensor, dtype: torch.dtype
) -> Plan:
    """Lay out Q prompts and behind them R answers, answer r continuing prompt `owners[r]`."""
    in_prompts = int(prompt_lengths.sum())
    prompt_fill, prompt_back, prompt_at = _places(prompt_lengths, 0)
    answer_fill, answer_back, answer_at = _places(answer_lengths, in_prompts)
    width, answer_width = prompt_fill.shape[1], answer_fill.shape[1]
    start = prompt_lengths[owners]
    mask = torch.zeros(len(owners), 1, answer_width, width + answer_width, dtype=dtype)
    steps = torch.arange(answer_width)
    mask[..., :width].masked_fill_(
        (torch.arange(width) >= start[:, None])[:, None, None], float("-inf")
    )
    mask[..., width:].masked_fill_(steps > steps[:, None], float("-inf"))
    return Plan(
        prompt_lengths,
        answer_lengths,
        owners,
        torch.cat([prompt_at, answer_at + start.repeat_interleave(answer_lengths)]),
        prompt_fill,
        prompt_back,
        answer_fill,
        answer_back,
        torch.full((1, 1, width, width), float("-inf"), dtype=dtype).triu(1),
        mask,
    )


def _places(lengths: Tensor, first: int) -> tuple[Tensor, Tensor, Tensor]:
    """Rows of the given lengths, their tokens numbered from `first`: fill (rows, width), back, position in the row."""
    width = max(1, int(lengths.max())) if len(lengths) else 1
    ends = lengths.cumsum(0)
    steps = torch.arange(width)
    inside = steps < lengths[:, None]
    fill = torch.where(inside, first + (ends - lengths)[:, None] + steps, 0)
    return fill, inside.flatten().nonzero()[:, 0], steps.expand(len(lengths), -1)[inside]


Attend = Callable[[Tensor, Tensor, Tensor, int, int], Tensor]
"""Attention of all rows: joint query, key and value [T, n + 2 k, D], cos, sin [T, 1, D], n, k -> [T, n x D]."""


def final_hidden(
    model: PreTrainedModel,
    ids: Tensor,
    positions: Tensor,
    attend: Attend,
    wanted: Tensor | None,
    dtype: torch.dtype,
) -> Tensor:
    """Hidden states [N, H] at the tokens `wanted` [N] of `ids` [T], normalised, without the last gain, in `dtype`.

    Behind the last attention only those are computed; all (N = T) where `wanted` is None.
    """
    body, config = model.base_model, model.config
    angles = body.rotary_emb(torch.zeros(1), positions[None])
    cos, sin = (angle[0, :, None].to(dtype) for angle in angles)
    hidden = F.embedding(ids, body.embed_tokens.weight)
    for layer in body.layers:
        attention, mlp = layer.self_attn, layer.mlp
        gain, scale = layer.input_layernorm.weight, attention.head_dim**-0.5
        normed = Normalised.apply(hidden, config.rms_norm_eps, dtype)
        query, key, value = attention.q_proj, attention.k_proj, attention.v_proj
        weight = torch.cat(
            [query.weight * (gain * scale), key.weight * gain, value.weight * gain]
        ).to(dtype)
        bias = (
            None
            if query.bias is None
            else torch.cat([query.bias * scale, key.bias, value.bias]).to(dtype)
        )
        joint = F.linear(normed, weight, bias).unflatten(-1, (-1, attention.head_dim))
        heads, kv_heads = config.num_attention_heads, config.num_key_value_heads
        mixed = attend(joint, cos, sin, heads, kv_heads)
        if wanted is not None and layer is body.layers[-1]:
            mixed, hidden = mixed[wanted], hidden[wanted]
        hidden = hidden + _linear(mixed, attention.o_proj.weight, attention.o_proj.bias, dtype)
        normed = Normalised.apply(hidden, config.rms_norm_eps, dtype)
        gate, up, gain = mlp.gate_proj, mlp.up_proj, layer.post_attention_layernorm.weight
        weight = (torch.cat([gate.weight, up.weight]) * gain).to(dtype)
        bias = None if gate.bias is None else torch.cat([gate.bias, up.bias]).to(dtype)
        active = Gated.apply(F.linear(normed, weight, bias))
        hidden = hidden + _linear(active, mlp.down_proj.weight, mlp.down_proj.bias, dtype)
    return Normalised.apply(hidden, config.rms_norm_eps, dtype)


def target_logprobs(
    model: PreTrainedModel, hidden: Tensor, targets: Tensor, temperature: float, dtype: torch.dtype
) -> Tensor:
    """Log-probabilities [N] of `targets` from the states of `final_hidden` that predict them."""
    head = (model.get_output_embeddings().weight * model.base_model.norm.weight).to(dtype)
    return in_chunks(_target_logprobs, hidden, targets, head, len(head), temperature)


def _target_logprobs(hidden: Tensor, targets: Tensor, head: Tensor, temperature: float) -> Tensor:
    return TargetLogProbs.apply(hidden, head, targets, temperature)


def _linear(x: Tensor, weight: Tensor, bias: Tensor | None, dtype: torch.dtype) -> Tensor:
    return F.linear(x, weight.to(dtype), None if bias is None else bias.to(dtype))


def attend_shared(
    plan: Plan, joint: Tensor, cos: Tensor, sin: Tensor, heads: int, kv_heads: int
) -> Tensor:
    """`Attend` of a plan's prompts and answers."""
    parts = _Heads.apply(joint, cos, sin, plan, heads, kv_heads)
    on_prompts = _attend(*parts[:3], plan.prompt_mask)
    on_answers = _attend(*parts[3:], plan.answer_mask)
    return _Tokens.apply(on_prompts, on_answers, plan).flatten(1)


def _attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    """[B, n, L, D] on [B, k, W, D] under an additive mask [B or 1, 1, L, W]; the query is scaled already."""
    rows, kv_heads, _, size = key.shape
    asked = query.shape[1] // kv_heads * query.shape[2]
    grouped = query.view(rows, kv_heads, asked, size)
    scores = (grouped @ key.transpose(-1, -2)).view(*query.shape[:3], key.shape[2]) + mask
    weights = scores.softmax(-1).view(rows, kv_heads, asked, key.shape[2])
    return (weights @ value).view(query.shape)


class _Heads(Function):
    """Rotate query and key, and give attention its rows: query, key, value of prompts, and of answers.

    joint [T, n + 2 k, D] -> [Q, n, P, D], twice [Q, k, P, D], [R, n, A, D], twice [R, k, P + A, D]: an answer's keys
    and values are those of its prompt followed by its own.
    """

    @staticmethod
    def forward(
        ctx, joint: Tensor, cos: Tensor, sin: Tensor, plan: Plan, heads: int, kv_heads: int
    ):
        ctx.save_for_backward(cos, sin)
        ctx.plan, ctx.shape = plan, (heads, kv_heads, joint.shape[-1])
        turned = rotate(joint[:, : heads + kv_heads], cos, sin)
        query, key = turned.split((heads, kv_heads), 1)
        value = joint[:, heads + kv_heads :]
        with_prompt = torch.cat([plan.prompt_fill[plan.owners], plan.answer_fill], 1)
        fills = [plan.prompt_fill] * 3 + [plan.answer_fill, with_prompt, with_prompt]
        parts = zip([query, key, value] * 2, fills, strict=True)
        return tuple(x[fill].transpose(1, 2).contiguous() for x, fill in parts)

    @staticmethod
    @once_differentiable
    def backward(ctx, *grads: Tensor):
        cos, sin = ctx.saved_tensors
        plan, (heads, kv_heads, size) = ctx.plan, ctx.shape
        width, asked = plan.prompt_fill.shape[1], len(plan.prompt_lengths)
        belongs = (torch.arange(asked)[:, None] == plan.owners).to(cos.dtype)  # (Q, R)
        result = cos.new_empty(len(plan.positions), heads + 2 * kv_heads, size)
        split, start = len(plan.prompt_back), 0
        for on_prompt, on_answer in zip(grads[:3], grads[3:], strict=True):
            here = slice(start, start + on_prompt.shape[1])
            start = here.stop
            if on_answer.shape[2] > plan.answer_fill.shape[1]:
                of_prompt = on_answer[:, :, :width].reshape(len(plan.owners), -1)
                on_prompt = on_prompt + (belongs @ of_prompt).view(on_prompt.shape)
                on_answer = on_answer[:, :, width:]
            result[:split, here] = _to_tokens(on_prompt, plan.prompt_back)
            result[split:, here] = _to_tokens(on_answer, plan.answer_back)
        turned = result[:, : heads + kv_heads]
        turned.copy_(rotate(turned, cos, sin, -1))
        return result, None, None, None, None, None


class _Tokens(Function):
    """Attention's results back end to end: [Q, n, P, D] and [R, n, A, D] -> [T, n, D]."""

    @staticmethod
    def forward(ctx, on_prompts: Tensor, on_answers: Tensor, plan: Plan) -> Tensor:
        ctx.plan, ctx.shapes = plan, (on_prompts.shape, on_answers.shape)
        return torch.cat(
            [_to_tokens(on_prompts, plan.prompt_back), _to_tokens(on_answers, plan.answer_back)]
        )

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor):
        plan, results = ctx.plan, []
        backs = (plan.prompt_back, plan.answer_back)
        for part, back, shape in zip(
            grad.split([len(b) for b in backs]), backs, ctx.shapes, strict=True
        ):
            rows, heads, length, size = shape
            padded = part.new_zeros(rows * length, heads, size)
            padded[back] = part
            results.append(padded.view(rows, length, heads, size).transpose(1, 2).contiguous())
        return *results, None


def _to_tokens(padded: Tensor, back: Tensor) -> Tensor:
    """[B, h, L, D] -> [tokens, h, D]."""
    return padded.transpose(1, 2).flatten(0, 1)[back]
