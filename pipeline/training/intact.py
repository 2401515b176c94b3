"""Whether a checkpoint is what was written: disks and copies lose bits, and torch loads such a file without a word.

Everything that torch saves is a ZIP archive with a CRC-32 of each of its members. torch writes those sums and never
reads them; here they are compared, before a run goes on from a checkpoint. Saving costs nothing more.
"""

import io
import zipfile
from pathlib import Path
from typing import IO

import torch

from pipeline.model import distributed

STATE = "state.pt"
"""Of a sharded checkpoint: the file of what is no tensor."""


def is_intact(place: Path) -> bool:
    """Whether all bytes of a checkpoint, a file or a folder of parts, are those that were saved.

    Every process must call it, and all get the same answer. They share the reading of a folder.
    """
    if place.is_dir():
        damaged = not _parts_are_intact(place)
    else:
        damaged = distributed.is_main() and not _archive_is_intact(place)
    return not distributed.all_reduce_max(int(damaged))


def _archive_is_intact(source: Path | IO[bytes]) -> bool:
    """Whether the sums agree and torch can open the file: its own reader looks at bytes that Python's does not."""
    try:
        with zipfile.ZipFile(source) as archive:
            if archive.testzip() is not None:
                return False
        if not isinstance(source, Path):
            source.seek(0)
        # Our own file. Tensors on the device "meta" are not read a second time.
        torch.load(source, map_location="meta", weights_only=False)
    # Damaged bytes raise whatever they make the readers stumble over.
    except Exception:
        return False
    return True


def _parts_are_intact(place: Path) -> bool:
    """This process's share of the tensors in torch's distributed format, in which each is an archive of its own."""
    from torch.distributed.checkpoint import FileSystemReader

    if not _archive_is_intact(place / STATE):
        return False
    try:
        tensors = list(FileSystemReader(place).read_metadata().storage_data.values())
    # The list of tensors is a pickle: damaged, it raises whatever it stumbles over.
    except Exception:
        return False

    for tensor in distributed.shard_for_rank(tensors):
        try:
            with open(place / tensor.relative_path, "rb") as stream:
                stream.seek(tensor.offset)
                content = stream.read(tensor.length)
        except OSError:
            return False
        if len(content) != tensor.length or not _archive_is_intact(io.BytesIO(content)):
            return False
    return True
