"""The work of `python -m sft.data`: solutions of any known schema read, checked, encoded and written as one table."""

import argparse
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from transformers import PreTrainedTokenizerBase

from pipeline.artifacts.datasets import input_files, read_rows
from pipeline.artifacts.records import Problem, Solution
from pipeline.artifacts.write import atomic_path, write_jsonl, write_manifest
from pipeline.config.prompts import Prompts
from pipeline.config.read import read_section
from pipeline.config.sft import SFT
from pipeline.errors import UserError
from pipeline.model.chat import encode_solutions
from pipeline.model.load import load_tokenizer
from pipeline.progress import Progress
from sft.checks import reason_against, run_programs
from sft.converters import FORMS, Reject, convert

CHUNK = 5_000
"""Solutions that are checked and encoded at a time: enough for the sandbox and the tokenizer to
work in parallel."""
TEXTS = ("id", "problem_id", "source", "format", "language", "question", "answer")
"""Columns that are copied from the solution."""
SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in TEXTS),
        ("ids", pa.list_(pa.int32())),
        ("scored", pa.list_(pa.bool_())),
        ("split", pa.string()),
    ]
)


@dataclass(slots=True)
class Tally:
    """What became of the records: counts by name, the rejects, and what isolated the programs that
    were run."""

    counts: Counter = field(default_factory=Counter)
    rejects: list[dict] = field(default_factory=list)
    isolation: set[str] = field(default_factory=set)

    def reject(self, identity: str, source: str, reason: str, **place: object) -> None:
        self.rejects.append({"id": identity, "source": source, "reason": reason, **place})

    def reasons(self) -> Counter:
        """Rejects by reason."""
        return Counter(reject["reason"] for reject in self.rejects)


def make_examples(args: argparse.Namespace) -> None:
    settings = read_section(args.config, SFT)
    prompts = read_section(args.prompts, Prompts)
    tokenizer = load_tokenizer(args.tokenizer)

    tally = Tally()
    problems: dict[str, Problem] = {}
    with (
        atomic_path(args.out) as temporary,
        pq.ParquetWriter(temporary, with_prompts(prompts), compression="zstd") as writer,
    ):
        for chunk in chunks(read_solutions(args.solutions, tally)):
            kept = list(checked(chunk, settings, tally))
            rows = encoded(kept, tokenizer, prompts, settings, tally)
            if rows:
                writer.write_table(pa.Table.from_pylist(rows, SCHEMA))
            for row in rows:
                tally.counts[f"{row['split']}.{row['format']}.{row['language']}"] += 1
                problems.setdefault(row["question"], problem_of(row))

    folder = args.out.parent
    write_jsonl(folder / "rejects.jsonl", tally.rejects)
    write_jsonl(folder / "problems.jsonl", numbered(problems.values()))
    report(tally)
    if not any(name.startswith("train.") for name in tally.counts):
        raise UserError(f"{first_flaw(tally, args.solutions)}; accepted: {FORMS}")

    # What is streamed from the Hub has no file whose digest the manifest could name.
    files = [file for path in args.solutions for file in input_files(path)]
    local = [file for file in files if Path(file).exists()]
    isolation = "; ".join(sorted(tally.isolation))
    write_manifest(
        folder / "manifest.json",
        "sft.data",
        settings=settings.model_dump(mode="json"),
        inputs=[args.tokenizer / "tokenizer.json", *local],
        counts={
            **dict(sorted(tally.counts.items())),
            "rejects": dict(sorted(tally.reasons().items())),
        },
        metrics={"isolation": isolation} if isolation else None,
        files=[args.out, folder / "problems.jsonl", folder / "rejects.jsonl"],
    )


def first_flaw(tally: Tally, paths: list[str]) -> str:
    """Why there is no example, in one line: the first record that was refused, and how many
    more."""
    if not tally.rejects:
        return f"{' '.join(paths)}: no records"
    first = tally.rejects[0]
    place = f"{first['file']}, record {first['record']}" if "file" in first else first["id"]
    return (
        f"no usable solution among {len(tally.rejects):,} records ({place}: {first['reason']}; "
        "the others in rejects.jsonl)"
    )


def with_prompts(prompts: Prompts) -> pa.Schema:
    """The table's schema; its metadata holds the prompts, for the model that learns from them."""
    return SCHEMA.with_metadata({"prompts": prompts.model_dump_json()})


def read_solutions(paths: list[str], tally: Tally) -> Iterator[Solution]:
    """All records of all sources as solutions; the same question with the same solution counts
    once."""
    seen: set[bytes] = set()
    for file in [file for path in paths for file in input_files(path)]:
        stem = Path(file).name.split(".")[0]
        with Progress(f"sft solutions {stem}", unit="records") as progress:
            for number, row in enumerate(read_rows(file), 1):
                progress.add()
                tally.counts["records"] += 1

                identity = f"{stem}-{number}"
                try:
                    solution = convert(row, identity, stem)
                except Reject as reject:
                    own = _writable(str(row.get("id") or identity))
                    tally.reject(own, stem, str(reject), file=file, record=number)
                    continue

                # A digest in the place of the text: millions of them fit into memory.
                text = f"{solution.question}\0{solution.turns}"
                digest = hashlib.sha256(text.encode()).digest()
                if digest in seen:
                    tally.reject(solution.id, solution.source, "duplicate")
                    continue
                seen.add(digest)
                yield solution


def _writable(text: str) -> str:
    """Half characters (lone surrogates) replaced, since no file can hold them."""
    return text.encode("utf-8", "replace").decode()


def checked(solutions: list[Solution], settings: SFT, tally: Tally) -> Iterator[Solution]:
    """The solutions that nothing speaks against; the others become rejects."""
    fit = []
    for solution in solutions:
        reason = reason_against(solution)
        if reason:
            tally.reject(solution.id, solution.source, reason)
        else:
            fit.append(solution)

    share = settings.checked_programs
    for solution, reason in run_programs(fit, share, tally.counts, tally.isolation):
        if reason:
            tally.reject(solution.id, solution.source, reason)
        else:
            yield solution


def encoded(
    solutions: list[Solution],
    tokenizer: PreTrainedTokenizerBase,
    prompts: Prompts,
    settings: SFT,
    tally: Tally,
) -> list[dict]:
    """Table rows; examples that do not fit into a context become rejects."""
    rows = []
    encodings = encode_solutions(tokenizer, solutions, prompts)
    for solution, (ids, scored) in zip(solutions, encodings, strict=True):
        if len(ids) > settings.context:
            tally.reject(solution.id, solution.source, "longer than the context")
            continue

        row = {name: getattr(solution, name) for name in TEXTS}
        split = split_of(solution.question, settings.validation_share)
        rows.append(row | {"ids": ids, "scored": scored, "split": split})
    return rows


def problem_of(row: dict) -> Problem:
    """The question and answer of an example."""
    return Problem(row["problem_id"], row["question"], row["answer"], row["language"])


def numbered(problems: Iterable[Problem]) -> Iterator[dict]:
    """The problems as JSON objects; where data sets give two questions one id, the later one gets a
    number with it."""
    seen: set[str] = set()
    for number, problem in enumerate(problems, 1):
        identity = f"{problem.id}#{number}" if problem.id in seen else problem.id
        seen.add(identity)
        yield problem.to_json() | {"id": identity}


def split_of(question: str, validation_share: float) -> str:
    """ "train" or "validation" by the question's hash, so that all solutions of a problem are on
    one side."""
    draw = int.from_bytes(hashlib.sha256(question.encode()).digest()[:4], "big")
    return "validation" if draw < validation_share * 2**32 else "train"


def chunks(solutions: Iterator[Solution]) -> Iterator[list[Solution]]:
    """Lists of CHUNK solutions; the last one holds the rest."""
    chunk: list[Solution] = []
    for solution in solutions:
        chunk.append(solution)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def report(tally: Tally) -> None:
    counts = tally.counts
    kept = sum(n for name, n in counts.items() if name.startswith(("train.", "validation.")))
    print(f"{counts['records']:,} records, {kept:,} examples, {len(tally.rejects):,} rejected")
    for reason, number in tally.reasons().most_common():
        print(f"  rejected {number:,}: {reason}")
    print(f"  programs run: {counts['programs_run']:,}, not run: {counts['programs_not_run']:,}")
