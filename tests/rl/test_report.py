"""What the report shows of RL: the browser of rollouts, rewards and levels over steps, distributions."""

import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.report import TEMPLATES
from eval.reporting.rl_curves import BINS, binned, charts, reward_names
from eval.reporting.rollouts import RunWarning, rollouts, warnings_of
from eval.reporting.training import training_sections
from pipeline.artifacts.records import Problem
from pipeline.artifacts.write import write_jsonl
from pipeline.model.chat import encode_prompt
from pipeline.report.page import render
from rl.monitoring.evaluation import greedy_accuracy
from rl.monitoring.metrics import distributions
from rl.rollouts import Question
from tests.support.rl_toy import BARE, learner


def record(outputs: list[dict]) -> dict:
    return {"step": 3, "id": "p", "question": "What is 3 + 4?", "answer": "7", "outputs": outputs}


def output(reward: float, advantages: list[float], **more) -> dict:
    parts = {"rule": float(reward > 0.5), "process_model": reward}
    tokens = ["so <b>", "\n", "7"]
    return {"text": "".join(tokens), "reward": reward, "parts": parts, "finish": "stop", "tokens": tokens} | {
        "advantages": advantages, **more
    }  # fmt: skip


def shown(path: Path) -> str:
    return render("rollouts.html.jinja", rollouts(path), TEMPLATES)


def test_outputs_stand_side_by_side_the_best_first_with_their_rewards(tmp_path):
    write_jsonl(tmp_path / "r.jsonl", [record([output(0.25, [-1.0] * 3), output(0.75, [1.0] * 3)])])
    html = shown(tmp_path / "r.jsonl")
    assert html.index("reward 0.75") < html.index("reward 0.25") and "1 of 2 right" in html
    assert "rule 1.00, process_model 0.75" in html and "advantage +1.00" in html
    assert "so &lt;b&gt;" in html and "<b>" not in html


def test_under_process_supervision_every_token_has_its_colour_and_every_step_its_reward(tmp_path):
    steps = [{"end": 1, "reward": 0.9}, {"end": 2, "reward": 0.2}]
    write_jsonl(tmp_path / "r.jsonl", [record([output(0.2, [1.5, 1.5, -0.5], steps=steps)])])
    html = shown(tmp_path / "r.jsonl")
    assert html.count("color-mix") == 3
    assert html.count("var(--good)") == 2 and html.count("var(--bad)") == 1
    assert "advantage +1.50, step reward 0.90" in html
    assert "advantage -0.50, step reward 0.20" in html


def test_white_space_between_tokens_is_kept(tmp_path):
    write_jsonl(tmp_path / "r.jsonl", [record([output(0.2, [1.5, -1.5, 0.5])])])
    text = re.sub("<[^>]+>", "", re.search("<pre .*</pre>", shown(tmp_path / "r.jsonl"), re.S)[0])
    assert text == "so &lt;b&gt;\n7"


def test_a_run_without_rollouts_has_no_browser_and_warnings_are_shown(tmp_path):
    assert rollouts(tmp_path / "none.jsonl") == []

    lines = [{"step": 1}, {"step": 41, "warning_outcome_model": "they part"}]
    assert warnings_of(lines) == [RunWarning(41, "they part")]

    (tmp_path / "models" / "rl").mkdir(parents=True)
    write_jsonl(tmp_path / "models" / "rl" / "metrics.jsonl", lines)
    section = next(part for part in training_sections(tmp_path) if part is not None)
    html = render(section.template, section.data, TEMPLATES)
    assert "step 41: they part." in html and "Rollouts" not in html


def test_every_named_reward_has_its_curve_beside_their_sum():
    lines = [
        {"step": step, "reward": 0.5, "reward_rule": 0.2, "reward_std": 1.0, "rewards/rule": 0.2}
        | {"rewards/own": 0.3, "reward_zeros/rule": 0.8, "reward_zeros/own": 0.7}
        for step in (1, 2)
    ]
    drawn = {chart.title: chart.drawing for chart in charts(lines)}
    assert list(drawn) == ["Rewards", "Outputs that a reward gave nothing"]
    assert {"weighted sum", "rule", "own"} <= set(
        re.findall(r"</svg> ([a-z ]+)</span>", drawn["Rewards"])
    )


def test_rewards_of_earlier_runs_are_found_among_other_keys():
    lines = [{"step": 1, "reward_rule": 1, "reward_std": 1, "reward_seconds": 1, "reward_span": 1}]
    assert reward_names(lines) == {"rule": "reward_rule"}


def test_levels_clipping_and_gradient_norm_are_drawn_and_what_is_not_measured_is_left_out():
    lines = [
        {"step": 1, "heldout_greedy/1": 0.5, "heldout_greedy/2": 0.1},
        {"step": 2, "grad_norm": 1.0, "clipped_low": 0.0, "clipped_high": 0.1, "kl": float("nan")},
    ]
    titles = [chart.title for chart in charts(lines)]
    assert titles == ["Held-out accuracy by level", "Gradient norm", "Clipped tokens"]


def test_counts_of_rewards_and_lengths_hold_every_output():
    groups = [
        SimpleNamespace(rewards=np.array([0.0, 1.0, 0.123]), lengths=[7, 1234, 1240]),
        SimpleNamespace(rewards=np.array([1.0]), lengths=[7]),
    ]
    counted = distributions(groups)
    assert counted["reward_counts"] == {"0": 1, "0.12": 1, "1": 2}
    assert counted["length_counts"] == {"7": 2, "1200": 2}


@given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=80))
def test_a_histogram_of_counts_loses_no_output(values):
    groups = [SimpleNamespace(rewards=np.array(values), lengths=[1] * len(values))]
    counts = distributions(groups)["reward_counts"]
    assert sum(counts.values()) == len(values)

    lines = [{"step": 1, "reward_counts": counts}, {"step": 9, "reward_counts": counts}]
    (chart,) = charts(lines)
    heights = [bars for _, bars in binned([("a", counts)]).series]
    assert sum(heights[0]) == len(values) and len(heights[0]) < 3 * BINS
    assert "step 1" in chart.drawing and "step 9" in chart.drawing


def test_held_out_accuracy_is_told_by_level(start):
    toy = learner(start)
    problems = [Problem(f"q{i}", f"Q{i}?", "7", level=str(1 + i % 2)) for i in range(6)]
    questions = [
        Question(problem, encode_prompt(toy.tokenizer, problem.question, "cot", "en", BARE))
        for problem in problems
    ]
    toy.sampler.load(toy.policy)
    line = greedy_accuracy(toy.sampler, questions, 14, 3)
    parts = [line["heldout_greedy/1"], line["heldout_greedy/2"]]
    assert sum(parts) / 2 == pytest.approx(line["heldout_greedy"])


def test_rewards_that_are_no_numbers_leave_the_histogram_of_the_others():
    found = binned([("a", {"nan": 3, "inf": 1, "0.5": 2}), ("b", {"nan": 1})])
    assert [sum(bars) for _, bars in found.series] == [2, 0]
