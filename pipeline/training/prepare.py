"""From a loaded model to one that is trained, or that only computes: attention, recomputation, precision, processes.

    model = prepare(load_model(folder), settings.optimisation)       it will be trained
    reference = freeze(model_copy, settings)                         it will not

The optimiser must be made afterwards: its states are sharded like the weights.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from transformers import PreTrainedModel

from pipeline.config.training import Optimisation, Updates
from pipeline.errors import UserError
from pipeline.forward.row_attention import use_row_attention
from pipeline.model import distributed
from pipeline.model.load import device
from pipeline.model.precision import computes_in_bf16


def prepare(model: PreTrainedModel, settings: Updates) -> PreTrainedModel:
    """Make a loaded model ready to be trained; in place."""
    recomputes = is_recomputed(settings)
    chosen = settings.attention if isinstance(settings, Optimisation) else "auto"
    if chosen == "auto" and (recomputes or isinstance(settings, Optimisation)):
        use_row_attention(model)

    if recomputes:
        # No layer draws random numbers, so there is no state of a generator to keep.
        model.activation_checkpointing_enable({"use_reentrant": False, "preserve_rng_state": False})

    if isinstance(settings, Optimisation) and settings.compile:
        for layer in layers_of(model):
            layer.compile(dynamic=True)
    return share_out(model, settings)


def freeze(model: PreTrainedModel, settings: Updates) -> PreTrainedModel:
    """Make a model ready that only computes (a reference, a reward model); in place.

    On a GPU that computes in bf16 its products are stored so: half of the memory, and the same numbers.
    """
    model.requires_grad_(False)
    if is_recomputed(settings):
        # Packed rows, as the model has them that is trained beside it.
        use_row_attention(model)
    halve(model, settings)
    return share_out(model, settings)


def halve(model: PreTrainedModel, settings: Updates) -> None:
    """Store the products of a model that only computes in bf16 where the GPU computes so anyway; in place."""
    if device().type == "cuda" and computes_in_bf16(settings.precision, model):
        store_products_in_bf16(model)


def store_products_in_bf16(model: PreTrainedModel) -> None:
    """Cast what autocast casts at every use anyway; embeddings and norms, which it leaves alone, stay in fp32."""
    embedding = model.get_input_embeddings().weight
    for module in model.modules():
        if isinstance(module, torch.nn.Linear) and module.weight is not embedding:
            module.to(torch.bfloat16)


def share_out(model: PreTrainedModel, settings: Updates) -> PreTrainedModel:
    """With several processes, and unless each shall hold all of the model, leave each a part of every layer; in
    place."""
    if distributed.world_size() > 1 and settings.distribution != "replicate":
        bf16 = computes_in_bf16(settings.precision, model)
        distributed.shard(
            model, layers_of(model), device(), bf16, hybrid=settings.distribution == "hybrid"
        )
    return model


def is_recomputed(settings: Updates) -> bool:
    """Whether the backward pass computes each layer again instead of keeping what it computed."""
    wanted = settings.activation_checkpointing
    return wanted == "always" or (wanted == "auto" and device().type == "cuda")


@contextmanager
def recomputing(model: PreTrainedModel) -> Iterator[None]:
    """Let the layers of a prepared model be recomputed also while the model is in evaluation mode, as RL's is.

    Transformers recomputes layers in training mode only, in which models with dropout would draw random numbers.
    """
    layers = [
        module for module in model.modules() if getattr(module, "gradient_checkpointing", False)
    ]
    modes = [layer.training for layer in layers]
    for layer in layers:
        layer.training = True

    try:
        yield
    finally:
        for layer, mode in zip(layers, modes, strict=True):
            layer.training = mode


def layers_of(model: PreTrainedModel) -> torch.nn.ModuleList:
    """The transformer blocks: the body's list of as many modules as the model has layers, whatever its name."""
    layers = model.config.num_hidden_layers
    for module in model.base_model.modules():
        if isinstance(module, torch.nn.ModuleList) and len(module) == layers:
            return module
    raise UserError(f"model type {model.config.model_type}: its {layers} layers were not found")
