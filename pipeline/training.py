"""The optimiser step and the training loop that all methods share.

The step knows rows, columns and a loss function, nothing else. The loss function returns per-token terms that are
already weighted: their SUM over all micro-batches is the step's loss. Denominators are therefore totals that the
caller computes over the whole step beforehand (usually in the column "weight"), and how rows are cut into
micro-batches changes nothing.

Not done here: several processes (pipeline.distributed), drawing data, generating text.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import PreTrainedModel

from pipeline.checkpoint import Checkpoints
from pipeline.models import autocast
from pipeline.parallel import ordered_map
from pipeline.progress import Progress
from pipeline.rows import Layout, MicroBatch, Row, layout_of
from pipeline.schedule import Schedule, learning_rate
from pipeline.schema.training import Optimisation

Columns = dict[str, torch.Tensor]
Loss = Callable[[torch.Tensor, Columns], torch.Tensor | tuple[torch.Tensor, dict[str, torch.Tensor]]]
"""(log-probabilities [N], columns of [N]) -> per-token loss terms [N], or these and sums to report by name."""


def weighted_nll(logprobs_N: torch.Tensor, columns: Columns) -> torch.Tensor:
    """Negative log-likelihood times the column "weight": language modelling, SFT and rejection sampling."""
    return -logprobs_N * columns["weight"]


def adamw(
    model: torch.nn.Module, *, betas: tuple[float, float] = (0.9, 0.95), weight_decay: float = 0.1
) -> torch.optim.AdamW:
    """AdamW as in the paper (section 2.3). Vectors (norm gains) are not decayed. The rate is set at each step."""
    named = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in named if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [p for p in named if p.dim() < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=0.0, betas=betas, eps=1e-8, fused=True)


def set_learning_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    for group in optimiser.param_groups:
        group["lr"] = rate


def train_step(
    model: PreTrainedModel,
    optimiser: torch.optim.Optimizer,
    rows: Sequence[Row],
    loss: Loss,
    *,
    max_tokens: int,
    clip_norm: float = 1.0,
    precision: str = "auto",
    packed: bool = False,
    temperature: float = 1.0,
    layout: Layout | None = None,
) -> dict[str, float]:
    """One optimiser step over `rows`, in micro-batches of at most `max_tokens` tokens.

    Returns "loss" (the sum of all terms), "grad_norm" (before clipping), "tokens" (computed, padding included),
    "scored" and the loss function's own sums. A step with nothing to learn changes no weight.
    """
    layout = layout or layout_of(packed)
    optimiser.zero_grad(set_to_none=True)
    parameters = [p for p in model.parameters() if p.requires_grad]

    def compute(batch: MicroBatch) -> tuple[MicroBatch, dict[str, torch.Tensor], Sequence[torch.Tensor | None]]:
        with autocast(precision):
            logprobs = layout.logprobs(model, batch, temperature)
        terms = loss(logprobs, batch.columns)
        terms, reported = terms if isinstance(terms, tuple) else (terms, {})
        total = terms.sum()
        gradients = torch.autograd.grad(total, parameters, allow_unused=True)
        return batch, {name: value.detach() for name, value in {"loss": total, **reported}.items()}, gradients

    sums: dict[str, torch.Tensor] = {}
    tokens = scored = 0
    batches = layout.cut(rows, max_tokens, device=model.device)
    for batch, values, gradients in (
        ordered_map(compute, batches) if model.device.type == "cpu" else map(compute, batches)
    ):
        add_gradients(parameters, gradients)
        for name, value in values.items():
            sums[name] = sums[name] + value if name in sums else value
        tokens += batch.tokens
        scored += len(batch.targets)
    metrics = {name: float(value) for name, value in sums.items()} or {"loss": 0.0}
    norm = apply_gradients(model, optimiser, clip_norm) if scored else 0.0
    return {**metrics, "grad_norm": norm, "tokens": tokens, "scored": scored}


def add_gradients(parameters: Sequence[torch.nn.Parameter], gradients: Sequence[torch.Tensor | None]) -> None:
    for parameter, gradient in zip(parameters, gradients, strict=True):
        if gradient is not None:
            parameter.grad = gradient if parameter.grad is None else parameter.grad.add_(gradient)


def apply_gradients(model: torch.nn.Module, optimiser: torch.optim.Optimizer, clip_norm: float) -> float:
    """Clip the gradient to `clip_norm`, step the optimiser, return the norm before clipping."""
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
    optimiser.step()
    return float(norm)


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
    checkpoint_every: int = 100
    evaluate_every: int = 0
    """Steps between evaluations; 0 means only before the first and after the last step."""


def plan_of(name: str, steps: int, settings: Optimisation, evaluate_every: int = 0) -> Plan:
    """A plan from a stage's section `optimisation`."""
    packed = settings.batching == "packed" or (settings.batching == "auto" and torch.cuda.is_available())
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
    )


def train(
    model: PreTrainedModel,
    optimiser: torch.optim.Optimizer,
    rows_of_step: Callable[[int], Sequence[Row]],
    loss: Loss,
    plan: Plan,
    checkpoints: Checkpoints,
    metrics_file: Path,
    evaluate: Callable[[], dict[str, float]] | None = None,
) -> dict[str, dict[str, float]]:
    """Run `plan`, going on from the newest checkpoint; `rows_of_step` must be a pure function of the step.

    Every step and evaluation is one line of `metrics_file`. Returns the evaluations {"before": …, "after": …}.
    """
    step, extra = checkpoints.load(model, optimiser)
    results, lines = extra.get("results", {}), extra.get("lines", [])
    model.train()
    if evaluate and step == 0:
        results["before"] = _evaluate(model, evaluate, lines, 0)
    with Progress(plan.name, plan.steps, "steps") as progress:
        progress.add(step)
        while step < plan.steps:
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
            )
            step += 1
            seconds = time.perf_counter() - start
            speed = metrics["tokens"] / seconds
            lines.append({"step": step, "learning_rate": rate, **metrics, "tokens_per_second": round(speed)})
            progress.add(1, loss=metrics["loss"], tokens_per_second=round(speed))
            if evaluate and plan.evaluate_every and step % plan.evaluate_every == 0 and step < plan.steps:
                _evaluate(model, evaluate, lines, step)
            if step % plan.checkpoint_every == 0 and step < plan.steps:
                checkpoints.save(step, model, optimiser, {"results": results, "lines": lines})
    model.eval()
    if evaluate:
        results["after"] = _evaluate(model, evaluate, lines, step)
    metrics_file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return results


def _evaluate(
    model: PreTrainedModel, evaluate: Callable[[], dict[str, float]], lines: list[dict], step: int
) -> dict[str, float]:
    training = model.training
    model.eval()
    values = evaluate()
    model.train(training)
    lines.append({"step": step, **values})
    return values
