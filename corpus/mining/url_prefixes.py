"""URL prefixes inside mathematical domains: the table a person annotates, and the annotator that works unattended.

The automatic annotator reads up to `judged_pages` pages under each prefix and asks what share of them is mathematical
by `corpus.mining.math_evidence`. A prefix with a share of `prefix_evidence` is accepted, one with less than half of
that is
rejected, and one between them goes the way of the prefix above it; half as much again is asked under a rejected one.
It judges hosts it has never heard of: it knows words and signs, no names.
"""

from dataclasses import dataclass, field

import duckdb
import numpy as np

from corpus.mining.annotations import Annotation, ancestors
from corpus.mining.training_set import hash_order
from pipeline.config.corpus import Selection

_DISSENT = 1.5  # so many times the evidence is asked of a prefix under a rejected one
ENOUGH_TO_REJECT = 10  # judged pages below which a folder goes the way of the one above it


@dataclass
class Prefix:
    """One row of the table. Scores are means over all pages; `judged` and `mathematical` count read pages."""

    prefix: str
    pages: int = 0
    collected: int = 0
    score_sum: float = 0.0
    members: list[int] = field(default_factory=list)  # doc_ids
    judged: int = 0
    mathematical: int = 0

    @property
    def mathematical_share(self) -> float:
        return self.mathematical / self.judged if self.judged else 0.0


def list_prefixes(
    database: duckdb.DuckDBPyConnection, settings: Selection, seed: int
) -> dict[str, Prefix]:
    """Prefixes of flagged domains with enough pages; those that hold just the pages of the one above are left out."""
    rows = database.execute(
        "SELECT doc_id, domain, path, c.doc_id IS NOT NULL, score FROM kept JOIN scores USING (doc_id)"
        " LEFT JOIN (SELECT doc_id FROM collected) c USING (doc_id)"
        " WHERE domain IN (SELECT domain FROM domains WHERE flagged) ORDER BY doc_id"
    )
    table: dict[str, Prefix] = {}
    while batch := rows.fetchmany(100_000):
        for doc_id, domain, path, collected, score in batch:
            for name in ancestors(domain, path):
                prefix = table.setdefault(name, Prefix(name))
                prefix.pages += 1
                prefix.collected += collected
                prefix.score_sum += score
                prefix.members.append(doc_id)
    kept: dict[str, Prefix] = {}
    for name in sorted(table):
        above = table.get(name[: name.rstrip("/").rfind("/") + 1])
        if table[name].pages >= settings.prefix_pages and not (
            above and above.pages == table[name].pages
        ):
            kept[name] = table[name]
            kept[name].members = _sample(table[name].members, settings.judged_pages, seed)
    return kept


def judge(prefixes: dict[str, Prefix], mathematical: dict[int, bool]) -> None:
    """Enter what the annotator found on the pages it read (doc_id -> whether the page is mathematical)."""
    for prefix in prefixes.values():
        found = [mathematical[doc_id] for doc_id in prefix.members if doc_id in mathematical]
        prefix.judged, prefix.mathematical = len(found), sum(found)


def annotate(prefixes: dict[str, Prefix], settings: Selection) -> dict[str, Annotation]:
    """The automatic annotator's decision on every prefix of the table."""
    decisions: dict[str, Annotation] = {}
    for name in sorted(prefixes):  # a prefix comes before all that begin with it
        share = prefixes[name].mathematical_share
        above = _nearest_above(name, decisions)
        needed = settings.prefix_evidence
        if above and above.decision == "reject":
            needed *= _DISSENT
        if share >= needed:
            decision = "accept"
        elif above is None or (
            share < settings.prefix_evidence / 2 and prefixes[name].judged >= ENOUGH_TO_REJECT
        ):
            decision = "reject"
        else:
            decision = above.decision
        decisions[name] = Annotation(prefix=name, decision=decision, by="automatic")
    return decisions


def merge(
    automatic: dict[str, Annotation], earlier: dict[str, Annotation], person: dict[str, Annotation]
) -> dict[str, Annotation]:
    """All decisions that hold after a round: earlier rounds' stay, a person's win and settle what lies below them."""
    merged = earlier | automatic
    for name in person:
        merged = {key: value for key, value in merged.items() if not key.startswith(name)}
    return dict(sorted((merged | person).items()))


def as_yaml_rows(
    decisions: dict[str, Annotation], prefixes: dict[str, Prefix], samples: dict[str, list]
) -> list[dict]:
    """Rows of `url_prefixes.yaml`, most collected first; prefixes of earlier rounds only carry no numbers."""
    rows = []
    for name, annotation in decisions.items():
        row: dict = {"prefix": name, "decision": annotation.decision, "by": annotation.by}
        if name in prefixes:
            prefix = prefixes[name]
            row |= {
                "pages": prefix.pages,
                "collected": prefix.collected,
                "mean_score": round(prefix.score_sum / prefix.pages, 4),
                "mathematical_share": round(prefix.mathematical_share, 4),
                "samples": samples.get(name, []),
            }
        rows.append(row)
    return sorted(rows, key=lambda row: (-row.get("collected", 0), row["prefix"]))


def _sample(members: list[int], count: int, seed: int) -> list[int]:
    ids = np.array(members, dtype=np.uint64)
    return [int(i) for i in ids[np.lexsort((ids, hash_order(ids, seed, salt=3)))[:count]]]


def _nearest_above(name: str, decisions: dict[str, Annotation]) -> Annotation | None:
    while (end := name.rstrip("/").rfind("/")) >= 0:
        name = name[: end + 1]
        if name in decisions:
            return decisions[name]
    return None
