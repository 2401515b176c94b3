"""Whether the user's solutions are of an accepted form, seen from the first records, before any job."""

from pipeline.config.load import Config
from pipeline.preflight.check import is_file
from pipeline.preflight.inputs import check_rows
from sft.converters import FORMS, Reject, convert


def check_solutions(config: Config) -> None:
    """Raise a UserError with file and record where no record of a source could become an example."""
    solutions = config.sources.solutions
    for path in solutions if isinstance(solutions, list) else [solutions]:
        if is_file(path):
            check_rows("sources.solutions", path, _reason_against, FORMS)


def _reason_against(row: dict) -> str | None:
    try:
        convert(row, "record", "source")
    except Reject as reject:
        return str(reject)
    return None
