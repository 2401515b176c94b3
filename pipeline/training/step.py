"""The optimiser step that all methods share. The loop around it is pipeline.training.loop.

The step knows rows, columns, a loss function and a layout that computes a number for each scored
token (its log-probability in pretraining, fine-tuning and RL, a score in reward and value models),
nothing else. The loss function returns per-token terms that are already weighted: their SUM over
all micro-batches of all processes is the step's loss. Denominators are therefore totals that the
caller computes over the whole step beforehand (usually in the column "weight"), and how rows are
cut into micro-batches or dealt out to processes changes nothing.

Not done here: drawing data, generating text, starting processes (pipeline.model.distributed).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import PreTrainedModel

from pipeline.forward.batches import MicroBatch, Row
from pipeline.forward.layout import Layout, filler_batches, layout_for
from pipeline.model import distributed
from pipeline.model.precision import autocast
from pipeline.model.threads import ordered_map
from pipeline.training.prepare import recomputing

Columns = dict[str, torch.Tensor]
"""What the caller attached to each token, by name: [N], as the scored tokens of a micro-batch."""
Loss = Callable[
    [torch.Tensor, Columns], torch.Tensor | tuple[torch.Tensor, dict[str, torch.Tensor]]
]
"""(log-probabilities or scores [N], columns [N]) -> per-token loss terms [N], or these and sums to
report by name."""


@dataclass(frozen=True, slots=True)
class Computed:
    """A micro-batch after its forward and backward pass."""

    batch: MicroBatch
    sums: dict[str, torch.Tensor]
    """The loss and the loss function's own sums, by name; scalars."""
    gradients: Sequence[torch.Tensor | None]
    """One a parameter; empty where the backward pass has added them to the parameters already."""


def weighted_nll(log_probs_N: torch.Tensor, columns: Columns) -> torch.Tensor:
    """Negative log-likelihood times the column "weight": language modelling, SFT and rejection
    sampling."""
    return -log_probs_N * columns["weight"]


def adamw(
    model: torch.nn.Module, *, betas: tuple[float, float] = (0.9, 0.95), weight_decay: float = 0.1
) -> torch.optim.AdamW:
    """AdamW as in the paper (section 2.3). Vectors (norm gains) are not decayed. The rate is set at
    each step."""
    trained = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.dim() < 2], "weight_decay": 0.0},
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

    With several processes `rows` are those of all; each computes its share. Returns "loss" (the sum
    of all terms), "grad_norm" (before clipping), "tokens" (computed, padding included), "scored"
    and the loss function's own sums. A step with nothing to learn changes no weight.
    """
    layout = layout or layout_for(model, packed=packed)
    optimiser.zero_grad(set_to_none=True)
    parameters = [p for p in model.parameters() if p.requires_grad]
    sharded = distributed.is_sharded(model)
    # On a CPU several micro-batches are computed at a time; their order in the sums stays the same.
    side_by_side = model.device.type == "cpu" and not sharded

    def compute(batch: MicroBatch) -> Computed:
        with autocast(precision, model):
            scores = distributed.run(layout.score, model, batch, temperature)
        terms = loss(scores, batch.columns)
        terms, reported = terms if isinstance(terms, tuple) else (terms, {})

        total = terms.sum()
        sums = {name: value.detach() for name, value in {"loss": total, **reported}.items()}
        if side_by_side:
            # Each thread has gradients of its own, which are added up in order.
            gradients = torch.autograd.grad(total, parameters, allow_unused=True)
            return Computed(batch, sums, gradients)
        # Added to the parameters' gradients layer by layer: there is never a second set of them.
        total.backward()
        return Computed(batch, sums, ())

    batches: Iterable[Any] = layout.cut(
        distributed.shard_for_rank(rows), max_tokens, device=model.device
    )
    if sharded:
        batches = _equally_many(model, layout, list(batches))

    results = ordered_map(compute, batches) if side_by_side else map(compute, batches)

    sums: dict[str, torch.Tensor] = {}
    tokens = scored = 0
    with recomputing(model):
        for result in results:
            add_gradients(parameters, result.gradients)
            for name, value in result.sums.items():
                sums[name] = sums[name] + value if name in sums else value
            tokens += result.batch.tokens
            scored += len(result.batch.targets)

    metrics = {"loss": 0.0} | {name: float(value) for name, value in sums.items()}
    metrics = distributed.all_reduce_sum(metrics | {"tokens": tokens, "scored": scored})

    # Without a scored token the step must not move weights by weight decay or old moments either.
    norm = 0.0
    if metrics["scored"]:
        if not sharded:
            distributed.all_reduce_gradients(parameters)
        norm = apply_gradients(model, optimiser, clip_norm)
    # What follows a step, sampling above all, has the gradients' memory.
    optimiser.zero_grad(set_to_none=True)
    return metrics | {"grad_norm": norm}


def _equally_many(model: PreTrainedModel, layout: Layout, batches: Sequence[Any]) -> Iterator[Any]:
    """A sharded model's micro-batches, behind fillers where this process has fewer than others: every pass gathers
    weights from all processes. Gradients are added up over processes at the last one."""
    fillers = filler_batches(layout, len(batches), model.device)
    for place, filler in enumerate(fillers):
        is_last = not batches and place == len(fillers) - 1
        distributed.synchronise_gradients(model, is_last=is_last)
        # Fillers add nothing.
        (distributed.run(layout.score, model, filler, 1.0).sum() * 0.0).backward()

    for place, batch in enumerate(batches):
        distributed.synchronise_gradients(model, is_last=place == len(batches) - 1)
        yield batch


def add_gradients(
    parameters: Sequence[torch.nn.Parameter], gradients: Sequence[torch.Tensor | None]
) -> None:
    """Add gradients to those that the parameters hold; where `gradients` is empty they are there
    already."""
    for parameter, gradient in zip(parameters, gradients, strict=False):
        if gradient is not None:
            parameter.grad = gradient if parameter.grad is None else parameter.grad.add_(gradient)


def apply_gradients(
    model: torch.nn.Module, optimiser: torch.optim.Optimizer, clip_norm: float
) -> float:
    """Clip the gradient to `clip_norm`, step the optimiser, return the norm before clipping."""
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
    optimiser.step()
    return float(distributed.full_tensor(norm))
