"""The curve of RL: greedy accuracy on held-out problems, by the rule."""

from collections.abc import Sequence

import numpy as np

from pipeline.inference.engine import Engine, SamplingSettings
from rl.rewards import RuleReward
from rl.rollouts import Question, roll_out


def greedy_accuracy(
    sampler: Engine, held_out: Sequence[Question], max_new_tokens: int, step: int
) -> dict[str, float]:
    """Share of the held-out problems that the weights in `sampler` solve without sampling, as a line of metrics."""
    greedy = SamplingSettings(temperature=0, max_new_tokens=max_new_tokens)
    groups = roll_out(sampler, held_out, 1, greedy, step)

    # As in evaluation, and other than for rewards, an answer without a box counts too.
    scores = RuleReward(final_box_only=False).score(groups)
    return {
        "step": step,
        "heldout_greedy": float(np.mean(scores)),
        "heldout_problems": len(groups),
    }
