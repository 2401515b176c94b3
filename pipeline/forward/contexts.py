"""Contexts of a token stream as rows of equal weight for the language-modelling loss."""

import numpy as np

from pipeline.forward.batches import Row


def context_rows(
    contexts: list[np.ndarray], bos: int, attend_across_documents: bool = True
) -> list[Row]:
    """Rows whose losses add up to the mean over all their targets.

    `contexts` are int32 id arrays cut from a stream of documents, each of which begins with `bos`. Unless a token may
    attend to earlier documents, a context falls into one row a document.
    """
    pieces = contexts
    if not attend_across_documents:
        pieces = [piece for ids in contexts for piece in _documents(ids, bos)]
    rows = [Row(ids, np.arange(len(ids)) > 0) for ids in pieces]
    total = max(1, sum(len(ids) - 1 for ids in pieces))
    for row in rows:
        row.columns["weight"] = np.full(len(row), 1 / total, dtype=np.float32)
    return rows


def _documents(ids: np.ndarray, bos: int) -> list[np.ndarray]:
    return [piece for piece in np.split(ids, np.flatnonzero(ids == bos)) if len(piece)]
