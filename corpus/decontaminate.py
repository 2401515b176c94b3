"""Removes pages that hold benchmark problems (DeepSeekMath section 2.1).

Reads  benchmarks (JSON Lines of any shape; questions and full solutions count, short answers do not) and pages
       (JSON Lines with `url` and `text`; `-` is stdin).
Writes the kept pages, unchanged and in order, to stdout; with `--removed FILE` one object for each removed page: url,
       benchmark, item (the record's id, else its 0-based row), ngram, and the other items found on the page under
       `also`.

    python -m corpus.decontaminate --benchmarks gsm8k/test.jsonl math/test.jsonl pages.jsonl --removed removed.jsonl
    zcat pages.jsonl.gz | python -m corpus.decontaminate --benchmarks my-exam=exam.jsonl - > kept.jsonl

A benchmark is named after its file (`gsm8k/test`) or by NAME=FILE. Rules and their settings are in
`pipeline.config.corpus.Decontamination`; `--config` takes them from a JSON file.

Not done: paraphrases and translations are not found, only the same words in the same order, some of them
changed; text inside pictures is not read.
"""

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from corpus.leaks.benchmark_texts import Item, read_benchmark
from corpus.leaks.candidates import Candidate, NumberSequences
from corpus.leaks.index import Leak, LeakIndex, page_grams_of
from pipeline.artifacts.records import read_jsonl
from pipeline.artifacts.write import atomic_path
from pipeline.config.corpus import Decontamination
from pipeline.config.read import read_section
from pipeline.errors import UserError, run_main
from pipeline.progress import Progress

# Pages searched at a time: enough for numpy to be worth it, little enough for the processor's cache.
BATCH_CHARACTERS = 1 << 18


def main(argv: list[str] | None = None) -> None:
    args = _parse_args(argv)
    settings = Decontamination()
    if args.config:
        settings = read_section(args.config, Decontamination)
    index = LeakIndex(load_benchmarks(args.benchmarks), settings)

    counts: Counter[str] = Counter()
    with ExitStack() as stack:
        log = _open_log(stack, args.removed) if args.removed is not None else None
        progress = stack.enter_context(Progress("decontaminate", unit="pages"))

        for page, leaks in search(index, _read_pages(args.pages)):
            if not leaks:
                counts["kept"] += 1
                sys.stdout.write(json.dumps(page, ensure_ascii=False) + "\n")
            else:
                counts["removed"] += 1
                if log is not None:
                    entry = {"url": page["url"], **removal(leaks)}
                    log.write(json.dumps(entry, ensure_ascii=False) + "\n")
            progress.add(1, removed=counts["removed"])

    sys.stdout.flush()
    print(f"kept {counts['kept']}, removed {counts['removed']} pages", file=sys.stderr)


def load_benchmarks(sources: Iterable[str]) -> list[Item]:
    """Items of benchmark files given as FILE or NAME=FILE."""
    items: list[Item] = []
    for source in sources:
        name, path = benchmark_source(source)
        items += read_benchmark(path, name)
    return items


def benchmark_source(source: str) -> tuple[str | None, str]:
    """Name (None: that of the file) and path of a benchmark given as FILE or NAME=FILE."""
    name, equals, path = source.partition("=")
    # A file may have an equals sign in its own path.
    if equals and not Path(source).exists():
        return name, path
    return None, source


def search(index: LeakIndex, pages: Iterable[dict]) -> Iterator[tuple[dict, list[Leak]]]:
    """Each page (a dict with `text`) with what was found on it, in order; a batch of pages in memory."""
    for batch in _batches(pages):
        found = index.find([page["text"] for page in batch])
        yield from zip(batch, found, strict=True)


@dataclass(frozen=True, slots=True)
class Examined:
    """A page, what was found on it, and what a person should look at."""

    page: dict
    leaks: list[Leak]
    candidates: list[Candidate]


def examine(
    index: LeakIndex, sequences: NumberSequences, pages: Iterable[dict]
) -> Iterator[Examined]:
    """As `search`, with the candidates for translated or reworded questions."""
    for batch in _batches(pages):
        grams = page_grams_of([page["text"] for page in batch])
        candidates: dict[int, list[Candidate]] = defaultdict(list)
        for candidate in sequences.find(grams):
            candidates[candidate.page].append(candidate)
        for number, (page, leaks) in enumerate(zip(batch, index.find_in(grams), strict=True)):
            yield Examined(page, leaks, candidates[number])


def _batches(pages: Iterable[dict]) -> Iterator[list[dict]]:
    batch: list[dict] = []
    characters = 0
    for page in pages:
        batch.append(page)
        characters += len(page["text"])
        if characters >= BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def removal(leaks: list[Leak]) -> dict:
    """The log entry of a removed page: the item with most n-grams in common, and the rest."""
    first, *others = leaks
    also = []
    for leak in others:
        also.append(
            {
                "benchmark": leak.benchmark,
                "item": leak.item,
                "rule": leak.rule,
                "ngram": leak.ngram,
                "ngrams": leak.count,
            }
        )

    return {
        "benchmark": first.benchmark,
        "item": first.item,
        "ngram": first.ngram,
        "rule": first.rule,
        "part": first.part,
        "row": first.row,
        "ngrams": first.count,
        "also": also,
    }


def _read_pages(paths: list[str]) -> Iterator[dict]:
    for path in paths:
        name = "stdin" if path == "-" else path
        for number, page in enumerate(read_jsonl(path), 1):
            for key in ("url", "text"):
                if not isinstance(page.get(key), str):
                    raise UserError(
                        f"{name}, record {number}: no {key} (a page needs the strings url and text)"
                    )
            yield page


def _open_log(stack: ExitStack, path: str) -> TextIO:
    """A file for writing that appears under its name when the stack is left without an exception."""
    temporary = stack.enter_context(atomic_path(path))
    return stack.enter_context(open(temporary, "w", encoding="utf-8"))


def _parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--benchmarks",
        nargs="+",
        action="extend",
        default=[],
        metavar="B.jsonl",
        help="[NAME=]FILE",
    )
    parser.add_argument(
        "pages", nargs="*", metavar="PAGES.jsonl", help="JSON Lines with url and text; - is stdin"
    )
    parser.add_argument("--removed", metavar="FILE", help="log of the removed pages (JSON Lines)")
    parser.add_argument(
        "--config", metavar="FILE", help="settings as JSON, see Decontamination in pipeline/config"
    )
    args = parser.parse_args(argv)

    # In `--benchmarks A B PAGES` the option takes the pages too: they come last.
    if not args.pages and len(args.benchmarks) > 1:
        args.pages = [args.benchmarks.pop()]

    if not args.benchmarks:
        raise UserError(
            "--benchmarks needs at least one file, and the pages come last (- is stdin)"
        )
    if not args.pages:
        raise UserError("no pages given: name a JSON Lines file, or - for stdin")
    return args


if __name__ == "__main__":
    run_main(main)
