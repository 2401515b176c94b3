"""Evaluate one model on benchmarks: greedy accuracy, and samples for Maj@K and Pass@K.

Reads   a model folder or Hub id; benchmarks by name or file (see eval/benchmarks.py); for models without a chat
        format, worked solutions as few-shot examples (without --shots the benchmark's own).
Writes  <out>/<benchmark>.<mode>.parquet, one row a sample (columns: eval/verdicts/graded_samples.py),
<out>/lm_eval.json (the scores
        as lm-evaluation-harness writes them) and <out>/manifest.json.

    python -m eval.run --model results/mini/models/rl --benchmark my_problems.jsonl --mode cot
    python -m eval.run --model deepseek-ai/deepseek-math-7b-rl --benchmark gsm8k math --mode cot tool --samples 8
    python -m eval.run --model results/mini/models/base --style few-shot --shots solutions.jsonl \
        --benchmark minimath=results/mini/world/problems/test.jsonl --mode cot pot

Without --config and --samples it samples nothing besides the greedy run. Finished parts lie in --cache, where they are
kept for the next call: what was decoded by the same model with the same settings is not decoded again. Samples of a
part in progress are logged there as they end, so that a killed run goes on with the next one. With --resume in its
place the folder is deleted at the end. Functions are scored by running their tests, formal proofs where
Isabelle is installed.
"""

import argparse
import contextlib
import os
import shutil
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from eval.benchmarks import load_benchmark, resolve
from eval.reporting.lm_eval_format import harness_results
from eval.sampling.attempts import Asking, attempt_all
from eval.sampling.few_shot import read_shots
from eval.sampling.work_units import Part, model_digest, plan
from eval.sandbox import Sandbox
from eval.summary import summarise
from eval.table import table
from eval.verdicts.graded_samples import ATTEMPTS, SAMPLES, attempt_rows, graded_rows
from pipeline.artifacts.resume import claim_folder
from pipeline.artifacts.write import (
    atomic_folder,
    atomic_path,
    file_digest,
    write_json,
    write_manifest,
)
from pipeline.config.eval import Evaluation
from pipeline.config.load import read_section
from pipeline.config.world import Prompts
from pipeline.errors import UserError, run_main
from pipeline.progress import Progress

NO_PROGRAMS = "not needed, no programs were run"


def main(argv: list[str] | None = None) -> None:
    args = _parse(argv)
    settings, prompts = (
        _settings(args),
        read_section(args.prompts, Prompts) if args.prompts else Prompts(),
    )
    found = [resolve(text, args.benchmarks_folder) for text in args.benchmark]
    problems = [
        (each, str(path), load_benchmark(path, each, settings.limit)) for each, path in found
    ]
    modes = args.mode or [m for m in settings.modes if args.style == "chat" or m != "tool"]
    parts = list(plan(problems, modes, settings, args.style))
    paths = _paths(args, settings, prompts, parts)
    todo = [part for part in parts if not paths[part].exists()]
    with contextlib.ExitStack() as stack:
        sandbox = _sandbox(stack, settings, parts, todo)
        if todo:
            _attempt_parts(args, settings, prompts, todo, paths, sandbox)
        _collect(args, settings, parts, paths, sandbox, [path for _, path, _ in problems])
    if args.resume:
        shutil.rmtree(args.resume)
    scores = {
        file.stem: summarise(pq.read_table(file).to_pylist())
        for file in sorted(args.out.glob("*.parquet"))
    }
    print(table({Path(args.model).name: scores}))


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m eval.run",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", required=True, help="model folder or Hub id")
    parser.add_argument("--benchmark", required=True, nargs="+", metavar="NAME|[NAME=]FILE.jsonl")
    parser.add_argument(
        "--benchmarks-folder", help="where declared benchmarks lie; default: data/benchmarks"
    )
    parser.add_argument(
        "--mode", nargs="+", choices=["cot", "pot", "tool"], help="default: the settings' modes"
    )
    parser.add_argument("--style", choices=["chat", "few-shot"], default="chat")
    parser.add_argument(
        "--shots", help="worked solutions (examples.parquet or JSON Lines) for few-shot"
    )
    parser.add_argument(
        "--config", help="settings of section eval; default: the paper's, greedy only"
    )
    parser.add_argument("--prompts", help="settings of section prompts; default: the paper's")
    parser.add_argument(
        "--samples", type=int, help="samples a problem for Maj@K and Pass@K; default: the settings'"
    )
    parser.add_argument(
        "--limit", type=int, help="use only the first so many problems of each benchmark"
    )
    parser.add_argument("--resume", type=Path, help="folder for finished parts, deleted at the end")
    parser.add_argument(
        "--cache", type=Path, help="folder for finished parts, kept; default: results/eval/.cache"
    )
    parser.add_argument(
        "--out", type=Path, help="folder to write; default: results/eval/<model name>"
    )
    args = parser.parse_args(argv)
    args.out = args.out or Path("results/eval") / Path(args.model).name
    if args.resume and args.cache:
        raise UserError(
            "--resume and --cache: one of both; the first is deleted at the end, the second kept"
        )
    if args.style == "few-shot" and args.mode and "tool" in args.mode:
        raise UserError("--mode tool: needs a model that was taught to use it (--style chat)")
    return args


def _settings(args: argparse.Namespace) -> Evaluation:
    """The settings file with what the command line says on top, checked together."""
    given = read_section(args.config, Evaluation).model_dump() if args.config else {"samples": 0}
    for name in ("samples", "limit"):
        if getattr(args, name) is not None:
            given[name] = getattr(args, name)
    if args.mode and not args.config:
        given |= {"modes": args.mode, "sample_modes": args.mode if args.samples else []}
    lowest = {"samples": 0, "limit": 1}
    for name, least in lowest.items():
        if given.get(name) is not None and given[name] < least:
            raise UserError(f"--{name} {given[name]}: allowed is {least} or more")
    return Evaluation.model_validate(given)


def _paths(
    args: argparse.Namespace, settings: Evaluation, prompts: Prompts, parts: list[Part]
) -> dict[Part, Path]:
    """Where each part is or will be kept."""
    made_by = {
        "model": model_digest(args.model),
        "settings": settings.model_dump(
            mode="json", exclude={"modes", "models", "samples", "sample_modes", "limit"}
        ),
        "prompts": prompts.model_dump(mode="json"),
        "style": args.style,
        "shots": file_digest(args.shots) if args.style == "few-shot" and args.shots else None,
    }
    folder = args.resume or args.cache or Path("results/eval/.cache")
    if args.resume:
        claim_folder(args.resume, "eval.run")
    folder.mkdir(parents=True, exist_ok=True)
    return {part: part.path(folder, made_by) for part in parts}


def _sandbox(
    stack: contextlib.ExitStack, settings: Evaluation, parts: list[Part], todo: list[Part]
) -> Sandbox | None:
    """A sandbox where programs or tests will be run; chain of thought needs none."""
    tests = any(part.benchmark.metric == "tests" for part in parts)
    if not tests and all(part.mode == "cot" for part in todo):
        return None
    box, cores = settings.sandbox, len(os.sched_getaffinity(0))
    sandbox = stack.enter_context(
        Sandbox(
            timeout=box.timeout,
            memory_mb=box.memory_mb,
            workers=box.workers or cores,
            allow_weak=box.allow_weak,
        )
    )
    print(f"sandbox: {sandbox.level}", file=sys.stderr)
    return sandbox


def _attempt_parts(
    args: argparse.Namespace,
    settings: Evaluation,
    prompts: Prompts,
    parts: list[Part],
    paths: dict[Part, Path],
    sandbox: Sandbox | None,
) -> None:
    from eval.sampling.sample_log import KeepingEngine, KeptSamples
    from eval.sampling.transformers_engine import (
        open_engine,
    )  # loads torch, which a run from the cache does not need
    from pipeline.inference.engine import SamplingSettings

    sampler = open_engine(args.model, settings.batch, chat=args.style == "chat")
    tokenizer = sampler.tokenizer
    shots = read_shots(args.shots, tokenizer) if args.style == "few-shot" and args.shots else []
    with Progress(
        "evaluate", total=sum(part.attempts for part in parts), unit="samples"
    ) as progress:
        for part in parts:
            asked = part.benchmark, part.file
            asking = Asking(
                part.mode, args.style, prompts, shots, settings.shots, settings.tool_rounds, *asked
            )
            sampling = SamplingSettings(
                temperature=settings.temperature if part.samples else 0.0,
                max_new_tokens=settings.max_new_tokens,
                seed=settings.seed,
            )
            problems, samples = list(part.problems), max(1, part.samples)
            with KeptSamples(paths[part].with_suffix(".log")) as kept:
                engine = KeepingEngine(sampler, kept)
                attempts = attempt_all(
                    engine, sandbox, problems, samples, asking, sampling, progress
                )
                rows = attempt_rows(attempts, not part.samples, kept.seconds, tokenizer)
                ran = part.mode != "cot" and sandbox is not None
                schema = ATTEMPTS.with_metadata(
                    {"isolation": sandbox.level if ran else NO_PROGRAMS}
                )
                with atomic_path(paths[part]) as path:
                    pq.write_table(
                        pa.Table.from_pylist(rows, schema=schema), path, compression="zstd"
                    )
                kept.delete()


def _collect(
    args: argparse.Namespace,
    settings: Evaluation,
    parts: list[Part],
    paths: dict[Part, Path],
    sandbox: Sandbox | None,
    inputs: list[str],
) -> None:
    """Grade the parts and join those of each benchmark and mode into one file; the manifest comes last."""
    counts, scores, isolation = {}, {}, {sandbox.level} if sandbox else set()
    with atomic_folder(args.out) as folder:
        for name in dict.fromkeys(part.name for part in parts):
            rows = []
            for part in (part for part in parts if part.name == name):
                table_ = pq.read_table(paths[part])
                isolation.add(table_.schema.metadata[b"isolation"].decode())
                rows += graded_rows(
                    table_.to_pylist(),
                    part.problems,
                    part.benchmark,
                    part.mode,
                    sandbox,
                    args.style,
                )
            joined = pa.Table.from_pylist(rows, schema=SAMPLES)
            pq.write_table(joined, folder / f"{name}.parquet", compression="zstd")
            statuses = [row["status"] for row in rows]
            counts[name] = {"samples": len(rows)} | {
                s: statuses.count(s) for s in sorted(set(statuses))
            }
            scores[name] = summarise(rows)
        shots = {part.name: _shown(args, part, settings) for part in parts}
        write_json(folder / "lm_eval.json", harness_results(args.model, scores, shots, settings))
        held = sorted(isolation - {NO_PROGRAMS}) or [NO_PROGRAMS]
        write_manifest(
            folder / "manifest.json",
            "eval.run",
            settings=settings.model_dump(mode="json"),
            inputs=inputs,
            counts=counts,
            metrics={"isolation": "; ".join(held)},
        )


def _shown(args: argparse.Namespace, part: Part, settings: Evaluation) -> int:
    """Worked examples before the question."""
    if args.style == "chat":
        return 0
    return settings.shots if args.shots else part.benchmark.shots.get(part.mode, settings.shots)


if __name__ == "__main__":
    run_main(main)
