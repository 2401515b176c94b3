"""Edited copies, translations and innocent pages: what the search for benchmark problems finds.

    python -m benchmarks.leaks pages.jsonl      # pages: JSON Lines of corpus.extract; benchmarks: SHARED_DATA

Of each benchmark `--items` questions that are long enough to be guarded are changed in a known way and put between
pieces of two innocent pages. Thresholds were chosen on the benchmarks named first and the first half of the pages;
the others are reported apart. Innocent are pages in no list of planted or natural leaks.
"""

import argparse
import os
import random
import re
import time
from collections.abc import Callable
from pathlib import Path

from corpus.decontaminate import load_benchmarks
from corpus.leaks.benchmark_texts import QUESTION, Item, read_benchmark
from corpus.leaks.candidates import NumberSequences
from corpus.leaks.index import LeakIndex, page_grams_of
from pipeline.artifacts.records import read_jsonl
from pipeline.config.corpus import Decontamination

TUNED_ON = ("gsm8k/test", "math/test", "mgsm/test_en", "mmlu_stem/test", "mathqa/test")
REPORTED = (
    *("aqua/test", "gaokao2023en/test", "ocw/test", "sat/test", "theoremqa/test", "gsm_hard/test"),
    *("aime24/test", "bbh/test", "minif2f/test", "mbpp/test"),
)
LANGUAGES = ("de", "es", "fr", "ru", "zh")
NAMES = ("Anna", "Bilal", "Chen", "Dora", "Emeka", "Farid", "Greta", "Hana")
BATCH = 32  # pages

Edit = Callable[[str, random.Random, list[str]], str]


def every_eighth(text: str, draw: random.Random, words: list[str]) -> str:
    split, offset = text.split(), draw.randrange(8)
    split[offset::8] = [draw.choice(words) for _ in split[offset::8]]
    return " ".join(split)


def one_in_eight(text: str, draw: random.Random, words: list[str]) -> str:
    kept = [draw.choice(words) if draw.random() < 1 / 8 else word for word in text.split()]
    return " ".join(kept)


def tenth_left_out(text: str, draw: random.Random, words: list[str]) -> str:
    offset = draw.randrange(10)
    return " ".join(word for at, word in enumerate(text.split()) if at % 10 != offset)


def numbers(text: str, draw: random.Random, words: list[str]) -> str:
    return re.sub(r"\d+", lambda _: str(draw.randrange(2, 999)), text)


def names(text: str, draw: random.Random, words: list[str]) -> str:
    """Capitalised words inside a sentence, each by one name throughout."""
    found = sorted(set(re.findall(r"(?<=[a-z,] )[A-Z][a-z]+", text)))
    new = {name: draw.choice(NAMES) for name in found}
    return re.sub(r"[A-Z][a-z]+", lambda match: new.get(match[0], match[0]), text)


def split_sentences(text: str, draw: random.Random, words: list[str]) -> str:
    between = [" ".join(draw.choices(words, k=6)) for _ in range(99)]
    return re.sub(r"(?<=[.?!]) ", lambda _: f"\n\n{draw.choice(between)}. ", text)


EDITS: tuple[Edit, ...] = (
    *(every_eighth, one_in_eight, tenth_left_out, numbers, names, split_sentences),
)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pages", type=Path)
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("SHARED_DATA", "shared/data"))
    )
    parser.add_argument("--items", type=int, default=60)
    args = parser.parse_args(argv)

    folder = args.data / "benchmarks"
    guard = LeakIndex(
        load_benchmarks(sorted(str(file) for file in folder.glob("*/test*.jsonl"))),
        Decontamination(),
    )
    pages = innocent_pages(args)
    print(f"load {os.getloadavg()[0]:.1f}; {len(guard.items)} items, {len(pages)} innocent pages")

    for label, chosen in (("tuned on", TUNED_ON), ("reported", REPORTED)):
        total = {edit.__name__: [0, 0] for edit in EDITS}
        for name in chosen:
            print(
                f"{label} {name:<20}",
                edited(guard, folder / f"{name}.jsonl", pages, args.items, total),
            )
        print(f"{label} ALL {shares(total)}")

    half = len(pages) // 2
    innocent(guard, "first half", pages[:half])
    innocent(guard, "second half", pages[half:])
    translations(folder)


def innocent_pages(args: argparse.Namespace) -> list[str]:
    """Texts of the pages that no list names, shuffled."""
    named = set()
    for file in ("contamination", "natural_overlap"):
        named |= {row["url"] for row in read_jsonl(args.data / "crawl" / f"{file}.jsonl")}
    pages = [page["text"] for page in read_jsonl(args.pages) if page["url"] not in named]
    random.Random(7).shuffle(pages)
    return pages


def edited(
    guard: LeakIndex, file: Path, pages: list[str], count: int, total: dict[str, list[int]]
) -> str:
    draw = random.Random(3)
    items = [item for item in read_benchmark(file) if _guarded(item)]
    items = draw.sample(items, min(count, len(items)))
    words = [word for page in pages[:300] for word in page.split() if word.isalpha()]

    found = {}
    for edit in EDITS:
        texts = []
        for item in items:
            copy = edit(question(item), draw, words)
            texts.append(f"{draw.choice(pages)[:3000]}\n\n{copy}\n\n{draw.choice(pages)[:1500]}")
        hits = 0
        for item, leaks in zip(items, guard.find(texts), strict=True):
            benchmark = item.benchmark.split("/")[0]
            hits += any(
                (leak.row, leak.benchmark.split("/")[0]) == (item.row, benchmark) for leak in leaks
            )
        found[edit.__name__] = [hits, len(items)]
        total[edit.__name__][0] += hits
        total[edit.__name__][1] += len(items)
    return shares(found)


def question(item: Item) -> str:
    return max((text.raw for text in item.texts if text.part == QUESTION), key=len, default="")


def _guarded(item: Item) -> bool:
    """Whether the item alone would be looked for as an edited copy."""
    return LeakIndex([item], Decontamination()).copies is not None


def shares(counts: dict[str, list[int]]) -> str:
    return ", ".join(f"{name} {hit / max(1, of):.3f} of {of}" for name, (hit, of) in counts.items())


def innocent(guard: LeakIndex, label: str, pages: list[str]) -> None:
    start, hits = time.process_time(), 0
    for at in range(0, len(pages), BATCH):
        for leaks in guard.find(pages[at : at + BATCH]):
            hits += any(leak.rule == "C" for leak in leaks)
    seconds = time.process_time() - start
    characters = sum(map(len, pages))
    print(
        f"innocent, {label}: {hits} of {len(pages)} taken for edited copies; "
        f"{len(pages) / seconds:,.0f} pages/s, {characters / seconds / 1e6:.1f} million characters/s"
    )


def translations(folder: Path) -> None:
    """GSM8K's questions in other languages (MGSM): removed, and listed as candidates."""
    items = read_benchmark(folder / "gsm8k/test.jsonl")
    guard, sequences = LeakIndex(items, Decontamination()), NumberSequences(items)
    long_enough = {
        owner for entries in sequences.sequences.values() for _, all_ in entries for owner in all_
    }

    for language in LANGUAGES:
        translated = read_benchmark(folder / f"mgsm/test_{language}.jsonl")
        grams = page_grams_of([question(item) for item in translated])
        removed = sum(map(bool, guard.find_in(grams)))
        listed = {found.page for found in sequences.find(grams) if found.page == found.item}
        eligible = sum(item.row in long_enough for item in translated)
        print(
            f"translation to {language}: {removed} of {len(translated)} removed; "
            f"{len(listed)} of {eligible} with enough numbers listed"
        )


if __name__ == "__main__":
    main()
