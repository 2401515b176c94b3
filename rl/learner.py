"""The loop of RL: sample, reward, turn rewards into rows, update; the reference, the metrics and the records."""

import copy
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch

from pipeline.checkpoint import Checkpoints
from pipeline.generation import Sampler, SamplingSettings
from pipeline.models import autocast
from pipeline.progress import Progress
from pipeline.rows import Row, row_logprobs
from pipeline.schedule import constant, learning_rate
from pipeline.schema.rl import RL
from pipeline.shared_prompts import SHARED_PROMPTS
from pipeline.training import adamw, set_learning_rate, train_step
from rl.advantages import has_spread
from rl.methods import METHODS, Scorers
from rl.rewards import RewardFunction, RuleReward, compose
from rl.rollouts import Group, Question, questions_of_step, roll_out

MISMATCH_LIMIT = {"fp32": 1e-3, "bf16": 0.3}
"""How far the trainer's and the sampler's log-probability of one token may differ before the first update."""


class Learner:
    """Trains `policy` in place. `lines` are the metrics so far, `records` the rollouts kept for reading."""

    def __init__(
        self,
        policy,
        tokenizer,
        settings: RL,
        questions: Sequence[Question],
        heldout: Sequence[Question],
        rewards: dict[str, RewardFunction],
    ):
        self.policy, self.tokenizer, self.settings = policy.eval(), tokenizer, settings
        self.questions, self.heldout = questions, heldout[: settings.evaluate_problems]
        self.rewards, self.method = rewards, METHODS[settings.method]
        self.optimiser = adamw(policy, weight_decay=settings.weight_decay)
        self.initial = copy.deepcopy(policy).requires_grad_(False)
        self.reference = self.initial
        self.sampler = Sampler(policy, tokenizer, settings.max_batch)
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
        with Progress(f"rl {settings.method}", settings.steps, "steps") as progress:
            progress.add(step)
            while step < settings.steps:
                line = self._step(step)
                step += 1
                self.lines.append({"step": step, **line})
                if settings.evaluate_every and step % settings.evaluate_every == 0 and step < settings.steps:
                    self._evaluate(step)
                if step % settings.checkpoint_every == 0 and step < settings.steps:
                    self._save(checkpoints, step)
                progress.add(1, right=line["right"], length=line["length"])
        self._evaluate(step)
        return self._results()

    def _step(self, step: int) -> dict[str, float]:
        """One exploration stage and its update(s)."""
        settings = self.settings
        if step in self._iteration_starts():
            self.reference = copy.deepcopy(self.policy).requires_grad_(False)
        set_learning_rate(self.optimiser, self._rate(step))
        groups = self._explore(step)
        with self._timed("score"):
            rows = self.method.rows(groups, settings, Scorers(self._scorer("policy"), self._scorer("reference")))
        if not self.lines_of_steps() and self.method.source == "current":
            self._check_sampler(rows)
        updates = []
        with self._timed("update"):
            for _ in range(settings.updates_per_rollout):
                updates.append(
                    train_step(
                        self.policy,
                        self.optimiser,
                        rows,
                        self.loss,
                        max_tokens=settings.micro_batch_tokens,
                        clip_norm=settings.clip_norm,
                        precision=settings.precision,
                        temperature=settings.temperature,
                        layout=SHARED_PROMPTS,
                    )
                )
        self._record(step, groups, rows)
        return {"learning_rate": self._rate(step), **_group_metrics(groups), **self._update_metrics(updates, groups)}

    def _explore(self, step: int) -> list[Group]:
        settings = self.settings
        questions = questions_of_step(self.questions, step, settings.questions, settings.seed)
        sampling = SamplingSettings(
            temperature=settings.temperature, max_new_tokens=settings.max_new_tokens, seed=settings.seed
        )
        with self._timed("sample"):
            self.sampler.load(self.policy if self.method.source == "current" else self.initial)
            groups = roll_out(self.sampler, questions, settings.group_size, sampling, step)
        with self._timed("reward"):
            compose(groups, self.rewards, settings.rewards)
        return groups

    def _iteration_starts(self) -> list[int]:
        """Steps before which the reference becomes the policy, the first iteration's start excepted."""
        settings = self.settings
        return [round(i * settings.steps / settings.iterations) for i in range(1, settings.iterations)]

    def _rate(self, step: int) -> float:
        settings = self.settings
        return learning_rate(constant(settings.learning_rate, settings.warmup_steps), step, settings.steps)

    def _scorer(self, which: str):
        settings = self.settings

        def score(rows: Sequence[Row]) -> list[np.ndarray]:
            return row_logprobs(
                getattr(self, which),
                rows,
                settings.micro_batch_tokens,
                temperature=settings.temperature,
                precision=settings.precision,
                layout=SHARED_PROMPTS,
            )

        return score

    def _check_sampler(self, rows: list[Row]) -> None:
        """Before the first update the trainer must find the log-probabilities that the sampler reported."""
        rows = [row for row in rows if "old" in row.columns]
        differences = [
            np.abs(mine - row.columns["old"]).max(where=row.scored, initial=0.0)
            for row, mine in zip(rows, self._scorer("policy")(rows), strict=True)
        ]
        worst = float(max(differences, default=0.0))
        with autocast(self.settings.precision):
            kind = "bf16" if torch.is_autocast_enabled(self.policy.device.type) else "fp32"
        if not worst <= MISMATCH_LIMIT[kind]:
            raise RuntimeError(f"sampler and trainer disagree by {worst:.2g} in a log-probability; this is a bug")
        print(f"sampler and trainer agree to {worst:.1e} in every log-probability", file=sys.stderr)

    def _update_metrics(self, updates: list[dict[str, float]], groups: list[Group]) -> dict[str, float]:
        """Means over scored tokens of the last update's sums, the phases' speeds, and memory."""
        last = updates[-1]
        scored = max(last["scored"], 1)
        sums = ("kl", "entropy", "mismatch", "clipped_low", "clipped_high")
        line = {name: last[name] / scored for name in sums if name in last}
        line |= {"loss": last["loss"], "grad_norm": last["grad_norm"]}
        sampled = sum(sum(group.lengths) for group in groups)
        line |= {f"{name}_seconds": round(value, 3) for name, value in self.seconds.items()}
        line["sampled_tokens"] = sampled
        line["sample_tokens_per_second"] = round(sampled / max(self.seconds["sample"], 1e-9))
        trained = sum(update["tokens"] for update in updates)
        line["update_tokens_per_second"] = round(trained / max(self.seconds["update"], 1e-9))
        line["peak_memory_mb"] = peak_memory_mb()
        self.seconds.clear()
        return line

    def _evaluate(self, step: int) -> None:
        """Greedy accuracy on the held-out problems, by the rule."""
        if not self.heldout:
            return
        self.sampler.load(self.policy)
        sampling = SamplingSettings(temperature=0, max_new_tokens=self.settings.max_new_tokens)
        groups = roll_out(self.sampler, self.heldout, 1, sampling, step)
        scores = RuleReward(final_box_only=False).score(groups)
        self.lines.append({"step": step, "heldout_greedy": float(np.mean(scores)), "heldout_problems": len(groups)})

    def _record(self, step: int, groups: list[Group], rows: list[Row]) -> None:
        """Keep some questions with all their outputs, rewards and advantages."""
        if step % self.settings.record_every and step != self.settings.steps - 1:
            return
        columns = iter(row.columns for row in rows)
        tokenwise = len(rows) == sum(len(group.samples) for group in groups) and "advantage" in rows[0].columns
        for group in groups[: self.settings.record_questions]:
            outputs = []
            for index, sample in enumerate(group.samples):
                output = {
                    "text": group.texts[index],
                    "reward": float(group.rewards[index]),
                    "parts": {name: float(values[index]) for name, values in group.parts.items()},
                    "finish": sample.finish,
                    "tokens": [self.tokenizer.decode([i]) for i in sample.ids],
                }
                if tokenwise:
                    advantage = next(columns)["advantage"][len(group.question.prompt) :]
                    output["advantages"] = [round(float(value), 4) for value in advantage]
                outputs.append(output)
            problem = group.question.problem
            self.records.append(
                {"step": step, "id": problem.id, "question": problem.question, "answer": problem.answer}
                | {"outputs": outputs}
            )

    def lines_of_steps(self) -> list[dict]:
        return [line for line in self.lines if "reward" in line]

    def _results(self) -> dict[str, float]:
        heldout = [line["heldout_greedy"] for line in self.lines if "heldout_greedy" in line]
        last = self.lines_of_steps()[-1]
        results = {
            name: last[name] for name in ("reward", "right", "zero_variance_groups", "length", "kl") if name in last
        }
        if heldout:
            results |= {"heldout_greedy_before": heldout[0], "heldout_greedy_after": heldout[-1]}
        return results

    def _save(self, checkpoints: Checkpoints, step: int) -> None:
        extra = {"lines": self.lines, "records": self.records}
        if self.reference is not self.initial:
            extra["reference"] = self.reference.state_dict()
        checkpoints.save(step, self.policy, self.optimiser, extra)

    def _restore(self, checkpoints: Checkpoints) -> int:
        step, extra = checkpoints.load(self.policy, self.optimiser)
        self.lines, self.records = extra.get("lines", []), extra.get("records", [])
        if "reference" in extra:
            self.reference = copy.deepcopy(self.initial)
            self.reference.load_state_dict(extra["reference"])
        return step

    @contextmanager
    def _timed(self, phase: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[phase] += time.perf_counter() - start


def _group_metrics(groups: list[Group]) -> dict[str, float]:
    """Rewards, their parts and the shape of the outputs, over all outputs of a step."""
    rewards = np.concatenate([group.rewards for group in groups])
    lengths = np.concatenate([group.lengths for group in groups])
    metrics = {
        "reward": float(rewards.mean()),
        "reward_std": float(rewards.std()),
        "right": float(np.mean([group.right.mean() for group in groups])),
        "zero_variance_groups": float(np.mean([not has_spread(group.rewards) for group in groups])),
        "length": float(lengths.mean()),
        "length_max": int(lengths.max()),
        "truncated": float(np.mean([sample.finish == "length" for group in groups for sample in group.samples])),
    }
    for name in groups[0].parts:
        metrics[f"reward_{name}"] = float(np.concatenate([group.parts[name] for group in groups]).mean())
    return metrics


def peak_memory_mb() -> int:
    """Peak memory of this process: of the accelerator if there is one, else resident."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() // 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
