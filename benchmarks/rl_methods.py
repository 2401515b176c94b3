"""The methods side by side: the same start, the same number of sampled outputs, several seeds.

Reads   one or several finished results folders (models/{base,sft}, world/problems, config/{rl,reward,prompts}.json):
        seed n starts from the n-th of them, going round.
Writes  a JSON file for every run into --out, from which finished runs are taken again, and prints the table.

    python -m benchmarks.rl methods --results results/mini results/seed1 results/seed2

Steps and outputs are the preset's. Every run is scored on the test problems: greedy accuracy, and Maj@K and Pass@K
from K samples at temperature 0.7. A method's interval is that of a mean over seeds (Student's t). The orderings compare
two methods on the same problems of the same seeds: the difference's interval over seeds, and, for these seeds, over
problems (normal, of the paired differences). A process model is trained for each start, from its base, on the start's
own samples. Rewards: the rule, in PS the process model.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from scipy.stats import t as student

from eval.grading.grader import grade
from eval.reporting.metrics import majority, pass_at_k
from pipeline.artifacts.write import read_json, write_json
from pipeline.config.rl import RL
from pipeline.config.world import Prompts
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

PROCESS = {"rewards": {"process_model": 1.0}}
METHODS: dict[str, dict] = {
    "SFT start": {"steps": 0},
    "RFT": {"method": "rft"},
    "Online RFT": {"method": "online_rft"},
    "DPO": {"method": "dpo"},
    "PPO": {"method": "ppo", "ppo": {"value_learning_rate": 1e-3}},
    "GRPO+OS": {"method": "grpo_outcome"},
    "GRPO+PS": {"method": "grpo_process", **PROCESS},
    "iterative": {"method": "grpo_outcome", "iterations": 3},
}
ORDERINGS = [
    ("Online RFT", "RFT"),
    ("GRPO+OS", "Online RFT"),
    ("GRPO+PS", "GRPO+OS"),
    ("iterative", "GRPO+OS"),
]
K = 8


def run(args: argparse.Namespace) -> None:
    args.out.mkdir(parents=True, exist_ok=True)
    given = {
        "steps": args.steps,
        "batch_outputs": args.outputs,
        "learning_rate": args.learning_rate,
    }
    given = {name: value for name, value in given.items() if value is not None}
    for seed in args.seeds if args.seeds is not None else range(len(args.results)):
        for name in args.only or METHODS:
            file = args.out / f"{name.replace(' ', '_')}.{seed}.json"
            if not file.is_file():
                write_json(file, one(args, name, given, seed))
                print(f"{name}, seed {seed}: done", flush=True)
    report([read_json(file) for file in sorted(args.out.glob("*.json"))])


def one(args: argparse.Namespace, name: str, given: dict, seed: int) -> dict:
    """Train one method with one seed and score it."""
    results = args.results[seed % len(args.results)]
    sft, world = results / "models" / "sft", results / "world" / "problems"
    config, prompts = (
        read_json(results / "config" / f"{section}.json") for section in ("rl", "prompts")
    )
    prompts, changes = Prompts(**prompts), METHODS[name]
    config |= given | {"evaluate_every": 0, "rewards": {"rule": 1.0}} | changes | {"seed": seed}
    settings = RL(**config | {"steps": config["steps"] or 1})
    seed_everything(seed)
    tokenizer, policy = load_tokenizer(sft), load_model(sft)
    reading = (tokenizer, prompts, policy.config.max_position_embeddings, settings.max_new_tokens)
    questions, test = (
        load_questions([world / "train.jsonl"], *reading),
        load_questions([world / "test.jsonl"], *reading),
    )
    process = (
        process_model(args, results, seed % len(args.results))
        if "process_model" in settings.rewards
        else None
    )
    rewards = load_rewards(settings, {"process_model": process}, tokenizer)
    value = ValueModel(sft, settings) if settings.method == "ppo" else None
    learner = Trainer(policy, tokenizer, settings, questions, [], rewards, value=value)
    start, lines = time.perf_counter(), []
    if changes.get("steps", 1):
        learner.run(Checkpoints(None, ""))
        lines = [line for line in learner.state.lines if "reward" in line]
    result = {
        "method": name,
        "seed": seed,
        "steps": len(lines),
        "seconds": round(time.perf_counter() - start, 1),
    }
    result |= {"sampled_tokens": sum(line["sampled_tokens"] for line in lines)}
    wanted = ("kl", "length", "model_state_mb", "peak_memory_mb")
    result |= {name: line[name] for line in lines[-1:] for name in wanted if name in line}
    return result | score(policy, tokenizer, test, settings.max_new_tokens)


def score(policy, tokenizer, test: list[Question], max_new_tokens: int) -> dict:
    """Shares of all test problems by name, and those that orderings compare also "by_problem"."""
    sampler = Sampler(policy, tokenizer)
    greedy = roll_out(
        sampler, test, 1, SamplingSettings(temperature=0, max_new_tokens=max_new_tokens), 0
    )
    sampled = roll_out(
        sampler, test, K, SamplingSettings(temperature=0.7, max_new_tokens=max_new_tokens), 0
    )
    right = [
        grade(g.question.problem.answer, g.texts[0], g.question.problem.language).correct
        for g in greedy
    ]
    votes, passes, shares = [], [], []
    for group in sampled:
        problem = group.question.problem
        verdicts = [grade(problem.answer, text, problem.language) for text in group.texts]
        correct = [verdict.correct for verdict in verdicts]
        votes.append(majority([verdict.extracted for verdict in verdicts], correct))
        passes.append(pass_at_k(K, sum(correct), K))
        shares.append(sum(correct) / K)
    by_name = {"greedy": right, f"maj@{K}": votes, f"pass@{K}": passes, "pass@1": shares}
    kept = {"greedy": [float(value) for value in right], "pass@1": shares}
    return {name: float(np.mean(values)) for name, values in by_name.items()} | {"by_problem": kept}


def process_model(args: argparse.Namespace, results: Path, number: int) -> Path:
    """The process reward model of this start, trained where it does not lie in --out already."""
    folder = args.out / f"process_reward.{number}"
    if not folder.is_dir():
        settings = args.reward or results / "config" / "reward.json"
        named = {
            "kind": "process",
            "config": settings,
            "prompts": results / "config" / "prompts.json",
            "out": folder,
        }
        named |= {"base": results / "models" / "base", "sft": results / "models" / "sft"}
        named |= {"problems": results / "world" / "problems" / "train.jsonl"}
        reward_model.main(
            [text for name, value in named.items() for text in (f"--{name}", str(value))]
        )
    return folder


def report(rows: list[dict]) -> None:
    by_method = {name: [row for row in rows if row["method"] == name] for name in METHODS}
    columns = ["greedy", f"maj@{K}", f"pass@{K}", "pass@1"]
    print(
        f"{'method':12}{'seeds':>6}"
        + "".join(f"{column:>24}" for column in columns)
        + f"{'tokens':>12}{'s':>8}"
    )
    for name, runs in by_method.items():
        if runs:
            cells = "".join(f"{interval([row[column] for row in runs]):>24}" for column in columns)
            tokens, seconds = (
                np.mean([row[column] for row in runs]) for column in ("sampled_tokens", "seconds")
            )
            print(f"{name:12}{len(runs):>6}{cells}{tokens:>12,.0f}{seconds:>8.0f}")
    for better, worse in ORDERINGS:
        seeds = {row["seed"]: row for row in by_method[better]}
        pairs = [(seeds[row["seed"]], row) for row in by_method[worse] if row["seed"] in seeds]
        for measure in ("greedy", "pass@1") if pairs else ():
            gains = [upper[measure] - lower[measure] for upper, lower in pairs]
            each = np.concatenate(
                [np.subtract(*(row["by_problem"][measure] for row in pair)) for pair in pairs]
            )
            half = 196 * float(each.std(ddof=1)) / len(each) ** 0.5
            above = sum(gain > 0 for gain in gains)
            print(
                f"{better} - {worse}, {measure}: {interval(gains)} points over seeds, +-{half:.1f} over their problems;"
                f" above in {above} of {len(gains)} seeds"
            )


def interval(values: list[float]) -> str:
    """Mean in percent with its 95 % interval over seeds."""
    mean, n = 100 * float(np.mean(values)), len(values)
    if n < 2:
        return f"{mean:.1f}"
    half = float(student.ppf(0.975, n - 1)) * 100 * float(np.std(values, ddof=1)) / n**0.5
    return f"{mean:.1f} [{mean - half:.1f}, {mean + half:.1f}]"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--results",
        type=Path,
        nargs="+",
        default=[Path("results/mini")],
        help="finished results folders, one a seed",
    )
    parser.add_argument("--reward", type=Path, help="settings of the process reward model (JSON)")
    parser.add_argument(
        "--seeds", type=int, nargs="+", help="seeds to run; default: one for each results folder"
    )
    parser.add_argument("--steps", type=int, help="in the place of the preset's")
    parser.add_argument("--outputs", type=int, help="outputs a step, in the place of the preset's")
    parser.add_argument("--learning-rate", type=float, help="in the place of the preset's")
    parser.add_argument("--only", nargs="*", choices=list(METHODS))
    parser.add_argument(
        "--out", type=Path, default=Path("results/rl_methods"), help="folder of the finished runs"
    )
