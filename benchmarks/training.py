"""What a training step costs beside the plain Trainer of transformers, and what continued pretraining gains.

    python -m benchmarks.training                       # speed, on a finished run in results/mini: three minutes
    python -m benchmarks.training --part gain           # figures of that run: bits per byte, accuracy
    python -m benchmarks.training --part start          # fine-tunes from base and from coder: ten minutes
    python -m benchmarks.training --part start --results results/mini results/seed1 results/seed2
    python -m benchmarks.training --json figures.json

speed   The same model, examples, tokens of a step, optimiser and threads. The Trainer draws its batches and pads each
        to its longest example; ours packs a step's examples into even micro-batches. Tokens are those of examples,
        padding not counted; the first steps of each are left out. With --threads 1 (the default) the clock is
        processor time, which neighbours on the machine do not change; with more it is wall time. Needs accelerate
        (pip install accelerate), which the Trainer demands and nothing else here does.
gain    Base against coder: bits per byte of each held-out text, accuracy with chain of thought and with programs.
start   Instruct models from base and from coder at equal steps, greedy accuracy, and the difference's 95 % interval
        (paired by problem); with several finished runs (other seeds) for each and over all problems together.
"""

import argparse
import importlib.util
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch

from pipeline.artifacts.write import read_json, write_json
from pipeline.config.load import read_section
from pipeline.config.sft import SFT
from pipeline.model.load import load_model, load_tokenizer
from pipeline.training.loop import plan_of
from pipeline.training.step import adamw, prepare, set_learning_rate, train_step, weighted_nll
from sft.batches import plan_batches, read_examples

WARM_UP = 20
CLOCK = [time.perf_counter]


def now() -> float:
    return CLOCK[0]()


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--results", type=Path, nargs="+", default=[Path("results/mini")], help="finished run(s)"
    )
    parser.add_argument("--part", choices=("speed", "gain", "start"), default="speed")
    parser.add_argument("--steps", type=int, default=150, help="timed steps (speed)")
    parser.add_argument(
        "--training-steps", type=int, default=1000, help="steps of each fine-tuning (start)"
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the figures there too")
    arguments = parser.parse_args(argv)
    for results in arguments.results:
        if not (results / "models" / "base" / "manifest.json").is_file():
            print(
                f"{results}: no finished run; make one with `snakemake --cores all sft_model evaluation`"
            )
            return 0
    torch.set_num_threads(arguments.threads)
    CLOCK[:] = [time.process_time if arguments.threads == 1 else time.perf_counter]
    if arguments.part == "start":
        figures = start_of_all(arguments)
    else:
        part = {"speed": speed, "gain": gain}[arguments.part]
        figures = {str(results): part(results, arguments) for results in arguments.results}
    if arguments.json:
        write_json(arguments.json, figures)
    return 0


def speed(results: Path, arguments: argparse.Namespace) -> dict:
    """Tokens a second of mini's fine-tuning step: ours and the Trainer's."""
    settings = read_section(results / "config" / "sft.json", SFT)
    examples, _ = read_examples(results / "sft" / "examples.parquet")
    total = WARM_UP + arguments.steps
    plan, _ = plan_batches(
        examples.lengths,
        context=settings.context,
        batch_sequences=settings.batch_sequences,
        steps=total,
        seed=settings.seed,
    )
    examples_a_step = round(np.mean([len(step) for step in plan]))
    print(
        f"{examples_a_step} examples a step of {examples.lengths.mean():.0f} tokens (longest {examples.lengths.max()}),"
        f" {arguments.threads} threads, load {os.getloadavg()[0]:.1f}"
    )
    figures = {"ours": ours(results / "models" / "base", arguments, settings, examples, plan)}
    print(f"ours                     {figures['ours']:>8,.0f} tokens/s")
    if importlib.util.find_spec("accelerate") is None:
        print("Trainer of transformers  left out: it needs accelerate (pip install accelerate)")
        return figures
    figures["trainer"] = trainer(results / "models" / "base", examples, examples_a_step, total)
    figures["ratio"] = round(figures["ours"] / figures["trainer"], 3)
    print(f"Trainer of transformers  {figures['trainer']:>8,.0f} tokens/s")
    print(f"ratio                    {figures['ratio']:>8.2f}")
    return figures


def ours(base: Path, arguments, settings: SFT, examples, plan: list[list[int]]) -> float:
    model = prepare(load_model(base), settings.optimisation).train()
    optimiser = adamw(model)
    set_learning_rate(optimiser, 1e-4)
    loop = plan_of("speed", len(plan), settings.optimisation)
    tokens = 0
    for step, indices in enumerate(plan):
        if step == WARM_UP:
            begin, tokens = now(), 0
        train_step(
            model,
            optimiser,
            examples.rows(indices),
            weighted_nll,
            max_tokens=loop.max_tokens * (1 if arguments.threads > 1 else 2),
            precision=loop.precision,
            packed=loop.packed,
        )
        tokens += int(examples.lengths[indices].sum())
    return tokens / (now() - begin)


def trainer(base: Path, examples, batch: int, total: int) -> float:
    from transformers import DataCollatorForSeq2Seq, Trainer, TrainerCallback, TrainingArguments

    class Clock(TrainerCallback):
        def on_step_end(self, args, state, control, **kwargs):
            if state.global_step == WARM_UP:
                self.begin, seen[:] = now(), []

        def on_train_end(self, args, state, control, **kwargs):
            self.seconds = now() - self.begin

    class Records(torch.utils.data.Dataset):
        def __len__(self):
            return len(examples)

        def __getitem__(self, i):
            ids, scored = examples.ids[i].as_py(), examples.scored[i].as_py()
            labels = [token if learnt else -100 for token, learnt in zip(ids, scored, strict=True)]
            return {"input_ids": ids, "attention_mask": [1] * len(ids), "labels": labels}

    seen: list[int] = []
    pad = DataCollatorForSeq2Seq(load_tokenizer(base))

    def collate(records):
        seen.append(sum(len(record["input_ids"]) for record in records))
        return pad(records)

    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        Trainer(
            load_model(base),
            TrainingArguments(
                folder,
                per_device_train_batch_size=batch,
                max_steps=total,
                learning_rate=1e-4,
                use_cpu=not torch.cuda.is_available(),
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


def gain(results: Path, arguments: argparse.Namespace) -> dict:
    """Bits per byte before and after, and the accuracies of both models."""
    manifest = read_json(results / "models" / "base" / "manifest.json")
    figures = {"bits_per_byte": manifest["metrics"]["bits_per_byte"], "accuracy": {}}
    for name, row in figures["bits_per_byte"].items():
        print(
            f"bits per byte, {name:<8} {row['before']:.3f} -> {row['after']:.3f}  {100 * row['change']:+.1f} %"
        )
    summary = results / "eval" / "summary.json"
    for model, rows in read_json(summary).items() if summary.is_file() else ():
        figures["accuracy"][model] = {}
        for task, row in rows.items():
            figures["accuracy"][model][task] = [
                row["greedy"],
                row["greedy_low"],
                row["greedy_high"],
            ]
            percent = [100 * value for value in figures["accuracy"][model][task]]
            print("{:<6} {:<16} {:>5.1f} %  [{:.1f}, {:.1f}]".format(model, task, *percent))
    return figures


def start_of_all(arguments: argparse.Namespace) -> dict:
    """`start` for every finished run, and over the problems of all together."""
    runs = {str(results): start(results, arguments) for results in arguments.results}
    steps = arguments.training_steps
    figures = {name: compared(name, right, steps) for name, right in runs.items()}
    if len(runs) > 1:
        together = {
            origin: np.concatenate([right[origin] for right in runs.values()])
            for origin in ("base", "coder")
        }
        figures["all"] = compared("all", together, steps)
    return figures


def start(results: Path, arguments: argparse.Namespace) -> dict[str, np.ndarray]:
    """Fine-tune from base and from coder and evaluate both: which problems each got right, in one order."""
    from eval.run import main as evaluate
    from sft.train import main as fine_tune

    right: dict[str, np.ndarray] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = read_json(results / "config" / "sft.json") | {"steps": arguments.training_steps}
        (folder / "sft.json").write_text(json.dumps(settings))
        evaluation = read_json(results / "config" / "eval.json") | {
            "samples": 0,
            "sample_modes": [],
        }
        (folder / "eval.json").write_text(json.dumps(evaluation))
        shutil.copyfile(results / "config" / "prompts.json", folder / "prompts.json")
        for origin in ("base", "coder"):
            examples = ["--examples", str(results / "sft" / "examples.parquet")]
            model = ["--base", str(results / "models" / origin), "--out", str(folder / origin)]
            fine_tune(["--config", str(folder / "sft.json"), *examples, *model])
            benchmark = f"minimath={results / 'world' / 'problems' / 'test.jsonl'}"
            evaluate(
                [
                    *("--model", str(folder / origin), "--benchmark", benchmark, "--mode", "cot"),
                    *(
                        "--prompts",
                        str(folder / "prompts.json"),
                        "--out",
                        str(folder / f"eval-{origin}"),
                    ),
                    *("--config", str(folder / "eval.json"), "--style", "chat"),
                ]
            )
            rows = pq.read_table(folder / f"eval-{origin}" / "minimath.cot.parquet").to_pylist()
            right[origin] = np.array(
                [row["correct"] for row in sorted(rows, key=lambda row: row["id"])], dtype=float
            )
    return right


def compared(name: str, right: dict[str, np.ndarray], steps: int) -> dict:
    """The difference of two accuracies on the same problems and its 95 % interval (normal, paired)."""
    base, coder = right["base"], right["coder"]
    difference = base - coder
    error = 1.96 * difference.std(ddof=1) / len(difference) ** 0.5
    mean = difference.mean()
    print(f"{name}: after {steps} steps, {len(base)} problems: from base {100 * base.mean():.1f} %, "
          f"from coder {100 * coder.mean():.1f} %, difference {100 * mean:+.1f} "
          f"[{100 * (mean - error):+.1f}, {100 * (mean + error):+.1f}]")  # fmt: skip
    return {
        "steps": steps, "problems": len(base), "base": base.mean(), "coder": coder.mean(),
        "difference": mean, "low": mean - error, "high": mean + error,
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
