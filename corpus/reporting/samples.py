"""Sample pages of the corpus report: drawn by a hash of their id, so that the same run shows the same pages."""

from corpus.reporting.data import Tables

PER_ROUND = 20
PER_BAND = 6
EXCERPT = 1_200  # characters
BANDS = ((0.0, 0.1), (0.1, 0.3), (0.3, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 1.01))
_NAMES = ("url", "title", "language", "score", "n_tokens", "text")


def by_round(tables: Tables) -> list[dict]:
    """Pages that each round was the first to collect."""
    return [
        {"round": number, "pages": _first_collected(tables, number)} for number in tables.rounds
    ]


def by_band(tables: Tables) -> list[dict]:
    """Pages of the deduplicated crawl by the last round's score, collected or not."""
    last = tables.rounds[-1]
    bands = []
    for low, high in BANDS:
        ids = tables.rows(
            f"SELECT doc_id, score FROM scores_{last} WHERE score >= ? AND score < ?"
            " ORDER BY md5(doc_id::VARCHAR) LIMIT ?",
            low,
            high,
            PER_BAND,
        )
        count = tables.one(
            f"SELECT count(*) FROM scores_{last} WHERE score >= ? AND score < ?", low, high
        )[0]
        bands.append(
            {"from": low, "to": min(high, 1.0), "count": count, "pages": _pages(tables, dict(ids))}
        )
    return bands


def _first_collected(tables: Tables, number: int) -> list[dict]:
    before = (
        f" WHERE doc_id NOT IN (SELECT doc_id FROM collected_{number - 1})" if number > 1 else ""
    )
    ids = tables.rows(
        f"SELECT doc_id, score FROM collected_{number}{before} ORDER BY md5(doc_id::VARCHAR) LIMIT {PER_ROUND}"
    )
    return _pages(tables, dict(ids))


def _pages(tables: Tables, scores: dict[int, float]) -> list[dict]:
    """The pages with these ids, in this order; leaked benchmark problems are not shown."""
    rows = tables.rows(
        "SELECT doc_id, url, title, language, n_tokens, text FROM pages WHERE doc_id IN (SELECT unnest(?::UBIGINT[]))"
        " AND doc_id NOT IN (SELECT doc_id FROM removed) ORDER BY doc_id, warc_file, warc_offset",
        list(scores),
    )
    found = {row[0]: row for row in reversed(rows)}
    return [
        dict(
            zip(
                _NAMES,
                (*found[one][1:4], round(scores[one], 4), found[one][4], _excerpt(found[one][5])),
                strict=True,
            )
        )
        for one in scores
        if one in found
    ]


def _excerpt(text: str) -> str:
    """The beginning of a text, cut at a line or a blank and never inside a formula."""
    if len(text) <= EXCERPT:
        return text
    cut = text[:EXCERPT]
    cut = cut[: max(cut.rfind("\n"), cut.rfind(" "), EXCERPT // 2)]
    if cut.replace("$$", "").count("$") % 2 or cut.count("$$") % 2:
        cut = cut[: cut.rstrip("$").rfind("$")].rstrip("$")
    return cut + " …"
