"""Compare the RL methods: the same start, the same number of sampled outputs, several seeds.

    python -m benchmarks.rl methods --results results/mini results/seed1 results/seed2

Reads   one or several finished results folders (models/{base,sft}, world/problems, config/{rl,reward,prompts}.json).
        Seed n starts from folder n, modulo their number.
Writes  a JSON file for each run into --out, from which finished runs are read again, and prints the table.

Steps and outputs are the preset's. Each run is scored on the test problems: greedy accuracy, and Maj@K and Pass@K
from K samples at temperature 0.7. A method's interval is that of a mean over seeds (Student's t). The orderings compare
two methods on the same problems and seeds: with the interval of the difference over seeds and, for these seeds, over
problems (normal, of the paired differences). For each start a process reward model is trained from its base model on
samples of its fine-tuned model. The reward is the rule, for GRPO+PS the process reward model.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t as student
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from benchmarks.rl_variants import METHODS, ORDERINGS
from eval.grading.grader import grade
from eval.reporting.metrics import majority, pass_at_k
from pipeline.artifacts.write import read_json, write_json
from pipeline.config.prompts import Prompts
from pipeline.config.rl import RL
from pipeline.inference.engine import SamplingSettings
from pipeline.inference.sampler import Sampler
from pipeline.model.load import load_model, load_tokenizer
from pipeline.training.checkpoint import Checkpoints, seed_everything
from rl import reward_model
from rl.questions import load_questions
from rl.rewards import load_rewards
from rl.rollouts import Question, roll_out
from rl.trainer import Trainer
from rl.value_model import ValueModel

K = 8


def run(args: argparse.Namespace) -> None:
    args.out.mkdir(parents=True, exist_ok=True)
    given = {
        "steps": args.steps,
        "batch_outputs": args.outputs,
        "learning_rate": args.learning_rate,
    }
    changes = {name: value for name, value in given.items() if value is not None}
    seeds = args.seeds if args.seeds is not None else range(len(args.results))

    for seed in seeds:
        for name in args.only or METHODS:
            file = args.out / f"{name.replace(' ', '_')}.{seed}.json"
            if not file.is_file():
                write_json(file, train_and_score(args, name, changes, seed))
                print(f"{name}, seed {seed}: done", flush=True)

    report([read_json(file) for file in sorted(args.out.glob("*.json"))])


def train_and_score(
    args: argparse.Namespace, name: str, given: dict[str, Any], seed: int
) -> dict[str, Any]:
    """Train one method with one seed and score it on the test problems."""
    start_number = seed % len(args.results)
    results = args.results[start_number]
    sft, world = results / "models" / "sft", results / "world" / "problems"
    prompts = Prompts(**read_json(results / "config" / "prompts.json"))

    # The preset's settings, then the command line's, then the method's.
    method_changes = METHODS[name]
    config = read_json(results / "config" / "rl.json")
    config |= given | {"evaluate_every": 0, "rewards": {"rule": 1.0}}
    config |= method_changes | {"seed": seed}
    # No step is no training, which settings do not allow: the loop is skipped below instead.
    settings = RL(**config | {"steps": config["steps"] or 1})

    seed_everything(seed)
    tokenizer, policy = load_tokenizer(sft), load_model(sft)
    context = policy.config.max_position_embeddings

    def questions_of(file: str) -> list[Question]:
        return load_questions([world / file], tokenizer, prompts, context, settings.max_new_tokens)

    questions, test = questions_of("train.jsonl"), questions_of("test.jsonl")

    process = None
    if "process_model" in settings.rewards:
        process = process_model(args, results, start_number)
    rewards = load_rewards(settings, {"process_model": process}, tokenizer)
    value = ValueModel(sft, settings) if settings.method == "ppo" else None
    trainer = Trainer(policy, tokenizer, settings, questions, [], rewards, value=value)

    start = time.perf_counter()
    lines: list[dict[str, Any]] = []
    if method_changes.get("steps", 1):
        trainer.run(Checkpoints(None, ""))
        # Lines of the trainer that belong to a step, not to an evaluation or a reward model.
        lines = [line for line in trainer.state.lines if "reward" in line]

    result = {
        "method": name,
        "seed": seed,
        "steps": len(lines),
        "seconds": round(time.perf_counter() - start, 1),
        "sampled_tokens": sum(line["sampled_tokens"] for line in lines),
    }
    if lines:
        last = lines[-1]
        wanted = ("kl", "length", "model_state_mb", "peak_memory_mb")
        result |= {metric: last[metric] for metric in wanted if metric in last}
    return result | score(policy, tokenizer, test, settings.max_new_tokens)


def score(
    policy: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    test: list[Question],
    max_new_tokens: int,
) -> dict[str, Any]:
    """Shares of all test problems by measure; "by_problem" holds the measures that orderings compare."""
    sampler = Sampler(policy, tokenizer)
    greedy = SamplingSettings(temperature=0, max_new_tokens=max_new_tokens)
    voting = SamplingSettings(temperature=0.7, max_new_tokens=max_new_tokens)

    right: list[float] = []
    for group in roll_out(sampler, test, 1, greedy, 0):
        problem = group.question.problem
        right.append(float(grade(problem.answer, group.texts[0], problem.language).correct))

    votes: list[float] = []
    passes: list[float] = []
    shares: list[float] = []
    for group in roll_out(sampler, test, K, voting, 0):
        problem = group.question.problem
        verdicts = [grade(problem.answer, text, problem.language) for text in group.texts]
        correct = [verdict.correct for verdict in verdicts]

        votes.append(float(majority([verdict.extracted for verdict in verdicts], correct)))
        passes.append(pass_at_k(K, sum(correct), K))
        shares.append(sum(correct) / K)

    by_measure = {"greedy": right, f"maj@{K}": votes, f"pass@{K}": passes, "pass@1": shares}
    means = {measure: float(np.mean(values)) for measure, values in by_measure.items()}
    return means | {"by_problem": {"greedy": right, "pass@1": shares}}


def process_model(args: argparse.Namespace, results: Path, number: int) -> Path:
    """The process reward model of this start; trained unless it is in --out already."""
    folder = args.out / f"process_reward.{number}"
    if folder.is_dir():
        return folder

    options = {
        "kind": "process",
        "config": args.reward or results / "config" / "reward.json",
        "prompts": results / "config" / "prompts.json",
        "out": folder,
        "base": results / "models" / "base",
        "sft": results / "models" / "sft",
        "problems": results / "world" / "problems" / "train.jsonl",
    }
    argv: list[str] = []
    for name, value in options.items():
        argv += [f"--{name}", str(value)]
    reward_model.main(argv)
    return folder


def report(rows: list[dict[str, Any]]) -> None:
    by_method = {name: [row for row in rows if row["method"] == name] for name in METHODS}

    columns = ["greedy", f"maj@{K}", f"pass@{K}", "pass@1"]
    headings = "".join(f"{column:>24}" for column in columns)
    print(f"{'method':12}{'seeds':>6}{headings}{'tokens':>12}{'s':>8}")
    for name, runs in by_method.items():
        if not runs:
            continue
        cells = "".join(f"{interval([row[column] for row in runs]):>24}" for column in columns)
        tokens = np.mean([row["sampled_tokens"] for row in runs])
        seconds = np.mean([row["seconds"] for row in runs])
        print(f"{name:12}{len(runs):>6}{cells}{tokens:>12,.0f}{seconds:>8.0f}")

    for better, worse in ORDERINGS:
        seeds = {row["seed"]: row for row in by_method[better]}
        pairs = [(seeds[row["seed"]], row) for row in by_method[worse] if row["seed"] in seeds]
        if not pairs:
            continue
        for measure in ("greedy", "pass@1"):
            print(ordering(f"{better} - {worse}, {measure}", measure, pairs))


def ordering(title: str, measure: str, pairs: list[tuple[dict[str, Any], dict[str, Any]]]) -> str:
    """The difference between two methods, from pairs of runs with the same seed, as a line of text."""
    gains = [upper[measure] - lower[measure] for upper, lower in pairs]
    above = sum(gain > 0 for gain in gains)

    # Paired by problem, which cancels how hard each problem is.
    by_problem = np.concatenate(
        [
            np.subtract(upper["by_problem"][measure], lower["by_problem"][measure])
            for upper, lower in pairs
        ]
    )
    half = 196 * float(by_problem.std(ddof=1)) / len(by_problem) ** 0.5

    return (
        f"{title}: {interval(gains)} points over seeds, +-{half:.1f} over their problems;"
        f" above in {above} of {len(gains)} seeds"
    )


def interval(values: list[float]) -> str:
    """Mean in percent with its 95 % interval over seeds."""
    mean, n = 100 * float(np.mean(values)), len(values)
    # One seed says nothing about the spread.
    if n < 2:
        return f"{mean:.1f}"

    half = float(student.ppf(0.975, n - 1)) * 100 * float(np.std(values, ddof=1)) / n**0.5
    return f"{mean:.1f} [{mean - half:.1f}, {mean + half:.1f}]"
