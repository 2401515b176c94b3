"""Low-rank adapters (LoRA, arXiv 2106.09685): put into a model, read with its weights, merged when it is saved.

The adapters are those of the package peft, which only `add_adapters` needs. A product with weight W then computes
W x + alpha / rank B (A x), of which A and B are trained; B begins as zero.
"""

from typing import Any

import torch
from transformers import PreTrainedModel

from pipeline.config.training import Lora
from pipeline.errors import UserError
from pipeline.model.distributed import full_tensor

BASE = ".base_layer"
"""What peft adds to the name of a weight that has adapters."""

ADAPTER = ".lora_"
"""What is in the name of an adapter's own weight."""


def add_adapters(model: PreTrainedModel, settings: Lora) -> None:
    """Give all products of the layers an adapter, and train nothing else; in place. With rank 0 nothing changes."""
    if not settings.rank:
        return
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError:
        raise UserError(
            f"lora.rank = {settings.rank}: needs the package peft (pip install -r requirements-lora.txt)"
        ) from None

    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=0.0,
        target_modules=_layer_products(model),
    )
    inject_adapter_in_model(config, model)


def _layer_products(model: PreTrainedModel) -> list[str]:
    """Names of the products inside of layers, without those that turn states into logits or scores."""
    output = model.get_output_embeddings()
    names = []
    for name, module in model.base_model.named_modules(prefix=model.base_model_prefix):
        if isinstance(module, torch.nn.Linear) and module is not output:
            names.append(name)
    return names


def product_weight(module: Any) -> torch.Tensor:
    """The whole weight of a product, its adapters' share included."""
    if not has_adapters(module):
        return full_tensor(module.weight)

    weight = full_tensor(module.base_layer.weight)
    for name in module.active_adapters:
        down, up = module.lora_A[name].weight, module.lora_B[name].weight
        weight = weight + module.scaling[name] * (full_tensor(up) @ full_tensor(down))
    return weight


def has_adapters(module: torch.nn.Module) -> bool:
    """Whether a product has adapters."""
    return hasattr(module, "lora_A")


def parameter_count(model: PreTrainedModel) -> int:
    """The model's own weights, adapters left out, each counted once."""
    return sum(p.numel() for name, p in model.named_parameters() if ADAPTER not in name)


def merged_state(
    model: torch.nn.Module, weights: dict[str, torch.Tensor] | None
) -> dict[str, torch.Tensor] | None:
    """The weights of a model with adapters as those of one without; `weights` as they are where there are none.

    `weights` is the gathered state of a sharded model; None: the model holds its own.
    """
    # Any: modules of peft, which need not be installed.
    adapted: dict[str, Any] = {
        name: module for name, module in model.named_modules() if has_adapters(module)
    }
    if not adapted:
        return weights

    state = dict(model.state_dict() if weights is None else weights)
    for name, module in adapted.items():
        for adapter in module.active_adapters:
            down = state[f"{name}.lora_A.{adapter}.weight"]
            up = state[f"{name}.lora_B.{adapter}.weight"]
            base = state[f"{name}{BASE}.weight"]
            state[f"{name}{BASE}.weight"] = base + module.scaling[adapter] * (up @ down)
    return {name.replace(BASE, ""): weight for name, weight in state.items() if ADAPTER not in name}
