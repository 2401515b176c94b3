"""Language models on disk: Hugging Face folders in, Hugging Face folders out, and how they compute here.

A saved folder is complete or absent: weights (safetensors), tokenizer with chat template, prompts.json (how the model
wants to be asked), a model card, metrics.jsonl and the same for TensorBoard when there are metrics, and manifest.json,
written into a temporary folder that is renamed last. It loads in plain transformers, older releases included
(pipeline/model/older_releases.py).
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES
from transformers.utils import is_flash_attn_2_available
from transformers.utils import logging as transformers_logging

from pipeline.artifacts.check import check_artifact
from pipeline.artifacts.records import read_jsonl
from pipeline.artifacts.tensorboard import EVENTS, write_events
from pipeline.artifacts.write import atomic_folder, payload, write_manifest
from pipeline.errors import UserError
from pipeline.model import distributed
from pipeline.model.adapters import merged_state
from pipeline.model.allocator import keep_freed_memory
from pipeline.model.card import NAME as CARD
from pipeline.model.chat import CHAT_TEMPLATE
from pipeline.model.model_prompts import ModelPrompts, write_prompts
from pipeline.model.older_releases import write_older_fields

# Ours (pipeline.progress) is enough.
transformers_logging.disable_progress_bar()

LOADING_ERRORS = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    RuntimeError,
    SafetensorError,
)
"""What `from_pretrained` raises for a damaged or foreign folder."""


def device() -> torch.device:
    """The accelerator if there is one, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda", torch.cuda.current_device())
    return torch.device("cpu")


def load_tokenizer(source: str | Path) -> PreTrainedTokenizerBase:
    """Load a tokenizer from a folder or Hub id; it must have EOS, and gets our chat template if it has none.

    Some tokenizers have no BOS (Qwen's): their prompts begin without one.
    """
    names = ("tokenizer.json", "tokenizer.model", "tokenizer_config.json")
    _check_folder(source, names, "tokenizer")
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(source))
    except Exception as error:
        # A damaged file raises whatever its parser stumbles over (KeyError, TypeError, …).
        raise UserError(f"{source}: cannot load the tokenizer ({_first_line(error)})") from None

    check_artifact(source, names)
    if tokenizer.eos_token_id is None:
        raise UserError(f"{source}: the tokenizer has no end-of-sentence token")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    if tokenizer.chat_template is None:
        tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def load_model(
    source: str | Path,
    attention: str = "auto",
    keep_precision: bool = False,
    distribution: str = "replicate",
) -> PreTrainedModel:
    """Load a causal language model onto the device, in evaluation mode, in fp32 (master weights) unless its own
    precision shall be kept.

    With several processes and a `distribution` that shards it, the first one loads it into main memory and the others
    make an empty one (pipeline.model.distributed.shard).

    `attention` is a transformers implementation ("eager", "sdpa", "flash_attention_2", "flex_attention") or "auto":
    flash attention on a GPU where it is installed (packed rows need no mask then), else transformers' choice.
    """
    keep_freed_memory()
    implementation: str | None = attention
    if attention == "auto":
        has_flash = torch.cuda.is_available() and is_flash_attn_2_available()
        implementation = "flash_attention_2" if has_flash else None
        # Torch's own attention cannot cap its scores (Gemma 2).
        if implementation is None and _caps_attention_scores(source):
            implementation = "eager"

    def load() -> PreTrainedModel:
        return _load_whole(source, implementation, keep_precision)

    if not distributed.is_shared_out(distribution):
        model = load()
        # In place; its declared signature confuses type checkers.
        cast(torch.nn.Module, model).to(device())
        return model.eval()

    loaded = distributed.on_main(load)
    if loaded is None:
        config = AutoConfig.from_pretrained(str(source))
        with torch.device("meta"):
            loaded = AutoModelForCausalLM.from_config(
                config, dtype=torch.float32, attn_implementation=implementation
            )
        train_every_embedding(loaded)
    return loaded.eval()


def _load_whole(
    source: str | Path, implementation: str | None, keep_precision: bool
) -> PreTrainedModel:
    """The model in main memory, its folder checked."""
    _check_folder(source, ("config.json",), "model configuration")
    if Path(source).is_dir() and not any(Path(source).glob("*.safetensors")):
        raise UserError(f"{source}: no weights (*.safetensors) in this folder")
    try:
        # With its report the declared type is wrong.
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            str(source),
            dtype="auto" if keep_precision else torch.float32,
            attn_implementation=implementation,
            output_loading_info=True,
        )
    except LOADING_ERRORS as error:
        raise cannot_load(source, error) from None
    model: PreTrainedModel = loaded[0]
    check_loaded(source, model, loaded[1])
    train_every_embedding(model)
    check_artifact(source)
    return model


def train_every_embedding(model: PreTrainedModel) -> None:
    """Let the padding token's embedding be trained like every other; in place.

    Torch gives that row no gradient. Where padding is EOS (Llama's usual choice) the row is a token of the text, and
    processes that compute in another way (pipeline.forward.fused_llama) train it. Padding itself is masked out.
    """
    for module in model.modules():
        if isinstance(module, torch.nn.Embedding):
            module.padding_idx = None


def cannot_load(source: str | Path, error: Exception) -> UserError:
    """One of LOADING_ERRORS as the user's mistake."""
    return UserError(f"{source}: cannot load the model ({_first_line(error)})")


def check_loaded(
    source: str | Path,
    model: PreTrainedModel,
    report: Mapping[str, Any],
    new_head: str | None = None,
) -> None:
    """Raise a UserError where a loaded model is not what its folder should hold.

    `report` is transformers' account of the loading; by itself it fills what is missing with random
    numbers. `new_head` names the module that it shall make new.
    """
    kind = model.config.model_type
    if kind in MODEL_FOR_MASKED_LM_MAPPING_NAMES and not getattr(model.config, "is_decoder", True):
        raise UserError(f"{source}: {kind} reads text in both directions; a causal model is needed")

    made_new = f"{new_head}." if new_head else ()
    absent = sorted(name for name in report["missing_keys"] if not name.startswith(made_new))
    if absent:
        raise UserError(
            f"{source}: the weights lack {len(absent)} tensors ({', '.join(absent[:3])}, …)"
        )
    shapes = sorted(name for name, *_ in report["mismatched_keys"])
    if shapes:
        raise UserError(
            f"{source}: {len(shapes)} tensors have another shape than config.json says ({', '.join(shapes[:3])}, …)"
        )

    for name, parameter in model.named_parameters():
        # A sum is finite only where every number is; it needs no memory.
        if not torch.isfinite(parameter.detach().sum(dtype=torch.float32)):
            raise UserError(f"{source}: tensor {name} holds numbers that are not finite (NaN)")


def check_tokenizer_fits(
    source: str | Path, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> None:
    """Raise a UserError where the tokenizer has tokens that the model has no embeddings for.

    A padding token that was only ever masked may be one of them: EOS takes its place.
    """
    embeddings = model.get_input_embeddings().weight
    assert isinstance(embeddings, torch.Tensor)
    rows = embeddings.shape[0]
    unknown = {text for text, number in tokenizer.get_vocab().items() if number >= rows}
    if unknown <= {tokenizer.pad_token, tokenizer.eos_token} and tokenizer.eos_token_id < rows:
        tokenizer.pad_token = tokenizer.eos_token
        return
    raise UserError(
        f"{source}: the tokenizer has {len(unknown)} tokens beyond the model's {rows} embeddings "
        f"({', '.join(sorted(unknown)[:3])}, …); python -m pretrain.coder writes a copy with room for them"
    )


def save_model(
    folder: str | Path,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    *,
    card: str,
    asking: ModelPrompts | None = None,
    stage: str,
    settings: dict,
    inputs: tuple[str | Path, ...] = (),
    counts: dict | None = None,
    metrics: dict | None = None,
    metrics_file: Path | None = None,
    more_files: tuple[Path, ...] = (),
) -> None:
    """Write a whole model folder at once. `card` is the model card's text, `asking` how the model wants to be
    asked; the rest goes into the manifest.

    `more_files` are copied into it by name.

    With several processes all must call it; the first one writes.
    """
    # All processes take part in gathering a sharded model's weights.
    weights = merged_state(model, distributed.full_state_dict(model))
    if not distributed.is_main():
        return

    with atomic_folder(folder) as temporary:
        model.save_pretrained(temporary, state_dict=weights)
        tokenizer.save_pretrained(temporary)
        write_older_fields(temporary)
        (temporary / CARD).write_text(card, encoding="utf-8")
        if asking is not None:
            write_prompts(temporary, asking)

        for file in more_files:
            shutil.copyfile(file, temporary / file.name)
        if metrics_file is not None:
            shutil.copyfile(metrics_file, temporary / "metrics.jsonl")
            write_events(temporary / EVENTS, read_jsonl(metrics_file))

        # Last: a folder with a manifest is whole.
        write_manifest(
            temporary / "manifest.json",
            stage,
            settings=settings,
            inputs=inputs,
            counts=counts,
            metrics=metrics,
            files=payload(temporary),
        )


def _check_folder(source: str | Path, names: tuple[str, ...], what: str) -> None:
    """A local path must be a folder that holds one of `names`; anything else is taken for a Hub id."""
    path = Path(source)
    if path.is_dir() and not any((path / name).is_file() for name in names):
        raise UserError(f"{source}: no {what} in this folder (looked for {', '.join(names)})")
    if path.is_file():
        raise UserError(f"{source}: is a file, expected a model folder")

    # A Hub id is "owner/name" or a bare name; nothing else can be one.
    text = str(source)
    looks_local = text.startswith((".", "/", "~")) or text.count("/") != 1 or path.parent.is_dir()
    if not path.is_dir() and looks_local and len(path.parts) > 1:
        raise UserError(f"{source}: no such model folder")


def _caps_attention_scores(source: str | Path) -> bool:
    """Whether the configuration at `source` caps the scores of its attention; an unreadable one is not our business."""
    try:
        config = AutoConfig.from_pretrained(str(source))
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return bool(getattr(config, "attn_logit_softcapping", None))


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
