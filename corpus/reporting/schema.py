"""What `reports/corpus.json` holds: the numbers that the corpus report shows.

"Crawl" means all extracted pages or, where it says so, those that are left after deduplication;
"corpus" the final pages; "tokens" are estimates.
"""

from typing import Any, NotRequired, TypedDict

from corpus.tables.leak_counts import LeakCount


class Numbers(TypedDict):
    """The whole file."""

    name: str  # of the run
    funnel: "Funnel"
    rounds: list["Round"]
    domain_counts: "DomainCounts"
    domains: list["Domain"]
    prefixes: "Prefixes"
    languages: list["Language"]
    markup: list["MarkupKind"]
    lengths: "Lengths"
    quality: "Quality"
    clusters: "Clusters"
    contamination: "Contamination"
    samples: "Samples"
    cost: list["Cost"]
    choices: list["Choice"]
    compared: dict[str, float]  # corpus -> tokens
    truth: NotRequired["Truth"]


# ---- From records to the corpus ------------------------------------------------------------------
class Funnel(TypedDict):
    records: int
    rejected: list["Rejected"]
    pages: int
    page_tokens: int
    duplicates: dict[str, int]  # "url", "text", "near" -> pages that were dropped
    kept: int  # pages after deduplication
    kept_tokens: int
    collected: int  # by the last round
    removed: int  # because they hold benchmark problems
    removed_tokens: int
    final: "Final"


class Rejected(TypedDict):
    reason: str
    records: int
    example: str
    detail: str


class Final(TypedDict):
    pages: int
    tokens: int
    characters: int
    formulas: int
    hosts: int
    words: int


# ---- Rounds, domains, prefixes -------------------------------------------------------------------
class Round(TypedDict):
    round: int
    pages: int
    tokens: int
    pages_before: int  # of `pages`, those that the round before had collected
    tokens_before: int
    cut: float  # pages from this score on are collected
    held_out: dict[str, Any]  # auc, precision, recall (None where undefined), calibration
    fasttext: dict[str, float]
    already_collected: float | None  # None in the first round
    stop_share: float
    counts: dict[str, int]
    histogram: "Histogram"


class Histogram(TypedDict):
    all: list[int]
    collected: list[int]


class DomainCounts(TypedDict):
    crawl: int
    corpus: int
    flagged: int  # those that count as mathematical


class Domain(TypedDict):
    domain: str
    pages: int
    collected: int
    tokens: int
    share: float
    flagged: bool
    positives: int
    growth: list[int]  # collected pages, round by round


class Prefixes(TypedDict):
    accepted: list[dict[str, Any]]  # rows of url_prefixes.yaml, with the round of their acceptance
    rejected: list[dict[str, Any]]
    accepted_count: int
    rejected_count: int
    by_person: int


# ---- Contents ------------------------------------------------------------------------------------
class Language(TypedDict):
    language: str
    crawl: int  # pages after deduplication
    corpus: int
    tokens: int


class MarkupKind(TypedDict):
    kind: str
    formulas: int
    pages: int
    crawl_formulas: int
    crawl_pages: int


class Lengths(TypedDict):
    low: float  # log10(characters) where the histograms begin and end
    high: float
    crawl: "LengthHistogram"
    corpus: "LengthHistogram"


class LengthHistogram(TypedDict):
    counts: list[int]
    quantiles: list[int]  # 5, 25, 50, 75 and 95 % of the pages are at most so long


class Quality(TypedDict):
    letter_share: list[int]  # histograms over 0..1
    repeated_line_share: list[int]
    with_formulas: int


# ---- Duplicates and leaks ------------------------------------------------------------------------
class Clusters(TypedDict):
    sizes: list["ClusterSize"]
    largest: list["Cluster"]


class ClusterSize(TypedDict):
    size: int
    clusters: int


class Cluster(TypedDict):
    url: str  # of the page that is kept
    pages: int


class Contamination(TypedDict):
    benchmarks: list[LeakCount]
    rules: dict[str, int]  # "A", "B", "C" -> pages removed; a page counts by its first item
    pages: list["Leak"]
    candidates: int | None  # kept pages for a person to read; None where the run does not say


class Leak(TypedDict):
    url: str
    benchmark: str
    item: str
    ngram: str
    rule: str
    ngrams: int


# ---- Sample pages --------------------------------------------------------------------------------
class Samples(TypedDict):
    rounds: list["RoundSamples"]
    bands: list["BandSamples"]


class RoundSamples(TypedDict):
    round: int
    pages: list["SamplePage"]


# "from" is a keyword of Python, hence this form.
BandSamples = TypedDict(
    "BandSamples", {"from": float, "to": float, "count": int, "pages": list["SamplePage"]}
)


class SamplePage(TypedDict):
    url: str
    title: str | None
    language: str
    score: float
    n_tokens: int
    text: str


# ---- Around the numbers --------------------------------------------------------------------------
class Cost(TypedDict):
    step: str
    jobs: int
    seconds: float
    cpu_seconds: float
    memory_mb: float
    records_per_core_second: float | None
    crawl_core_hours: float  # for a whole crawl at the same rate


class Choice(TypedDict):
    key: str
    value: object
    default: object
    changed: bool
    why: str


class Truth(TypedDict):
    file: str
    rounds: list[dict[str, Any]]  # of corpus.measure_truth
    leaks: int
    leaks_left: int
    duplicates: int
    duplicates_left: int
