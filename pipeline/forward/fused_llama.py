"""The training forward of a Llama on a CPU (or Mistral, or Qwen2): transformers' numbers in fewer, larger operations.

Tokens of all rows lie end to end, without padding, in every product, norm and activation; only attention sees rows,
and is handed in: that of packed rows (fused_packed) or of answers that share their prompts (fused_shared_prefix).
Query, key and value are one product, gate and up another. Norm gains, the attention's scale and the cast to `dtype`
go into the weights, once a call. The residual stream stays in fp32. Gradients reach the model's own parameters; the
numbers are those of transformers up to rounding.

On accelerators, with sharded parameters and wherever `supports` says no, transformers' own modules run instead.

Shapes: T tokens end to end, H hidden, n heads, k key-value heads, D head size, N target tokens.
"""

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import PreTrainedModel
from transformers.models.llama.modeling_llama import LlamaDecoderLayer, LlamaModel

from pipeline.forward.fused_ops import Gated, Normalised, TargetLogProbs
from pipeline.forward.log_probs import in_chunks
from pipeline.model.architecture import has_fixed_angles, has_windows

SAME_BLOCKS = ("llama", "mistral", "qwen2")
"""Architectures whose blocks compute the same; they differ in biases only."""

Attend = Callable[[Tensor, Tensor, Tensor, int, int], Tensor]
"""Attention of all rows: joint query, key and value [T, n + 2 k, D], cos, sin [T, 1, D], n, k -> [T, n x D]."""


def supports(model: PreTrainedModel) -> bool:
    """Whether this forward may stand in: a plain Llama, whole, on a CPU, without adapters or dropout."""
    config = model.config
    if config.model_type not in SAME_BLOCKS or model.device.type != "cpu":
        return False
    if config.hidden_act != "silu" or has_windows(config) or not has_fixed_angles(config):
        return False
    if model.training and config.attention_dropout:
        return False

    # Sharded parameters and adapters (LoRA) are of other types, which products of fused weights would pass by.
    if any(type(parameter) is not torch.nn.Parameter for parameter in model.parameters()):
        return False
    linear = [module for module in model.modules() if hasattr(module, "in_features")]
    return all(type(module) is torch.nn.Linear for module in linear)


def compute_dtype() -> torch.dtype:
    """The type of products here: that of the surrounding autocast, if any."""
    return torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else torch.float32


def final_hidden(
    model: PreTrainedModel,
    input_ids: Tensor,
    positions: Tensor,
    attend: Attend,
    wanted: Tensor | None,
    dtype: torch.dtype,
) -> Tensor:
    """Hidden states [N, H] at the tokens `wanted` [N] of `input_ids` [T], normalised, without the last norm's gain.

    They have type `dtype`. Behind the last attention only those are computed; all (N = T) where `wanted` is None.
    """
    body, config = cast(LlamaModel, model.base_model), model.config
    layers = cast(list[LlamaDecoderLayer], body.layers)
    epsilon = config.rms_norm_eps
    heads, kv_heads = config.num_attention_heads, config.num_key_value_heads

    angles = body.rotary_emb(torch.zeros(1), positions[None])
    cos, sin = (angle[0, :, None].to(dtype) for angle in angles)
    hidden = F.embedding(input_ids, body.embed_tokens.weight)

    for layer in layers:
        attention = layer.self_attn
        normed = Normalised.apply(hidden, epsilon, dtype)
        weight, bias = _query_key_value(layer, dtype)
        joint = F.linear(normed, weight, bias).unflatten(-1, (-1, attention.head_dim))
        mixed = attend(joint, cos, sin, heads, kv_heads)

        if wanted is not None and layer is layers[-1]:
            mixed, hidden = mixed[wanted], hidden[wanted]
        hidden = hidden + _linear(mixed, attention.o_proj, dtype)

        normed = Normalised.apply(hidden, epsilon, dtype)
        weight, bias = _gate_up(layer, dtype)
        active = Gated.apply(F.linear(normed, weight, bias))
        hidden = hidden + _linear(active, layer.mlp.down_proj, dtype)

    return Normalised.apply(hidden, epsilon, dtype)


def target_log_probs(
    model: PreTrainedModel, hidden: Tensor, targets: Tensor, temperature: float, dtype: torch.dtype
) -> Tensor:
    """Log-probabilities [N] of `targets` from the states of `final_hidden` that predict them."""
    body = cast(LlamaModel, model.base_model)
    head = (model.get_output_embeddings().weight * body.norm.weight).to(dtype)
    return in_chunks(_target_log_probs, hidden, targets, head, len(head), temperature)


def _target_log_probs(hidden: Tensor, targets: Tensor, head: Tensor, temperature: float) -> Tensor:
    return TargetLogProbs.apply(hidden, head, targets, temperature)


def _query_key_value(layer: LlamaDecoderLayer, dtype: torch.dtype) -> tuple[Tensor, Tensor | None]:
    """Weight [(n + 2 k) x D, H] and bias of the joint product; the norm's gain and the attention's scale are in it."""
    attention = layer.self_attn
    gain, scale = layer.input_layernorm.weight, attention.head_dim**-0.5
    query, key, value = attention.q_proj, attention.k_proj, attention.v_proj

    weights = [query.weight * (gain * scale), key.weight * gain, value.weight * gain]
    weight = torch.cat(weights).to(dtype)
    if _bias(query) is None:
        return weight, None
    return weight, torch.cat([query.bias * scale, key.bias, value.bias]).to(dtype)


def _gate_up(layer: LlamaDecoderLayer, dtype: torch.dtype) -> tuple[Tensor, Tensor | None]:
    """Weight [2 x width, H] and bias of the joint product of gate and up; the norm's gain is in it."""
    gate, up = layer.mlp.gate_proj, layer.mlp.up_proj
    gain = layer.post_attention_layernorm.weight

    weight = (torch.cat([gate.weight, up.weight]) * gain).to(dtype)
    if _bias(gate) is None:
        return weight, None
    return weight, torch.cat([gate.bias, up.bias]).to(dtype)


def _linear(x: Tensor, module: torch.nn.Linear, dtype: torch.dtype) -> Tensor:
    bias = _bias(module)
    return F.linear(x, module.weight.to(dtype), None if bias is None else bias.to(dtype))


def _bias(module: torch.nn.Linear) -> Tensor | None:
    """A module's bias: torch declares a tensor, but a module made without one holds None."""
    return module.bias
