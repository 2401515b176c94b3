"""Finished samples of a part that is still being decoded, so that a killed run goes on with the missing ones.

An append-only log beside the part's file, one line of JSON a sample, written in one call when the sample ends. After a
kill the last line may be torn; it is cut off. A sample is known by its key (the problem, and in the tool loop the
round), its number, and a checksum of its prompt. Of the log-probabilities only the sum is kept. The log goes when the
part is whole. Two runs over one folder at the same time: the second works without it.

    with KeptSamples(path) as kept:
        attempts = attempt_all(KeepingEngine(sampler, kept), …)
        …write the part…
        kept.delete()

Not done: no fsync; where the machine (not the process) dies, the last samples are decoded again.
"""

import fcntl
import json
import os
import threading
import time
import zlib
from array import array
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.inference.engine import Engine, Sample, SampleRequest


class KeptSamples:
    """The log at `path`; thread-safe. `seconds`: decoding time so far, that of killed runs included."""

    def __init__(self, path: Path):
        self.path = path
        self.found: dict[tuple[str, int], tuple[int, Sample]] = {}
        self.before, self.start = 0.0, time.perf_counter()
        self._lock = threading.Lock()
        self._file: int | None = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._close()
            return
        self._read()

    def __enter__(self) -> "KeptSamples":
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    @property
    def seconds(self) -> float:
        return self.before + time.perf_counter() - self.start

    def _read(self) -> None:
        good, data = 0, self.path.read_bytes()
        for line in data.splitlines(keepends=True):
            try:
                row = json.loads(line) if line.endswith(b"\n") else None
                sample = Sample(row["ids"], [row["logprob"]], row["finish"], row["stop"])
                self.found[row["key"], row["sample"]] = row["prompt"], sample
                self.before = max(self.before, row["seconds"])
            except (ValueError, KeyError, TypeError):
                break
            good += len(line)
        os.ftruncate(self._file, good)  # type: ignore[arg-type]

    def get(self, key: object, index: int, prompt: Sequence[int]) -> Sample | None:
        """The sample of an earlier run, None where it was not finished (or had another prompt)."""
        checksum, sample = self.found.get((str(key), index), (None, None))
        return sample if checksum == _checksum(prompt) else None

    def keep(self, key: object, index: int, prompt: Sequence[int], sample: Sample) -> None:
        """Append one finished sample."""
        row = {"key": str(key), "sample": index, "prompt": _checksum(prompt), "ids": sample.ids}
        row |= {"logprob": sum(sample.logprobs), "finish": sample.finish, "stop": sample.stop}
        line = json.dumps(row | {"seconds": round(self.seconds, 3)}).encode() + b"\n"
        with self._lock:
            if self._file is not None:
                os.write(self._file, line)

    def delete(self) -> None:
        if self._file is not None:
            self.path.unlink(missing_ok=True)
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _checksum(prompt: Sequence[int]) -> int:
    return zlib.crc32(array("q", prompt).tobytes())


class KeepingEngine:
    """An engine that keeps what it samples and does not sample what is kept."""

    def __init__(self, engine: Engine, kept: KeptSamples):
        self.engine, self.kept, self.tokenizer = engine, kept, engine.tokenizer

    def load(self, model: Any) -> None:
        self.engine.load(model)

    def sample(self, request: SampleRequest) -> list[list[Sample]]:
        return self.engine.sample(replace(request, store=self.kept))
