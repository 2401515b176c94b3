"""The implicit process model: its scores against worked numbers, its training, its use in RL, and the gate."""

import numpy as np
import pytest

from pipeline.artifacts.records import read_jsonl
from pipeline.artifacts.write import read_json, write_json
from pipeline.config.rl import RL
from pipeline.errors import UserError
from pipeline.inference.engine import Sample
from pipeline.model.load import load_model, load_tokenizer
from rl import reward_model
from rl.implicit.gate import check_process_model
from rl.implicit.reward import ImplicitReward, is_implicit
from rl.implicit.scores import coefficients, solution_row, step_rewards, weighted_rows
from rl.reward_model_metrics import length_correlation
from rl.rollouts import Group
from rl.solution_steps import step_ends
from rl.step_labels import LabelledSolution
from rl.train import main as train_policy
from rl.trainer import Trainer
from tests.support.rl_toy import SMALL, arguments, learner, make_start, reward_options
from tests.support.small_llama import byte_tokenizer

LEARNS = SMALL | {"process_learning_rate": 1e-3}
IMPLICIT = {"process_model": "implicit", "learning_rate": 3e-3, "epochs": 3}


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    return make_start(tmp_path_factory.mktemp("implicit"))


@pytest.fixture(scope="module")
def trained(start, tmp_path_factory):
    """An implicit model of the toy, where a solution is right if its digit is 7."""
    folder = tmp_path_factory.mktemp("trained")
    reward_model.main(reward_options(start, folder, "process", **IMPLICIT))
    return folder / "reward"


# ---- Scores ----------------------------------------------------------------------------------------


def test_a_step_is_rewarded_by_its_own_log_ratios():
    log_ratio = np.array([0.1, 0.2, -0.5, 0.3, 0.4])
    assert step_rewards(log_ratio, [1, 2, 4], 2.0).tolist() == pytest.approx([0.6, -1.0, 1.4])
    assert step_rewards(log_ratio, [], 2.0).tolist() == []


def loss_of(scores, right, problems, kind):
    """The losses as their docstring has them, written out."""
    log_sigmoid = lambda x: -np.logaddexp(0, -x)  # noqa: E731
    if kind == "cross_entropy":
        return -np.mean([log_sigmoid(s if r else -s) for s, r in zip(scores, right, strict=True)])
    means = []
    for name in sorted(set(problems)):
        places = [i for i, problem in enumerate(problems) if problem == name]
        pairs = [(i, j) for i in places for j in places if right[i] and not right[j]]
        if pairs:
            means.append(-np.mean([log_sigmoid(scores[i] - scores[j]) for i, j in pairs]))
    return np.mean(means)


@pytest.mark.parametrize("kind", ["cross_entropy", "pairwise"])
def test_coefficients_are_the_derivative_of_the_loss(kind):
    scores = np.array([0.3, -1.0, 2.0, 0.5, -0.2, 0.9])
    right = np.array([True, False, False, True, True, True])
    problems = ["a", "a", "a", "a", "b", "b"]  # b has no wrong one
    found = coefficients(scores, right, problems, kind)
    for place in range(len(scores)):
        shift = np.zeros(len(scores))
        shift[place] = 1e-6
        above = loss_of(scores + shift, right, problems, kind)
        below = loss_of(scores - shift, right, problems, kind)
        assert -found[place] == pytest.approx((above - below) / 2e-6, abs=1e-7)
    if kind == "pairwise":
        assert found[4:].tolist() == [0, 0] and found.sum() == pytest.approx(0)


def test_extreme_scores_neither_overflow_nor_vanish_where_they_are_wrong():
    found = coefficients(np.array([-1e4, 1e4]), np.array([True, False]), ["a", "a"], "pairwise")
    assert found.tolist() == [1, -1]


def test_rows_are_weighed_at_the_tokens_that_the_model_wrote():
    rows = [solution_row([1, 2], [3, 4, 5], [True, False, True]), solution_row([1], [6])]
    log_probs = [row.loss_mask * -0.5 for row in rows]
    weighted = weighted_rows(
        rows, log_probs, log_probs, np.array([True, False]), ["a", "a"], 2.0, "cross_entropy"
    )
    # Scores are 0: +-1/2, over two solutions, times beta.
    assert weighted[0].columns["weight"].tolist() == [0, 0, 0.5, 0, 0.5]
    assert weighted[1].columns["weight"].tolist() == [0, -0.5]


# ---- Steps and figures --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        ("1+1=2\n\\boxed{2}", True),
        ("1+1=2\n$\\boxed{2}$.", True),
        ("1+1=2\nso \\boxed{2}", False),
        ("1+1=2\n2+2=4", False),
        ("\\boxed{2}", False),
    ],
)
def test_a_line_that_only_repeats_the_answer_joins_the_step_before(text, joined):
    tokenizer = byte_tokenizer()
    ids = [*tokenizer.encode(text), tokenizer.eos_token_id]
    apart = step_ends(tokenizer, ids)
    together = step_ends(tokenizer, ids, joins_answer=True)
    assert together == ([apart[-1]] if joined else apart)


def solution(problem: str, tokens: int) -> LabelledSolution:
    return LabelledSolution(problem, [1], [5] * tokens, [tokens - 1], [1.0], True)


def test_the_length_correlation_shows_a_model_that_pays_for_lines():
    solutions = [solution(p, n) for p in "ab" for n in (1, 2, 3, 4)]
    ends = [list(range(len(one.ids))) for one in solutions]
    pays = [np.full(len(one.ids), 1.0) for one in solutions]
    for rewards in pays:
        rewards[0] = 0.5  # or no step of the group would differ
    fines = [-rewards for rewards in pays]
    assert length_correlation(solutions, pays, ends) > 0.5
    assert length_correlation(solutions, fines, ends) < -0.5

    alike = [solution("a", 2), solution("a", 2)]
    assert length_correlation(alike, pays[1:2] * 2, [[0, 1]] * 2) is None


# ---- Training and use -----------------------------------------------------------------------------------


def test_it_learns_from_verdicts_alone_what_is_right(trained):
    metrics = read_json(trained / "manifest.json")["metrics"]
    assert metrics["auc_within"] > 0.9 and "length_correlation" in metrics
    assert is_implicit(trained)
    # It is a plain language model.
    assert load_model(trained).num_parameters() > 0


def toy_groups(start):
    return learner(start).explore(0)


def test_as_a_reward_it_is_the_log_odds_and_its_steps_add_up_to_it(start, trained):
    tokenizer = load_tokenizer(start / "sft")
    reward = ImplicitReward(trained, start / "sft", tokenizer, RL(**SMALL))
    groups = toy_groups(start)
    scores = np.concatenate(reward.score(groups))
    right = np.concatenate([group.right for group in groups])
    assert scores[right].mean() > scores[~right].mean() + 1
    for group, of_group in zip(groups, reward.score(groups), strict=True):
        assert of_group.tolist() == pytest.approx([r.sum() for r in group.step_rewards])

    # Frozen, it stays what it is; an output without tokens is worth nothing either way.
    empty = Group(groups[0].question, [Sample([], [], "length")], [""], {"rule": np.zeros(1)})
    assert reward.score([empty])[0].tolist() == [0]
    reward.learn_from(groups)
    assert np.concatenate(reward.score(groups)).tolist() == scores.tolist()


def test_updated_on_a_steps_verdicts_it_tells_them_apart_better(start, trained):
    tokenizer = load_tokenizer(start / "sft")
    reward = ImplicitReward(trained, start / "sft", tokenizer, RL(**LEARNS))
    groups = toy_groups(start)

    def margin():
        scores = np.concatenate(reward.score(groups))
        right = np.concatenate([group.right for group in groups])
        return scores[right].mean() - scores[~right].mean()

    # From the reference, which tells nothing apart.
    reward.model.load_state_dict(reward.reference.state_dict())
    assert margin() == pytest.approx(0, abs=1e-5)
    for _ in range(3):
        reward.learn_from(groups)
    assert margin() > 0.1


def test_a_policy_is_rewarded_by_it_and_checkpoints_hold_it_while_it_learns(
    start, trained, tmp_path, monkeypatch
):
    kept = []
    beside = Trainer._beside

    def noted(self):
        models = beside(self)
        kept.append({name: optimiser is not None for name, (_, optimiser) in models.items()})
        return models

    monkeypatch.setattr(Trainer, "_beside", noted)
    rewards = {"process_model": 0.1, "rule": 1.0}
    changes = {"method": "grpo_process", "rewards": rewards, "steps": 3, "evaluate_every": 0}
    changes |= {"process_learning_rate": 1e-3}
    train_policy([*arguments(start, tmp_path, **changes), "--process-model", str(trained)])
    lines = read_jsonl(tmp_path / "rl/metrics.jsonl")
    assert sum("reward_process_model" in line for line in lines) == 3
    assert kept and all(models == {"process_model": True} for models in kept)


def test_a_model_of_another_start_is_refused(start, trained):
    with pytest.raises(UserError, match="did not start from"):
        ImplicitReward(trained, trained, load_tokenizer(start / "sft"), RL(**SMALL))


@pytest.mark.parametrize(
    ("metrics", "reason"),
    [
        ({"auc_within": 0.64, "length_correlation": 0.0}, "auc_within 0.640 is below"),
        ({"auc_within": 0.8, "length_correlation": -0.7}, "length_correlation -0.700 is beyond"),
        ({"auc_within": 0.65, "length_correlation": 0.5}, None),
        ({"auc_within": None, "length_correlation": None}, None),
        ({}, None),
    ],
)
def test_a_weak_process_model_rewards_nobody_unless_that_is_meant(tmp_path, metrics, reason):
    write_json(tmp_path / "manifest.json", {"metrics": metrics})
    settings = RL(method="grpo_process", rewards={"process_model": 1.0})
    if reason is None:
        check_process_model(settings, tmp_path)
        return
    with pytest.raises(UserError, match=reason):
        check_process_model(settings, tmp_path)
    meant = settings.model_copy(update={"allow_weak_process_model": True})
    check_process_model(meant, tmp_path)
    check_process_model(RL(rewards={"rule": 1.0}), tmp_path)
