"""Sample pages of the corpus report: drawn by a hash of their id, so that the same run shows the
same pages.
"""

from corpus.reporting.data import Tables
from corpus.reporting.schema import BandSamples, RoundSamples, SamplePage

PER_ROUND = 20
PER_BAND = 6
EXCERPT = 1_200  # characters
BANDS = ((0.0, 0.1), (0.1, 0.3), (0.3, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 1.01))


def by_round(tables: Tables) -> list[RoundSamples]:
    """Pages that each round was the first to collect."""
    return [
        {"round": number, "pages": _first_collected(tables, number)} for number in tables.rounds
    ]


def _first_collected(tables: Tables, number: int) -> list[SamplePage]:
    condition = ""
    if number > 1:
        condition = f" WHERE doc_id NOT IN (SELECT doc_id FROM collected_{number - 1})"

    rows = tables.rows(
        f"SELECT doc_id, score FROM collected_{number}{condition}"
        " ORDER BY md5(doc_id::VARCHAR) LIMIT ?",
        PER_ROUND,
    )
    return _pages(tables, dict(rows))


def by_band(tables: Tables) -> list[BandSamples]:
    """Pages of the deduplicated crawl by the last round's score, collected or not."""
    inside = f"FROM scores_{tables.rounds[-1]} WHERE score >= ? AND score < ?"
    bands: list[BandSamples] = []

    for low, high in BANDS:
        rows = tables.rows(
            f"SELECT doc_id, score {inside} ORDER BY md5(doc_id::VARCHAR) LIMIT ?",
            low,
            high,
            PER_BAND,
        )
        count = tables.number(f"SELECT count(*) {inside}", low, high)

        # The last band includes the score 1, hence its end above it.
        pages = _pages(tables, dict(rows))
        bands.append({"from": low, "to": min(high, 1.0), "count": count, "pages": pages})
    return bands


def _pages(tables: Tables, scores: dict[int, float]) -> list[SamplePage]:
    """The pages with these ids, in this order; leaked benchmark problems are not shown."""
    rows = tables.rows(
        "SELECT doc_id, url, title, language, n_tokens, text FROM pages"
        " WHERE doc_id IN (SELECT unnest(?::UBIGINT[]))"
        " AND doc_id NOT IN (SELECT doc_id FROM removed)"
        " ORDER BY doc_id, warc_file, warc_offset",
        list(scores),
    )

    pages: dict[int, SamplePage] = {}
    for doc_id, url, title, language, n_tokens, text in rows:
        # Captures of one address share their id; the first one is shown.
        if doc_id in pages:
            continue
        pages[doc_id] = {
            "url": url,
            "title": title,
            "language": language,
            "score": round(scores[doc_id], 4),
            "n_tokens": n_tokens,
            "text": _excerpt(text),
        }
    return [pages[doc_id] for doc_id in scores if doc_id in pages]


def _excerpt(text: str) -> str:
    """The beginning of a text, cut at a line or a blank and never inside a formula."""
    if len(text) <= EXCERPT:
        return text

    cut = text[:EXCERPT]
    # Text without blanks, such as Chinese, is cut at its half at the earliest.
    end = max(cut.rfind("\n"), cut.rfind(" "), EXCERPT // 2)
    cut = cut[:end]

    # An odd number of dollar signs: the last one opens a formula that the cut would tear.
    inside_inline = cut.replace("$$", "").count("$") % 2 == 1
    inside_display = cut.count("$$") % 2 == 1
    if inside_inline or inside_display:
        opening = cut.rstrip("$").rfind("$")
        cut = cut[:opening].rstrip("$")
    return cut + " …"
