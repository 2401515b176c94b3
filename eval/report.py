"""The results report: one self-contained page about a run's models.

Reads   results/<preset>: eval/summary.json, comparisons.json and the samples beside them,
        models/*/metrics.jsonl and manifest.json, rl/rollouts.jsonl, benchmarks/*.tsv,
        config/*.json, reports/corpus.json.
Writes  one HTML file that opens offline.

    python -m eval.report --results results/mini --out results/mini/reports/results.html

Parts whose files are absent are left out. The corpus has a report of its own (corpus.report).
"""

import argparse
from pathlib import Path

from eval.reporting.corpus import corpus_section
from eval.reporting.samples import samples_section
from eval.reporting.scores import load_rows, score_sections
from eval.reporting.training import cost_section, settings_section, training_sections
from pipeline.artifacts.write import read_json, write_text
from pipeline.errors import run_main
from pipeline.report.page import render_page

DATA_FILES = ("reporting/templates/*",)
TEMPLATES = Path(__file__).parent / "reporting" / "templates"


def build(results: Path) -> str:
    """The page of a results folder as HTML text."""
    summary = read_json(results / "eval" / "summary.json")
    rows = load_rows(results, summary)

    sections = [
        *score_sections(results, summary, rows),
        corpus_section(results),
        *training_sections(results),
        cost_section(results),
        samples_section(rows),
        settings_section(results),
    ]
    return render_page(
        "From coder to RL model",
        f"Results of the run in {results.name}: evaluation, training, cost.",
        [section for section in sections if section is not None],
        TEMPLATES,
        script="samples.js",
    )


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, required=True, help="results/<preset>")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args(argv)

    write_text(args.out, build(args.results))
    print(f"written {args.out}")


if __name__ == "__main__":
    run_main(main)
