"""Options of GRPO, each by the property that defines it, and iterative GRPO from reward model to reward model."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.artifacts.records import Problem
from pipeline.artifacts.write import file_digest
from pipeline.config.rl import RL
from pipeline.errors import UserError
from pipeline.inference.engine import Sample
from pipeline.model.load import load_tokenizer
from rl import reward_model
from rl.advantages import (
    adapted_group_size,
    has_spread,
    normalise,
    outcome_advantages,
    token_weights,
)
from rl.iterative import RewardTraining, replay_of
from rl.methods import METHODS
from rl.monitoring.metrics import group_metrics
from rl.monitoring.reward_hacking import agreement, divergence
from rl.objectives import grpo_loss, importance
from rl.rewards import FormatReward, ProgramReward, RuleReward, compose, load_rewards
from rl.rollouts import Group, Question, group_record
from rl.score_model import ModelReward
from rl.step_labels import LabelledSolution
from rl.train import main
from rl.trainer import Trainer
from tests.support.rl_toy import arguments, learner, metrics, reward_options, weights
from tests.support.worked_gradients import gradient_of, tensor

REWARDS = st.lists(st.floats(-5, 5).map(lambda x: round(x, 2)), min_size=2, max_size=12)


# Normalisation


def test_robust_normalisation_is_distance_from_the_median_in_interquartile_ranges():
    rewards = [1.0, 2.0, 3.0, 4.0, 100.0]
    assert normalise(rewards, "robust") == pytest.approx([-1, -0.5, 0, 0.5, 48.5])
    moved = normalise([*rewards[:4], 1e6], "robust")
    assert moved[:4] == pytest.approx(
        normalise(rewards, "robust")[:4]
    )  # an outlier moves nobody else


@pytest.mark.parametrize("right", [1, 3, 15])
def test_robust_normalisation_falls_back_to_the_standard_deviation_where_the_range_is_0(right):
    rewards = np.array([1.0] * right + [0.0] * (64 - right))
    assert normalise(rewards, "robust") == pytest.approx(normalise(rewards, "population"))


@given(REWARDS)
@settings(max_examples=50, deadline=None)
def test_ranks_keep_the_order_alone(rewards):
    ranked = normalise(rewards, "rank")
    assert normalise(np.exp(rewards), "rank") == pytest.approx(ranked)
    assert ranked.mean() == pytest.approx(0, abs=1e-9)
    if has_spread(rewards):
        assert ranked.std() == pytest.approx(1)
        order = np.argsort(rewards, kind="stable")
        assert (np.diff(ranked[order]) >= -1e-12).all()


def test_equal_rewards_share_a_rank():
    assert normalise([0.0, 5.0, 5.0, 9.0], "rank") == pytest.approx(
        np.array([-1.5, 0, 0, 1.5]) / np.sqrt(1.125)
    )


# Time-weighted advantage


def test_decay_1_is_grpo_exactly_and_less_discounts_from_the_end():
    rewards, lengths = np.array([1.0, 0.0, 0.0, 1.0]), [3, 1, 2, 0]
    plain, same = (
        outcome_advantages(rewards, lengths),
        outcome_advantages(rewards, lengths, decay=1.0),
    )
    assert all(np.array_equal(a, b) for a, b in zip(plain, same, strict=True))
    weighted = outcome_advantages(rewards, lengths, decay=0.5)
    assert [a.tolist() for a in weighted] == [[0.25, 0.5, 1], [-1], [-0.5, -1], []]


def test_decay_is_refused_where_it_is_not_defined():
    with pytest.raises(ValueError, match="decay"):
        RL(method="grpo_process", rewards={"process_model": 1.0}, decay=0.9)


# Group size


@given(REWARDS)
@settings(max_examples=30, deadline=None)
def test_the_literal_group_size_is_a_constant_for_rewards_that_span_at_most_8(rewards):
    rewards = np.clip(rewards, -4, 4)
    assert adapted_group_size("literal", rewards.std(), np.ptp(rewards), 64) == 8


def test_the_literal_group_size_grows_for_wide_rewards_only():
    wide = np.array([0.0, 64.0])
    assert adapted_group_size("literal", wide.std(), 64.0, 64) == 64
    assert adapted_group_size("literal", 10.2, 30.0, 64) == 21


def test_the_scaled_group_size_uses_its_whole_range():
    shares = {right: np.array([1.0] * right + [0.0] * (64 - right)) for right in (0, 4, 16, 32, 64)}
    sizes = {
        k: adapted_group_size("scaled", r.std(), float(np.ptp(r)), 64) for k, r in shares.items()
    }
    assert sizes[0] == sizes[64] == 8 and sizes[32] == 64
    assert 8 < sizes[4] < sizes[16] < 64
    assert (
        adapted_group_size("scaled", 0.5, 1.0, 4) == 4
        and adapted_group_size("fixed", 0.0, 0.0, 64) == 64
    )


def test_the_next_step_has_the_group_size_that_the_last_rewards_ask_for(start):
    toy = learner(start, group_sizing="scaled", group_size=16, batch_outputs=32)
    assert [len(group.samples) for group in toy.explore(0)] == [16, 16]
    toy._set_group_size({"reward_std": 0.0, "reward_span": 0.0})
    assert [len(group.samples) for group in toy.explore(1)] == [8, 8]
    toy._set_group_size({"reward_std": 0.5, "reward_span": 1.0})
    assert [len(group.samples) for group in toy.explore(2)] == [16, 16]


# Dynamic sampling


def test_dynamic_sampling_replaces_questions_without_contrast_and_repeats_exactly(start):
    plain, dynamic = learner(start, group_size=2), learner(start, group_size=2, dynamic_sampling=20)
    before, after = plain.explore(0), dynamic.explore(0)
    flat = [place for place, group in enumerate(before) if not has_spread(group.rewards)]
    assert len(flat) > 3 and all(has_spread(group.rewards) for group in after)
    kept = [place for place in range(len(before)) if place not in flat]
    assert all(after[p].samples == before[p].samples for p in kept)
    again = dynamic.explore(0)
    assert [g.samples for g in again] == [g.samples for g in after]


def test_dynamic_sampling_gives_up_after_its_rounds(start):
    toy = learner(start, dynamic_sampling=2)
    toy.exploration.rewards["rule"].score = lambda groups: [
        np.zeros(len(group.samples)) for group in groups
    ]
    assert (
        all(not has_spread(group.rewards) for group in toy.explore(0)) and len(toy.explore(0)) == 4
    )


# Importance correction, token mean, clip higher, Dr. GRPO


def test_the_importance_weight_is_the_truncated_ratio_and_multiplies_the_gradient():
    old, sampler = tensor(-1.0, -2.0, -0.5), tensor(-1.5, -1.0, -3.0)
    assert importance(old, sampler, 2.0).tolist() == pytest.approx([np.exp(0.5), np.exp(-1.0), 2.0])
    assert importance(old, old, 2.0).tolist() == [1, 1, 1]
    policy = tensor(-0.7, -1.2, -0.1, -2.0, -0.4)
    columns = {
        "weight": torch.ones(5).double(),
        "advantage": tensor(1, -1, 2, 0.5, -2),
        "old_log_probs": policy,
    }
    plain = gradient_of(grpo_loss(0.0, "k3", 0.2, 0.2), columns)
    sampler = policy - tensor(0.3, -0.3, 2.0, 0.0, -1.0)
    corrected = gradient_of(
        grpo_loss(0.0, "k3", 0.2, 0.2, cap=2.0), columns | {"sampler_log_probs": sampler}
    )
    assert torch.allclose(corrected, plain * importance(policy, sampler, 2.0))


def test_with_the_trainers_own_old_log_probabilities_the_ratio_is_1_to_the_bit(start):
    toy = learner(start, importance="truncated", precision="bf16")
    groups = toy.explore(0)
    rows = METHODS["grpo_outcome"].rows(groups, toy.settings, toy.updater.scorers)
    again = toy.updater.policy_log_probs(rows)
    assert all(
        np.array_equal(row.columns["old_log_probs"], values)
        for row, values in zip(rows, again, strict=True)
    )
    differences = np.concatenate(
        [
            (row.columns["old_log_probs"] - row.columns["sampler_log_probs"])[row.loss_mask]
            for row in rows
        ]
    )
    assert 0 < abs(differences).max() < 0.3  # sampler and trainer round differently


def test_dr_grpo_has_neither_length_nor_deviation_in_its_gradient():
    short, long = token_weights([1, 5], "constant", 10), token_weights([1, 9], "constant", 10)
    assert short == long == [1 / 20, 1 / 20]
    assert normalise([1, 0, 0, 0], "none").tolist() == [0.75, -0.25, -0.25, -0.25]
    assert normalise([10, 0, 0, 0], "none").tolist() == [7.5, -2.5, -2.5, -2.5]


def test_clip_higher_leaves_the_lower_side_alone(start):
    ratio = tensor(1.25, 1.25, 0.75, 0.75).log()
    columns = {
        "weight": torch.ones(4).double(),
        "advantage": tensor(1, -1, 1, -1),
        "old_log_probs": torch.zeros(4).double(),
    }
    for high, expected in ((0.2, [0, 1.25, -0.75, 0]), (0.28, [-1.25, 1.25, -0.75, 0])):
        logprobs = ratio.clone().requires_grad_()
        grpo_loss(0.0, "k3", 0.2, high)(logprobs, columns)[0].sum().backward()
        assert logprobs.grad.tolist() == pytest.approx(expected)


@pytest.mark.parametrize(
    "changes",
    [
        {"normalisation": "robust"},
        {"normalisation": "rank", "decay": 0.9},
        {"aggregation": "token", "epsilon_high": 0.28, "dynamic_sampling": 2, "beta": 0.0},
        {"aggregation": "constant", "normalisation": "none", "kl": "k3_corrected"},
        {"importance": "truncated", "updates_per_rollout": 2},
    ],
    ids=["robust", "rank", "dapo", "dr_grpo", "truncated"],
)
def test_every_option_still_raises_the_share_of_right_answers(start, changes):
    toy = learner(start, learning_rate=5e-3, **changes)
    shares = [toy.step(step)["right"] for step in range(20)]
    assert np.mean(shares[-3:]) > np.mean(shares[:3]) + 0.25


# Rewards


class EvenLength:
    """A reward of another domain: outputs of even length."""

    def score(self, groups):
        return [np.array([1.0 - len(ids.ids) % 2 for ids in group.samples]) for group in groups]


OWN = f"{__name__}:EvenLength"


def test_a_class_of_the_users_own_is_a_reward():
    rewards = load_rewards(RL(rewards={OWN: 2.0}), {}, None)
    group = Group(
        Question(Problem("p", "Q", "7"), [1]),
        [Sample([5], [0.0], "stop"), Sample([5, 6], [0, 0], "stop")],
        ["", ""],
    )
    compose([group], rewards, {OWN: 2.0})
    assert group.rewards.tolist() == [0, 2] and group.parts["rule"].tolist() == [0, 0]


def test_the_manuals_reward_of_another_domain_works(tmp_path, monkeypatch):
    manual = (Path(__file__).parents[2] / "docs" / "stages.md").read_text()
    (tmp_path / "medicine.py").write_text(re.search(r"```python\n(.*?)```", manual, re.S)[1])
    monkeypatch.syspath_prepend(tmp_path)
    reward = load_rewards(RL(rewards={"medicine:Diagnosis": 1.0}), {}, None)["medicine:Diagnosis"]
    texts = [
        "1. ST elevation\n2. troponin\nConclusion: acute STEMI",
        "Conclusion: STEMI",
        "1. a\n2. b\nConclusion: flu",
    ]
    texts.append("STEMI")
    samples = [Sample([5], [0.0], "stop")] * 4
    assert reward.score([Group(Question(Problem("p", "Q", "STEMI"), [1]), samples, texts)])[
        0
    ].tolist() == [
        1,
        0.5,
        0,
        0,
    ]


@pytest.mark.parametrize("name", ["no_such_module:A", f"{__name__}:Absent", "numpy:array"])
def test_a_reward_that_cannot_be_loaded_is_a_users_mistake(name):
    with pytest.raises(UserError, match=r"rewards\."):
        load_rewards(RL(rewards={name: 1.0}), {}, None)


def test_programs_are_judged_by_what_they_print():
    texts = [
        "```python\nprint(3 + 4)\n```",
        "```python\nprint(8)\n```",
        "\\boxed{7}",
        "```python\n1 / 0\n```",
    ]
    group = Group(Question(Problem("p", "Q", "7"), [1]), [Sample([5], [0.0], "stop")] * 4, texts)
    reward = ProgramReward()
    try:
        assert reward.score([group])[0].tolist() == [1, 0, 0, 0]
    except UserError as error:
        pytest.skip(f"no sandbox here: {error}")
    assert reward.statuses == {"ok": 2, "error": 1}


# Reward hacking


def lines_of(rewards: list[float], right: list[float]) -> list[dict]:
    return [{"reward_outcome_model": a, "right": b} for a, b in zip(rewards, right, strict=True)]


def test_a_warning_comes_when_the_model_reward_rises_and_the_rule_falls_and_only_then():
    up, down = list(np.linspace(0.3, 0.6, 10)), list(np.linspace(0.6, 0.3, 10))
    assert "diverge" in divergence(lines_of(up, down), "outcome_model", window=5)
    assert divergence(lines_of(up, up), "outcome_model", window=5) is None
    assert divergence(lines_of(down, down), "outcome_model", window=5) is None
    assert divergence(lines_of(up[:9], down[:9]), "outcome_model", window=5) is None


def test_agreement_is_the_chance_that_right_scores_above_wrong():
    question = Question(Problem("p", "Q", "7"), [1])
    group = Group(question, [Sample([5], [0.0], "stop")] * 4, [""] * 4)
    group.parts = {"rule": np.array([1, 1, 0, 0]), "outcome_model": np.array([0.9, 0.2, 0.5, 0.1])}
    assert agreement([group], "outcome_model") == 0.75
    group.rewards = group.parts["outcome_model"]
    assert group_metrics([group])["agreement_outcome_model"] == 0.75


def test_a_policy_that_pleases_a_wrong_reward_is_reported_in_the_loop(start, capsys, monkeypatch):
    monkeypatch.setattr("rl.trainer.WINDOW", 3)
    monkeypatch.setattr(
        "rl.trainer.divergence", lambda lines, name: divergence(lines, name, window=3)
    )
    toy = learner(start, rewards={"outcome_model": 1.0}, learning_rate=1e-2)
    toy.exploration.rewards = {"rule": RuleReward(), "outcome_model": Flatterer()}
    for step in range(14):
        toy.state.lines.append({"step": step, **toy.step(step)})
        toy._warn()
    assert "diverge" in capsys.readouterr().err
    assert sum("warning_outcome_model" in line for line in toy.state.lines) >= 1


class Flatterer:
    """A "reward model" that likes every digit but the right one."""

    def score(self, groups):
        return [np.array([float("7" not in text) for text in group.texts]) for group in groups]


# Iterative GRPO


@given(st.integers(0, 200), st.integers(1, 100), st.integers(0, 5))
@settings(max_examples=40, deadline=None)
def test_replay_is_a_tenth_of_the_new_training_set_and_never_repeats(history, fresh, seed):
    old = [LabelledSolution(str(i), [1], [2], [0], [1.0], True) for i in range(history)]
    replayed = replay_of(old, fresh, 0.1, seed)
    assert len(replayed) == min(history, round(fresh / 9))
    assert len({solution.problem_id for solution in replayed}) == len(replayed)


@pytest.fixture(scope="module")
def reward_folder(start, tmp_path_factory):
    """An outcome reward model of the toy."""
    folder = tmp_path_factory.mktemp("reward")
    reward_model.main(reward_options(start, folder, "outcome", epochs=2))
    return folder / "reward"


def test_iterative_grpo_resets_the_reference_and_trains_the_reward_model_on_with_replay(
    start,
    reward_folder,
    tmp_path,
):
    changes = {
        "rewards": {"outcome_model": 1.0},
        "iterations": 3,
        "steps": 6,
        "learning_rate": 5e-3,
    }
    main([*arguments(start, tmp_path, **changes), "--outcome-model", str(reward_folder)])
    lines = metrics(tmp_path / "rl")
    trained = [line for line in lines if "trained_reward" in line]
    assert [(line["step"], line["iteration"]) for line in trained] == [(2, 1), (4, 2)]
    for line in trained:
        assert line["replayed_solutions"] == round(line["fresh_solutions"] / 9) > 0
        assert 0 <= line["accuracy_before"] <= 1 and 0 <= line["accuracy_after"] <= 1
    kl = [line["kl"] for line in lines if "kl" in line]
    assert max(kl[0], kl[2], kl[4]) < 1e-6 < min(kl[1], kl[3], kl[5])


def test_a_broken_iterative_run_goes_on_to_the_same_bits(
    start, reward_folder, tmp_path, monkeypatch
):
    changes = {"rewards": {"outcome_model": 1.0}, "iterations": 2, "steps": 6}
    for name in ("whole", "broken"):
        (tmp_path / name).mkdir()
    commands = {
        name: [*arguments(start, tmp_path / name, **changes), "--outcome-model", str(reward_folder)]
        for name in ("whole", "broken")
    }
    main(commands["whole"])
    explore = Trainer.explore

    def stop(self, step):
        if step == 5:
            raise KeyboardInterrupt
        return explore(self, step)

    monkeypatch.setattr(Trainer, "explore", stop)
    with pytest.raises(KeyboardInterrupt):
        main(commands["broken"])
    monkeypatch.undo()
    main(commands["broken"])
    first, second = (tmp_path / name / "rl" / "model.safetensors" for name in ("whole", "broken"))
    assert file_digest(first) == file_digest(second)


def test_the_reward_models_weights_move_and_its_history_grows(start, reward_folder):
    reward = ModelReward(reward_folder, False, load_tokenizer(reward_folder), 600, "fp32")
    training = RewardTraining.of(reward_folder, reward, 0.1)
    known, before = len(training.history), weights(reward.model).clone()
    toy = learner(start)
    line = training.continue_training(toy.sampler, toy.questions, 1)
    assert len(training.history) == known + line["fresh_solutions"] > known
    assert not torch.equal(weights(reward.model), before)


def test_a_record_shows_the_steps_and_their_rewards(start):
    toy = learner(start)
    group = toy.explore(0)[0]
    group.step_ends = [np.array([len(sample.ids) - 1]) for sample in group.samples]
    group.step_rewards = [np.array([0.25]) for _ in group.samples]
    record = json.loads(json.dumps(group_record(group, toy.tokenizer, 0)))
    first = record["outputs"][0]
    assert first["steps"] == [{"end": len(first["tokens"]) - 1, "reward": 0.25}]


def test_format_and_rule_rewards_stay_apart():
    group = Group(
        Question(Problem("p", "Q", "7"), [1]), [Sample([5], [0.0], "stop")], ["\\boxed{8}"]
    )
    compose([group], {"rule": RuleReward(), "format": FormatReward()}, {"rule": 1.0, "format": 0.5})
    assert group.rewards.tolist() == [0.5] and not group.right[0]
