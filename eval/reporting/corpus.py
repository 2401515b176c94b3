"""The section of the results report about the mined corpus; the corpus report beside it tells everything."""

from pathlib import Path

from pipeline.artifacts.write import read_json
from pipeline.report.page import Page, count, paragraph, percent, table, tag


def add_corpus(page: Page, results: Path) -> None:
    """Rounds against the truth about the pages, where the world knows it (no stage reads it)."""
    path = results / "reports" / "corpus.json"
    if not path.is_file():
        return
    data = read_json(path)
    final = data["funnel"]["final"]
    page.section(
        "Mined corpus",
        paragraph(
            f"{count(data['funnel']['records'])} records became {count(final['pages'])} pages with about "
            f"{count(final['tokens'])} tokens. ",
            tag("a", "The corpus report", href="corpus.html"),
            " tells everything about them.",
        ),
        _truth(data.get("truth")),
    )


def _truth(truth: dict | None) -> str:
    if not truth:
        return ""
    rows = [[row["round"], *_cells(row["languages"])] for row in truth["rounds"]]
    languages = [name for name in truth["rounds"][0]["languages"] if name != "all"]
    return tag(
        "div",
        table(["round", "recall", "precision", *(f"recall, {name}" for name in languages)], rows),
        paragraph(
            f"Against the world's truth, which no stage reads: {truth['duplicates_left']} of {truth['duplicates']} "
            f"planted duplicates and {truth['leaks_left']} of {truth['leaks']} pages that "
            f"leak held-out problems are left."
        ),
    )


def _cells(languages: dict[str, dict]) -> list[str]:
    whole = languages["all"]
    others = [percent(row["recall"]) for name, row in languages.items() if name != "all"]
    return [percent(whole["recall"]), percent(whole["precision"]), *others]
