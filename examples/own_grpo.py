"""Variants of GRPO of your own: a normalisation, an aggregation and a KL term, named in the settings as
`module:function`.

    python -m examples.own_grpo          # a worked example of each beside the built-in one

To train with them, write an overlay and give it to Snakemake (minutes; everything before RL is taken from mini):

    # variant.yaml
    extends: mini
    name: variant
    from: results/mini
    rl:
      normalisation: examples.own_grpo:leave_one_out
      aggregation: examples.own_grpo:square_root
      kl: examples.own_grpo:jensen_shannon

    snakemake --cores all rl_model --config preset=variant.yaml

Each is tried on worked examples in Snakemake's first seconds, and its code counts as the code of RL: change a function,
and the next run trains the policy again.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from rl.advantages import normalise, token_weights
from rl.objectives import kl_estimate


def leave_one_out(rewards: np.ndarray, pool: np.ndarray) -> np.ndarray:
    """RLOO (arXiv 2402.14740): each reward minus the mean of the others of its group.

    It is asked only where the pool's rewards differ, so the pool holds two rewards at least.
    """
    others = (pool.sum() - rewards) / (len(pool) - 1)
    return rewards - others


def square_root(lengths: Sequence[int], max_new_tokens: int) -> list[float]:
    """Between `sequence` and `token`: an output counts by the square root of its length."""
    total = sum(math.sqrt(length) for length in lengths)
    return [1 / (total * math.sqrt(length)) if length else 0.0 for length in lengths]


def jensen_shannon(log_probs: Tensor, ref_log_probs: Tensor) -> Tensor:
    """The Jensen-Shannon divergence, estimated from tokens of the policy.

    With r = reference / policy it is the mean of (r log r - (1 + r) log((1 + r) / 2)) / 2. It is at most log 2, and a
    token that the reference finds far likelier weighs less than in k3.
    """
    log_ratio = ref_log_probs - log_probs
    ratio = log_ratio.exp()
    mixture = torch.log1p(ratio) - math.log(2)
    return (ratio * log_ratio - (1 + ratio) * mixture) / 2


def main() -> None:
    rewards = np.array([1.0, 0.0, 0.0, 1.0])
    print("rewards        ", rewards)
    for how in ("population", "none", "examples.own_grpo:leave_one_out"):
        print(f"  {how:38}", normalise(rewards, how).round(3))

    lengths = [4, 0, 16]
    print("lengths        ", lengths)
    for how in ("sequence", "token", "examples.own_grpo:square_root"):
        print(f"  {how:38}", np.round(token_weights(lengths, how, 16), 4))

    policy, reference = torch.tensor([-1.0, -1.0, -3.0]), torch.tensor([-1.0, -2.0, -0.5])
    print("policy, reference", policy.tolist(), reference.tolist())
    for how in ("k1", "k3", "examples.own_grpo:jensen_shannon"):
        print(f"  {how:38}", kl_estimate(policy, reference, how).numpy().round(4))


if __name__ == "__main__":
    main()
