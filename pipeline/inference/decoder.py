"""A decoder for inference: the weights of a Llama or a close relative, fused and cast once, with a preallocated cache.

It computes what the model's own `forward` computes, in inference only, without its per-token overhead: one matrix
product for query, key and value, one for gate and up, norm gains and the attention's scale inside the weights, keys
and values written in place, a prompt's keys and values kept and read once for all its samples, and the output head
applied to the one position that is sampled from. The residual stream is fp32 whatever the weights are.

Grouped-query attention, tied embeddings, biases, norms of queries and keys, sliding windows, rotary positions of a part
of a head and every static kind of rotary scaling are supported: Llama, Mistral, Qwen2, Qwen3, Phi-3 (`supports`). Other
architectures sample through their own forward pass (pipeline.inference.forward_sampler).

Shapes: n sequences, Q prompts ("questions"), V vocabulary; a cache holds
[slots, key-value heads, positions, D] of each layer.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import LlamaForCausalLM, PretrainedConfig, PreTrainedModel

from pipeline.errors import UserError
from pipeline.model.adapters import product_weight
from pipeline.model.architecture import attention_windows, has_fixed_angles
from pipeline.model.distributed import full_tensor

CACHE_BLOCK = 32
"""Positions by which a cache grows. Attention runs over whole caches: a batched product of a slice would copy it."""

ROWS_BLOCK = 16
"""Sequences are computed in multiples of this: bf16 products prepare themselves anew for each number of rows."""

WORTH_SHARING = 64
"""Tokens from which on a beginning that prompts share is computed once."""

_WORTH_SPLITTING = 2**24
"""Weights from which on one product is worth all cores; with 4.3 million a rollout took 0.94 s so, 0.75 s on one."""

_SAME_BLOCKS = ("llama", "mistral", "qwen2", "qwen3", "phi3")
"""Architectures whose blocks are computed here; what tells them apart is read from their modules."""


@dataclass(slots=True)
class Linear:
    """Weights of one product, cast; several of the model's may be joined in it."""

    weight: Tensor
    bias: Tensor | None

    def __call__(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight, self.bias)


@dataclass(slots=True)
class Layer:
    """One block's weights: query, key and value in one matrix, gate and up in one matrix, gains multiplied in."""

    qkv: Linear
    out: Linear
    gate_up: Linear
    down: Linear

    query_key_gain: Tensor | None
    """[heads + key-value heads, D]: gains of the norms of queries and keys, where the model has them (Qwen3)."""

    window: int | None
    """How many positions a token sees, its own included; None: all before it."""


@dataclass(slots=True)
class Cache:
    """Keys and values of the sequences in its slots: for each layer [slots, key-value heads, positions, D]."""

    keys: list[Tensor]
    values: list[Tensor]

    @property
    def slots(self) -> int:
        """Sequences for which there is room."""
        return self.keys[0].shape[0]

    @property
    def positions(self) -> int:
        """Positions for which there is room."""
        return self.keys[0].shape[2]

    def grow(self, positions: int) -> None:
        """Make room for at least so many positions, in blocks; what is stored stays."""
        if positions <= self.positions:
            return
        more = _up(positions, CACHE_BLOCK) - self.positions

        # One tensor at a time: the old cache and the new one are never held together.
        for tensors in (self.keys, self.values):
            for layer, tensor in enumerate(tensors):
                tensors[layer] = F.pad(tensor, (0, 0, 0, more))

    def move(self, source: list[int], target: list[int]) -> None:
        """Copy whole sequences from the slots `source` into the slots `target`."""
        for tensor in (*self.keys, *self.values):
            tensor[target] = tensor[source]

    def put(self, slots: slice, other: "Cache") -> None:
        """Copy what `other` holds to the beginning of these slots."""
        for mine, theirs in zip(
            (*self.keys, *self.values), (*other.keys, *other.values), strict=True
        ):
            mine[slots, :, : other.positions] = theirs


@dataclass(slots=True)
class Prompts:
    """The prompts of the running sequences, each kept once: slots 0..len(lengths)-1 of `cache` are in use.

    Sequence i belongs to the prompt in slot `place[i] // group`, where it is number `place[i] % group`.
    """

    cache: Cache
    lengths: Tensor  # [Q]
    place: Tensor  # [n]
    group: int  # the most sequences that a prompt has

    def spread(self, rows: Tensor) -> Tensor:
        """[n, heads, repeats, x] -> [Q, heads, group * repeats, x], zero where a group has a hole."""
        dense = rows.new_zeros(len(self.lengths) * self.group, *rows.shape[1:])
        dense[self.place] = rows
        return dense.unflatten(0, (-1, self.group)).transpose(1, 2).flatten(2, 3)

    def gather(self, dense: Tensor, rows: int) -> Tensor:
        """The inverse of `spread`, with zeros behind the sequences up to `rows`."""
        by_sequence = dense.unflatten(2, (self.group, -1)).transpose(1, 2).flatten(0, 1)
        found = by_sequence[self.place]
        return F.pad(found, (0, 0, 0, 0, 0, 0, 0, rows - len(found)))


def supports(config: PretrainedConfig) -> bool:
    """Whether a model of this configuration runs in `Decoder`."""
    return (
        config.model_type in _SAME_BLOCKS
        and config.hidden_act == "silu"
        and has_fixed_angles(config)
    )


class Decoder:
    """Inference on the current weights of `model`; call `load` again after the weights changed.

    `compiled` puts a step through torch.compile: once for all sizes of batch and cache, a few times more where a size
    is 1 or the number of samples a prompt changes. Run on processors only so far.
    """

    def __init__(
        self, model: PreTrainedModel, dtype: torch.dtype | None = None, compiled: bool = False
    ):
        config = model.config
        if not supports(config):
            raise UserError(
                f"sampling: model type {config.model_type!r} does not run in this decoder"
            )

        self.epsilon: float = config.rms_norm_eps
        self.heads: int = config.num_attention_heads
        self.kv_heads: int = config.num_key_value_heads
        self.head_size: int = getattr(config, "head_dim", None) or config.hidden_size // self.heads
        self.context: int = config.max_position_embeddings
        self.windows = attention_windows(config)

        self.compiled = compiled
        self._step = torch.compile(self._compute) if compiled else self._compute
        self.load(model, dtype)

    # Weights.

    @torch.no_grad()
    def load(self, model: PreTrainedModel, dtype: torch.dtype | None = None) -> None:
        """Take the model's weights, cast to `dtype` (default: the model's own); sharded ones are gathered."""
        # The relatives name their modules as Llama does.
        llama = cast(LlamaForCausalLM, model)
        body = llama.model
        # Old and new weights are never held together.
        self.release()

        embedding = full_tensor(body.embed_tokens.weight)
        self.dtype, self.device = dtype or embedding.dtype, embedding.device
        self.embedding = self._cast(embedding)

        tied = llama.lm_head.weight is body.embed_tokens.weight
        head = embedding if tied else full_tensor(llama.lm_head.weight)
        self.head = self._cast(head * full_tensor(body.norm.weight))

        for layer, window in zip(body.layers, self.windows, strict=True):
            self.layers.append(self._fused(layer, window))

        positions = torch.arange(self.context, device=self.device)[None]
        cos, sin = body.rotary_emb(torch.zeros(1, device=self.device), positions)
        self.cos, self.sin = self._cast(cos[0]), self._cast(sin[0])  # [context, D]

    def release(self) -> None:
        """Give the weights back; the next `load` takes others."""
        self.layers: list[Layer] = []
        self.embedding = self.head = torch.empty(0)

    @property
    def is_released(self) -> bool:
        """Whether there are no weights to compute with."""
        return not self.layers

    @property
    def small(self) -> bool:
        """Whether a step's products are too small to be split over the cores of a processor; questions are instead."""
        layer = self.layers[0]
        linears = (layer.qkv, layer.out, layer.gate_up, layer.down)
        weights = len(self.layers) * sum(linear.weight.numel() for linear in linears)
        return self.device.type == "cpu" and weights < _WORTH_SPLITTING

    def _cast(self, weight: Tensor) -> Tensor:
        return weight.detach().to(self.dtype, copy=True)

    def _fused(self, layer: Any, window: int | None) -> Layer:
        """One block's weights, joined. `layer` is a block of any architecture in _SAME_BLOCKS."""
        attention, mlp = layer.self_attn, layer.mlp
        norms = self._query_key_gain(attention)
        # The attention's scale goes where queries get their last gain: their norm's, or else their product.
        scale = self.head_size**-0.5 if norms is None else 1.0

        return Layer(
            qkv=self._query_key_value(attention, scale, layer.input_layernorm.weight),
            out=self._joined([attention.o_proj], scales=[1.0]),
            gate_up=self._gate_up(mlp, layer.post_attention_layernorm.weight),
            down=self._joined([mlp.down_proj], scales=[1.0]),
            query_key_gain=norms,
            window=window,
        )

    def _query_key_value(self, attention: Any, scale: float, gain: Tensor) -> Linear:
        if hasattr(attention, "q_proj"):
            modules = [attention.q_proj, attention.k_proj, attention.v_proj]
            return self._joined(modules, scales=[scale, 1.0, 1.0], gain=gain)

        # Phi-3 has them in one product already; its first rows are the queries'.
        rows = product_weight(attention.qkv_proj)
        scales = torch.ones(len(rows), 1, device=rows.device)
        scales[: self.heads * self.head_size] = scale
        return Linear(self._cast(rows * scales * full_tensor(gain)), None)

    def _gate_up(self, mlp: Any, gain: Tensor) -> Linear:
        if hasattr(mlp, "gate_proj"):
            return self._joined([mlp.gate_proj, mlp.up_proj], scales=[1.0, 1.0], gain=gain)
        return self._joined([mlp.gate_up_proj], scales=[1.0], gain=gain)

    def _query_key_gain(self, attention: Any) -> Tensor | None:
        """Gains [heads + key-value heads, D] of the norms of queries and keys, the attention's scale in them."""
        if not hasattr(attention, "q_norm"):
            return None
        query = full_tensor(attention.q_norm.weight) * self.head_size**-0.5
        key = full_tensor(attention.k_norm.weight)
        gains = [query.expand(self.heads, -1), key.expand(self.kv_heads, -1)]
        return torch.cat(gains).detach().float()

    def _joined(
        self, modules: list[torch.nn.Linear], scales: list[float], gain: Tensor | None = None
    ) -> Linear:
        """Products of the same input as one; the outputs are scaled, the input is multiplied by `gain` beforehand."""
        weights, biases = [], []
        for module, scale in zip(modules, scales, strict=True):
            weight = product_weight(module) * scale
            weights.append(weight if gain is None else weight * full_tensor(gain))
            if module.bias is not None:
                biases.append(full_tensor(module.bias) * scale)

        weight = self._cast(torch.cat(weights))
        return Linear(weight, self._cast(torch.cat(biases)) if biases else None)

    # Prompts.

    def new_cache(self, slots: int, positions: int) -> Cache:
        """An empty cache for at least so many slots."""
        return self._cache(torch.zeros, _up(slots, ROWS_BLOCK), positions)

    def _cache(self, make: Callable[..., Tensor], slots: int, positions: int) -> Cache:
        """A cache whose tensors are made by torch.zeros or torch.empty."""

        def of_layers() -> list[Tensor]:
            shape = (slots, self.kv_heads, positions, self.head_size)
            return [make(shape, dtype=self.dtype, device=self.device) for _ in self.layers]

        return Cache(of_layers(), of_layers())

    @property
    def bytes_per_token(self) -> int:
        """Bytes that one token's keys and values take in all layers."""
        return 2 * len(self.layers) * self.kv_heads * self.head_size * self.dtype.itemsize

    def prefill(self, ids: Tensor, lengths: Tensor) -> tuple[Tensor, Cache]:
        """Run right-padded prompts `ids` [Q, width] of the given `lengths` [Q] through the model.

        Returns the logits after each prompt's last token [Q, V] and the prompts' keys and values (padding included: a
        causal model needs no mask for it, and the caller cuts it off). What all prompts begin with, as few-shot
        prompts do, is computed once.
        """
        questions, width = ids.shape
        cache = self._cache(torch.empty, questions, width)

        shared = _shared_prefix(ids, lengths)
        if shared:
            first = Cache([kept[:1] for kept in cache.keys], [kept[:1] for kept in cache.values])
            self._read(ids[:1, :shared], first, 0)
            for kept in (*cache.keys, *cache.values):
                kept[1:, :, :shared] = kept[:1, :, :shared]

        hidden = self._read(ids[:, shared:], cache, shared)
        last = hidden[torch.arange(questions, device=ids.device), lengths - 1 - shared]
        return self._logits(last), cache

    def _read(self, ids: Tensor, cache: Cache, begin: int) -> Tensor:
        """Run the tokens at positions `begin`, … of all rows; `cache` holds what is before them, and gets theirs."""
        end = begin + ids.shape[1]
        cos, sin = self.cos[begin:end, None], self.sin[begin:end, None]
        masks = {window: self._reading_mask(begin, end, window) for window in set(self.windows)}

        hidden = F.embedding(ids, self.embedding).float()
        for index, layer in enumerate(self.layers):
            query, key, value = self._qkv(layer, hidden, cos, sin)
            query, key, value = query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2)

            keys, values = cache.keys[index][:, :, :end], cache.values[index][:, :, :end]
            keys[:, :, begin:] = key
            values[:, :, begin:] = value

            mask = masks[layer.window]
            mixed = F.scaled_dot_product_attention(
                query,
                keys,
                values,
                mask,
                is_causal=mask is None,
                enable_gqa=self.heads != self.kv_heads,
                scale=1.0,
            )
            hidden = self._block(layer, hidden, mixed.transpose(1, 2))
        return hidden

    def _reading_mask(self, begin: int, end: int, window: int | None) -> Tensor | None:
        """Which of the positions 0, …, end - 1 the tokens at begin, …, end - 1 see, bool; None: plain causal."""
        if window is not None and window >= end:
            window = None
        if not begin and window is None:
            return None

        seen = torch.ones(end - begin, end, dtype=torch.bool, device=self.device).tril(begin)
        if window is not None:
            seen = seen.triu(begin - window + 1)
        return seen

    # One token a step.

    def step(self, tokens: Tensor, counts: Tensor, prompts: Prompts, cache: Cache) -> Tensor:
        """Feed one token to each of n sequences: tokens [n] -> logits [n, V].

        Sequence i has `counts[i]` earlier tokens behind its prompt; they stand in slot i of `cache`, and this token's
        keys and values are written behind them. Later positions of the slot are not looked at.
        """
        cache.grow(int(counts.max()) + 1)
        changing = (
            tokens,
            counts,
            prompts.cache.keys,
            prompts.cache.values,
            prompts.lengths,
            prompts.place,
            prompts.group,
            cache.keys,
            cache.values,
        )

        if self.compiled:
            # Slots and positions of caches change, layers and heads do not.
            for value in changing:
                for tensor in value if isinstance(value, list) else [value]:
                    if isinstance(tensor, Tensor):
                        dimensions = [0] if tensor.dim() == 1 else [0, 2]
                        torch._dynamo.maybe_mark_dynamic(tensor, dimensions)
        return self._step(*changing)

    def _compute(
        self,
        tokens: Tensor,
        counts: Tensor,
        prompt_keys: list[Tensor],
        prompt_values: list[Tensor],
        lengths: Tensor,
        place: Tensor,
        group: int,
        own_keys: list[Tensor],
        own_values: list[Tensor],
    ) -> Tensor:
        """`step` once there is room in the cache; all that changes from step to step is an argument (torch.compile)."""
        prompts = Prompts(Cache(prompt_keys, prompt_values), lengths, place, group)
        cache = Cache(own_keys, own_values)
        running = len(tokens)
        rows = min(_up(running, ROWS_BLOCK), cache.slots)
        slots = prompts.place // prompts.group
        widths = (prompts.cache.positions, cache.positions)

        # Where the new keys and values go, in a layer's cache made flat.
        places = torch.arange(running * self.kv_heads, device=tokens.device) * cache.positions
        places += counts.repeat_interleave(self.kv_heads)

        lengths = _padded(prompts.lengths[slots], rows)
        counts, tokens = _padded(counts, rows), _padded(tokens, rows)
        mask = torch.cat([_blind(lengths, widths[0]), _blind(counts + 1, widths[1])], -1)
        mask = mask[:, None, None]
        masks: dict[int | None, Tensor] = {None: mask}
        for window in set(self.windows):
            if window is not None:
                masks[window] = mask + _too_far(lengths, counts, widths, window)
        cos, sin = self.cos[lengths + counts][:, None], self.sin[lengths + counts][:, None]
        own, shared = slice(0, rows), slice(0, len(prompts.lengths))

        hidden = F.embedding(tokens, self.embedding).float()
        for index, layer in enumerate(self.layers):
            query, key, value = self._qkv(layer, hidden, cos, sin)

            keys, values = cache.keys[index], cache.values[index]
            new_keys = key[:running].reshape(-1, self.head_size)
            new_values = value[:running].reshape(-1, self.head_size)
            keys.view(-1, self.head_size).index_copy_(0, places, new_keys)
            values.view(-1, self.head_size).index_copy_(0, places, new_values)

            # Scores on the prompt, whose keys all its sequences share, and on the sequence's own tokens.
            query = query.unflatten(1, (self.kv_heads, -1))
            prompt_keys_t = prompts.cache.keys[index][shared].transpose(-1, -2)
            on_prompt = prompts.gather(prompts.spread(query[:running]) @ prompt_keys_t, rows)
            scores = torch.cat([on_prompt, query @ keys[own].transpose(-1, -2)], -1)

            weights = (scores + masks[layer.window]).softmax(-1).to(self.dtype)
            on_prompt, on_own = weights.split(widths, -1)

            of_prompt = prompts.spread(on_prompt[:running]) @ prompts.cache.values[index][shared]
            mixed = prompts.gather(of_prompt, rows) + on_own @ values[own]
            hidden = self._block(layer, hidden, mixed.flatten(1, 2))
        return self._logits(hidden)[:running]

    # Pieces of a block.

    def _qkv(
        self, layer: Layer, hidden: Tensor, cos: Tensor, sin: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Rotated query [..., heads, D] and key [..., key-value heads, D], and value like the key."""
        joint = layer.qkv(self._normed(hidden)).unflatten(-1, (-1, self.head_size))
        turned, value = joint.split((self.heads + self.kv_heads, self.kv_heads), -2)
        if layer.query_key_gain is not None:
            turned = self._normed_heads(turned, layer.query_key_gain)
        query, key = _rotate(turned, cos, sin).split((self.heads, self.kv_heads), -2)
        return query, key, value

    def _block(self, layer: Layer, hidden: Tensor, mixed: Tensor) -> Tensor:
        """The rest of a block, from the attention's result [..., heads, D]."""
        hidden = hidden + layer.out(mixed.flatten(-2))
        gate, up = layer.gate_up(self._normed(hidden)).chunk(2, -1)
        return hidden + layer.down(F.silu(gate).mul_(up))

    def _normed(self, hidden: Tensor) -> Tensor:
        norm = torch.linalg.vector_norm(hidden, dim=-1, keepdim=True)
        scale = norm.square_().div_(hidden.shape[-1]).add_(self.epsilon).rsqrt_()
        return (hidden * scale).to(self.dtype)

    def _normed_heads(self, heads: Tensor, gain: Tensor) -> Tensor:
        """Queries and keys [..., heads, D], each head divided by its root mean square, times its gain [heads, D]."""
        heads = heads.float()
        scale = heads.square().mean(-1, keepdim=True).add_(self.epsilon).rsqrt_()
        return (heads * scale * gain).to(self.dtype)

    def _logits(self, hidden: Tensor) -> Tensor:
        return F.linear(self._normed(hidden), self.head).float()


def _up(number: int, block: int) -> int:
    """The least multiple of `block` that is not below `number`."""
    return -(-number // block) * block


def _padded(rows: Tensor, count: int) -> Tensor:
    return F.pad(rows, (0, count - len(rows)))


def _shared_prefix(ids: Tensor, lengths: Tensor) -> int:
    """How many leading tokens all rows share (each keeps one of its own), 0 where computing them apart costs little."""
    common = int((ids == ids[:1]).all(0).int().cumprod(0).sum())
    common = min(common, int(lengths.min()) - 1)
    return common if len(ids) > 1 and common >= WORTH_SHARING else 0


def _blind(lengths: Tensor, width: int) -> Tensor:
    """[rows] -> [rows, width]: 0 at positions below a row's length, -inf from there on."""
    beyond = torch.arange(width, device=lengths.device) >= lengths[:, None]
    return torch.zeros(beyond.shape, device=lengths.device).masked_fill_(beyond, float("-inf"))


def _too_far(lengths: Tensor, counts: Tensor, widths: tuple[int, int], window: int) -> Tensor:
    """[rows, 1, 1, prompt width + own width]: -inf at positions that a window leaves out, 0 elsewhere.

    A row's token stands at position `lengths + counts`: its prompt is at 0, …, and its own tokens follow the prompt.
    """
    first_seen = lengths + counts - window + 1
    prompt = torch.arange(widths[0], device=lengths.device).expand(len(lengths), -1)
    own = lengths[:, None] + torch.arange(widths[1], device=lengths.device)

    position = torch.cat([prompt, own], -1)
    hidden = torch.zeros(position.shape, device=lengths.device)
    hidden.masked_fill_(position < first_seen[:, None], float("-inf"))
    return hidden[:, None, None]


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn each head [..., D] by its angles [..., R]; the last D - R numbers stay as they are (Phi-3)."""
    turned, rest = x[..., : cos.shape[-1]], x[..., cos.shape[-1] :]
    first, second = turned.chunk(2, -1)
    turned = turned * cos + torch.cat([-second, first], -1) * sin
    return torch.cat([turned, rest], -1) if rest.shape[-1] else turned
