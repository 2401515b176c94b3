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
from mini.text.prose_patterns import FORMS, WORDS
from mini.word_problems.template import NAMES, THINGS
from pipeline.artifacts.write import write_jsonl, write_manifest
from pipeline.config.load import read_section
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
    arguments = parser.parse_args(argv)
    settings = read_section(arguments.config, MiniWorld)
    prose = write_jsonl(arguments.out / "prose" / "train.jsonl", prose_documents(settings))
    heldout = arguments.out / "heldout"
    math = write_jsonl(heldout / "math.jsonl", heldout_math(settings))
    english = write_jsonl(heldout / "prose.jsonl", heldout_prose(settings, "en"))
    chinese = write_jsonl(heldout / "chinese.jsonl", heldout_prose(settings, "zh"))
    write_manifest(
        arguments.out / "prose" / "manifest.json",
        "mini.prose",
        settings=settings.model_dump(
            include={"seed", "prose_bytes", "heldout_documents", "chinese_share"}
        ),
        counts={
            "prose_documents": prose,
            "heldout_math_documents": math,
            "heldout_prose_documents": english,
            "heldout_chinese_documents": chinese,
        },
    )


def prose_documents(settings: MiniWorld) -> Iterator[dict]:
    """Documents until they hold `prose_bytes` characters (the last one may go past)."""
    rng = Random(f"{settings.seed}/prose")
    written = number = 0
    while written < settings.prose_bytes:
        language = "zh" if rng.random() < settings.chinese_share else "en"
        text = prose_document(rng, language)
        number += 1
        written += len(text)
        yield {"id": f"prose-{number:05d}", "text": text}


def prose_document(rng: Random, language: str) -> str:
    """A story, recipe, travel note or letter: a few paragraphs whose sentences fill in one small cast of words."""
    opening, middle, closing = rng.choice(FORMS[language])
    name, other = rng.sample(NAMES[language], 2)
    cast = {"name": name, "other": other}
    gap = "" if language == "zh" else " "
    paragraphs = [_sentence(rng, rng.choice(opening), cast, language)]
    for _ in range(rng.randint(2, 4)):
        lines = rng.sample(middle, min(len(middle), rng.randint(2, 5)))
        paragraphs.append(gap.join(_sentence(rng, line, cast, language) for line in lines))
    return "\n\n".join([*paragraphs, _sentence(rng, rng.choice(closing), cast, language)])


def heldout_math(settings: MiniWorld) -> Iterator[dict]:
    """Mathematical documents from the space `heldout`, in both languages."""
    rng = Random(f"{settings.seed}/heldout/math")
    for number in range(1, settings.heldout_documents + 1):
        language = "zh" if rng.random() < settings.chinese_share else "en"
        yield {
            "id": f"math-{number:05d}",
            "text": math_document(rng, language, rng.randint(*BLOCKS), "heldout"),
        }


def heldout_prose(settings: MiniWorld, language: str) -> Iterator[dict]:
    """Prose of one language, drawn apart from the training texts."""
    rng = Random(f"{settings.seed}/heldout/prose/{language}")
    for number in range(1, settings.heldout_documents + 1):
        yield {"id": f"prose-{language}-{number:05d}", "text": prose_document(rng, language)}


def _sentence(rng: Random, pattern: str, cast: dict[str, str], language: str) -> str:
    words = {}
    for key, values in WORDS[language].items():
        words[key], words[f"{key}2"] = rng.sample(values, 2)
    return pattern.format(**cast, things=rng.choice(THINGS[language]), **words)


if __name__ == "__main__":
    run_main(main)
