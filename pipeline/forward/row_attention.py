"""Attention of packed rows: everything but attention computes real tokens only, attention a padded block of rows.

Transformers gives a packed sequence of T tokens a T x T mask, whose cost grows with the square of the whole sequence
(without a flash-attention package, which CPUs have none of). Here queries, keys and values are laid out as rows
[B, L], attended causally by torch's own kernel, and laid back: no mask, no leak, and padding costs nothing elsewhere.

The implementation is registered with transformers under the name ROWS; without packed rows it is plain sdpa.
"""

from dataclasses import dataclass

import torch
from transformers import AttentionInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

ROWS = "sdpa_rows"


@dataclass(slots=True)
class Spread:
    """How T packed tokens stand in a block of B rows of L places, padded at the right."""

    tokens: (
        torch.Tensor
    )  # int64 [B * L]: the token at each place; token 0 at places that are padding
    places: torch.Tensor  # int64 [T]: the place of each token
    rows: int


def spread_of(lengths: list[int], device: torch.device | str = "cpu") -> Spread:
    """The spread of rows of these lengths that lie end to end."""
    sizes = torch.tensor(lengths)
    starts = sizes.cumsum(0) - sizes
    steps = torch.arange(int(sizes.max()))
    inside = steps < sizes[:, None]
    tokens = torch.where(inside, starts[:, None] + steps, 0).flatten()
    return Spread(tokens.to(device), inside.flatten().nonzero()[:, 0].to(device), len(lengths))


def attends_by_rows(model: PreTrainedModel) -> bool:
    """Whether the model computes attention here, and over whole rows (no sliding window)."""
    config = model.config
    return config._attn_implementation == ROWS and getattr(config, "sliding_window", None) is None


def whole_mask(device: torch.device | str) -> torch.Tensor:
    """A mask that transformers hands on as it is instead of making one of T x T; nothing reads it."""
    return torch.zeros(1, 1, 1, 1, device=device)


def rows_attention(
    module, query, key, value, attention_mask, row_spread: Spread | None = None, **options
):
    """An attention function of transformers: [1, heads, T, d] each -> ([1, T, heads, d], None)."""
    if row_spread is None:
        return sdpa_attention_forward(module, query, key, value, attention_mask, **options)

    def block(packed: torch.Tensor) -> torch.Tensor:
        laid_out = packed[0].index_select(1, row_spread.tokens)
        return laid_out.unflatten(1, (row_spread.rows, -1)).transpose(0, 1)

    options["is_causal"] = True
    attended, _ = sdpa_attention_forward(
        module, block(query), block(key), block(value), None, **options
    )
    return attended.flatten(0, 1).index_select(0, row_spread.places)[None], None


AttentionInterface.register(ROWS, rows_attention)
AttentionMaskInterface.register(ROWS, sdpa_mask)
