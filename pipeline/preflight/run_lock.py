"""Snakemake's lock of a working folder, opened where the run that closed it is dead.

A run that was killed leaves `.snakemake/locks/*.lock` behind, and every later run ends in a LockException. Whether
somebody still works is told by the kernel: each run holds a shared lock (flock) on `.snakemake/run` for as long as
it lives, however it ends. Where nobody holds one, and no job of a killed run is left over, Snakemake's files are
removed. Runs on other hosts are noted in the file: where one was, nothing is opened.
"""

import fcntl
import os
import socket
import sys
from pathlib import Path
from typing import IO

LOCKS = Path(".snakemake/locks")
MARK = Path(".snakemake/run")
VARIABLE = "DEEPSEEKMATH_FOLDER"
"""In the environment of every job: the working folder of its run."""
_held: list[IO[str]] = []
"""Kept open until this process ends."""


def hold() -> None:
    """Note that a run lives here; open the lock of a dead one, with one line on stderr."""
    try:
        MARK.parent.mkdir(exist_ok=True)
        stream = open(MARK, "a+", encoding="utf-8")  # noqa: SIM115 (open as long as this run lives)
    except OSError:
        return  # a folder that cannot be written: Snakemake says so
    _held.append(stream)

    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        alone = True
    except BlockingIOError:
        alone = False
    except OSError:
        return  # a file system without such locks: left to Snakemake

    if alone:
        _open_stale(stream)
    else:
        _note_host(stream)
    fcntl.flock(stream, fcntl.LOCK_SH)


def _note_host(stream: IO[str]) -> None:
    stream.write(f"{socket.gethostname()}\n")
    stream.flush()


def _open_stale(stream: IO[str]) -> None:
    """Remove the lock that nobody holds any more; begin the list of hosts anew."""
    stream.seek(0)
    hosts = set(stream.read().split())
    here = socket.gethostname()
    if _locked():
        jobs = left_over(os.getcwd())
        if not hosts <= {here} or not hosts:
            print(
                "warning: this folder is locked by a run on another host or of an older version; when it is dead, "
                "type: snakemake --unlock",
                file=sys.stderr,
            )
            return
        if jobs:
            numbers = ", ".join(map(str, jobs))
            print(
                f"warning: jobs of a killed run are still at work here (processes {numbers}); wait for them or end "
                "them, then run again",
                file=sys.stderr,
            )
            return
        for file in LOCKS.glob("*.lock"):
            file.unlink(missing_ok=True)
        print("the lock of a run that was killed is opened", file=sys.stderr)

    stream.seek(0)
    stream.truncate()
    _note_host(stream)


def _locked() -> bool:
    return any(LOCKS.glob("*.lock"))


def left_over(folder: str) -> list[int]:
    """Processes of jobs that were started in this working folder (Linux; elsewhere none are
    found)."""
    wanted = f"{VARIABLE}={folder}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        number = int(path.parent.name)
        try:
            variables = path.read_bytes().split(b"\0")
        except OSError:
            continue  # another user's, or gone
        if wanted in variables and number != os.getpid():
            found.append(number)
    return sorted(found)
