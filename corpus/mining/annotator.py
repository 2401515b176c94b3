"""The automatic annotator: which pages are of the subject, in two views that must agree.

It stands in for the person who looks at sample pages between two rounds (DeepSeekMath section 2.1), and
reads a sample of every domain and of every listed prefix. One view is what is known of the subject
beforehand: its words, signs and formulas (`corpus.mining.math_evidence`), or, for a subject without a
vocabulary, the scores of this round's classifier. The other is what the pages of other domains teach
(`corpus.mining.learned_view`). Its teachers are the pages under accepted prefixes, the seeds, and pages
that are plainly of the subject by the first view; against them stand pages without any sign of it.

It judges domains it has never heard of, and knows no names.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import duckdb
import numpy as np

from corpus.mining import learned_view
from corpus.mining.calls import Call
from corpus.mining.learned_view import Features, features_of
from corpus.mining.math_evidence import concepts, evidence
from corpus.mining.passes import JUDGE as JUDGE_PASS
from corpus.mining.passes import Passes
from corpus.mining.round_tables import register_ids
from corpus.mining.training_set import JUDGE, first_by_hash, ids_array
from pipeline.config.corpus import Selection

# By so much of the evidence that makes a page plainly of the subject, a page passes the first view;
# below so much it shows no sign of it.
_PASSES, _NO_SIGN = 2 / 3, 1 / 2
# Concepts that a page of the subject names; a short page has room for fewer.
_CONCEPTS, _FEWER_CONCEPTS = 3, 2
_SHORT = 100  # tokens
_SHORTEST = 25  # tokens; a shorter page cannot be judged

# A concept on this share of a domain's pages may belong to its menus: it counts half.
_ON_EVERY_PAGE = 0.5
_FEWEST_PAGES = 10  # to say so

# Bounds for a crawl of millions of domains: how many are sampled, and pages of one.
_MOST_DOMAINS, _OF_A_DOMAIN = 2_000, 50
_MOST_TEACHERS = 2_000  # pages under accepted prefixes, and seeds


@dataclass(frozen=True, slots=True)
class Read:
    """What is read of a page."""

    evidence: float
    concepts: frozenset[str]
    features: Features

    @property
    def concepts_needed(self) -> int:
        return _FEWER_CONCEPTS if self.features.tokens < _SHORT else _CONCEPTS


@dataclass(frozen=True, slots=True)
class FirstView:
    """The view of what is known beforehand; arrays with one entry a page."""

    evidence: np.ndarray
    plain: np.ndarray  # plainly of the subject
    passes: np.ndarray
    no_sign: np.ndarray


class Annotator:
    """Reads sample pages of a crawl and calls them.

    Needs the tables `kept` and `scores` of a round.
    """

    def __init__(self, passes: Passes, database: duckdb.DuckDBPyConnection, settings: Selection):
        self.passes = passes
        self.database = database
        self.settings = settings

    def sample(self, seed: int) -> np.ndarray:
        """doc_ids of pages long enough to judge, some of every domain that is large enough."""
        # The order of a domain's hash is as good as chance, and other domains do not change it.
        rows = self.database.execute(f"""
            WITH long AS (SELECT doc_id, domain FROM kept WHERE n_tokens >= {_SHORTEST}),
                 chosen AS (
                     SELECT domain
                     FROM long
                     GROUP BY domain
                     HAVING count(*) >= {self.settings.domain_pages}
                     ORDER BY md5(domain)
                     LIMIT {_MOST_DOMAINS}
                 )
            SELECT domain, list(doc_id) FROM long SEMI JOIN chosen USING (domain) GROUP BY domain
        """)
        parts = [np.zeros(0, dtype=np.uint64)]
        while row := rows.fetchone():
            members = np.array(row[1], dtype=np.uint64)
            parts.append(first_by_hash(members, _OF_A_DOMAIN, seed, JUDGE))
        return np.concatenate(parts)

    def call(
        self,
        members: Iterable[int],
        positives: np.ndarray,
        seed: int,
        limit: int,
        cut: float,
    ) -> dict[int, Call]:
        """Call the sample, and of `members` and `positives` those long enough to judge.

        Args:
            members: doc_ids of pages under listed prefixes.
            positives: doc_ids of seeds and of pages under accepted prefixes.
            limit: tokens that count as evidence, from a page's beginning.
            cut: score from which this round collects.
        """
        teachers = first_by_hash(positives, _MOST_TEACHERS, seed, JUDGE)
        asked = np.unique(np.concatenate([self.sample(seed), ids_array(members), teachers]))
        domains = self._domains(asked)

        doc_ids = np.array(sorted(domains), dtype=np.uint64)
        domain = np.array([domains[int(doc_id)] for doc_id in doc_ids])
        read = self.passes.read(
            JUDGE_PASS,
            doc_ids,
            lambda text, formulas: Read(
                evidence(text, formulas, limit), concepts(text, limit), features_of(text)
            ),
        )
        pages = [read[int(doc_id)] for doc_id in doc_ids]

        first = self._first_view(doc_ids, domain, pages, cut)
        taken = np.isin(doc_ids, teachers) | first.plain
        sample = learned_view.Sample(
            features=[page.features for page in pages],
            domain=domain,
            subject=taken,
            other=first.no_sign & ~taken,
        )
        scores = learned_view.cross_fitted(sample)

        calls = {}
        for number, doc_id in enumerate(doc_ids.tolist()):
            calls[doc_id] = Call(
                known=bool(first.passes[number]),
                learned=bool(scores[number] >= 0),
                evidence=float(first.evidence[number]),
                learned_score=float(scores[number]),
            )
        return calls

    def _domains(self, doc_ids: np.ndarray) -> dict[int, str]:
        """The domain of each of these pages that is long enough to judge."""
        register_ids(self.database, "asked", doc_ids)
        rows = self.database.execute(f"""
            SELECT doc_id, domain FROM kept
            WHERE doc_id IN (FROM asked) AND n_tokens >= {_SHORTEST}
        """)
        return dict(rows.fetchall())

    def _first_view(
        self, doc_ids: np.ndarray, domain: np.ndarray, pages: list[Read], cut: float
    ) -> FirstView:
        if self.settings.vocabulary is None:
            return self._by_scores(doc_ids, cut)

        named = _named_concepts(domain, pages)
        several = named >= np.array([page.concepts_needed for page in pages])
        found = np.array([page.evidence for page in pages])
        asked = self.settings.page_evidence
        return FirstView(
            evidence=found,
            plain=several & (found >= asked),
            passes=several & (found >= _PASSES * asked),
            no_sign=found < _NO_SIGN * asked,
        )

    def _by_scores(self, doc_ids: np.ndarray, cut: float) -> FirstView:
        """Without a vocabulary nothing is plain, and the classifier's score says what passes."""
        register_ids(self.database, "asked", doc_ids)
        rows = self.database.execute(
            "SELECT doc_id, score FROM scores WHERE doc_id IN (FROM asked) ORDER BY doc_id"
        ).fetchnumpy()
        scores = rows["score"]
        passes = scores >= np.float32(cut)
        return FirstView(
            evidence=scores, plain=np.zeros_like(passes), passes=passes, no_sign=~passes
        )


def _named_concepts(domain: np.ndarray, pages: list[Read]) -> np.ndarray:
    """[pages] how many concepts each names; of those that its whole domain repeats every second."""
    of_domain: dict[str, list[int]] = defaultdict(list)
    for number, name in enumerate(domain.tolist()):
        of_domain[name].append(number)

    named = np.zeros(len(pages), dtype=np.int64)
    for numbers in of_domain.values():
        on_pages: Counter[str] = Counter()
        for number in numbers:
            on_pages.update(pages[number].concepts)

        repeated = set()
        if len(numbers) >= _FEWEST_PAGES:
            often = _ON_EVERY_PAGE * len(numbers)
            repeated = {concept for concept, count in on_pages.items() if count >= often}
        for number in numbers:
            own = len(pages[number].concepts - repeated)
            shared = len(pages[number].concepts & repeated)
            named[number] = own + shared // 2
    return named


def domains_of_the_subject(
    database: duckdb.DuckDBPyConnection, calls: dict[int, Call], settings: Selection
) -> None:
    """Flag, in the table `domains`, those with more than `domain_share` of pages that both views take.

    The classifier finds what is like its positives; this finds domains that it passes over.
    """
    register_ids(database, "called", list(calls))
    register_ids(database, "agreed", [doc_id for doc_id, call in calls.items() if call.agreed])
    database.execute(f"""
        UPDATE domains
        SET flagged = true
        WHERE domain IN (
            SELECT domain
            FROM kept JOIN called USING (doc_id) LEFT JOIN agreed a USING (doc_id)
            GROUP BY domain
            HAVING count(*) >= {settings.domain_pages}
               AND count(a.doc_id) > {settings.domain_share!r} * count(*)
        )
    """)
