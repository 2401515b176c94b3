"""Labels for reward models (section 4.2, after Math-Shepherd, arXiv 2312.08935).

The rule's verdict labels a sampled solution. The label of a step says whether the right answer can still be reached
from it: N rollouts from the prefix that ends with the step; "hard" is 1 if any of them is right, "soft" the share that
is. Behind the last step there is nothing to roll out: its label is the rule's verdict on the solution.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pipeline.config.rl import Reward
from pipeline.inference.engine import Engine, SamplingSettings
from rl.rewards import RuleReward
from rl.rollouts import Group, Question, roll_out
from rl.solution_steps import step_ends


@dataclass(slots=True)
class LabelledSolution:
    """A sampled solution, the positions at which a reward model is read, and a label for each of them."""

    problem_id: str
    prompt: list[int]
    ids: list[int]
    ends: list[int]
    """Positions, as indices into `ids`."""
    labels: list[float]
    right: bool

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Step:
    """A step that is to be labelled: its solution, its place in it, and the prompt to continue from its end."""

    solution: LabelledSolution
    place: int
    prefix: Question


def label_outcomes(
    sampler: Engine, questions: Sequence[Question], settings: Reward
) -> list[LabelledSolution]:
    """Sample solutions of each question and keep each different one once; the rule labels the last token."""
    # Step 0 and 1 name the two random streams, of solutions and of rollouts.
    groups = roll_out(sampler, questions, settings.samples_per_problem, _sampling(settings), step=0)
    verdicts = RuleReward().score(groups)

    solutions = []
    for group, verdict in zip(groups, verdicts, strict=True):
        for index in _distinct(group):
            ids = group.samples[index].ids
            solution = LabelledSolution(
                problem_id=group.question.problem.id,
                prompt=group.question.prompt,
                ids=ids,
                ends=[len(ids) - 1],
                labels=[float(verdict[index])],
                right=bool(verdict[index]),
            )
            solutions.append(solution)
    return solutions


def label_steps(
    sampler: Engine, questions: Sequence[Question], settings: Reward
) -> list[LabelledSolution]:
    """The solutions of `label_outcomes`, with every step labelled by rollouts from its end."""
    solutions = label_outcomes(sampler, questions, settings)
    problems = {question.problem.id: question.problem for question in questions}

    # All prefixes of all solutions are sampled in one request, which keeps the sampler's batch full.
    steps: list[_Step] = []
    for solution in solutions:
        solution.ends = step_ends(sampler.tokenizer, solution.ids)
        solution.labels = [float(solution.right)] * len(solution.ends)
        for place, end in enumerate(solution.ends[:-1]):
            prefix_ids = solution.prompt + solution.ids[: end + 1]
            prefix = Question(problems[solution.problem_id], prefix_ids)
            steps.append(_Step(solution, place, prefix))

    if not steps:
        return solutions

    prefixes = [step.prefix for step in steps]
    groups = roll_out(sampler, prefixes, settings.completions, _sampling(settings), step=1)

    for step, group in zip(steps, groups, strict=True):
        # The rule judges the whole text: what stood before the rollout belongs to it.
        written_before = step.prefix.prompt[len(step.solution.prompt) :]
        start = sampler.tokenizer.decode(written_before, skip_special_tokens=True)
        group.texts = [start + text for text in group.texts]

        [right] = RuleReward().score([group])
        label = right.mean() if settings.labels == "soft" else right.max()
        step.solution.labels[step.place] = float(label)
    return solutions


def label_counts(solutions: Sequence[LabelledSolution]) -> dict[str, float]:
    """What a manifest says about the labels."""
    labels = np.concatenate([solution.labels for solution in solutions])
    return {
        "solutions": len(solutions),
        "right_solutions": sum(solution.right for solution in solutions),
        "labels": len(labels),
        "mean_label": float(labels.mean()),
    }


def _distinct(group: Group) -> list[int]:
    """The first index of every different output that has tokens."""
    # Copies of a solution would only weight it more.
    first: dict[tuple[int, ...], int] = {}
    for index, sample in enumerate(group.samples):
        if sample.ids:
            first.setdefault(tuple(sample.ids), index)
    return list(first.values())


def _sampling(settings: Reward) -> SamplingSettings:
    return SamplingSettings(
        temperature=settings.temperature,
        max_new_tokens=settings.max_new_tokens,
        seed=settings.seed,
    )
