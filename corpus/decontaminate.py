"""Removes pages that hold benchmark problems (DeepSeekMath section 2.1).

Reads benchmarks (JSON Lines of any shape, questions and answers both count) and pages (JSON Lines with `url` and
`text`; `-` is stdin). Writes the kept pages, unchanged and in order, to stdout; with `--removed FILE` one object for
each removed page: url, benchmark, item (the record's id, else its 0-based row), ngram, and the other items found on
the page under `also`.

    python -m corpus.decontaminate --benchmarks gsm8k/test.jsonl math/test.jsonl pages.jsonl --removed removed.jsonl
    zcat pages.jsonl.gz | python -m corpus.decontaminate --benchmarks my-exam=exam.jsonl - > kept.jsonl

A benchmark is named after its file (`gsm8k/test`) or by NAME=FILE. Rules and their settings stand in
`pipeline.config.corpus.Decontamination`; `--config` takes them from a JSON file.

Not done: paraphrases and translations are not found, only the same words; text inside pictures is not read.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

from corpus.leaks.benchmark_texts import Item, read_benchmark
from corpus.leaks.index import Leak, LeakIndex
from pipeline.artifacts.records import read_jsonl
from pipeline.artifacts.write import atomic_path
from pipeline.config.corpus import Decontamination
from pipeline.config.load import read_section
from pipeline.errors import UserError, run_main
from pipeline.progress import Progress

BATCH_CHARACTERS = 1 << 18


def main(argv: list[str] | None = None) -> None:
    options = _options(argv)
    settings = (
        read_section(options.config, Decontamination) if options.config else Decontamination()
    )
    index = LeakIndex(load_benchmarks(options.benchmarks), settings)
    counts: Counter[str] = Counter()
    with ExitStack() as stack:
        removed = _log(stack, options.removed)
        progress = stack.enter_context(Progress("decontaminate", unit="pages"))
        for page, leaks in search(index, _pages(options.pages)):
            counts["removed" if leaks else "kept"] += 1
            if not leaks:
                sys.stdout.write(json.dumps(page, ensure_ascii=False) + "\n")
            elif removed:
                removed.write(
                    json.dumps({"url": page["url"]} | removal(leaks), ensure_ascii=False) + "\n"
                )
            progress.add(1, removed=counts["removed"])
    sys.stdout.flush()
    print(f"kept {counts['kept']}, removed {counts['removed']} pages", file=sys.stderr)


def load_benchmarks(sources: Iterable[str]) -> list[Item]:
    """Items of benchmark files given as FILE or NAME=FILE."""
    items: list[Item] = []
    for source in sources:
        name, equals, path = source.partition("=")
        named = equals and not Path(source).exists()
        items += read_benchmark(path, name) if named else read_benchmark(source)
    return items


def search(index: LeakIndex, pages: Iterable[dict]) -> Iterator[tuple[dict, list[Leak]]]:
    """Each page (a dict with `text`) with what was found on it, in order; memory for one batch of pages."""
    batch: list[dict] = []
    size = 0
    for page in pages:
        batch.append(page)
        size += len(page["text"])
        if size >= BATCH_CHARACTERS:
            yield from zip(batch, index.find([row["text"] for row in batch]), strict=True)
            batch, size = [], 0
    if batch:
        yield from zip(batch, index.find([row["text"] for row in batch]), strict=True)


def removal(leaks: list[Leak]) -> dict:
    """The log entry of a removed page: the item with most n-grams in common, and the rest."""
    first, *others = leaks
    return {
        "benchmark": first.benchmark,
        "item": first.item,
        "ngram": first.ngram,
        "rule": first.rule,
        "part": first.part,
        "row": first.row,
        "ngrams": first.count,
        "also": [
            {
                "benchmark": leak.benchmark,
                "item": leak.item,
                "ngram": leak.ngram,
                "ngrams": leak.count,
            }
            for leak in others
        ],
    }


def _options(argv: list[str] | None) -> argparse.Namespace:
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
        "--config", metavar="FILE", help="settings as JSON, see Decontamination in pipeline/schema"
    )
    options = parser.parse_args(argv)
    if not options.pages and len(options.benchmarks) > 1:
        options.pages = [
            options.benchmarks.pop()
        ]  # `--benchmarks A B PAGES`: the option swallows the pages
    if not options.benchmarks:
        raise UserError(
            "--benchmarks needs at least one file, and the pages come last (- is stdin)"
        )
    if not options.pages:
        raise UserError("no pages given: name a JSON Lines file, or - for stdin")
    return options


def _pages(paths: list[str]) -> Iterator[dict]:
    for path in paths:
        for number, page in enumerate(read_jsonl(path), 1):
            for key in ("url", "text"):
                if not isinstance(page.get(key), str):
                    name = "stdin" if path == "-" else path
                    raise UserError(
                        f"{name}, record {number}: no {key} (a page needs the strings url and text)"
                    )
            yield page


def _log(stack: ExitStack, path: str | None):
    if path is None:
        return None
    return stack.enter_context(open(stack.enter_context(atomic_path(path)), "w", encoding="utf-8"))


if __name__ == "__main__":
    run_main(main)
