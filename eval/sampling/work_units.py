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

from eval.tasks.declarations import Benchmark
from pipeline.artifacts.records import Problem
from pipeline.artifacts.write import file_digest
from pipeline.config.eval import Evaluation
from pipeline.errors import UserError

BATCHES = 8  # a part is about so many full batches: long enough to keep the batch full, short enough to lose


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
        return f"{self.benchmark.name}.{self.mode}"

    @property
    def attempts(self) -> int:
        return len(self.problems) * max(1, self.samples)

    def path(self, folder: Path, made_by: dict) -> Path:
        """Where this part is kept; `made_by` says what its text depends on besides the part itself."""
        own = [
            asdict(self.benchmark),
            self.mode,
            self.samples,
            [asdict(problem) for problem in self.problems],
        ]
        digest = hashlib.sha256(
            json.dumps([made_by, own], sort_keys=True, default=str).encode()
        ).hexdigest()
        kind = "sampled" if self.samples else "greedy"
        return folder / f"{self.name}.{kind}.{self.number:05}.{digest[:16]}.parquet"


def plan(
    problems: Sequence[tuple[Benchmark, str, list[Problem]]],
    modes: list[str],
    settings: Evaluation,
    style: str,
) -> Iterator[Part]:
    """All parts, benchmark by benchmark; a benchmark that knows none of `modes` is put in its own."""
    for benchmark, file, items in problems:
        for mode in [mode for mode in modes if mode in benchmark.modes] or list(benchmark.modes):
            sampled = settings.samples if style == "chat" and mode in settings.sample_modes else 0
            for samples in (0, sampled) if sampled else (0,):
                size = max(1, BATCHES * settings.batch // max(1, samples))
                for number, start in enumerate(range(0, len(items), size)):
                    yield Part(
                        benchmark, file, mode, samples, number, tuple(items[start : start + size])
                    )


def model_digest(source: str) -> str:
    """What tells this model from others: a digest of a folder's files; of a Hub id the commit that it now names."""
    path = Path(source)
    if path.exists():
        if not (path / "config.json").is_file():
            raise UserError(f"--model {source}: not a model folder (it has no config.json)")
        return file_digest(path)
    from transformers import AutoConfig

    try:
        return f"{source}@{AutoConfig.from_pretrained(source)._commit_hash}"
    except (OSError, ValueError) as error:
        reason = (str(error).strip().splitlines() or ["unknown"])[0]
        raise UserError(
            f"--model {source}: no such folder, and no such model on the Hub ({reason})"
        ) from None
