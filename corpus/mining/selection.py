"""Which pages a round collects: the best by score, up to an exact number of tokens.

The amount is measured in tokens, as in the paper. Ties fall to the smaller doc_id; the page that would pass the
budget and all behind it stay out.
"""

import duckdb
import numpy as np

from pipeline.config.corpus import Selection


def budget_of_round(settings: Selection, number: int) -> int | None:
    """Tokens of round `number` (from 1), None when the round finds its own amount."""
    if settings.budget_tokens == "auto":
        return None
    return settings.budget_tokens[min(number, len(settings.budget_tokens)) - 1]


def automatic_cut(held_positives: np.ndarray, scores: np.ndarray, least_recall: float) -> float:
    """The score above which recall x precision is highest, from positives and unlabelled pages alone.

    Recall r(t) is measured on held-out positives. Precision is r(t) / P(score >= t) up to a factor that does not
    depend on t, so r(t)^2 / P(score >= t) is maximised (Lee and Liu 2003), over the t with r(t) >= `least_recall`.

    Args:
        held_positives: their scores.
        scores: of all kept pages.
    """
    thresholds = np.unique(held_positives[held_positives > 0])
    if not len(thresholds):
        return 1.0  # nothing is known about positives: collect only what is certain
    ordered, positives = np.sort(scores), np.sort(held_positives)
    above = len(ordered) - np.searchsorted(ordered, thresholds)
    recall = 1 - np.searchsorted(positives, thresholds) / len(positives)
    merit = np.where(recall >= min(least_recall, recall[0]), recall**2 / np.maximum(above, 1), -1)
    return float(thresholds[np.flatnonzero(merit == merit.max())[-1]])


def collect(database: duckdb.DuckDBPyConnection, budget: int | None, cut: float | None) -> None:
    """Make the table `collected` (doc_id, url, score, n_tokens) from `kept` and `scores`, best first.

    Args:
        budget: tokens, or None to take every page whose score is at least `cut`.
    """
    condition = f"score >= {cut!r}::FLOAT" if budget is None else f"total <= {int(budget)}"
    database.execute(
        "CREATE TABLE collected AS SELECT doc_id, url, score, n_tokens FROM ("
        " SELECT doc_id, url, score, n_tokens, sum(n_tokens) OVER (ORDER BY score DESC, doc_id"
        " ROWS UNBOUNDED PRECEDING) AS total FROM kept JOIN scores USING (doc_id) WHERE score > 0)"
        f" WHERE {condition} ORDER BY score DESC, doc_id"
    )


def explore(database: duckdb.DuckDBPyConnection, factor: float, least_share: float) -> None:
    """Make the table `explored` (doc_id): the best pages of each language, where domains are looked for.

    Of every language `factor` times the share that was collected of all pages is taken, and at least `least_share`.
    """
    collected, pages = database.execute(
        "SELECT (SELECT count(*) FROM collected), (SELECT count(*) FROM kept)"
    ).fetchone()
    share = max(least_share, factor * collected / max(1, pages))
    database.execute(
        "CREATE TABLE explored AS SELECT doc_id FROM kept JOIN scores USING (doc_id) WHERE score > 0 QUALIFY"
        " row_number() OVER (PARTITION BY language ORDER BY score DESC, doc_id)"
        f" <= {share!r} * count(*) OVER (PARTITION BY language)"
    )
