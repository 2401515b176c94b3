"""The section of the results report about the mined corpus; the corpus report has the details."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.artifacts.write import read_json
from pipeline.report.page import Section


@dataclass(frozen=True, slots=True)
class MinedCorpus:
    records: int
    pages: int
    tokens: int
    truth: dict[str, Any] | None  # rounds against ground truth, where the world knows it
    languages: list[str]  # with a recall of their own


def corpus_section(results: Path) -> Section | None:
    """The corpus in a few numbers, from the corpus report's; None where there is no such report."""
    path = results / "reports" / "corpus.json"
    if not path.is_file():
        return None

    numbers = read_json(path)
    final = numbers["funnel"]["final"]
    truth = numbers.get("truth")
    languages: list[str] = []
    if truth:
        languages = [name for name in truth["rounds"][0]["languages"] if name != "all"]
    data = MinedCorpus(
        numbers["funnel"]["records"], final["pages"], final["tokens"], truth, languages
    )
    return Section("Mined corpus", "corpus.html.jinja", data)
