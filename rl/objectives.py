"""Objectives: per-token terms of log-probabilities, all [N] over the scored tokens of a micro-batch. Pure functions.

Nothing here divides: a term is multiplied with the column "weight", whose denominator was computed for the whole
step, and the sum of the terms of all micro-batches is the loss.

Columns: weight; advantage; old, log-probabilities before the update; reference, the reference model's; sampler, where
the sampler's are not the old ones.
"""

import torch
from torch import Tensor

from pipeline.training.step import Columns, Loss


def clipped_policy(
    logprobs: Tensor, old: Tensor, advantage: Tensor, low: float, high: float
) -> Tensor:
    """min(ratio A, clip(ratio, 1 - low, 1 + high) A): Eqs. 1 and 3 of the paper, to be maximised."""
    ratio = (logprobs - old).exp()
    return torch.min(ratio * advantage, ratio.clamp(1 - low, 1 + high) * advantage)


def kl_estimate(logprobs: Tensor, reference: Tensor, kind: str) -> Tensor:
    """Per-token estimate of KL(policy || reference) from a token sampled from the policy.

    "k1" log(pi/ref), "k2" half its square, "k3" ref/pi - log(ref/pi) - 1, the paper's Eq. 4. On average the gradient
    of k1 is 0, that of k2 is the reverse KL's, that of k3 is the forward KL's (ref/pi - 1 in Eq. 21). "k1_corrected"
    and "k3_corrected" are multiplied with pi/stop_gradient(pi) and have the reverse KL's gradient.
    """
    name, _, corrected = kind.partition("_")
    log_ratio = reference - logprobs
    estimates = {
        "k1": lambda: -log_ratio,
        "k2": lambda: log_ratio**2 / 2,
        "k3": lambda: log_ratio.exp() - log_ratio - 1,
    }
    value = estimates[name]()
    return value * (logprobs - logprobs.detach()).exp() if corrected else value


def importance(old: Tensor, sampler: Tensor, cap: float) -> Tensor:
    """min(old policy / sampling policy, cap): weights tokens that another implementation of the policy sampled."""
    return (old - sampler).exp().clamp(max=cap)


def grpo_loss(beta: float, kl: str, low: float, high: float, cap: float = 2.0) -> Loss:
    """The loss of GRPO (Eq. 3 with the minus sign of a loss) and of PPO (beta 0: there the KL is in the reward).

    Rows with a column "sampler" are corrected for the difference of sampler and trainer, at most by `cap`.
    """

    def loss(logprobs: Tensor, columns: Columns) -> tuple[Tensor, dict[str, Tensor]]:
        old, advantage = columns["old"], columns["advantage"]
        sampler = columns.get("sampler", old)
        terms = -clipped_policy(logprobs, old, advantage, low, high)
        if "sampler" in columns:
            terms = terms * importance(old, sampler, cap)
        with torch.no_grad():
            ratio = (logprobs - old).exp()
            sums = {
                "clipped_low": ((ratio < 1 - low) & (advantage < 0)).sum(),
                "clipped_high": ((ratio > 1 + high) & (advantage > 0)).sum(),
                "mismatch": (logprobs - sampler).abs().sum(),
                "entropy": -logprobs.sum(),
            }
        if beta > 0:
            divergence = kl_estimate(logprobs, columns["reference"], kl)
            terms = terms + beta * divergence
            sums["kl"] = kl_estimate(logprobs.detach(), columns["reference"], "k3").sum()
        return terms * columns["weight"], sums

    return loss


def likelihood_loss(logprobs: Tensor, columns: Columns) -> tuple[Tensor, dict[str, Tensor]]:
    """-weight x log-probability: SFT and RFT (weight 0 or 1, Eq. 10), and DPO (weight of either sign, Eq. 13)."""
    return -logprobs * columns["weight"], {"entropy": -logprobs.detach().sum()}


def dpo_loss(margin: Tensor, beta: float) -> Tensor:
    """-log sigmoid(beta x margin): Eq. 12 of the paper for averaged log-ratios, standard DPO for summed ones."""
    return -torch.nn.functional.logsigmoid(beta * margin)


def dpo_coefficient(margin: Tensor, beta: float) -> Tensor:
    """What multiplies the gradient of either answer's log-ratio: beta sigmoid(-beta x margin).

    It is the derivative of `dpo_loss`; the paper's Eq. 14 leaves out the factor beta.
    """
    return beta * torch.sigmoid(-beta * margin)
