"""The mark of resumable work: what must be equal for its state to be taken up again, and the folder that holds it."""

import hashlib
import json
import shutil
from pathlib import Path

from pipeline.artifacts.write import write_text
from pipeline.errors import UserError

MARK = "fingerprint"


def fingerprint(*parts: object) -> str:
    """A digest (16 hex characters) of settings, input digests and code digests."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def claim_folder(folder: Path, mark: str) -> None:
    """Make `folder` hold resumable state under `mark` and no other: state under another mark is thrown away.

    Such a folder is deleted when the work is done. One that holds anything but resumable state is therefore refused.
    """
    found = folder / MARK
    if folder.exists() and not folder.is_dir():
        raise UserError(f"--resume {folder}: not a folder")
    if folder.is_dir() and not found.is_file() and any(folder.iterdir()):
        raise UserError(
            f"--resume {folder}: holds other files, which would be deleted at the end; name a new folder"
        )
    if found.is_file() and found.read_text(encoding="utf-8") != mark:
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if not found.is_file():
        write_text(found, mark)
