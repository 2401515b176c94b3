"""A page for the person who annotates URL prefixes: read the samples, accept or reject, save the YAML.

Reads  the `url_prefixes.yaml` of a round.
Writes one HTML file that works offline; its button saves a YAML for `sources.url_annotations`.

    python -m corpus.annotate_page results/mini/corpus/round_4/url_prefixes.yaml --out annotate.html

Only the prefixes whose decision the person confirms or changes go into the saved file, unless "all" is ticked.
Nothing is sent anywhere.
"""

import argparse
from pathlib import Path

import yaml

from corpus.mining.annotations import read_annotations
from pipeline.artifacts.write import write_text
from pipeline.errors import run_main
from pipeline.report.page import Html, Page, paragraph, percent, table, tag

# Beside the style of every report page.
_STYLE = """
fieldset { border: 0; padding: 0; margin: 0; white-space: nowrap }
tr.touched td { font-weight: 600 }
form.save { position: sticky; bottom: 0; padding: .7em 0; background: Canvas }
td ul { margin: 0; padding-left: 1.1em; overflow-wrap: anywhere; min-width: 18em; font-size: .85em }
form.save label { margin-left: 1em }
"""
# Collects what the person chose and hands it over as a download. A prefix is from the crawl: it is read
# from a data attribute and quoted by JSON.stringify, whose strings are YAML too.
_SCRIPT = """
const rows = [...document.querySelectorAll('fieldset[data-prefix]')];
rows.forEach(f => f.addEventListener('change', () => f.closest('tr').classList.add('touched')));
document.getElementById('save').addEventListener('click', () => {
  const all = document.getElementById('all').checked;
  const kept = rows.filter(f => all || f.closest('tr').classList.contains('touched'));
  const lines = kept.map(f => '- prefix: ' + JSON.stringify(f.dataset.prefix) +
    '\\n  decision: ' + f.querySelector('input:checked').value + '\\n  by: person');
  const text = 'version: 1\\n' + (lines.length ? 'prefixes:\\n' + lines.join('\\n') : 'prefixes: []') +
    '\\nothers: ' + document.getElementById('others').value + '\\n';
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], {type: 'text/yaml'}));
  link.download = 'url_annotations.yaml';
  link.click();
});
"""


# What to do with prefixes that the saved file does not list (`corpus.mining.annotations`).
_OTHERS = {"automatic": "the automatic annotator decides", "reject": "rejected"}


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("prefixes", type=Path, help="url_prefixes.yaml of a round")
    parser.add_argument("--out", type=Path, required=True, help="HTML file to write")
    args = parser.parse_args(argv)

    # The model keeps decisions alone; it is read for its complaint about a bad file.
    read_annotations(args.prefixes)
    rows = yaml.safe_load(args.prefixes.read_text(encoding="utf-8"))["prefixes"]

    write_text(args.out, annotation_page(rows))
    print(f"{args.out}: {len(rows)} prefixes")


def annotation_page(rows: list[dict]) -> str:
    """The page for rows of `url_prefixes.yaml`."""
    page = Page(
        "URL prefixes",
        f"{len(rows)} prefixes inside mathematical domains, most pages collected first",
    )

    page.section(
        "How to annotate",
        paragraph(
            "Accept a prefix when most pages under it carry mathematics; the longest prefix of a page decides. "
            "Rows you touch become yours and win over the automatic annotator. Save, then name the file in ",
            tag("code", "sources.url_annotations"),
            ".",
        ),
    )

    columns = ["decision", "prefix and sample pages", "pages", "collected", "mathematical", "score"]
    cells = [_cells(number, row) for number, row in enumerate(rows)]
    page.section("Prefixes", table(columns, cells), _save_form())

    return page.html(script=_SCRIPT, style=_STYLE)


def _cells(number: int, row: dict) -> list[object]:
    """One row of the table. Prefixes that only earlier rounds saw have no numbers and no samples."""
    choices = [_choice(number, row["decision"], value) for value in ("accept", "reject")]
    samples = [tag("li", _link(url)) for url in row.get("samples", [])]
    sample_list = tag("ul", *samples) if samples else ""

    return [
        tag("fieldset", *choices, data_prefix=row["prefix"]),
        tag("div", tag("code", row["prefix"]), sample_list),
        row.get("pages"),
        row.get("collected"),
        percent(row.get("mathematical_share"), 0),
        row.get("mean_score"),
    ]


def _choice(number: int, decision: str, value: str) -> Html:
    """A radio button; those of one row share a name, so that one of them holds."""
    checked = {"checked": "checked"} if value == decision else {}
    button = tag("input", type="radio", name_=f"p{number}", value=value, **checked)
    return tag("label", button, " ", value, " ")


def _link(url: str) -> Html:
    """A link, for web addresses only: a crawl may hold others (javascript:)."""
    if not url.startswith(("http://", "https://")):
        return tag("span", url)
    return tag("a", url, href=url, rel="noreferrer noopener", target="_blank")


def _save_form() -> Html:
    everything = tag("input", type="checkbox", id="all")
    others = [tag("option", text, value=value) for value, text in _OTHERS.items()]

    return tag(
        "form",
        tag("button", "Save YAML", type="button", id="save"),
        tag("label", everything, " all prefixes, not only those I touched"),
        tag("label", " prefixes not listed: ", tag("select", *others, id="others")),
        class_="save",
    )


if __name__ == "__main__":
    run_main(main)
