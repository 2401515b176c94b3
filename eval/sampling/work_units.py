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
from pipeline.artifacts.write import file_digest
from pipeline.config.eval import Evaluation
from pipeline.errors import UserError

# A part is about so many full batches: long enough to keep the batch full, short enough to lose.
BATCHES = 8


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
            yield from _parts_of(each, mode, samples=0, settings=settings)

            # Few-shot models are evaluated greedily only, as in the paper.
            if style == "chat" and mode in settings.sample_modes and settings.samples:
                yield from _parts_of(each, mode, settings.samples, settings)


def _parts_of(each: Problems, mode: str, samples: int, settings: Evaluation) -> Iterator[Part]:
    size = max(1, BATCHES * settings.batch // max(1, samples))
    for number, start in enumerate(range(0, len(each.problems), size)):
        problems = tuple(each.problems[start : start + size])
        yield Part(each.benchmark, each.file, mode, samples, number, problems)


def model_digest(source: str) -> str:
    """What tells this model from others: a digest of a folder's files; of a Hub id the commit that it now names."""
    path = Path(source)
    if path.exists():
        if not (path / "config.json").is_file():
            raise UserError(f"--model {source}: not a model folder (it has no config.json)")
        return file_digest(path)

    from transformers import AutoConfig

    try:
        commit = AutoConfig.from_pretrained(source)._commit_hash
    except (OSError, ValueError) as error:
        reason = (str(error).strip().splitlines() or ["unknown"])[0]
        raise UserError(
            f"--model {source}: no such folder, and no such model on the Hub ({reason})"
        ) from None
    return f"{source}@{commit}"
