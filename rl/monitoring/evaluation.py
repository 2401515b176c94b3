"""The curve of RL: greedy accuracy on held-out problems, by the rule."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from pipeline.inference.engine import Engine, SamplingSettings
from rl.rewards import RuleReward
from rl.rollouts import Question, roll_out


def greedy_accuracy(
    sampler: Engine, held_out: Sequence[Question], max_new_tokens: int, step: int
) -> dict[str, float]:
    """Share of the held-out problems that the weights in `sampler` solve without sampling, as a line of metrics.

    Where problems have levels, also the share of each level, as "heldout_greedy/<level>".
    """
    greedy = SamplingSettings(temperature=0, max_new_tokens=max_new_tokens)
    groups = roll_out(sampler, held_out, 1, greedy, step)

    # As in evaluation, and other than for rewards, an answer without a box counts too.
    scores = RuleReward(final_box_only=False).score(groups)
    levels = [question.problem.level for question in held_out]
    return {
        "step": step,
        "heldout_greedy": float(np.mean(scores)),
        "heldout_problems": len(groups),
        **_by_level(levels, scores),
    }


def _by_level(levels: Sequence[str], scores: Sequence[np.ndarray]) -> dict[str, float]:
    groups: dict[str, list[float]] = defaultdict(list)
    for level, score in zip(levels, scores, strict=True):
        if level:
            groups[level].append(float(np.mean(score)))

    # A single level would only repeat the share of all problems.
    if len(groups) < 2:
        return {}
    return {f"heldout_greedy/{level}": float(np.mean(groups[level])) for level in sorted(groups)}
