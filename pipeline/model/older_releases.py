"""What older releases of transformers read in a model folder that the pinned one does not write.

Release 5 renamed fields of config.json and tokenizer_config.json. Older ones overlook the new names
in silence (the base of the rotary positions falls back to 10,000, and the model talks nonsense) or
do not load the folder at all. `write_older_fields` adds the old names beside the new ones, which
release 5 accepts too. That both give the same answers is checked with the releases themselves
(`python -m benchmarks.model_folders`).
"""

from pathlib import Path
from typing import Any

from pipeline.artifacts.write import read_json, write_json

OLDEST = "4.51.3"
"""The oldest release of transformers that our model folders promise to load in (4.51.0 itself loads
nothing where `accelerate` is missing)."""

NEW_TOKENIZER_CLASS = "TokenizersBackend"
OLD_TOKENIZER_CLASS = "PreTrainedTokenizerFast"


def write_older_fields(folder: Path) -> None:
    """Add the old names to the files that transformers wrote into `folder`."""
    _rewrite(folder / "config.json", _older_config)
    _rewrite(folder / "tokenizer_config.json", _older_tokenizer)


def _rewrite(path: Path, change: Any) -> None:
    if path.is_file():
        write_json(path, change(read_json(path)))


def _older_config(config: dict[str, Any]) -> dict[str, Any]:
    """config.json with the rotary positions and the precision under both names."""
    older: dict[str, Any] = {}
    if isinstance(config.get("dtype"), str):
        older["torch_dtype"] = config["dtype"]

    rope = config.get("rope_parameters")
    if isinstance(rope, dict):
        older |= _older_rope(rope)
    # Nested configurations (text and vision) are those of models that this project does not train.
    return older | config


def _older_rope(rope: dict[str, Any]) -> dict[str, Any]:
    """`rope_theta` and `rope_scaling` from `rope_parameters`."""
    by_layer = {name: value for name, value in rope.items() if isinstance(value, dict)}
    if by_layer:
        # Gemma 3: global layers and those with a window have a base each.
        older = {}
        if "rope_theta" in by_layer.get("full_attention", {}):
            older["rope_theta"] = by_layer["full_attention"]["rope_theta"]
        if "rope_theta" in by_layer.get("sliding_attention", {}):
            older["rope_local_base_freq"] = by_layer["sliding_attention"]["rope_theta"]
        return older

    older = {name: rope[name] for name in ("rope_theta", "partial_rotary_factor") if name in rope}
    kind = rope.get("rope_type", "default")
    if kind != "default":
        scaling = {name: value for name, value in rope.items() if name not in older}
        # "type" is the name of releases before 4.45; some models' own code still reads it.
        older["rope_scaling"] = scaling | {"type": kind}
    return older


def _older_tokenizer(config: dict[str, Any]) -> dict[str, Any]:
    """tokenizer_config.json with a class that every release knows."""
    older = dict(config)
    if older.get("tokenizer_class") == NEW_TOKENIZER_CLASS:
        older["tokenizer_class"] = OLD_TOKENIZER_CLASS
        # Older releases would add token_type_ids, which causal models refuse.
        older.setdefault("model_input_names", ["input_ids", "attention_mask"])

    # Under the new name older releases expect a mapping and stop at a list.
    extra = older.get("extra_special_tokens")
    if isinstance(extra, list):
        older.setdefault("additional_special_tokens", older.pop("extra_special_tokens"))
    return older
