"""What the automatic annotator says about single pages, and judged.parquet, where a round keeps it."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from corpus.tables.pages import read_table
from pipeline.artifacts.write import atomic_path

JUDGED = pa.schema(
    [
        pa.field("doc_id", pa.uint64(), nullable=False),
        pa.field("known", pa.bool_(), nullable=False),
        pa.field("learned", pa.bool_(), nullable=False),
        pa.field("evidence", pa.float32(), nullable=False),
        pa.field("learned_score", pa.float32(), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True)
class Call:
    """What the two views say about one page."""

    known: bool  # by the vocabulary, or the classifier's score
    learned: bool  # by what other domains teach
    evidence: float  # behind `known`
    learned_score: float  # behind `learned`: 0 and above

    @property
    def agreed(self) -> bool:
        return self.known and self.learned

    @property
    def denied(self) -> bool:
        return not self.known and not self.learned


def write_calls(path: Path, calls: dict[int, Call]) -> None:
    """judged.parquet, by doc_id."""
    rows = []
    for doc_id in sorted(calls):
        call = calls[doc_id]
        rows.append(
            {
                "doc_id": doc_id,
                "known": call.known,
                "learned": call.learned,
                "evidence": call.evidence,
                "learned_score": call.learned_score,
            }
        )
    with atomic_path(path) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=JUDGED), temporary, compression="zstd")


def read_calls(path: Path) -> dict[int, Call]:
    """What `write_calls` wrote."""
    calls = {}
    for row in read_table(path).to_pylist():
        doc_id = row.pop("doc_id")
        calls[doc_id] = Call(**row)
    return calls
