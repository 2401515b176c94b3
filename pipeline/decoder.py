"""A lean decoder: the weights of a Hugging Face Llama, fused and cast once, with a preallocated key-value cache.

It computes what `LlamaForCausalLM.forward` computes, in inference only, without its per-token overhead: one matrix
product for query, key and value, one for gate and up, keys and values written in place, a prompt's keys and values
kept and read once for all its samples, and the output head applied to the one position that is sampled from.
Grouped-query attention, tied embeddings, biases and every static kind of rotary scaling are supported; an
architecture other than Llama is refused.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from pipeline.errors import UserError

_CHANGING_ROPE = ("dynamic", "longrope")  # their angles depend on the length of the running sequence


@dataclass(slots=True)
class Layer:
    """One block's weights: query, key and value in one matrix, gate and up in one matrix."""

    attention_norm: Tensor
    qkv: Tensor
    qkv_bias: Tensor | None
    out: Tensor
    out_bias: Tensor | None
    mlp_norm: Tensor
    gate_up: Tensor
    gate_up_bias: Tensor | None
    down: Tensor
    down_bias: Tensor | None


@dataclass(slots=True)
class Cache:
    """Keys and values of `slots` sequences, shape (layers, slots, key-value heads, positions, head size)."""

    keys: Tensor
    values: Tensor

    def move(self, source: list[int], target: list[int]) -> None:
        """Copy whole sequences from the slots `source` into the slots `target`."""
        self.keys[:, target] = self.keys[:, source]
        self.values[:, target] = self.values[:, source]


@dataclass(slots=True)
class Prompts:
    """The prompts of the running sequences, each kept once: slots 0..len(lengths)-1 of `cache` are in use.

    Sequence i belongs to the prompt in slot `place[i] // group`, where it is number `place[i] % group`.
    """

    cache: Cache
    lengths: Tensor  # (prompts,)
    place: Tensor  # (sequences,)
    group: int

    def spread(self, rows: Tensor) -> Tensor:
        """(sequences, heads, repeats, x) -> (prompts, heads, group * repeats, x), zero where a group has a hole."""
        dense = rows.new_zeros(len(self.lengths) * self.group, *rows.shape[1:])
        dense[self.place] = rows
        return dense.unflatten(0, (-1, self.group)).transpose(1, 2).flatten(2, 3)

    def gather(self, dense: Tensor) -> Tensor:
        """The inverse of `spread`."""
        return dense.unflatten(2, (self.group, -1)).transpose(1, 2).flatten(0, 1)[self.place]


class Decoder:
    """Inference on the current weights of `model`; call `load` again after the weights changed."""

    def __init__(self, model: torch.nn.Module, dtype: torch.dtype | None = None):
        config = model.config
        rope = getattr(config, "rope_parameters", None) or {}
        if config.model_type != "llama" or rope.get("rope_type", "default") in _CHANGING_ROPE:
            found = f"model type {config.model_type!r}, rotary positions {rope.get('rope_type', 'default')!r}"
            raise UserError(f"sampling: {found}: only llama with a static rotary scaling is supported")
        self.epsilon = config.rms_norm_eps
        self.heads, self.kv_heads = config.num_attention_heads, config.num_key_value_heads
        self.head_size = getattr(config, "head_dim", None) or config.hidden_size // self.heads
        self.context = config.max_position_embeddings
        self.load(model, dtype)

    @torch.no_grad()
    def load(self, model: torch.nn.Module, dtype: torch.dtype | None = None) -> None:
        """Take the model's weights, cast to `dtype` (default: the model's own)."""
        weight = model.model.embed_tokens.weight
        self.dtype, self.device = dtype or weight.dtype, weight.device
        self.embedding = self._cast(weight)
        tied = model.lm_head.weight is weight
        self.head = self.embedding if tied else self._cast(model.lm_head.weight)
        self.norm = self._cast(model.model.norm.weight)
        self.layers = [self._fused(layer) for layer in model.model.layers]
        positions = torch.arange(self.context, device=self.device)[None]
        cos, sin = model.model.rotary_emb(torch.zeros(1, device=self.device), positions)
        self.cos, self.sin = self._cast(cos[0]), self._cast(sin[0])  # (context, head size)

    def _cast(self, weight: Tensor) -> Tensor:
        return weight.detach().to(self.dtype, copy=True)

    def _fused(self, layer: torch.nn.Module) -> Layer:
        attention, mlp = layer.self_attn, layer.mlp

        def joined(*modules: torch.nn.Module) -> tuple[Tensor, Tensor | None]:
            bias = None if modules[0].bias is None else self._cast(torch.cat([m.bias for m in modules]))
            return self._cast(torch.cat([m.weight for m in modules])), bias

        return Layer(
            self._cast(layer.input_layernorm.weight),
            *joined(attention.q_proj, attention.k_proj, attention.v_proj),
            *joined(attention.o_proj),
            self._cast(layer.post_attention_layernorm.weight),
            *joined(mlp.gate_proj, mlp.up_proj),
            *joined(mlp.down_proj),
        )

    def new_cache(self, slots: int, positions: int) -> Cache:
        shape = (len(self.layers), slots, self.kv_heads, positions, self.head_size)
        return Cache(*(torch.zeros(shape, dtype=self.dtype, device=self.device) for _ in range(2)))

    def prefill(self, ids: Tensor, lengths: Tensor) -> tuple[Tensor, Cache]:
        """Run right-padded prompts `ids` (questions, width) of the given `lengths` through the model.

        Returns the logits after each prompt's last token (questions, vocabulary) and the prompts' keys and values
        (padding included: a causal model needs no mask for it, and the caller cuts it off).
        """
        questions, width = ids.shape
        cache = self.new_cache(questions, width)
        cos, sin = self.cos[:width, None], self.sin[:width, None]
        hidden = F.embedding(ids, self.embedding)
        for index, layer in enumerate(self.layers):
            query, key, value = self._qkv(layer, hidden)
            query, key = _rotate(query, cos, sin), _rotate(key, cos, sin)
            query, key, value = query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2)
            cache.keys[index], cache.values[index] = key, value
            mixed = F.scaled_dot_product_attention(
                query, key, value, is_causal=True, enable_gqa=self.heads != self.kv_heads
            )
            hidden = self._block(layer, hidden, mixed.transpose(1, 2))
        last = hidden[torch.arange(questions, device=ids.device), lengths - 1]
        return self._logits(last), cache

    def step(self, tokens: Tensor, counts: Tensor, prompts: Prompts, cache: Cache) -> Tensor:
        """Feed one token to each of n sequences: tokens (n,) -> logits (n, vocabulary).

        Sequence i has `counts[i]` earlier tokens behind its prompt; they stand in slot i of `cache`, and this token's
        keys and values are written behind them. Later positions of the slot are not looked at.
        """
        rows = torch.arange(len(tokens), device=tokens.device)
        slots, widths = prompts.place // prompts.group, (int(prompts.lengths.max()), int(counts.max()) + 1)
        masks = _blind(prompts.lengths[slots], widths[0]), _blind(counts + 1, widths[1])
        mask = torch.cat(masks, -1)[:, None, None]
        positions = prompts.lengths[slots] + counts
        cos, sin = self.cos[positions][:, None], self.sin[positions][:, None]
        hidden = F.embedding(tokens, self.embedding)
        for index, layer in enumerate(self.layers):
            query, key, value = self._qkv(layer, hidden)
            keys, values = cache.keys[index], cache.values[index]
            keys[rows, :, counts], values[rows, :, counts] = _rotate(key, cos, sin), value
            query = (_rotate(query, cos, sin) * self.head_size**-0.5).unflatten(1, (self.kv_heads, -1))
            own = slice(0, len(tokens)), slice(None), slice(0, widths[1])
            shared = slice(0, len(prompts.lengths)), slice(None), slice(0, widths[0])
            scores = prompts.gather(prompts.spread(query) @ prompts.cache.keys[index][shared].transpose(-1, -2))
            scores = torch.cat([scores, query @ keys[own].transpose(-1, -2)], -1)
            weights = (scores.float() + mask).softmax(-1).to(self.dtype)
            on_prompt, on_own = weights.split(widths, -1)
            mixed = prompts.gather(prompts.spread(on_prompt) @ prompts.cache.values[index][shared])
            mixed = mixed + on_own @ values[own]
            hidden = self._block(layer, hidden, mixed.flatten(1, 2))
        return self._logits(hidden)

    def _qkv(self, layer: Layer, hidden: Tensor) -> tuple[Tensor, ...]:
        """Query (..., heads, head size), key and value (..., key-value heads, head size)."""
        normed = F.rms_norm(hidden, hidden.shape[-1:], layer.attention_norm, self.epsilon)
        joint = F.linear(normed, layer.qkv, layer.qkv_bias).unflatten(-1, (-1, self.head_size))
        return joint.split((self.heads, self.kv_heads, self.kv_heads), -2)

    def _block(self, layer: Layer, hidden: Tensor, mixed: Tensor) -> Tensor:
        """The rest of a block, from the attention's result (..., heads, head size)."""
        hidden = hidden + F.linear(mixed.flatten(-2), layer.out, layer.out_bias)
        normed = F.rms_norm(hidden, hidden.shape[-1:], layer.mlp_norm, self.epsilon)
        gate, up = F.linear(normed, layer.gate_up, layer.gate_up_bias).chunk(2, -1)
        return hidden + F.linear(F.silu(gate) * up, layer.down, layer.down_bias)

    def _logits(self, hidden: Tensor) -> Tensor:
        normed = F.rms_norm(hidden, hidden.shape[-1:], self.norm, self.epsilon)
        return F.linear(normed, self.head).float()


def _blind(lengths: Tensor, width: int) -> Tensor:
    """(rows,) -> (rows, width): 0 at positions below a row's length, -inf from there on."""
    beyond = torch.arange(width, device=lengths.device) >= lengths[:, None]
    return torch.zeros(beyond.shape, device=lengths.device).masked_fill_(beyond, float("-inf"))


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    first, second = x.chunk(2, -1)
    return x * cos + torch.cat([-second, first], -1) * sin
