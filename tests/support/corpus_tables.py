"""A small mined corpus for tests: tables as extraction, deduplication and rounds write them, with known contents."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.dedup import deduplicate
from corpus.hash_shards import hash_shards
from corpus.tables.pages import EXTRACTOR_VERSION, PAGES, REJECTS, key64
from corpus.tables.shards import Crawl, shard_files
from corpus.tables.urls import url_key
from pipeline.artifacts.write import write_jsonl, write_manifest
from pipeline.config.corpus import Dedup

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
        "url_key": url_key(url),
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
        pq.write_table(
            pa.Table.from_pylist(rows, schema=PAGES), folder / "pages" / f"{shard:05d}.parquet"
        )
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
        pq.write_table(
            pa.Table.from_pylist(rejects, schema=REJECTS),
            folder / "rejects" / f"{shard:05d}.parquet",
        )
    (folder / "dedup").mkdir()
    files = shard_files(folder / "pages")
    hash_shards(files, folder / "signatures", Dedup(), workers=1)
    counts = deduplicate(files, folder / "dedup", Dedup(), folder / "signatures")
    write_manifest(
        folder / "dedup" / "manifest.json",
        "corpus.dedup",
        settings=Dedup().model_dump(),
        counts=counts,
    )


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
                "n_tokens": pa.array([row["n_tokens"] for row in some], pa.int64()),
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


def write_rounds(folder: Path, pages: list[dict], rounds: int = 3) -> list[str]:
    """`round_<n>` as a round writes it: collected pages, all scores, domains, prefixes, manifest."""
    files = write_collected(folder, pages, rounds)
    for number, file in enumerate(files, 1):
        round_folder = Path(file).parent
        collected = set(pq.read_table(file)["doc_id"].to_pylist())
        _write_scores(folder, round_folder, collected)
        _write_domains(folder, round_folder, collected)
        prefixes = [
            {"prefix": f"{SITES[0]}/math/", "decision": "accept", "by": "automatic", "pages": 9, "collected": number,
             "mean_score": 0.8, "mathematical_share": 0.9, "samples": [f"https://{SITES[0]}/math/0"]},
            {"prefix": f"{SITES[2]}/", "decision": "reject", "by": "person"},
        ]  # fmt: skip
        (round_folder / "url_prefixes.yaml").write_text(
            json.dumps({"version": 1, "prefixes": prefixes}), "utf-8"
        )
        held = {"positives": 4, "negatives": 4, "auc": 0.9, "precision": 0.8, "recall": None}
        names = "seeds positives negatives held_out_positives held_out_negatives flagged_domains prefixes"
        write_manifest(
            round_folder / "manifest.json",
            "corpus.round",
            settings={},
            counts={name: 4 for name in (*names.split(), "accepted_prefixes", "new_positives")},
            metrics={
                "cut_score": 0.5,
                "held_out": held
                | {
                    "calibration": [
                        {"mean_score": 0.2 * n, "positive_share": 0.2 * n} for n in (1, 4)
                    ]
                },
                "fasttext": {"dim": 8, "epoch": 3},
                "already_collected": None if number == 1 else 0.98,
                "stop_share": 0.98,
            },
        )
    return files


def _write_scores(folder: Path, round_folder: Path, collected: set[int]) -> None:
    (round_folder / "scores").mkdir()
    for shard in Crawl.open(folder / "pages", folder / "dedup").page_files:
        table = pq.read_table(folder / "dedup" / "shards" / shard.name)
        ids = [row["doc_id"] for row in table.to_pylist() if row["kept"]]
        scores = pa.array([0.9 if doc_id in collected else 0.05 for doc_id in ids], pa.float32())
        pq.write_table(
            pa.table({"doc_id": pa.array(ids, pa.uint64()), "score": scores}),
            round_folder / "scores" / shard.name,
        )


def _write_domains(folder: Path, round_folder: Path, collected: set[int]) -> None:
    kept = pq.read_table(folder / "dedup" / "kept.parquet").to_pylist()
    rows = []
    for domain in sorted({row["domain"] for row in kept}):
        pages = [row for row in kept if row["domain"] == domain]
        found = [row for row in pages if row["doc_id"] in collected]
        rows.append(
            {"domain": domain, "pages": len(pages), "tokens": sum(row["n_tokens"] for row in pages),
             "collected": len(found), "collected_tokens": sum(row["n_tokens"] for row in found), "found": len(found),
             "positives": 0, "share": len(found) / len(pages), "flagged": len(found) * 10 > len(pages)}
        )  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows), round_folder / "domains.parquet")
