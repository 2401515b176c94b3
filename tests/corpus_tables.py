"""A small mined corpus for tests: tables as extraction, deduplication and rounds write them, with known contents."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.dedup import deduplicate
from corpus.pages import EXTRACTOR_VERSION, PAGES, REJECTS, key64
from corpus.shards import shard_files
from pipeline.artifacts import write_jsonl, write_manifest
from pipeline.schema.corpus import Dedup

QUESTION = "Orla fills nine buckets with 12 litres of rain each and spills 7 litres. How many litres are left?"
SITES = ("forum.example", "notes.example", "shop.example", "cn.example")


def page(number: int, text: str | None = None) -> dict:
    """Page `number`: even numbers are mathematics, every fourth of these is Chinese."""
    host = SITES[(number % 2) * 2 + number // 2 % 2] if number % 8 else SITES[3]
    words = " ".join(f"w{(number * 7919 + place * 104729) % 5000}" for place in range(60))
    if text is None:
        formula = rf"Let $x_{{{number}}}^2 + \frac{{1}}{{{number + 1}}} \le \alpha$ <b>&amp;</b>"
        text = f"{formula}. {words}" if number % 2 == 0 else f"For sale {number}: {words}"
    url = f"https://{host}/{'math' if number % 2 == 0 else 'stuff'}/{number}"
    return {
        "doc_id": key64(url),
        "url": url,
        "url_key": key64(url),
        "host": host,
        "domain": host,
        "path": f"/math/{number}",
        "crawl_date": "2024-12-01T16:20:23Z",
        "warc_file": "CC-MAIN-20241201162023-00000.warc.gz",
        "warc_offset": number * 1000,
        "warc_length": 900,
        "mime": "text/html",
        "charset": "utf-8",
        "language": "zh" if number % 8 == 0 else "en",
        "language_score": 0.9,
        "title": f"Page {number} <script>",
        "text": text,
        "n_chars": len(text),
        "n_words": len(text.split()),
        "n_tokens": 40 + number,
        "n_math": 1 if number % 2 == 0 else 0,
        "math_kinds": json.dumps({"tex_dollar": 1} if number % 2 == 0 else {}),
        "fallback": False,
        "text_key": key64(text),
        "extractor_version": EXTRACTOR_VERSION,
    }


def write_pages(folder: Path, pages: list[dict], shards: int = 2) -> None:
    """Page and reject tables, and the deduplication of the pages, under `folder`."""
    (folder / "pages").mkdir(parents=True)
    (folder / "rejects").mkdir()
    for shard in range(shards):
        rows = pages[shard::shards]
        pq.write_table(pa.Table.from_pylist(rows, schema=PAGES), folder / "pages" / f"{shard:05d}.parquet")
        rejects = [
            {
                "url": "http://x",
                "reason": reason,
                "detail": "",
                "warc_file": "",
                "warc_offset": 0,
                "record_type": "response",
            }
            for reason in ("mime", "short", "short")
        ]
        pq.write_table(pa.Table.from_pylist(rejects, schema=REJECTS), folder / "rejects" / f"{shard:05d}.parquet")
    (folder / "dedup").mkdir()
    counts = deduplicate(shard_files(folder / "pages"), folder / "dedup", Dedup())
    write_manifest(folder / "dedup" / "manifest.json", "corpus.dedup", settings=Dedup().model_dump(), counts=counts)


def write_collected(folder: Path, pages: list[dict], rounds: int = 3) -> list[str]:
    """`round_<n>/collected.parquet`: ever more of the mathematical pages, best scores first."""
    files = []
    kept = set(pq.read_table(folder / "dedup" / "kept.parquet")["doc_id"].to_pylist())
    unique = {row["doc_id"]: row for row in pages if row["n_math"] and row["doc_id"] in kept}
    math = [unique[doc_id] for doc_id in sorted(unique)]
    for number in range(1, rounds + 1):
        some = math[: len(math) * number // rounds]
        table = pa.table(
            {
                "doc_id": pa.array([row["doc_id"] for row in some], pa.uint64()),
                "url": [row["url"] for row in some],
                "score": pa.array(np.linspace(1, 0.5, len(some)), pa.float32()),
            }
        )
        path = folder / f"round_{number}" / "collected.parquet"
        path.parent.mkdir(parents=True)
        pq.write_table(table, path)
        files.append(str(path))
    return files


def write_benchmark(path: Path) -> Path:
    write_jsonl(path, [{"id": "t-1", "question": QUESTION, "answer": "101"}])
    return path
