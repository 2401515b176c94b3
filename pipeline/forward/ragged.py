"""Rows of different lengths: end to end without padding, and as a block that is padded on the right.

Most of a transformer treats every token alike, so T real tokens lie end to end and no padding is computed. Attention
needs rows, in a block of B rows and L places. `RaggedRows` holds where each token stands in both:

    block = flat[rows.token_at]                  # [T, ...] -> [B, L, ...]
    flat = block.flatten(0, 1)[rows.place_of]    # [B, L, ...] -> [T, ...]
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(slots=True)
class RaggedRows:
    """B rows that lie end to end, T tokens together, and their places in a block [B, L]."""

    lengths: Tensor  # int64 [B]
    token_at: (
        Tensor  # int64 [B, L]: the token at each place; at padding some token, which nothing uses
    )
    place_of: Tensor  # int64 [T]: the place of each token in the block made flat
    positions: Tensor  # int64 [T]: the place of each token in its row, from 0


def ragged_rows(
    lengths: Tensor | Sequence[int], first: int = 0, device: torch.device | str = "cpu"
) -> RaggedRows:
    """Rows of these lengths, in this order, whose tokens are numbered from `first`.

    A length may be 0; the block is at least one place wide, and there may be no rows at all.
    """
    sizes = torch.as_tensor(lengths)
    longest = int(sizes.max()) if len(sizes) else 0
    starts = first + sizes.cumsum(0) - sizes

    steps = torch.arange(max(1, longest))
    is_token = steps < sizes[:, None]
    # Padding points to token 0: it exists even where `first` is the number of all tokens.
    token_at = torch.where(is_token, starts[:, None] + steps, 0)

    return RaggedRows(
        lengths=sizes.to(device),
        token_at=token_at.to(device),
        place_of=is_token.flatten().nonzero()[:, 0].to(device),
        positions=steps.expand(len(sizes), -1)[is_token].to(device),
    )
