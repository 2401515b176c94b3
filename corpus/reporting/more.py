"""Sections of the corpus report around the numbers: sample pages, comparison, cost, choices, the truth."""

from corpus.reporting import charts
from corpus.reporting.context import COMPARED, CRAWL_PAGES, PAPER_PAGES
from pipeline.report.charts import line_chart
from pipeline.report.math_html import with_formulas
from pipeline.report.page import Html, count, details, figure, paragraph, percent, table, tag


def samples(found: dict) -> list[Html]:
    rounds = [
        details(
            f"Round {entry['round']}: pages it was the first to collect", *map(_sample, entry["pages"]),
            open_=place == 0,
        )
        for place, entry in enumerate(found["rounds"])
        if entry["pages"]
    ]  # fmt: skip
    bands = [
        details(
            f"Score {entry['from']:g} to {entry['to']:g}: {entry['count']:,} pages of the crawl",
            *map(_sample, entry["pages"]),
        )
        for entry in found["bands"]
        if entry["pages"]
    ]
    return [
        paragraph(
            "Drawn by a hash of their identity, not chosen. Texts are shortened, formulas set from their TeX."
        ),
        tag("h3", "By round"),
        *rounds,
        tag("h3", "By score in the last round, collected or not"),
        *bands,
    ]


def _sample(page: dict) -> Html:
    score = page["score"]
    kind = "chip" if score >= 0.7 else "chip middle" if score >= 0.3 else "chip low"
    facts = f" {page['language']}, {page['n_tokens']:,} tokens, {page['url']}"
    return tag(
        "article",
        tag("h4", page["title"] or "(no title)"),
        tag("p", tag("span", f"{score:.2f}", class_=kind), facts, class_="where"),
        tag("div", with_formulas(page["text"]), class_="text"),
        class_="sample",
    )


def comparison(data: dict) -> list[Html]:
    tokens = data["funnel"]["final"]["tokens"]
    rows = [(name, size) for name, size, _ in COMPARED] + [("this corpus", tokens)]
    text = [[name, count(size), what] for name, size, what in COMPARED]
    mine = ["this corpus", count(tokens), f"{count(data['funnel']['records'])} crawled records"]
    return [
        figure(charts.sizes(rows, "this corpus"), "Tokens, on a logarithmic scale."),
        table(["corpus", "tokens", "made of"], [*text, mine]),
        paragraph(
            f"This run holds {_part(tokens, COMPARED[-1][1])} of the tokens of the paper's corpus, from "
            f"{_part(data['funnel']['records'], PAPER_PAGES)} of its 40 billion pages. The paper's figures count "
            "DeepSeek's tokens (vocabulary of 100,000); this run's are estimated from the text."
        ),
    ]


def _part(number: float, whole: float) -> str:
    share = number / whole
    return percent(share) if share >= 0.001 else f"one in {whole / max(number, 1):,.0f}"


def cost(steps: list[dict], funnel: dict) -> list[Html]:
    if not steps:
        return []
    rows = [
        [entry["step"], entry["jobs"], f"{entry['seconds']:,.1f}", f"{entry['cpu_seconds']:,.1f}",
         "–" if entry["records_per_core_second"] is None else f"{entry['records_per_core_second']:,.0f}",
         f"{entry['memory_mb']:,.0f}", f"{entry['crawl_core_hours']:,.0f}"]
        for entry in steps
    ]  # fmt: skip
    seconds = sum(entry["cpu_seconds"] for entry in steps)
    hours = sum(entry["crawl_core_hours"] for entry in steps)
    return [
        table(
            [
                "step",
                "jobs",
                "seconds",
                "core seconds",
                "records/s per core",
                "memory, MB",
                "one crawl, core-hours",
            ],
            rows,
        ),
        paragraph(
            f"{funnel['records']:,} records took {seconds:,.0f} core seconds in all. At the same rates a crawl of "
            f"{count(CRAWL_PAGES)} pages would take about {hours:,.0f} core-hours: a plain multiplication, which "
            "counts every job's start-up with the pages and no download. Small runs look dearer than they are."
        ),
    ]


def choices(found: list[dict]) -> list[Html]:
    silent = [row for row in found if row["why"].startswith("NS")]
    changed = [row for row in found if row["changed"] and not row["why"].startswith("NS")]
    others = [row for row in found if not row["why"].startswith("NS") and not row["changed"]]
    rows = lambda chosen: [[tag("code", row["key"]), _value(row), row["why"]] for row in chosen]  # noqa: E731
    columns = ["setting", "value", "why"]
    parts = []
    if changed:
        parts += [
            tag("h3", "The paper's numbers that this run changes"),
            table(columns, rows(changed)),
        ]
    return [
        paragraph(
            "Where the paper is silent (NS: not stated), the settings' own descriptions say what was chosen and why."
        ),
        table(columns, rows(silent)),
        *parts,
        details("The other settings", table(columns, rows(others))),
    ]


def _value(row: dict) -> Html:
    shown = tag("code", _plain(row["value"]))
    return tag("span", shown, f" (default {_plain(row['default'])})") if row["changed"] else shown


def _plain(value: object) -> str:
    return ", ".join(map(_plain, value)) if isinstance(value, list) else str(value)


def truth(found: dict) -> list[Html]:
    rounds = found["rounds"]
    total = {entry["round"]: entry["languages"]["all"] for entry in rounds}
    curves = {
        name: [
            (number, values[name]) for number, values in total.items() if values[name] is not None
        ]
        for name in ("recall", "precision")
    }
    rows = [
        [number, f"{values['collected']:,}", f"{values['mathematical']:,}", f"{values['found']:,}",
         percent(values["recall"]), percent(values["precision"])]
        for number, values in total.items()
    ]  # fmt: skip
    last = rounds[-1]["languages"]
    languages = [
        [
            name,
            f"{values['mathematical']:,}",
            f"{values['found']:,}",
            percent(values["recall"]),
            percent(values["precision"]),
        ]
        for name, values in sorted(last.items(), key=lambda entry: -entry[1]["mathematical"])
        if name != "all" and values["mathematical"]
    ]
    return [
        paragraph(
            f"A truth about the pages exists for this run ({found['file']}). No step of mining reads it; here it "
            "marks the result. A page counts once with its duplicates, and is found when one of them was collected."
        ),
        figure(
            line_chart(curves, "round", "share", y_range=(0, 1)),
            "Recall and precision of mathematical pages.",
        ),
        table(
            [
                "round",
                "collected",
                "mathematical in the crawl",
                "of them collected",
                "recall",
                "precision",
            ],
            rows,
        ),
        details(
            "By language, last round",
            table(["language", "mathematical", "found", "recall", "precision"], languages),
        ),
        _left("planted leaks", found["leaks"], found["leaks_left"]),
        _left("planted duplicates", found["duplicates"], found["duplicates_left"]),
    ]


def _left(what: str, planted: int, left: int) -> Html:
    verdict = tag(
        "span", f"{left:,} left in the corpus", class_="verdict " + ("bad" if left else "good")
    )
    return paragraph(f"{planted:,} {what}: ", verdict, ".")
