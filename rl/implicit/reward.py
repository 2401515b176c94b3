"""The implicit process model as a reward of RL, frozen or updated on each step's own outputs and verdicts."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from transformers import PreTrainedTokenizerBase

from pipeline.artifacts.write import MANIFEST, file_digest, read_json
from pipeline.config.rl import RL, Reward
from pipeline.errors import UserError
from pipeline.model.load import load_model, load_tokenizer
from pipeline.training.prepare import freeze, prepare
from pipeline.training.step import adamw, set_learning_rate, train_step
from rl.implicit.scores import log_probs_of, solution_row, step_rewards, weighted_rows
from rl.objectives import likelihood_loss
from rl.rollouts import Group
from rl.solution_steps import step_ends


def is_implicit(folder: Path) -> bool:
    """Whether a process model's folder holds an implicit one."""
    manifest = folder / MANIFEST
    if not manifest.is_file():
        return False
    settings = read_json(manifest).get("settings", {})
    return settings.get("kind") == "process" and settings.get("process_model") == "implicit"


class ImplicitReward:
    """Rewards of steps from the log-ratio of two language models; an output's own is their sum, its log-odds.

    Args:
        folder: the trained model.
        reference: the fine-tuned model that it started from.
        settings: those of RL; `process_learning_rate` is the rate of the update after each step, 0 leaves the model as
            it is.

    Raises UserError where the folder is not of this reference.
    """

    def __init__(
        self,
        folder: Path,
        reference: Path | None,
        tokenizer: PreTrainedTokenizerBase,
        settings: RL,
    ):
        manifest = read_json(folder / MANIFEST)
        if reference is None:
            raise UserError(
                f"{folder}: an implicit process model needs the model that it started from"
            )
        if file_digest(reference) not in manifest.get("inputs", {}).values():
            raise UserError(f"{folder}: this implicit process model did not start from {reference}")
        if load_tokenizer(folder).get_vocab() != tokenizer.get_vocab():
            raise UserError(f"{folder}: this reward model's tokenizer is not the policy's")

        known = {name: value for name, value in manifest["settings"].items() if name != "kind"}
        self.settings = Reward(**known)
        self.tokenizer = tokenizer
        self.max_tokens = settings.micro_batch_tokens
        self.precision = settings.precision
        self.learning_rate = settings.process_learning_rate

        learns = self.learning_rate > 0
        loaded = load_model(folder, distribution=settings.distribution)
        self.model = prepare(loaded, settings) if learns else freeze(loaded, settings)
        # Made afterwards: its states are shared out as the weights are.
        self.optimiser = adamw(self.model, weight_decay=0.0) if learns else None
        started_as = load_model(reference, distribution=settings.distribution)
        self.reference = freeze(started_as, settings)

    def score(self, groups: Sequence[Group]) -> list[np.ndarray]:
        """One array [G] for each group; sets the groups' `step_rewards` and `step_ends`."""
        rows = [
            solution_row(group.question.prompt, sample.ids, sample.sampled)
            for group in groups
            for sample in group.samples
        ]
        own = log_probs_of(self.model, rows, self.max_tokens, self.precision)
        ref = log_probs_of(self.reference, rows, self.max_tokens, self.precision)
        ratios = iter([a - b for a, b in zip(own, ref, strict=True)])

        scores = []
        for group in groups:
            group.step_rewards, group.step_ends = [], []
            for sample in group.samples:
                ends = step_ends(self.tokenizer, sample.ids, sample.written, joins_answer=True)
                log_ratio = next(ratios)[len(group.question.prompt) :]
                group.step_ends.append(np.array(ends, dtype=np.int64))
                group.step_rewards.append(
                    step_rewards(log_ratio, ends, self.settings.implicit_beta)
                )
            scores.append(np.array([rewards.sum() for rewards in group.step_rewards]))
        return scores

    def learn_from(self, groups: Sequence[Group]) -> None:
        """One update on the outputs of a step and the rule's verdicts on them; nothing where it is frozen."""
        if self.optimiser is None:
            return

        rows, right, problems = [], [], []
        for place, group in enumerate(groups):
            for sample, is_right in zip(group.samples, group.right, strict=True):
                if sample.ids:
                    rows.append(solution_row(group.question.prompt, sample.ids, sample.sampled))
                    right.append(bool(is_right))
                    problems.append(str(place))

        set_learning_rate(self.optimiser, self.learning_rate)
        train_step(
            self.model,
            self.optimiser,
            weighted_rows(
                rows,
                log_probs_of(self.model, rows, self.max_tokens, self.precision),
                log_probs_of(self.reference, rows, self.max_tokens, self.precision),
                np.array(right, dtype=bool),
                problems,
                self.settings.implicit_beta,
                self.settings.implicit_loss,
            ),
            likelihood_loss,
            max_tokens=self.max_tokens,
            precision=self.precision,
        )
