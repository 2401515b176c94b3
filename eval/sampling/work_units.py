"""The work of an evaluation in parts: each is decoded, stored whole, and never decoded again.

A part's file carries a digest of everything that its text depends on (the model's files, its own problems, prompts,
shots, decoding settings), so that a folder of parts may be kept from run to run and shared by them: another
benchmark or mode decodes only itself, a changed grader nothing.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from eval.tasks.declarations import Benchmark
from pipeline.artifacts.records import Problem
from pipeline.config.eval import Evaluation

# Samples of a part: many full batches, which keeps the batch full. The number of samples that are decoded side by side
# is a matter of speed and must not change it, or another one would decode everything again.
PART = 5120


@dataclass(frozen=True, slots=True)
class Problems:
    """A benchmark, the file that it was read from, and its problems."""

    benchmark: Benchmark
    file: str
    problems: list[Problem]


@dataclass(frozen=True, eq=False)
class Part:
    """Some problems of a benchmark in one mode, greedy or sampled."""

    benchmark: Benchmark
    file: str  # the benchmark's
    mode: str
    samples: int  # 0: one greedy run
    number: int
    problems: tuple[Problem, ...]

    @property
    def name(self) -> str:
        """The task: benchmark and mode."""
        return f"{self.benchmark.name}.{self.mode}"

    @property
    def attempts(self) -> int:
        """How many samples the part has."""
        return len(self.problems) * max(1, self.samples)

    def path(self, folder: Path, made_by: dict[str, Any]) -> Path:
        """Where this part is kept; `made_by` says what its text depends on besides the part itself."""
        own = [
            asdict(self.benchmark),
            self.mode,
            self.samples,
            [asdict(problem) for problem in self.problems],
        ]
        content = json.dumps([made_by, own], sort_keys=True, default=str)
        digest = hashlib.sha256(content.encode()).hexdigest()[:16]
        kind = "sampled" if self.samples else "greedy"
        return folder / f"{self.name}.{kind}.{self.number:05}.{digest}.parquet"


def plan(
    benchmarks: Sequence[Problems], modes: list[str], settings: Evaluation, style: str
) -> Iterator[Part]:
    """All parts, benchmark by benchmark; a benchmark that knows none of `modes` is put in its own."""
    for each in benchmarks:
        fitting = [mode for mode in modes if mode in each.benchmark.modes]
        for mode in fitting or each.benchmark.modes:
            yield from _parts_of(each, mode, samples=0)

            # Few-shot models are evaluated greedily only, as in the paper.
            if style == "chat" and mode in settings.sample_modes and settings.samples:
                yield from _parts_of(each, mode, settings.samples)


def _parts_of(each: Problems, mode: str, samples: int) -> Iterator[Part]:
    size = max(1, PART // max(1, samples))
    for number, start in enumerate(range(0, len(each.problems), size)):
        problems = tuple(each.problems[start : start + size])
        yield Part(each.benchmark, each.file, mode, samples, number, problems)
