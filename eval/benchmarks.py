"""Benchmarks by name or by file: `resolve("gsm8k")`, `resolve("my.jsonl")`, then `load_benchmark`.

    python -m eval.benchmarks                                   # the table: names, rows, shots, metric, source
    python -m eval.benchmarks --fetch gsm8k math --folder data/benchmarks
    python -m eval.benchmarks --fetch gsm8k --to gsm8k.jsonl    # a copy, fetched where it does not lie in the folder

A name is looked up in eval.tasks.declarations and its file in the folder of benchmarks (the environment's BENCHMARKS,
else data/benchmarks, else what the caller names); any other JSON Lines file needs a question and an answer field in
one of the public sets' spellings. Reads problems only: models are eval.run's affair, verdicts eval.verdicts.judge's.
"""

import argparse
import os
import shutil
import sys
from pathlib import Path

from eval.tasks.declarations import COT_PROMPTS, TABLE, Benchmark, Fields, Git, Hub
from eval.tasks.rows import Row, problem_of
from pipeline.artifacts.records import Problem, read_jsonl
from pipeline.artifacts.write import atomic_path
from pipeline.errors import UserError, run_main


def benchmarks_folder(folder: str | Path | None = None) -> Path:
    """Where the files of declared benchmarks lie."""
    return Path(folder or os.environ.get("BENCHMARKS") or "data/benchmarks")


def resolve(text: str, folder: str | Path | None = None) -> tuple[Benchmark, Path]:
    """The benchmark and file meant by NAME, FILE.jsonl or NAME=FILE.jsonl.

    NAME=FILE takes the declaration of a known NAME, so that an own copy is scored by the set's own rules. A declared
    set whose file is not in the folder is fetched from its source. Raises UserError with the way out.
    """
    name, equals, path = text.partition("=")
    if not equals or "/" in name:  # a path may hold an equals sign
        name, path = (text, "") if text in TABLE else (Path(text).stem, text)

    benchmark = declaration(name, path)
    if path:
        if not Path(path).exists():
            known = "" if Path(path).suffix else f"; known names: {', '.join(sorted(TABLE))}"
            raise UserError(f"--benchmark {text}: no such file{known}")
        return benchmark, Path(path)

    file = benchmarks_folder(folder) / benchmark.file
    if not file.exists():
        from eval.tasks.fetch import fetch

        fetch(benchmark, file)
    return benchmark, file


def declaration(name: str, path: str) -> Benchmark:
    """The declaration of a known set, or that of an own file."""
    return TABLE.get(name) or Benchmark(name, title=name, file=path, answer="latex")


def load_benchmark(
    path: str | Path, name: str | Benchmark | None = None, limit: int | None = None
) -> list[Problem]:
    """Read a benchmark file; `limit` keeps the first so many problems.

    `name` may be a declaration, whose fields are then read, or the name that problems without an id get. Records
    without a question or an answer are left out and named on stderr; a file of nothing else is a UserError.
    """
    if isinstance(name, Benchmark):
        declared = name
    else:
        declared = Benchmark(name or Path(path).stem, title="", file=str(path), answer="")

    problems: list[Problem] = []
    flaws: list[str] = []
    seen: set[str] = set()
    number = 0

    for number, row in enumerate(read_jsonl(path), 1):
        if limit is not None and len(problems) >= limit:
            break

        problem = problem_in(row, f"{declared.name}-{number}", declared)
        if isinstance(problem, str):
            flaws.append(f"record {number}: {problem}")
            continue

        # Ids that repeat (one id for several solutions) get their record number.
        if problem.id in seen:
            problem.id = f"{problem.id}#{number}"
        seen.add(problem.id)
        problems.append(problem)

    if not problems:
        why = f" ({flaws[0]})" if flaws else "; the file is empty"
        raise UserError(f"{path}: no usable problem{why}")
    if flaws:
        first = "; ".join(flaws[:3])
        print(f"{path}: {len(flaws)} of {number} records left out ({first})", file=sys.stderr)
    if declared.rows and limit is None and number != declared.rows:
        print(f"{path}: {number} records, {declared.title} has {declared.rows}", file=sys.stderr)
    return problems


def problem_in(row: Row, default_id: str, declared: Benchmark) -> Problem | str:
    """The problem of a row, or what the row lacks. A copy with other fields than the declared ones is read like any
    own file."""
    language = declared.language or ""
    problem = problem_of(row, default_id, declared.fields, declared.answer, language)
    if isinstance(problem, Problem):
        return problem

    has_own_fields = declared.fields != Fields() and declared.answer not in ("code", "proof")
    if has_own_fields:
        usual = problem_of(row, default_id, Fields(), declared.answer, language)
        if isinstance(usual, Problem):
            return usual
    return problem


def table_text() -> str:
    """The declared benchmarks, a line each."""
    lines = [f"{'name':18}{'rows':>6}  {'answer':8}{'metric':8}{'CoT':>4}{'PoT':>4}  source"]
    for entry in TABLE.values():
        cot, pot = entry.shots.get("cot", "-"), entry.shots.get("pot", "-")
        lines.append(
            f"{entry.name:18}{entry.rows or 0:>6}  {entry.answer:8}{entry.metric:8}"
            f"{cot:>4}{pot:>4}  {_where(entry.source)}"
        )
    return "\n".join(lines)


def _where(source: Hub | Git | None) -> str:
    """A source and the first characters of its commit."""
    match source:
        case None:
            return "a file of yours"
        case Git(repository=repository, commit=commit):
            return f"{repository}@{commit[:7]}"
        case Hub(id=name, revision=revision):
            return f"{name}@{revision[:7]}" if revision else name


def _copied(file: Path, target: Path) -> Path:
    """A copy of the set, with the worked examples that lie beside it (BIG-Bench Hard)."""
    copies = [(file, target)]
    examples = file.with_name(COT_PROMPTS)
    if examples.exists():
        copies.insert(0, (examples, target.with_name(COT_PROMPTS)))

    for source, place in copies:
        with atomic_path(place) as path:
            shutil.copyfile(source, path)
    return target


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    if args.to and len(args.fetch) != 1:
        raise UserError("--to FILE needs --fetch with one set")

    for name in args.fetch:
        if name not in TABLE:
            raise UserError(f"--fetch {name}: unknown; allowed are {', '.join(sorted(TABLE))}")
        benchmark, file = resolve(name, args.folder)
        if args.to:
            file = _copied(file, args.to)
        print(f"{benchmark.title}: {len(load_benchmark(file, benchmark))} problems in {file}")

    if not args.fetch:
        print(table_text())


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m eval.benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--fetch", nargs="+", metavar="NAME", default=[], help="fetch these sets into the folder"
    )
    parser.add_argument(
        "--folder", help="folder of benchmarks; default: $BENCHMARKS or data/benchmarks"
    )
    parser.add_argument("--to", type=Path, metavar="FILE.jsonl", help="with one set: copy it here")
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_main(main)
