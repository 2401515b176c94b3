"""Rewards: each is a class with one method over a batch of groups. Another domain plugs in another class.

    rule            the benchmark's own grader: 1 right, 0 wrong. It judges the boxed answer (modes cot and tool), or in
                    the mode pot what the output's program printed when the sandbox ran it
    format          1 if the output ended by itself and holds exactly one boxed answer
    experts         what unbiased experts would score the answer to a case, 1 to 10 (eval/cases)
    outcome_model   an outcome reward model's probability that the output is right
    process_model   a process reward model's probability for each step; that of the output is the least of them
    module:Class    a class of your own, made without arguments: code, translation or medicine come in here
                    (rl/own_code tries it on examples before anything is trained)

The rule is always computed and logged beside every other reward, so that a policy that learns to please a reward model
without being right is noticed (rl.monitoring.reward_hacking).
"""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from transformers import PreTrainedTokenizerBase

from eval.cases.experts import expected_score
from eval.cases.gold import case_of
from eval.grading.grader import grade
from eval.programs.code_blocks import printed_answer, program_so_far
from pipeline.artifacts.records import Problem
from pipeline.config.rl import RL
from pipeline.errors import UserError
from pipeline.model import distributed
from rl.implicit.reward import ImplicitReward, is_implicit
from rl.own_code.load import checked_numbers, described, own_object
from rl.rollouts import Group
from rl.score_model import ModelReward
from rl.tool_sampler import Programs

if TYPE_CHECKING:  # the sandbox needs Linux; RL without programs does not
    from eval.sandbox.pool import Execution

BOX = re.compile(r"\\boxed\s*\{")


class RewardFunction(Protocol):
    """Scores every output of every group."""

    def score(self, groups: Sequence[Group]) -> list[np.ndarray]:
        """One array [G] for each group. May also set a group's `step_rewards` and `step_ends`."""
        ...


class RuleReward:
    """The reward is the benchmark's grader, so that training and evaluation agree on what right means.

    With `final_box_only`, as for rewards, only the last box counts: an answer picked from elsewhere in the text would
    invite cheating. What the grader could not decide counts as wrong, and in `undecided`.
    """

    def __init__(self, final_box_only: bool = True):
        self.final_box_only = final_box_only
        self.undecided = 0

    def score(self, groups: Sequence[Group]) -> list[np.ndarray]:
        scores = []
        for group in groups:
            problem = group.question.problem
            scores.append(np.array([self._judge(problem, text) for text in group.texts]))
        return scores

    def _judge(self, problem: Problem, text: str) -> float:
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
        # All programs of the step go to the sandbox at once, which keeps its workers busy.
        programs = [program_so_far(text) for group in groups for text in group.texts]
        executions = iter(self.programs.run_many([program for program in programs if program]))
        printed = iter([self._printed(next(executions)) if p else None for p in programs])

        scores = []
        for group in groups:
            problem = group.question.problem
            answers = [next(printed) for _ in group.texts]
            judged = [self._judge(problem, f"\\boxed{{{a}}}") if a else 0.0 for a in answers]
            scores.append(np.array(judged))
        return scores

    def _printed(self, execution: "Execution") -> str | None:
        self.statuses[execution.status] += 1
        return printed_answer(execution.stdout) if execution.status == "ok" else None


class FormatReward:
    """1 if the output ended by itself and boxes exactly one answer."""

    def score(self, groups: Sequence[Group]) -> list[np.ndarray]:
        scores = []
        for group in groups:
            of_group = []
            for sample, text in zip(group.samples, group.texts, strict=True):
                has_one_box = len(BOX.findall(text)) == 1
                of_group.append(float(sample.finish == "stop" and has_one_box))
            scores.append(np.array(of_group))
        return scores


class ExpertReward:
    """What unbiased experts would score on average, for questions that are cases. Beside a reward model that learnt
    from experts it is the truth that the model stands for.

    `revised_from` is the iteration from which the changed guideline holds; the trainer sets `iteration`.
    """

    def __init__(self, revised_from: int | None = None):
        self.revised_from = revised_from
        self.iteration = 0

    def score(self, groups: Sequence[Group]) -> list[np.ndarray]:
        revised = self.revised_from is not None and self.iteration >= self.revised_from

        scores = []
        for group in groups:
            problem = group.question.problem
            case = case_of(problem.answer)
            if case is None:
                raise UserError(f"problem {problem.id} is no case (eval/cases/gold.py)")
            of_group = [expected_score(case, text, revised=revised) for text in group.texts]
            scores.append(np.array(of_group))
        return scores


def compose(
    groups: Sequence[Group], functions: dict[str, RewardFunction], weights: dict[str, float]
) -> None:
    """Set every group's `parts` (all functions) and `rewards` (the weighted sum of those with a weight).

    Raises UserError where a reward does not give one finite number for each output.
    """
    for name, function in functions.items():
        for group, scores in zip(groups, _all_scores(name, function, groups), strict=True):
            group.parts[name] = scores

    for group in groups:
        weighted = [weight * group.parts[name] for name, weight in weights.items()]
        group.rewards = np.asarray(sum(weighted))


def _all_scores(name: str, function: RewardFunction, groups: Sequence[Group]) -> list[np.ndarray]:
    """As `scores_of`; with several processes each grades its share where groups are graded one by one."""
    if type(function) not in (RuleReward, ProgramReward, FormatReward):
        return scores_of(name, function, groups)
    return distributed.gather(scores_of(name, function, distributed.shard_for_rank(groups)))


def scores_of(name: str, function: RewardFunction, groups: Sequence[Group]) -> list[np.ndarray]:
    """What a reward gives the groups: for each group [G], one number for each output.

    Raises UserError, with the reward's name and the question's id, where it gives anything else or a number that is
    not finite.
    """
    scores = function.score(groups)
    if not isinstance(scores, Sequence) or len(scores) != len(groups):
        given = f"{len(scores)} arrays" if isinstance(scores, Sequence) else type(scores).__name__
        raise UserError(f"rewards.{name}: score gave {given} for {len(groups)} groups")

    for group, of_group in zip(groups, scores, strict=True):
        what = f"rewards.{name}: question {group.question.problem.id}: score"
        checked_numbers(of_group, len(group.texts), what)
    return [np.asarray(of_group) for of_group in scores]


def load_rewards(
    settings: RL,
    folders: dict[str, Path | None],
    tokenizer: PreTrainedTokenizerBase,
    programs: Programs | None = None,
) -> dict[str, RewardFunction]:
    """The reward functions that the settings name, and always the rule.

    Args:
        folders: folder of each reward model by name, and "reference": the model that the policy starts as.
        tokenizer: the policy's; a reward model must have the same.
        programs: the sandbox, where the run has one already.
    """
    functions: dict[str, RewardFunction] = {}
    functions["rule"] = ProgramReward(programs) if settings.mode == "pot" else RuleReward()

    for name in settings.rewards:
        if name == "format":
            functions[name] = FormatReward()
        elif name == "experts":
            functions[name] = ExpertReward()
        elif ":" in name:
            functions[name] = load_own_reward(name)
        elif name in ("outcome_model", "process_model"):
            folder = folders.get(name)
            if folder is None:
                option = f"--{name.replace('_', '-')}"
                raise UserError(f"rewards.{name}: give its folder with {option} DIR")
            if name == "process_model" and is_implicit(folder):
                functions[name] = ImplicitReward(
                    folder,
                    folders.get("reference"),
                    tokenizer,
                    settings,
                )
                continue
            functions[name] = ModelReward(
                folder,
                process=name == "process_model",
                tokenizer=tokenizer,
                max_tokens=settings.micro_batch_tokens,
                precision=settings.precision,
                distribution=settings.distribution,
            )
    return functions


def load_own_reward(name: str) -> RewardFunction:
    """An instance of the class that `module:Class` names, made without arguments."""
    try:
        found = own_object(name)
    except UserError as error:
        raise UserError(f"rewards.{error}") from error

    if not callable(getattr(found, "score", None)):
        raise UserError(f"rewards.{name}: has no method score")
    try:
        return found()
    # A class of the user's may fail in any way while it is made.
    except Exception as error:
        reason = described(error)
        raise UserError(f"rewards.{name}: cannot be made without arguments ({reason})") from error
