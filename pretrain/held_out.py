"""Bits per byte of a model on held-out texts: what continued pretraining gains and what it
forgets."""

import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from pipeline.artifacts.records import read_jsonl, whole_characters
from pipeline.errors import UserError
from pipeline.forward.batches import Row
from pipeline.forward.layout import row_log_probs
from pipeline.model import distributed

SMALLEST = 100_000
"""Bytes of the first document that are measured at least, if it has so many: a whole page."""


def document_start(tokenizer: PreTrainedTokenizerBase) -> int:
    """The id that begins each document: BOS, or EOS where the tokenizer has no BOS."""
    start = tokenizer.bos_token_id
    return tokenizer.eos_token_id if start is None else start


class HeldOutText:
    """One held-out text, encoded once: rows of at most `context` tokens, and its size in UTF-8
    bytes."""

    def __init__(
        self, texts: Iterable[str], tokenizer: PreTrainedTokenizerBase, context: int, max_bytes: int
    ):
        self.rows: list[Row] = []
        self.bytes = 0
        start = document_start(tokenizer)
        for text in texts:
            size = len(text.encode())
            if self.rows and self.bytes + size > max_bytes:
                break
            # The first document may be as large as a book; the bound holds for it too.
            text = text.encode()[: max(max_bytes, SMALLEST)].decode(errors="ignore")
            self.bytes += len(text.encode())
            ids = tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True)
            self.rows += _rows(ids, start, context)

    def bits_per_byte(
        self, model: PreTrainedModel, max_tokens: int, precision: str = "auto"
    ) -> float:
        """Negative log2-likelihood of all tokens over the number of bytes; independent of the
        tokenizer's pieces."""
        rows = distributed.shard_for_rank(self.rows)
        log_probs = row_log_probs(model, rows, max_tokens, precision=precision)
        # In float64: a text has millions of tokens.
        mine = sum(float(row.sum(dtype=np.float64)) for row in log_probs)
        total = distributed.all_reduce_sum({"log_prob": mine})["log_prob"]
        return -total / math.log(2) / self.bytes


def read_held_out(
    path: str | Path, tokenizer: PreTrainedTokenizerBase, context: int, max_bytes: int
) -> HeldOutText:
    """Read a JSON Lines file of {"text"} objects; whole documents from the beginning, up to
    `max_bytes`."""
    texts = [whole_characters(str(row["text"])) for row in read_jsonl(path) if row.get("text")]
    if not texts:
        raise UserError(f"{path}: no held-out text (expected JSON Lines with a field `text`)")
    return HeldOutText(texts, tokenizer, context, max_bytes)


def _rows(ids: list[int], start_id: int, context: int) -> list[Row]:
    """Every token is scored exactly once; each row begins with `start`, which is not."""
    step = context - 1  # it takes the first place
    rows = []
    for start in range(0, len(ids), step):
        row_ids = np.array([start_id, *ids[start : start + step]], dtype=np.int32)
        scored = np.arange(len(row_ids)) > 0
        rows.append(Row(row_ids, scored))
    return rows
