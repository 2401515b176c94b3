"""The work of `python -m benchmarks.training`: our training step beside the Trainer's, and what pretraining gains."""

import argparse
import importlib.util
import json
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch

from pipeline.artifacts.write import read_json, write_json
from pipeline.config.read import read_section
from pipeline.config.sft import SFT
from pipeline.model.load import load_model, load_tokenizer
from pipeline.model.precision import computes_in_bf16
from pipeline.training.loop import plan_of
from pipeline.training.prepare import prepare
from pipeline.training.step import adamw, set_learning_rate, train_step, weighted_nll
from sft.batches import Examples, plan_batches, read_examples

Figures = dict[str, Any]
Record = dict[str, list[int]]


@dataclass(frozen=True, slots=True)
class Timing:
    """How the speed is measured."""

    threads: int
    warm_up: int
    """First steps, which are not timed."""
    steps: int
    """Timed steps."""

    def now(self) -> float:
        """Seconds of processor time with one thread, of wall time with more."""
        return time.process_time() if self.threads == 1 else time.perf_counter()


def measure(args: argparse.Namespace) -> None:
    for results in args.results:
        if not (results / "models" / "base" / "manifest.json").is_file():
            command = "snakemake --cores all sft_model evaluation"
            print(f"{results}: no finished run; make one with `{command}`")
            return

    torch.set_num_threads(args.threads)
    match args.part:
        case "start":
            figures = start_of_all(args)
        case "gain":
            figures = {str(results): gain(results) for results in args.results}
        case _:
            timing = Timing(args.threads, args.warm_up, args.steps)
            figures = {str(results): speed(results, timing) for results in args.results}
    if args.json:
        write_json(args.json, figures)


def speed(results: Path, timing: Timing) -> Figures:
    """Tokens a second of a fine-tuning step with a run's base model and settings: ours and the Trainer's."""
    settings = read_section(results / "config" / "sft.json", SFT)
    examples, _ = read_examples(results / "sft" / "examples.parquet")
    total = timing.warm_up + timing.steps
    plan, _ = plan_batches(
        examples.lengths,
        context=settings.context,
        batch_sequences=settings.batch_sequences,
        steps=total,
        seed=settings.seed,
    )
    examples_a_step = round(float(np.mean([len(step) for step in plan])))
    print(
        f"{examples_a_step} examples a step of {examples.lengths.mean():.0f} tokens (longest {examples.lengths.max()}),"
        f" {timing.threads} threads, load {os.getloadavg()[0]:.1f}"
    )

    base = results / "models" / "base"
    figures = {"ours": ours(base, timing, settings, examples, plan)}
    print(f"ours                     {figures['ours']:>8,.0f} tokens/s")
    if importlib.util.find_spec("accelerate") is None:
        print("Trainer of transformers  left out: it needs accelerate (pip install accelerate)")
        return figures

    precision = settings.optimisation.precision
    figures["trainer"] = trainer(base, timing, examples, examples_a_step, total, precision)
    figures["ratio"] = round(figures["ours"] / figures["trainer"], 3)
    print(f"Trainer of transformers  {figures['trainer']:>8,.0f} tokens/s")
    print(f"ratio                    {figures['ratio']:>8.2f}")
    return figures


def ours(
    base: Path, timing: Timing, settings: SFT, examples: Examples, plan: list[list[int]]
) -> float:
    """Tokens a second of this project's step."""
    model = prepare(load_model(base), settings.optimisation).train()
    optimiser = adamw(model)
    set_learning_rate(optimiser, 1e-4)
    loop = plan_of("speed", len(plan), settings.optimisation)
    # With one thread no micro-batches run side by side, so each may be twice as large.
    max_tokens = loop.max_tokens * (1 if timing.threads > 1 else 2)

    begin, tokens = timing.now(), 0
    for step, indices in enumerate(plan):
        if step == timing.warm_up:
            begin, tokens = timing.now(), 0
        train_step(
            model,
            optimiser,
            examples.rows(indices),
            weighted_nll,
            max_tokens=max_tokens,
            precision=loop.precision,
            packed=loop.packed,
        )
        tokens += int(examples.lengths[indices].sum())
    return tokens / (timing.now() - begin)


def trainer(
    base: Path, timing: Timing, examples: Examples, batch: int, total: int, precision: str
) -> float:
    """Tokens a second of transformers' Trainer, in the precision that our step takes."""
    # Importing the Trainer takes seconds, and without accelerate it fails.
    from transformers import (
        DataCollatorForSeq2Seq,
        Trainer,
        TrainerCallback,
        TrainerControl,
        TrainerState,
        TrainingArguments,
    )

    class Clock(TrainerCallback):
        begin = seconds = 0.0

        def on_step_end(
            self,
            args: TrainingArguments,
            state: TrainerState,
            control: TrainerControl,
            **kwargs: object,
        ) -> None:
            if state.global_step == timing.warm_up:
                self.begin = timing.now()
                seen.clear()

        def on_train_end(
            self,
            args: TrainingArguments,
            state: TrainerState,
            control: TrainerControl,
            **kwargs: object,
        ) -> None:
            self.seconds = timing.now() - self.begin

    class Records(torch.utils.data.Dataset[Record]):
        def __len__(self) -> int:
            return len(examples)

        def __getitem__(self, i: int) -> Record:
            ids, scored = examples.ids[i].as_py(), examples.scored[i].as_py()
            labels = [token if learnt else -100 for token, learnt in zip(ids, scored, strict=True)]
            return {"input_ids": ids, "attention_mask": [1] * len(ids), "labels": labels}

    seen: list[int] = []  # tokens of each batch
    pad = DataCollatorForSeq2Seq(load_tokenizer(base))

    def collate(records: list[Record]) -> dict[str, Any]:
        seen.append(sum(len(record["input_ids"]) for record in records))
        return pad(records)

    clock = Clock()
    model = load_model(base)
    with tempfile.TemporaryDirectory() as folder:
        Trainer(
            model,
            TrainingArguments(
                folder,
                per_device_train_batch_size=batch,
                max_steps=total,
                learning_rate=1e-4,
                use_cpu=not torch.cuda.is_available(),
                bf16=computes_in_bf16(precision, model),
                report_to="none",
                save_strategy="no",
                logging_steps=10**6,
                disable_tqdm=True,
            ),
            train_dataset=Records(),
            data_collator=collate,
            callbacks=[clock],
        ).train()
    return sum(seen) / clock.seconds


def gain(results: Path) -> Figures:
    """Bits per byte before and after, and the accuracies of both models."""
    manifest = read_json(results / "models" / "base" / "manifest.json")
    bits_per_byte = manifest["metrics"]["bits_per_byte"]
    for name, row in bits_per_byte.items():
        change = f"{row['before']:.3f} -> {row['after']:.3f}  {100 * row['change']:+.1f} %"
        print(f"bits per byte, {name:<8} {change}")

    accuracy: dict[str, dict[str, list[float]]] = {}
    summary = results / "eval" / "summary.json"
    models = read_json(summary) if summary.is_file() else {}
    for model, rows in models.items():
        accuracy[model] = {}
        for task, row in rows.items():
            greedy = [row["greedy"], row["greedy_low"], row["greedy_high"]]
            accuracy[model][task] = greedy
            value, low, high = (100 * share for share in greedy)
            print(f"{model:<6} {task:<16} {value:>5.1f} %  [{low:.1f}, {high:.1f}]")

    return {"bits_per_byte": bits_per_byte, "accuracy": accuracy}


def start_of_all(args: argparse.Namespace) -> Figures:
    """`start` for every finished run, and over the problems of all together."""
    runs = {str(results): start(results, args) for results in args.results}
    steps = args.training_steps
    figures = {name: compared(name, right, steps) for name, right in runs.items()}
    if len(runs) > 1:
        together = {
            origin: np.concatenate([right[origin] for right in runs.values()])
            for origin in ("base", "coder")
        }
        figures["all"] = compared("all", together, steps)
    return figures


def start(results: Path, args: argparse.Namespace) -> dict[str, np.ndarray]:
    """Fine-tune from base and from coder and evaluate both: which problems each got right, in the same order."""
    # Only this part needs the whole of fine-tuning and evaluation.
    from eval.run import main as evaluate
    from sft.train import main as fine_tune

    right: dict[str, np.ndarray] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = read_json(results / "config" / "sft.json") | {"steps": args.training_steps}
        (folder / "sft.json").write_text(json.dumps(settings))

        # Greedy answers alone.
        evaluation = read_json(results / "config" / "eval.json")
        evaluation |= {"samples": 0, "sample_modes": []}
        (folder / "eval.json").write_text(json.dumps(evaluation))
        shutil.copyfile(results / "config" / "prompts.json", folder / "prompts.json")
        benchmark = f"minimath={results / 'world' / 'problems' / 'test.jsonl'}"

        for origin in ("base", "coder"):
            examples = ["--examples", str(results / "sft" / "examples.parquet")]
            model = ["--base", str(results / "models" / origin), "--out", str(folder / origin)]
            fine_tune(["--config", str(folder / "sft.json"), *examples, *model])

            out = folder / f"eval-{origin}"
            asked = ["--model", str(folder / origin), "--benchmark", benchmark, "--mode", "cot"]
            how = ["--config", str(folder / "eval.json"), "--style", "chat"]
            evaluate([*asked, *how, "--prompts", str(folder / "prompts.json"), "--out", str(out)])

            rows = pq.read_table(out / "minimath.cot.parquet").to_pylist()
            rows.sort(key=lambda row: row["id"])
            right[origin] = np.array([row["correct"] for row in rows], dtype=float)
    return right


def compared(name: str, right: dict[str, np.ndarray], steps: int) -> Figures:
    """The difference of two accuracies on the same problems and its 95 % interval (normal, paired)."""
    base, coder = right["base"], right["coder"]
    difference = base - coder
    mean = difference.mean()
    error = 1.96 * difference.std(ddof=1) / len(difference) ** 0.5

    print(
        f"{name}: after {steps} steps, {len(base)} problems: from base {100 * base.mean():.1f} %, "
        f"from coder {100 * coder.mean():.1f} %, difference {100 * mean:+.1f} "
        f"[{100 * (mean - error):+.1f}, {100 * (mean + error):+.1f}]"
    )
    return {
        "steps": steps,
        "problems": len(base),
        "base": base.mean(),
        "coder": coder.mean(),
        "difference": mean,
        "low": mean - error,
        "high": mean + error,
    }
