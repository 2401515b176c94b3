"""Rewards: each is a class with one method over a batch of groups. Another domain plugs in another class.

    rule            the benchmark's own grader: 1 right, 0 wrong; on the boxed answer (modes cot and tool), or in the
                    mode pot on what the output's program printed when the sandbox ran it
    format          1 if the output ended by itself and holds exactly one boxed answer
    outcome_model   an outcome reward model's probability that the output is right
    process_model   a process reward model's probability for each step; the output's is the least of its steps'
    module:Class    a class of your own, made without arguments; code, translation or medicine come in here

The rule is always computed: it is logged beside every other reward, so that a policy that learns to please a reward
model without being right is seen.
"""

import importlib
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from transformers import PreTrainedTokenizerBase

from eval.grading.grader import grade
from eval.programs.code_blocks import printed_answer, program_so_far
from pipeline.artifacts.records import Problem
from pipeline.config.rl import RL
from pipeline.errors import UserError
from rl.rollouts import Group
from rl.score_model import ModelReward
from rl.tool_sampler import Programs


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
        return [
            np.array([self._one(group.question.problem, text) for text in group.texts])
            for group in groups
        ]

    def _one(self, problem: Problem, text: str) -> float:
        verdict = grade(problem.answer, text, problem.language, final_box_only=self.final_box_only)
        self.undecided += verdict.status not in ("ok", "no_answer")
        return float(verdict.correct)


class ProgramReward(RuleReward):
    """The rule for outputs that are programs: the last line that the program prints is the answer.

    A program that fails, runs out of time or prints nothing is wrong; `statuses` counts how programs ended.
    """

    def __init__(self, programs: Programs | None = None):
        super().__init__()
        self.programs = programs or Programs()
        self.statuses: Counter[str] = Counter()

    def score(self, groups: Sequence[Group]) -> list[np.ndarray]:
        programs = [program_so_far(text) for group in groups for text in group.texts]
        runs = iter(self.programs.run_many([program for program in programs if program]))
        results, places = [], iter(programs)
        for group in groups:
            printed = [self._printed(next(runs)) if next(places) else None for _ in group.texts]
            problem = group.question.problem
            results.append(
                np.array([self._one(problem, f"\\boxed{{{p}}}") if p else 0.0 for p in printed])
            )
        return results

    def _printed(self, run) -> str | None:
        self.statuses[run.status] += 1
        return printed_answer(run.stdout) if run.status == "ok" else None


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


def compose(
    groups: Sequence[Group], functions: dict[str, RewardFunction], weights: dict[str, float]
) -> None:
    """Set every group's `parts` and `rewards` (the weighted sum of the parts)."""
    for name, function in functions.items():
        for group, scores in zip(groups, function.score(groups), strict=True):
            group.parts[name] = scores
    for group in groups:
        group.rewards = sum(weight * group.parts[name] for name, weight in weights.items())


def load_rewards(
    settings: RL,
    folders: dict[str, Path | None],
    tokenizer: PreTrainedTokenizerBase,
    programs: Programs | None = None,
) -> dict[str, RewardFunction]:
    """The reward functions that the settings name, and always the rule. `folders` are the reward models',
    `programs` the sandbox where the run has one already."""
    functions: dict[str, RewardFunction] = {
        "rule": ProgramReward(programs) if settings.mode == "pot" else RuleReward()
    }
    for name in settings.rewards:
        if name == "format":
            functions[name] = FormatReward()
        elif ":" in name:
            functions[name] = _own(name)
        elif name in ("outcome_model", "process_model"):
            folder = folders.get(name)
            if folder is None:
                raise UserError(
                    f"rewards.{name}: give its folder with --{name.replace('_', '-')} DIR"
                )
            process = name == "process_model"
            functions[name] = ModelReward(
                folder, process, tokenizer, settings.micro_batch_tokens, settings.precision
            )
    return functions


def _own(name: str) -> RewardFunction:
    """The class that `module:Class` names, made without arguments."""
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise UserError(f"rewards.{name}: cannot be loaded ({error})") from None
    if not callable(getattr(found, "score", None)):
        raise UserError(f"rewards.{name}: has no method score")
    return found()
