"""Summarise evaluated samples: accuracy, Maj@K and Pass@K with 95 % intervals.

Reads   eval/<model>/<benchmark>.<mode>.parquet of each model folder given (one row a sample, see eval/run.py).
Writes  summary.json: {"<model>": {"<benchmark>.<mode>": {"n", "greedy", "greedy_low", "greedy_high",
        "maj@K", "maj@K_low", "maj@K_high", "pass@K", …, "no_answer", "truncated"}}}.

    python -m eval.summary results/mini/eval/sft results/mini/eval/rl --out results/mini/eval/summary.json

It grades nothing: verdicts come with the samples.
"""

import argparse
from collections import defaultdict
from pathlib import Path

import pyarrow.parquet as pq

from eval.metrics import majority, pass_at_k, wilson
from pipeline.artifacts import write_json
from pipeline.errors import UserError, run_main


def summarise(rows: list[dict]) -> dict:
    """Scores of one model on one benchmark and mode, from its sample rows."""
    greedy = [row for row in rows if row["greedy"]]
    scores = {"n": len(greedy)} | _share("greedy", sum(row["correct"] for row in greedy), len(greedy))
    scores["no_answer"] = sum(row["extracted"] is None for row in greedy) / max(len(greedy), 1)
    scores["truncated"] = sum(row["finish"] == "length" for row in greedy) / max(len(greedy), 1)
    groups = defaultdict(list)
    for row in sorted((row for row in rows if not row["greedy"]), key=lambda row: row["sample"]):
        groups[row["id"]].append(row)
    return scores | _sampled(list(groups.values()))


def _sampled(groups: list[list[dict]]) -> dict:
    """Maj@K and Pass@K at every power of two up to the number of samples."""
    scores: dict = {}
    most = min(map(len, groups), default=0)
    k = 1
    while k <= most:
        votes = sum(majority([r["extracted"] for r in g[:k]], [r["correct"] for r in g[:k]]) for g in groups)
        solved = sum(pass_at_k(len(g), sum(r["correct"] for r in g), k) for g in groups)
        scores |= _share(f"maj@{k}", votes, len(groups)) | _share(f"pass@{k}", solved, len(groups))
        k *= 2
    return scores


def _share(name: str, right: float, n: int) -> dict:
    low, high = wilson(right, n)
    return {name: round(right / max(n, 1), 4), f"{name}_low": round(low, 4), f"{name}_high": round(high, 4)}


def summarise_model(folder: Path) -> dict:
    """Scores of every benchmark and mode evaluated for the model of this folder."""
    files = sorted(folder.glob("*.parquet"))
    if not files:
        raise UserError(f"{folder}: holds no evaluated samples (*.parquet)")
    return {file.stem: summarise(_read_samples(file)) for file in files}


def _read_samples(file: Path) -> list[dict]:
    try:
        return pq.read_table(file, columns=["id", "greedy", "sample", "correct", "extracted", "finish"]).to_pylist()
    except (OSError, ValueError) as error:
        raise UserError(f"{file}: not a table of samples of eval.run ({str(error).splitlines()[0]})") from None


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", type=Path, help="folders eval/<model>")
    parser.add_argument("--out", required=True, type=Path)
    args = parser.parse_args(argv)
    write_json(args.out, {folder.name: summarise_model(folder) for folder in args.models})


if __name__ == "__main__":
    run_main(main)
