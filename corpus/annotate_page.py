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

_STYLE = """
fieldset { border: 0; padding: 0; margin: 0; white-space: nowrap }
tr.touched td { font-weight: 600 }
form.save { position: sticky; bottom: 0; padding: .7em 0; background: Canvas }
td ul { margin: 0; padding-left: 1.1em; overflow-wrap: anywhere; min-width: 18em; font-size: .85em }
form.save label { margin-left: 1em }
"""
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


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("prefixes", type=Path, help="url_prefixes.yaml of a round")
    parser.add_argument("--out", type=Path, required=True, help="HTML file to write")
    options = parser.parse_args(argv)
    read_annotations(options.prefixes)  # the same complaint about a bad file as everywhere
    rows = yaml.safe_load(options.prefixes.read_text(encoding="utf-8"))["prefixes"]
    write_text(options.out, annotation_page(rows))
    print(f"{options.out}: {len(rows)} prefixes")


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
    page.section(
        "Prefixes",
        table(columns, [_cells(number, row) for number, row in enumerate(rows)]),
        _save_form(),
    )
    return page.html(script=_SCRIPT, style=_STYLE)


def _cells(number: int, row: dict) -> list[object]:
    choices = [_choice(number, row["decision"], value) for value in ("accept", "reject")]
    samples = [tag("li", _link(url)) for url in row.get("samples", [])]
    return [
        tag("fieldset", *choices, data_prefix=row["prefix"]),
        tag("div", tag("code", row["prefix"]), tag("ul", *samples) if samples else ""),
        row.get("pages"),
        row.get("collected"),
        percent(row.get("mathematical_share"), 0),
        row.get("mean_score"),
    ]


def _choice(number: int, decision: str, value: str) -> Html:
    checked = {"checked": "checked"} if value == decision else {}
    return tag(
        "label",
        tag("input", type="radio", name_=f"p{number}", value=value, **checked),
        " ",
        value,
        " ",
    )


def _link(url: str) -> Html:
    """A link, for web addresses only: a crawl may hold others (javascript:)."""
    if not url.startswith(("http://", "https://")):
        return tag("span", url)
    return tag("a", url, href=url, rel="noreferrer noopener", target="_blank")


def _save_form() -> Html:
    others = [tag("option", text, value=value) for value, text in _OTHERS.items()]
    return tag(
        "form",
        tag("button", "Save YAML", type="button", id="save"),
        tag(
            "label",
            tag("input", type="checkbox", id="all"),
            " all prefixes, not only those I touched",
        ),
        tag("label", " prefixes not listed: ", tag("select", *others, id="others")),
        class_="save",
    )


_OTHERS = {"automatic": "the automatic annotator decides", "reject": "rejected"}


if __name__ == "__main__":
    run_main(main)
