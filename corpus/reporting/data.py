"""Numbers of the corpus report, read from a run's tables: from records to pages, contents,
duplicates, leaks.

Everything here is counted afresh from the Parquet files by DuckDB, not copied from manifests, so
that the report is also a check of them.
"""

import json
from pathlib import Path
from typing import Any

import duckdb

from corpus.reporting.schema import (
    Clusters,
    Contamination,
    Final,
    Funnel,
    Language,
    LengthHistogram,
    Lengths,
    MarkupKind,
    Quality,
)
from corpus.tables.leak_counts import leak_counts
from corpus.tables.rounds import round_folders
from corpus.tables.shards import Crawl

LENGTH_BINS = 40  # equal steps of log10(characters) from LOW to HIGH
LOW, HIGH = 1.0, 7.0
SHARE_BINS = 20
LARGEST_CLUSTERS = 8
SHOWN_LEAKS = 60


class Tables:
    """A run's files as DuckDB views: pages, rejects, kept, fate, final, removed, and for each round
    collected_<n> and scores_<n>; `rounds` lists the round numbers.
    """

    def __init__(self, results: str | Path):
        self.results = Path(results)
        self.corpus = self.results / "corpus"
        self.database = duckdb.connect(config={"threads": "2"})
        self.rounds = [number for number, _ in round_folders(self.corpus)]

        # Only the shards of this run: a folder may hold those of a run with other archives, too.
        crawl = Crawl.open(self.corpus / "pages", self.corpus / "dedup")
        names = [f"{shard}.parquet" for shard in crawl.shards]

        self._view("pages", *(f"pages/{name}" for name in names))
        self._view("rejects", *(f"rejects/{name}" for name in names))
        self._view("kept", "dedup/kept.parquet")
        self._view("fate", *(f"dedup/shards/{name}" for name in names))
        self._view("final", "final/part-*.parquet")
        self._view("removed", "decontaminated.parquet")
        for number in self.rounds:
            scores = [f"round_{number}/scores/{name}" for name in names]
            self._view(f"collected_{number}", f"round_{number}/collected.parquet")
            self._view(f"scores_{number}", *scores)

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self.database.execute(query, list(values)).fetchall()

    def one(self, query: str, *values: object) -> tuple[Any, ...]:
        return self.rows(query, *values)[0]

    def number(self, query: str, *values: object) -> int:
        """The only value of the only row."""
        return self.one(query, *values)[0]

    def _view(self, name: str, *files: str) -> None:
        # A view takes no parameters, so the paths are quoted by hand.
        quoted = [str(self.corpus / file).replace("'", "''") for file in files]
        paths = ", ".join(f"'{path}'" for path in quoted)
        self.database.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet([{paths}])")


def funnel(tables: Tables) -> Funnel:
    """Records, what was rejected and why, duplicates by kind, collected, leaked, final."""
    rejects = tables.rows(
        "SELECT reason, count(*), min(url), arg_min(detail, url) FROM rejects GROUP BY reason"
        " ORDER BY count(*) DESC, reason"
    )
    pages = tables.number("SELECT count(*) FROM pages")

    # Of a page that was dropped, "duplicate" says why; of one that was kept it says nothing.
    duplicates = dict(
        tables.rows("SELECT duplicate, count(*) FROM fate WHERE NOT kept GROUP BY duplicate")
    )
    # Every round collects anew: what the last one collected became the corpus.
    last = tables.rounds[-1]

    return {
        "records": pages + sum(count for _, count, _, _ in rejects),
        "rejected": [
            {"reason": reason, "records": count, "example": url, "detail": detail}
            for reason, count, url, detail in rejects
        ],
        "pages": pages,
        "page_tokens": tables.number("SELECT coalesce(sum(n_tokens), 0) FROM pages"),
        "duplicates": {kind: duplicates.get(kind, 0) for kind in ("url", "text", "near")},
        "kept": tables.number("SELECT count(*) FROM kept"),
        "kept_tokens": tables.number("SELECT coalesce(sum(n_tokens), 0) FROM kept"),
        "collected": tables.number(f"SELECT count(*) FROM collected_{last}"),
        "removed": tables.number("SELECT count(*) FROM removed"),
        "removed_tokens": tables.number("SELECT coalesce(sum(n_tokens), 0) FROM removed"),
        "final": _final(tables),
    }


def _final(tables: Tables) -> Final:
    pages, tokens, characters, formulas, hosts, words = tables.one(
        "SELECT count(*), coalesce(sum(token_count), 0), coalesce(sum(char_count), 0),"
        " coalesce(sum(n_math), 0), count(DISTINCT host), coalesce(sum(n_words), 0) FROM final"
    )
    return {
        "pages": pages,
        "tokens": tokens,
        "characters": characters,
        "formulas": formulas,
        "hosts": hosts,
        "words": words,
    }


# ---- Contents ------------------------------------------------------------------------------------
def languages(tables: Tables) -> list[Language]:
    """By language: pages of the crawl after deduplication, pages and tokens of the corpus."""
    rows = tables.rows(
        "SELECT language, k.pages, coalesce(f.pages, 0), coalesce(f.tokens, 0) FROM"
        " (SELECT language, count(*) AS pages FROM kept GROUP BY language) k LEFT JOIN"
        " (SELECT language, count(*) AS pages, sum(token_count) AS tokens FROM final"
        " GROUP BY language) f"
        " USING (language) ORDER BY 3 DESC, 2 DESC, language"
    )
    return [
        {"language": language, "crawl": crawl, "corpus": corpus, "tokens": tokens}
        for language, crawl, corpus, tokens in rows
    ]


def markup(tables: Tables) -> list[MarkupKind]:
    """By kind of formula markup: formulas and pages, in the crawl and in the corpus."""
    # A page's column holds JSON such as {"tex_dollar": 3}.
    query = (
        "SELECT kind, sum(n)::BIGINT, count(*) FROM (SELECT unnest(json_keys(kinds)) AS kind,"
        " unnest(json_extract(kinds, '$.*')::BIGINT[]) AS n FROM ({source})) GROUP BY kind"
    )
    in_crawl = "SELECT math_kinds::JSON AS kinds FROM pages WHERE n_math > 0"
    in_corpus = "SELECT json_extract(metadata, '$.math_kinds') AS kinds FROM final WHERE n_math > 0"

    crawl = tables.rows(query.format(source=in_crawl))
    corpus = {}
    for kind, formulas, pages in tables.rows(query.format(source=in_corpus)):
        corpus[kind] = (formulas, pages)

    found: list[MarkupKind] = []
    for kind, crawl_formulas, crawl_pages in crawl:
        formulas, pages = corpus.get(kind, (0, 0))
        found.append(
            {
                "kind": kind,
                "formulas": formulas,
                "pages": pages,
                "crawl_formulas": crawl_formulas,
                "crawl_pages": crawl_pages,
            }
        )
    return sorted(found, key=lambda row: (-row["formulas"], -row["crawl_formulas"], row["kind"]))


def lengths(tables: Tables) -> Lengths:
    """Histograms of log10(characters) over the crawl and over the corpus, and quantiles of both."""
    return {
        "low": LOW,
        "high": HIGH,
        "crawl": _lengths(tables, "(SELECT n_chars AS n FROM pages)"),
        "corpus": _lengths(tables, "(SELECT char_count AS n FROM final)"),
    }


def _lengths(tables: Tables, source: str) -> LengthHistogram:
    # Pages beyond either end count in the outermost bins.
    position = f"(log10(greatest(n, 1)) - {LOW}) / {HIGH - LOW} * {LENGTH_BINS}"
    bin_number = f"greatest(0, least({LENGTH_BINS - 1}, floor({position})))::INT"
    bins = tables.rows(f"SELECT {bin_number}, count(*) FROM {source} GROUP BY 1")

    # NULL where there is no page.
    (quantiles,) = tables.one(
        f"SELECT quantile_disc(n, [0.05, 0.25, 0.5, 0.75, 0.95]) FROM {source}"
    )
    return {"counts": _histogram(bins, LENGTH_BINS), "quantiles": quantiles or []}


def quality(tables: Tables) -> Quality:
    """Histograms over the corpus of two shares in 0..1, and how many pages have formulas."""
    with_formulas = tables.number("SELECT count(*) FROM final WHERE n_math > 0")
    return {
        "letter_share": _share_histogram(tables, "letter_share"),
        "repeated_line_share": _share_histogram(tables, "repeated_line_share"),
        "with_formulas": with_formulas,
    }


def _share_histogram(tables: Tables, column: str) -> list[int]:
    bin_number = f"least({SHARE_BINS - 1}, floor({column} * {SHARE_BINS}))::INT"
    bins = tables.rows(f"SELECT {bin_number}, count(*) FROM final GROUP BY 1")
    return _histogram(bins, SHARE_BINS)


def _histogram(bins: list[tuple[Any, ...]], length: int) -> list[int]:
    """Counts by bin number as a list, 0 where a bin has no row."""
    counts = [0] * length
    for place, count in bins:
        counts[place] = count
    return counts


# ---- Duplicates and leaks ------------------------------------------------------------------------
def clusters(tables: Tables) -> Clusters:
    """How many clusters of duplicates have how many pages, and the largest with the page kept."""
    tables.database.execute(
        "CREATE TEMP TABLE IF NOT EXISTS cluster AS"
        " SELECT keeper, count(*) AS size FROM fate GROUP BY keeper"
    )

    # A page without duplicates is a cluster of one.
    sizes = tables.rows(
        "SELECT size, count(*) FROM cluster WHERE size > 1 GROUP BY size ORDER BY size"
    )
    largest = tables.rows(
        "SELECT url, size FROM cluster JOIN kept ON keeper = doc_id WHERE size > 1"
        " ORDER BY size DESC, url LIMIT ?",
        LARGEST_CLUSTERS,
    )
    return {
        "sizes": [{"size": size, "clusters": count} for size, count in sizes],
        "largest": [{"url": url, "pages": size} for url, size in largest],
    }


def contamination(tables: Tables) -> Contamination:
    """By benchmark: pages removed because of it, distinct items found; and the removed pages."""
    removed = tables.database.sql("FROM removed ORDER BY doc_id").to_arrow_table().to_pylist()
    manifest = json.loads((tables.corpus / "final" / "manifest.json").read_text(encoding="utf-8"))
    guarded = manifest["counts"].get("benchmark_items", {})

    shown = ("url", "benchmark", "item", "ngram", "rule", "ngrams")
    pages: list[Any] = []
    for row in removed[:SHOWN_LEAKS]:
        pages.append({name: row[name] for name in shown})

    return {
        "benchmarks": leak_counts(removed, guarded),
        "rules": dict(tables.rows("SELECT rule, count(*) FROM removed GROUP BY rule")),
        "pages": pages,
        "candidates": manifest["counts"].get("candidates"),
    }
