"""Tiny random models of the architectures in docs/models.md, peaked enough that nothing is a tie."""

from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    PretrainedConfig,
    PreTrainedModel,
)

from pipeline.errors import UserError
from pipeline.forward import fused_llama
from pipeline.forward.traits import traits_of
from pipeline.inference.decoder import supports
from rl.score_model import score_class

SHAPE: dict[str, Any] = {
    "vocab_size": 259,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 96,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "initializer_range": 0.2,
}

LINEAR_ROPE = {"rope_type": "linear", "factor": 4.0, "rope_theta": 10_000.0}
NTK_ROPE = {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10_000.0}
LONG_ROPE = {
    "rope_type": "longrope",
    "rope_theta": 10_000.0,
    "short_factor": [1.0] * 4,
    "long_factor": [2.0] * 4,
    "original_max_position_embeddings": 96,
}
EVERY_OTHER = ["sliding_attention", "full_attention"] * 2

ARCHITECTURES: dict[str, tuple[str, dict[str, Any]]] = {
    "Llama": ("llama", {}),
    "Llama, linear rotary scaling (DeepSeek)": ("llama", {"rope_parameters": LINEAR_ROPE}),
    "Llama, dynamic rotary scaling": ("llama", {"rope_parameters": NTK_ROPE}),
    "Llama, biases, tied embeddings": (
        "llama",
        {"attention_bias": True, "tie_word_embeddings": True},
    ),
    "Mistral": ("mistral", {"sliding_window": None}),
    "Mistral, sliding window": ("mistral", {"sliding_window": 8}),
    "Qwen2, Qwen2.5(-Coder, -Math)": ("qwen2", {}),
    "Qwen2, every other layer a window": (
        "qwen2",
        {"use_sliding_window": True, "sliding_window": 8, "layer_types": EVERY_OTHER},
    ),
    "Qwen3": ("qwen3", {"tie_word_embeddings": True}),
    "Phi-3": ("phi3", {}),
    "Phi-3, part of a head rotated": ("phi3", {"partial_rotary_factor": 0.5}),
    "Phi-3, LongRoPE": ("phi3", {"rope_parameters": LONG_ROPE}),
    "Gemma": ("gemma", {}),
    "Gemma 2": ("gemma2", {"sliding_window": 8, "query_pre_attn_scalar": 8}),
    "Gemma 3 (text)": (
        "gemma3_text",
        {"sliding_window": 8, "query_pre_attn_scalar": 8, "layer_types": EVERY_OTHER},
    ),
    "SmolLM3": ("smollm3", {}),
    "Granite": ("granite", {"logits_scaling": 4.0, "residual_multiplier": 0.5}),
    "OLMo 2": ("olmo2", {}),
    "Cohere": ("cohere", {"logit_scale": 0.5}),
    "StableLM": ("stablelm", {}),
    "StarCoder2": ("starcoder2", {}),
    "GPT-NeoX (Pythia)": ("gpt_neox", {}),
    "GPT-2": ("gpt2", {"n_positions": 96, "n_embd": 32, "n_layer": 4, "n_head": 4}),
    "Mixtral": ("mixtral", {"num_local_experts": 4}),
    "Qwen2-MoE": (
        "qwen2_moe",
        {"num_experts": 4, "moe_intermediate_size": 16, "shared_expert_intermediate_size": 16},
    ),
    "DeepSeek-V2": (
        "deepseek_v2",
        {
            "num_key_value_heads": 4,
            "n_routed_experts": 4,
            "moe_intermediate_size": 16,
            "num_experts_per_tok": 2,
            "n_group": 1,
            "topk_group": 1,
            "kv_lora_rank": 16,
            "q_lora_rank": 16,
            "qk_nope_head_dim": 8,
            "qk_rope_head_dim": 8,
            "v_head_dim": 8,
            "first_k_dense_replace": 1,
        },
    ),
}


def config_of(name: str) -> PretrainedConfig:
    kind, changes = ARCHITECTURES[name]
    return AutoConfig.for_model(kind, **(SHAPE | changes))


def model_of(name: str, seed: int = 0) -> PreTrainedModel:
    """A random model; norms and biases are random too, or many mistakes would not show."""
    config = config_of(name)
    capped = getattr(config, "attn_logit_softcapping", None)
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(
        config, attn_implementation="eager" if capped else "sdpa", dtype=torch.float32
    )
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter.add_(0.3 * torch.randn_like(parameter))
    return model.eval()


def table_row(name: str) -> tuple[str, ...]:
    """The architecture's row in docs/models.md: name, model type, sampler, layout of RL's rows, reward models."""
    model = model_of(name)
    traits = traits_of(model)
    if fused_llama.supports(model):
        layout = "shared prompts, fused"
    elif traits.shares_prefixes:
        layout = "shared prompts"
    else:
        layout = "packed" if traits.packs_rows else "padded"

    try:
        score_class(model.config)
        reward_models = "yes"
    except UserError:
        reward_models = "no"

    sampler = "own" if supports(model.config) else "forward pass"
    return name, f"`{model.config.model_type}`", sampler, layout, reward_models
