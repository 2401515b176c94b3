"""The results report: one self-contained page about a run's models, or about several runs.

Reads   results/<preset>: eval/summary.json, comparisons.json and the samples beside them,
        models/*/metrics.jsonl and manifest.json, rl/rollouts.jsonl, benchmarks/*, config/*.json,
        reports/corpus.json.
Writes  one HTML file that opens offline; of a single run also the main numbers in Markdown beside
        it (results.html, results.md), to be pasted into an issue.

    python -m eval.report --results results/mini --out results/mini/reports/results.html
    python -m eval.report --compare results/mini results/mini-large-groups --output compare.html

--compare draws the runs' curves over one another, measures differences on the problems that they
share, and lists the settings that differ. Each run is compared with the first one named.

Parts whose files are absent are left out. The corpus has a report of its own (corpus.report).
"""

import argparse
from pathlib import Path

from eval.reporting.cases import case_section, rated_model_section
from eval.reporting.comparison import compared_sections, load_runs, names_of
from eval.reporting.corpus import corpus_section
from eval.reporting.cost import cost_section
from eval.reporting.markdown import results_markdown
from eval.reporting.provenance import facts
from eval.reporting.samples import samples_section
from eval.reporting.scores import load_rows, load_summary, score_sections
from eval.reporting.settings import settings_section
from eval.reporting.training import training_sections
from pipeline.artifacts.write import write_text
from pipeline.errors import run_main
from pipeline.report.page import render_page

DATA_FILES = ("reporting/templates/*",)
TEMPLATES = Path(__file__).parent / "reporting" / "templates"


def build(results: Path) -> str:
    """The page of a results folder as HTML text."""
    summary = load_summary(results)
    rows = load_rows(results, summary)

    sections = [
        *score_sections(results, summary, rows),
        case_section(summary),
        rated_model_section(results),
        corpus_section(results),
        *training_sections(results),
        cost_section(results),
        samples_section(rows),
        settings_section(results),
    ]
    return render_page(
        "From coder to RL model",
        f"Results of run {results.name}: evaluation, training and cost",
        [section for section in sections if section is not None],
        TEMPLATES,
        script="samples.js",
        made_with=facts(results),
    )


def build_comparison(folders: list[Path]) -> str:
    """The page that compares several runs, as HTML text."""
    runs = load_runs(folders)
    names = [run.name for run in runs]
    return render_page(
        "Runs compared",
        f"{', '.join(names[1:])} compared with {names[0]}",
        compared_sections(runs),
        TEMPLATES,
    )


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)

    if args.compare:
        out = args.out or _comparison_path(args.compare)
        write_text(out, build_comparison(args.compare))
        print(f"written {out}")
        return

    notes = args.out.with_suffix(".md")
    write_text(args.out, build(args.results))
    write_text(notes, results_markdown(args.results, load_summary(args.results)))
    print(f"written {args.out} and {notes}")


def _comparison_path(folders: list[Path]) -> Path:
    """Beside the first run's own reports, named after the others."""
    others = names_of(folders)[1:]
    return folders[0] / "reports" / f"compared_with_{'_'.join(others).replace('/', '-')}.html"


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--results", type=Path, help="results/<preset>")
    what.add_argument(
        "--compare",
        type=Path,
        nargs="+",
        metavar="RUN",
        help="two or more results/<preset>; the first is what the others are compared with",
    )
    parser.add_argument(
        "--out",
        "--output",
        type=Path,
        metavar="FILE",
        help="the page; with --compare by default a file in the first run's reports/",
    )
    args = parser.parse_args(argv)

    if args.results and not args.out:
        parser.error("--results needs --out")
    if args.out and args.out.suffix == ".md":
        parser.error("--out names the HTML page; the Markdown is written beside it")
    if args.compare and len(args.compare) < 2:
        parser.error("--compare needs two runs or more")
    return args


if __name__ == "__main__":
    run_main(main)
