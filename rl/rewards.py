"""Rewards: each is a class with one method over a batch of groups. Another domain plugs in another class.

    rule            the benchmark's own grader on the whole output: 1 right, 0 wrong
    format          1 if the output ended by itself and holds exactly one boxed answer
    outcome_model   an outcome reward model's probability that the output is right
    process_model   a process reward model's probability for each step; the output's is the least of its steps'

The rule is always computed: it is logged beside every other reward, so that a policy that learns to please a reward
model without being right is seen.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from transformers import PreTrainedTokenizerBase

from eval.grading import grade
from pipeline.errors import UserError
from pipeline.records import Problem
from pipeline.schema.rl import RL
from rl.rollouts import Group
from rl.scoring import ModelReward


class RewardFunction(Protocol):
    """Scores every output of every group."""

    def score(self, groups: Sequence[Group]) -> list[np.ndarray]:
        """One array [G] a group. May also set a group's `step_rewards` and `step_ends`."""
        ...


class RuleReward:
    """The reward is the benchmark's grader, so that training and evaluation agree on what right means.

    `final_box_only` (rewards) accepts the last box alone: guessing from other places of the text invites cheating.
    What the grader could not decide is wrong, and counted in `undecided`.
    """

    def __init__(self, final_box_only: bool = True):
        self.final_box_only = final_box_only
        self.undecided = 0

    def score(self, groups: Sequence[Group]) -> list[np.ndarray]:
        return [np.array([self._one(group.question.problem, text) for text in group.texts]) for group in groups]

    def _one(self, problem: Problem, text: str) -> float:
        verdict = grade(problem.answer, text, problem.language, final_box_only=self.final_box_only)
        self.undecided += verdict.status not in ("ok", "no_answer")
        return float(verdict.correct)


class FormatReward:
    """The output ended by itself and boxes exactly one answer."""

    def score(self, groups: Sequence[Group]) -> list[np.ndarray]:
        return [
            np.array(
                [
                    float(sample.finish == "stop" and len(re.findall(r"\\boxed\s*\{", text)) == 1)
                    for sample, text in zip(group.samples, group.texts, strict=True)
                ]
            )
            for group in groups
        ]


def compose(groups: Sequence[Group], functions: dict[str, RewardFunction], weights: dict[str, float]) -> None:
    """Set every group's `parts` and `rewards` (the weighted sum of the parts)."""
    for name, function in functions.items():
        for group, scores in zip(groups, function.score(groups), strict=True):
            group.parts[name] = scores
    for group in groups:
        group.rewards = sum(weight * group.parts[name] for name, weight in weights.items())


def load_rewards(
    settings: RL, folders: dict[str, Path | None], tokenizer: PreTrainedTokenizerBase
) -> dict[str, RewardFunction]:
    """The reward functions that the settings name, and always the rule. `folders` are the reward models'."""
    functions: dict[str, RewardFunction] = {"rule": RuleReward()}
    for name in settings.rewards:
        if name == "format":
            functions[name] = FormatReward()
        elif name in ("outcome_model", "process_model"):
            folder = folders.get(name)
            if folder is None:
                raise UserError(f"rewards.{name}: give its folder with --{name.replace('_', '-')} DIR")
            process = name == "process_model"
            functions[name] = ModelReward(folder, process, tokenizer, settings.micro_batch_tokens, settings.precision)
    return functions
