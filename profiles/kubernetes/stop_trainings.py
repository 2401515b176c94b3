"""Tell the trainings of this container to save and end; wait until they have (job.yaml, before the pod is stopped)."""

import os
import signal
import time
from pathlib import Path

SECONDS = 570
"""Less than job.yaml's terminationGracePeriodSeconds."""

MODULES = {b"pretrain.train", b"sft.train", b"rl.train", b"rl.reward_model"}


def trainings() -> list[int]:
    """Processes that run one of the training modules with `python -m`."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = file.read_bytes().split(b"\0")
        except OSError:
            continue  # ended meanwhile
        is_python = os.path.basename(words[0]).startswith(b"python")
        if is_python and b"-m" in words and words[words.index(b"-m") + 1] in MODULES:
            found.append(int(file.parent.name))
    return found


def main() -> None:
    # Snakemake is the container's first process; told so, it begins nothing after what runs.
    os.kill(1, signal.SIGTERM)
    for number in trainings():
        os.kill(number, signal.SIGUSR1)

    end = time.monotonic() + SECONDS
    while trainings() and time.monotonic() < end:
        time.sleep(1)


if __name__ == "__main__":
    main()
