"""The user's own files, before any job reads them: names, dates, and the first lines of JSON Lines files."""

import re
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import islice
from pathlib import Path

from pipeline.artifacts.datasets import input_files, read_rows
from pipeline.errors import UserError

FIRST_ROWS = 2_000
"""Rows of each file that are looked at; a job names a bad line further on."""
CLOCKS_DIFFER = 2.0
"""Seconds by which a file may be dated in the future."""
UNUSABLE = re.compile(r"[{}\n\r\0]")
"""Snakemake takes braces for wildcards; lists of files are written a line each."""

Flaw = Callable[[dict], str | None]
"""What a row lacks, or None."""


def check_names(setting: str, names: Iterable[str]) -> None:
    """Names of benchmarks and texts become parts of file names and of NAME=PATH arguments."""
    for name in names:
        if UNUSABLE.search(name) or "/" in name or "=" in name or name.startswith((".", "-")):
            raise UserError(
                f"{setting}: the name {name!r} cannot be used; allowed: anything without / = {{ }}, "
                "not beginning with . or -"
            )
        if len(name.encode()) > 100:
            raise UserError(f"{setting}: the name {name[:20]!r}… is longer than 100 bytes")


def check_path(setting: str, path: str) -> None:
    """Refuse a path that Snakemake cannot handle, or a file from the future.

    Snakemake compares dates: what is made from a file of tomorrow looks out of date in every run,
    and is deleted to be made again.
    """
    if UNUSABLE.search(path):
        raise UserError(
            f"{setting} = {path!r}: braces and line ends cannot be in a path; rename it"
        )

    ahead = newest(Path(path)) - time.time()
    if ahead > CLOCKS_DIFFER:
        date = datetime.fromtimestamp(time.time() + ahead).strftime("%Y-%m-%d %H:%M")
        raise UserError(
            f"{setting} = {path!r}: dated in the future ({date}), so everything made from it would be "
            "made again in every run; correct the clock or type: touch the file"
        )


def newest(path: Path) -> float:
    """The date of a file, of a folder the latest in it (not deeper); 0 where there is none."""
    try:
        dates = [path.stat().st_mtime]
        if path.is_dir():
            dates += [entry.stat().st_mtime for entry in path.iterdir()]
    except OSError:
        return 0.0
    return max(dates)


def check_results(results: str | Path) -> None:
    """Refuse results from the future, which a clock that was wrong leaves behind."""
    limit = time.time() + CLOCKS_DIFFER
    for pattern in ("*/*", "*/*/*"):
        for path in Path(results).glob(pattern):
            # A folder's own date is that of Snakemake's mark in it.
            mark = path / ".snakemake_timestamp"
            dated = mark if mark.exists() else path
            try:
                date = dated.lstat().st_mtime
            except OSError:
                continue
            if date > limit:
                raise UserError(
                    f"{path}: dated in the future ({datetime.fromtimestamp(date):%Y-%m-%d %H:%M}), so what was "
                    "made from it would be deleted and made again; correct the clock, or run the same command "
                    "once with --touch"
                )


def check_rows(setting: str, path: str, flaw: Flaw, expected: str) -> None:
    """Read the beginning of a data source: not JSON, no rows, or rows that all lack something are one
    line with file and row.

    A single bad row among good ones is left to the job, which counts it.
    """
    first: str | None = None
    try:
        for file in input_files(path):
            good = 0
            for number, row in enumerate(islice(read_rows(file), FIRST_ROWS), 1):
                reason = flaw(row)
                if reason is None:
                    good += 1
                elif first is None:
                    first = f"{file}, record {number}: {reason}"
            if good:
                return
    except UserError as error:
        raise UserError(f"{setting}: {error}") from None

    why = first or f"{path}: holds no records"
    raise UserError(f"{setting}: {why}; expected {expected}")


def lacks(*fields: str) -> Flaw:
    """A row needs one of these fields, with something in it."""

    def flaw(row: dict) -> str | None:
        if any(str(row.get(name) or "").strip() for name in fields):
            return None
        there = ", ".join(sorted(map(str, row))[:8]) or "none"
        return f"no {' or '.join(fields)} (there are: {there})"

    return flaw
