"""Sections of the corpus report about what the corpus holds: domains, languages, markup, lengths, copies, leaks."""

from corpus.reporting import charts
from pipeline.report.charts import bar_chart
from pipeline.report.page import Html, count, details, figure, paragraph, percent, table, tag

LANGUAGES = {
    "ar": "Arabic", "bg": "Bulgarian", "ca": "Catalan", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek",
    "en": "English", "es": "Spanish", "fa": "Persian", "fi": "Finnish", "fr": "French", "he": "Hebrew", "hi": "Hindi",
    "hu": "Hungarian", "id": "Indonesian", "it": "Italian", "ja": "Japanese", "ko": "Korean", "nl": "Dutch",
    "no": "Norwegian", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sv": "Swedish",
    "th": "Thai", "tr": "Turkish", "uk": "Ukrainian", "und": "unknown", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip
MARKUP = {
    "mathml": "MathML", "mathml_annotation": "MathML with TeX", "mathml_alttext": "MathML with alt text",
    "tex_text": "TeX in the text", "image_alt": "images (alt text)", "image_url": "images (address)",
    "mathjax": "MathJax", "katex": "KaTeX", "mediawiki": "MediaWiki", "script_tex": "TeX in a script",
    "script_mathml": "MathML in a script", "script_asciimath": "AsciiMath in a script", "asciimath": "AsciiMath",
    "data_attribute": "TeX in an attribute", "tex_element": "elements of TeX",
    "text_asciimath": "AsciiMath in the text", "code_math": "code blocks of TeX",
}  # fmt: skip
SHOWN_LANGUAGES = 16
SHOWN_PREFIXES = 25


def domains(data: dict) -> list[Html]:
    found, rows = data["domain_counts"], []
    for row in data["domains"]:
        name = tag("strong", row["domain"]) if row["flagged"] else row["domain"]
        cells = [name, f"{row['pages']:,}", f"{row['collected']:,}", charts.meter(row["share"])]
        rows.append([*cells, charts.spark(row["growth"]), count(row["tokens"])])
    return [
        paragraph(
            f"{found['crawl']:,} domains in the crawl, {found['corpus']:,} with collected pages. In "
            f"{found['flagged']:,} of them more than a tenth was found: these count as mathematical (in bold), and "
            "their URL prefixes were judged. The small bars show collected pages by round."
        ),
        table(["domain", "pages", "collected", "share found", "by round", "tokens"], rows),
    ]


def prefixes(found: dict) -> list[Html]:
    columns = [
        "accepted prefix",
        "round",
        "pages",
        "collected",
        "mean score",
        "mathematical",
        "example",
    ]
    accepted = [_prefix_row(row, str(row["round"])) for row in found["accepted"]]
    more = accepted[SHOWN_PREFIXES:]
    by = "the automatic annotator" + (
        f" and a person ({found['by_person']:,})" if found["by_person"] else ""
    )
    return [
        paragraph(
            f"Inside mathematical domains {found['accepted_count']:,} URL prefixes were accepted and "
            f"{found['rejected_count']:,} rejected; judged by {by}. Pages under an accepted prefix become training "
            "examples of the next round, also those that the classifier had missed."
        ),
        table(columns, accepted[:SHOWN_PREFIXES]),
        *([details(f"{len(more)} more accepted prefixes", table(columns, more))] if more else []),
        details("Rejected prefixes", table(
            ["rejected prefix", "", "pages", "collected", "mean score", "mathematical", "example"],
            [_prefix_row(row, "") for row in found["rejected"]],
        )),
    ]  # fmt: skip


def _prefix_row(row: dict, number: str) -> list:
    samples = row.get("samples") or [""]
    share = row.get("mathematical_share")
    return [
        tag("span", row["prefix"], class_="where"),
        number,
        f"{row['pages']:,}" if "pages" in row else "–",
        f"{row['collected']:,}" if "collected" in row else "–",
        f"{row['mean_score']:.2f}" if "mean_score" in row else "–",
        "–" if share is None else percent(share, 0),
        tag("span", samples[0][:90], class_="where"),
    ]


def contents(data: dict) -> list[Html]:
    final = data["funnel"]["final"]
    shown = [row for row in data["languages"] if row["corpus"]]
    rest = shown[SHOWN_LANGUAGES:]
    bars = [
        (LANGUAGES.get(row["language"], row["language"]), row["corpus"])
        for row in shown[:SHOWN_LANGUAGES]
    ]
    if rest:
        bars.append((f"{len(rest)} others", sum(row["corpus"] for row in rest)))
    language_rows = [
        [LANGUAGES.get(row["language"], row["language"]), f"{row['crawl']:,}", f"{row['corpus']:,}",
         percent(row["corpus"] / max(1, row["crawl"])), count(row["tokens"])]
        for row in data["languages"]
    ]  # fmt: skip
    kinds = [row | {"kind": MARKUP.get(row["kind"], row["kind"])} for row in data["markup"]]
    carriers = data["quality"]["with_formulas"]
    return [
        tag("h3", "Languages"),
        _bars(bars, " pages", colour=1),
        details(
            "All languages", table(["language", "crawl", "corpus", "kept", "tokens"], language_rows)
        ),
        tag("h3", "Mathematical markup"),
        paragraph(
            f"{carriers:,} pages ({percent(carriers / max(1, final['pages']))}) carry {count(final['formulas'])} "
            "formulas, each kept once as TeX whatever the page used."
        ),
        _bars([(row["kind"], row["formulas"]) for row in kinds], " formulas", colour=3),
        details(
            "By pages, and in the whole crawl",
            table(
                ["markup", "formulas", "pages", "formulas in the crawl", "pages in the crawl"],
                [[row["kind"], *(f"{row[key]:,}" for key in _MARKUP)] for row in kinds],
            ),
        ),
        *_lengths(data["lengths"]),
        *_quality(data["quality"]),
    ]


_MARKUP = ("formulas", "pages", "crawl_formulas", "crawl_pages")


def _bars(rows: list[tuple[str, float]], unit: str, colour: int) -> Html:
    return tag("div", bar_chart(rows, unit, colour=colour), class_="scroll")


def _lengths(lengths: dict) -> list[Html]:
    low, high = lengths["low"], lengths["high"]
    ticks = [((power - low) / (high - low), f"{10**power:,}") for power in range(2, 7)]
    series = [(name, lengths[name]["counts"]) for name in ("crawl", "corpus")]
    rows = [
        [name, *(f"{value:,}" for value in lengths[name]["quantiles"])]
        for name in ("crawl", "corpus")
    ]
    return [
        tag("h3", "Lengths"),
        figure(
            charts.shares(series, ticks),
            "Characters of a page, logarithmic scale, as shares of pages.",
        ),
        table(["characters", "5 %", "25 %", "median", "75 %", "95 %"], rows),
    ]


def _quality(quality: dict) -> list[Html]:
    ticks = [(place / 4, f"{25 * place} %") for place in range(5)]
    return [
        tag("h3", "Text"),
        figure(
            charts.shares([("letters", quality["letter_share"])], ticks),
            "Letters among a page's visible characters.",
        ),
        figure(
            charts.shares([("repeated", quality["repeated_line_share"])], ticks),
            "Lines of a page that stood on it before. Reported only: no page is dropped for its quality.",
        ),
    ]


def duplicates(clusters: dict, funnel: dict) -> list[Html]:
    sizes = clusters["sizes"]
    rows = [
        [row["size"], f"{row['clusters']:,}", f"{row['size'] * row['clusters']:,}"] for row in sizes
    ]
    copies = funnel["duplicates"]
    return [
        paragraph(
            f"{copies['url']:,} pages share an address with a newer capture, {copies['text']:,} have the same text "
            f"as another page, {copies['near']:,} are near duplicates; of every cluster one page stays."
        ),
        _bars(
            [(f"{row['size']} pages", row["clusters"]) for row in sizes[:14]], " clusters", colour=4
        ),
        details("All cluster sizes", table(["pages in a cluster", "clusters", "pages"], rows)),
        details(
            "The largest clusters",
            table(
                ["pages", "the page that stays"],
                [[row["pages"], row["url"]] for row in clusters["largest"]],
            ),
        ),
    ]


def contamination(found: dict, funnel: dict) -> list[Html]:
    rows = [
        [
            row["benchmark"],
            "–" if row["items"] is None else f"{row['items']:,}",
            f"{row['found']:,}",
            f"{row['pages']:,}",
        ]
        for row in found["benchmarks"]
    ]
    pages = [
        [tag("span", row["url"], class_="where"), row["benchmark"], row["item"], row["rule"],
         f"{row['ngrams']:,}", tag("em", f"“{row['ngram']}”")]
        for row in found["pages"]
    ]  # fmt: skip
    rules = found["rules"]
    return [
        paragraph(
            f"{funnel['removed']:,} collected pages ({percent(funnel['removed'] / max(1, funnel['collected']), 2)}) "
            "hold a question or an answer of a benchmark and were dropped: "
            f"{rules.get('A', 0):,} by a common 10-gram (rule A), {rules.get('B', 0):,} by a short text found whole "
            "(rule B). A page counts for every benchmark it leaks."
        ),
        table(["benchmark", "items guarded", "items found", "pages removed"], rows),
        details("Removed pages and the words that convicted them",
                table(["page", "benchmark", "item", "rule", "n-grams", "words in common"], pages)),
    ]  # fmt: skip
