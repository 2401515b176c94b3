"""Evaluate one model on benchmarks: greedy accuracy, and samples for Maj@K and Pass@K.

Reads   a model folder or Hub id; benchmarks by name or file (see eval/benchmarks.py); for models without a chat
        format, worked solutions as few-shot examples (without --shots the benchmark's own).
Writes  <out>/<benchmark>.<mode>.parquet, one row a sample (id, kind, level, language, greedy, sample, prompt, output,
        extracted, gold, correct, status, program, tokens, finish, seconds), and <out>/manifest.json.

    python -m eval.run --model results/mini/models/rl --benchmark my_problems.jsonl --mode cot
    python -m eval.run --model results/mini/models/base --style few-shot --shots solutions.jsonl \
        --benchmark minimath=results/mini/world/problems/test.jsonl --mode cot pot

Without --config it samples nothing besides the greedy run. Finished parts are kept in --resume, so that a killed run
goes on where it was. Functions are scored by running their tests, formal proofs where Isabelle is installed.
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
from eval.benchmark_table import Benchmark
from eval.benchmarks import load_benchmark, resolve
from eval.fewshot import read_shots
from eval.grading import Verdict
from eval.judge import judge
from eval.sandbox import Sandbox
from eval.summary import summarise
from eval.table import table
from pipeline.artifacts import atomic_folder, atomic_path, file_digest, read_json, write_json, write_manifest
from pipeline.config import read_section
from pipeline.errors import run_main
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
    found = [resolve(text, args.benchmarks_folder) for text in args.benchmark]
    benchmarks = {declared.name: str(path) for declared, path in found}
    declared = {each.name: each for each, _ in found}
    problems = {each.name: load_benchmark(path, each, settings.limit) for each, path in found}
    modes = args.mode or [m for m in settings.modes if args.style == "chat" or m != "tool"]
    parts = list(_plan(problems, modes, settings, args.style, declared))
    resume = _open_resume(args, settings, prompts, benchmarks)
    todo = [part for part in parts if not (resume / part.file).exists()]
    if todo:
        _attempt_parts(args, settings, prompts, todo, resume, declared, benchmarks)
    _collect(args.out, resume, parts, settings, list(benchmarks.values()))
    shutil.rmtree(resume)
    scores = {file.stem: summarise(pq.read_table(file).to_pylist()) for file in sorted(args.out.glob("*.parquet"))}
    print(table({Path(args.model).name: scores}))


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="model folder or Hub id")
    parser.add_argument("--benchmark", required=True, nargs="+", metavar="NAME|[NAME=]FILE.jsonl")
    parser.add_argument("--benchmarks-folder", help="where declared benchmarks lie; default: data/benchmarks")
    parser.add_argument("--mode", nargs="+", choices=["cot", "pot", "tool"], help="default: the settings' modes")
    parser.add_argument("--style", choices=["chat", "few-shot"], default="chat")
    parser.add_argument("--shots", help="worked solutions (examples.parquet or JSON Lines) for few-shot")
    parser.add_argument("--config", help="settings of section eval; default: the paper's, greedy only")
    parser.add_argument("--prompts", help="settings of section prompts; default: the paper's")
    parser.add_argument("--resume", type=Path, help="folder for finished parts; default: beside --out")
    parser.add_argument("--out", type=Path, help="folder to write; default: results/eval/<model name>")
    args = parser.parse_args(argv)
    args.out = args.out or Path("results/eval") / Path(args.model).name
    args.resume = args.resume or args.out.parent / f".{args.out.name}.resume"
    return args


def _plan(
    problems: dict[str, list[Problem]], modes: list[str], settings: Evaluation, style: str, declared: dict
) -> Iterator[Part]:
    for name, items in problems.items():
        fitting = [mode for mode in modes if mode in declared[name].modes] or list(declared[name].modes)
        for mode in fitting:
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
    args: argparse.Namespace,
    settings: Evaluation,
    prompts: Prompts,
    parts: list[Part],
    resume: Path,
    declared: dict[str, Benchmark],
    files: dict[str, str],
) -> None:
    tokenizer = load_tokenizer(args.model)
    sampler = Sampler(load_model(args.model), tokenizer, max_batch=settings.batch)
    shots = read_shots(args.shots, tokenizer) if args.style == "few-shot" and args.shots else []
    total = sum(len(part.problems) * (1 if part.greedy else settings.samples) for part in parts)
    box = settings.sandbox
    sandbox = Sandbox(
        timeout=box.timeout, memory_mb=box.memory_mb, workers=box.workers, allow_weak=box.allow_weak
    )  # fmt: skip
    with sandbox, Progress("evaluate", total=total, unit="samples") as progress:
        for part in parts:
            asked = declared[part.benchmark], files[part.benchmark]
            asking = Asking(part.mode, args.style, prompts, shots, settings.shots, settings.tool_rounds, *asked)
            sampling = SamplingSettings(
                temperature=0.0 if part.greedy else settings.temperature,
                max_new_tokens=settings.max_new_tokens,
                seed=settings.seed,
            )
            start = time.perf_counter()
            samples = 1 if part.greedy else settings.samples
            attempts = attempt_all(sampler, sandbox, list(part.problems), samples, asking, sampling, progress)
            seconds = (time.perf_counter() - start) / len(attempts)
            tried = [(a.problem, a.output, (a.printed or "") if part.mode == "pot" else None) for a in attempts]
            verdicts = judge(declared[part.benchmark], tried, sandbox)
            rows = [_row(*each, part, seconds, tokenizer) for each in zip(attempts, verdicts, strict=True)]
            with atomic_path(resume / part.file) as path:
                pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), path, compression="zstd")


def _row(attempt: Attempt, verdict: Verdict, part: Part, seconds: float, tokenizer) -> dict:
    problem = attempt.problem
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
