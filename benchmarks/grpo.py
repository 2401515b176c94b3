"""Our GRPO step for a harness that compares trainers: the real loop, timed by the harness's clock.

    grpo_steps(directory, settings, clock)

Reads   directory/model (a Hugging Face folder) and directory/prompts.jsonl (objects with "ids").
Runs    settings["steps"] steps of GRPO with outcome supervision exactly as rl.train does: sampling, reward, reference,
        update and metrics. The context `clock(name)` is entered for each phase, and `clock.end_step(...)` is called
        after each step.
Writes  nothing.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from pipeline.artifacts.records import Problem
from pipeline.config.rl import RL
from pipeline.model.load import load_model, load_tokenizer
from pipeline.training.checkpoint import seed_everything
from rl.monitoring.stopwatch import Stopwatch
from rl.rollouts import Group, Question
from rl.trainer import Trainer

# Phases of our step -> the harness's names for them.
PHASES = {"sample": "generate", "reward": "reward", "score": "logprobs", "update": "update"}


class IdReward:
    """A function of an output's token ids as the reward, in the place of the rule; nothing is graded."""

    def __init__(self, function: Callable[[list[int]], float]):
        self.function = function

    def score(self, groups: Sequence[Group]) -> list[np.ndarray]:
        return [
            np.array([self.function(sample.ids) for sample in group.samples]) for group in groups
        ]


class Clock(Protocol):
    """The harness's clock."""

    def __call__(self, phase: str) -> AbstractContextManager[None]:
        """A context that measures one phase of a step."""
        ...

    def end_step(self, tokens: float, outputs: int) -> None:
        """Close a step in which so many tokens and outputs were sampled."""
        ...


class OuterClock(Stopwatch):
    """A stopwatch that also runs the harness's clock around every phase."""

    def __init__(self, clock: Clock):
        super().__init__()
        self.clock = clock

    @contextmanager
    def measure(self, phase: str) -> Iterator[None]:
        """Measure the block with both clocks."""
        with super().measure(phase), self.clock(PHASES[phase]):
            yield


def even_share(ids: list[int]) -> float:
    """The share of even ids: a reward that differs between the outputs of every group."""
    return sum(i % 2 == 0 for i in ids) / max(len(ids), 1)


def grpo_steps(directory: Path, settings: dict[str, Any], clock: Clock) -> None:
    """Run settings["steps"] GRPO steps under `clock`; see the docstring of the module."""
    directory = Path(directory)
    rl = RL(
        method="grpo_outcome",
        rewards={"rule": 1.0},
        group_size=settings["group"],
        batch_outputs=settings["questions"] * settings["group"],
        steps=settings["steps"],
        learning_rate=settings["lr"],
        beta=settings["beta"],
        epsilon=settings["epsilon"],
        temperature=settings["temperature"],
        max_new_tokens=settings["max_new_tokens"],
        precision=settings["dtype"],
        micro_batch_tokens=2048,
        normalisation="sample",
        seed=settings["seed"],
    )
    seed_everything(rl.seed)

    lines = (directory / "prompts.jsonl").read_text(encoding="utf-8").splitlines()
    questions = []
    for place, line in enumerate(lines):
        record = json.loads(line)
        problem = Problem(str(place), record["prompt"], "")
        questions.append(Question(problem, record["ids"]))

    trainer = Trainer(
        load_model(directory / "model"),
        load_tokenizer(directory / "model"),
        rl,
        questions,
        [],
        {"rule": IdReward(even_share)},
        stopwatch=OuterClock(clock),
    )

    for step in range(settings["steps"]):
        metrics = trainer.step(step)
        clock.end_step(metrics["sampled_tokens"], rl.batch_outputs)
