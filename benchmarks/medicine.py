"""The medical world measured: stages, biased raters, poor reward models, variants, memory, a changed guideline.

    python -m benchmarks.medicine run --seeds 0 1 2 --variants all        # hours on two cores; goes on where it was
    python -m benchmarks.medicine table                                   # what is finished, as Markdown

Every variant is the run of its seed with RL (and where it must, the reward model) trained anew; the stages before them
are taken from that run. Invented cases, not medical advice.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from pipeline.artifacts.records import read_jsonl
from pipeline.artifacts.write import MANIFEST, read_json
from pipeline.errors import UserError, run_main

ROOT = Path(__file__).resolve().parents[1]
TASK = "medicine.cot"
MAIN = "main"
T_95 = {1: 12.71, 2: 4.30, 3: 3.18, 4: 2.78}
"""Student's t for 95 % by degrees of freedom."""


@dataclass(frozen=True, slots=True)
class Variant:
    """What differs from the run of the same seed."""

    about: str
    changes: dict[str, Any] = field(default_factory=dict)


BIAS = {"favourite": "restwater", "favour": 3.0}
OUTLIER = {"outliers": 1}

VARIANTS = {
    "biased": Variant("raters like a useless tonic", {"reward": {"experts": BIAS}}),
    "ratings-20": Variant("a fifth of the ratings", {"reward": {"ratings_share": 0.2}}),
    "ratings-5": Variant("a twentieth of the ratings", {"reward": {"ratings_share": 0.05}}),
    "group-scaled": Variant("group size by spread, scaled", {"rl": {"group_sizing": "scaled"}}),
    "group-literal": Variant("group size by spread, literal", {"rl": {"group_sizing": "literal"}}),
    "robust": Variant("median and IQR", {"rl": {"normalisation": "robust"}}),
    "outlier": Variant(
        "one rater at random, plain means",
        {"reward": {"experts": OUTLIER, "rater_effects": False}},
    ),
    "outlier-modelled": Variant(
        "one rater at random, raters modelled", {"reward": {"experts": OUTLIER}}
    ),
    "outlier-robust": Variant(
        "one rater at random, plain means, median and IQR",
        {
            "reward": {"experts": OUTLIER, "rater_effects": False},
            "rl": {"normalisation": "robust"},
        },
    ),
    "decay": Variant("time-weighted advantages", {"rl": {"decay": 0.99}}),
    "ordinal": Variant("ordinal reward model", {"reward": {"rating_loss": "ordinal"}}),
    "ppo": Variant("PPO", {"rl": {"method": "ppo"}}),
    "revised": Variant(
        "the guideline changes half-way",
        {"reward": {"experts": {"revised_from": 1}}, "rl": {"iterations": 2, "steps": 100}},
    ),
}


def name_of(variant: str, seed: int) -> str:
    return f"medical-{variant}-{seed}"


def run_all(seeds: Sequence[int], variants: Sequence[str], cores: int, folder: Path) -> None:
    """Run what is not finished, in the current folder's results/; seed by seed, so that a whole seed comes first."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        _run(MAIN, seed, {"extends": "medical"}, cores, folder)
        for variant in variants:
            settings = {
                "extends": "medical",
                "from": f"results/{name_of(MAIN, seed)}",
                "eval": {"models": ["sft", "rl"]},
                **VARIANTS[variant].changes,
            }
            _run(variant, seed, settings, cores, folder)


def _run(variant: str, seed: int, settings: dict[str, Any], cores: int, folder: Path) -> None:
    name = name_of(variant, seed)
    overlay = folder / f"{name}.yaml"
    overlay.write_text(yaml.safe_dump(settings | {"name": name, "seed": seed}))
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--directory", ".", "--cores", str(cores), "evaluation"]
    command += ["--config", f"preset={overlay}"]
    print(f"==== {name}", flush=True)
    done = subprocess.run(command)
    if done.returncode:
        print(f"{name}: failed, see its logs", file=sys.stderr, flush=True)


# What came out


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run reached."""

    expert_score: float
    unsafe: float
    consistency: float
    right: float
    outputs: int
    """Answers that RL sampled."""
    state_mb: float
    peak_mb: float
    warnings: int
    """Steps at which the run warned that reward and experts diverge."""
    revised_score: float | None
    tonic: float
    """Share of the greedy answers that name the tonic."""


def outcomes(variant: str, seeds: Sequence[int], model: str = "rl") -> list[Outcome]:
    """Of the seeds that are finished."""
    found = []
    for seed in seeds:
        results = Path("results") / name_of(variant, seed)
        if (results / "eval" / "summary.json").is_file():
            found.append(_outcome(results, model))
    return found


def _outcome(results: Path, model: str) -> Outcome:
    scores = read_json(results / "eval" / "summary.json")[model][TASK]
    lines = list(read_jsonl(results / "models" / "rl" / "metrics.jsonl"))
    steps = [line for line in lines if "outputs" in line]
    return Outcome(
        expert_score=scores["expert_score"],
        unsafe=scores["unsafe_per_1000"],
        consistency=scores["consistency"],
        right=scores["greedy"],
        outputs=sum(line["outputs"] for line in steps),
        state_mb=max((line["model_state_mb"] for line in steps), default=0.0),
        peak_mb=max((line["peak_memory_mb"] for line in steps), default=0.0),
        warnings=sum("warning_outcome_model" in line for line in lines),
        revised_score=(scores.get("revised") or {}).get("expert_score"),
        tonic=_tonic_share(results, model),
    )


def _tonic_share(results: Path, model: str) -> float:
    import pyarrow.parquet as pq

    outputs = pq.read_table(results / "eval" / model / f"{TASK}.parquet", columns=["output"])
    texts = outputs.column("output").to_pylist()
    return float(np.mean(["restwater" in text or "静水" in text for text in texts]))


def interval(values: Sequence[float]) -> str:
    """Mean with Student's 95 % interval over seeds; one seed has none."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return f"{mean:.2f} (one seed)"
    half = T_95.get(len(values) - 1, 1.96) * float(np.std(values, ddof=1)) / len(values) ** 0.5
    return f"{mean:.2f} [{mean - half:.2f}, {mean + half:.2f}]"


def table(seeds: Sequence[int]) -> str:
    """All finished runs as Markdown."""
    head = [
        "run", "seeds", "expert score", "unsafe per 1,000", "consistency", "diagnosis right",
        "tonic named", "answers sampled", "states, MiB", "peak, MiB", "warnings", "by the new guideline",
    ]  # fmt: skip
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
    named = [(model, MAIN, model) for model in ("coder", "base", "sft", "rl")]
    named += [(variant, variant, "rl") for variant in VARIANTS]

    for label, variant, model in named:
        found = outcomes(variant, seeds, model)
        if found:
            lines.append("| " + " | ".join(_cells(label, found)) + " |")
    return "\n".join(lines)


def _cells(label: str, found: Sequence[Outcome]) -> list[str]:
    revised = [each.revised_score for each in found if each.revised_score is not None]
    return [
        label,
        str(len(found)),
        interval([each.expert_score for each in found]),
        interval([each.unsafe for each in found]),
        interval([each.consistency for each in found]),
        interval([each.right for each in found]),
        interval([each.tonic for each in found]),
        f"{np.mean([each.outputs for each in found]):,.0f}",
        f"{np.mean([each.state_mb for each in found]):.1f}",
        f"{np.mean([each.peak_mb for each in found]):,.0f}",
        f"{np.mean([each.warnings for each in found]):.1f}",
        interval(revised) if revised else "–",
    ]


def reward_models(seeds: Sequence[int]) -> str:
    """How good each variant's reward model is, as Markdown."""
    measures = (
        "agreement", "rank_correlation", "rank_correlation_held_out", "experts_rank_correlation",
        "rank_correlation_within", "error",
    )  # fmt: skip
    lines = ["| run | seed | " + " | ".join(measures) + " |", "| --- |" + " ---: |" * 7]
    for variant in (MAIN, *VARIANTS):
        for seed in seeds:
            manifest = Path("results") / name_of(variant, seed) / "models" / "reward" / MANIFEST
            if not manifest.is_file():
                continue
            metrics = read_json(manifest)["metrics"]
            cells = [f"{metrics[m]:.2f}" if metrics.get(m) is not None else "–" for m in measures]
            lines.append(f"| {variant} | {seed} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("run", "table"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--variants", nargs="*", default=["all"], metavar="NAME|all")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--overlays", type=Path, default=Path("results/medical-overlays"))
    args = parser.parse_args(argv)

    if args.what == "table":
        print(table(args.seeds), reward_models(args.seeds), sep="\n\n")
        return

    variants = list(VARIANTS) if args.variants == ["all"] else args.variants
    unknown = [name for name in variants if name not in VARIANTS]
    if unknown:
        raise UserError(f"--variants {unknown[0]}: unknown; there are {', '.join(VARIANTS)}")
    run_all(args.seeds, variants, args.cores, args.overlays)


if __name__ == "__main__":
    run_main(main)
