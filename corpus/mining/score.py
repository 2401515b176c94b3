"""Scores of all kept pages: one side file a shard, rows in the page table's order."""

from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from corpus.mining.fasttext_model import Scorer
from corpus.mining.features import line_of
from corpus.tables.finished import is_finished, marked
from corpus.tables.shards import Crawl
from pipeline.artifacts.resume import fingerprint
from pipeline.artifacts.write import atomic_path, file_digest
from pipeline.process_pool import run_jobs
from pipeline.progress import track

SCORES = pa.schema(
    [
        pa.field("doc_id", pa.uint64(), nullable=False),
        pa.field("score", pa.float32(), nullable=False),
    ]
)


def score_shards(
    crawl: Crawl, model: Path, out: Path, max_tokens: int, workers: int = 1
) -> list[Path]:
    """Score every shard into `out`/<shard>.parquet; return these files.

    Those that the same model scored before are left as they are.

    Processes and not threads, for prediction holds the interpreter's lock.
    """
    files = [out / f"{shard}.parquet" for shard in crawl.shards]
    jobs = list(zip(crawl.shards, files, strict=True))

    made_from = fingerprint(
        file_digest(model), file_digest(crawl.dedup / "manifest.json"), max_tokens
    )
    shared = (crawl, model, max_tokens, made_from)
    scored = run_jobs(_score_shard, jobs, workers, shared=shared)
    for _ in track(scored, "mining scores", total=len(jobs), unit="shards"):
        pass
    return files


def _score_shard(
    shard: str, out: Path, crawl: Crawl, model: Path, max_tokens: int, made_from: str
) -> None:
    """Score one shard's kept pages by the first `max_tokens` tokens of their text."""
    if is_finished(out, made_from):
        return
    scorer = _scorer(model)
    schema = marked(SCORES, made_from)

    with (
        atomic_path(out) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd") as writer,
    ):
        for batch in crawl.kept_pages(shard, ["doc_id", "text"]):
            texts = batch["text"].to_pylist()
            scores = [scorer.score(line_of(text, max_tokens)) for text in texts]

            doc_id = batch["doc_id"].combine_chunks()
            score = pa.array(scores, pa.float32())
            writer.write_table(pa.Table.from_arrays([doc_id, score], schema=schema))


@lru_cache(maxsize=1)
def _scorer(model: Path) -> Scorer:
    """One model a process: loading a full-size one takes seconds and gigabytes."""
    return Scorer(model)
