"""Labels for reward models (paper 4.2, after Math-Shepherd): sampled solutions, the rule's verdict, steps' potential.

A step's label says whether the right answer can still be reached from it: N rollouts from the prefix that ends with
the step; "hard" is 1 if any is right, "soft" the share that is. The last step has nothing left to roll out: its label
is the rule's verdict on the solution.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from pipeline.config.rl import Reward
from pipeline.inference.engine import SamplingSettings
from pipeline.inference.sampler import Sampler
from rl.rewards import RuleReward
from rl.rollouts import Group, Question, roll_out
from rl.solution_steps import step_ends


@dataclass(slots=True)
class LabelledSolution:
    """A sampled solution, the positions a reward model is read at (indices into `ids`), and a label for each."""

    problem_id: str
    prompt: list[int]
    ids: list[int]
    ends: list[int]
    labels: list[float]
    right: bool

    def to_json(self) -> dict:
        return asdict(self)


def label_outcomes(
    sampler: Sampler, questions: Sequence[Question], settings: Reward
) -> list[LabelledSolution]:
    """Sample solutions of each question, each different one kept once; the rule labels its last token."""
    groups = roll_out(sampler, questions, settings.samples_per_problem, _sampling(settings), step=0)
    verdicts = RuleReward().score(groups)
    solutions = []
    for group, right in zip(groups, verdicts, strict=True):
        for index in _distinct(group):
            ids = group.samples[index].ids
            solutions.append(
                LabelledSolution(
                    group.question.problem.id,
                    group.question.prompt,
                    ids,
                    [len(ids) - 1],
                    [float(right[index])],
                    bool(right[index]),
                )
            )
    return solutions


def label_steps(
    sampler: Sampler, questions: Sequence[Question], settings: Reward
) -> list[LabelledSolution]:
    """The solutions of `label_outcomes` with every step labelled by rollouts from its end."""
    solutions = label_outcomes(sampler, questions, settings)
    by_id = {question.problem.id: question for question in questions}
    prefixes, places = [], []
    for place, solution in enumerate(solutions):
        solution.ends = step_ends(sampler.tokenizer, solution.ids)
        solution.labels = [float(solution.right)] * len(solution.ends)
        for step, end in enumerate(solution.ends[:-1]):
            problem = by_id[solution.problem_id].problem
            prefixes.append(Question(problem, solution.prompt + solution.ids[: end + 1]))
            places.append((place, step))
    if not prefixes:
        return solutions
    groups = roll_out(sampler, prefixes, settings.completions, _sampling(settings), step=1)
    for (place, step), group, prefix in zip(places, groups, prefixes, strict=True):
        solution = solutions[place]
        start = sampler.tokenizer.decode(
            prefix.prompt[len(solution.prompt) :], skip_special_tokens=True
        )
        group.texts = [start + text for text in group.texts]
        [right] = RuleReward().score([group])
        solution.labels[step] = float(right.mean() if settings.labels == "soft" else right.max())
    return solutions


def label_counts(solutions: Sequence[LabelledSolution]) -> dict[str, float]:
    """What a manifest says about labels."""
    labels = np.concatenate([solution.labels for solution in solutions])
    return {
        "solutions": len(solutions),
        "right_solutions": sum(solution.right for solution in solutions),
        "labels": len(labels),
        "mean_label": float(labels.mean()),
    }


def _distinct(group: Group) -> list[int]:
    """The first index of every different output that has tokens."""
    first: dict[tuple[int, ...], int] = {}
    for index, sample in enumerate(group.samples):
        if sample.ids:
            first.setdefault(tuple(sample.ids), index)
    return list(first.values())


def _sampling(settings: Reward) -> SamplingSettings:
    return SamplingSettings(
        temperature=settings.temperature, max_new_tokens=settings.max_new_tokens, seed=settings.seed
    )
