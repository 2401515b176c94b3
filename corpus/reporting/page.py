"""The corpus report as a page: from its numbers (`corpus.report.numbers`) to HTML; nothing is counted here."""

from pathlib import Path

from corpus.reporting import charts
from corpus.reporting.contents import contamination, contents, domains, duplicates, prefixes
from corpus.reporting.more import choices, comparison, cost, samples, truth
from pipeline.report.charts import line_chart
from pipeline.report.page import (
    Html,
    Page,
    count,
    details,
    facts,
    figure,
    paragraph,
    percent,
    table,
    tag,
)

DATA_FILES = ("report.css",)
STYLE = Path(__file__).with_name("report.css")

REASONS = {
    "record_type": "not a response",
    "damaged_record": "damaged record",
    "truncated_record": "cut off",
    "not_a_warc": "no archive",
    "warc_header": "archive header without address",
    "bad_url": "unusable address",
    "http_status": "HTTP status other than 200",
    "mime": "not HTML",
    "binary": "binary content",
    "encoding": "undecodable",
    "empty_body": "empty",
    "too_large": "too large",
    "too_deep": "nested too deeply",
    "no_text": "no text",
    "timeout": "took too long",
    "memory": "took too much memory",
    "crash": "parser crashed",
    "extractor_error": "extractor failed",
}


def page_html(data: dict) -> str:
    """The whole page."""
    title = "Mathematics, mined from the web"
    page = Page(
        title,
        f"The corpus of run {data['name']}: what went in, what came out, and what was lost why.",
    )
    page.section("At a glance", *_overview(data))
    page.section("From records to the corpus", *_funnel(data["funnel"]))
    page.section("Rounds", *_rounds(data["rounds"]))
    if data.get("truth"):
        page.section("Against the truth", *truth(data["truth"]))
    page.section("Domains", *domains(data))
    page.section("URL prefixes", *prefixes(data["prefixes"]))
    page.section("Contents", *contents(data))
    page.section("Duplicates", *duplicates(data["clusters"], data["funnel"]))
    page.section(
        "Benchmark problems removed", *contamination(data["contamination"], data["funnel"])
    )
    page.section("Sample pages", *samples(data["samples"]))
    page.section("Beside other corpora", *comparison(data))
    page.section("Cost", *cost(data["cost"], data["funnel"]))
    page.section("Choices", *choices(data["choices"]))
    return page.html(style=STYLE.read_text(encoding="utf-8"))


def _overview(data: dict) -> list[Html]:
    funnel, final = data["funnel"], data["funnel"]["final"]
    rounds = data["rounds"]
    known = rounds[-1]["already_collected"]
    sentence = (
        f"{len(rounds)} rounds of mining kept {count(final['pages'])} of {count(funnel['records'])} records: "
        f"{count(final['tokens'])} tokens of mathematics from {count(data['domain_counts']['corpus'])} domains. "
    )
    if known is not None:
        sentence += f"Of what the last round collected, {percent(known)} was known before it"
        sentence += ": mining has converged." if known >= rounds[-1]["stop_share"] else "."
    return [
        tag("p", sentence, class_="lead"),
        facts(
            [
                ("Pages", count(final["pages"])),
                ("Tokens (estimate)", count(final["tokens"])),
                ("Formulas", count(final["formulas"])),
                ("Host names", count(final["hosts"])),
                ("Languages", count(sum(row["corpus"] > 0 for row in data["languages"]))),
                ("Share of all records", percent(final["pages"] / max(1, funnel["records"]), 2)),
                ("Leaking pages removed", count(funnel["removed"])),
                ("Duplicates removed", count(sum(funnel["duplicates"].values()))),
            ]
        ),
    ]


def _funnel(funnel: dict) -> list[Html]:
    rejected = sum(row["records"] for row in funnel["rejected"])
    copies = funnel["duplicates"]
    lost = f"{copies['url']:,} same address, {copies['text']:,} same text, {copies['near']:,} near duplicates"
    stages = [
        ("records", funnel["records"], ""),
        ("extracted pages", funnel["pages"], f"−{rejected:,} rejected, by the reasons below"),
        ("without duplicates", funnel["kept"], f"−{sum(copies.values()):,}: {lost}"),
        (
            "collected",
            funnel["collected"],
            f"−{funnel['kept'] - funnel['collected']:,} below the last round's cut",
        ),
        ("corpus", funnel["final"]["pages"], f"−{funnel['removed']:,} hold benchmark problems"),
    ]
    rows = [
        [
            REASONS.get(row["reason"], row["reason"]),
            tag("code", row["reason"]),
            f"{row['records']:,}",
            percent(row["records"] / max(1, funnel["records"]), 2),
            tag("span", row["example"][:110], class_="where"),
        ]
        for row in funnel["rejected"]
    ]
    tokens = [
        ["extracted pages", f"{funnel['pages']:,}", count(funnel["page_tokens"])],
        ["without duplicates", f"{funnel['kept']:,}", count(funnel["kept_tokens"])],
        ["removed as leaks", f"{funnel['removed']:,}", count(funnel["removed_tokens"])],
        ["corpus", f"{funnel['final']['pages']:,}", count(funnel["final"]["tokens"])],
    ]
    return [
        figure(
            charts.funnel(stages),
            "Every record is in exactly one place: kept, or dropped with one reason.",
        ),
        table(["stage", "pages", "tokens"], tokens),
        tag("h3", "Rejected records"),
        table(["reason", "", "records", "share", "example"], rows),
    ]


def _rounds(rounds: list[dict]) -> list[Html]:
    bars = [
        (
            f"round {entry['round']}",
            entry["tokens_before"],
            entry["tokens"] - entry["tokens_before"],
        )
        for entry in rounds
    ]
    histograms = [
        tag(
            "div",
            tag("h3", f"Round {entry['round']}"),
            charts.score_histogram(
                entry["histogram"]["all"], entry["histogram"]["collected"], entry["cut"]
            ),
        )
        for entry in rounds
    ]
    return [
        figure(
            charts.growth(bars, "tokens"),
            "Tokens collected in each round, and how many of them were known before.",
        ),
        table(_ROUND_COLUMNS, [_round_row(entry) for entry in rounds]),
        paragraph(
            "Precision, recall and AUC are measured on pages held out from training. The negatives among them are "
            "unlabelled pages, some of which are mathematical, so precision and AUC are lower bounds. Domains: those "
            "found mathematical; prefixes: accepted, of all that were judged."
        ),
        *_curves(rounds),
        tag("h3", "Scores"),
        paragraph(
            "Pages by the classifier's score, on a logarithmic scale. Coloured: collected. Dashed: the cut."
        ),
        tag("div", *histograms, class_="grid2"),
        details("Classifier settings of each round", _fasttext(rounds)),
    ]


_ROUND_COLUMNS = [
    *("round", "pages", "tokens", "known before", "positives", "negatives"),
    *("AUC", "precision", "recall", "cut", "domains", "prefixes"),
]


def _round_row(entry: dict) -> list:
    held, counts = entry["held_out"], entry["counts"]
    measure = lambda name: "–" if held[name] is None else f"{held[name]:.3f}"  # noqa: E731
    return [
        entry["round"],
        f"{entry['pages']:,}",
        count(entry["tokens"]),
        percent(entry["already_collected"]),
        f"{counts['positives']:,}",
        f"{counts['negatives']:,}",
        measure("auc"),
        measure("precision"),
        measure("recall"),
        f"{entry['cut']:.3f}",
        f"{counts['flagged_domains']:,}",
        f"{counts['accepted_prefixes']:,}/{counts['prefixes']:,}",
    ]


def _curves(rounds: list[dict]) -> list[Html]:
    series = {
        name: [
            (entry["round"], entry["held_out"][name])
            for entry in rounds
            if entry["held_out"][name] is not None
        ]
        for name in ("auc", "precision", "recall")
    }
    series = {name: points for name, points in series.items() if len(points) > 1}
    last = [
        (row["mean_score"], row["positive_share"]) for row in rounds[-1]["held_out"]["calibration"]
    ]
    parts = []
    if series:
        parts.append(
            figure(line_chart(series, "round", "held-out pages"), "The classifier over the rounds.")
        )
    if len(last) > 1:
        lines = {"ideal": [(0.0, 0.0), (1.0, 1.0)], f"round {rounds[-1]['round']}": last}
        chart = line_chart(lines, "mean score", "share of positives", y_range=(0, 1))
        parts.append(
            figure(
                chart, "Calibration of the last round by tenths of the score, on held-out pages."
            )
        )
    return parts


def _fasttext(rounds: list[dict]) -> Html:
    names = sorted({name for entry in rounds for name in entry["fasttext"]})
    rows = [[entry["round"], *(entry["fasttext"].get(name) for name in names)] for entry in rounds]
    return table(["round", *names], rows)
