"""The training loop of pretraining, fine-tuning and reward models: steps, evaluations, checkpoints,
metrics.

Data come from a pure function of the step, the learning rate too, so that a run that goes on from a
checkpoint reads exactly what it would have read. Every step and every evaluation is one line of
metrics.jsonl.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import PreTrainedModel

from pipeline.config.schedule import Schedule, learning_rate
from pipeline.config.training import Optimisation
from pipeline.errors import UserError
from pipeline.forward.batches import Row
from pipeline.forward.layout import Layout
from pipeline.model import distributed
from pipeline.progress import Progress
from pipeline.training import stop
from pipeline.training.checkpoint import Checkpoints
from pipeline.training.step import Loss, set_learning_rate, train_step
from pipeline.training.tracking import MetricsTracker

Evaluate = Callable[[], dict[str, float]]
"""Measures the model by name; lower is better for every name."""


@dataclass(slots=True)
class Plan:
    """How long and how a training runs; the data come from a function of the step."""

    name: str
    steps: int
    schedule: Schedule
    max_tokens: int
    """Tokens of a micro-batch."""
    clip_norm: float = 1.0
    precision: str = "auto"
    packed: bool = False
    layout: Layout | None = None
    """Instead of rows on their own, packed or padded."""
    checkpoint_every: int = 100
    evaluate_every: int = 0
    """Steps between evaluations; 0 means only before the first and after the last step."""
    final: str = "last"
    """Whether the weights of the last step or of the best evaluation are left in the model."""


def plan_of(name: str, steps: int, settings: Optimisation, evaluate_every: int = 0) -> Plan:
    """A plan from a stage's section `optimisation`."""
    cheap = settings.attention in ("auto", "flash_attention_2", "flex_attention")
    packed = settings.batching == "packed" or (settings.batching == "auto" and cheap)
    return Plan(
        name,
        steps,
        settings.schedule,
        settings.micro_batch_tokens,
        clip_norm=settings.clip_norm,
        precision=settings.precision,
        packed=packed,
        checkpoint_every=settings.checkpoint_every,
        evaluate_every=evaluate_every,
        final=settings.final,
    )


@dataclass(slots=True)
class History:
    """What a training has measured so far; a part of its checkpoints."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    """Those of metrics.jsonl: every step and every evaluation."""
    results: dict[str, dict[str, float]] = field(default_factory=dict)
    """The evaluations "before" and "after", and "best" where there were some in between."""
    best: dict[str, float] = field(default_factory=dict)
    """The "step" after which the mean of the evaluation's values was lowest, and that mean
    ("value")."""

    def state(self) -> dict[str, Any]:
        return {"lines": self.lines, "results": self.results, "best": self.best}


def train(
    model: PreTrainedModel,
    optimiser: torch.optim.Optimizer,
    rows_of_step: Callable[[int], Sequence[Row]],
    loss: Loss,
    plan: Plan,
    checkpoints: Checkpoints,
    evaluate: Evaluate | None = None,
    tracker: MetricsTracker | None = None,
) -> History:
    """Run `plan`, going on from the newest checkpoint; `rows_of_step` must be a pure function of
    the step.

    Returns what was measured, the part before the checkpoint included.
    """
    step, extra = checkpoints.load(model, optimiser)
    history = History(**extra)
    model.train()

    stream = distributed.progress_stream()
    with Progress(plan.name, plan.steps, "steps", stream, beats=True) as progress:
        if evaluate and step == 0:
            with progress.during("evaluating"):
                history.results["before"] = _evaluate(model, evaluate, history, 0)
        if tracker:
            tracker.show(history.lines)

        progress.begin(step)
        while step < plan.steps:
            line = _step(model, optimiser, rows_of_step, loss, plan, step)
            step += 1
            history.lines.append({"step": step, **line})
            if tracker:
                tracker.show(history.lines)
            progress.add(1, loss=line["loss"], tokens_per_second=line["tokens_per_second"])

            # After the last step comes the last evaluation, and the model folder in the place of a
            # checkpoint.
            if step == plan.steps:
                break
            if evaluate and plan.evaluate_every and step % plan.evaluate_every == 0:
                with progress.during("evaluating"):
                    _evaluate(model, evaluate, history, step)
                if tracker:
                    tracker.show(history.lines)
                if history.best.get("step") == step:
                    checkpoints.save(step, model, optimiser, history.state(), best=True)
            must_stop = checkpoints.told_to_stop()
            if step % plan.checkpoint_every == 0 or must_stop:
                checkpoints.save(step, model, optimiser, history.state())
            if must_stop:
                stop.end(step)

        model.eval()
        if evaluate:
            with progress.during("evaluating"):
                _finish(model, evaluate, history, plan, checkpoints)
        if tracker:
            tracker.show(history.lines)
    return history


def _step(
    model: PreTrainedModel,
    optimiser: torch.optim.Optimizer,
    rows_of_step: Callable[[int], Sequence[Row]],
    loss: Loss,
    plan: Plan,
    step: int,
) -> dict[str, float]:
    """One optimiser step; returns its line of the metrics."""
    start = time.perf_counter()
    rate = learning_rate(plan.schedule, step, plan.steps)
    set_learning_rate(optimiser, rate)

    metrics = train_step(
        model,
        optimiser,
        rows_of_step(step),
        loss,
        max_tokens=plan.max_tokens,
        clip_norm=plan.clip_norm,
        precision=plan.precision,
        packed=plan.packed,
        layout=plan.layout,
    )

    speed = round(metrics["tokens"] / (time.perf_counter() - start))
    return {"learning_rate": rate, **metrics, "tokens_per_second": speed}


def _finish(
    model: PreTrainedModel,
    evaluate: Evaluate,
    history: History,
    plan: Plan,
    checkpoints: Checkpoints,
) -> None:
    """The last evaluation; puts the best weights in the place of the last ones where the plan says
    so."""
    history.results["after"] = _evaluate(model, evaluate, history, plan.steps)
    if not plan.evaluate_every:
        return

    if plan.final == "best" and not history.best:
        raise UserError(
            f"{plan.name}: optimisation.final = best: no evaluation gave a number, the training has "
            "diverged; lower optimisation.schedule.peak"
        )
    history.results["best"] = history.best
    if plan.final == "best" and history.best["step"] < plan.steps:
        checkpoints.load_best(model)
        # Measured again: it is the saved model's value that the manifest states.
        history.results["after"] = _evaluate(model, evaluate, history, plan.steps)


def _evaluate(
    model: PreTrainedModel, evaluate: Evaluate, history: History, step: int
) -> dict[str, float]:
    """Measure the model, add the line, and remember the step where it is the best so far."""
    training = model.training
    model.eval()
    values = evaluate()
    model.train(training)
    history.lines.append({"step": step, **values})

    mean = sum(values.values()) / max(1, len(values))
    # The model before training is no candidate for the best one.
    if step and mean < history.best.get("value", float("inf")):
        history.best = {"step": step, "value": round(mean, 5)}
    return values
