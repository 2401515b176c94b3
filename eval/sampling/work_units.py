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
from pipeline.artifacts.resume import fingerprint
from pipeline.artifacts.write import MANIFEST, NOT_COUNTED, file_digest
from pipeline.config.eval import Evaluation
from pipeline.errors import UserError
from pipeline.model.card import NAME as CARD
from pipeline.model.model_prompts import FILE as PROMPTS

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


def model_is_there(source: str) -> None:
    """A UserError for a path that is no model folder; a Hub id is looked up later."""
    path = Path(source)
    if path.exists() and not (path / "config.json").is_file():
        raise UserError(f"--model {source}: not a model folder (it has no config.json)")


def model_digest(source: str) -> str:
    """What tells this model from others: a digest of a folder's files; of a Hub id the commit that it now names.

    Its card, its manifest and its prompts.json are left out: what they change counts by itself.
    """
    path = Path(source)
    if path.exists():
        files = sorted(file for file in path.iterdir() if _counts(file))
        return fingerprint([(file.name, file_digest(file)) for file in files])

    from transformers import AutoConfig

    try:
        commit = AutoConfig.from_pretrained(source)._commit_hash
    except (OSError, ValueError) as error:
        reason = (str(error).strip().splitlines() or ["unknown"])[0]
        raise UserError(
            f"--model {source}: no such folder, and no such model on the Hub ({reason})"
        ) from None
    return f"{source}@{commit}"


def _counts(file: Path) -> bool:
    """Whether a file of a model folder decides what the model writes."""
    said_elsewhere = file.name in (MANIFEST, CARD, PROMPTS)
    return file.is_file() and not said_elsewhere and not file.name.startswith(NOT_COUNTED)
