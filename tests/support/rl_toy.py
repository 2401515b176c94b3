"""RL on a toy: answers are one boxed digit, every problem's answer is 7, and the start says any digit."""

import json
from pathlib import Path

import numpy as np
import torch

from pipeline.artifacts.records import Problem, Solution
from pipeline.artifacts.write import write_json, write_jsonl
from pipeline.config.prompts import Prompts, Suffixes
from pipeline.config.rl import RL, Reward
from pipeline.forward.batches import Row
from pipeline.model.chat import encode_prompt
from pipeline.model.load import CHAT_TEMPLATE, load_model, load_tokenizer, save_model
from pipeline.training.step import adamw, set_learning_rate, train_step, weighted_nll
from rl.rewards import FormatReward, RuleReward
from rl.rollouts import Question, solution_groups
from rl.trainer import Trainer
from rl.value_model import ValueModel
from tests.support.small_llama import byte_tokenizer, llama

BARE = Prompts(cot=Suffixes(en="", zh=""))
SMALL = {"group_size": 8, "batch_outputs": 32, "max_new_tokens": 14, "micro_batch_tokens": 600}
SMALL |= {
    "rewards": {"rule": 1.0},
    "learning_rate": 3e-3,
    "steps": 6,
    "checkpoint_every": 2,
    "evaluate_every": 3,
}
SMALL |= {"record_every": 2, "precision": "fp32", "seed": 5}
SMALL_REWARD = {
    "problems": 10,
    "samples_per_problem": 12,
    "completions": 4,
    "temperature": 1.0,
    "max_new_tokens": 14,
}
SMALL_REWARD |= {
    "learning_rate": 1e-2,
    "epochs": 20,
    "batch_solutions": 16,
    "held_out": 0.3,
    "precision": "fp32",
}
SMALL_REWARD |= {"checkpoint_every": 2, "seed": 1, "micro_batch_tokens": 600}


def make_start(folder: Path, **shape: int) -> Path:
    """A folder with a tiny model that answers any question with a random boxed digit, and problems.

    `shape` changes the model's configuration.
    """
    torch.set_num_threads(1)
    tokenizer, model = byte_tokenizer(), llama(initializer_range=0.1, **shape)
    tokenizer.chat_template = CHAT_TEMPLATE
    problems = [Problem(f"p{i}", f"Q{i}?", "7") for i in range(10)]
    generator = np.random.default_rng(0)
    optimiser = adamw(model)
    set_learning_rate(optimiser, 1e-2)
    for _ in range(120):
        rows = []
        for problem in problems:
            answer = [
                *tokenizer.encode(f" \\boxed{{{generator.integers(10)}}}"),
                tokenizer.eos_token_id,
            ]
            prompt = encode_prompt(tokenizer, problem.question, "cot", "en", BARE)
            scored = np.array([False] * len(prompt) + [True] * len(answer))
            rows.append(
                Row(np.array(prompt + answer, dtype=np.int32), scored, {"weight": scored / 100})
            )
        train_step(model, optimiser, rows, weighted_nll, max_tokens=1000)
    save_model(folder / "sft", model, tokenizer, card="toy", stage="rl.train", settings={})
    write_jsonl(folder / "train.jsonl", [problem.to_json() for problem in problems])
    write_jsonl(
        folder / "heldout.jsonl", [Problem(f"h{i}", f"H{i}?", "7").to_json() for i in range(6)]
    )
    write_json(folder / "prompts.json", BARE.model_dump())
    return folder


def arguments(start: Path, out: Path, **changes) -> list[str]:
    write_json(out / "rl.json", RL(**(SMALL | changes)).model_dump())
    named = {"config": out / "rl.json", "prompts": start / "prompts.json", "sft": start / "sft"}
    named |= {
        "problems": start / "train.jsonl",
        "heldout": start / "heldout.jsonl",
        "out": out / "rl",
    }
    named |= {"resume": out / "resume", "rollouts": out / "rollouts.jsonl"}
    return [text for name, value in named.items() for text in (f"--{name}", str(value))]


def learner(start: Path, **changes) -> Trainer:
    settings = RL(**(SMALL | changes))
    tokenizer, model = load_tokenizer(start / "sft"), load_model(start / "sft")
    questions = [
        Question(problem, encode_prompt(tokenizer, problem.question, "cot", "en", BARE))
        for problem in (Problem(f"p{i}", f"Q{i}?", "7") for i in range(10))
    ]
    rewards = {"rule": RuleReward(), "format": FormatReward()}
    solutions = [
        Solution(
            str(i),
            q.problem.id,
            q.problem.question,
            "7",
            "cot",
            [{"role": "text", "content": "\\boxed{7}"}],
        )
        for i, q in enumerate(questions)
    ]
    examples = {
        group.question.problem.id: group
        for group in solution_groups(solutions, questions, tokenizer)
    }
    value = ValueModel(start / "sft", settings) if settings.method == "ppo" else None
    return Trainer(
        model, tokenizer, settings, questions, [], rewards, examples=examples, value=value
    )


def metrics(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def weights(model) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def reward_options(start, out, kind: str, **changes) -> list[str]:
    write_json(out / "reward.json", Reward(**(SMALL_REWARD | changes)).model_dump())
    named = {
        "kind": kind,
        "config": out / "reward.json",
        "prompts": start / "prompts.json",
        "base": start / "sft",
    }
    named |= {
        "sft": start / "sft",
        "problems": start / "train.jsonl",
        "resume": out / "resume",
        "out": out / "reward",
    }
    return [text for name, value in named.items() for text in (f"--{name}", str(value))]
