"""Options of the methods against worked numbers: GSPO, CISPO, importance weights, KL in RFT, dropped groups, credit."""

import numpy as np
import pytest
import torch

from pipeline.artifacts.records import Problem
from pipeline.config.rl import DPO, RL
from pipeline.inference.engine import Sample
from rl.advantages import combined_advantages, normalise, process_advantages
from rl.methods import METHODS, kept_groups
from rl.objectives import (
    grpo_loss,
    importance,
    likelihood_kl_loss,
    likelihood_loss,
    over_sequence,
)
from rl.rollouts import Group, Question
from tests.support.rl_toy import learner, make_start
from tests.support.worked_gradients import LENGTHS, POLICY, REFERENCE, WEIGHT, gradient_of, tensor

SEQUENCE = torch.from_numpy(np.repeat([0.0, 1.0], LENGTHS))
ADVANTAGE = torch.from_numpy(np.repeat([1.0, -1.0], LENGTHS))


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    return make_start(tmp_path_factory.mktemp("options"))


# ---- GSPO and CISPO ------------------------------------------------------------------------------


def gspo(old: torch.Tensor, low: float = 0.2, high: float = 0.2):
    columns = {"weight": WEIGHT, "advantage": ADVANTAGE, "old_log_probs": old}
    columns["sequence"] = SEQUENCE
    loss = grpo_loss(0.0, "k3", low, high, surrogate="gspo")
    return loss, columns


def test_gspo_is_the_mean_over_outputs_of_one_clipped_ratio_each():
    old = POLICY - tensor(0.3, 0.1, -0.4, -0.5, -0.3)  # mean log-ratios 0.2 and -0.4
    loss, columns = gspo(old)
    ratios = np.exp([0.2, -0.4])
    expected = [min(ratios[0], 1.2) * 1, min(ratios[1] * -1, 0.8 * -1)]
    assert loss(POLICY, columns)[0].sum().item() == pytest.approx(-np.mean(expected))
    # Both are clipped, so neither moves further.
    assert gradient_of(loss, columns).abs().max() == 0


def test_gspo_gives_all_tokens_of_an_output_its_ratio_and_not_their_own():
    old = POLICY - tensor(0.15, -0.05, -0.2, 0.2, 0.0)  # mean log-ratios 0.05 and 0
    loss, columns = gspo(old)
    expected = -WEIGHT * ADVANTAGE * torch.exp(tensor(0.05, 0.05, 0, 0, 0))
    assert torch.allclose(gradient_of(loss, columns), expected)


def test_the_order_of_tokens_and_what_else_is_in_the_batch_do_not_matter():
    values = tensor(1, 2, 3, 4, 5)
    order = torch.tensor([4, 0, 2, 1, 3])
    plain = over_sequence(values, SEQUENCE, mean=True)
    assert plain.tolist() == [1.5, 1.5, 4, 4, 4]
    assert torch.equal(over_sequence(values[order], SEQUENCE[order], mean=True), plain[order])
    assert over_sequence(values[:0], SEQUENCE[:0]).tolist() == []


def test_cispo_lets_a_clipped_token_learn_with_the_clipped_ratio():
    old = POLICY - tensor(1.0, 0.1, -1.0, 0.0, 0.1)
    columns = {"weight": WEIGHT, "advantage": ADVANTAGE, "old_log_probs": old}
    loss = grpo_loss(0.0, "k3", 0.2, 0.2, surrogate="cispo")
    logprobs = POLICY.clone().requires_grad_()
    loss(logprobs, columns)[0].sum().backward()
    ratio = torch.exp(POLICY - old).clamp(0.8, 1.2)
    assert torch.allclose(logprobs.grad, -WEIGHT * ADVANTAGE * ratio)


@pytest.mark.parametrize("surrogate", ["gspo", "cispo"])
def test_on_fresh_samples_every_surrogate_takes_grpos_step(start, surrogate):
    """The ratio is 1 everywhere, and all three have the gradient of Eq. 21."""
    moved = []
    for name in ("clipped", surrogate):
        toy = learner(start, surrogate=name)
        before = [p.detach().clone() for p in toy.policy.parameters()]
        toy.step(0)
        after = toy.policy.parameters()
        moved.append(torch.cat([(a - b).flatten() for a, b in zip(after, before, strict=True)]))
    # Adam's first step makes a sign of every gradient, those that are rounding errors included.
    assert torch.cosine_similarity(*moved, dim=0) > 0.98


# ---- Importance weights --------------------------------------------------------------------------


def test_importance_weights_have_the_worked_values():
    old = tensor(-1, -1, -1, -1, -1)
    sampler = old - torch.log(tensor(1.5, 3.0, 0.4, 2.0, 1.25))
    products = torch.log(tensor(4.5, 1.0))

    def weights(kind):
        return importance(old, sampler, 2.0, kind, SEQUENCE).tolist()

    assert weights("truncated") == pytest.approx([1.5, 2, 0.4, 2, 1.25])
    assert weights("masked") == pytest.approx([1.5, 0, 0, 2, 1.25])
    assert products.exp().tolist() == pytest.approx([1.5 * 3, 0.4 * 2 * 1.25])
    assert weights("sequence") == pytest.approx([2, 2, 1, 1, 1])
    assert weights("sequence_masked") == pytest.approx([0, 0, 1, 1, 1])
    with pytest.raises(ValueError, match="needs the column sequence"):
        importance(old, sampler, 2.0, "sequence")


def test_only_the_product_over_an_output_makes_another_policys_samples_unbiased():
    """All outputs of two tokens over an alphabet of three, by enumeration: E_sampler[w f] = E_policy[f]."""
    policy = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    sampler = torch.tensor([0.2, 0.2, 0.6], dtype=torch.float64)
    value = {(a, b): float(a == b) for a in range(3) for b in range(3)}
    truth = sum(float(policy[a] * policy[b]) * f for (a, b), f in value.items())

    found = {}
    for kind in ("sequence", "truncated"):
        total = 0.0
        for (a, b), f in value.items():
            tokens = torch.tensor([a, b])
            weights = importance(
                policy[tokens].log(), sampler[tokens].log(), 1e9, kind, torch.zeros(2)
            )
            total += float(sampler[a] * sampler[b] * weights.mean()) * f
        found[kind] = total
    assert found["sequence"] == pytest.approx(truth)
    assert abs(found["truncated"] - truth) > 0.02


# ---- RFT with a KL term, DPO, dropped groups -------------------------------------------------------


def test_rft_with_kl_pulls_wrong_outputs_to_the_reference_and_right_ones_up():
    right = torch.from_numpy(np.repeat([1.0, 0.0], LENGTHS))
    columns = {"weight": WEIGHT, "right": right, "ref_log_probs": REFERENCE}
    expected = -right + 0.04 * (1 - (REFERENCE - POLICY).exp())
    assert torch.allclose(gradient_of(likelihood_kl_loss(0.04, "k3"), columns), WEIGHT * expected)
    # Without KL it is the loss of plain RFT, whose wrong outputs are left out.
    plain = gradient_of(likelihood_loss, {"weight": WEIGHT * right})
    assert torch.allclose(gradient_of(likelihood_kl_loss(0.0, "k3"), columns), plain)


@pytest.mark.parametrize("method", ["rft", "online_rft"])
def test_rft_with_kl_reads_every_output_and_plain_rft_the_right_ones(start, method):
    toy = learner(start, method=method, likelihood_kl=True)
    groups = toy.explore(0)
    rows = METHODS[method].rows(groups, toy.settings, toy.updater.scorers)
    outputs = [sample for group in groups for sample in group.samples if sample.ids]
    assert len(rows) == len(outputs)
    assert all("ref_log_probs" in row.columns for row in rows)

    plain = METHODS[method].rows(groups, RL(**{"method": method}), toy.updater.scorers)
    assert len(plain) == sum(int(group.right.sum()) for group in groups)
    assert toy.step(0)["kl"] >= 0


def test_dpo_takes_the_beta_that_fits_its_form():
    assert DPO().weight == 2.0
    assert DPO(form="sum").weight == 0.1
    assert DPO(beta=0.3).weight == DPO(beta=0.3, form="sum").weight == 0.3


def group_of(rewards, right) -> Group:
    samples = [Sample([1, 2], [0.0, 0.0], "stop") for _ in rewards]
    group = Group(Question(Problem("p", "Q", "7"), [1]), samples, [""] * len(rewards))
    group.parts = {"rule": np.array(right, dtype=float)}
    group.rewards = np.array(rewards, dtype=float)
    return group


def test_groups_are_dropped_by_what_they_can_teach():
    mixed = group_of([1, 0], [1, 0])
    solved = group_of([1, 1], [1, 1])
    failed = group_of([0, 0], [0, 0])
    graded = group_of([0.3, 0.1], [0, 0])
    groups = [mixed, solved, failed, graded]
    assert kept_groups(groups, "none") == groups
    assert kept_groups(groups, "all_wrong") == [mixed, solved]
    assert kept_groups(groups, "flat") == [mixed, graded]


def test_dropped_groups_count_in_no_denominator():
    settings = RL(method="online_rft", rewards={"rule": 1.0}, drop_groups="all_wrong")
    groups = [group_of([1, 0], [1, 0]), group_of([0, 0], [0, 0])]
    kept = METHODS["online_rft"].rows(kept_groups(groups, "all_wrong"), settings, None)
    every = METHODS["online_rft"].rows(groups, settings, None)
    assert [row.columns["weight"].max() for row in kept] == [1 / 4]  # two outputs of two tokens
    assert [row.columns["weight"].max() for row in every] == [1 / 8]


# ---- Credit --------------------------------------------------------------------------------------


def test_rewards_that_are_normalised_apart_are_not_merged():
    """(1, 0) and (0, 1) have one sum, and are told apart; a narrow reward counts as much as a wide one."""
    parts = {"rule": np.array([1.0, 0.0, 1.0, 0.0]), "format": np.array([0.0, 0.1, 0.1, 0.0])}
    weights = {"rule": 1.0, "format": 1.0}
    apart = combined_advantages(parts, weights)
    assert apart.tolist() == pytest.approx([0, 0, 2, -2])
    together = normalise(parts["rule"] + parts["format"])
    assert together[0] > 0.8 and together[1] < -0.8

    one = {"rule": np.array([1.0, 0, 0])}
    assert np.array_equal(combined_advantages(one, {"rule": 1.0}), normalise(one["rule"]))


def test_min_credit_is_the_least_reward_to_come_whatever_the_number_of_steps():
    rewards = [np.array([0.9, 0.1, 0.5]), np.array([0.5])]
    ends = [np.array([1, 2, 4]), np.array([0])]
    pool = np.array([0.9, 0.1, 0.5, 0.5])
    scale = pool.std()
    first, second = process_advantages(rewards, ends, [6, 2], credit="min")
    assert (first * scale).tolist() == pytest.approx([-0.4, -0.4, -0.4, 0, 0, 0])
    assert second.tolist() == [0, 0]

    # A sum grows with the steps where all are alike, a minimum does not.
    short, long = process_advantages(
        [np.array([1.0]), np.array([1.0, 1.0, 1.0, 0.0])],
        [np.array([0]), np.array([0, 1, 2, 3])],
        [1, 4],
    )
    assert long[0] != pytest.approx(short[0])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"combine": "advantages", "method": "online_rft"}, "grpo_outcome only"),
        ({"likelihood_kl": True}, "methods rft and online_rft"),
        (
            {"surrogate": "gspo", "method": "grpo_process", "rewards": {"process_model": 1.0}},
            "one ratio an output",
        ),
    ],
)
def test_settings_that_do_not_go_together_are_refused(changes, reason):
    with pytest.raises(ValueError, match=reason):
        RL(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"surrogate": "gspo", "updates_per_rollout": 2, "epsilon": 0.05},
        {"surrogate": "cispo", "updates_per_rollout": 2},
        {"importance": "sequence_masked"},
        {"method": "online_rft", "likelihood_kl": True, "drop_groups": "flat"},
        {"combine": "advantages", "rewards": {"rule": 1.0, "format": 0.5}},
    ],
    ids=["gspo", "cispo", "sequence_masked", "online_rft", "gdpo"],
)
def test_every_option_still_raises_the_share_of_right_answers(start, changes):
    toy = learner(start, learning_rate=5e-3, **changes)
    shares = [toy.step(step)["right"] for step in range(20)]
    assert np.mean(shares[-3:]) > np.mean(shares[:3]) + 0.2
