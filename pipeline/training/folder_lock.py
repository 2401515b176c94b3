"""One training at a time works in a folder of resumable state.

The lock is the kernel's (flock), so it ends with the process that holds it, however that ends. The file beside the
folder names the holder; it stays when a run is killed and says nothing by itself.
"""

import fcntl
import os
import socket
from pathlib import Path
from typing import IO

from pipeline.errors import UserError

_held: dict[Path, IO[str]] = {}
"""This process's locks, kept open until they are given up or the process ends."""


def lock_folder(folder: Path) -> None:
    """Hold the lock of `folder` from now on; a UserError names host, process and Slurm job of another holder.

    A folder that this process holds already is its own. File systems without locks are not guarded.
    """
    path = _lock_file(folder)
    if path in _held:
        return

    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        stream = open(path, "a+", encoding="utf-8")  # noqa: SIM115 (open as long as it is held)
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.seek(0)
            holder = stream.read().strip() or "another process"
            stream.close()
            raise UserError(f"--resume {folder}: in use by {holder}") from None
        except OSError:
            stream.close()
            return

        # The holder before may have deleted the file between our opening it and locking it.
        if _is_at(path, stream):
            break
        stream.close()

    stream.truncate(0)
    stream.write(f"{_this_process()}\n")
    stream.flush()
    _held[path] = stream


def release_folder(folder: Path) -> None:
    """Give the lock up and delete its file, if this process holds it."""
    path = _lock_file(folder)
    stream = _held.pop(path, None)
    if stream is not None:
        path.unlink(missing_ok=True)
        stream.close()


def _lock_file(folder: Path) -> Path:
    place = folder.absolute()
    return place.with_name(f".{place.name}.lock")


def _is_at(path: Path, stream: IO[str]) -> bool:
    try:
        return os.path.samestat(os.fstat(stream.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _this_process() -> str:
    """Host, process and job, for a reader on another machine."""
    job = os.environ.get("SLURM_JOB_ID")
    of_job = f" of Slurm job {job}" if job else ""
    return f"process {os.getpid()}{of_job} on {socket.gethostname()}"
