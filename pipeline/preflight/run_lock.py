"""Snakemake's lock of a working folder, opened where the run that closed it is dead.

A run that was killed leaves `.snakemake/locks/*.lock` behind, and every later run ends in a LockException. Whether
somebody still works is told by the kernel: each run holds a shared lock (flock) on `.snakemake/run` for as long as
it lives, however it ends. Where nobody holds one, and no job of a killed run is left over, Snakemake's files are
removed. Runs on other hosts are noted in the file: where one was, nothing is opened.
"""

import fcntl
import os
import shutil
import socket
import subprocess
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
        processes, slurm_jobs = left_over(os.getcwd()), left_over_in_slurm(os.getcwd())
        if not hosts <= {here} or not hosts:
            print(
                "warning: this folder is locked by a run on another host or of an older version; when it is dead, "
                "type: snakemake --unlock",
                file=sys.stderr,
            )
            return
        if processes or slurm_jobs:
            kinds = {"processes": processes, "Slurm jobs": slurm_jobs}
            names = "; ".join(
                f"{kind} {', '.join(map(str, numbers))}"
                for kind, numbers in kinds.items()
                if numbers
            )
            print(
                f"warning: jobs of a killed run are still at work here ({names}); wait for them or end "
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


def left_over_in_slurm(folder: str) -> list[int]:
    """One's own jobs of Slurm, waiting or running, whose output goes to this working folder."""
    if shutil.which("squeue") is None:
        return []
    command = ["squeue", "--me", "--noheader", "--Format=JobID:20,STDOUT:4096"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return []  # nothing is known; the lock of the resume folder still guards each training

    found = []
    for line in done.stdout.splitlines():
        number, _, output = line.partition(" ")
        if output.strip().startswith(f"{folder}/.snakemake/"):
            found.append(int(number))
    return sorted(found)
