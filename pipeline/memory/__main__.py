"""Predict the memory of every stage, and say what to change where it is more than a card has.

Reads   a preset or overlay (no weights; of a local checkpoint its config.json).
Prints  a line for each stage's fullest moment: weights, gradients, moments, other models, engine, cache, activations,
        logits, all in GiB, the sum, and whether it fits. Exit status 1 where one does not.

    python -m pipeline.memory --config preset=gpu
    python -m pipeline.memory --config preset=my.yaml 'rl={micro_batch_tokens: 8192}' --gpu-gb 24 --gpus 2
    python -m pipeline.memory --config preset=gpu --model checkpoints/my-coder --json

The card is the one that the preset names (section `hardware`), the one given here, or else this machine. Figures are
those of one process. Not counted: what fragmentation takes; a twentieth of a card is left for it.
"""

import argparse
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

import yaml

from pipeline.config.load import Config, load_preset
from pipeline.errors import UserError, run_main
from pipeline.memory.card import GIB, Card, named_card, this_machine
from pipeline.memory.judgement import ROOM, Judgement, judged
from pipeline.memory.shape import of_folder, shape_of
from pipeline.memory.stages import PARTS, needs


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    config = _config(args.config)
    shape = of_folder(args.model) if args.model else shape_of(config)
    card = _card(args, config)

    judgements = judged(needs(config, shape, card), card)
    if args.json:
        print(json.dumps(_record(judgements, card, shape.parameters), indent=1))
    else:
        _print(judgements, card, shape.parameters)
    if not all(judgement.fits for judgement in judgements):
        sys.exit(1)


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--config",
        nargs="+",
        required=True,
        metavar="KEY=VALUE",
        help="as for snakemake: preset=NAME, and settings in its place",
    )
    parser.add_argument("--model", type=Path, help="folder of the checkpoint, if not the preset's")
    parser.add_argument("--gpu-gb", type=float, help="memory of a GPU in GB")
    parser.add_argument("--gpus", type=int, help="GPUs that train one model together")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args(argv)


def _config(pairs: list[str]) -> Config:
    """The settings that `KEY=VALUE` arguments name."""
    values = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals:
            raise UserError(f"--config: expected KEY=VALUE, got {pair!r}")
        try:
            values[key] = yaml.safe_load(text)
        except yaml.YAMLError:
            raise UserError(f"--config {key}: {text!r} is no YAML value") from None
    return load_preset(str(values.get("preset", "mini")), values)


def _card(args: argparse.Namespace, config: Config) -> Card:
    for name in ("gpu_gb", "gpus"):
        value = getattr(args, name)
        if value is not None and value <= 0:
            raise UserError(f"--{name.replace('_', '-')} {value:g}: must be above 0")

    given = {name: getattr(args, name) for name in ("gpu_gb", "gpus")}
    changes = {name: value for name, value in given.items() if value is not None}
    config = config.model_copy(update={"hardware": config.hardware.model_copy(update=changes)})
    card = named_card(config) or this_machine()
    if card is None:
        raise UserError("the memory of this machine cannot be read; give --gpu-gb")
    return replace(card, processes=args.gpus) if args.gpus and not card.on_gpu else card


def _print(judgements: list[Judgement], card: Card, parameters: int) -> None:
    print(f"{parameters / 1e6:,.0f}M parameters on {card.name}, {card.memory / GIB:.1f} GiB each")
    _print_table(judgements)

    too_large = [judgement for judgement in judgements if not judgement.fits]
    room = ROOM * card.memory / GIB
    for judgement in too_large:
        need = judgement.need
        taken = f"{need.total / GIB:.1f} GiB of {room:.1f}"
        print(f"does not fit: {need.stage}, {need.moment}: {taken}; {judgement.advice}")

    if not too_large:
        print("every stage fits")


def _print_table(judgements: list[Judgement]) -> None:
    """A line a stage and moment: its parts and their sum, in GiB."""
    names = "".join(f"{name:>13}" for name in PARTS)
    print(f"{'GiB':<16}{names}{'in all':>9}")

    for judgement in judgements:
        need = judgement.need
        label = f"{need.stage}, {need.moment}"
        sizes = [need.parts.get(name, 0) / GIB for name in PARTS]
        cells = "".join(f"{size:>13.2f}" for size in sizes)
        print(f"{label:<16}{cells}{need.total / GIB:>9.2f}")


def _record(judgements: list[Judgement], card: Card, parameters: int) -> dict:
    stages = []
    for judgement in judgements:
        need = asdict(judgement.need)
        stages.append(
            need
            | {"total": judgement.need.total, "fits": judgement.fits, "advice": judgement.advice}
        )
    return {"parameters": parameters, "card": asdict(card), "stages": stages}


if __name__ == "__main__":
    run_main(main)
