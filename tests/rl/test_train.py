"""The RL loop on a toy: answers are one boxed digit, every problem's answer is 7, the start says any digit."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from pipeline.artifacts.records import Problem
from pipeline.artifacts.write import file_digest
from pipeline.config.rl import RL
from pipeline.errors import UserError
from pipeline.inference.engine import Sample
from pipeline.model.load import load_model, load_tokenizer
from pipeline.training.step import adamw, train_step
from rl.methods import METHODS, Scorers, grpo_outcome_rows, output_row
from rl.objectives import grpo_loss
from rl.rewards import FormatReward, RuleReward, compose
from rl.rollouts import Group, Question, questions_of_step
from rl.train import main
from rl.trainer import Trainer
from tests.support.rl_toy import SMALL, arguments, learner, metrics, weights
from tests.support.small_llama import llama


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_grpo_raises_the_share_of_right_answers(start, seed):
    toy = learner(start, seed=seed, steps=25, learning_rate=5e-3, evaluate_every=0)
    before = toy.step(0)["right"]
    for step in range(1, 25):
        after = toy.step(step)["right"]
    assert before < 0.35 and after > before + 0.4


def test_the_command_writes_a_model_metrics_and_rollouts(start, tmp_path):
    main(arguments(start, tmp_path))
    assert load_model(tmp_path / "rl") and load_tokenizer(tmp_path / "rl")
    lines = metrics(tmp_path / "rl")
    steps = [line for line in lines if "reward" in line]
    assert [line["step"] for line in steps] == [1, 2, 3, 4, 5, 6]
    assert [line["step"] for line in lines if "heldout_greedy" in line] == [0, 3, 6]
    wanted = {
        "right",
        "zero_variance_groups",
        "kl",
        "entropy",
        "clipped_low",
        "length",
        "truncated",
        "peak_memory_mb",
    }
    wanted |= {
        "sample_tokens_per_second",
        "update_tokens_per_second",
        "sample_seconds",
        "grad_norm",
        "reward_rule",
    }
    assert wanted <= steps[0].keys()
    assert steps[0]["mismatch"] < 1e-4 and steps[0]["kl"] < 1e-6 < steps[-1]["kl"]
    records = [json.loads(line) for line in (tmp_path / "rollouts.jsonl").read_text().splitlines()]
    assert [record["step"] for record in records] == [0, 0, 2, 2, 4, 4, 5, 5]
    output = records[0]["outputs"][0]
    assert len(records[0]["outputs"]) == 8 and len(output["advantages"]) == len(output["tokens"])
    assert not (tmp_path / "resume").exists()


@pytest.mark.parametrize(
    "changes", [{}, {"iterations": 2}, {"method": "ppo"}], ids=["plain", "iterations", "ppo"]
)
def test_a_broken_run_goes_on_to_the_same_bits(start, tmp_path, monkeypatch, changes):
    (tmp_path / "whole").mkdir()
    (tmp_path / "broken").mkdir()
    main(arguments(start, tmp_path / "whole", **changes))
    explore = Trainer.explore

    def stop(self, step):
        if step == 5:
            raise KeyboardInterrupt
        return explore(self, step)

    monkeypatch.setattr(Trainer, "explore", stop)
    with pytest.raises(KeyboardInterrupt):
        main(arguments(start, tmp_path / "broken", **changes))
    monkeypatch.undo()
    assert list((tmp_path / "broken/resume").glob("step-*4.pt"))
    main(arguments(start, tmp_path / "broken", **changes))
    assert file_digest(tmp_path / "whole/rl/model.safetensors") == file_digest(
        tmp_path / "broken/rl/model.safetensors"
    )
    assert file_digest(tmp_path / "whole/rollouts.jsonl") == file_digest(
        tmp_path / "broken/rollouts.jsonl"
    )


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_bits(start, tmp_path):
    (tmp_path / "whole").mkdir()
    (tmp_path / "killed").mkdir()
    main(arguments(start, tmp_path / "whole", steps=40))
    command = [sys.executable, "-m", "rl.train", *arguments(start, tmp_path / "killed", steps=40)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    run = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    while not list((tmp_path / "killed").glob("resume/step-*.pt")) and run.poll() is None:
        time.sleep(0.05)
    run.send_signal(signal.SIGKILL)
    assert run.wait() == -signal.SIGKILL and not (tmp_path / "killed/rl").exists()
    subprocess.run(command, check=True, env=environment, stderr=subprocess.DEVNULL)
    assert file_digest(tmp_path / "whole/rl/model.safetensors") == file_digest(
        tmp_path / "killed/rl/model.safetensors"
    )


@pytest.mark.parametrize("method", ["sft", "rft", "online_rft", "dpo", "ppo", "grpo_outcome"])
def test_every_method_takes_a_step_that_changes_the_policy(start, method):
    toy = learner(start, method=method)
    before = weights(toy.policy).clone()
    line = toy.step(0)
    assert np.isfinite(line["loss"]) and not torch.equal(weights(toy.policy), before)


def test_offline_methods_sample_from_the_initial_policy_and_online_ones_from_the_current(start):
    for method, same in (("rft", True), ("online_rft", False)):
        toy = learner(start, method=method, learning_rate=2e-2)
        before = [sample.ids for group in toy.explore(1) for sample in group.samples]
        toy.step(0)
        after = [sample.ids for group in toy.explore(1) for sample in group.samples]
        assert (before == after) == same


def test_a_step_without_contrast_and_without_kl_changes_no_weight(start):
    toy = learner(start, rewards={"format": 1.0}, beta=0.0)
    toy.exploration.rewards["format"].score = lambda groups: [
        np.full(len(g.samples), 0.1) for g in groups
    ]
    before = weights(toy.policy).clone()
    line = toy.step(0)
    assert line["zero_variance_groups"] == 1 and line["grad_norm"] == 0
    assert torch.equal(weights(toy.policy), before)


@pytest.mark.parametrize(("beta", "contrast_only"), [(0.0, False), (0.04, True), (0.04, False)])
def test_outputs_without_contrast_are_computed_only_for_the_kl_term(start, beta, contrast_only):
    toy = learner(start, beta=beta, contrast_only=contrast_only)
    groups = toy.explore(0)
    groups[0].rewards = np.ones(8)
    rows = grpo_outcome_rows(groups, toy.settings, toy.updater.scorers)
    flat = sum(len(group.samples) for group in groups if np.ptp(group.rewards) == 0)
    assert flat >= 8 and len(rows) == 32 - (flat if beta == 0 or contrast_only else 0)
    lengths = [length for group in groups for length in group.lengths]
    assert rows[0].columns["weight"].max() == pytest.approx(1 / (32 * rows[0].loss_mask.sum()))
    assert len(lengths) == 32


@pytest.mark.parametrize("method", ["ppo", "online_rft", "sft"])
def test_the_siblings_raise_the_share_of_right_answers_too(start, method):
    toy = learner(
        start, method=method, steps=30, learning_rate=5e-3, ppo={"value_learning_rate": 1e-2}
    )
    shares = [toy.step(step)["right"] for step in range(30)]
    if method == "sft":
        toy.method = METHODS["online_rft"]
        shares[-1] = toy.step(30)["right"]
    assert shares[-1] > 0.6


def test_ppos_value_model_learns_and_the_policy_waits_for_its_warm_up(start):
    toy = learner(start, method="ppo", ppo={"value_learning_rate": 1e-2, "warmup_steps": 1})
    before = weights(toy.policy).clone()
    toy.step(0)
    assert torch.equal(weights(toy.policy), before)
    scorers = toy.updater.scorers
    rows = METHODS["ppo"].rows(toy.explore(1), toy.settings, scorers)
    errors = [toy.updater.value.update(rows) for _ in range(60)]
    assert errors[-1] < 0.9 * errors[0]  # the digit decides; before it nothing can be known
    toy.step(1)
    assert not torch.equal(weights(toy.policy), before)


def test_ppo_advantages_are_reward_to_go_minus_value_with_the_kl_inside(start):
    toy = learner(start, method="ppo", beta=0.5)
    groups = toy.explore(0)
    rows = METHODS["ppo"].rows(groups, toy.settings, toy.updater.scorers)
    row, reward = rows[0], groups[0].rewards[0]
    difference = (row.columns["old_log_probs"] - row.columns["ref_log_probs"])[row.loss_mask]
    to_go = reward - 0.5 * np.cumsum(difference[::-1])[::-1]
    assert row.columns["returns"][row.loss_mask] == pytest.approx(to_go, abs=1e-5)
    value = toy.updater.value.values([row])[0][row.loss_mask]
    assert row.columns["advantage"][row.loss_mask] == pytest.approx(to_go - value, abs=1e-5)


def test_grpo_keeps_no_value_model_and_without_kl_no_reference(start):
    sizes = {
        name: learner(start, **changes).step(0)["model_state_mb"]
        for name, changes in (("ppo", {"method": "ppo"}), ("grpo", {}), ("no_kl", {"beta": 0.0}))
    }
    assert sizes["ppo"] > 1.35 * sizes["grpo"] and sizes["grpo"] == pytest.approx(
        1.25 * sizes["no_kl"], rel=0.02
    )


def test_the_update_does_not_depend_on_micro_batches(start):
    results = []
    for tokens in (30, 200, 100_000):
        toy = learner(start, micro_batch_tokens=tokens)
        line = toy.step(0)
        results.append((line["loss"], line["grad_norm"], line["kl"]))
    assert results[0] == pytest.approx(results[1], rel=1e-4, abs=1e-7)
    assert results[0] == pytest.approx(results[2], rel=1e-4, abs=1e-7)


def test_several_updates_move_the_ratio_and_one_does_not(start):
    once = learner(start).step(0)
    assert once["mismatch"] < 1e-4 and once["clipped_low"] == once["clipped_high"] == 0
    thrice = learner(start, updates_per_rollout=3, learning_rate=2e-2).step(0)
    assert thrice["mismatch"] > 1e-3 and thrice["clipped_low"] + thrice["clipped_high"] > 0


def test_log_probabilities_of_sampler_and_trainer_agree_at_temperature_06(start):
    line = learner(start, temperature=0.6).step(0)
    assert line["mismatch"] < 1e-4


def test_the_reference_is_the_policy_at_the_start_of_an_iteration(start):
    toy = learner(start, iterations=3, steps=6, learning_rate=1e-2)
    kl = [toy.step(step)["kl"] for step in range(6)]
    assert max(kl[0], kl[2], kl[4]) < 1e-6 < min(kl[1], kl[3], kl[5])


def test_a_row_scores_every_sampled_token_the_end_token_once_and_no_token_of_the_prompt():
    question = Question(Problem("p", "Q", "7"), [1, 8, 9])
    group = Group(question, [Sample([5, 6, 2], [-1.0, -2.0, -3.0], "stop")], ["x"])
    row = output_row(group, 0, old_log_probs=np.array([-1.0, -2.0, -3.0]), weight=0.5)
    assert (
        row.input_ids.tolist() == [1, 8, 9, 5, 6, 2]
        and row.loss_mask.tolist() == [False] * 3 + [True] * 3
    )
    assert (
        row.columns["old_log_probs"].tolist() == [0, 0, 0, -1, -2, -3]
        and row.columns["weight"][3:].tolist() == [0.5] * 3
    )


def test_an_output_without_tokens_changes_neither_loss_nor_gradient():
    question = Question(Problem("p", "Q", "7"), [1, 8, 9])
    samples = [
        Sample([5, 2], [-1.0, -2.0], "stop"),
        Sample([6, 2], [-1.0, -2.0], "stop"),
        Sample([], [], "length"),
    ]
    settings, results = RL(**(SMALL | {"beta": 0.0})), []
    for count in (2, 3):
        model = llama()
        optimiser = adamw(model)
        group = Group(
            question, samples[:count], ["x"] * count, rewards=np.array([1.0, -1.0, 0.0][:count])
        )
        rows = grpo_outcome_rows([group], settings, Scorers(None, None))
        scale = [float(abs(row.columns["advantage"]).max()) for row in rows]
        for row in rows[:2]:
            row.columns["advantage"] /= scale[0]
        results.append(
            train_step(model, optimiser, rows, grpo_loss(0, "k3", 0.2, 0.2), max_tokens=100)
        )
    assert results[0]["loss"] == pytest.approx(results[1]["loss"])
    assert results[0]["grad_norm"] == pytest.approx(results[1]["grad_norm"])


def test_a_pass_asks_every_question_once_before_any_twice():
    questions = [Question(Problem(str(i), "Q", "7"), [1]) for i in range(10)]
    asked = [
        q.problem.id for step in range(10) for q in questions_of_step(questions, step, 4, seed=3)
    ]
    for turn in range(4):
        assert sorted(asked[10 * turn : 10 * turn + 10]) == sorted(str(i) for i in range(10))
    assert asked[:10] != asked[10:20]
    other = [
        q.problem.id for step in range(3) for q in questions_of_step(questions, step, 4, seed=4)
    ]
    assert other != asked[:12]


def test_rewards_are_the_graders_and_compose_with_weights():
    texts = [
        "so \\boxed{7}",
        "so \\boxed{8}",
        "the answer is 7",
        "\\boxed{8} or \\boxed{7",
        "\\boxed{1} no, \\boxed{7}",
    ]
    samples = [Sample([5], [0.0], finish) for finish in ("stop", "stop", "stop", "length", "stop")]
    group = Group(Question(Problem("p", "Q", "7"), [1]), samples, texts)
    compose([group], {"rule": RuleReward(), "format": FormatReward()}, {"rule": 1.0, "format": 0.5})
    assert group.parts["rule"].tolist() == [1, 0, 0, 0, 1]
    assert group.parts["format"].tolist() == [1, 1, 0, 0, 0]
    assert group.rewards.tolist() == [1.5, 0.5, 0, 0, 1]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rewards": {"outcome_model": 1.0}}, "--outcome-model"),
        ({"max_new_tokens": 95}, "max_new_tokens = 95"),
    ],
)
def test_a_users_mistake_is_one_line(start, tmp_path, changes, message):
    with pytest.raises(UserError, match=message):
        main(arguments(start, tmp_path, **changes))
