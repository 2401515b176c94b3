"""Scores of all kept pages: one side file a shard (doc_id uint64, score float32), rows in the page table's order."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from corpus.mining.fasttext_model import Scorer
from corpus.mining.features import line_of
from corpus.tables.shards import kept_batches
from pipeline.artifacts.write import atomic_path
from pipeline.progress import track

SCORES = pa.schema(
    [
        pa.field("doc_id", pa.uint64(), nullable=False),
        pa.field("score", pa.float32(), nullable=False),
    ]
)


def score_shards(
    pages: Path,
    dedup: Path,
    shards: list[str],
    model: Path,
    out: Path,
    max_tokens: int,
    workers: int = 1,
) -> None:
    """Score every shard into `out`/<shard>.parquet; processes, for prediction holds the interpreter's lock."""
    jobs = [(pages, dedup, shard, model, out / f"{shard}.parquet", max_tokens) for shard in shards]
    if workers == 1 or len(jobs) == 1:
        for job in track(jobs, "scores", unit="shards"):
            score_shard(*job)
        return
    with ProcessPoolExecutor(min(workers, len(jobs)), mp_context=get_context("spawn")) as pool:
        for future in track(
            [pool.submit(score_shard, *job) for job in jobs], "scores", unit="shards"
        ):
            future.result()


def score_shard(
    pages: Path, dedup: Path, shard: str, model: Path, out: Path, max_tokens: int
) -> None:
    """Score one shard's kept pages by the first `max_tokens` tokens of their text."""
    scorer = _scorer(model)
    with (
        atomic_path(out) as temporary,
        pq.ParquetWriter(temporary, SCORES, compression="zstd") as writer,
    ):
        for batch in kept_batches(pages, dedup, shard, ["doc_id", "text"]):
            scores = [scorer.score(line_of(text, max_tokens)) for text in batch["text"].to_pylist()]
            columns = [batch["doc_id"].combine_chunks(), pa.array(scores, pa.float32())]
            writer.write_table(pa.Table.from_arrays(columns, schema=SCORES))


def _scorer(model: Path) -> Scorer:
    """One model a process: loading a full-size one takes seconds."""
    if model not in _loaded:
        _loaded.clear()
        _loaded[model] = Scorer(model)
    return _loaded[model]


_loaded: dict[Path, Scorer] = {}
