"""What the forward passes of this project must know about an architecture, read from its configuration."""

from collections.abc import Callable
from typing import Any

from torch import Tensor
from transformers import PretrainedConfig

FinalLogits = Callable[[Tensor], Tensor]
"""What a model does to the logits of its output layer; the shape stays."""


def final_logits(config: PretrainedConfig) -> FinalLogits | None:
    """What the model does to its output layer's logits before they are its own; None: nothing."""
    cap = getattr(config, "final_logit_softcapping", None)  # Gemma 2
    if cap:
        return lambda logits: cap * (logits / cap).tanh()

    scale = getattr(config, "logit_scale", None)  # Cohere
    if scale:
        return lambda logits: logits * scale

    divisor = getattr(config, "logits_scaling", None)  # Granite
    if divisor:
        return lambda logits: logits / divisor
    return None


def attention_windows(config: PretrainedConfig) -> list[int | None]:
    """For each layer how many positions a token sees, its own included; None: all before it.

    A window that is no shorter than the model's context is none.
    """
    layers = config.num_hidden_layers
    window = getattr(config, "sliding_window", None)
    if window is None or window >= _context(config):
        return [None] * layers

    # Some architectures alternate; others have one window for all layers.
    kinds = getattr(config, "layer_types", None) or ["sliding_attention"] * layers
    return [window if kind == "sliding_attention" else None for kind in kinds]


def has_windows(config: PretrainedConfig) -> bool:
    """Whether any layer sees less than all that stands before a token."""
    return any(window is not None for window in attention_windows(config))


def rope_type(config: PretrainedConfig) -> str:
    """The kind of rotary positions: "default", "linear", "llama3", "yarn", "dynamic", "longrope"; several kinds in
    one model are "mixed", and what does not follow transformers' layout is "unknown"."""
    parameters: dict[str, Any] | None = getattr(config, "rope_parameters", None)
    if not parameters:
        return "default"
    if "rope_type" in parameters:
        return str(parameters["rope_type"])

    # Gemma 3 has one set for layers with a window and another for those without.
    by_kind = [value for value in parameters.values() if isinstance(value, dict)]
    return "mixed" if by_kind else "unknown"


def has_fixed_angles(config: PretrainedConfig) -> bool:
    """Whether a position's rotary angles are the same in every sequence, however long the sequence is."""
    return rope_type(config) in ("default", "linear", "llama3", "yarn")


def _context(config: PretrainedConfig) -> int:
    """Positions that the model is made for; without a statement, no limit."""
    return getattr(config, "max_position_embeddings", None) or 1 << 30
