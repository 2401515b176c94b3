"""Natural language for the pretraining mixture, and held-out texts for bits per byte.

Reads   the section `mini` of the configuration (JSON).
Writes  OUT/prose/train.jsonl (stories, recipes, travel notes, letters; no mathematics), OUT/heldout/math.jsonl (lecture
        notes and worked examples in the style of the generated pages), OUT/heldout/prose.jsonl (English) and
        OUT/heldout/chinese.jsonl (prose), all {"id", "text"}, then OUT/prose/manifest.json.

    python -m mini.prose --config results/mini/config/mini.json --out results/mini/world

The held-out mathematics draws from problems of its own space: none of them is a training, validation or test problem.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from random import Random

from mini.text.mathematics import math_document
from mini.text.prose import prose_document
from pipeline.artifacts.write import write_jsonl, write_manifest
from pipeline.config.read import read_section
from pipeline.config.world import MiniWorld
from pipeline.errors import run_main

BLOCKS = (8, 16)
"""Fewest and most blocks of a held-out mathematical document."""


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, required=True, help="JSON of the section `mini`")
    parser.add_argument("--out", type=Path, required=True, help="folder of the world")
    args = parser.parse_args(argv)

    settings = read_section(args.config, MiniWorld)
    heldout = args.out / "heldout"
    prose = write_jsonl(args.out / "prose" / "train.jsonl", prose_documents(settings))
    math = write_jsonl(heldout / "math.jsonl", heldout_math(settings))
    english = write_jsonl(heldout / "prose.jsonl", heldout_prose(settings, "en"))
    chinese = write_jsonl(heldout / "chinese.jsonl", heldout_prose(settings, "zh"))

    used = {"seed", "prose_bytes", "heldout_documents", "chinese_share"}
    write_manifest(
        args.out / "prose" / "manifest.json",
        "mini.prose",
        settings=settings.model_dump(include=used),
        counts={
            "prose_documents": prose,
            "heldout_math_documents": math,
            "heldout_prose_documents": english,
            "heldout_chinese_documents": chinese,
        },
        files=[args.out / "prose" / "train.jsonl"],
    )


def prose_documents(settings: MiniWorld) -> Iterator[dict]:
    """Documents until they hold `prose_bytes` characters (the last one may go past)."""
    rng = Random(f"{settings.seed}/prose")
    written = 0
    number = 0

    while written < settings.prose_bytes:
        language = _draw_language(rng, settings)
        text = prose_document(rng, language)
        number += 1
        written += len(text)
        yield {"id": f"prose-{number:05d}", "text": text}


def heldout_math(settings: MiniWorld) -> Iterator[dict]:
    """Mathematical documents from the space `heldout`, in both languages."""
    rng = Random(f"{settings.seed}/heldout/math")

    for number in range(1, settings.heldout_documents + 1):
        language = _draw_language(rng, settings)
        blocks = rng.randint(*BLOCKS)
        text = math_document(rng, language, blocks, "heldout")
        yield {"id": f"math-{number:05d}", "text": text}


def heldout_prose(settings: MiniWorld, language: str) -> Iterator[dict]:
    """Prose of one language, from a generator of its own: no training text depends on it."""
    rng = Random(f"{settings.seed}/heldout/prose/{language}")

    for number in range(1, settings.heldout_documents + 1):
        text = prose_document(rng, language)
        yield {"id": f"prose-{language}-{number:05d}", "text": text}


def _draw_language(rng: Random, settings: MiniWorld) -> str:
    is_chinese = rng.random() < settings.chinese_share
    return "zh" if is_chinese else "en"


if __name__ == "__main__":
    run_main(main)
