"""The loop of RL: explore, turn rewards into rows, update; iterations, evaluations, metrics and checkpoints.

    exploration.py    questions of a step, their outputs, the outputs' rewards
    methods.py        groups of outputs -> rows with a coefficient for each token
    policy_update.py  rows -> new weights
    monitoring/       metrics, and greedy accuracy on held-out problems

`Trainer.step` is the place where a rollout becomes a gradient.
"""

import copy
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from pipeline.config.rl import RL
from pipeline.config.schedule import constant, learning_rate
from pipeline.errors import UserError
from pipeline.forward.batches import Row
from pipeline.inference.engine import Engine
from pipeline.model import distributed
from pipeline.model.adapters import add_adapters
from pipeline.model.precision import computes_in_bf16
from pipeline.progress import Progress
from pipeline.training import stop
from pipeline.training.checkpoint import Checkpoints, Trained
from pipeline.training.prepare import freeze, prepare
from pipeline.training.tracking import MetricsTracker
from rl.advantages import adapted_group_size
from rl.exploration import Exploration
from rl.implicit.reward import ImplicitReward
from rl.iterative import RewardTraining
from rl.methods import METHODS, kept_groups
from rl.monitoring.evaluation import greedy_accuracy
from rl.monitoring.metrics import (
    distributions,
    group_metrics,
    peak_memory_mb,
    state_mb,
    update_metrics,
)
from rl.monitoring.mismatch import mismatch_metrics, note_of_mismatch
from rl.monitoring.reward_hacking import WINDOW, divergence
from rl.monitoring.stopwatch import Stopwatch
from rl.policy_update import PolicyUpdate
from rl.rewards import ExpertReward, RewardFunction
from rl.rollouts import Group, Question, engine_for, group_record
from rl.score_model import ModelReward
from rl.tool_sampler import Programs, ToolSampler
from rl.value_model import ValueModel

MISMATCH_LIMITS = {"fp32": (1e-4, 1e-3), "bf16": (0.1, 0.5)}
"""How far the trainer's and the sampler's log-probabilities may differ before the first update: on average, and for all
but one in a hundred tokens. In bf16 the largest of many thousand differences says nothing: with 135 million parameters
it was 0.25 to 0.38 at a mean of 0.03."""

COMPARES_WITH_REFERENCE = ("ppo", "grpo_outcome", "grpo_process")
"""Methods with a KL term, which need the reference where its coefficient beta is not 0."""

REPORTED = ("reward", "right", "zero_variance_groups", "length", "kl")
"""Metrics of the last step that stand in the manifest."""


@dataclass(slots=True)
class TrainerState:
    """What a checkpoint holds beside weights, so that a resumed run continues as if it had not been interrupted."""

    group_size: int
    """Outputs per question of the next step."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    """The metrics so far."""

    records: list[dict[str, Any]] = field(default_factory=list)
    """Rollouts that are kept for reading."""

    idle_steps: int = 0
    """Steps up to now, one after another, that had nothing to learn from."""


class Trainer:
    """Trains `policy` in place.

    Args:
        policy: the fine-tuned model to start from.
        questions: what outputs are sampled for.
        heldout: problems for the curve of greedy accuracy.
        rewards: reward functions by name, "rule" among them.
        examples: worked solutions in the place of outputs, by problem id (method sft).
        value: PPO's value model.
        reward_training: for each reward model that is trained further between iterations, how.
        sampler: an engine in the place of this project's own.
        programs: the sandbox of the mode tool.
        stopwatch: what measures the phases of a step.
    """

    def __init__(
        self,
        policy: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        settings: RL,
        questions: Sequence[Question],
        heldout: Sequence[Question],
        rewards: dict[str, RewardFunction],
        *,
        examples: dict[str, Group] | None = None,
        value: ValueModel | None = None,
        reward_training: dict[str, RewardTraining] | None = None,
        sampler: Engine | None = None,
        programs: Programs | None = None,
        stopwatch: Stopwatch | None = None,
    ):
        self.policy = policy.eval()
        self.tokenizer = tokenizer
        self.settings = settings
        self.questions = questions
        self.heldout = heldout[: settings.evaluate_problems]
        self.reward_training = reward_training or {}
        self.learning_rewards = {
            name: reward
            for name, reward in rewards.items()
            if isinstance(reward, ImplicitReward) and reward.optimiser is not None
        }
        """Reward models that learn from every step."""
        self.method = METHODS[settings.method]
        self.state = TrainerState(group_size=settings.group_size)
        self.stopwatch = stopwatch or Stopwatch()
        self._has_checked = False

        # Copies are made of the whole policy, before it is shared out.
        self.initial, reference = self._frozen_copies()
        add_adapters(policy, settings.lora)
        prepare(policy, settings)
        for model in self._beside_policy(self.initial, reference, rewards):
            freeze(model, settings)
        for training in self.reward_training.values():
            prepare(training.reward.model, settings)

        self.updater = PolicyUpdate(settings, self.method, policy, reference, value)
        self.sampler = self._sampler(sampler, programs)
        self.exploration = Exploration(
            settings,
            questions,
            self.sampler,
            rewards,
            examples if self.method.source == "solutions" else None,
            self.stopwatch,
        )

    def _frozen_copies(self) -> tuple[PreTrainedModel | None, PreTrainedModel | None]:
        """The policy as it starts, for methods that sample from it, and the reference of the KL term."""
        settings = self.settings
        samples_from_start = self.method.source == "initial"
        has_kl_term = settings.beta > 0 and (
            settings.method in COMPARES_WITH_REFERENCE or settings.likelihood_kl
        )
        if not samples_from_start and not has_kl_term:
            return None, None

        initial = copy.deepcopy(self.policy).requires_grad_(False)
        # Iterations move the reference, while what is sampled from stays the start.
        if samples_from_start and settings.iterations > 1:
            return initial, copy.deepcopy(initial)
        return initial, initial

    def _beside_policy(
        self,
        initial: PreTrainedModel | None,
        reference: PreTrainedModel | None,
        rewards: dict[str, RewardFunction],
    ) -> list[PreTrainedModel]:
        """All models that only compute, each once, in an order that is the same on all processes."""
        trained = [training.reward.model for training in self.reward_training.values()]
        judges = [reward.model for reward in rewards.values() if isinstance(reward, ModelReward)]
        models = [model for model in (initial, reference, *judges) if model is not None]
        return [model for model in dict.fromkeys(models) if model not in trained]

    def _sampler(self, given: Engine | None, programs: Programs | None) -> Engine:
        settings = self.settings
        sampler = given or engine_for(self.policy, self.tokenizer, settings)
        if settings.mode == "tool":
            return ToolSampler(sampler, programs or Programs(), settings.tool_rounds)
        return sampler

    # ---- The loop ----------------------------------------------------------------------------------------------

    def run(
        self, checkpoints: Checkpoints, tracker: MetricsTracker | None = None
    ) -> dict[str, float]:
        """Train to the end, from the newest checkpoint. Returns the manifest's metrics: the last step's, and held-out
        accuracy before and after."""
        settings = self.settings
        step = self._restore(checkpoints)

        name, stream = f"rl {settings.method}", distributed.progress_stream()
        with Progress(name, settings.steps, "steps", stream, beats=True) as progress:
            evaluating = f"solving {len(self.heldout)} held-out problems"
            if step == 0:
                with progress.during(evaluating):
                    self._evaluate(0)
            if tracker:
                tracker.show(self.state.lines)

            progress.begin(step)
            while step < settings.steps:
                line = self.step(step)
                step += 1
                self.state.lines.append({"step": step, **line})
                self._warn()

                # The last step is followed by an evaluation anyway, and by the model itself.
                is_last = step == settings.steps
                if settings.evaluate_every and step % settings.evaluate_every == 0 and not is_last:
                    with progress.during(evaluating):
                        self._evaluate(step)
                if tracker:
                    tracker.show(self.state.lines)
                must_stop = not is_last and checkpoints.told_to_stop()
                if must_stop or (step % settings.checkpoint_every == 0 and not is_last):
                    self._save(checkpoints, step)
                if must_stop:
                    stop.end(step)
                progress.add(1, right=line["right"], length=line["length"])

            with progress.during(evaluating):
                self._evaluate(step)
            if tracker:
                tracker.show(self.state.lines)
        return self._results()

    def step(self, step: int) -> dict[str, Any]:
        """One exploration stage and its updates (Algorithm 1); returns the step's metrics."""
        settings = self.settings
        self._tell_iteration(step)
        if step in self._iteration_starts():
            self._start_iteration(step)

        # Rollout: G outputs for each question, with their rewards.
        groups = self.explore(step)
        self.sampler.sleep()

        # Credit: every token gets its number; this may need forward passes of other models.
        with self.stopwatch.measure("score"):
            learnt_from = kept_groups(groups, settings.drop_groups)
            rows = self.method.rows(learnt_from, settings, self.updater.scorers)
        if rows and not self._has_checked and self.method.source == "current":
            self._check_sampler(rows)

        # Gradient: one optimiser step, or several on the same rollouts.
        schedule = constant(settings.learning_rate, settings.warmup_steps)
        rate = learning_rate(schedule, step, settings.steps)
        with self.stopwatch.measure("update"):
            updates = [
                self.updater.update(rows, rate, step) for _ in range(settings.updates_per_rollout)
            ]

        # What was rewarded is learnt from afterwards, so that a step is rewarded by one model.
        with self.stopwatch.measure("update"):
            for reward in self.learning_rewards.values():
                reward.learn_from(groups)

        self._note_idle(step, groups, has_rows=bool(rows))
        metrics = self._step_metrics(groups, rate, updates)
        metrics |= mismatch_metrics(rows, settings.importance_cap)
        self._set_group_size(metrics)
        if step % settings.record_every == 0 or step == settings.steps - 1:
            self._record(groups, step)
            metrics |= distributions(groups)
        return metrics

    def explore(self, step: int) -> list[Group]:
        """The step's groups of outputs, sampled from the model that the method samples from, and rewarded."""
        if self.method.source == "current":
            self.sampler.load(self.policy)
        elif self.method.source == "initial":
            self.sampler.load(self.initial)
        return self.exploration.groups_of_step(step, self.state.group_size)

    def _step_metrics(
        self, groups: list[Group], rate: float, updates: list[dict[str, float]]
    ) -> dict[str, Any]:
        sampled_tokens = sum(sum(group.lengths) for group in groups)
        reference = self.updater.reference
        frozen = [reference] if reference is not None else []

        metrics = {"learning_rate": rate, **group_metrics(groups)}
        metrics |= update_metrics(updates, sampled_tokens, self.stopwatch.seconds)
        metrics["peak_memory_mb"] = peak_memory_mb()
        metrics["model_state_mb"] = round(state_mb(self.updater.trained, frozen), 3)

        self.stopwatch.reset()
        return metrics

    def _set_group_size(self, metrics: dict[str, float]) -> None:
        """Outputs per question of the next step, by the rewards of this one."""
        settings = self.settings
        self.state.group_size = adapted_group_size(
            settings.group_sizing,
            spread=metrics["reward_std"],
            span=metrics["reward_span"],
            most=settings.group_size,
        )

    def _record(self, groups: list[Group], step: int) -> None:
        """Keep some rollouts for reading."""
        kept = groups[: self.settings.record_questions]
        self.state.records += [group_record(group, self.tokenizer, step) for group in kept]

    # ---- Iterations --------------------------------------------------------------------------------------------

    def _iteration_starts(self) -> list[int]:
        """Steps before which the reference becomes the policy, the start of the first iteration excepted."""
        settings = self.settings
        if self.updater.reference is None:
            return []
        later = range(1, settings.iterations)
        return [round(i * settings.steps / settings.iterations) for i in later]

    def _tell_iteration(self, step: int) -> None:
        """Let the experts know whose guideline holds; at every step, since a run may be taken up anywhere."""
        iteration = sum(step >= start for start in self._iteration_starts())
        for reward in self.exploration.rewards.values():
            if isinstance(reward, ExpertReward):
                reward.iteration = iteration

    def _start_iteration(self, step: int) -> None:
        """The reference becomes the policy, and reward models learn from the policy's samples (Algorithm 1)."""
        iteration = self._iteration_starts().index(step) + 1
        if self.updater.reference is not None:
            self.updater.reference.load_state_dict(self.policy.state_dict())

        for name, training in self.reward_training.items():
            self.sampler.load(self.policy)
            line = training.continue_training(self.sampler, self.questions, iteration)
            about = {"step": step, "trained_reward": name, "iteration": iteration}
            self.state.lines.append({**about, **line})

    # ---- Checks, evaluation, results ---------------------------------------------------------------------------

    def _check_sampler(self, rows: list[Row]) -> None:
        """Before its first update a process must find the log-probabilities that the sampler reported."""
        self._has_checked = True
        # Importance sampling allows any difference: its rows hold the trainer's own log-probabilities.
        if self.settings.importance != "none":
            cap = self.settings.importance_cap
            found = mismatch_metrics(rows, cap)
            if found:
                print(note_of_mismatch(found, cap), file=sys.stderr)
            return

        sampled = [row for row in rows if "old_log_probs" in row.columns]
        recomputed = self.updater.policy_log_probs(sampled)
        differences = [
            np.abs(mine - row.columns["old_log_probs"])[row.loss_mask]
            for row, mine in zip(sampled, recomputed, strict=True)
        ]
        if not differences:
            return
        of_token = np.concatenate(differences)
        mean, high, largest = of_token.mean(), np.quantile(of_token, 0.99), of_token.max()

        kind = "bf16" if computes_in_bf16(self.settings.precision, self.policy) else "fp32"
        mean_limit, high_limit = MISMATCH_LIMITS[kind]
        if not (mean <= mean_limit and high <= high_limit):
            verdict = (
                f"sampler and trainer disagree by {mean:.2g} on average in a token's log-probability "
                f"({high:.2g} in one of a hundred)"
            )
            if self.settings.engine != "own":
                raise UserError(f"{verdict}; set rl.importance: truncated, or another precision")
            raise RuntimeError(f"{verdict}; this is a bug")
        print(
            f"sampler and trainer agree: log-probabilities differ by {mean:.1e} on average, {largest:.1e} at most",
            file=sys.stderr,
        )

    def _note_idle(self, step: int, groups: list[Group], *, has_rows: bool) -> None:
        """Count steps that had nothing to learn from, and say so at the first and then ever more rarely."""
        self.state.idle_steps = 0 if has_rows else self.state.idle_steps + 1
        idle = self.state.idle_steps
        is_power_of_two = idle & (idle - 1) == 0
        if not idle or not is_power_of_two:
            return

        reward = np.mean([group.rewards.mean() for group in groups])
        print(
            f"warning: step {step + 1}: nothing to learn, every question's outputs are rewarded alike (mean reward "
            f"{reward:.3g}); {idle} such step(s) in a row. Other problems, larger groups or another reward may help",
            file=sys.stderr,
        )

    def _evaluate(self, step: int) -> None:
        """Add a line with greedy accuracy on the held-out problems, if there are any."""
        if not self.heldout:
            return
        self.sampler.load(self.policy)
        max_new_tokens = self.settings.max_new_tokens
        self.state.lines.append(greedy_accuracy(self.sampler, self.heldout, max_new_tokens, step))

    def _warn(self) -> None:
        """Say, at most once in a window, that a reward model and the rule diverge."""
        lines = self.state.lines
        recent = lines[-WINDOW:]
        for name in self.settings.rewards:
            if not name.endswith("_model"):
                continue
            warning = divergence(lines, name)
            has_warned = any(f"warning_{name}" in line for line in recent)
            if warning and not has_warned:
                lines[-1][f"warning_{name}"] = warning
                print(f"warning: step {lines[-1]['step']}: {warning}", file=sys.stderr)

    def _results(self) -> dict[str, float]:
        lines = self.state.lines
        last_step = [line for line in lines if "reward" in line][-1]
        results = {name: last_step[name] for name in REPORTED if name in last_step}

        # The first and the last evaluation, before and after training.
        accuracies = [line["heldout_greedy"] for line in lines if "heldout_greedy" in line]
        if accuracies:
            results["heldout_greedy_before"] = accuracies[0]
            results["heldout_greedy_after"] = accuracies[-1]
        return results

    # ---- Checkpoints -------------------------------------------------------------------------------------------

    def _save(self, checkpoints: Checkpoints, step: int) -> None:
        histories = {name: training.state() for name, training in self.reward_training.items()}
        extra = {
            "group_size": self.state.group_size,
            "idle_steps": self.state.idle_steps,
            "lines": self.state.lines,
            "records": self.state.records,
            "histories": histories,
        }
        checkpoints.save(step, self.policy, self.updater.optimiser, extra, beside=self._beside())

    def _restore(self, checkpoints: Checkpoints) -> int:
        """Load the newest checkpoint, if there is one; returns the number of steps done."""
        step, extra = checkpoints.load(self.policy, self.updater.optimiser, self._beside())
        if step == 0:
            return 0

        self.state = TrainerState(
            group_size=extra["group_size"],
            lines=extra["lines"],
            records=extra["records"],
            idle_steps=extra["idle_steps"],
        )
        for name, history in extra["histories"].items():
            self.reward_training[name].load_state(history)
        return step

    def _beside(self) -> dict[str, Trained]:
        """Models that a checkpoint holds beside the policy: those that change while RL runs."""
        models: dict[str, Trained] = {}
        value = self.updater.value
        if value is not None:
            models["value"] = (value.model, value.optimiser)

        for name, reward in self.learning_rewards.items():
            models[name] = (reward.model, reward.optimiser)

        if self._iteration_starts():
            for name, training in self.reward_training.items():
                models[name] = (training.reward.model, None)
            assert self.updater.reference is not None  # or there would be no iterations
            models["reference"] = (self.updater.reference, None)
        return models
