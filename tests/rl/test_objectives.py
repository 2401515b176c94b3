"""Objectives: worked numbers, the gradient coefficients of the unified paradigm, the gradient of each KL estimate."""

import numpy as np
import pytest
import torch

from pipeline.config.rl import RL
from rl.advantages import normalise
from rl.objectives import (
    clipped_policy,
    dpo_coefficient,
    dpo_loss,
    grpo_loss,
    kl_estimate,
    likelihood_loss,
)
from tests.support.worked_gradients import (
    LENGTHS,
    POLICY,
    REFERENCE,
    WEIGHT,
    gradient_of,
    numeric_gradient,
    tensor,
)


def test_the_clipped_objective_has_the_worked_value():
    # Ratios 0.5, 1, 1.5 with advantages 1, -1, 2: min(0.5, 0.8), -1, min(3, 2.4): loss -0.6333.
    value = clipped_policy(tensor(0.5, 1.0, 1.5).log(), torch.zeros(3), tensor(1, -1, 2), 0.2, 0.2)
    assert -value.mean().item() == pytest.approx(-0.6333, abs=5e-5)


@pytest.mark.parametrize(
    ("ratio", "advantage", "gradient"),
    [(1.5, 1, 0), (1.5, -1, -1.5), (0.5, 1, 0.5), (0.5, -1, 0), (1.0, 2, 2), (1.25, 1, 1.25)],
)
def test_clipping_stops_the_gradient_only_where_the_update_would_go_further(
    ratio, advantage, gradient
):
    logprobs = tensor(ratio).log().requires_grad_()
    clipped_policy(logprobs, tensor(0), tensor(advantage), 0.2, 0.3).sum().backward()
    assert logprobs.grad.item() == pytest.approx(gradient)


@pytest.mark.parametrize(
    ("policy", "reference", "value", "coefficient"),
    [
        (-1, -1, 0, 0),
        (-1, -0.5, 0.148721, 0.025949),
        (-1, -2, 0.367879, -0.025285),
        (-3, -0.5, 8.682494, 0.447300),
    ],
)
def test_the_kl_estimate_has_the_worked_values_and_coefficients(
    policy, reference, value, coefficient
):
    logprobs = tensor(policy).requires_grad_()
    estimate = kl_estimate(logprobs, tensor(reference), "k3")
    assert estimate.item() == pytest.approx(value, abs=5e-7)
    (-0.04 * estimate).sum().backward()
    assert logprobs.grad.item() == pytest.approx(coefficient, abs=5e-7)


def expected_gradient(kind: str) -> torch.Tensor:
    """The mean gradient of an estimate over tokens drawn from a six-token policy, by enumeration."""
    logits, reference = six_tokens()
    logits.requires_grad_()
    logprobs = logits.log_softmax(0)
    estimates = kl_estimate(logprobs, reference.log_softmax(0), kind)
    (logprobs.detach().exp() * estimates).sum().backward()
    return logits.grad


def six_tokens() -> tuple[torch.Tensor, torch.Tensor]:
    return tensor(0.3, -1.0, 2.0, 0.5, 0.0, -0.4), tensor(-0.5, 0.7, 1.0, 0.2, 1.5, -2.0)


def divergence_gradient(forward: bool) -> torch.Tensor:
    logits, reference = six_tokens()
    logits.requires_grad_()
    p, r = logits.log_softmax(0), reference.log_softmax(0)
    (r.exp() * (r - p) if forward else p.exp() * (p - r)).sum().backward()
    return logits.grad


def test_the_mean_gradient_of_each_kl_estimate_is_what_its_docstring_says():
    reverse, forward = divergence_gradient(forward=False), divergence_gradient(forward=True)
    assert expected_gradient("k1").abs().max() < 1e-12
    for kind in ("k2", "k1_corrected", "k3_corrected"):
        assert torch.allclose(expected_gradient(kind), reverse, atol=1e-12), kind
    assert torch.allclose(expected_gradient("k3"), forward, atol=1e-12)
    assert (reverse - forward).abs().max() > 0.05


def test_every_kl_estimate_but_k2_has_the_divergence_as_its_mean():
    logits, reference = six_tokens()
    p, r = logits.log_softmax(0), reference.log_softmax(0)
    exact = (p.exp() * (p - r)).sum()
    for kind in ("k1", "k3", "k1_corrected", "k3_corrected"):
        assert (p.exp() * kl_estimate(p, r, kind)).sum() == pytest.approx(exact.item())


# The unified paradigm: d loss / d log-probability = -coefficient x weight, for every method.
def test_fine_tuning_and_rejection_sampling_have_coefficient_1_for_what_is_right_and_0_else():
    right = tensor(1, 1, 0, 0, 0)
    assert torch.allclose(gradient_of(likelihood_loss, {"weight": WEIGHT}), -WEIGHT)
    assert torch.allclose(gradient_of(likelihood_loss, {"weight": WEIGHT * right}), -WEIGHT * right)


def test_grpo_has_coefficient_advantage_plus_beta_times_reference_over_policy_minus_1():
    advantage = torch.from_numpy(np.repeat(normalise([1.0, 0.25]), LENGTHS))
    columns = {
        "weight": WEIGHT,
        "advantage": advantage,
        "old_log_probs": POLICY,
        "ref_log_probs": REFERENCE,
    }
    expected = advantage + 0.04 * ((REFERENCE - POLICY).exp() - 1)
    assert torch.allclose(gradient_of(grpo_loss(0.04, "k3", 0.2, 0.2), columns), -WEIGHT * expected)


def test_ppo_has_coefficient_advantage():
    advantage = tensor(0.3, -0.2, 1.0, 0.0, -2.0)
    columns = {"weight": WEIGHT, "advantage": advantage, "old_log_probs": POLICY}
    assert torch.allclose(gradient_of(grpo_loss(0.0, "k3", 0.2, 0.2), columns), -WEIGHT * advantage)


@pytest.mark.parametrize("form", ["mean", "sum"])
def test_dpo_has_coefficient_beta_sigmoid_of_minus_beta_margin(form):
    beta, worse = 0.1, slice(2, 5)

    def margin(logprobs):
        ratios = logprobs - REFERENCE
        reduce = torch.mean if form == "mean" else torch.sum
        return reduce(ratios[:2]) - reduce(ratios[worse])

    coefficient = dpo_coefficient(margin(POLICY), beta)
    divisor = tensor(2, 2, 3, 3, 3) if form == "mean" else torch.ones(5)
    expected = -coefficient * tensor(1, 1, -1, -1, -1) / divisor
    assert torch.allclose(
        numeric_gradient(lambda p: dpo_loss(margin(p), beta), POLICY), expected, atol=1e-8
    )
    assert torch.allclose(gradient_of(likelihood_loss, {"weight": -expected}), expected)


def test_dpo_coefficient_has_the_worked_value_and_an_equal_policy_loses_log_2():
    assert dpo_coefficient(tensor(0.7 - 0.2), 0.1).item() == pytest.approx(0.04875, abs=5e-6)
    assert dpo_loss(tensor(0.0), 0.1).item() == pytest.approx(np.log(2))


def test_the_loss_reports_clipping_only_when_the_ratio_moved():
    loss = grpo_loss(0.0, "k3", 0.2, 0.2)
    columns = {"weight": WEIGHT, "advantage": tensor(1, -1, 1, -1, 0), "old_log_probs": POLICY}
    assert loss(POLICY, columns)[1]["clipped_high"] == loss(POLICY, columns)[1]["clipped_low"] == 0
    sums = loss(POLICY + tensor(0.5, -0.5, -0.5, 0.5, 0.5), columns)[1]
    assert (sums["clipped_high"], sums["clipped_low"]) == (1, 1)
    assert sums["mismatch"] == pytest.approx(2.5)


@pytest.mark.parametrize(
    "wrong",
    [
        {"top_p": 0.9},
        {"batch_outputs": 100},
        {"rewards": {}},
        {"rewards": {"rule": 0.0}},
        {"rewards": {"rules": 1.0}},
        {"method": "grpo_process"},
        {"beta": -0.1},
        {"group_size": 1, "batch_outputs": 4},
        {"steps": 2, "iterations": 3},
    ],
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ValueError):
        RL(**wrong)


def test_the_defaults_are_the_papers_numbers():
    settings = RL()
    assert (settings.learning_rate, settings.beta, settings.group_size, settings.questions) == (
        1e-6,
        0.04,
        64,
        16,
    )
    assert (settings.max_new_tokens, settings.updates_per_rollout, settings.kl) == (1024, 1, "k3")
