"""Objectives: what each scored token adds to the loss, given its log-probability. Pure functions of tensors.

All tensors are [N], over the N scored tokens of a micro-batch. Nothing here divides: each term is multiplied by the
column "weight", whose denominator was computed for the whole step (rl.advantages.token_weights), so the loss is the sum
of the terms of all micro-batches, however these are cut.

Columns of a row:
    weight             factor of the token's term
    advantage          what the token is credited with
    old_log_probs      log-probabilities under the policy before the update
    ref_log_probs      log-probabilities under the reference model
    sampler_log_probs  those that the sampler reported, where they are not the old ones
    sequence           number of the output, for what is computed over all of an output's tokens
    right              of likelihoods with a KL term: 1 where the token is to become likelier, else 0
"""

import torch
from torch import Tensor

from pipeline.errors import UserError
from pipeline.training.step import Columns, Loss
from rl.own_code.load import own_function


def clipped_policy(
    log_probs: Tensor, old_log_probs: Tensor, advantage: Tensor, low: float, high: float
) -> Tensor:
    """The clipped objective of Eqs. 1 and 3, to be maximised: min(ratio A, clip(ratio, 1 - low, 1 + high) A)."""
    ratio = (log_probs - old_log_probs).exp()
    # The minimum is pessimistic: clipping stops a token only where it would move further in the direction it is pushed.
    clipped_ratio = ratio.clamp(1 - low, 1 + high)
    return torch.min(ratio * advantage, clipped_ratio * advantage)


def kl_estimate(log_probs: Tensor, ref_log_probs: Tensor, kind: str) -> Tensor:
    """Estimate KL(policy || reference) at each token, which was sampled from the policy.

    Args:
        log_probs: [N], with gradient.
        ref_log_probs: [N].
        kind: with r = reference / policy, "k1" is -log r, "k2" is (log r)^2 / 2, and "k3" is r - log r - 1, the
            paper's Eq. 4. Their mean gradients differ: 0 for k1, the reverse KL's for k2, the forward KL's for k3
            (r - 1 in Eq. 21). "k1_corrected" and "k3_corrected" are multiplied by policy / stop_gradient(policy),
            which is 1 in value and gives both the gradient of the reverse KL. `module:function` names one of your
            own, (log_probs, ref_log_probs) -> [N].
    """
    if ":" in kind:
        return _own_estimate(kind, log_probs, ref_log_probs)

    name, _, corrected = kind.partition("_")
    log_ratio = ref_log_probs - log_probs

    if name == "k1":
        estimate = -log_ratio
    elif name == "k2":
        estimate = log_ratio**2 / 2
    else:
        estimate = log_ratio.exp() - log_ratio - 1

    # The factor is 1 in value; only its gradient counts.
    if corrected:
        return estimate * (log_probs - log_probs.detach()).exp()
    return estimate


def _own_estimate(name: str, log_probs: Tensor, ref_log_probs: Tensor) -> Tensor:
    """The user's own estimate; its values are not looked at here, since that would wait for the GPU."""
    estimate = own_function(name)(log_probs, ref_log_probs)
    if not isinstance(estimate, Tensor):
        raise UserError(f"{name}: gave {type(estimate).__name__}, not a tensor")
    if estimate.shape != log_probs.shape:
        raise UserError(
            f"{name}: gave shape {tuple(estimate.shape)}, not that of log_probs {tuple(log_probs.shape)}"
        )
    return estimate


def sequence_policy(
    log_probs: Tensor,
    old_log_probs: Tensor,
    advantage: Tensor,
    sequence: Tensor,
    low: float,
    high: float,
) -> Tensor:
    """GSPO (arXiv 2507.18071, Eqs. 5 and 7): the clipped objective with one ratio s for all tokens of an output.

    s = (policy / old policy)^(1 / T), the geometric mean of the tokens' ratios. At each token [N] the objective of its
    output, so that weights of 1 / (outputs x T) make the mean over outputs.
    """
    mean_log_ratio = over_sequence(log_probs - old_log_probs, sequence, mean=True)
    return clipped_policy(mean_log_ratio, torch.zeros_like(mean_log_ratio), advantage, low, high)


def weighted_likelihood(
    log_probs: Tensor, old_log_probs: Tensor, advantage: Tensor, low: float, high: float
) -> Tensor:
    """CISPO (arXiv 2506.13585, Eqs. 4 and 5): clip(ratio) A log-probability, no gradient through the ratio.

    A token whose ratio is clipped still learns, with a bounded weight. Its value is no surrogate of the return; only
    the gradient counts.
    """
    ratio = (log_probs.detach() - old_log_probs).exp().clamp(1 - low, 1 + high)
    return ratio * advantage * log_probs


def over_sequence(values: Tensor, sequence: Tensor, mean: bool = False) -> Tensor:
    """The sum or mean of `values` [N] over the tokens of each output, at each of its tokens [N].

    Args:
        sequence: [N] number of the output; all tokens of an output are in one micro-batch, in any order.
    """
    _, place = sequence.unique(return_inverse=True)
    outputs = int(place.max()) + 1 if len(place) else 0
    sums = values.new_zeros(outputs).index_add(0, place, values)
    if mean:
        tokens = values.new_zeros(outputs).index_add(0, place, torch.ones_like(values))
        sums = sums / tokens
    return sums[place]


def importance(
    old_log_probs: Tensor,
    sampler_log_probs: Tensor,
    cap: float,
    kind: str = "truncated",
    sequence: Tensor | None = None,
) -> Tensor:
    """Importance weights w = old policy / sampling policy, cut so that their variance stays bounded.

    They correct for tokens that another implementation of the same policy has sampled, or an older policy.

    Args:
        cap: the bound.
        kind: "truncated" is min(w, cap) (arXiv 1802.01561); "masked" is w between 1 / cap and cap, else 0 (arXiv
            2510.18855). "sequence" and "sequence_masked" do the same with the product of w over an output, which is
            the weight that makes a gradient of whole outputs unbiased; a product of many factors is cut often.
        sequence: [N] number of the output, for the last two.
    """
    log_weights = old_log_probs - sampler_log_probs
    if kind.startswith("sequence"):
        if sequence is None:
            raise ValueError(f"importance {kind}: needs the column sequence")
        log_weights = over_sequence(log_weights, sequence)

    weights = log_weights.exp()
    if kind.endswith("masked"):
        return torch.where((weights >= 1 / cap) & (weights <= cap), weights, 0.0)
    return weights.clamp(max=cap)


def grpo_loss(
    beta: float,
    kl: str,
    low: float,
    high: float,
    cap: float = 2.0,
    surrogate: str = "clipped",
    correction: str = "truncated",
) -> Loss:
    """The loss of GRPO: Eq. 3 with its sign turned. With `beta` 0 that of PPO, whose KL is in the reward.

    Args:
        beta: factor of the KL term.
        kl: which estimate of it, see `kl_estimate`.
        low, high: how far the ratio may go below and above 1.
        cap: largest importance weight, for rows with the column "sampler_log_probs".
        surrogate: "clipped", "gspo" (see `sequence_policy`) or "cispo" (see `weighted_likelihood`).
        correction: kind of importance weight.

    Returns:
        A function of log-probabilities [N] and columns. It returns the terms [N], and sums over the tokens of what a
        step reports.
    """

    def loss(log_probs: Tensor, columns: Columns) -> tuple[Tensor, dict[str, Tensor]]:
        old_log_probs = columns["old_log_probs"]
        advantage = columns["advantage"]
        sampler_log_probs = columns.get("sampler_log_probs", old_log_probs)

        sequence = columns.get("sequence")
        if surrogate == "gspo":
            assert sequence is not None  # rl.methods.add_model_columns
            objective = sequence_policy(log_probs, old_log_probs, advantage, sequence, low, high)
        elif surrogate == "cispo":
            objective = weighted_likelihood(log_probs, old_log_probs, advantage, low, high)
        else:
            objective = clipped_policy(log_probs, old_log_probs, advantage, low, high)

        terms = -objective
        if "sampler_log_probs" in columns:
            weights = importance(old_log_probs, sampler_log_probs, cap, correction, sequence)
            terms = terms * weights

        # What a step reports, as sums over tokens: micro-batches and processes add them up.
        with torch.no_grad():
            ratio = (log_probs - old_log_probs).exp()
            sums = {
                "clipped_low": ((ratio < 1 - low) & (advantage < 0)).sum(),
                "clipped_high": ((ratio > 1 + high) & (advantage > 0)).sum(),
                "mismatch": (log_probs - sampler_log_probs).abs().sum(),
                # The mean of -log-probability over sampled tokens estimates the entropy.
                "entropy": -log_probs.sum(),
            }

        if beta > 0:
            ref_log_probs = columns["ref_log_probs"]
            terms = terms + beta * kl_estimate(log_probs, ref_log_probs, kl)
            # Whatever is optimised, k3 is reported: it is never negative and has the least variance.
            sums["kl"] = kl_estimate(log_probs.detach(), ref_log_probs, "k3").sum()

        return terms * columns["weight"], sums

    return loss


def likelihood_loss(log_probs: Tensor, columns: Columns) -> tuple[Tensor, dict[str, Tensor]]:
    """-weight x log-probability: SFT and RFT (weight 0 or 1, Eq. 10), and DPO (weight of either sign, Eq. 13)."""
    return -log_probs * columns["weight"], {"entropy": -log_probs.detach().sum()}


def likelihood_kl_loss(beta: float, kl: str) -> Loss:
    """RFT with a KL term: of each token -right x log-probability + beta x KL estimate, times its weight.

    Without `right` a wrong output would leave the loss, and the KL term with it; GRPO's acts on all outputs alike.
    """

    def loss(log_probs: Tensor, columns: Columns) -> tuple[Tensor, dict[str, Tensor]]:
        ref_log_probs = columns["ref_log_probs"]
        divergence = kl_estimate(log_probs, ref_log_probs, kl)
        terms = beta * divergence - columns["right"] * log_probs
        sums = {
            "entropy": -log_probs.detach().sum(),
            "kl": kl_estimate(log_probs.detach(), ref_log_probs, "k3").sum(),
        }
        return terms * columns["weight"], sums

    return loss


def dpo_loss(margin: Tensor, beta: float) -> Tensor:
    """-log sigmoid(beta x margin): Eq. 12 for averaged log-ratios, standard DPO for summed ones."""
    return -torch.nn.functional.logsigmoid(beta * margin)


def dpo_coefficient(margin: Tensor, beta: float) -> Tensor:
    """What multiplies the gradient of either answer's log-ratio: beta sigmoid(-beta x margin).

    It is the derivative of `dpo_loss`. The paper's Eq. 14 leaves out the factor beta.
    """
    return beta * torch.sigmoid(-beta * margin)
