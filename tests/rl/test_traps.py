"""Known traps of RL for language models, and the test that catches each; below, faults planted on purpose.

trap                                                     test
1  length bias of means                                  rl/test_advantages: sequence_and_token_means_differ…
2  denominators per micro-batch or per process           rl/test_train: update_does_not_depend_on_micro_batches;
                                                         pipeline/test_training: gradient_accumulation…,
                                                         padding_every_row_by_seven…; rl/test_distributed
3  rows without scored tokens in a denominator           pipeline/test_training: fully_masked_row…,
                                                         rl/test_train: output_without_tokens…
4  which standard deviation                              rl/test_advantages: normalised_rewards_are_the_worked…
5  groups without variance                               rl/test_advantages: equal_rewards_give_exactly_zero
6  the KL estimate's gradient                            rl/test_objectives: mean_gradient_of_each_kl_estimate…
7  temperature left out or applied twice                 rl/test_train: log_probabilities_of_sampler_and_trainer…
8  truncated sampling scored under the full softmax      rl/test_objectives: impossible_settings…;
                                                         pipeline/test_sampler: nucleus_samples…
9  the end token masked or dropped                       here: the_end_token_learns…; pipeline/test_sampler:
                                                         ended_sample_holds_its_end_token_once…; rl/test_train:
                                                         row_scores_every_sampled_token…
10 left padding without positions                        no row is padded on the left: pipeline/test_training:
                                                         padding_every_row_by_seven…
11 packed rows that see each other                       pipeline/test_batches: packed_row_does_not_depend…,
                                                         batched_logprobs…; pipeline/test_fused_llama: answer_does_not…
12 a fused path with another formula                     pipeline/test_fused_llama: lean_log_probabilities…,
                                                         each_piece_has_the_gradient…; pipeline/test_distributed
13 a ratio that is always 1, a clip that never acts      rl/test_objectives: clipped_objective…,
                                                         rl/test_train: several_updates_move_the_ratio…
14 text encoded again                                    here: the_loss_sees_the_sampled_ids…;
                                                         pipeline/test_shared_prefix: a stretch is not scored
15 a grader that is silently 0 or 1, or hangs            eval/test_grading; here: an_undecided_answer…
16 cheating the grader                                   here: no_cheat_is_rewarded; eval/test_sandbox
17 a resume that is not exact                            rl/test_train: broken_run…, killed_run…; rl/test_options:
                                                         broken_iterative_run…; rl/test_reward_model: broken_reward…
18 another mode while sampling than while scoring        rl/test_options: ratio_is_1_to_the_bit;
                                                         rl/test_train: several_updates…; here: dropout_is_off…
19 tests that cannot fail                                here: a_planted_fault_is_seen
20 advantages over tokens that are not the model's       rl/test_advantages: gae_without_discount…; rl/test_train:
                                                         ppo_advantages_are_reward_to_go…; here: advantage_estimation…
21 DPO: mean or sum of log-ratios                        rl/test_objectives: dpo_has_coefficient…, worked_value…
22 weights cast for every token                          Decoder.load casts once; no test
"""

import numpy as np
import pytest
import torch

import rl.advantages
import rl.objectives
from pipeline.artifacts.records import Problem
from pipeline.config.rl import RL
from pipeline.forward import fused_llama
from pipeline.forward.fused_llama import target_log_probs
from pipeline.forward.fused_shared_prefix import token_log_probs
from pipeline.forward.shared_prefix import shared_prefix_batches
from pipeline.inference.engine import Sample, SampleRequest, SamplingSettings
from pipeline.inference.sampler import Sampler
from rl.advantages import generalised_advantages, normalise, outcome_advantages
from rl.methods import Scorers, grpo_outcome_rows, output_row
from rl.objectives import clipped_policy, kl_estimate
from rl.rewards import RuleReward
from rl.rollouts import Group, Question
from tests.support.rl_toy import SMALL, learner, weights
from tests.support.small_llama import byte_tokenizer, llama

PROBLEM = Problem("p", "What is 3 + 4?", "7")


@pytest.mark.parametrize("pad", ["<pad>", "</s>"])
def test_the_end_token_learns_and_a_cut_output_teaches_it_nothing(pad):
    model, tokenizer = llama(), byte_tokenizer(pad)
    question = Question(PROBLEM, tokenizer.encode("Q"))
    for ids, learns in (([5, 9, tokenizer.eos_token_id], True), ([5, 9, 11], False)):
        group = Group(question, [Sample(ids, [0.0] * 3, "stop")], [""])
        [batch] = shared_prefix_batches([output_row(group, 0, weight=1.0)], 100)
        logits = model.lm_head.weight
        [gradient] = torch.autograd.grad(token_log_probs(model, batch)[-1], [logits])
        moved = gradient[tokenizer.eos_token_id].abs().sum() / gradient.abs().sum(1).max()
        assert (moved > 0.9) == learns


def test_the_loss_sees_the_sampled_ids_even_where_their_text_has_another_encoding():
    tokenizer = byte_tokenizer()
    broken = tokenizer.encode("é")[:1] * 2  # half of a character, twice: no text encodes to this
    assert tokenizer.encode(tokenizer.decode(broken)) != broken
    question = Question(PROBLEM, tokenizer.encode("Q"))
    row = output_row(Group(question, [Sample(broken, [0.0, 0.0], "length")], ["?"]), 0, weight=1.0)
    assert row.input_ids[row.loss_mask].tolist() == broken


def test_an_undecided_answer_is_wrong_and_counted(monkeypatch):
    from eval.grading.grader import Verdict

    monkeypatch.setattr("rl.rewards.grade", lambda *a, **k: Verdict(False, "x", "limit"))
    reward = RuleReward()
    group = Group(Question(PROBLEM, [1]), [Sample([5], [0.0], "stop")] * 3, ["\\boxed{x}"] * 3)
    assert reward.score([group])[0].tolist() == [0, 0, 0] and reward.undecided == 3


CHEATS = [
    "7", "The answer is 7.", "\\boxed{}", "\\boxed{7", "\\boxed{7} \\boxed{8}", "\\boxed{6, 7, 8}", "\\boxed{7 or 8}",
    "\\boxed{answer}", "\\boxed{What is 3 + 4?}", "\\boxed{x = 7, x = 8}", "\\boxed{\\{1,2,3,4,5,6,7\\}}",
    "\\boxed{[0, 100]}", "\\boxed{7 \\pm 5}", "\\boxed{\\text{the gold answer}}", "\\boxed{__import__('os')}",
    "<answer>7</answer>", "\\boxed{77}", "\\boxed{7.5}", "\\boxed{-7}",
]  # fmt: skip


@pytest.mark.parametrize("text", CHEATS)
def test_no_cheat_is_rewarded(text):
    group = Group(Question(PROBLEM, [1]), [Sample([5], [0.0], "stop")], [text])
    assert RuleReward().score([group])[0].tolist() == [0]


def test_dropout_is_off_while_the_policy_is_trained(start):
    toy = learner(start)
    assert not toy.policy.training and not toy.updater.reference.training
    toy.step(0)
    assert not toy.policy.training


def test_advantage_estimation_over_an_outputs_tokens_ignores_what_stands_around_it():
    rewards, values = np.array([0.1, 0.0, 1.0]), np.array([0.5, 0.2, 0.7])
    alone, _ = generalised_advantages(rewards, values, 0.9, 0.8)
    scored = np.array([False, True, True, False, True])  # a prompt's and a tool's token between
    padded = np.zeros(5)
    padded[scored] = values
    inside, _ = generalised_advantages(rewards, padded[scored], 0.9, 0.8)
    assert inside == pytest.approx(alone)


# Faults planted on purpose: each must change a result that the checks below look at.


def checks() -> list[bool]:
    """The heart of the other tests in a few lines, so that it can be run with a fault in place."""
    policy = torch.tensor([-0.7, -1.2, -0.1, -2.0], dtype=torch.float64, requires_grad=True)
    reference = torch.tensor([-0.9, -1.0, -0.3, -1.5], dtype=torch.float64)
    weights = rl.advantages.token_weights([1, 3], "sequence", 9)
    weight = torch.tensor(np.repeat(weights, [1, 3]))
    advantage = torch.tensor(np.repeat(rl.advantages.normalise([1.0, 0.0]), [1, 3]))
    columns = {
        "weight": weight,
        "advantage": advantage,
        "old_log_probs": policy.detach(),
        "ref_log_probs": reference,
    }
    terms, _ = rl.objectives.grpo_loss(0.04, "k3", 0.2, 0.2)(policy, columns)
    [gradient] = torch.autograd.grad(terms.sum(), [policy])
    expected = -weight * (advantage + 0.04 * ((reference - policy.detach()).exp() - 1))
    ratios = torch.tensor([0.5, 1.0, 1.5], dtype=torch.float64).log()
    clipped = rl.objectives.clipped_policy(
        ratios,
        torch.zeros(3, dtype=torch.float64),
        torch.tensor([1.0, -1.0, 2.0], dtype=torch.float64),
        0.2,
        0.2,
    )
    model, cold = llama(), 0.6
    question = Question(PROBLEM, [1, 8, 9])
    sampled = Sampler(model, byte_tokenizer()).sample(
        SampleRequest([question.prompt], 2, SamplingSettings(temperature=cold, max_new_tokens=6))
    )[0]
    group = Group(question, sampled, ["", ""], rewards=np.array([1.0, 0.0]))
    rows = grpo_outcome_rows([group], RL(**(SMALL | {"beta": 0.0})), Scorers(None, None))
    [batch] = shared_prefix_batches(rows, 1000)
    with torch.no_grad():
        agreement = (
            (token_log_probs(model, batch, cold) - batch.columns["old_log_probs"]).abs().max()
        )
    return [
        torch.allclose(gradient, expected),
        abs(-clipped.mean().item() + 0.6333) < 1e-4,
        bool(agreement < 1e-4),
        len(batch.targets) == sum(len(sample.ids) for sample in sampled),
        sum(w * n for w, n in zip(weights, [1, 3], strict=True)) == pytest.approx(1),
    ]


FAULTS = {
    "the sign of the policy term": ("rl.objectives.clipped_policy", lambda *a: -clipped_policy(*a)),
    "the sign of the KL term": ("rl.objectives.kl_estimate", lambda *a: -kl_estimate(*a)),
    "another KL estimate": (
        "rl.objectives.kl_estimate",
        lambda p, r, kind: kl_estimate(p, r, "k2"),
    ),
    "max in the place of min": (
        "rl.objectives.clipped_policy",
        lambda p, o, a, low, high: torch.max(
            (p - o).exp() * a, (p - o).exp().clamp(1 - low, 1 + high) * a
        ),
    ),
    "no clipping": ("rl.objectives.clipped_policy", lambda p, o, a, low, high: (p - o).exp() * a),
    "rewards not centred": ("rl.advantages.normalise", lambda r, *a: np.asarray(r, dtype=float)),
    "one mean over all tokens": (
        "rl.advantages.token_weights",
        lambda lengths, how, new: [1 / (2 * max(lengths)) for _ in lengths],
    ),
    "no temperature in the trainer": (
        "pipeline.forward.fused_llama.target_log_probs",
        lambda model, hidden, targets, temperature, dtype: target_log_probs(
            model, hidden, targets, 1.0, dtype
        ),
    ),
    "the prompt is scored too": (
        "rl.methods.output_row",
        lambda group, index, **columns: _scored_prompt(output_row(group, index, **columns)),
    ),
}


def _scored_prompt(row):
    row.loss_mask[1:] = True
    return row


def test_without_a_fault_all_checks_pass():
    assert all(checks())


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_seen(fault, monkeypatch):
    target, wrong = FAULTS[fault]
    monkeypatch.setattr(target, wrong)
    if target == "rl.advantages.normalise":  # its caller holds the name of its own module
        assert outcome_advantages(np.array([1.0, 0.0]), [1, 1])[1] != normalise([1.0, 0.0])[1]
    assert not all(checks())


class AllAlike:
    """A reward that tells no output from another."""

    def score(self, groups):
        return [np.full(len(group.samples), 0.25) for group in groups]


def test_a_step_with_nothing_to_learn_costs_its_sampling_only_and_says_so(
    start, capsys, monkeypatch
):
    loop = learner(start, rewards={"format": 1.0})
    loop.exploration.rewards = {"rule": RuleReward(), "format": AllAlike()}
    before = weights(loop.policy).clone()

    def computed(*_):
        raise AssertionError("a forward pass for nothing")

    for model in (loop.policy, loop.updater.reference):
        model.base_model.register_forward_pre_hook(computed)
    monkeypatch.setattr(fused_llama, "final_hidden", computed)
    for step in range(4):
        loop.step(step)

    assert torch.equal(weights(loop.policy), before)
    warnings = [line for line in capsys.readouterr().err.splitlines() if "nothing to learn" in line]
    assert [line.split(";")[1].split()[0] for line in warnings] == ["1", "2", "4"]


@pytest.mark.parametrize(("shift", "refused"), [(0.05, False), (0.3, True)])
def test_what_counts_in_bf16_is_the_mean_difference_and_not_the_largest(start, shift, refused):
    loop = learner(start, precision="bf16")
    groups = loop.explore(0)
    rows = loop.method.rows(groups, loop.settings, loop.updater.scorers)

    # All tokens off by 0.3 is a bug; one token off by 2 is what rounding does among hundreds.
    for row in rows:
        row.columns["old_log_probs"] = row.columns["old_log_probs"] + shift
    rows[0].columns["old_log_probs"][np.flatnonzero(rows[0].loss_mask)[0]] += 2.0

    if refused:
        with pytest.raises(RuntimeError, match="disagree"):
            loop._check_sampler(rows)
    else:
        loop._check_sampler(rows)
