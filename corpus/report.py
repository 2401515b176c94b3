"""The corpus report: one self-contained HTML page about a mined corpus, and the same numbers as
JSON.

Reads   results/<preset>: corpus/{pages,rejects,dedup,round_<n>,final},
        corpus/decontaminated.parquet, config/corpus.*.json, benchmarks/*.tsv; with --truth the
        ground truth about the pages (JSON Lines: url, math, duplicate_of, leaks; or url and label),
        which no step of mining has read.
Writes  the page, which opens offline, and the JSON.

    python -m corpus.report --results results/mini --truth results/mini/world/truth/pages.jsonl \\
        --out results/mini/reports/corpus.html --json results/mini/reports/corpus.json

Numbers are counted from the tables; samples are drawn by hash, so that equal runs have equal pages
except for the cost. It does not judge a corpus: training a model on it does.
"""

import argparse
from pathlib import Path

from corpus.reporting import context, rounds, samples
from corpus.reporting import data as tables_data
from corpus.reporting.data import Tables
from corpus.reporting.page import page_html
from corpus.reporting.schema import Numbers
from pipeline.artifacts.write import write_json, write_text
from pipeline.errors import UserError, run_main


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, required=True, help="results/<preset>")
    parser.add_argument("--truth", type=Path, help="JSON Lines with the truth about the pages")
    parser.add_argument("--out", type=Path, required=True, help="HTML file to write")
    parser.add_argument("--json", type=Path, required=True, help="JSON file to write")
    args = parser.parse_args(argv)

    data = numbers(args.results, args.truth)
    write_json(args.json, data)
    write_text(args.out, page_html(data))
    print(f"written {args.out}")


def numbers(results: Path, truth: Path | None = None) -> Numbers:
    """Everything the page shows. UserError where the run has no finished corpus."""
    if not (results / "corpus" / "final" / "manifest.json").is_file():
        raise UserError(
            f"{results}: holds no finished corpus (corpus/final/manifest.json);"
            " run corpus.final first"
        )

    tables = Tables(results)
    funnel = tables_data.funnel(tables)
    data: Numbers = {
        "name": results.resolve().name,
        "funnel": funnel,
        "rounds": rounds.rounds(tables),
        "domain_counts": rounds.domain_counts(tables),
        "domains": rounds.domains(tables),
        "prefixes": rounds.prefixes(tables),
        "languages": tables_data.languages(tables),
        "markup": tables_data.markup(tables),
        "lengths": tables_data.lengths(tables),
        "quality": tables_data.quality(tables),
        "clusters": tables_data.clusters(tables),
        "contamination": tables_data.contamination(tables),
        "samples": {"rounds": samples.by_round(tables), "bands": samples.by_band(tables)},
        "cost": context.cost(tables, funnel["records"]),
        "choices": context.choices(results / "config"),
        "compared": {name: tokens for name, tokens, _ in context.COMPARED},
    }
    if truth is not None:
        data["truth"] = context.truth(tables, truth)
    return data


if __name__ == "__main__":
    run_main(main)
