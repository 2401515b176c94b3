"""A page for the person who annotates URL prefixes: read the samples, accept or reject, save the
YAML.

Reads  the `url_prefixes.yaml` of a round.
Writes one HTML file that works offline; its button saves a YAML for `sources.url_annotations`.

    python -m corpus.annotate_page results/mini/corpus/round_4/url_prefixes.yaml --out annotate.html

Only the prefixes whose decision the person confirms or changes go into the saved file, unless "all"
is ticked. Nothing is sent anywhere.

Decisions that the automatic annotator doubts come first, those about many pages before those about few. After
twenty answers the page says about how many pages each further answer is worth: the doubt of the rows to
come, corrected by how often the answers so far differed from the annotator's, times their pages.
"""

import argparse
from pathlib import Path
from typing import Any

import yaml

from corpus.mining.annotations import read_annotations
from pipeline.artifacts.write import write_text
from pipeline.errors import run_main
from pipeline.report.page import Section, render_page

DATA_FILES = ("templates/*",)
TEMPLATES = Path(__file__).parent / "templates"


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("prefixes", type=Path, help="url_prefixes.yaml of a round")
    parser.add_argument("--out", type=Path, required=True, help="HTML file to write")
    args = parser.parse_args(argv)

    read_annotations(args.prefixes)  # the same complaint about a bad file as everywhere
    rows = yaml.safe_load(args.prefixes.read_text(encoding="utf-8"))["prefixes"]
    write_text(args.out, annotation_page(rows))
    print(f"{args.out}: {len(rows)} prefixes")


def annotation_page(rows: list[dict[str, Any]]) -> str:
    """The page for rows of `url_prefixes.yaml`."""
    rows = most_worth_asking(rows)
    sections = [
        Section("How to annotate", "annotate_intro.html.jinja", None),
        # The number of a row names its pair of radio buttons.
        Section("Prefixes", "annotate_prefixes.html.jinja", list(enumerate(rows))),
    ]
    return render_page(
        "URL prefixes",
        f"{len(rows)} prefixes inside domains of the subject, doubtful decisions about many pages first",
        sections,
        TEMPLATES,
        style="annotate.css",
        script="annotate.js",
    )


def most_worth_asking(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows, those first whose answer may change most pages; a person's own decisions come last."""

    def worth(row: dict[str, Any]) -> tuple:
        automatic = row.get("by") == "automatic"
        pages_at_stake = row.get("doubt", 0) * row.get("pages", 0)
        return (not automatic, -pages_at_stake, -row.get("pages", 0), row["prefix"])

    return sorted(rows, key=worth)


if __name__ == "__main__":
    run_main(main)
