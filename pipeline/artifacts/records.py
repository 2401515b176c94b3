"""The two records that flow between stages, and the JSON Lines reader that names file and line on
an error."""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TextIO

from pipeline.artifacts.check import check_artifact
from pipeline.errors import UserError

LONGEST_LINE = 2**28
"""Characters of a line of JSON Lines, at most."""


@dataclass(slots=True)
class Problem:
    """A question with a checkable answer."""

    id: str
    question: str
    answer: str
    language: str = "en"  # "en" or "zh": picks the prompt
    kind: str = ""  # family or subject, for the report
    level: str = ""  # difficulty, for the report

    def to_json(self) -> dict:
        return asdict(self)


@dataclass(slots=True)
class Solution:
    """A worked answer to a problem, as alternating turns.

    `turns` is a list of {"role": "text" | "code" | "output", "content": str}: a CoT solution is one
    text turn, a PoT solution one code turn, a tool-integrated one alternates text, code and the
    code's output. The model writes text and code turns; output turns come from the sandbox and
    carry no loss.
    """

    id: str
    problem_id: str
    question: str
    answer: str
    format: str  # "cot" | "pot" | "tool"
    turns: list[dict] = field(default_factory=list)
    language: str = "en"
    source: str = ""

    def to_json(self) -> dict:
        return asdict(self)


def read_jsonl(path: str | Path) -> Iterator[dict]:
    """Yield the objects of a JSON Lines file ("-" is stdin); a bad line is a UserError with file
    and line."""
    return (row for _, row in read_jsonl_lines(path))


def read_jsonl_lines(path: str | Path) -> Iterator[tuple[int, dict]]:
    """`read_jsonl` with the number of each object's line."""
    name = "stdin" if str(path) == "-" else str(path)
    if str(path) != "-":
        check_artifact(Path(path).parent, [Path(path).name])
    try:
        stream = sys.stdin if str(path) == "-" else open(path, encoding="utf-8")  # noqa: SIM115 (closed below)
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        raise UserError(f"{name}: {reason}") from None

    with stream:
        try:
            for number, line in numbered_lines(stream, name):
                if line.strip():
                    yield number, _parse(line, name, number)
        except UnicodeDecodeError as error:
            raise UserError(f"{name}: not UTF-8 ({error.reason} at byte {error.start})") from None
        # Some file systems open a folder and refuse to read it.
        except IsADirectoryError:
            raise UserError(f"{name}: is a folder, expected a JSON Lines file") from None


def numbered_lines(stream: TextIO, name: str) -> Iterator[tuple[int, str]]:
    """The lines of a text file with their numbers. A line without end, as of a file that is no JSON
    Lines, is a UserError before it fills the memory."""
    number = 0
    while line := stream.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise UserError(
                f"{name}, line {number}: longer than {LONGEST_LINE:,} characters; JSON Lines has one record a line"
            )
        yield number, line


def whole_characters(text: str) -> str:
    """The text with U+FFFD for half characters (lone surrogates), which JSON can write and no file can
    hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _parse(line: str, name: str, number: int) -> dict:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{name}, line {number}: not JSON ({error})") from None
    if not isinstance(value, dict):
        raise UserError(
            f"{name}, line {number}: expected a JSON object, found {type(value).__name__}"
        )
    return value


def read_problems(path: str | Path) -> list[Problem]:
    """Read Problem records; every line needs a question and an answer. Duplicate ids are an
    error."""
    problems: list[Problem] = []
    seen: set[str] = set()
    for number, row in enumerate(read_jsonl(path), 1):
        missing = [key for key in ("question", "answer") if not str(row.get(key) or "").strip()]
        if missing:
            raise UserError(f"{path}, record {number}: no {' and no '.join(missing)}")

        # Fields of other data sets are passed over; a record without an id goes by its number.
        known = {
            key: whole_characters(str(row[key]))
            for key in Problem.__slots__
            if row.get(key) is not None
        }
        problem = Problem(**({"id": f"{Path(path).stem}-{number}"} | known))
        if problem.id in seen:
            raise UserError(f"{path}, record {number}: id {problem.id!r} occurs twice")
        seen.add(problem.id)
        problems.append(problem)

    if not problems:
        raise UserError(f"{path}: holds no problems")
    return problems


def read_solutions(path: str | Path) -> list[Solution]:
    """Read Solution records as written by `Solution.to_json`."""
    solutions = []
    for row in read_jsonl(path):
        known = {key: row[key] for key in Solution.__slots__ if key in row}
        solutions.append(Solution(**known))
    return solutions
