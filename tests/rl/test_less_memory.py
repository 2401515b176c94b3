"""RL in less memory makes the same update: layers that are computed again, adapters in the place of weights."""

import pytest
import torch

from tests.support.rl_toy import learner, weights


@pytest.mark.parametrize("method", ["grpo_outcome", "ppo"])
def test_layers_that_are_computed_again_give_the_same_update(start, method):
    results, ends = [], []
    for wanted in ("never", "always"):
        toy = learner(start, method=method, activation_checkpointing=wanted)
        before = weights(toy.policy).clone()
        line = toy.step(0)
        names = ("loss", "grad_norm", "value_error" if method == "ppo" else "kl")
        results.append([line[name] for name in names])
        ends.append(weights(toy.policy))

        shares = toy.updater.layout.score.__module__.endswith("shared_prefix")
        assert shares == (wanted == "never"), "packed rows, where layers are computed again"
        assert not any(module.training for module in toy.policy.modules())
        assert all(parameter.grad is None for parameter in toy.policy.parameters())

    assert results[0] == pytest.approx(results[1], rel=1e-3, abs=1e-6)
    # Adam divides gradients near 0 by their own size: sums in another order show there.
    apart, moved = (ends[0] - ends[1]).norm(), (ends[0] - before).norm()
    assert moved > 0.1 and apart < 0.02 * moved


def test_adapters_alone_are_trained_and_what_is_sampled_has_them(start):
    pytest.importorskip("peft")
    toy = learner(start, lora={"rank": 4}, learning_rate=2e-2)
    before = {name: weight.clone() for name, weight in toy.policy.state_dict().items()}
    first = [sample.ids for group in toy.explore(1) for sample in group.samples]

    # The trainer itself refuses a sampler whose log-probabilities are not the adapted model's.
    toy.step(0)
    toy._has_checked = False
    toy.step(1)

    after = toy.policy.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed and all("lora_" in name for name in changed)
    assert first != [sample.ids for group in toy.explore(1) for sample in group.samples]
