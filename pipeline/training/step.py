"""The optimiser step that all methods share. The loop around it is pipeline.training.loop.

The step knows rows, columns, a loss function and a layout that computes a number for each scored token (its
log-probability in pretraining, fine-tuning and RL, a score in reward and value models), nothing else. The loss
function returns per-token terms that are already weighted: their SUM over all micro-batches of all processes is the
step's loss. Denominators are therefore totals that the caller computes over the whole step beforehand (usually in the
column "weight"), and how rows are cut into micro-batches or dealt out to processes changes nothing.

Not done here: drawing data, generating text, starting processes (pipeline.model.distributed).
"""

from collections.abc import Callable, Sequence

import torch
from transformers import PreTrainedModel

from pipeline.config.training import Optimisation
from pipeline.forward.batches import MicroBatch, Row
from pipeline.forward.layout import Layout, filler_batches, layout_for
from pipeline.forward.row_attention import use_row_attention
from pipeline.model import distributed
from pipeline.model.load import autocast
from pipeline.model.threads import ordered_map

Columns = dict[str, torch.Tensor]
Loss = Callable[
    [torch.Tensor, Columns], torch.Tensor | tuple[torch.Tensor, dict[str, torch.Tensor]]
]
"""(log-probabilities or scores [N], columns [N]) -> per-token loss terms [N], or these and sums to report by name."""


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

    With several processes `rows` are those of all; each computes its share. Returns "loss" (the sum of all terms),
    "grad_norm" (before clipping), "tokens" (computed, padding included), "scored" and the loss function's own sums.
    A step with nothing to learn changes no weight.
    """
    layout = layout or layout_for(model, packed=packed)
    optimiser.zero_grad(set_to_none=True)
    parameters = [p for p in model.parameters() if p.requires_grad]
    sharded = distributed.is_sharded(model)

    def compute(
        batch: MicroBatch,
    ) -> tuple[MicroBatch, dict[str, torch.Tensor], Sequence[torch.Tensor | None]]:
        with autocast(precision):
            scores = distributed.run(layout.score, model, batch, temperature)
        terms = loss(scores, batch.columns)
        terms, reported = terms if isinstance(terms, tuple) else (terms, {})
        total = terms.sum()
        values = {name: value.detach() for name, value in {"loss": total, **reported}.items()}
        if sharded:  # the gradients are reduced and kept while they are computed
            total.backward()
            return batch, values, ()
        return batch, values, torch.autograd.grad(total, parameters, allow_unused=True)

    sums: dict[str, torch.Tensor] = {}
    tokens = scored = 0
    batches = layout.cut(distributed.share(rows), max_tokens, device=model.device)
    if sharded:
        batches = list(batches)
        for filler in filler_batches(layout, len(batches), model.device):
            (distributed.run(layout.score, model, filler, 1.0).sum() * 0.0).backward()
    side_by_side = model.device.type == "cpu" and not sharded
    for batch, values, gradients in (
        ordered_map(compute, batches) if side_by_side else map(compute, batches)
    ):
        add_gradients(parameters, gradients)
        for name, value in values.items():
            sums[name] = sums[name] + value if name in sums else value
        tokens += batch.tokens
        scored += len(batch.targets)
    metrics = {"loss": 0.0} | {name: float(value) for name, value in sums.items()}
    metrics = distributed.total(metrics | {"tokens": tokens, "scored": scored})
    norm = 0.0
    if metrics["scored"]:
        if not sharded:
            distributed.sum_gradients(parameters)
        norm = apply_gradients(model, optimiser, clip_norm)
    return metrics | {"grad_norm": norm}


def add_gradients(
    parameters: Sequence[torch.nn.Parameter], gradients: Sequence[torch.Tensor | None]
) -> None:
    """Add gradients to those that the parameters hold; a sharded model's are there already (`gradients` is empty)."""
    for parameter, gradient in zip(parameters, gradients, strict=False):
        if gradient is not None:
            parameter.grad = gradient if parameter.grad is None else parameter.grad.add_(gradient)


def apply_gradients(
    model: torch.nn.Module, optimiser: torch.optim.Optimizer, clip_norm: float
) -> float:
    """Clip the gradient to `clip_norm`, step the optimiser, return the norm before clipping."""
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
    optimiser.step()
    return float(distributed.whole(norm))


def prepare(model: PreTrainedModel, settings: Optimisation) -> PreTrainedModel:
    """Make a loaded model ready to be trained: attention, activation checkpointing, compilation, sharding; in place.

    The optimiser must be made afterwards: its states are sharded like the weights.
    """
    on_gpu = model.device.type == "cuda"
    if settings.attention == "auto":
        use_row_attention(model)
    if settings.activation_checkpointing == "always" or (
        settings.activation_checkpointing == "auto" and on_gpu
    ):
        # No layer draws random numbers, so there is no state of a generator to keep.
        model.activation_checkpointing_enable({"use_reentrant": False, "preserve_rng_state": False})
    if settings.compile:
        for layer in model.base_model.layers:
            layer.compile(dynamic=True)
    return share_out(model, settings.distribution, settings.precision)


def share_out(model: PreTrainedModel, distribution: str, precision: str) -> PreTrainedModel:
    """With several processes, and where `distribution` says "shard", leave each a part of every layer; in place."""
    if distributed.size() > 1 and distribution == "shard":
        with autocast(precision):
            bf16 = torch.is_autocast_enabled(model.device.type)
        distributed.shard(model, model.base_model.layers, bf16)
    return model
