"""Numbers of the corpus report about the rounds: growth, classifier, score histograms, domains, URL
prefixes.
"""

from pathlib import Path
from typing import Any

import yaml

from corpus.reporting.data import Tables
from corpus.reporting.schema import Domain, DomainCounts, Histogram, Prefixes, Round
from pipeline.artifacts.write import read_json

SCORE_BINS = 50
DOMAINS = 40
PREFIXES = 60
COUNTS = (
    "seeds",
    "positives",
    "negatives",
    "held_out_positives",
    "held_out_negatives",
    "flagged_domains",
    "prefixes",
    "accepted_prefixes",
    "new_positives",
)


def rounds(tables: Tables) -> list[Round]:
    """For each round: what was collected, what of it was new, the classifier's measures, the score
    histogram.
    """
    return [_round(tables, number) for number in tables.rounds]


def _round(tables: Tables, number: int) -> Round:
    manifest = read_json(tables.corpus / f"round_{number}" / "manifest.json")
    metrics = manifest["metrics"]

    before = "SELECT 0::UBIGINT WHERE false"  # before the first round nothing was collected
    if number > 1:
        before = f"SELECT doc_id FROM collected_{number - 1}"

    known = f"FILTER (doc_id IN ({before}))"
    pages, tokens, pages_before, tokens_before = tables.one(
        f"SELECT count(*), coalesce(sum(n_tokens), 0), count(*) {known},"
        f" coalesce(sum(n_tokens) {known}, 0) FROM collected_{number}"
    )

    return {
        "round": number,
        "pages": pages,
        "tokens": int(tokens),
        "pages_before": pages_before,
        "tokens_before": int(tokens_before),
        "cut": metrics["cut_score"],
        "held_out": metrics["held_out"],
        "fasttext": metrics["fasttext"],
        "already_collected": metrics["already_collected"],
        "stop_share": metrics["stop_share"],
        "counts": {name: manifest["counts"][name] for name in COUNTS},
        "histogram": _histogram(tables, number),
    }


def _histogram(tables: Tables, number: int) -> Histogram:
    """Pages of the deduplicated crawl by score, and those of them that the round collected."""
    everything, collected = [0] * SCORE_BINS, [0] * SCORE_BINS
    rows = tables.rows(
        f"SELECT least({SCORE_BINS - 1}, floor(s.score * {SCORE_BINS}))::INT,"
        f" count(*), count(c.doc_id) FROM scores_{number} s"
        f" LEFT JOIN (SELECT doc_id FROM collected_{number}) c USING (doc_id) GROUP BY 1"
    )

    # The last bin holds the score 1, too.
    for place, scored, taken in rows:
        everything[place] = scored
        collected[place] = taken
    return {"all": everything, "collected": collected}


def domains(tables: Tables) -> list[Domain]:
    """The domains with most tokens collected in the last round, and their growth over the rounds."""
    rows = tables.rows(
        "SELECT domain, pages, collected, collected_tokens, share, flagged, positives FROM"
        f" {_domain_table(tables)} WHERE collected > 0"
        " ORDER BY collected_tokens DESC, domain LIMIT ?",
        DOMAINS,
    )
    growth = _growth(tables)

    return [
        {
            "domain": domain,
            "pages": pages,
            "collected": collected,
            "tokens": tokens,
            "share": share,
            "flagged": flagged,
            "positives": positives,
            "growth": [growth.get((domain, number), 0) for number in tables.rounds],
        }
        for domain, pages, collected, tokens, share, flagged, positives in rows
    ]


def _growth(tables: Tables) -> dict[tuple[str, int], int]:
    """(domain, round) -> collected pages."""
    sources = " UNION ALL ".join(
        f"SELECT {number} AS round, doc_id FROM collected_{number}" for number in tables.rounds
    )
    rows = tables.rows(
        f"SELECT domain, round, count(*) FROM ({sources}) JOIN kept USING (doc_id)"
        " GROUP BY domain, round"
    )
    return {(domain, number): count for domain, number, count in rows}


def domain_counts(tables: Tables) -> DomainCounts:
    """Domains of the crawl, of the corpus, and those over the threshold, by the last round."""
    crawl, corpus, flagged = tables.one(
        "SELECT count(*), count(*) FILTER (collected > 0), count(*) FILTER (flagged) FROM"
        f" {_domain_table(tables)}"
    )
    return {"crawl": crawl, "corpus": corpus, "flagged": flagged}


def _domain_table(tables: Tables) -> str:
    """The last round's domains, as SQL."""
    path = tables.corpus / f"round_{tables.rounds[-1]}" / "domains.parquet"
    quoted = str(path).replace("'", "''")
    return f"read_parquet('{quoted}')"


def prefixes(tables: Tables) -> Prefixes:
    """URL prefixes of the last round, and of the accepted ones the round of their acceptance."""
    first: dict[str, int] = {}
    rows: list[dict[str, Any]] = []  # in the end those of the last round
    for number in tables.rounds:
        rows = _read_prefixes(tables.corpus / f"round_{number}" / "url_prefixes.yaml")
        for row in rows:
            if row["decision"] == "accept":
                first.setdefault(row["prefix"], number)

    accepted = [
        row | {"round": first[row["prefix"]]} for row in rows if row["decision"] == "accept"
    ]
    rejected = [row for row in rows if row["decision"] == "reject"]

    # The file lists the prefixes with most collected pages first.
    return {
        "accepted": accepted[:PREFIXES],
        "rejected": rejected[:PREFIXES],
        "accepted_count": len(accepted),
        "rejected_count": len(rejected),
        "by_person": sum(row.get("by") == "person" for row in rows),
    }


def _read_prefixes(path: Path) -> list[dict[str, Any]]:
    # The loader in C reads thousands of prefixes ten times faster; not every PyYAML has it.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    content = yaml.load(path.read_text(encoding="utf-8"), loader)
    return content["prefixes"] or []
