"""From evidence to rows, the page and the documentation; and a small ledger from a finished run."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from findings import run as run_command
from findings.claims import claim_named
from findings.evidence import Evidence, gather, read_evidence
from findings.ledger import build, current_code, row_of
from findings.page import build_page, markdown
from findings.plan import evidence_file
from findings.report import main as report
from findings.report import status
from findings.statistics import Sample
from pipeline.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
CLAIM = claim_named("mining-rounds")
STABLE = ["id", "claim", "source", "comparison", "estimate", "low", "high", "n", "seeds", "verdict"]


def evidence(seed: int, gain: float = 0.3, **changes) -> Evidence:
    """A web whose recall rises by about `gain` from the first to the last round, and by 0.005 in the last."""
    arms = {}
    for arm, recall in (("first", 0.6), ("before_last", 0.595 + gain), ("last", 0.6 + gain)):
        jitter = 0.001 * seed
        shift = jitter if arm == "last" else 0.0
        arms[arm] = {
            "recall": Sample(f"web {seed}", np.array([recall + shift])),
            "precision": Sample(f"web {seed}", np.array([0.95 - jitter])),
        }
    values = {
        "claim": CLAIM.id,
        "claim_digest": CLAIM.digest,
        "wanted": 5,
        "preset": "mini",
        "seed": seed,
        "arms": arms,
        "settings": {},
        "code": current_code(CLAIM.study),
        "made": {"seconds": 36.0, "commit": "abc"},
    }
    return Evidence(**(values | changes))


def row(*found: Evidence):
    return row_of(CLAIM, "mini", {one.seed: one for one in found})


def test_evidence_comes_back_from_its_file_as_it_was(tmp_path):
    before = evidence(2)
    before.arms["last"]["right"] = Sample("p", np.array([1.0, 0.0, 1.0]))
    path = evidence_file(tmp_path, CLAIM.id, 2)
    before.write(path)
    assert '"values": "101"' in path.read_text()

    after = read_evidence(path)
    assert after.arms["last"]["right"].values.tolist() == [1, 0, 1]
    assert after.arms["first"]["recall"] == replace(
        before.arms["first"]["recall"], values=after.arms["first"]["recall"].values
    )
    assert replace(after, arms={}) == replace(before, arms={})
    again = tmp_path / "again.json"
    after.write(again)
    assert again.read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    "text",
    ["[]", "{}", '{"arms": {"a": {"m": {"problems": "p", "values": []}}}}', '{"arms": 3}', "{"],
)
def test_what_is_no_evidence_is_named_in_one_line(tmp_path, text):
    path = tmp_path / "seed_0.json"
    path.write_text(text)
    with pytest.raises(UserError, match=r"seed_0\.json") as caught:
        read_evidence(path)
    assert "\n" not in str(caught.value)


def test_a_file_that_holds_another_seed_is_refused(tmp_path):
    evidence(1).write(evidence_file(tmp_path, CLAIM.id, 4))
    with pytest.raises(UserError, match="holds seed 1"):
        gather([tmp_path], CLAIM.id)


def test_a_verdict_waits_for_every_declared_seed():
    four = row(*map(evidence, range(4)))
    assert four.verdict == "open" and four.missing_seeds == [4]
    assert four.estimate == pytest.approx(0.3015) and four.low < 0.3015 < four.high

    five = row(*map(evidence, range(5)))
    assert five.verdict == "reproduced"
    assert [test.verdict for test in five.tests] == ["reproduced"] * 3
    assert five.seeds == 5 and five.n == 5 and five.hours == pytest.approx(0.05)


def test_one_value_has_no_interval():
    one = row(evidence(0))
    assert one.estimate == pytest.approx(0.3) and one.low is None and one.high is None
    assert "+0.300 (one value)" in markdown("mini", [one])
    assert "+0.3000" in build_page("mini", [one])


def test_seeds_beyond_the_declared_ones_do_not_count():
    """Else one could go on until the interval pleases."""
    with_more = row(*map(evidence, range(5)), evidence(7, gain=-0.5))
    assert with_more.uncounted_seeds == [7]
    assert replace(with_more, uncounted_seeds=[]) == row(*map(evidence, range(5)))


def test_no_gain_is_told_as_it_is():
    flat = row(*(evidence(seed, gain=0.0) for seed in range(5)))
    assert flat.verdict == "not reproduced"


def test_what_was_declared_otherwise_and_older_code_are_shown():
    found = [evidence(seed) for seed in range(3)]
    found += [evidence(3, claim_digest="another", code="older"), evidence(4, wanted=3)]
    changed = row(*found)
    assert changed.older_code == [3]
    assert len(changed.changed) == 2 and "seed(s) 3" in changed.changed[0]
    assert "declaration changed" in markdown("mini", [changed])
    assert "Declared otherwise" in build_page("mini", [changed])


def test_evidence_without_what_the_claim_compares_is_named():
    lacking = evidence(0)
    del lacking.arms["last"]["precision"]
    with pytest.raises(UserError, match="seed 0: no measure precision of the arm last"):
        row(lacking)


def test_a_claim_without_evidence_is_open_and_says_what_its_seeds_would_show():
    empty = row_of(CLAIM, "mini", {})
    assert (empty.verdict, empty.estimate, empty.seeds, empty.n) == ("open", None, 0, 0)
    assert empty.detectable > 0
    assert "5 seeds would show" in markdown("mini", [empty])
    assert "missing: 0, 1, 2, 3, 4" in build_page("mini", [empty])


def test_the_documentation_is_made_from_the_committed_evidence():
    """Else: python -m findings.report --preset mini --markdown docs/findings.md"""
    assert (ROOT / "docs/findings.md").read_text(encoding="utf-8") == markdown(
        "mini", build("mini")
    )


def test_three_claims_of_a_finished_run_become_a_ledger(smoke, tmp_path, monkeypatch):
    monkeypatch.chdir(smoke)
    own = tmp_path / "evidence"
    for claim in ("mining-rounds", "leak-removal", "leak-removal-edited"):
        argv = ["--claim", claim, "--seed", "0", "--preset", "smoke", "--cores", "1"]
        run_command.main([*argv, "--out", str(evidence_file(own, claim, 0))])

    rows_file, page = tmp_path / "findings.json", tmp_path / "findings.html"
    argv = ["--preset", "smoke", "--evidence", str(own), "--json", str(rows_file)]
    report([*argv, "--page", str(page)])

    rows = {row["id"]: row for row in json.loads(rows_file.read_text())}
    assert list(rows["mining-rounds"])[:10] == STABLE
    # Two seeds are declared; one says something and decides nothing.
    for claim in ("mining-rounds", "leak-removal", "leak-removal-edited"):
        assert rows[claim]["seeds"] == 1 and rows[claim]["verdict"] == "open"
    assert rows["mining-rounds"]["estimate"] > 0.05
    removed = {test["name"]: test["estimate"] for test in rows["leak-removal"]["tests"]}
    assert removed["removed, verbatim ≥ 0.95"] >= 0.95
    assert removed["removed, innocent ≤ 0.01"] <= 0.05
    assert "mining-rounds: open" in page.read_text()


def test_the_status_says_which_seeds_are_left():
    text = status([row(*map(evidence, (0, 2)))])
    assert "2/5" in text and "1, 3, 4" in text and "2 of 5 seeds have evidence" in text


@pytest.mark.parametrize(
    ("argv", "reason"),
    [
        (["--claim", "grpo", "--seed", "0"], "not declared"),
        (["--claim", "online-rft", "--seed", "0", "--preset", "smoke"], "not tested in the world"),
    ],
)
def test_what_cannot_be_run_is_said_at_once(argv, reason, tmp_path):
    with pytest.raises(UserError, match=reason):
        run_command.main([*argv, "--out", str(tmp_path / "out.json")])


def test_the_targets_plan_the_seeds_that_are_left(tmp_path):
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "-n"]
    command += ["--cores", "1", "--directory", str(tmp_path), "--config", "preset=smoke", "--"]
    done = subprocess.run(
        [*command, "finding_leak_removal", "finding_leak_removal_edited"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    planned = done.stdout + done.stderr
    for claim in ("leak-removal", "leak-removal-edited"):
        for seed in (0, 1):
            assert f"finding: {claim}, seed {seed}" in planned
    assert "mining-rounds" not in planned
