"""Gather worked solutions of any known schema, check them, and write the examples of fine-tuning.

Reads   the sections `sft` and `prompts` of the configuration (JSON), solutions (JSON Lines, Parquet, folders,
        `hub:<id>[:<config>]`; schemas are recognised by fields, see sft.converters), a model folder's tokenizer.
Writes  OUT (Parquet): id, problem_id, source, format, language, question, answer, ids, scored, split, beside it
        rejects.jsonl (id, source, reason), problems.jsonl (each question of the examples once, with its answer: what
        reward models and RL ask where no other problems are given) and, last, manifest.json with counts by source,
        format and reason.

    python -m sft.data --config results/mini/config/sft.json --prompts results/mini/config/prompts.json \\
        --solutions results/mini/world/solutions.jsonl --tokenizer results/mini/models/coder \\
        --out results/mini/sft/examples.parquet

Every record ends as an example or as a reject with its reason. Not done here: any training.
"""

import argparse
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from transformers import PreTrainedTokenizerBase

from pipeline.artifacts.datasets import input_files, read_rows
from pipeline.artifacts.records import Problem, Solution
from pipeline.artifacts.write import atomic_path, write_jsonl, write_manifest
from pipeline.config.load import read_section
from pipeline.config.sft import SFT
from pipeline.config.world import Prompts
from pipeline.errors import UserError, run_main
from pipeline.model.chat import encode_solutions
from pipeline.model.load import load_tokenizer
from pipeline.progress import Progress
from sft.checks import reason_against, run_programs
from sft.converters import Reject, convert

CHUNK = 5_000
SCHEMA = pa.schema(
    [
        (name, pa.string())
        for name in ("id", "problem_id", "source", "format", "language", "question", "answer")
    ]
    + [("ids", pa.list_(pa.int32())), ("scored", pa.list_(pa.bool_())), ("split", pa.string())]
)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, required=True, help="JSON of the section `sft`")
    parser.add_argument("--prompts", type=Path, required=True, help="JSON of the section `prompts`")
    parser.add_argument(
        "--solutions", nargs="+", required=True, help="files, folders or hub:… of solutions"
    )
    parser.add_argument("--tokenizer", type=Path, required=True, help="model folder")
    parser.add_argument("--out", type=Path, required=True, help="Parquet file to write")
    arguments = parser.parse_args(argv)
    settings = read_section(arguments.config, SFT)
    prompts = read_section(arguments.prompts, Prompts)
    tokenizer = load_tokenizer(arguments.tokenizer)
    counts: Counter = Counter()
    rejects: list[dict] = []
    isolation: set[str] = set()
    problems: dict[str, Problem] = {}
    with (
        atomic_path(arguments.out) as temporary,
        pq.ParquetWriter(temporary, SCHEMA, compression="zstd") as writer,
    ):
        for chunk in chunks(read_solutions(arguments.solutions, rejects, counts)):
            kept = list(checked(chunk, settings, rejects, counts, isolation))
            rows = encoded(kept, tokenizer, prompts, settings, rejects)
            if rows:
                writer.write_table(pa.Table.from_pylist(rows, SCHEMA))
            for row in rows:
                counts[f"{row['split']}.{row['format']}.{row['language']}"] += 1
                problems.setdefault(row["question"], problem_of(row))
    write_jsonl(arguments.out.parent / "rejects.jsonl", rejects)
    write_jsonl(arguments.out.parent / "problems.jsonl", numbered(problems.values()))
    report(counts, rejects)
    if not any(name.startswith("train.") for name in counts):
        raise UserError(
            f"{' '.join(arguments.solutions)}: no usable solutions; reasons in rejects.jsonl"
        )
    local = [
        file for path in arguments.solutions for file in input_files(path) if Path(file).exists()
    ]
    reasons = Counter(reject["reason"] for reject in rejects)
    write_manifest(
        arguments.out.parent / "manifest.json",
        "sft.data",
        settings=settings.model_dump(mode="json"),
        inputs=[arguments.tokenizer / "tokenizer.json", *local],
        counts={**dict(sorted(counts.items())), "rejects": dict(sorted(reasons.items()))},
        metrics={"isolation": "; ".join(sorted(isolation))} if isolation else None,
    )


def read_solutions(paths: list[str], rejects: list[dict], counts: Counter) -> Iterator[Solution]:
    """All records of all sources as solutions; the same question with the same solution counts once."""
    seen: set[bytes] = set()
    for file in (file for path in paths for file in input_files(path)):
        stem = Path(file).name.split(".")[0]
        with Progress(f"solutions {stem}", unit="records") as progress:
            for number, row in enumerate(read_rows(file), 1):
                progress.add()
                counts["records"] += 1
                identity = f"{stem}-{number}"
                try:
                    solution = convert(row, identity, stem)
                except Reject as reject:
                    rejects.append(
                        {
                            "id": str(row.get("id") or identity),
                            "source": stem,
                            "reason": str(reject),
                        }
                    )
                    continue
                digest = hashlib.sha256(f"{solution.question}\0{solution.turns}".encode()).digest()
                if digest in seen:
                    rejects.append(
                        {"id": solution.id, "source": solution.source, "reason": "duplicate"}
                    )
                else:
                    seen.add(digest)
                    yield solution


def checked(
    solutions: list[Solution],
    settings: SFT,
    rejects: list[dict],
    counts: Counter,
    isolation: set[str],
) -> Iterator[Solution]:
    """The solutions that nothing speaks against; the others join `rejects`."""
    fit = []
    for solution in solutions:
        if reason := reason_against(solution):
            rejects.append({"id": solution.id, "source": solution.source, "reason": reason})
        else:
            fit.append(solution)
    for solution, reason in run_programs(fit, settings.checked_programs, counts, isolation):
        if reason:
            rejects.append({"id": solution.id, "source": solution.source, "reason": reason})
        else:
            yield solution


def encoded(
    solutions: list[Solution],
    tokenizer: PreTrainedTokenizerBase,
    prompts: Prompts,
    settings: SFT,
    rejects: list[dict],
) -> list[dict]:
    """Table rows; examples that do not fit into a context join `rejects`."""
    rows = []
    for solution, (ids, scored) in zip(
        solutions, encode_solutions(tokenizer, solutions, prompts), strict=True
    ):
        if len(ids) > settings.context:
            rejects.append(
                {"id": solution.id, "source": solution.source, "reason": "longer than the context"}
            )
            continue
        row = {name: getattr(solution, name) for name in SCHEMA.names[:7]}
        split = split_of(solution.question, settings.validation_share)
        rows.append(row | {"ids": ids, "scored": scored, "split": split})
    return rows


def problem_of(row: dict) -> Problem:
    return Problem(row["problem_id"], row["question"], row["answer"], row["language"])


def numbered(problems: Iterable[Problem]) -> Iterator[dict]:
    """The problems as JSON objects; where data sets give two questions one id, the later one gets a number with it."""
    seen: set[str] = set()
    for number, problem in enumerate(problems, 1):
        identity = f"{problem.id}#{number}" if problem.id in seen else problem.id
        seen.add(identity)
        yield problem.to_json() | {"id": identity}


def split_of(question: str, validation_share: float) -> str:
    """By the question's hash, so that all solutions of a problem stand on one side."""
    draw = int.from_bytes(hashlib.sha256(question.encode()).digest()[:4], "big")
    return "validation" if draw < validation_share * 2**32 else "train"


def chunks(solutions: Iterator[Solution]) -> Iterator[list[Solution]]:
    chunk: list[Solution] = []
    for solution in solutions:
        chunk.append(solution)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def report(counts: Counter, rejects: list[dict]) -> None:
    kept = sum(n for name, n in counts.items() if name.startswith(("train.", "validation.")))
    print(f"{counts['records']:,} records, {kept:,} examples, {len(rejects):,} rejected")
    for reason, number in Counter(reject["reason"] for reject in rejects).most_common():
        print(f"  rejected {number:,}: {reason}")
    print(f"  programs run: {counts['programs_run']:,}, not run: {counts['programs_not_run']:,}")


if __name__ == "__main__":
    run_main(main)
