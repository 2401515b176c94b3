"""The medical world from nothing to reports, at smoke scale: every stage runs, and every page says what it is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTICE = "not medical advice"
FIELDS = {
    "n", "greedy", "greedy_low", "greedy_high", "expert_score", "expert_score_low", "expert_score_high",
    "unsafe_per_1000", "consistency", "treatment_precision", "treatment_recall",
}  # fmt: skip
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("medical")]


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("medical")
    preset = ROOT / "config" / "medical" / "smoke.yaml"
    command = [sys.executable, "-m", "snakemake", "rl_model", "--snakefile", ROOT / "Snakefile"]
    command += ["--directory", folder, "--cores", "2", "--config", f"preset={preset}"]
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, cwd=ROOT, timeout=1200
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return folder / "results" / "medical-smoke"


def test_the_summary_has_the_fields_of_cases(results):
    summary = json.loads((results / "eval/summary.json").read_text())
    assert set(summary) == {"coder", "base", "sft", "rl"}
    for model in summary.values():
        scores = model["medicine.cot"]
        assert set(scores) >= FIELDS
        assert (
            1
            <= scores["expert_score_low"]
            <= scores["expert_score"]
            <= scores["expert_score_high"]
            <= 10
        )


def test_mining_found_medicine_without_a_word_of_it_and_no_leak_is_left(results):
    truth = json.loads((results / "reports/corpus.json").read_text())["truth"]
    last = truth["rounds"][-1]["languages"]["all"]
    # Half of it at this size, where chance would find a quarter.
    assert last["recall"] > 0.4
    assert last["precision"] > 0.6
    assert truth["leaks_left"] == 0


def test_the_reward_model_says_how_far_raters_and_it_agree(results):
    manifest = json.loads((results / "models/reward/manifest.json").read_text())
    metrics = manifest["metrics"]
    # Of the few answers of a model that has learnt next to nothing, almost all are worth 1: agreement says nothing.
    assert -1 <= metrics["agreement"] <= 1
    assert {"rank_correlation", "rank_correlation_held_out", "rating_calibration"} <= set(metrics)
    ratings = [json.loads(line) for line in (results / "models/reward/ratings.jsonl").open()]
    assert len(ratings[0]["ratings"]) == 6
    assert all(1 <= r["score"] <= 10 for each in ratings for r in each["ratings"])


def test_rl_is_rewarded_in_points_and_the_reward_model_learns_between_iterations(results):
    lines = [json.loads(line) for line in (results / "models/rl/metrics.jsonl").open()]
    steps = [line for line in lines if "reward" in line]
    assert all(1 <= line["reward_outcome_model"] <= 10 for line in steps)
    assert all(1 <= line["reward_experts"] <= 10 for line in steps)
    [trained] = [line for line in lines if "trained_reward" in line]
    assert trained["replayed_solutions"] > 0


def test_every_card_and_report_says_what_it_is(results):
    cards = sorted(results.glob("models/*/README.md"))
    assert len(cards) == 5
    pages = [results / "reports" / name for name in ("results.html", "results.md", "corpus.html")]
    for path in [*cards, *pages, results / "corpus/final/README.md"]:
        assert NOTICE in path.read_text(encoding="utf-8"), path
