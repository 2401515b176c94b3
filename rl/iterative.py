"""Iterative GRPO (Algorithm 1 and section 4.1.4): between iterations the training of the reward models continues.

The new training set holds solutions of the current policy, labelled as the first ones were, and a share of earlier
data (10 % in the paper; of the whole new set, as we read it). Training continues from the reward model's current
weights, with its own settings. Earlier data are those that came with the reward model (labels.jsonl in its folder) and
those of earlier iterations.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.artifacts.records import read_jsonl
from pipeline.artifacts.write import read_json
from pipeline.config.rl import Reward
from pipeline.inference.engine import Engine
from pipeline.training.checkpoint import Checkpoints
from rl.questions import hold_out
from rl.reward_model_metrics import judge
from rl.reward_model_training import LABELS, label_all, scores_of, train_reward_model
from rl.rollouts import Question
from rl.score_model import ModelReward
from rl.step_labels import LabelledSolution

COMPARED = ("accuracy", "auc")
"""Measures that are reported before and after each iteration's training."""


class RewardTraining:
    """A reward model in use, the data it has learnt from, and how its training continues."""

    def __init__(
        self, reward: ModelReward, settings: Reward, history: list[LabelledSolution], replay: float
    ):
        self.reward = reward
        self.settings = settings
        self.history = history
        self.replay = replay
        """Share of earlier data in each new training set."""

    @classmethod
    def of(cls, folder: Path, reward: ModelReward, replay: float) -> "RewardTraining":
        """With the settings and labels of a reward model's folder; one without labels starts with no history."""
        # The manifest's settings are those of the section `reward`, and the kind of the model.
        settings = read_json(folder / "manifest.json")["settings"]
        settings = {name: value for name, value in settings.items() if name != "kind"}

        labels = folder / LABELS
        history = (
            [LabelledSolution(**row) for row in read_jsonl(labels)] if labels.is_file() else []
        )
        return cls(reward, Reward(**settings), history, replay)

    def continue_training(
        self, sampler: Engine, questions: Sequence[Question], iteration: int
    ) -> dict[str, float]:
        """Label solutions of the policy in `sampler` and train; a pure function of seed, iteration and weights.

        Returns counts, and accuracy and AUC on held-out problems of this iteration before and after.
        """
        # Each iteration draws other problems, in another order.
        seed = self.settings.seed + 1000 * iteration
        settings = self.settings.model_copy(update={"seed": seed})
        model = self.reward.model

        _, drawn = hold_out(questions, min(settings.problems, len(questions)), seed)
        held_out_count = max(1, round(settings.held_out * len(drawn)))
        training, held_out = hold_out(drawn, held_out_count, seed + 1)

        # Label samples of the policy as it is now, and mix in earlier data (section 4.1.4).
        kind = "process" if self.reward.process else "outcome"
        name = f"iteration {iteration}"
        fresh = label_all(sampler, training, kind, settings, None, name)
        judged = label_all(sampler, held_out, kind, settings, None, f"{name}, held out")
        replayed = replay_of(self.history, len(fresh), self.replay, seed)

        # Nothing of this training is kept apart: the checkpoints of RL hold the reward model itself.
        before = judge(judged, scores_of(model, judged, settings))
        keep_nothing = Checkpoints(None, "")
        train_reward_model(model, [*fresh, *replayed], settings, keep_nothing)
        after = judge(judged, scores_of(model, judged, settings))

        self.history = [*self.history, *fresh]
        line: dict[str, float] = {
            "fresh_solutions": len(fresh),
            "replayed_solutions": len(replayed),
        }
        line |= {f"{measure}_before": before[measure] for measure in COMPARED}
        line |= {f"{measure}_after": after[measure] for measure in COMPARED}
        return line

    def state(self) -> list[dict[str, Any]]:
        """The history, for a checkpoint that holds the model itself."""
        return [solution.to_json() for solution in self.history]

    def load_state(self, history: list[dict[str, Any]]) -> None:
        """Take up the history that `state` returned."""
        self.history = [LabelledSolution(**row) for row in history]


def replay_of(
    history: Sequence[LabelledSolution], fresh: int, share: float, seed: int
) -> list[LabelledSolution]:
    """Draw earlier solutions such that they are `share` of the set that they form with `fresh` new ones."""
    # r / (r + fresh) = share, solved for r.
    count = min(len(history), round(fresh * share / (1 - share)))
    drawn = np.random.default_rng([seed, 2]).permutation(len(history))[:count]
    return [history[place] for place in sorted(drawn.tolist())]
