"""The corpus report as a page: from its numbers (`corpus.report.numbers`) to HTML; nothing is
counted here.

Each section has a template of its own, and where it shows more than the numbers themselves, such as
charts, a dataclass with what the template needs.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from corpus.reporting.context import COMPARED, CRAWL_PAGES, PAPER_PAGES
from corpus.reporting.schema import (
    Choice,
    Clusters,
    Contamination,
    Cost,
    Domain,
    DomainCounts,
    Funnel,
    Lengths,
    MarkupKind,
    Numbers,
    Prefixes,
    Quality,
    Round,
    Truth,
)
from pipeline.report import charts
from pipeline.report.number_format import percent
from pipeline.report.page import Section, render_page

DATA_FILES = ("templates/*",)
TEMPLATES = Path(__file__).parent / "templates"

TITLE = "Mathematics, mined from the web"
SHOWN_LANGUAGES = 16
SHOWN_PREFIXES = 25
SHOWN_CLUSTER_SIZES = 14
REASONS = {
    "record_type": "not a response",
    "damaged_record": "damaged record",
    "truncated_record": "truncated record",
    "not_a_warc": "not an archive",
    "warc_header": "archive header without address or date",
    "bad_url": "invalid address",
    "http_status": "HTTP status other than 200",
    "mime": "not HTML",
    "binary": "binary content",
    "encoding": "cannot be decoded",
    "empty_body": "empty page",
    "too_large": "too large",
    "too_deep": "nested too deeply",
    "no_text": "no text on the page",
    "timeout": "took too long",
    "memory": "used too much memory",
    "crash": "parser crashed",
    "extractor_error": "extractor failed",
}
LANGUAGES = {
    "ar": "Arabic",
    "bg": "Bulgarian",
    "ca": "Catalan",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "fa": "Persian",
    "fi": "Finnish",
    "fr": "French",
    "he": "Hebrew",
    "hi": "Hindi",
    "hu": "Hungarian",
    "id": "Indonesian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sv": "Swedish",
    "th": "Thai",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "und": "unknown",
    "vi": "Vietnamese",
    "zh": "Chinese",
}
MARKUP = {
    "mathml": "MathML",
    "mathml_annotation": "MathML with TeX",
    "mathml_alttext": "MathML with alt text",
    "tex_text": "TeX in the text",
    "image_alt": "images (alt text)",
    "image_url": "images (address)",
    "mathjax": "MathJax",
    "katex": "KaTeX",
    "mediawiki": "MediaWiki",
    "script_tex": "TeX in a script",
    "script_mathml": "MathML in a script",
    "script_asciimath": "AsciiMath in a script",
    "asciimath": "AsciiMath",
    "data_attribute": "TeX in an attribute",
    "tex_element": "TeX elements",
    "text_asciimath": "AsciiMath in the text",
    "code_math": "TeX code blocks",
}


def page_html(data: Numbers) -> str:
    """The whole page."""
    funnel = data["funnel"]
    sections = [
        Section("At a glance", "overview.html.jinja", overview(data)),
        Section("From records to the corpus", "funnel.html.jinja", funnel_section(funnel)),
        Section("Rounds", "rounds.html.jinja", rounds_section(data["rounds"])),
    ]
    if "truth" in data:
        truth = truth_section(data["truth"])
        sections.append(Section("Compared with the ground truth", "truth.html.jinja", truth))
    sections += [
        Section("Domains", "domains.html.jinja", domains_section(data)),
        Section("URL prefixes", "prefixes.html.jinja", prefixes_section(data["prefixes"])),
        Section("Contents", "contents.html.jinja", contents_section(data)),
        Section(
            "Duplicates", "duplicates.html.jinja", duplicates_section(data["clusters"], funnel)
        ),
        Section(
            "Benchmark problems removed", "leaks.html.jinja", Leaks(data["contamination"], funnel)
        ),
        Section("Sample pages", "samples.html.jinja", data["samples"]),
        Section("Compared with other corpora", "comparison.html.jinja", comparison(data)),
    ]
    if data["cost"]:
        cost = CostSection(data["cost"], funnel["records"], CRAWL_PAGES)
        sections.append(Section("Cost", "cost.html.jinja", cost))
    sections.append(Section("Settings", "choices.html.jinja", choices_section(data["choices"])))

    subtitle = f"The corpus of run {data['name']}: what went in, what came out, and what was dropped and why."
    return render_page(TITLE, subtitle, sections, TEMPLATES, style="corpus.css")


# ---- At a glance, from records to the corpus -----------------------------------------------------
@dataclass(frozen=True, slots=True)
class Overview:
    rounds: int
    domains: int
    languages: int
    funnel: Funnel
    known: float | None  # share of the last round that the round before had collected
    converged: bool


def overview(data: Numbers) -> Overview:
    last = data["rounds"][-1]
    known = last["already_collected"]
    return Overview(
        rounds=len(data["rounds"]),
        domains=data["domain_counts"]["corpus"],
        languages=sum(row["corpus"] > 0 for row in data["languages"]),
        funnel=data["funnel"],
        known=known,
        converged=known is not None and known >= last["stop_share"],
    )


@dataclass(frozen=True, slots=True)
class FunnelSection:
    chart: Markup
    funnel: Funnel
    reasons: dict[str, str]


def funnel_section(funnel: Funnel) -> FunnelSection:
    rejected = sum(row["records"] for row in funnel["rejected"])
    copies = funnel["duplicates"]
    kinds = (
        f"{copies['url']:,} same address, {copies['text']:,} same text,"
        f" {copies['near']:,} near duplicates"
    )
    below_cut = funnel["kept"] - funnel["collected"]

    stages = [
        charts.Stage("records", funnel["records"]),
        charts.Stage(
            "extracted pages",
            funnel["pages"],
            f"−{rejected:,} rejected for the reasons below",
        ),
        charts.Stage("after deduplication", funnel["kept"], f"−{sum(copies.values()):,}: {kinds}"),
        charts.Stage(
            "collected", funnel["collected"], f"−{below_cut:,} below the last round's cut-off score"
        ),
        charts.Stage(
            "corpus",
            funnel["final"]["pages"],
            f"−{funnel['removed']:,} with benchmark problems",
        ),
    ]
    return FunnelSection(charts.funnel(stages), funnel, REASONS)


# ---- Rounds --------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class RoundsSection:
    rounds: list[Round]
    growth: Markup
    measures: Markup  # AUC, precision, recall over the rounds
    calibration: Markup
    histograms: list[Markup]
    fasttext: list[str]  # names of the classifier's settings


def rounds_section(rounds: list[Round]) -> RoundsSection:
    # What a round lost of the one before is in neither part of its bar.
    bars = [
        charts.Growth(
            f"round {entry['round']}",
            before=entry["tokens_before"],
            new=entry["tokens"] - entry["tokens_before"],
        )
        for entry in rounds
    ]
    histograms = [
        charts.score_histogram(
            entry["histogram"]["all"], entry["histogram"]["collected"], entry["cut"]
        )
        for entry in rounds
    ]

    return RoundsSection(
        rounds=rounds,
        growth=charts.growth(bars, "tokens"),
        measures=_measures(rounds),
        calibration=_calibration(rounds[-1]),
        histograms=histograms,
        fasttext=sorted({name for entry in rounds for name in entry["fasttext"]}),
    )


def _measures(rounds: list[Round]) -> Markup:
    lines = []
    for name in ("auc", "precision", "recall"):
        points = []
        for entry in rounds:
            value = entry["held_out"][name]
            if value is not None:
                points.append((entry["round"], value))
        # One point makes no line.
        if len(points) > 1:
            lines.append(charts.Line(name, points))

    return charts.line_chart(lines, "round", "held-out pages")


def _calibration(last: Round) -> Markup:
    points = [(row["mean_score"], row["positive_share"]) for row in last["held_out"]["calibration"]]
    if len(points) < 2:
        return charts.NOTHING

    lines = [
        charts.Line("ideal", [(0.0, 0.0), (1.0, 1.0)]),
        charts.Line(f"round {last['round']}", points),
    ]
    return charts.line_chart(lines, "mean score", "share of positives", y_range=(0, 1))


# ---- Against the ground truth --------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class TruthSection:
    truth: Truth
    chart: Markup
    rounds: list[tuple[int, dict[str, Any]]]  # round, measures over all languages
    languages: list[tuple[str, dict[str, Any]]]  # language, measures in the last round


def truth_section(truth: Truth) -> TruthSection:
    rounds = [(entry["round"], entry["languages"]["all"]) for entry in truth["rounds"]]
    lines = []
    for name in ("recall", "precision"):
        points = [(number, row[name]) for number, row in rounds if row[name] is not None]
        lines.append(charts.Line(name, points))

    last = truth["rounds"][-1]["languages"]
    languages = [(name, row) for name, row in last.items() if name != "all" and row["mathematical"]]
    languages.sort(key=lambda entry: -entry[1]["mathematical"])

    chart = charts.line_chart(lines, "round", "share", y_range=(0, 1))
    return TruthSection(truth, chart, rounds, languages)


# ---- Domains, prefixes ---------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class DomainsSection:
    counts: DomainCounts
    rows: list[tuple[Domain, Markup]]  # a domain, and its growth as a spark


def domains_section(data: Numbers) -> DomainsSection:
    rows = [(row, charts.spark(row["growth"])) for row in data["domains"]]
    return DomainsSection(data["domain_counts"], rows)


@dataclass(frozen=True, slots=True)
class PrefixesSection:
    found: Prefixes
    shown: list[dict[str, Any]]  # accepted prefixes that are open
    more: list[dict[str, Any]]  # accepted prefixes that unfold


def prefixes_section(found: Prefixes) -> PrefixesSection:
    accepted = found["accepted"]
    return PrefixesSection(found, accepted[:SHOWN_PREFIXES], accepted[SHOWN_PREFIXES:])


# ---- Contents ------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class NamedLanguage:
    name: str
    crawl: int
    corpus: int
    tokens: int


@dataclass(frozen=True, slots=True)
class ContentsSection:
    funnel: Funnel
    languages: list[NamedLanguage]
    languages_chart: Markup
    markup: list[MarkupKind]
    markup_names: dict[str, str]
    markup_chart: Markup
    lengths: Lengths
    lengths_chart: Markup
    quality: Quality
    letters_chart: Markup
    repeated_chart: Markup


def contents_section(data: Numbers) -> ContentsSection:
    languages = [
        NamedLanguage(
            LANGUAGES.get(row["language"], row["language"]),
            row["crawl"],
            row["corpus"],
            row["tokens"],
        )
        for row in data["languages"]
    ]
    markup_bars = [
        (MARKUP.get(row["kind"], row["kind"]), row["formulas"]) for row in data["markup"]
    ]
    quality = data["quality"]

    return ContentsSection(
        funnel=data["funnel"],
        languages=languages,
        languages_chart=_languages_chart(languages),
        markup=data["markup"],
        markup_names=MARKUP,
        markup_chart=charts.bar_chart(markup_bars, " formulas", colour=3),
        lengths=data["lengths"],
        lengths_chart=_lengths_chart(data["lengths"]),
        quality=quality,
        letters_chart=_share_chart("letters", quality["letter_share"]),
        repeated_chart=_share_chart("repeated", quality["repeated_line_share"]),
    )


def _languages_chart(languages: list[NamedLanguage]) -> Markup:
    found = [row for row in languages if row.corpus]
    bars = [(row.name, row.corpus) for row in found[:SHOWN_LANGUAGES]]

    rest = found[SHOWN_LANGUAGES:]
    if rest:
        bars.append((f"{len(rest)} others", sum(row.corpus for row in rest)))
    return charts.bar_chart(bars, " pages")


def _lengths_chart(lengths: Lengths) -> Markup:
    low, high = lengths["low"], lengths["high"]
    ticks = []
    for power in range(2, 7):
        position = (power - low) / (high - low)
        ticks.append((position, f"{10**power:,}"))

    series = [
        ("crawl", lengths["crawl"]["counts"]),
        ("corpus", lengths["corpus"]["counts"]),
    ]
    return charts.shares(series, ticks)


def _share_chart(name: str, counts: list[int]) -> Markup:
    ticks = [(quarter / 4, f"{25 * quarter} %") for quarter in range(5)]
    return charts.shares([(name, counts)], ticks)


# ---- Duplicates, leaks ---------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class DuplicatesSection:
    copies: dict[str, int]
    chart: Markup
    clusters: Clusters


def duplicates_section(clusters: Clusters, funnel: Funnel) -> DuplicatesSection:
    bars = [
        (f"{row['size']} pages", row["clusters"]) for row in clusters["sizes"][:SHOWN_CLUSTER_SIZES]
    ]
    chart = charts.bar_chart(bars, " clusters", colour=4)
    return DuplicatesSection(funnel["duplicates"], chart, clusters)


@dataclass(frozen=True, slots=True)
class Leaks:
    found: Contamination
    funnel: Funnel


# ---- Comparison, cost, choices -------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Comparison:
    chart: Markup
    corpora: tuple[tuple[str, float, str], ...]  # name, tokens, what it is made of
    tokens: int
    records: int
    token_share: str
    page_share: str


def comparison(data: Numbers) -> Comparison:
    tokens = data["funnel"]["final"]["tokens"]
    records = data["funnel"]["records"]
    bars = [(name, size) for name, size, _ in COMPARED]
    bars.append(("this corpus", tokens))
    _, paper_tokens, _ = COMPARED[-1]

    return Comparison(
        chart=charts.sizes(bars, highlighted="this corpus"),
        corpora=COMPARED,
        tokens=tokens,
        records=records,
        token_share=_part(tokens, paper_tokens),
        page_share=_part(records, PAPER_PAGES),
    )


def _part(number: float, whole: float) -> str:
    """A share in percent, or as "one in 12,345" where percents would be all zeros."""
    share = number / whole
    if share >= 0.001:
        return percent(share)
    return f"one in {whole / max(number, 1):,.0f}"


@dataclass(frozen=True, slots=True)
class CostSection:
    steps: list[Cost]
    records: int
    crawl_pages: float


NOT_STATED = re.compile(r"\bNS\b")


@dataclass(frozen=True, slots=True)
class ChoicesSection:
    silent: list[Choice]  # the paper does not state them
    changed: list[Choice]  # the paper states another value
    others: list[Choice]


def choices_section(found: list[Choice]) -> ChoicesSection:
    # A setting's description holds the word NS where the paper does not state the value.
    silent = [row for row in found if NOT_STATED.search(row["why"])]
    stated = [row for row in found if not NOT_STATED.search(row["why"])]
    return ChoicesSection(
        silent=silent,
        changed=[row for row in stated if row["changed"]],
        others=[row for row in stated if not row["changed"]],
    )
