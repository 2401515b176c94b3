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


def importance(old_log_probs: Tensor, sampler_log_probs: Tensor, cap: float) -> Tensor:
    """Truncated importance weights: min(old policy / sampling policy, cap).

    They correct for tokens that another implementation of the same policy has sampled.
    """
    return (old_log_probs - sampler_log_probs).exp().clamp(max=cap)


def grpo_loss(beta: float, kl: str, low: float, high: float, cap: float = 2.0) -> Loss:
    """The loss of GRPO: Eq. 3 with its sign turned. With `beta` 0 that of PPO, whose KL is in the reward.

    Args:
        beta: factor of the KL term.
        kl: which estimate of it, see `kl_estimate`.
        low, high: how far the ratio may go below and above 1.
        cap: largest importance weight, for rows with the column "sampler_log_probs".

    Returns:
        A function of log-probabilities [N] and columns. It returns the terms [N], and sums over the tokens of what a
        step reports.
    """

    def loss(log_probs: Tensor, columns: Columns) -> tuple[Tensor, dict[str, Tensor]]:
        old_log_probs = columns["old_log_probs"]
        advantage = columns["advantage"]
        sampler_log_probs = columns.get("sampler_log_probs", old_log_probs)

        terms = -clipped_policy(log_probs, old_log_probs, advantage, low, high)
        if "sampler_log_probs" in columns:
            terms = terms * importance(old_log_probs, sampler_log_probs, cap)

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


def dpo_loss(margin: Tensor, beta: float) -> Tensor:
    """-log sigmoid(beta x margin): Eq. 12 for averaged log-ratios, standard DPO for summed ones."""
    return -torch.nn.functional.logsigmoid(beta * margin)


def dpo_coefficient(margin: Tensor, beta: float) -> Tensor:
    """What multiplies the gradient of either answer's log-ratio: beta sigmoid(-beta x margin).

    It is the derivative of `dpo_loss`. The paper's Eq. 14 leaves out the factor beta.
    """
    return beta * torch.sigmoid(-beta * margin)
