"""Run one seed of one claim and write its evidence.

Reads   a preset; starts the stages that the study needs as runs of their own (results/<preset>-findings-…), which are
        kept and shared by the claims of a seed, so that a killed study goes on where it stopped.
Writes  one JSON file (findings/evidence.py).

    python -m findings.run --claim mining-rounds --seed 0 --preset mini --cores 2 \\
        --out results/mini/findings/evidence/mining-rounds/seed_0.json

    snakemake --cores all finding_mining_rounds --config preset=mini     all its seeds that have no evidence yet
    snakemake --cores all findings --config preset=mini                  every claim: hours
    cp -r results/mini/findings/evidence/. findings/evidence/mini/       to commit what was found

Not done here: the ledger (findings.report).
"""

import argparse
import importlib
import time
from pathlib import Path

from pipeline.errors import UserError, run_main


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)

    # Loads numpy and more, which --help and a wrong option do not wait for.
    from eval.reporting.provenance import current_environment
    from findings.claims import claim_named
    from findings.evidence import Evidence
    from findings.studies.task import Task
    from pipeline.artifacts.code_digest import code_digest
    from pipeline.config.load import load_preset

    claim = claim_named(args.claim)
    config = load_preset(args.preset)
    if config.name not in claim.presets:
        known = ", ".join(claim.presets)
        raise UserError(f"{claim.id}: not tested in the world of {config.name}; allowed: {known}")

    started = time.monotonic()
    study = importlib.import_module(f"findings.studies.{claim.study}")
    task = Task(claim, args.seed, args.preset, config.name, args.cores)
    outcome = study.run(task)

    seconds = time.monotonic() - started
    evidence = Evidence(
        claim=claim.id,
        claim_digest=claim.digest,
        wanted=claim.presets[config.name],
        preset=config.name,
        seed=args.seed,
        arms=outcome.arms,
        settings=claim.settings,
        code=code_digest(*study.PROGRAMS),
        notes=outcome.notes,
        made={
            **current_environment(),
            "seconds": round(seconds, 1),
            "cores_used": args.cores,
        },
    )
    evidence.write(args.out)


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--claim", required=True, help="id of a claim in findings/claims.yaml")
    add("--seed", type=_seed, required=True)
    add("--preset", default="mini", help="a preset's name or YAML path")
    add("--cores", type=int, default=1, help="cores of the runs that the study starts")
    add("--out", type=Path, required=True, help="the evidence (JSON)")
    return parser.parse_args(argv)


def _seed(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r}: a whole number from 0 on is needed")
    return int(text)


if __name__ == "__main__":
    run_main(main)
