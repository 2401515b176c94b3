"""Iterative GRPO (paper, Algorithm 1 and 4.1.4): between iterations the reward models are trained on.

The new training set holds solutions of the current policy, labelled as the first ones were, and a share of earlier
data (10 % in the paper; of the whole new set, which is our reading). The old weights are trained on, through the
set, with the reward model's own settings. Earlier data are those that came with the reward model (labels.jsonl in its
folder) and those of earlier iterations.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.artifacts.records import read_jsonl
from pipeline.artifacts.write import read_json
from pipeline.config.rl import Reward
from pipeline.inference.sampler import Sampler
from pipeline.training.checkpoint import Checkpoints
from rl.questions import hold_out
from rl.reward_model import LABELS, label_all, scores_of, train_on
from rl.reward_model_metrics import judge
from rl.rollouts import Question
from rl.score_model import ModelReward
from rl.step_labels import LabelledSolution


class RewardTraining:
    """A reward model in use, the data it has learnt from, and how it goes on learning."""

    def __init__(
        self, reward: ModelReward, settings: Reward, history: list[LabelledSolution], replay: float
    ):
        self.reward, self.settings, self.history, self.replay = reward, settings, history, replay

    @classmethod
    def of(cls, folder: Path, reward: ModelReward, replay: float) -> "RewardTraining":
        """With the settings and labels in a reward model's folder; one without labels starts with no history."""
        settings = {
            k: v for k, v in read_json(folder / "manifest.json")["settings"].items() if k != "kind"
        }
        file = folder / LABELS
        history = [LabelledSolution(**row) for row in read_jsonl(file)] if file.is_file() else []
        return cls(reward, Reward(**settings), history, replay)

    def train_on(
        self, sampler: Sampler, questions: Sequence[Question], iteration: int
    ) -> dict[str, float]:
        """Label solutions of the policy in `sampler` and train; a pure function of seed, iteration and weights.

        Returns counts, and accuracy and AUC on held-out problems of this iteration before and after.
        """
        settings = self.settings.model_copy(update={"seed": self.settings.seed + 1000 * iteration})
        _, drawn = hold_out(questions, min(settings.problems, len(questions)), settings.seed)
        kept = max(1, round(settings.held_out * len(drawn)))
        training, held_out = hold_out(drawn, kept, settings.seed + 1)
        kind = "process" if self.reward.process else "outcome"
        fresh = label_all(sampler, training, kind, settings, None, f"iteration {iteration}")
        judged = label_all(
            sampler, held_out, kind, settings, None, f"iteration {iteration}, held out"
        )
        replayed = replay_of(self.history, len(fresh), self.replay, settings.seed)
        before = judge(judged, scores_of(self.reward.model, judged, settings))
        train_on(self.reward.model, [*fresh, *replayed], settings, Checkpoints(None, ""), None)
        after = judge(judged, scores_of(self.reward.model, judged, settings))
        self.history = [*self.history, *fresh]
        counts = {"fresh_solutions": len(fresh), "replayed_solutions": len(replayed)}
        scores = {
            f"{key}_{when}": found[key]
            for when, found in (("before", before), ("after", after))
            for key in KEYS
        }
        return counts | scores

    def state(self) -> list[dict]:
        """The history, for a checkpoint that holds the model itself."""
        return [solution.to_json() for solution in self.history]

    def load_state(self, history: list[dict]) -> None:
        self.history = [LabelledSolution(**row) for row in history]


KEYS = ("accuracy", "auc")


def replay_of(
    history: Sequence[LabelledSolution], fresh: int, share: float, seed: int
) -> list[LabelledSolution]:
    """So many earlier solutions that they are `share` of the set together with `fresh` new ones, drawn by `seed`."""
    count = min(len(history), round(fresh * share / (1 - share)))
    chosen = np.random.default_rng([seed, 2]).permutation(len(history))[:count]
    return [history[place] for place in sorted(chosen.tolist())]
