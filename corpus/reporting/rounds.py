"""Numbers of the corpus report about the rounds: growth, classifier, score histograms, domains, URL prefixes."""

from pathlib import Path

import yaml

from corpus.reporting.data import Tables
from pipeline.artifacts.write import read_json

SCORE_BINS = 50
DOMAINS = 40
PREFIXES = 60
COUNTS = (
    *("seeds", "positives", "negatives", "held_out_positives", "held_out_negatives"),
    *("flagged_domains", "prefixes", "accepted_prefixes", "new_positives"),
)


def rounds(tables: Tables) -> list[dict]:
    """One entry a round: what was collected, what of it was new, the classifier's measures, the score histogram."""
    return [_round(tables, number) for number in tables.rounds]


def domains(tables: Tables) -> list[dict]:
    """The domains with most tokens collected in the last round, and their growth over the rounds."""
    last = tables.rounds[-1]
    sources = " UNION ALL ".join(
        f"SELECT {number} AS round, doc_id FROM collected_{number}" for number in tables.rounds
    )
    growth: dict[str, dict[int, int]] = {}
    for domain, number, count in tables.rows(
        f"SELECT domain, round, count(*) FROM ({sources}) JOIN kept USING (doc_id) GROUP BY domain, round"
    ):
        growth.setdefault(domain, {})[number] = count
    rows = tables.rows(
        "SELECT domain, pages, collected, collected_tokens, share, flagged, positives FROM"
        f" read_parquet('{_quoted(tables, last)}') WHERE collected > 0"
        " ORDER BY collected_tokens DESC, domain LIMIT ?",
        DOMAINS,
    )
    names = ("domain", "pages", "collected", "tokens", "share", "flagged", "positives")
    return [
        dict(zip(names, row, strict=True))
        | {"growth": [growth.get(row[0], {}).get(n, 0) for n in tables.rounds]}
        for row in rows
    ]


def domain_counts(tables: Tables) -> dict:
    """Domains of the crawl, of the corpus, and those over the threshold, by the last round."""
    row = tables.one(
        "SELECT count(*), count(*) FILTER (collected > 0), count(*) FILTER (flagged) FROM"
        f" read_parquet('{_quoted(tables, tables.rounds[-1])}')"
    )
    return dict(zip(("crawl", "corpus", "flagged"), row, strict=True))


def prefixes(tables: Tables) -> dict:
    """URL prefixes of the last round, the accepted ones first; the round each was accepted in."""
    first: dict[str, int] = {}
    rows: list[dict] = []
    for number in tables.rounds:
        rows = _yaml(tables.corpus / f"round_{number}" / "url_prefixes.yaml")
        for row in rows:
            if row["decision"] == "accept":
                first.setdefault(row["prefix"], number)
    accepted = [
        row | {"round": first[row["prefix"]]} for row in rows if row["decision"] == "accept"
    ]
    rejected = [row for row in rows if row["decision"] == "reject"]
    return {
        "accepted": accepted[:PREFIXES],
        "rejected": rejected[:PREFIXES],
        "accepted_count": len(accepted),
        "rejected_count": len(rejected),
        "by_person": sum(row.get("by") == "person" for row in rows),
    }


def _round(tables: Tables, number: int) -> dict:
    manifest = read_json(tables.corpus / f"round_{number}" / "manifest.json")
    before = (
        f"SELECT doc_id FROM collected_{number - 1}"
        if number > 1
        else "SELECT 0::UBIGINT WHERE false"
    )
    pages, tokens, again_pages, again_tokens = tables.one(
        "SELECT count(*), coalesce(sum(n_tokens), 0), count(*) FILTER (doc_id IN (FROM before)),"
        f" coalesce(sum(n_tokens) FILTER (doc_id IN (FROM before)), 0) FROM collected_{number}".replace(
            "(FROM before)", f"({before})"
        )
    )
    metrics = manifest["metrics"]
    return {
        "round": number,
        "pages": pages,
        "tokens": int(tokens),
        "pages_before": again_pages,
        "tokens_before": int(again_tokens),
        "cut": metrics["cut_score"],
        "held_out": metrics["held_out"],
        "fasttext": metrics["fasttext"],
        "already_collected": metrics["already_collected"],
        "stop_share": metrics["stop_share"],
        "counts": {name: manifest["counts"][name] for name in COUNTS},
        "histogram": _histogram(tables, number),
    }


def _histogram(tables: Tables, number: int) -> dict:
    """Pages of the deduplicated crawl by score, and those of them that the round collected."""
    counts = {"all": [0] * SCORE_BINS, "collected": [0] * SCORE_BINS}
    query = (
        f"SELECT least({SCORE_BINS - 1}, floor(s.score * {SCORE_BINS}))::INT, count(*), count(c.doc_id)"
        f" FROM scores_{number} s LEFT JOIN (SELECT doc_id FROM collected_{number}) c USING (doc_id) GROUP BY 1"
    )
    for place, everything, collected in tables.rows(query):
        counts["all"][place] = everything
        counts["collected"][place] = collected
    return counts


def _quoted(tables: Tables, number: int) -> str:
    return str(tables.corpus / f"round_{number}" / "domains.parquet").replace("'", "''")


def _yaml(path: Path) -> list[dict]:
    return (
        yaml.load(path.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))[
            "prefixes"
        ]
        or []
    )
