"""URL prefixes inside domains of the subject: the table a person annotates, and what the automatic annotator decides.

In the paper people mark the URLs of a mathematical domain that carry mathematics, such as
mathoverflow.net/questions (DeepSeekMath section 2.1). The automatic annotator (`corpus.mining.annotator`)
calls up to `judged_pages` pages under each prefix in two views, whose shares are averaged. A prefix
with a share of `prefix_evidence` is accepted, one with less than half of that is rejected, and one
between them goes the way of the accepted prefix above it or stays undecided: then its pages are taken one by one.
So are those of a mixed prefix, where the views tell single pages apart and most are of something else.
Half as much again is asked under a rejected prefix, and to change an earlier round's decision more is
asked than to make it.
"""

import math
from dataclasses import dataclass, field

import duckdb
import numpy as np

from corpus.mining.annotations import Annotation, Decision, Decisions, ancestors
from corpus.mining.calls import Call
from corpus.mining.training_set import JUDGE, first_by_hash
from pipeline.config.corpus import Selection

# So many times the evidence is asked of a prefix under a rejected one.
_DISSENT = 1.5
# The views tell pages apart when they differ about no larger share of them.
_CLEARLY = 0.1
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
    judged: int = 0  # pages that the annotator called,
    known: int = 0  # those of them that are of the subject by what is known beforehand,
    learned: int = 0  # by what other domains teach,
    agreed: int = 0  # and by both
    doubt: float = 1.0  # of the annotator's decision, 1 where it could as well be the other

    @property
    def known_share(self) -> float:
        return self.known / self.judged if self.judged else 0.0

    @property
    def learned_share(self) -> float:
        return self.learned / self.judged if self.judged else 0.0

    @property
    def share(self) -> float:
        """Of pages of the subject: the geometric mean of the two views, 0 if one finds none."""
        return math.sqrt(self.known_share * self.learned_share)

    @property
    def is_mixed(self) -> bool:
        """Whether the views tell its pages apart, and less than half are of the subject."""
        disputed = self.known + self.learned - 2 * self.agreed
        minority = self.agreed < self.judged / 2
        return minority and disputed <= _CLEARLY * self.judged


def list_prefixes(
    database: duckdb.DuckDBPyConnection, settings: Selection, seed: int
) -> dict[str, Prefix]:
    """Flagged domains and their folders with enough pages, in alphabetical order.

    A prefix that holds just the pages of the one above it is left out. `members` becomes the sample of
    pages that the annotator reads.
    """
    table = _count_pages(database)

    listed: dict[str, Prefix] = {}
    for name in sorted(table):
        prefix = table[name]
        above = table.get(_parent(name))
        adds_nothing = above is not None and above.pages == prefix.pages
        too_small = above is not None and prefix.pages < settings.prefix_pages
        if too_small or adds_nothing:
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


def judge(prefixes: dict[str, Prefix], calls: dict[int, Call]) -> None:
    """Enter how the annotator called the pages it read (by doc_id)."""
    for prefix in prefixes.values():
        found = [calls[page] for page in prefix.members if page in calls]
        prefix.judged = len(found)
        prefix.known = sum(call.known for call in found)
        prefix.learned = sum(call.learned for call in found)
        prefix.agreed = sum(call.agreed for call in found)


def annotate(
    prefixes: dict[str, Prefix], settings: Selection, earlier: Decisions | None = None
) -> Decisions:
    """The automatic annotator's decision on every prefix of the table.

    Args:
        earlier: what holds before this round.
    """
    decisions: Decisions = {}
    # In alphabetical order a prefix comes before all that begin with it.
    for name in sorted(prefixes):
        above = _nearest_above(name, decisions)
        before = (earlier or {}).get(name)
        prefixes[name].doubt = _doubt(prefixes[name].share, settings.prefix_evidence)
        decision = _decide(prefixes[name], above, before, settings)
        decisions[name] = Annotation(prefix=name, decision=decision, by="automatic")
    return decisions


def _doubt(share: float, border: float) -> float:
    """1 for a share at the border between accepting and rejecting, less with every doubling or halving."""
    smaller, larger = sorted((share, border))
    return smaller / larger


def _decide(
    prefix: Prefix, above: Annotation | None, before: Annotation | None, settings: Selection
) -> Decision:
    half = settings.prefix_evidence / 2
    # Likeness to other domains does not make up for words that are missing.
    little_evidence = prefix.share < half or prefix.known_share < half / 2
    way_above = above.decision if above is not None else "undecided"

    # Once accepted, a prefix stays so until next to nothing speaks for it.
    if before is not None and before.decision == "accept" and not little_evidence:
        return "accept"

    needed = settings.prefix_evidence
    rejected_before = before is not None and before.decision == "reject"
    if way_above == "reject" or rejected_before:
        needed *= _DISSENT
    if prefix.share >= needed:
        return "undecided" if prefix.is_mixed else "accept"

    # Words of the subject that other domains' pages do not bear out: the views disagree.
    has_words = prefix.known_share >= half
    if little_evidence and not has_words and prefix.judged >= ENOUGH_TO_REJECT:
        return "reject"

    # A folder without the words of the subject is not accepted for its neighbours' sake.
    if way_above == "accept" and not has_words and prefix.judged >= ENOUGH_TO_REJECT:
        return "undecided"
    return way_above


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
                "mathematical_share": round(prefix.known_share, 4),
                "learned_share": round(prefix.learned_share, 4),
                "doubt": round(prefix.doubt, 4),
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
