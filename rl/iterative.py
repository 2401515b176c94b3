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
from pipeline.errors import UserError
from pipeline.inference.engine import Engine
from pipeline.training.checkpoint import Checkpoints
from rl.questions import hold_out
from rl.ratings.labels import RatedLabels, ask_experts, rated_labels
from rl.reward_model_metrics import judge
from rl.reward_model_training import LABELS, label_all, scores_of, train_reward_model
from rl.rollouts import Question
from rl.score_model import ModelReward
from rl.step_labels import LabelledSolution

COMPARED = ("accuracy", "auc", "rank_correlation", "error")
"""Measures that are reported before and after each iteration's training, those of ratings where there are any."""


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

        if settings.get("labels") == "ratings":
            raise UserError(
                f"{folder}: this reward model learnt from people's ratings, and iterations need new ones; let people "
                "rate the new policy, train the model with them, and start RL from that policy"
            )

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
        ratings: RatedLabels | None = None
        if settings.labels == "experts":
            ratings = self._rated(sampler, questions, (fresh, judged), iteration)
            fresh, judged = ratings.training, ratings.held_out
        replayed = replay_of(self.history, len(fresh), self.replay, seed)

        # Nothing of this training is kept apart: the checkpoints of RL hold the reward model itself.
        shares = scores_of(model, judged, settings)
        before = _measures(judged, shares, ratings)
        keep_nothing = Checkpoints(None, "")
        train_reward_model(model, [*fresh, *replayed], settings, keep_nothing)
        shares = scores_of(model, judged, settings)
        after = _measures(judged, shares, ratings)

        self.history = [*self.history, *fresh]
        line: dict[str, float] = {
            "fresh_solutions": len(fresh),
            "replayed_solutions": len(replayed),
        }
        compared = [measure for measure in COMPARED if measure in before]
        line |= {f"{measure}_before": before[measure] for measure in compared}
        line |= {f"{measure}_after": after[measure] for measure in compared}
        return line

    def _rated(
        self,
        sampler: Engine,
        questions: Sequence[Question],
        solutions: tuple[list[LabelledSolution], list[LabelledSolution]],
        iteration: int,
    ) -> RatedLabels:
        """Solutions to train on and held-out ones, as the experts of this iteration score them."""
        problems = {question.problem.id: question.problem for question in questions}
        # The panel stays the same people: it is drawn from the model's own seed.
        fresh, judged = [
            ask_experts(part, problems, sampler.tokenizer, self.settings, iteration)
            for part in solutions
        ]
        return rated_labels(fresh, judged, self.reward.model, self.settings)

    def state(self) -> list[dict[str, Any]]:
        """The history, for a checkpoint that holds the model itself."""
        return [solution.to_json() for solution in self.history]

    def load_state(self, history: list[dict[str, Any]]) -> None:
        """Take up the history that `state` returned."""
        self.history = [LabelledSolution(**row) for row in history]


def _measures(
    judged: Sequence[LabelledSolution], shares: Sequence[np.ndarray], ratings: RatedLabels | None
) -> dict[str, Any]:
    """How good a reward model is, with the measures of ratings where its labels are scores."""
    measures = judge(judged, shares)
    return measures | ratings.metrics(shares) if ratings is not None else measures


def replay_of(
    history: Sequence[LabelledSolution], fresh: int, share: float, seed: int
) -> list[LabelledSolution]:
    """Draw earlier solutions such that they are `share` of the set that they form with `fresh` new ones."""
    # r / (r + fresh) = share, solved for r.
    count = min(len(history), round(fresh * share / (1 - share)))
    drawn = np.random.default_rng([seed, 2]).permutation(len(history))[:count]
    return [history[place] for place in sorted(drawn.tolist())]
