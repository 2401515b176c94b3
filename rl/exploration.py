"""The exploration stage of a step: draw questions, sample a group of outputs for each, reward them."""

from collections.abc import Mapping, Sequence

from pipeline.config.rl import RL
from pipeline.inference.engine import Engine, SamplingSettings
from rl.advantages import has_spread
from rl.monitoring.stopwatch import Stopwatch
from rl.rewards import RewardFunction, compose
from rl.rollouts import Group, Question, questions_of_step, roll_out

ANOTHER_STREAM = 7919
"""Added to the seed, once a turn, for questions that replace others: a stream apart from that of the steps."""


class Exploration:
    """Makes the groups of a step. A pure function of the settings' seed, the step and the sampler's weights.

    `examples`, by problem id, are worked solutions in the place of sampled outputs (method sft).
    """

    def __init__(
        self,
        settings: RL,
        questions: Sequence[Question],
        sampler: Engine,
        rewards: dict[str, RewardFunction],
        examples: Mapping[str, Group] | None,
        stopwatch: Stopwatch,
    ):
        self.settings = settings
        self.questions = questions
        self.sampler = sampler
        self.rewards = rewards
        self.examples = examples
        self.stopwatch = stopwatch

    def groups_of_step(self, step: int, group_size: int) -> list[Group]:
        """The step's questions with their outputs and rewards.

        With dynamic sampling (DAPO, arXiv 2503.14476), questions whose outputs are all rewarded equally are replaced
        by others as long as there are turns left.
        """
        settings = self.settings
        questions = questions_of_step(self.questions, step, settings.questions, settings.seed)
        groups = self._rewarded(questions, step, group_size)

        for turn in range(1, settings.dynamic_sampling + 1):
            uniform = [place for place, g in enumerate(groups) if not has_spread(g.rewards)]
            if not uniform:
                break
            # A pure function of seed, step and turn, as the step's own questions are.
            seed = settings.seed + ANOTHER_STREAM * turn
            others = questions_of_step(self.questions, step, len(uniform), seed)
            replacements = self._rewarded(others, f"{step}.{turn}", group_size)
            for place, group in zip(uniform, replacements, strict=True):
                groups[place] = group
        return groups

    def _rewarded(
        self, questions: Sequence[Question], step: int | str, group_size: int
    ) -> list[Group]:
        settings = self.settings

        with self.stopwatch.measure("sample"):
            if self.examples is not None:
                groups = [self.examples[question.problem.id] for question in questions]
            else:
                sampling = SamplingSettings(
                    temperature=settings.temperature,
                    max_new_tokens=settings.max_new_tokens,
                    seed=settings.seed,
                )
                groups = roll_out(self.sampler, questions, group_size, sampling, step)

        with self.stopwatch.measure("reward"):
            compose(groups, self.rewards, settings.rewards)
        return groups
