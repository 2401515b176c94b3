"""The methods side by side: the same start, the same number of sampled outputs, several seeds.

Reads   a finished results folder (models/base, models/sft, world/problems, config/{rl,reward,prompts}.json); --sft
        takes another start.
Writes  a JSON line for every run into --out, from which finished runs are taken again, and prints the table.

    python -m tests.bench_rl methods --results results/mini --seeds 3 --steps 60 --outputs 128

Every run is scored on the test problems: greedy accuracy, and Maj@K and Pass@K from K samples at temperature 0.7.
A method's interval is that of a mean over seeds (Student's t); the orderings compare means seed by seed. The process
model is trained once, from base, on the start's own samples. Rewards: the rule for all, plus the process model in PS.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy.stats import t as student

from eval.grading import grade
from eval.metrics import majority, pass_at_k
from pipeline.artifacts import read_json, write_json
from pipeline.checkpoint import Checkpoints, seed_everything
from pipeline.generation import Sampler, SamplingSettings
from pipeline.models import load_model, load_tokenizer
from pipeline.schema.rl import RL
from pipeline.schema.world import Prompts
from rl import reward_model
from rl.learner import Learner
from rl.questions import load_questions
from rl.rewards import load_rewards
from rl.rollouts import Question, roll_out
from rl.value import ValueModel

PROCESS = {"rewards": {"rule": 1.0, "process_model": 1.0}}
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
ORDERINGS = [("Online RFT", "RFT"), ("GRPO+OS", "Online RFT"), ("GRPO+PS", "GRPO+OS"), ("iterative", "GRPO+OS")]
K = 8


def run(args: argparse.Namespace) -> None:
    folder: Path = args.out
    folder.mkdir(parents=True, exist_ok=True)
    sft = args.sft or args.results / "models" / "sft"
    config, prompts = (read_json(args.results / "config" / f"{name}.json") for name in ("rl", "prompts"))
    common = {"steps": args.steps, "batch_outputs": args.outputs, "evaluate_every": 0, "rewards": {"rule": 1.0}}
    common |= {"learning_rate": args.learning_rate or config["learning_rate"]}
    for seed in range(args.seeds):
        for name in args.only or METHODS:
            file = folder / f"{name.replace(' ', '_')}.{seed}.json"
            if not file.is_file():
                write_json(file, one(args, sft, name, config | common, Prompts(**prompts), seed))
    report([read_json(file) for file in sorted(folder.glob("*.json"))])


def one(args: argparse.Namespace, sft: Path, name: str, config: dict, prompts: Prompts, seed: int) -> dict:
    """Train one method with one seed and score it."""
    changes = METHODS[name]
    settings = RL(**(config | changes | {"seed": seed, "steps": changes.get("steps", config["steps"]) or 1}))
    seed_everything(seed)
    tokenizer, policy = load_tokenizer(sft), load_model(sft)
    reading = (tokenizer, prompts, policy.config.max_position_embeddings, settings.max_new_tokens)
    world = args.results / "world" / "problems"
    questions, test = (
        load_questions([world / "train.jsonl"], *reading),
        load_questions([world / "test.jsonl"], *reading),
    )
    process = process_model(args, sft) if "process_model" in settings.rewards else None
    rewards = load_rewards(settings, {"process_model": process}, tokenizer)
    value = ValueModel(sft, settings) if settings.method == "ppo" else None
    learner = Learner(policy, tokenizer, settings, questions, [], rewards, value=value)
    start, lines = time.perf_counter(), []
    if changes.get("steps", 1):
        learner.run(Checkpoints(None, ""))
        lines = [line for line in learner.lines if "reward" in line]
    result = {"method": name, "seed": seed, "steps": len(lines), "seconds": round(time.perf_counter() - start, 1)}
    result |= {"sampled_tokens": sum(line["sampled_tokens"] for line in lines)}
    wanted = ("kl", "length", "model_state_mb", "peak_memory_mb")
    result |= {name: line[name] for line in lines[-1:] for name in wanted if name in line}
    return result | score(policy, tokenizer, test, settings.max_new_tokens)


def score(policy, tokenizer, test: list[Question], max_new_tokens: int) -> dict[str, float]:
    sampler = Sampler(policy, tokenizer)
    greedy = roll_out(sampler, test, 1, SamplingSettings(temperature=0, max_new_tokens=max_new_tokens), 0)
    sampled = roll_out(sampler, test, K, SamplingSettings(temperature=0.7, max_new_tokens=max_new_tokens), 0)
    right = [grade(g.question.problem.answer, g.texts[0], g.question.problem.language).correct for g in greedy]
    votes, passes, mean = [], [], []
    for group in sampled:
        problem = group.question.problem
        verdicts = [grade(problem.answer, text, problem.language) for text in group.texts]
        correct = [verdict.correct for verdict in verdicts]
        votes.append(majority([verdict.extracted for verdict in verdicts], correct))
        passes.append(pass_at_k(K, sum(correct), K))
        mean.append(np.mean(correct))
    names = ("greedy", f"maj@{K}", f"pass@{K}", "pass@1")
    return {name: float(np.mean(values)) for name, values in zip(names, (right, votes, passes, mean), strict=True)}


def process_model(args: argparse.Namespace, sft: Path) -> Path:
    """The process reward model of this start, trained where it does not lie in --out already."""
    folder = args.out / "process_reward"
    if not folder.is_dir():
        settings = read_json(args.results / "config" / "reward.json") if args.reward is None else read_json(args.reward)
        with tempfile.TemporaryDirectory() as temporary:
            write_json(Path(temporary) / "reward.json", settings)
            named = {"kind": "process", "config": f"{temporary}/reward.json", "base": args.results / "models" / "base"}
            named |= {"prompts": args.results / "config" / "prompts.json", "sft": sft, "out": folder}
            named |= {"problems": args.results / "world" / "problems" / "train.jsonl"}
            reward_model.main([text for name, value in named.items() for text in (f"--{name}", str(value))])
    return folder


def report(rows: list[dict]) -> None:
    by_method = {name: [row for row in rows if row["method"] == name] for name in METHODS}
    columns = ["greedy", f"maj@{K}", f"pass@{K}", "pass@1"]
    print(f"{'method':12}{'seeds':>6}" + "".join(f"{column:>24}" for column in columns) + f"{'tokens':>12}{'s':>8}")
    for name, runs in by_method.items():
        if runs:
            cells = "".join(f"{interval([row[column] for row in runs]):>24}" for column in columns)
            tokens, seconds = (np.mean([row[column] for row in runs]) for column in ("sampled_tokens", "seconds"))
            print(f"{name:12}{len(runs):>6}{cells}{tokens:>12,.0f}{seconds:>8.0f}")
    for better, worse in ORDERINGS:
        pairs = {row["seed"]: row["greedy"] for row in by_method[better]}
        gains = [pairs[row["seed"]] - row["greedy"] for row in by_method[worse] if row["seed"] in pairs]
        if gains:
            sign = sum(gain > 0 for gain in gains)
            print(f"{better} - {worse}: greedy {interval(gains)} points, above in {sign} of {len(gains)} seeds")


def interval(values: list[float]) -> str:
    """Mean in percent with its 95 % interval over seeds."""
    mean, n = 100 * float(np.mean(values)), len(values)
    if n < 2:
        return f"{mean:.1f}"
    half = float(student.ppf(0.975, n - 1)) * 100 * float(np.std(values, ddof=1)) / n**0.5
    return f"{mean:.1f} [{mean - half:.1f}, {mean + half:.1f}]"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--results", type=Path, default=Path("results/mini"), help="a finished results folder")
    parser.add_argument("--sft", type=Path, help="another start than its models/sft")
    parser.add_argument("--reward", type=Path, help="settings of the process reward model (JSON)")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--outputs", type=int, default=128, help="outputs a step")
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--only", nargs="*", choices=list(METHODS))
    parser.add_argument("--out", type=Path, default=Path("results/rl_methods"), help="folder of the finished runs")
