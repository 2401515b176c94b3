"""Evaluate one model on benchmarks: greedy accuracy, and samples for Maj@K and Pass@K.

Reads   a model folder or Hub id; benchmarks by name or file (see eval/benchmarks.py); for models without a chat
        format, worked solutions as few-shot examples (without --shots the benchmark's own).
Writes  <out>/<benchmark>.<mode>.parquet, one row a sample (columns: eval/verdicts/graded_samples.py),
        <out>/lm_eval.json (the scores as lm-evaluation-harness writes them) and <out>/manifest.json; with --output
        also the dated files of lm-evaluation-harness.

    python -m eval.run --model results/mini/models/rl --benchmark minimath=results/mini/world/problems/test.jsonl
    python -m eval.run --model results/mini/models/base --shots results/mini/sft/examples.parquet \
        --benchmark minimath=results/mini/world/problems/test.jsonl --mode cot pot
    python -m eval.run --model deepseek-ai/deepseek-math-7b-rl --benchmark gsm8k math --mode cot tool --samples 8
    python -m eval.run --server http://localhost:8000/v1 --model my-model --benchmark gsm8k

A model of this project says itself how it wants to be asked (prompts.json in its folder), so that the first two
commands give the numbers of the run's own table; options that ask otherwise are named in a warning. Other models are
asked by their own chat template. Without --config and --samples it samples nothing besides the greedy run.

With --server a model behind an OpenAI-compatible API is asked (its key: the variable OPENAI_API_KEY): by the server's
chat template, or, where --tokenizer names the model's folder, by prompts made here, which the mode tool needs.

Finished parts are kept in --cache for the next call: what was decoded by the same model with the same settings is not
decoded again (those of speed alone may differ). Samples of a part in progress are logged there as they end, so that a
killed run goes on with the next one. With --resume in its place the folder is deleted at the end.
Functions are scored by running their tests, formal proofs where Isabelle is installed.
"""

import argparse
import contextlib
import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa
import pyarrow.parquet as pq

from eval.benchmarks import load_benchmark, resolve
from eval.reporting.harness_files import write_harness_files
from eval.reporting.lm_eval_format import harness_results
from eval.sampling.asked_model import (
    identity,
    model_is_there,
    note_of_kept_answers,
    open_model,
)
from eval.sampling.attempts import Asking, attempt_all
from eval.sampling.few_shot import read_shots
from eval.sampling.how_to_ask import HowToAsk, how_to_ask
from eval.sampling.server_client import base_url
from eval.sampling.work_units import Part, Problems, plan
from eval.sandbox import Sandbox
from eval.summary import summarise
from eval.table import table
from eval.verdicts.graded_samples import ATTEMPTS, SAMPLES, attempt_rows, graded_rows
from pipeline.artifacts.resume import claim_folder
from pipeline.artifacts.write import (
    atomic_folder,
    atomic_path,
    file_digest,
    payload,
    write_json,
    write_manifest,
)
from pipeline.config.engines import Engines
from pipeline.config.eval import Evaluation
from pipeline.errors import UserError, run_main
from pipeline.progress import Progress

# In the place of the sandbox's level of isolation
NO_PROGRAMS = "not needed, no programs were run"


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    model_is_there(args)
    asking = how_to_ask(args)
    settings = asking.settings

    # All names are looked up before any file is read: a typo shows at once.
    found = [resolve(text, args.benchmarks_folder) for text in args.benchmark]
    benchmarks = [
        Problems(declared, str(file), load_benchmark(file, declared, settings.limit))
        for declared, file in found
    ]

    parts = list(plan(benchmarks, asking.modes, settings, asking.style))
    paths = _paths(args, asking, parts)
    missing = [part for part in parts if not paths[part].exists()]
    note_of_kept_answers(args, len(parts) - len(missing))

    with _sandbox(settings, parts, missing) as sandbox:
        if missing:
            _attempt_parts(args, asking, missing, paths, sandbox)
        inputs = [each.file for each in benchmarks]
        scores = _grade_and_write(args, asking, parts, paths, sandbox, inputs)
    if args.output:
        shots = {part.name: _shots_shown(args, asking, part) for part in parts}
        for file in write_harness_files(args.output, args.model, args.out, scores, shots, asking):
            print(f"wrote {file}", file=sys.stderr)

    if args.resume:
        shutil.rmtree(args.resume)
    print(table({Path(args.model).name: scores}))


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m eval.run",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--model", required=True, help="model folder or Hub id; with --server a name that it knows"
    )
    parser.add_argument(
        "--server",
        metavar="URL",
        help="ask this OpenAI-compatible API, e.g. http://localhost:8000/v1",
    )
    parser.add_argument(
        "--tokenizer",
        metavar="FOLDER|HUB-ID",
        help="with --server: the model's tokenizer, to make prompts here as its prompts.json says",
    )
    parser.add_argument(
        "--engine", choices=get_args(Engines), help="what decodes here; default: the settings'"
    )
    parser.add_argument("--benchmark", required=True, nargs="+", metavar="NAME|[NAME=]FILE.jsonl")
    parser.add_argument(
        "--benchmarks-folder", help="where declared benchmarks lie; default: data/benchmarks"
    )
    parser.add_argument(
        "--mode", nargs="+", choices=["cot", "pot", "tool"], help="default: the settings' modes"
    )
    parser.add_argument(
        "--style", choices=["chat", "few-shot"], help="default: the model's own, else chat"
    )
    parser.add_argument(
        "--shots", help="worked solutions (examples.parquet or JSON Lines) for few-shot"
    )
    parser.add_argument(
        "--config",
        help="settings of section eval; default: the model's own, else the paper's, greedy only",
    )
    parser.add_argument(
        "--prompts", help="settings of section prompts; default: the model's own, else the paper's"
    )
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
    parser.add_argument(
        "--output",
        type=Path,
        help="folder that also gets results_<date>.json and samples_<task>_<date>.jsonl, as lm-evaluation-harness "
        "writes them",
    )
    args = parser.parse_args(argv)

    if args.tokenizer and not args.server:
        raise UserError("--tokenizer: only with --server; a model here brings its own")
    if args.server:
        args.server = base_url(args.server)
        if args.engine:
            raise UserError("--server and --engine: one of both; a server decodes by itself")

    args.out = args.out or Path("results/eval") / Path(args.model).name
    if args.resume and args.cache:
        raise UserError(
            "--resume and --cache: one of both; the first is deleted at the end, the second kept"
        )
    return args


def _paths(args: argparse.Namespace, asking: HowToAsk, parts: list[Part]) -> dict[Part, Path]:
    """Where each part is or will be kept."""
    # Settings of speed alone do not count. What a part holds of itself (mode, samples, problems) is in its own digest:
    # other modes must not change it.
    elsewhere = {"modes", "models", "samples", "sample_modes", "limit", "vllm"}
    if asking.settings.engine == "own":
        elsewhere.add("engine")  # parts from before there were others stay what they are
    settings = asking.settings.result_settings()
    own_shots = asking.style == "few-shot" and args.shots
    made_by = {
        "model": identity(args),
        "settings": {name: settings[name] for name in settings if name not in elsewhere},
        "prompts": asking.prompts.model_dump(mode="json"),
        "stop": asking.stop,
        "style": asking.style,
        "shots": file_digest(args.shots) if own_shots else None,
    }

    if args.resume:
        claim_folder(args.resume, "eval.run")
    folder = args.resume or args.cache or Path("results/eval/.cache")
    folder.mkdir(parents=True, exist_ok=True)
    return {part: part.path(folder, made_by) for part in parts}


@contextlib.contextmanager
def _sandbox(
    settings: Evaluation, parts: list[Part], missing: list[Part]
) -> Iterator[Sandbox | None]:
    """A sandbox where programs or tests will be run; chain of thought needs none."""
    # Tests are run for the verdict, so also on attempts that lie in the cache.
    has_tests = any(part.benchmark.metric == "tests" for part in parts)
    has_programs = any(part.mode != "cot" for part in missing)
    if not has_tests and not has_programs:
        yield None
        return

    box = settings.sandbox
    workers = box.workers or len(os.sched_getaffinity(0))
    with Sandbox(
        timeout=box.timeout, memory_mb=box.memory_mb, workers=workers, allow_weak=box.allow_weak
    ) as sandbox:
        print(f"sandbox: {sandbox.level}", file=sys.stderr)
        yield sandbox


def _attempt_parts(
    args: argparse.Namespace,
    how: HowToAsk,
    parts: list[Part],
    paths: dict[Part, Path],
    sandbox: Sandbox | None,
) -> None:
    """Let the model attempt these parts, and store each as it ends."""
    # Loads torch, which a run from the cache does not need
    from eval.sampling.sample_log import KeepingEngine, KeptSamples
    from pipeline.inference.engine import SamplingSettings

    settings = how.settings
    sampler = open_model(args, how)
    tokenizer = sampler.tokenizer
    shots = read_shots(args.shots, tokenizer) if how.style == "few-shot" and args.shots else []

    total = sum(part.attempts for part in parts)
    title = f"evaluate {Path(args.model).name}"
    with Progress(title, total=total, unit="samples", beats=True) as progress:
        for part in parts:
            asking = Asking(
                part.mode,
                how.style,
                how.prompts,
                shots,
                shot_count=settings.shots,
                tool_rounds=settings.tool_rounds,
                benchmark=part.benchmark,
                file=part.file,
                stop=tuple(how.stop.get(part.mode, [])),
            )
            sampling = SamplingSettings(
                temperature=settings.temperature if part.samples else 0.0,
                max_new_tokens=settings.max_new_tokens,
                seed=settings.seed,
            )

            with KeptSamples(paths[part].with_suffix(".log")) as kept:
                attempts = attempt_all(
                    KeepingEngine(sampler, kept),
                    sandbox,
                    list(part.problems),
                    max(1, part.samples),
                    asking,
                    sampling,
                    progress,
                )
                rows = attempt_rows(attempts, not part.samples, kept.seconds, tokenizer)
                isolation = NO_PROGRAMS
                if part.mode != "cot" and sandbox is not None:
                    isolation = sandbox.level
                _write_part(paths[part], rows, isolation)

                # The part is whole: from here on it stands for its samples.
                kept.delete()


def _write_part(path: Path, rows: list[dict[str, Any]], isolation: str) -> None:
    """Store a part's attempts; `isolation`: how its programs were held, for the manifest."""
    schema = ATTEMPTS.with_metadata({"isolation": isolation})
    with atomic_path(path) as unfinished:
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), unfinished, compression="zstd")


def _grade_and_write(
    args: argparse.Namespace,
    asking: HowToAsk,
    parts: list[Part],
    paths: dict[Part, Path],
    sandbox: Sandbox | None,
    inputs: list[str],
) -> dict[str, dict[str, Any]]:
    """Grade the parts and join those of each benchmark and mode into one file; the manifest comes last.

    Returns the scores by "benchmark.mode".
    """
    settings = asking.settings
    counts: dict[str, dict[str, int]] = {}
    scores: dict[str, dict[str, Any]] = {}
    shots: dict[str, int] = {}
    isolation = {sandbox.level} if sandbox else set()

    by_task: dict[str, list[Part]] = {}
    for part in parts:
        by_task.setdefault(part.name, []).append(part)

    with atomic_folder(args.out) as folder:
        for task, task_parts in by_task.items():
            rows = []
            for part in task_parts:
                attempts = pq.read_table(paths[part])
                isolation.add(attempts.schema.metadata[b"isolation"].decode())
                rows += graded_rows(
                    attempts.to_pylist(),
                    part.problems,
                    part.benchmark,
                    part.mode,
                    sandbox,
                    asking.style,
                )

            graded = pa.Table.from_pylist(rows, schema=SAMPLES)
            pq.write_table(graded, folder / f"{task}.parquet", compression="zstd")

            statuses = Counter(row["status"] for row in rows)
            counts[task] = {"samples": len(rows)} | dict(sorted(statuses.items()))
            scores[task] = summarise(rows)
            shots[task] = _shots_shown(args, asking, task_parts[0])

        write_json(folder / "lm_eval.json", harness_results(args.model, scores, shots, settings))
        served = {"server": args.server} if args.server else {}
        levels = sorted(isolation - {NO_PROGRAMS}) or [NO_PROGRAMS]
        write_manifest(
            folder / "manifest.json",
            "eval.run",
            settings=settings.model_dump(mode="json"),
            inputs=inputs,
            counts=counts,
            metrics={"isolation": "; ".join(levels)} | served,
            files=payload(folder),
        )
    return dict(sorted(scores.items()))


def _shots_shown(args: argparse.Namespace, asking: HowToAsk, part: Part) -> int:
    """Worked examples before the question."""
    if asking.style == "chat":
        return 0
    if args.shots:
        return asking.settings.shots
    return part.benchmark.shots.get(part.mode, asking.settings.shots)


if __name__ == "__main__":
    run_main(main)
