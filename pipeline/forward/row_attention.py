"""Attention of packed rows for transformers: real tokens everywhere, a padded block of rows in attention alone.

Transformers gives a packed sequence of T tokens a T x T mask, whose cost grows with the square of the whole sequence
(unless a flash-attention package is installed, and there is none for CPUs). Here queries, keys and values are laid out
as rows [B, L], attended causally by torch's own kernel, and laid back: there is no mask, rows cannot see each other,
and padding costs nothing outside attention.

The implementation is registered with transformers under the name ROWS; without packed rows it is plain sdpa.
"""

from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

from pipeline.forward.ragged import RaggedRows

ROWS = "sdpa_rows"


def use_row_attention(model: PreTrainedModel) -> None:
    """Let a model that attends by sdpa attend here; another implementation was somebody's choice and stays."""
    if model.config._attn_implementation == "sdpa":
        model.set_attn_implementation(ROWS)


def attends_by_rows(model: PreTrainedModel) -> bool:
    """Whether the model computes attention here."""
    return model.config._attn_implementation == ROWS


def packing_arguments(rows: RaggedRows) -> dict[str, Any]:
    """What a model that attends by rows takes, beside ids and positions, for rows packed into one sequence."""
    # Transformers hands a 4-D mask on as it is instead of making one of T x T. Nothing reads this one.
    unread_mask = torch.zeros(1, 1, 1, 1, device=rows.lengths.device)
    return {"attention_mask": unread_mask, "ragged_rows": rows}


def rows_attention(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    ragged_rows: RaggedRows | None = None,
    **options: Any,
) -> tuple[Tensor, None]:
    """An attention function of transformers: [1, heads, T, D] each -> ([1, T, heads, D], None)."""
    if ragged_rows is None:
        return sdpa_attention_forward(module, query, key, value, attention_mask, **options)

    token_at = ragged_rows.token_at

    def as_block(packed: Tensor) -> Tensor:
        """[1, heads, T, D] -> [B, heads, L, D]."""
        laid_out = packed[0].index_select(1, token_at.flatten())
        return laid_out.unflatten(1, token_at.shape).transpose(0, 1)

    length = token_at.shape[1]
    window = options.get("sliding_window")
    mask = None
    if window is not None and window < length:
        mask = _window_mask(length, window, query.device)

    options["is_causal"] = mask is None
    attended, _ = sdpa_attention_forward(
        module, as_block(query), as_block(key), as_block(value), mask, **options
    )

    flat = attended.flatten(0, 1).index_select(0, ragged_rows.place_of)
    return flat[None], None


def _window_mask(length: int, window: int, device: torch.device) -> Tensor:
    """Bool [1, 1, L, L]: a token sees itself and the `window - 1` tokens before it."""
    seen = torch.ones(length, length, dtype=torch.bool, device=device)
    return seen.tril().triu(1 - window)[None, None]


AttentionInterface.register(ROWS, rows_attention)
AttentionMaskInterface.register(ROWS, sdpa_mask)
