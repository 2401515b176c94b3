"""What a round needs of the texts of all shards: training examples, scores, and the pages that are judged.

Three passes a round, named in this order: `learn`, `score`, `judge`. One process does them itself, shard by
shard; or jobs on many machines do (corpus.read_shards, corpus.score_shards). Then the round is started once
before each pass, stops when it has written what the pass needs (`--until`), and is started again when the
jobs have ended. What lies in the folder of the passes is not made again:

    learn/asked.parquet    doc_ids of the training examples   learn/<shard>.parquet   their texts
    classifier.bin         the trained classifier             classifier.json         how it was trained
    scores/<shard>.parquet the scores of all kept pages
    judge/asked.parquet    doc_ids of the pages to be judged  judge/<shard>.parquet   their texts
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.mining.score import score_shards
from corpus.read_shards import read_shards
from corpus.tables.pages import read_table
from corpus.tables.shards import Crawl
from pipeline.artifacts.write import atomic_path, read_json, write_json
from pipeline.errors import UserError

LEARN, SCORE, JUDGE = PASSES = ("learn", "score", "judge")
MODEL = "classifier.bin"
Value = TypeVar("Value")


class Pause(Exception):
    """What the next pass needs is written; the round goes on when its jobs have ended."""


@dataclass(frozen=True, slots=True)
class Passes:
    """The passes of one round.

    Attributes:
        crawl: whose pages.
        folder: what they leave, and what an unfinished round goes on from.
        workers: processes.
        by_jobs: whether other jobs do them.
        until: the pass before which the round stops, None where it goes to its end.
    """

    crawl: Crawl
    folder: Path
    workers: int = 1
    by_jobs: bool = False
    until: str | None = None

    def read(
        self, name: str, doc_ids: np.ndarray, convert: Callable[[str, int], Value]
    ) -> dict[int, Value]:
        """`convert(text, number of formulas)` of these kept pages, by doc_id; a shard's texts in memory.

        Args:
            name: of the pass, LEARN or JUDGE.
        """
        place = self.folder / name
        asked = place / "asked.parquet"
        self._ask(asked, np.unique(doc_ids))
        self._pause_before(name)
        if not self.by_jobs:
            read_shards(self.crawl, asked, place, self.workers)

        values: dict[int, Value] = {}
        for shard in self.crawl.shards:
            ids, texts, formulas = read_table(place / f"{shard}.parquet").to_pydict().values()
            values.update(zip(ids, map(convert, texts, formulas), strict=True))
        return values

    def train(self, made_from: str, train: Callable[[Path], dict]) -> dict:
        """What `train(file)` returns when it has written the classifier, now or in an earlier try.

        Args:
            made_from: a fingerprint of all that decides the classifier.
        """
        record = self.folder / "classifier.json"
        if record.is_file() and (self.folder / MODEL).is_file():
            noted = read_json(record)
            if noted["made_from"] == made_from:
                return dict(noted["training"])

        record.unlink(missing_ok=True)
        with atomic_path(self.folder / MODEL) as model:
            training = train(model)
        write_json(record, {"made_from": made_from, "training": training})
        return training

    def score(self, max_tokens: int) -> list[Path]:
        """The tables of the scores of all kept pages, one a shard."""
        self._pause_before(SCORE)
        scores = self.folder / "scores"
        if self.by_jobs:
            return [scores / f"{shard}.parquet" for shard in self.crawl.shards]
        return score_shards(self.crawl, self.folder / MODEL, scores, max_tokens, self.workers)

    def end(self) -> None:
        """The round has come to its end: where it should have stopped before a last pass, no page is to be judged."""
        if self.until is not None:
            self._ask(self.folder / JUDGE / "asked.parquet", np.zeros(0, dtype=np.uint64))
            raise Pause

    def _ask(self, file: Path, doc_ids: np.ndarray) -> None:
        """Write the ids unless the file holds them: its time tells the jobs whether there is anything new."""
        if file.is_file():
            before = read_table(file, ["doc_id"])["doc_id"].to_numpy()
            if np.array_equal(before, doc_ids):
                return
            if self.by_jobs and self.until is None:
                raise UserError(f"{file}: not what this round asks for; delete {self.folder}")

        with atomic_path(file) as temporary:
            pq.write_table(pa.table({"doc_id": pa.array(doc_ids, pa.uint64())}), temporary)

    def _pause_before(self, name: str) -> None:
        if self.until == name:
            raise Pause
