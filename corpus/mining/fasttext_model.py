"""fastText behind a small wrapper that avoids its traps.

Training runs in a fresh process, one thread, with all memory zeroed as it is handed out: the library
initialises only a part of the input matrix when it has few threads, and leaves the rest as it finds
it, so that two runs differ or meet NaN (fastText issue 1061). From zeroes the model is the same bit
for bit.

    python -m corpus.mining.fasttext_model TRAIN.txt MODEL.bin '{"lr": 0.1, "dim": 256, ...}'

is that process; it does nothing else. Not for use on its own.

`save_model` reports no error when the disk is full: it leaves a model that loads and scores every page
0.5. The file is therefore read again and compared with the model in memory.
"""

import errno
import json
import math
import os
import subprocess
import sys
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline.artifacts.code_digest import ROOT
from pipeline.artifacts.write import atomic_path
from pipeline.errors import run_main

POSITIVE, NEGATIVE = "__label__math", "__label__other"

DISK_FULL = 28  # exit status of `pipeline.errors.run_main`
_BLOCK = 1 << 16  # bytes

_NAN = "Encountered NaN"  # how the library says that training diverged
_HALVINGS = 4  # of the learning rate, when it does
_CHECKED_LINES = 20  # whose scores must be the same after saving


def train(lines: Path, model: Path, parameters: dict) -> dict:
    """Train on a file of "label token token ..." lines; return the parameters used.

    The learning rate is halved when training diverges. Raises RuntimeError with the library's words
    otherwise.
    """
    parameters = dict(parameters)

    with atomic_path(model) as temporary:
        for _ in range(_HALVINGS + 1):
            done = _train_in_a_process(lines, temporary, parameters)
            if done.returncode == 0:
                return parameters
            if done.returncode == DISK_FULL:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(model))
            if _NAN not in done.stderr:
                raise RuntimeError(f"fastText training failed: {done.stderr.strip()[-2000:]}")
            parameters["lr"] /= 2

        raise RuntimeError(
            f"fastText training diverged even at learning rate {parameters['lr'] * 2}"
        )


def _train_in_a_process(
    lines: Path, model: Path, parameters: dict
) -> subprocess.CompletedProcess[str]:
    search_path = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {
        # glibc fills memory that it hands out with the complement of this byte: with zeroes.
        "MALLOC_PERTURB_": "255",
        "PYTHONPATH": os.pathsep.join(search_path),
    }
    command = [sys.executable, "-m", "corpus.mining.fasttext_model"]
    command += [str(lines), str(model), json.dumps(parameters)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


class Scorer:
    """A trained model. One page at a time: the library holds the interpreter's lock, batches gain nothing."""

    def __init__(self, model: str | Path):
        import fasttext

        # The inner object: the public one prints a warning for each model that it loads, and its
        # predict() makes numpy arrays for every line.
        self._model = fasttext.FastText._FastText(str(model)).f

    def score(self, line: str) -> float:
        """Probability that a line of tokens (no line end in it) is mathematics; 0 for an empty line."""
        if not line:
            return 0.0  # the library would answer with the share of positives in its training

        for probability, label in self._model.predict(line + "\n", 2, 0.0, "strict"):
            if label == POSITIVE:
                if math.isnan(probability):
                    return 0.0
                return min(1.0, max(0.0, probability))  # the library answers 1.00001 at times
        return 0.0


def main(argv: list[str] | None = None) -> None:
    import fasttext

    lines, model, parameters = argv or sys.argv[1:]
    trained = fasttext.train_supervised(input=lines, verbose=0, **json.loads(parameters))
    trained.save_model(model)

    check_room(Path(model))
    check_saved(trained, Path(model), Path(lines))


def check_room(file: Path) -> None:
    """Raise the OSError that a library hid: on a disk that is full one more block does not fit."""
    size = file.stat().st_size
    with open(file, "r+b") as stream:
        stream.seek(0, os.SEEK_END)
        stream.write(b"\0" * _BLOCK)
        stream.flush()
        # Some file systems report a full disk only when the bytes go there.
        os.fsync(stream.fileno())
        stream.truncate(size)


def check_saved(trained: Any, file: Path, lines: Path) -> None:
    """Raise RuntimeError unless the file ends as the model in memory does, and scores as it does."""
    import fasttext

    # The output matrix is what the library writes last.
    tail = trained.get_output_matrix().tobytes()
    with open(file, "rb") as stream:
        stream.seek(max(0, file.stat().st_size - len(tail)))
        if stream.read() != tail:
            raise RuntimeError(f"{file}: fastText did not write the whole model")

    loaded = fasttext.FastText._FastText(str(file)).f
    with open(lines, encoding="utf-8") as stream:
        for line in islice(stream, _CHECKED_LINES):
            expected = trained.f.predict(line, 2, 0.0, "strict")
            if loaded.predict(line, 2, 0.0, "strict") != expected:
                raise RuntimeError(f"{file}: the saved model scores other than the trained one")


if __name__ == "__main__":
    run_main(main)
