"""The report's browser of rollouts: every output with rewards, tokens coloured by advantage, steps marked."""

import re
from pathlib import Path

from eval.report import TEMPLATES
from eval.reporting.rollouts import RunWarning, rollouts, warnings_of
from eval.reporting.training import training_sections
from pipeline.artifacts.write import write_jsonl
from pipeline.report.page import render


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
    text = re.sub("<[^>]+>", "", re.search("<pre>.*</pre>", shown(tmp_path / "r.jsonl"), re.S)[0])
    assert text == "so &lt;b&gt;\n7"


def test_a_run_without_rollouts_has_no_browser_and_warnings_are_shown(tmp_path):
    assert rollouts(tmp_path / "none.jsonl") == []

    lines = [{"step": 1}, {"step": 41, "warning_outcome_model": "they part"}]
    assert warnings_of(lines) == [RunWarning(41, "they part")]

    (tmp_path / "models" / "rl").mkdir(parents=True)
    write_jsonl(tmp_path / "models" / "rl" / "metrics.jsonl", lines)
    section = next(part for part in training_sections(tmp_path) if part is not None)
    html = render(section.template, section.data, TEMPLATES)
    assert "Step 41: they part." in html and "Rollouts" not in html
