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
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.inference.engine import Engine, Sample, SampleRequest


@dataclass(frozen=True, slots=True)
class _Kept:
    """A sample of an earlier run, and the checksum of the prompt that it answers."""

    prompt: int
    sample: Sample


class KeptSamples:
    """The log at `path`; thread-safe."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.found: dict[tuple[str, int], _Kept] = {}  # by key and number
        self._seconds_before = 0.0  # decoding time of killed runs
        self._start = time.perf_counter()
        self._lock = threading.Lock()
        self._file: int | None = None  # None: another run has the log, or it is closed

        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(file)
            return

        self._file = file
        self._read(file)

    def __enter__(self) -> "KeptSamples":
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    @property
    def seconds(self) -> float:
        """Decoding time so far, that of killed runs included."""
        return self._seconds_before + time.perf_counter() - self._start

    def _read(self, file: int) -> None:
        """Take in the whole lines; a torn last line is cut off the file."""
        whole = 0
        for line in self.path.read_bytes().splitlines(keepends=True):
            if not line.endswith(b"\n"):
                break
            try:
                row = json.loads(line)
                sample = Sample(
                    row["ids"],
                    [row["logprob"]],
                    row["finish"],
                    row["stop"],
                    tokens=row.get("tokens"),
                )
                self.found[row["key"], row["sample"]] = _Kept(row["prompt"], sample)
                self._seconds_before = max(self._seconds_before, row["seconds"])
            except (ValueError, KeyError, TypeError):
                break
            whole += len(line)

        os.ftruncate(file, whole)

    def get(self, key: object, index: int, prompt: Sequence[int]) -> Sample | None:
        """The sample of an earlier run, None where it was not finished (or had another prompt)."""
        kept = self.found.get((str(key), index))
        if kept is None or kept.prompt != _checksum(prompt):
            return None
        return kept.sample

    def keep(self, key: object, index: int, prompt: Sequence[int], sample: Sample) -> None:
        """Append one finished sample."""
        row = {
            "key": str(key),
            "sample": index,
            "prompt": _checksum(prompt),
            "ids": sample.ids,
            "logprob": sum(sample.logprobs),
            "finish": sample.finish,
            "stop": sample.stop,
            "seconds": round(self.seconds, 3),
        }
        # Where ids are no tokens, these are counted apart.
        if sample.tokens is not None:
            row["tokens"] = sample.tokens
        line = json.dumps(row).encode() + b"\n"

        # One write for a line: a kill between two would tear it in the middle of the file.
        with self._lock:
            if self._file is not None:
                os.write(self._file, line)

    def delete(self) -> None:
        """Remove the log: the part that it belongs to is whole."""
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

    def __init__(self, engine: Engine, kept: KeptSamples) -> None:
        self.engine = engine
        self.kept = kept
        self.tokenizer = engine.tokenizer

    def load(self, model: Any) -> None:
        """Take over another model's weights."""
        self.engine.load(model)

    def sleep(self) -> None:
        """As the engine sleeps."""
        self.engine.sleep()

    def sample(self, request: SampleRequest) -> list[list[Sample]]:
        """As the engine samples, with the log as its store."""
        return self.engine.sample(replace(request, store=self.kept))
