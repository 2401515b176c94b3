"""Numbers of the corpus report, read from a run's tables: from records to pages, contents, duplicates, leaks.

Everything here is counted afresh from the Parquet files by DuckDB, not copied from manifests, so that the report is
also a check of them. What a run does not have is left out.
"""

import json
from pathlib import Path

import duckdb

LENGTH_BINS = 40  # equal steps of log10(characters) from 1 to 7
SHARE_BINS = 20


class Tables:
    """A run's files as DuckDB views: pages, rejects, kept, final, removed; `rounds` lists the round numbers."""

    def __init__(self, results: str | Path):
        self.results = Path(results)
        self.corpus = self.results / "corpus"
        self.database = duckdb.connect(config={"threads": "2"})
        self.rounds = sorted(
            int(path.parent.name.removeprefix("round_"))
            for path in self.corpus.glob("round_*/collected.parquet")
        )
        self._view("pages", "pages/*.parquet")
        self._view("rejects", "rejects/*.parquet")
        self._view("kept", "dedup/kept.parquet")
        self._view("fate", "dedup/shards/*.parquet")
        self._view("final", "final/part-*.parquet")
        self._view("removed", "decontaminated.parquet")
        for number in self.rounds:
            self._view(f"collected_{number}", f"round_{number}/collected.parquet")
            self._view(f"scores_{number}", f"round_{number}/scores/*.parquet")

    def rows(self, query: str, *values: object) -> list[tuple]:
        return self.database.execute(query, list(values)).fetchall()

    def one(self, query: str, *values: object) -> tuple:
        return self.rows(query, *values)[0]

    def _view(self, name: str, pattern: str) -> None:
        quoted = str(self.corpus / pattern).replace("'", "''")
        self.database.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{quoted}')")


def funnel(tables: Tables) -> dict:
    """Records, what was rejected why, duplicates by kind, collected, leaked, final."""
    rejects = tables.rows(
        "SELECT reason, count(*), min(url), arg_min(detail, url) FROM rejects GROUP BY reason"
        " ORDER BY count(*) DESC, reason"
    )
    pages = tables.one("SELECT count(*) FROM pages")[0]
    duplicates = dict(
        tables.rows("SELECT duplicate, count(*) FROM fate WHERE NOT kept GROUP BY duplicate")
    )
    final = tables.one(
        "SELECT count(*), coalesce(sum(token_count), 0), coalesce(sum(char_count), 0), coalesce(sum(n_math), 0),"
        " count(DISTINCT host), coalesce(sum(n_words), 0) FROM final"
    )
    return {
        "records": pages + sum(row[1] for row in rejects),
        "rejected": [
            {"reason": reason, "records": count, "example": url, "detail": detail}
            for reason, count, url, detail in rejects
        ],
        "pages": pages,
        "page_tokens": tables.one("SELECT coalesce(sum(n_tokens), 0) FROM pages")[0],
        "duplicates": {kind: duplicates.get(kind, 0) for kind in ("url", "text", "near")},
        "kept": tables.one("SELECT count(*) FROM kept")[0],
        "kept_tokens": tables.one("SELECT coalesce(sum(n_tokens), 0) FROM kept")[0],
        "collected": tables.one(f"SELECT count(*) FROM collected_{tables.rounds[-1]}")[0],
        "removed": tables.one("SELECT count(*) FROM removed")[0],
        "removed_tokens": tables.one("SELECT coalesce(sum(n_tokens), 0) FROM removed")[0],
        "final": dict(
            zip(("pages", "tokens", "characters", "formulas", "hosts", "words"), final, strict=True)
        ),
    }


def languages(tables: Tables) -> list[dict]:
    """By language: pages of the crawl after deduplication, pages and tokens of the corpus."""
    rows = tables.rows(
        "SELECT language, k.pages, coalesce(f.pages, 0), coalesce(f.tokens, 0) FROM"
        " (SELECT language, count(*) AS pages FROM kept GROUP BY language) k LEFT JOIN"
        " (SELECT language, count(*) AS pages, sum(token_count) AS tokens FROM final GROUP BY language) f"
        " USING (language) ORDER BY 3 DESC, 2 DESC, language"
    )
    return [dict(zip(("language", "crawl", "corpus", "tokens"), row, strict=True)) for row in rows]


def markup(tables: Tables) -> list[dict]:
    """By kind of formula markup: formulas and pages, in the crawl and in the corpus."""
    query = (
        "SELECT kind, sum(n)::BIGINT, count(*) FROM (SELECT unnest(json_keys(kinds)) AS kind,"
        " unnest(json_extract(kinds, '$.*')::BIGINT[]) AS n FROM ({source})) GROUP BY kind"
    )
    crawl = tables.rows(
        query.format(source="SELECT math_kinds::JSON AS kinds FROM pages WHERE n_math > 0")
    )
    inner = "SELECT json_extract(metadata, '$.math_kinds') AS kinds FROM final WHERE n_math > 0"
    corpus = {
        kind: (formulas, pages) for kind, formulas, pages in tables.rows(query.format(source=inner))
    }
    found = [
        {
            "kind": kind,
            "formulas": corpus.get(kind, (0, 0))[0],
            "pages": corpus.get(kind, (0, 0))[1],
            "crawl_formulas": formulas,
            "crawl_pages": pages,
        }
        for kind, formulas, pages in crawl
    ]
    return sorted(found, key=lambda row: (-row["formulas"], -row["crawl_formulas"], row["kind"]))


def lengths(tables: Tables) -> dict:
    """Histograms of log10(characters) over the deduplicated crawl and over the corpus, quartiles of both."""
    result: dict = {"low": 1.0, "high": 7.0}
    for name, source in (
        ("crawl", "(SELECT n_chars AS n FROM pages)"),
        ("corpus", "(SELECT char_count AS n FROM final)"),
    ):
        bins = tables.rows(
            f"SELECT greatest(0, least({LENGTH_BINS - 1}, floor((log10(greatest(n, 1)) - 1) / 6 * {LENGTH_BINS})))"
            f"::INT, count(*) FROM {source} GROUP BY 1"
        )
        counts = [0] * LENGTH_BINS
        for place, count in bins:
            counts[place] = count
        quartiles = tables.one(
            f"SELECT quantile_disc(n, [0.05, 0.25, 0.5, 0.75, 0.95]) FROM {source}"
        )[0]
        result[name] = {"counts": counts, "quantiles": quartiles or []}
    return result


def quality(tables: Tables) -> dict:
    """Histograms over the corpus of two shares in 0..1, and formulas per thousand words."""
    result = {}
    for name in ("letter_share", "repeated_line_share"):
        counts = [0] * SHARE_BINS
        for place, count in tables.rows(
            f"SELECT least({SHARE_BINS - 1}, floor({name} * {SHARE_BINS}))::INT, count(*) FROM final GROUP BY 1"
        ):
            counts[place] = count
        result[name] = counts
    result["with_formulas"] = tables.one("SELECT count(*) FROM final WHERE n_math > 0")[0]
    return result


def clusters(tables: Tables) -> dict:
    """How many clusters of duplicates have how many pages, and the largest with their keeper's address."""
    tables.database.execute(
        "CREATE TEMP TABLE IF NOT EXISTS cluster AS SELECT keeper, count(*) AS size FROM fate GROUP BY keeper"
    )
    sizes = tables.rows(
        "SELECT size, count(*) FROM cluster WHERE size > 1 GROUP BY size ORDER BY size"
    )
    largest = tables.rows(
        "SELECT url, size FROM cluster JOIN kept ON keeper = doc_id WHERE size > 1 ORDER BY size DESC, url LIMIT 8"
    )
    return {
        "sizes": [{"size": size, "clusters": count} for size, count in sizes],
        "largest": [{"url": url, "pages": size} for url, size in largest],
    }


def contamination(tables: Tables) -> dict:
    """By benchmark: pages removed on its account, distinct items found; and the removed pages themselves."""
    rows = tables.rows(
        "SELECT url, benchmark, item, ngram, rule, n_tokens, also, ngrams FROM removed ORDER BY doc_id"
    )
    found: dict[str, dict[str, set]] = {}
    for url, benchmark, item, _, _, _, also, _ in rows:
        for name, one in [(benchmark, item)] + [
            (other["benchmark"], str(other["item"])) for other in json.loads(also)
        ]:
            entry = found.setdefault(name, {"pages": set(), "items": set()})
            entry["pages"].add(url)
            entry["items"].add(one)
    manifest = json.loads((tables.corpus / "final" / "manifest.json").read_text(encoding="utf-8"))
    guarded = manifest["counts"].get("benchmark_items", {})
    return {
        "benchmarks": [
            {
                "benchmark": name,
                "items": guarded.get(name),
                "found": len(found.get(name, {}).get("items", ())),
                "pages": len(found.get(name, {}).get("pages", ())),
            }
            for name in sorted(set(guarded) | set(found))
        ],
        "rules": dict(tables.rows("SELECT rule, count(*) FROM removed GROUP BY rule")),
        "pages": [
            {
                "url": url,
                "benchmark": benchmark,
                "item": item,
                "ngram": ngram,
                "rule": rule,
                "ngrams": ngrams,
            }
            for url, benchmark, item, ngram, rule, _, _, ngrams in rows[:60]
        ],
    }
