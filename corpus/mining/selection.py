"""Which pages a round collects, where it looks for mathematical domains, and which domains these are.

Pages are collected by score, the best first, up to an exact number of tokens: the amount is measured
in tokens, as in the paper (DeepSeekMath section 2.1; 40 billion in its first round). Ties fall to the
smaller doc_id; the page that would pass the budget and all behind it stay out.

The paper calls all pages of one base URL a domain; here that is a host name without `www.`, because one
owner's hosts (forum.example.org, docs.example.org) differ in subject.
"""

import duckdb
import numpy as np

from corpus.tables.database import one_row
from pipeline.config.corpus import Selection


def budget_of_round(settings: Selection, number: int) -> int | None:
    """Tokens of round `number` (from 1), None when the round finds its own amount."""
    if settings.budget_tokens == "auto":
        return None
    # The last budget named holds for all later rounds.
    place = min(number, len(settings.budget_tokens)) - 1
    return settings.budget_tokens[place]


def automatic_cut(held_positives: np.ndarray, scores: np.ndarray, least_recall: float) -> float:
    """The score above which recall x precision is highest, from positives and unlabelled pages alone.

    Recall r(t) is measured on held-out positives. Precision is r(t) / P(score >= t) up to a factor
    that does not depend on t, so r(t)^2 / P(score >= t) is maximised (Lee and Liu 2003), over the t
    with r(t) >= `least_recall`.

    Args:
        held_positives: their scores.
        scores: of all kept pages.
    """
    thresholds = np.unique(held_positives[held_positives > 0])
    if not len(thresholds):
        return 1.0  # nothing is known about positives: collect only what is certain

    positives = np.sort(held_positives)
    recall = 1 - np.searchsorted(positives, thresholds) / len(positives)
    pages_above = len(scores) - np.searchsorted(np.sort(scores), thresholds)

    # Held-out positives that score 0 may keep even the lowest threshold from the recall asked for.
    needed = min(least_recall, recall[0])
    merit = np.where(recall >= needed, recall**2 / np.maximum(pages_above, 1), -1)

    # Of equally good thresholds the highest: it collects least.
    best = np.flatnonzero(merit == merit.max())[-1]
    return float(thresholds[best])


def collect(database: duckdb.DuckDBPyConnection, budget: int | None, cut: float | None) -> None:
    """Make the table `collected` (doc_id, url, score, n_tokens) from `kept` and `scores`, best first.

    Args:
        budget: tokens, or None to take every page whose score is at least `cut`.
    """
    # Scores are float32: compared as such, the page that gave the cut is inside.
    condition = f"score >= {cut!r}::FLOAT" if budget is None else f"total <= {int(budget)}"
    database.execute(f"""
        CREATE TABLE collected AS
        SELECT doc_id, url, score, n_tokens
        FROM (
            SELECT doc_id, url, score, n_tokens,
                   sum(n_tokens) OVER (ORDER BY score DESC, doc_id ROWS UNBOUNDED PRECEDING) AS total
            FROM kept JOIN scores USING (doc_id)
            WHERE score > 0
        )
        WHERE {condition}
        ORDER BY score DESC, doc_id
    """)


def explore(database: duckdb.DuckDBPyConnection, factor: float, least_share: float) -> None:
    """Make the table `explored` (doc_id): the best pages of each language, where domains are looked for.

    Of every language `factor` times the share that was collected of all pages is taken, and at least
    `least_share`. The classifier knows little about languages that its positives lack, but enough to
    order the pages of one language among themselves.
    """
    (collected,) = one_row(database, "SELECT count(*) FROM collected")
    (pages,) = one_row(database, "SELECT count(*) FROM kept")
    share = max(least_share, factor * collected / max(1, pages))

    database.execute(f"""
        CREATE TABLE explored AS
        SELECT doc_id
        FROM kept JOIN scores USING (doc_id)
        WHERE score > 0
        QUALIFY row_number() OVER (PARTITION BY language ORDER BY score DESC, doc_id)
                <= {share!r} * count(*) OVER (PARTITION BY language)
    """)


def find_domains(database: duckdb.DuckDBPyConnection, settings: Selection) -> None:
    """Make the table `domains` from `kept`, `collected`, `explored` and `positives`, one row a domain.

    Columns: domain, pages, tokens, collected, collected_tokens, found (collected or explored), share
    (found / pages), positives (training examples), flagged: the domain is mathematical, with a share
    over the limit (the paper's is 10 %) and pages enough to judge. Rows are sorted by domain.
    """
    database.execute(f"""
        CREATE TABLE domains AS
        SELECT *,
               found / pages AS share,
               found > {settings.domain_share!r} * pages AND pages >= {settings.domain_pages} AS flagged
        FROM (
            SELECT domain,
                   count(*) AS pages,
                   sum(n_tokens)::BIGINT AS tokens,
                   count(c.doc_id) AS collected,
                   coalesce(sum(n_tokens) FILTER (c.doc_id IS NOT NULL), 0)::BIGINT AS collected_tokens,
                   count(coalesce(c.doc_id, e.doc_id)) AS found,
                   count(p.doc_id) AS positives
            FROM kept
            LEFT JOIN (SELECT doc_id FROM collected) c USING (doc_id)
            LEFT JOIN explored e USING (doc_id)
            LEFT JOIN positives p USING (doc_id)
            GROUP BY domain
        )
        ORDER BY domain
    """)
