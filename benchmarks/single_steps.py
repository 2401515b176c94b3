"""Processor time of the steps that see all ids of a crawl: sorting, clustering, drawing and selecting.

    python -m benchmarks.single_steps --pages 400000

The pages are made up: short texts, a tenth of them duplicates, on domains of a hundred pages. Printed are pages
a second of processor time; reading and hashing texts is measured in `benchmarks.corpus`.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.dedup import deduplicate
from corpus.hash_shards import hash_shards
from corpus.mining import selection, url_prefixes
from corpus.mining.given import Given
from corpus.mining.round_tables import seed_ids
from corpus.round import Round
from corpus.tables.pages import PAGES, key64
from corpus.tables.shards import Crawl, shard_files
from corpus.tables.urls import url_key
from pipeline.artifacts.write import write_json, write_jsonl
from pipeline.config.corpus import Classifier, Dedup, Selection

SHARD = 50_000  # pages
TOKENS = 1000  # a page
COLLECTED = 0.002  # share of the pages; in the paper it is 0.1 %


def main(argv: list[str] | None = None) -> None:
    args = _parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_pages(folder, args.pages)
        files = shard_files(folder / "pages")
        hash_shards(files, folder / "signatures", Dedup(), workers=1)
        (folder / "dedup").mkdir()

        def report(step: str, work: Callable[[], object]) -> None:
            before = time.process_time()
            work()
            seconds = time.process_time() - before
            print(f"{step}: {args.pages / seconds:,.0f} pages/s ({seconds:.1f} s)", flush=True)

        report(
            "dedup",
            lambda: deduplicate(files, folder / "dedup", Dedup(), folder / "signatures"),
        )
        write_json(folder / "dedup" / "manifest.json", {})
        step = a_round(folder, args.pages)
        report(
            "draw_examples",
            lambda: step.draw_examples(seed_ids(step.given.seeds, step.crawl), {}),
        )
        report("select_pages", lambda: select(step))


def a_round(folder: Path, pages: int) -> Round:
    """A round whose scores lie there already."""
    crawl = Crawl.open(folder / "pages", folder / "dedup")
    draw = np.random.default_rng(0)
    for shard in crawl.shards:
        decided = pq.read_table(crawl.dedup_file(shard))
        doc_ids = decided.filter(decided["kept"])["doc_id"]
        scores = draw.beta(0.1, 2, len(doc_ids)).astype(np.float32)
        place = folder / "passes" / "scores" / f"{shard}.parquet"
        place.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"doc_id": doc_ids, "score": scores}), place)

    (folder / "round").mkdir()
    settings = Selection(budget_tokens=(int(COLLECTED * pages) * TOKENS,))
    given = Given(
        1, crawl, folder / "seeds.jsonl", None, None, Classifier(), settings, 1,
        passes=folder / "passes", by_jobs=True,
    )  # fmt: skip
    return Round(given, folder / "round")


def select(step: Round) -> None:
    """What a round does between the scores and the pages that it reads to judge them."""
    settings = step.given.selection
    step.score_pages()
    selection.collect(step.database, selection.budget_of_round(settings, 1), None)
    step.find_domains()
    url_prefixes.list_prefixes(step.database, settings, 0)


def write_pages(folder: Path, count: int) -> None:
    """Page tables and seeds."""
    draw = np.random.default_rng(0)
    (folder / "pages").mkdir()
    words = np.array([f"word{number}" for number in range(5000)])
    for start in range(0, count, SHARD):
        rows = [a_page(number, draw, words) for number in range(start, min(count, start + SHARD))]
        file = folder / "pages" / f"{start // SHARD:05}.parquet"
        pq.write_table(pa.Table.from_pylist(rows, schema=PAGES), file)
    seeds = [{"url": address(number)} for number in range(0, count, 1000)]
    write_jsonl(folder / "seeds.jsonl", seeds)


def address(number: int) -> str:
    return f"https://h{number // 100}.example/{number % 7}/{number}"


def a_page(number: int, draw: np.random.Generator, words: np.ndarray) -> dict:
    # Every tenth page repeats the text of another.
    text_of = draw if number % 10 else np.random.default_rng(number // 100)
    text = " ".join(words[text_of.integers(0, len(words), 25)])
    host = f"h{number // 100}.example"
    return {
        "doc_id": key64(address(number)), "url": address(number), "url_key": url_key(address(number)),
        "host": host, "domain": host, "path": f"/{number % 7}/{number}",
        "crawl_date": "2024-12-01T16:20:23Z", "warc_file": "", "warc_offset": 0, "warc_length": 1,
        "mime": "text/html", "charset": "utf-8", "language": "en", "language_score": 1.0, "title": "",
        "text": text, "n_chars": len(text), "n_words": 25, "n_tokens": TOKENS, "n_math": 0, "math_kinds": "{}",
        "fallback": False, "text_key": key64(text), "extractor_version": "1",
    }  # fmt: skip


def _parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pages", type=int, default=400_000)
    return parser.parse_args(argv)


if __name__ == "__main__":
    main()
