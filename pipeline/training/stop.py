"""A scheduler's word that the job is about to end, answered by a checkpoint.

Slurm sends SIGUSR1 some minutes before the time limit (profiles/slurm), Kubernetes and preemption send SIGTERM. The
loops ask after each step; a training that was told to stop saves, and ends with exit status 75 ("try again later"). The
same command goes on from there. A second signal ends the process at once, as ever.
"""

import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from pipeline.model import distributed

SIGNALS = (signal.SIGTERM, signal.SIGUSR1)

EXIT_STATUS = os.EX_TEMPFAIL
"""75: torchrun hides it, hence the file beside it."""

FILE_VARIABLE = "STOPPED_FILE"
"""Names a file that is written when a training has stopped, for what started the job (profiles/slurm/torchrun.sh)."""

_received: list[int] = []


def listen() -> None:
    """Remember the signals from now on in the place of ending at once; only the main thread can ask for that."""
    if threading.current_thread() is not threading.main_thread():
        return
    _received.clear()
    for number in SIGNALS:
        signal.signal(number, _remember)


def _remember(number: int, frame: FrameType | None) -> None:
    _received.append(number)
    signal.signal(number, signal.SIG_DFL)


def requested() -> bool:
    """Whether any of the processes was told to stop; equal on all, so all must ask together."""
    return distributed.all_reduce_max(len(_received)) > 0


def end(step: int) -> None:
    """End this process after its checkpoint at `step` was written."""
    if distributed.is_main():
        print(f"told to stop: checkpoint at step {step}; the same command goes on", file=sys.stderr)
        file = os.environ.get(FILE_VARIABLE)
        if file:
            Path(file).touch()

    distributed.barrier()
    sys.exit(EXIT_STATUS)
