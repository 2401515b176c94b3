"""A checkpoint's folder as its files describe it, without loading a tensor: config.json, tokenizer.json, and the
headers of the safetensors files.

`read_checkpoint` raises a UserError with one line for the first thing that would stop a run later on.
"""

import importlib.util
import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.artifacts.write import read_json
from pipeline.errors import UserError

FLOATS = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}
"""Types of weights that can be trained, and their bytes."""
LARGEST_HEADER = 100_000_000
"""Bytes of a safetensors header at most, as in the format's own library."""
EMBEDDINGS = ("embed_tokens.weight", "wte.weight", "embed_in.weight", "word_embeddings.weight")
"""How the names of input embeddings end."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Sizes of a causal language model."""

    folder: Path
    model_type: str
    parameters: int
    hidden: int
    layers: int
    heads: int
    key_value_heads: int
    head_size: int
    vocabulary: int
    """Rows of the input embeddings."""
    context: int | None
    """Positions that the model was made for; None where the configuration names no limit."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """An entry of a safetensors header."""

    name: str
    type: str
    shape: tuple[int, ...]

    @property
    def numbers(self) -> int:
        product = 1
        for size in self.shape:
            product *= size
        return product


def read_checkpoint(folder: str | Path) -> Checkpoint:
    """The sizes of the checkpoint in `folder`; a UserError names what is wrong with it."""
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"{folder}: not a folder; a checkpoint is a folder with config.json")
    if not (folder / "config.json").is_file():
        raise UserError(f"{folder}: no config.json; expected a folder as transformers saves it")

    config = read_json(folder / "config.json")
    where = folder / "config.json"
    if not isinstance(config, dict):
        raise UserError(f"{where}: expected a JSON object, found {type(config).__name__}")
    _check_architecture(config, where)
    tensors = read_tensors(folder)
    return _sizes(folder, config, tensors, where)


def _check_architecture(config: dict[str, Any], where: Path) -> None:
    """Refuse what is no causal language model of transformers, or is one that cannot be trained."""
    kind = config.get("model_type")
    if not isinstance(kind, str) or not kind:
        raise UserError(f"{where}: no model_type; expected a causal language model of transformers")
    if not _is_known(kind):
        raise UserError(f"{where}: model_type {kind!r} is unknown to the installed transformers")

    names = config.get("architectures") or []
    causal = [name for name in names if str(name).endswith(("ForCausalLM", "LMHeadModel"))]
    if names and not causal:
        raise UserError(
            f"{where}: {', '.join(map(str, names))} is no causal language model (…ForCausalLM)"
        )
    if config.get("quantization_config"):
        raise UserError(
            f"{where}: the weights are quantised; training needs them in fp32, bf16 or fp16"
        )


def _is_known(kind: str) -> bool:
    """Whether transformers lists the type; importing the library would take seconds."""
    spec = importlib.util.find_spec("transformers")
    if spec is None or spec.origin is None:
        return True

    lists = (Path(spec.origin).parent / "models" / "auto").glob("*.py")
    return any(f'"{kind}"' in path.read_text(encoding="utf-8") for path in lists)


def read_tensors(folder: Path) -> list[Tensor]:
    """All tensors that the headers of the folder's safetensors files name."""
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        names = sorted(set(_weight_map(index).values()))
        missing = [name for name in names if not (folder / name).is_file()]
        if missing:
            raise UserError(
                f"{folder}: {len(missing)} of {len(names)} weight files are missing ({missing[0]}, "
                "named in model.safetensors.index.json)"
            )
        files = [folder / name for name in names]
    else:
        files = sorted(folder.glob("*.safetensors"))
    if not files:
        others = sorted(path.name for path in folder.glob("*.bin"))
        hint = f"; {others[0]} has to be converted to safetensors" if others else ""
        raise UserError(f"{folder}: no weights (*.safetensors){hint}")

    tensors = []
    for file in files:
        tensors += read_header(file)
    if index.is_file():
        found = {tensor.name for tensor in tensors}
        lost = sorted(set(_weight_map(index)) - found)
        if lost:
            raise UserError(
                f"{folder}: {len(lost)} tensors of the index are in no file ({lost[0]})"
            )
    return tensors


def _weight_map(index: Path) -> dict[str, str]:
    """Tensor -> file."""
    names = read_json(index)
    weights = names.get("weight_map") if isinstance(names, dict) else None
    if not isinstance(weights, dict) or not all(isinstance(v, str) for v in weights.values()):
        raise UserError(f"{index}: no weight_map (tensor -> file)")
    return weights


def read_header(file: Path) -> list[Tensor]:
    """The tensors of one safetensors file; a UserError where the file is cut off or no such file.

    The format: eight bytes with the header's length, the header (JSON), the numbers.
    """
    size = file.stat().st_size
    with open(file, "rb") as stream:
        start = stream.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 2 <= length <= min(LARGEST_HEADER, size - 8):
            raise UserError(f"{file}: not a safetensors file, or cut off ({size:,} bytes)")
        text = stream.read(length)

    try:
        header = json.loads(text)
        entries = [(name, entry) for name, entry in header.items() if name != "__metadata__"]
        tensors = [
            Tensor(name, str(entry["dtype"]), tuple(map(int, entry["shape"])))
            for name, entry in entries
        ]
        end = max((int(entry["data_offsets"][1]) for _, entry in entries), default=0)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        raise UserError(f"{file}: not a safetensors file (its header cannot be read)") from None

    if size != 8 + length + end:
        raise UserError(
            f"{file}: {size:,} bytes, its header says {8 + length + end:,}; copy it again"
        )
    return tensors


def _sizes(folder: Path, config: dict[str, Any], tensors: list[Tensor], where: Path) -> Checkpoint:
    for tensor in tensors:
        if tensor.type not in FLOATS:
            allowed = ", ".join(FLOATS)
            raise UserError(f"{folder}: {tensor.name} is {tensor.type}; trained are {allowed}")

    # Rare architectures have names of their own: what is not found is not checked.
    hidden = _optional(config, where, "hidden_size", "n_embd", "d_model") or 0
    heads = _optional(config, where, "num_attention_heads", "n_head", "n_heads", "num_heads") or 1
    layers = _optional(config, where, "num_hidden_layers", "n_layer", "n_layers", "num_layers") or 0
    key_value_heads = _optional(config, where, "num_key_value_heads") or heads
    head_size = _optional(config, where, "head_dim")
    if head_size is None and hidden % heads:
        raise UserError(f"{where}: {hidden} (hidden_size) is no multiple of {heads} heads")
    if heads % key_value_heads:
        raise UserError(f"{where}: {heads} heads are no multiple of {key_value_heads} (key, value)")

    embeddings = [tensor for tensor in tensors if tensor.name.endswith(EMBEDDINGS)]
    rows = embeddings[0].shape[0] if embeddings and embeddings[0].shape else 0
    vocabulary = _optional(config, where, "vocab_size") or rows
    if embeddings and rows != vocabulary:
        raise UserError(
            f"{folder}: {embeddings[0].name} has {rows:,} rows, config.json says vocab_size = {vocabulary:,}"
        )
    return Checkpoint(
        folder,
        model_type=str(config["model_type"]),
        parameters=sum(tensor.numbers for tensor in tensors),
        hidden=hidden,
        layers=layers,
        heads=heads,
        key_value_heads=key_value_heads,
        head_size=head_size or hidden // heads,
        vocabulary=vocabulary,
        context=_optional(config, where, "max_position_embeddings", "n_positions"),
    )


def _optional(config: dict[str, Any], where: Path, *names: str) -> int | None:
    """The first of these settings; each architecture has its own names for them."""
    for name in names:
        value = config.get(name)
        if value is None:
            continue
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise UserError(f"{where}: {name} = {value!r}; expected a whole number from 1")
        return value
    return None


def check_tokenizer(checkpoint: Checkpoint) -> str | None:
    """Refuse a folder whose tokenizer cannot be read or belongs to another model; a line where the
    embeddings will be enlarged for it."""
    from tokenizers import Tokenizer  # quick, but needed for real checkpoints only

    path = checkpoint.folder / "tokenizer.json"
    if not path.is_file():
        raise UserError(
            f"{checkpoint.folder}: no tokenizer.json; save the tokenizer in its fast form"
        )
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing more precise
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"{path}: not a tokenizer ({reason})") from None

    size = tokenizer.get_vocab_size(with_added_tokens=True)
    rows = checkpoint.vocabulary
    if size > rows * 1.05:
        raise UserError(
            f"{path}: {size:,} tokens, the model has {rows:,}: a tokenizer of another model"
        )
    if size > rows:
        return f"the tokenizer has {size:,} tokens, the model {rows:,}: its embeddings are enlarged"
    return None
