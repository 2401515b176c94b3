"""The ledger from evidence: findings.json, the page, docs/findings.md, and what is left to run.

Reads   findings/claims.yaml, the committed evidence and, with --evidence, a run's own.
Writes  --json: a list of {"id", "claim", "source", "comparison", "estimate", "low", "high", "n", "seeds", "verdict",
        …}; --page: one HTML file; --markdown: a line a claim. --status prints which seeds are there and which are left.

    python -m findings.report --preset mini --evidence results/mini/findings/evidence \\
        --json results/mini/findings/findings.json --page results/mini/reports/findings.html
    python -m findings.report --preset mini --markdown docs/findings.md
    python -m findings.report --preset mini --status

It runs no study (findings.run).
"""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import UserError, run_main

if TYPE_CHECKING:
    from findings.ledger import Row


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)

    # Loads scipy and more, which --help and a wrong option do not wait for.
    from findings.claims import claims_of
    from findings.ledger import build
    from findings.page import build_page, markdown
    from pipeline.artifacts.write import write_text

    if not claims_of(args.preset):
        raise UserError(f"--preset {args.preset}: no claim is tested in its world")
    rows = build(args.preset, args.evidence)

    if args.json:
        # Not `write_json`: rows keep the order of their fields, the stable ones first.
        text = json.dumps([row.to_json() for row in rows], indent=1, ensure_ascii=False)
        write_text(args.json, text + "\n")
    if args.page:
        write_text(args.page, build_page(args.preset, rows))
    if args.markdown:
        write_text(args.markdown, markdown(args.preset, rows))
    if args.status:
        print(status(rows))


def status(rows: "list[Row]") -> str:
    """A line a claim: seeds done, seeds left, hours so far and to come."""
    lines = [f"{'claim':30}{'verdict':>16}{'seeds':>9}{'hours':>8}{'to come':>9}  left"]
    for row in rows:
        # An estimate from what its finished seeds took; unknown without one.
        to_come = f"{row.hours / row.seeds * len(row.missing_seeds):.1f}" if row.seeds else "?"
        left = ", ".join(map(str, row.missing_seeds)) or "–"
        done = f"{row.seeds}/{row.wanted_seeds}"
        lines.append(f"{row.id:30}{row.verdict:>16}{done:>9}{row.hours:>8.2f}{to_come:>9}  {left}")

    seeds = sum(row.seeds for row in rows)
    wanted = sum(row.wanted_seeds for row in rows)
    lines.append(f"{seeds} of {wanted} seeds have evidence")
    return "\n".join(lines)


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--preset", default="mini", help="name of the preset whose evidence is read")
    add("--evidence", type=Path, help="a run's folder of evidence, beside the committed one")
    add("--json", type=Path, help="the rows")
    add("--page", type=Path, help="the page (HTML)")
    add("--markdown", type=Path, help="a line a claim")
    add("--status", action="store_true", help="print which seeds are there and which are left")
    args = parser.parse_args(argv)
    if not (args.json or args.page or args.markdown or args.status):
        parser.error("give at least one of --json, --page, --markdown, --status")
    return args


if __name__ == "__main__":
    run_main(main)
