"""Evaluate one model on benchmarks: greedy accuracy, and samples for Maj@K and Pass@K.

Reads   a model folder or Hub id; benchmarks (JSON Lines files, see eval/benchmarks.py); for models without a chat
        format, worked solutions as few-shot examples.
Writes  <out>/<benchmark>.<mode>.parquet, one row a sample (id, kind, level, language, greedy, sample, prompt, output,
        extracted, gold, correct, status, program, tokens, finish, seconds), and <out>/manifest.json.

    python -m eval.run --model results/mini/models/rl --benchmark my_problems.jsonl --mode cot
    python -m eval.run --model results/mini/models/base --style few-shot --shots solutions.jsonl \
        --benchmark minimath=results/mini/world/problems/test.jsonl --mode cot pot

Without --config it samples nothing besides the greedy run. Finished parts are kept in --resume, so that a killed run
goes on where it was. Not done here: benchmarks scored by unit tests or by a proof checker.
"""

import argparse
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from eval.attempts import Asking, Attempt, attempt_all
from eval.benchmarks import load_benchmark
from eval.fewshot import read_shots
from eval.grading import grade
from eval.sandbox import Sandbox
from eval.summary import summarise
from eval.table import table
from pipeline.artifacts import atomic_folder, atomic_path, file_digest, read_json, write_json, write_manifest
from pipeline.config import read_section
from pipeline.errors import UserError, run_main
from pipeline.generation import Sampler, SamplingSettings
from pipeline.models import load_model, load_tokenizer
from pipeline.progress import Progress
from pipeline.records import Problem
from pipeline.schema.eval import Evaluation
from pipeline.schema.world import Prompts

SCHEMA = pa.schema(
    [
        ("id", pa.string()), ("kind", pa.string()), ("level", pa.string()), ("language", pa.string()),
        ("greedy", pa.bool_()), ("sample", pa.int32()), ("prompt", pa.string()), ("output", pa.string()),
        ("extracted", pa.string()), ("gold", pa.string()), ("correct", pa.bool_()), ("status", pa.string()),
        ("program", pa.string()), ("tokens", pa.int32()), ("finish", pa.string()), ("seconds", pa.float32()),
    ]
)  # fmt: skip
PART = 256  # problems decoded and stored together; a killed run loses at most one part


@dataclass(frozen=True)
class Part:
    """A piece of work that is stored when it is done."""

    benchmark: str
    mode: str
    greedy: bool
    number: int
    problems: tuple[Problem, ...]

    @property
    def file(self) -> str:
        return f"{self.benchmark}.{self.mode}.{'greedy' if self.greedy else 'sampled'}.{self.number:05}.parquet"


def main(argv: list[str] | None = None) -> None:
    args = _parse(argv)
    settings = read_section(args.config, Evaluation) if args.config else Evaluation(samples=0)
    prompts = read_section(args.prompts, Prompts) if args.prompts else Prompts()
    benchmarks = dict(_named(text) for text in args.benchmark)
    problems = {name: load_benchmark(path, name, settings.limit) for name, path in benchmarks.items()}
    modes = args.mode or [m for m in settings.modes if args.style == "chat" or m != "tool"]
    parts = list(_plan(problems, modes, settings, args.style))
    resume = _open_resume(args, settings, prompts, benchmarks)
    todo = [part for part in parts if not (resume / part.file).exists()]
    if todo:
        _attempt_parts(args, settings, prompts, todo, resume)
    _collect(args.out, resume, parts, settings, list(benchmarks.values()))
    shutil.rmtree(resume)
    scores = {file.stem: summarise(pq.read_table(file).to_pylist()) for file in sorted(args.out.glob("*.parquet"))}
    print(table({Path(args.model).name: scores}))


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="model folder or Hub id")
    parser.add_argument("--benchmark", required=True, nargs="+", metavar="[NAME=]FILE.jsonl")
    parser.add_argument("--mode", nargs="+", choices=["cot", "pot", "tool"], help="default: the settings' modes")
    parser.add_argument("--style", choices=["chat", "few-shot"], default="chat")
    parser.add_argument("--shots", help="worked solutions (examples.parquet or JSON Lines) for few-shot")
    parser.add_argument("--config", help="settings of section eval; default: the paper's, greedy only")
    parser.add_argument("--prompts", help="settings of section prompts; default: the paper's")
    parser.add_argument("--resume", type=Path, help="folder for finished parts; default: beside --out")
    parser.add_argument("--out", type=Path, help="folder to write; default: results/eval/<model name>")
    args = parser.parse_args(argv)
    if args.style == "few-shot" and not args.shots:
        raise UserError("--style few-shot: needs --shots, worked solutions to show before the question")
    args.out = args.out or Path("results/eval") / Path(args.model).name
    args.resume = args.resume or args.out.parent / f".{args.out.name}.resume"
    return args


def _named(text: str) -> tuple[str, str]:
    """NAME=FILE, or FILE whose stem is the name."""
    name, found, path = text.partition("=")
    return (name, path) if found and "/" not in name else (Path(text).stem, text)


def _plan(problems: dict[str, list[Problem]], modes: list[str], settings: Evaluation, style: str) -> Iterator[Part]:
    for name, items in problems.items():
        for mode in modes:
            sampled = settings.samples and style == "chat" and mode in settings.sample_modes
            for greedy in (True, False) if sampled else (True,):
                for number, start in enumerate(range(0, len(items), PART)):
                    yield Part(name, mode, greedy, number, tuple(items[start : start + PART]))


def _open_resume(args: argparse.Namespace, settings: Evaluation, prompts: Prompts, benchmarks: dict) -> Path:
    """The folder of finished parts, emptied if it belongs to another model, other settings or other problems."""
    model = Path(args.model)
    fingerprint = {
        "model": file_digest(model) if model.exists() else args.model,
        "settings": settings.model_dump(mode="json"),
        "prompts": prompts.model_dump(mode="json"),
        "style": args.style,
        "inputs": {name: file_digest(path) for name, path in benchmarks.items()},
        "shots": file_digest(args.shots) if args.shots else None,
    }
    note = args.resume / "fingerprint.json"
    if args.resume.exists() and (not note.exists() or read_json(note) != fingerprint):
        shutil.rmtree(args.resume)
    args.resume.mkdir(parents=True, exist_ok=True)
    write_json(note, fingerprint)
    return args.resume


def _attempt_parts(
    args: argparse.Namespace, settings: Evaluation, prompts: Prompts, parts: list[Part], resume: Path
) -> None:
    tokenizer = load_tokenizer(args.model)
    sampler = Sampler(load_model(args.model), tokenizer, max_batch=settings.batch)
    shots = read_shots(args.shots, tokenizer) if args.style == "few-shot" else []
    total = sum(len(part.problems) * (1 if part.greedy else settings.samples) for part in parts)
    box = settings.sandbox
    sandbox = Sandbox(
        timeout=box.timeout, memory_mb=box.memory_mb, workers=box.workers, allow_weak=box.allow_weak
    )  # fmt: skip
    with sandbox, Progress("evaluate", total=total, unit="samples") as progress:
        for part in parts:
            asking = Asking(part.mode, args.style, prompts, shots, settings.shots, settings.tool_rounds)
            sampling = SamplingSettings(
                temperature=0.0 if part.greedy else settings.temperature,
                max_new_tokens=settings.max_new_tokens,
                seed=settings.seed,
            )
            start = time.perf_counter()
            samples = 1 if part.greedy else settings.samples
            attempts = attempt_all(sampler, sandbox, list(part.problems), samples, asking, sampling, progress)
            seconds = (time.perf_counter() - start) / len(attempts)
            rows = [_row(attempt, part, seconds, tokenizer) for attempt in attempts]
            with atomic_path(resume / part.file) as path:
                pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), path, compression="zstd")


def _row(attempt: Attempt, part: Part, seconds: float, tokenizer) -> dict:
    problem = attempt.problem
    prediction = attempt.output if part.mode != "pot" else (attempt.printed or "")
    verdict = grade(problem.answer, prediction, language=problem.language)
    return {
        "id": problem.id, "kind": problem.kind, "level": problem.level, "language": problem.language,
        "greedy": part.greedy, "sample": attempt.sample, "prompt": tokenizer.decode(attempt.prompt_ids),
        "output": attempt.output, "extracted": verdict.extracted, "gold": problem.answer,
        "correct": verdict.correct, "status": verdict.status, "program": attempt.program_status,
        "tokens": attempt.tokens, "finish": attempt.finish, "seconds": seconds,
    }  # fmt: skip


def _collect(out: Path, resume: Path, parts: list[Part], settings: Evaluation, inputs: list[str]) -> None:
    """Join the parts of each benchmark and mode into one file; the manifest comes last."""
    names = dict.fromkeys(f"{part.benchmark}.{part.mode}" for part in parts)
    counts: dict = {}
    with atomic_folder(out) as folder:
        for name in names:
            files = [resume / part.file for part in parts if f"{part.benchmark}.{part.mode}" == name]
            joined = pa.concat_tables([pq.read_table(file) for file in files])
            pq.write_table(joined, folder / f"{name}.parquet", compression="zstd")
            statuses = joined.column("status").to_pylist()
            counts[name] = {"samples": len(statuses)} | {s: statuses.count(s) for s in sorted(set(statuses))}
        write_manifest(
            folder / "manifest.json",
            "eval.run",
            settings=settings.model_dump(mode="json"),
            inputs=inputs,
            counts=counts,
        )


if __name__ == "__main__":
    run_main(main)
