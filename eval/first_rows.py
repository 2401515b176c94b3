"""Whether the user's benchmarks hold problems, seen from the first records, before any job."""

from functools import partial

from eval.benchmarks import declaration, problem_in
from eval.tasks.declarations import Benchmark
from pipeline.config.load import Config
from pipeline.preflight.check import is_file
from pipeline.preflight.inputs import check_rows

EXPECTED = "JSON Lines with a question and an answer, as the public sets have them"


def check_benchmarks(config: Config) -> None:
    """Raise a UserError with file and record where no record of a benchmark is a problem."""
    for name, path in config.sources.benchmarks.items():
        if is_file(path):
            flaw = partial(_flaw, declaration(name, path))
            check_rows(f"sources.benchmarks.{name}", path, flaw, EXPECTED)


def _flaw(declared: Benchmark, row: dict) -> str | None:
    found = problem_in(row, "record", declared)
    return found if isinstance(found, str) else None
