"""Token files written by pretrain.tokens, read as one stream of windows a source."""

from pathlib import Path

import numpy as np

from pipeline.artifacts.check import CHEAP
from pipeline.artifacts.write import file_digest, read_json
from pipeline.errors import UserError


class TokenSource:
    """The token stream of one source, over all its shards, read in windows of `context` tokens.

    `entry` is the source's entry in the manifest of pretrain.tokens, `dtype` that of the ids on
    disk.
    """

    def __init__(self, folder: Path, entry: dict, dtype: str, context: int):
        # An empty file cannot be mapped.
        names = [shard["name"] for shard in entry["shards"] if shard["tokens"]]
        self.shards = [np.memmap(folder / f"{name}.bin", dtype=dtype, mode="r") for name in names]
        self.starts = np.cumsum([0, *(len(shard) for shard in self.shards)])
        self.context = context
        self.windows = int(self.starts[-1]) // context

    def window(self, index: int) -> np.ndarray:
        """int32 ids [context] of window `index`; a window may begin in one shard and end in
        another."""
        start = index * self.context
        left = self.context
        shard = int(np.searchsorted(self.starts, start, side="right")) - 1

        pieces = []
        while left:
            offset = start - int(self.starts[shard])
            piece = self.shards[shard][offset : offset + left]
            pieces.append(piece)
            start += len(piece)
            left -= len(piece)
            shard += 1
        return np.concatenate(pieces).astype(np.int32)


def check_shards(folder: Path, counts: dict) -> None:
    """Raise a UserError for a token file that is not the one the manifest describes.

    Sizes are compared always, digests up to CHEAP bytes in all; those of manifests by older versions
    have none.
    """
    shards = [shard for entry in counts["sources"].values() for shard in entry["shards"]]
    size_of_id = np.dtype(counts["dtype"]).itemsize
    is_cheap = sum(shard["tokens"] for shard in shards) * size_of_id <= CHEAP

    for shard in shards:
        file = folder / f"{shard['name']}.bin"
        found = file.stat().st_size if file.is_file() else None
        wanted = shard["tokens"] * size_of_id
        if found != wanted:
            state = "is missing" if found is None else f"has {found:,} bytes"
            raise UserError(
                f"{file}: {state}, the manifest says {wanted:,}; delete {folder / 'manifest.json'} and run again"
            )
        if is_cheap and shard.get("digest") not in (None, file_digest(file)):
            raise UserError(
                f"{file}: not what the manifest describes (digest); delete {folder / 'manifest.json'} and run again"
            )


def open_sources(folder: Path, context: int) -> tuple[dict[str, TokenSource], dict]:
    """All sources of a token folder and its manifest's counts; each must fill at least one
    window."""
    manifest = read_json(folder / "manifest.json")
    try:
        counts = manifest["counts"]
        check_shards(folder, counts)
        sources = {
            name: TokenSource(folder, entry, counts["dtype"], context)
            for name, entry in counts["sources"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{folder}: not a folder of token files ({error})") from None

    for name, source in sources.items():
        if not source.windows:
            raise UserError(
                f"source {name!r} has {source.starts[-1]:,} tokens, less than one context ({context}): give it more "
                "text or leave it out of pretrain.mixture"
            )
    return sources, counts
