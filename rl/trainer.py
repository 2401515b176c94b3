"""The loop of RL: sample, reward, turn rewards into rows, update; the reference, the metrics and the records."""

import copy
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch

from pipeline.config.rl import RL
from pipeline.config.schedule import constant, learning_rate
from pipeline.forward.batches import Row
from pipeline.forward.layout import layout_for, row_log_probs
from pipeline.inference.engine import Engine, SamplingSettings
from pipeline.inference.sampler import Sampler
from pipeline.model import distributed
from pipeline.model.load import computes_in_bf16
from pipeline.progress import Progress
from pipeline.training.checkpoint import Checkpoints, Trained
from pipeline.training.step import adamw, set_learning_rate, share_out, train_step
from rl.advantages import adapted_group_size, has_spread
from rl.iterative import RewardTraining
from rl.methods import METHODS, Scorers
from rl.metrics import group_metrics, peak_memory_mb, state_mb, update_metrics
from rl.reward_hacking import WINDOW, parting
from rl.rewards import RewardFunction, RuleReward, compose
from rl.rollouts import Group, Question, group_record, questions_of_step, roll_out
from rl.score_model import ModelReward
from rl.tool_sampler import Programs, ToolSampler
from rl.value_model import ValueModel

MISMATCH_LIMIT = {"fp32": 1e-3, "bf16": 0.3}
"""How far the trainer's and the sampler's log-probability of one token may differ before the first update."""


class Learner:
    """Trains `policy` in place. `lines` are the metrics so far, `records` the rollouts kept for reading.

    `examples` (method sft) are worked solutions in the place of outputs, by problem id; `value` is PPO's value model;
    `reward_training` trains reward models on between iterations; `sampler` takes the place of our own; `programs` is
    the sandbox of the mode tool.
    """

    def __init__(
        self,
        policy,
        tokenizer,
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
    ):
        self.policy, self.tokenizer, self.settings = policy.eval(), tokenizer, settings
        self.questions, self.heldout = questions, heldout[: settings.evaluate_problems]
        self.rewards, self.method = rewards, METHODS[settings.method]
        self.examples, self.value = examples, value
        compared = settings.beta > 0 and settings.method in ("ppo", "grpo_outcome", "grpo_process")
        keeps_start = compared or self.method.source == "initial"
        self.initial = copy.deepcopy(policy).requires_grad_(False) if keeps_start else None
        # What is sampled from stays the start where iterations move the reference.
        moves = self.method.source == "initial" and settings.iterations > 1
        self.reference = copy.deepcopy(self.initial) if moves else self.initial
        self.kind = "bf16" if computes_in_bf16(settings.precision) else "fp32"
        judges = [reward.model for reward in rewards.values() if isinstance(reward, ModelReward)]
        for model in dict.fromkeys(
            m for m in (policy, self.initial, self.reference, *judges) if m is not None
        ):
            share_out(model, settings.distribution, settings.precision)
        self.optimiser = adamw(policy, weight_decay=settings.weight_decay)
        dtype = torch.bfloat16 if self.kind == "bf16" else None
        compiled = settings.compile_sampler == "always" or (
            settings.compile_sampler == "auto" and policy.device.type == "cuda"
        )
        self.sampler = sampler or Sampler(policy, tokenizer, settings.max_batch, dtype, compiled)
        if settings.mode == "tool":
            self.sampler = ToolSampler(self.sampler, programs or Programs(), settings.tool_rounds)
        self.reward_training = reward_training or {}
        self.layout = layout_for(policy, shared_prefix=True)
        self.loss = self.method.loss(settings)
        self.lines: list[dict] = []
        self.records: list[dict] = []
        self.seconds: dict[str, float] = defaultdict(float)

    def run(self, checkpoints: Checkpoints) -> dict[str, float]:
        """Train to the end, going on from the newest checkpoint. Returns held-out accuracy before and after."""
        settings = self.settings
        step = self._restore(checkpoints)
        if step == 0:
            self._evaluate(0)
        with Progress(
            f"rl {settings.method}", settings.steps, "steps", distributed.progress_stream()
        ) as progress:
            progress.add(step)
            while step < settings.steps:
                line = self.step(step)
                step += 1
                self.lines.append({"step": step, **line})
                self._warn()
                if (
                    settings.evaluate_every
                    and step % settings.evaluate_every == 0
                    and step < settings.steps
                ):
                    self._evaluate(step)
                if step % settings.checkpoint_every == 0 and step < settings.steps:
                    self._save(checkpoints, step)
                progress.add(1, right=line["right"], length=line["length"])
        self._evaluate(step)
        return self._results()

    def step(self, step: int) -> dict[str, float]:
        """One exploration stage and its update(s); returns the step's metrics."""
        settings = self.settings
        if step in self._iteration_starts():
            self._next_iteration(step)
        groups = self.explore(step)
        with self._timed("score"):
            values = self.value.values if self.value else None
            scorers = Scorers(self._scorer("policy"), self._scorer("reference"), values)
            rows = self.method.rows(groups, settings, scorers)
        if step == 0 and self.method.source == "current":
            self._check_sampler(rows)
        rate = learning_rate(
            constant(settings.learning_rate, settings.warmup_steps), step, settings.steps
        )
        metrics = {"learning_rate": rate, **group_metrics(groups)}
        with self._timed("update"):
            updates = [self._update(rows, rate, step) for _ in range(settings.updates_per_rollout)]
        metrics |= update_metrics(
            updates, sum(sum(group.lengths) for group in groups), self.seconds
        )
        metrics |= {"peak_memory_mb": peak_memory_mb(), "model_state_mb": self._state_mb()}
        self.seconds.clear()
        if step % settings.record_every == 0 or step == settings.steps - 1:
            self.records += [
                group_record(g, self.tokenizer, step) for g in groups[: settings.record_questions]
            ]
        return metrics

    def explore(self, step: int) -> list[Group]:
        """The step's questions with their outputs, rewarded; with dynamic sampling only those that teach, if found."""
        settings = self.settings
        questions = questions_of_step(self.questions, step, settings.questions, settings.seed)
        if self.method.source != "solutions":
            self.sampler.load(self.policy if self.method.source == "current" else self.initial)
        groups = self._rewarded(questions, step)
        for turn in range(1, settings.dynamic_sampling + 1):
            flat = [place for place, group in enumerate(groups) if not has_spread(group.rewards)]
            if not flat:
                break
            # another stream of questions than the steps' own: a pure function of seed, step and turn
            others = questions_of_step(self.questions, step, len(flat), settings.seed + 7919 * turn)
            for place, group in zip(flat, self._rewarded(others, f"{step}.{turn}"), strict=True):
                groups[place] = group
        return groups

    def _rewarded(self, questions: Sequence[Question], step: int | str) -> list[Group]:
        settings = self.settings
        with self._timed("sample"):
            if self.method.source == "solutions":
                groups = [self.examples[question.problem.id] for question in questions]
            else:
                sampling = SamplingSettings(
                    temperature=settings.temperature,
                    max_new_tokens=settings.max_new_tokens,
                    seed=settings.seed,
                )
                groups = roll_out(self.sampler, questions, self._group_size(), sampling, step)
        with self._timed("reward"):
            compose(groups, self.rewards, settings.rewards)
        return groups

    def _group_size(self) -> int:
        """Outputs per question, by the rewards of the step before."""
        last = next((line for line in reversed(self.lines) if "reward_std" in line), None)
        if last is None:
            return self.settings.group_size
        rule, most = self.settings.group_sizing, self.settings.group_size
        return adapted_group_size(rule, last["reward_std"], last["reward_span"], most)

    def _next_iteration(self, step: int) -> None:
        """The reference becomes the policy, and reward models learn from the policy's own samples (Algorithm 1)."""
        self.reference.load_state_dict(self.policy.state_dict())
        iteration = self._iteration_starts().index(step) + 1
        for name, training in self.reward_training.items():
            self.sampler.load(self.policy)
            line = training.train_on(self.sampler, self.questions, iteration)
            self.lines.append(
                {"step": step, "trained_reward": name, "iteration": iteration, **line}
            )

    def _warn(self) -> None:
        """Say, at most once in a window, that a model's reward and the rule part."""
        recent = self.lines[-WINDOW:]
        for name in self.settings.rewards:
            text = parting(self.lines, name) if name.endswith("_model") else None
            if text and not any(f"warning_{name}" in line for line in recent):
                self.lines[-1][f"warning_{name}"] = text
                print(f"warning: step {self.lines[-1]['step']}: {text}", file=sys.stderr)

    def _update(self, rows: list[Row], rate: float, step: int) -> dict[str, float]:
        settings = self.settings
        set_learning_rate(self.optimiser, rate)
        value_error = {"value_error": self.value.update(rows)} if self.value else {}
        if self.value and step < settings.ppo.warmup_steps:
            rows = []
        metrics = train_step(
            self.policy,
            self.optimiser,
            rows,
            self.loss,
            max_tokens=settings.micro_batch_tokens,
            clip_norm=settings.clip_norm,
            precision=settings.precision,
            temperature=settings.temperature,
            layout=self.layout,
        )
        return metrics | value_error

    def _iteration_starts(self) -> list[int]:
        """Steps before which the reference becomes the policy, the first iteration's start excepted."""
        settings = self.settings
        if self.reference is None:
            return []
        return [
            round(i * settings.steps / settings.iterations) for i in range(1, settings.iterations)
        ]

    def _scorer(self, which: str):
        settings = self.settings

        def score(rows: Sequence[Row]) -> list[np.ndarray]:
            mine = row_log_probs(
                getattr(self, which),
                distributed.shard_for_rank(rows),
                settings.micro_batch_tokens,
                temperature=settings.temperature,
                precision=settings.precision,
                layout=self.layout,
            )
            return distributed.gather(mine)

        return score

    def _check_sampler(self, rows: list[Row]) -> None:
        """Before the first update the trainer must find the log-probabilities that the sampler reported."""
        rows = [row for row in rows if "old" in row.columns]
        differences = [
            np.abs(mine - row.columns["old"]).max(where=row.loss_mask, initial=0.0)
            for row, mine in zip(rows, self._scorer("policy")(rows), strict=True)
        ]
        worst = float(max(differences, default=0.0))
        if self.settings.importance == "truncated":
            return  # the rows hold the trainer's own; the loss reports how far the sampler's are
        if not worst <= MISMATCH_LIMIT[self.kind]:
            raise RuntimeError(
                f"sampler and trainer disagree by {worst:.2g} in a log-probability; this is a bug"
            )
        print(f"sampler and trainer agree to {worst:.1e} in every log-probability", file=sys.stderr)

    def _evaluate(self, step: int) -> None:
        """Greedy accuracy on the held-out problems, by the rule."""
        if not self.heldout:
            return
        self.sampler.load(self.policy)
        sampling = SamplingSettings(temperature=0, max_new_tokens=self.settings.max_new_tokens)
        groups = roll_out(self.sampler, self.heldout, 1, sampling, step)
        scores = RuleReward(final_box_only=False).score(groups)
        self.lines.append(
            {
                "step": step,
                "heldout_greedy": float(np.mean(scores)),
                "heldout_problems": len(groups),
            }
        )

    def _state_mb(self) -> float:
        """Memory of all models: weights, and where they are trained gradients and AdamW's two moments."""
        trained = [self.policy, *([self.value.model] if self.value else [])]
        return round(state_mb(trained, [self.reference] if self.reference is not None else []), 3)

    def _results(self) -> dict[str, float]:
        heldout = [line["heldout_greedy"] for line in self.lines if "heldout_greedy" in line]
        last = [line for line in self.lines if "reward" in line][-1]
        names = ("reward", "right", "zero_variance_groups", "length", "kl")
        results = {name: last[name] for name in names if name in last}
        if heldout:
            results |= {"heldout_greedy_before": heldout[0], "heldout_greedy_after": heldout[-1]}
        return results

    def _save(self, checkpoints: Checkpoints, step: int) -> None:
        extra = {"lines": self.lines, "records": self.records}
        extra["histories"] = {
            name: training.state() for name, training in self.reward_training.items()
        }
        checkpoints.save(step, self.policy, self.optimiser, extra, beside=self._beside())

    def _restore(self, checkpoints: Checkpoints) -> int:
        step, extra = checkpoints.load(self.policy, self.optimiser, self._beside())
        self.lines, self.records = extra.get("lines", []), extra.get("records", [])
        for name, history in extra.get("histories", {}).items():
            self.reward_training[name].load_state(history)
        return step

    def _beside(self) -> dict[str, Trained]:
        """What a checkpoint holds beside the policy: the value model, and the models that change between iterations."""
        models: dict[str, Trained] = (
            {"value": (self.value.model, self.value.optimiser)} if self.value else {}
        )
        if self._iteration_starts():
            models |= {
                name: (training.reward.model, None)
                for name, training in self.reward_training.items()
            }
            models["reference"] = (self.reference, None)
        return models

    @contextmanager
    def _timed(self, phase: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[phase] += time.perf_counter() - start
