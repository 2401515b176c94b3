"""Every example runs on a finished run and prints what its text promises."""

import json
import re
from types import SimpleNamespace

import numpy as np
import pytest

from examples import (
    another_sampler,
    extract_page,
    grade_file,
    grpo_from_scratch,
    own_grpo,
    own_reward,
)
from pipeline.config.load import load_preset
from rl.rewards import load_rewards


@pytest.fixture
def results(smoke):
    return str(smoke / "results/smoke")


def test_grade_file_agrees_with_its_comments(capsys):
    grade_file.main([])

    lines = capsys.readouterr().out.splitlines()
    verdicts = [line.split()[0] for line in lines[:-1]]
    assert verdicts == ["right", "wrong", "right", "wrong", "right", "right", "wrong", "right"]
    assert lines[-1] == "5 of 8 right"


def test_grade_file_reads_pairs(tmp_path, capsys):
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text(json.dumps({"gold": "7", "prediction": r"so \boxed{7}"}) + "\n")

    grade_file.main(["--pairs", str(pairs)])

    assert "1 of 1 right" in capsys.readouterr().out


def test_extract_page_keeps_formulas_and_drops_the_frame(capsys):
    extract_page.main([])

    out = capsys.readouterr().out
    for formula in (
        r"$ax^{2}+bx+c=0$",
        r"\frac{-b \pm \sqrt{b^2 - 4ac}}{2a}",
        "$b^2 - 4ac$",
        "$a = 1$",
    ):
        assert formula in out
    assert "Cookie" not in out and "Shop" not in out
    assert "formulas  4" in out


def test_extract_page_says_why_a_page_is_dropped(tmp_path, capsys):
    page = tmp_path / "empty.html"
    page.write_text("<html><body></body></html>")

    extract_page.main(["--html", str(page)])

    assert capsys.readouterr().out.startswith("dropped: ")


def test_own_reward_scores_recorded_rollouts(results, capsys):
    own_reward.main(["--results", results])

    scores = re.findall(r"brevity ([\d.]+)", capsys.readouterr().out)
    assert scores
    assert all(0 < float(score) <= 1 for score in scores)


def test_own_reward_loads_by_its_name_in_the_settings(tmp_path):
    """The overlay of the docstring, as a preset and as a reward of the trainer."""
    overlay = re.search(r"# brief.yaml\n(.*?)\n\n", own_reward.__doc__, re.S)
    path = tmp_path / "brief.yaml"
    path.write_text("\n".join(line.strip() for line in overlay.group(1).splitlines()))

    settings = load_preset(str(path)).rl
    rewards = load_rewards(settings, {}, tokenizer=None)

    group = SimpleNamespace(texts=["1+1=2", "x" * 40])
    assert np.allclose(rewards["examples.own_reward:Brevity"].score([group])[0], [1.0, 0.5])


def test_grpo_from_scratch_raises_the_reward(results, capsys, monkeypatch):
    """The smoke run's model solves no problem, so what is rewarded here is an easier habit: few even digits."""

    def prefers_odd_digits(gold, text, **options):
        even, odd = len(re.findall("[02468]", text)), len(re.findall("[13579]", text))
        return SimpleNamespace(correct=odd > even)

    monkeypatch.setattr(grpo_from_scratch, "grade", prefers_odd_digits)
    monkeypatch.setattr(grpo_from_scratch, "LEARNING_RATE", 1e-3)

    grpo_from_scratch.main(["--results", results, "--steps", "8", "--questions", "6"])

    rewards = [float(r) for r in re.findall(r"reward ([\d.]+)", capsys.readouterr().out)]
    assert len(rewards) == 8
    assert np.mean(rewards[-3:]) > np.mean(rewards[:3]) + 0.1


def test_another_sampler_reports_the_policy_s_log_probabilities(results, capsys):
    another_sampler.main(["--results", results])

    printed = capsys.readouterr()
    assert re.search(r"sampler and trainer agree: .* \d\.\de-0[4-9] at most", printed.err)
    assert len(re.findall(r"^step \d  right", printed.out, re.M)) == 2


def test_own_variants_of_grpo_stand_beside_the_built_in_ones(capsys):
    own_grpo.main()

    out = capsys.readouterr().out
    assert "examples.own_grpo:leave_one_out        [ 0.667 -0.667 -0.667  0.667]" in out
    assert "examples.own_grpo:square_root          [0.0833 0.     0.0417]" in out
    assert "examples.own_grpo:jensen_shannon       [0.     0.0759 2.7987]" in out
