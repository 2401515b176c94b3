"""URL prefixes inside mathematical domains: the table a person annotates, and the annotator that works unattended.

In the paper people mark the URLs of a mathematical domain that carry mathematics, such as
mathoverflow.net/questions (DeepSeekMath section 2.1). The automatic annotator reads up to
`judged_pages` pages under each prefix and asks what share of them is mathematical by
`corpus.mining.math_evidence`. A prefix with a share of `prefix_evidence` is accepted, one with less
than half of that is rejected, and one between them goes the way of the prefix above it; half as much
again is asked under a rejected one. It judges hosts it has never heard of: it knows words and signs, no
names.
"""

from dataclasses import dataclass, field
from typing import Literal

import duckdb
import numpy as np

from corpus.mining.annotations import Annotation, Decisions, ancestors
from corpus.mining.training_set import JUDGE, first_by_hash
from pipeline.config.corpus import Selection

# So many times the evidence is asked of a prefix under a rejected one.
_DISSENT = 1.5
# With fewer judged pages a folder is not rejected by itself: it goes the way of the one above it.
ENOUGH_TO_REJECT = 10
_FETCH = 100_000  # rows of a query in memory at a time


@dataclass(slots=True)
class Prefix:
    """One row of the table."""

    prefix: str
    pages: int = 0
    collected: int = 0
    score_sum: float = 0.0  # over all pages
    members: list[int] = field(default_factory=list)  # doc_ids; in the end those to be read
    judged: int = 0  # pages that the annotator read,
    mathematical: int = 0  # and those of them that are mathematical

    @property
    def mathematical_share(self) -> float:
        return self.mathematical / self.judged if self.judged else 0.0


def list_prefixes(
    database: duckdb.DuckDBPyConnection, settings: Selection, seed: int
) -> dict[str, Prefix]:
    """Prefixes of flagged domains with enough pages, in alphabetical order.

    A prefix that holds just the pages of the one above it is left out. `members` becomes the sample of
    pages that the annotator reads.
    """
    table = _count_pages(database)

    listed: dict[str, Prefix] = {}
    for name in sorted(table):
        prefix = table[name]
        above = table.get(_parent(name))
        adds_nothing = above is not None and above.pages == prefix.pages
        if prefix.pages < settings.prefix_pages or adds_nothing:
            continue

        members = np.array(prefix.members, dtype=np.uint64)
        prefix.members = first_by_hash(members, settings.judged_pages, seed, JUDGE).tolist()
        listed[name] = prefix
    return listed


def _count_pages(database: duckdb.DuckDBPyConnection) -> dict[str, Prefix]:
    """Every prefix of every page of the flagged domains."""
    rows = database.execute("""
        SELECT doc_id, domain, path, c.doc_id IS NOT NULL, score
        FROM kept
        JOIN scores USING (doc_id)
        LEFT JOIN (SELECT doc_id FROM collected) c USING (doc_id)
        WHERE domain IN (SELECT domain FROM domains WHERE flagged)
        ORDER BY doc_id
    """)

    table: dict[str, Prefix] = {}
    while batch := rows.fetchmany(_FETCH):
        for doc_id, domain, path, collected, score in batch:
            for name in ancestors(domain, path):
                prefix = table.setdefault(name, Prefix(name))
                prefix.pages += 1
                prefix.collected += collected
                prefix.score_sum += score
                prefix.members.append(doc_id)
    return table


def judge(prefixes: dict[str, Prefix], is_mathematical: dict[int, bool]) -> None:
    """Enter what the annotator found on the pages it read (doc_id -> whether the page is mathematical)."""
    for prefix in prefixes.values():
        found = [is_mathematical[page] for page in prefix.members if page in is_mathematical]
        prefix.judged = len(found)
        prefix.mathematical = sum(found)


def annotate(prefixes: dict[str, Prefix], settings: Selection) -> Decisions:
    """The automatic annotator's decision on every prefix of the table."""
    decisions: Decisions = {}
    # In alphabetical order a prefix comes before all that begin with it.
    for name in sorted(prefixes):
        above = _nearest_above(name, decisions)
        decision = _decide(prefixes[name], above, settings)
        decisions[name] = Annotation(prefix=name, decision=decision, by="automatic")
    return decisions


def _decide(
    prefix: Prefix, above: Annotation | None, settings: Selection
) -> Literal["accept", "reject"]:
    share = prefix.mathematical_share

    needed = settings.prefix_evidence
    if above is not None and above.decision == "reject":
        needed *= _DISSENT
    if share >= needed:
        return "accept"

    little_evidence = share < settings.prefix_evidence / 2
    if above is None or (little_evidence and prefix.judged >= ENOUGH_TO_REJECT):
        return "reject"
    return above.decision


def merge(automatic: Decisions, earlier: Decisions, person: Decisions) -> Decisions:
    """All decisions that hold after a round, by prefix in alphabetical order.

    Those of earlier rounds stay unless this round's annotator judged anew; a person's win and settle
    what is under them.
    """
    merged = earlier | automatic
    for name in person:
        merged = {key: value for key, value in merged.items() if not key.startswith(name)}
    return dict(sorted((merged | person).items()))


def as_yaml_rows(
    decisions: Decisions, prefixes: dict[str, Prefix], samples: dict[str, list[str]]
) -> list[dict]:
    """Rows of `url_prefixes.yaml`, most collected first.

    Args:
        prefixes: this round's table; prefixes of earlier rounds alone carry no numbers.
        samples: URLs of sample pages, by prefix.
    """
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


def _parent(name: str) -> str:
    """The prefix one folder up, "" above a host."""
    return name[: name.rstrip("/").rfind("/") + 1]


def _nearest_above(name: str, decisions: Decisions) -> Annotation | None:
    """The decision about the longest shorter prefix that has one."""
    while name := _parent(name):
        if name in decisions:
            return decisions[name]
    return None
