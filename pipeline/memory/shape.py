"""Sizes of a model that decide its memory."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.artifacts.write import read_json
from pipeline.config.load import Config
from pipeline.errors import UserError


@dataclass(frozen=True, slots=True)
class Shape:
    """A Llama or one of its relatives."""

    hidden: int
    intermediate: int
    layers: int
    heads: int
    key_value_heads: int
    head_size: int
    vocabulary: int
    tied: bool = False
    """Whether the input embeddings are the output layer too."""
    context: int = 4096
    """Positions that the model is made for."""
    counted: int = 0
    """All weights where they were counted in a folder; 0: by the sizes above."""

    @property
    def queries(self) -> int:
        """Width of all queries of a token."""
        return self.heads * self.head_size

    @property
    def keys(self) -> int:
        """Width of all keys of a token, and of all values."""
        return self.key_value_heads * self.head_size

    @property
    def joint(self) -> int:
        """Weights of a layer's query, key and value."""
        return (self.queries + 2 * self.keys) * self.hidden

    @property
    def layer(self) -> int:
        """Weights of a layer's products."""
        return self.joint + self.queries * self.hidden + 3 * self.hidden * self.intermediate

    @property
    def embedding(self) -> int:
        """Weights of the input embeddings."""
        return self.vocabulary * self.hidden

    @property
    def products(self) -> int:
        """Weights of all products, the output layer among them."""
        return self.layers * self.layer + self.embedding

    def adapters(self, rank: int) -> int:
        """Weights of low-rank adapters of all products of the layers."""
        attention = 2 * (self.queries + self.hidden) + 2 * (self.keys + self.hidden)
        gated = 3 * (self.hidden + self.intermediate)
        return self.layers * rank * (attention + gated)

    @property
    def parameters(self) -> int:
        """All weights."""
        if self.counted:
            return self.counted
        gains = (2 * self.layers + 1) * self.hidden
        return self.products + gains + (0 if self.tied else self.embedding)


KNOWN = {
    "deepseek-coder-1.3b": Shape(2048, 5504, 24, 16, 16, 128, 32_256, context=16_384),
    "deepseek-coder-7b-base-v1.5": Shape(4096, 11_008, 30, 32, 32, 128, 102_400),
    "deepseek-coder-6.7b": Shape(4096, 11_008, 32, 32, 32, 128, 32_256, context=16_384),
}
"""Checkpoints of the presets, as their config.json says (parts of Hub ids)."""

TYPICAL = (
    Shape(576, 1536, 30, 9, 3, 64, 49_152, tied=True),
    Shape(896, 4864, 24, 14, 2, 64, 151_936, tied=True),
    Shape(2048, 5504, 24, 16, 16, 128, 32_256),
    Shape(4096, 11_008, 32, 32, 32, 128, 32_256),
)
"""What a checkpoint of unknown shape is taken for, by the size in its name."""

_SIZE = re.compile(r"(?<![\d.])(\d+(?:\.\d+)?)([bm])(?![a-z])", re.IGNORECASE)


def shape_of(config: Config) -> Shape:
    """The shape of the coder that the settings name. Raises UserError where it cannot be known."""
    coder = config.sources.coder
    if coder == "mini":
        return _of_mini(config)
    if Path(coder).is_dir():
        return of_folder(coder)

    for name, shape in KNOWN.items():
        if name in coder.lower():
            return shape
    return _by_size(coder)


def _of_mini(config: Config) -> Shape:
    """The coder that is trained here (mini/coder.py): a Llama whose embeddings are the output layer too."""
    model = config.coder.model
    return Shape(
        hidden=model.hidden,
        intermediate=model.intermediate,
        layers=model.layers,
        heads=model.heads,
        key_value_heads=model.heads,
        head_size=model.hidden // model.heads,
        vocabulary=model.vocabulary,
        tied=True,
        context=model.context,
    )


def of_folder(folder: str | Path) -> Shape:
    """The shape that a folder's config.json describes; names are those of Llama or GPT-2."""
    values: dict[str, Any] = read_json(Path(folder) / "config.json")

    def number(*names: str) -> int:
        for name in names:
            if isinstance(values.get(name), int):
                return values[name]
        raise UserError(f"{folder}/config.json: no {names[0]}; memory cannot be predicted")

    hidden = number("hidden_size", "n_embd")
    heads = number("num_attention_heads", "n_head")
    return Shape(
        hidden=hidden,
        intermediate=values.get("intermediate_size") or 4 * hidden,
        layers=number("num_hidden_layers", "n_layer"),
        heads=heads,
        key_value_heads=values.get("num_key_value_heads") or heads,
        head_size=values.get("head_dim") or hidden // heads,
        vocabulary=number("vocab_size"),
        context=values.get("max_position_embeddings") or values.get("n_positions") or 1 << 30,
        tied=bool(values.get("tie_word_embeddings", values.get("model_type") == "gpt2")),
    )


def _by_size(coder: str) -> Shape:
    """The typical shape whose size is nearest to the one in the name."""
    found = _SIZE.search(coder)
    if found is None:
        raise UserError(
            f"sources.coder = {coder!r}: its size is not known before it is here; give its folder with --model"
        )
    size = float(found[1]) * (1e9 if found[2].lower() == "b" else 1e6)
    return min(TYPICAL, key=lambda shape: abs(shape.parameters - size))
