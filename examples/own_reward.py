"""A reward of your own: a class with one method, named in the settings as `module:Class`.

    python -m examples.own_reward --results results/mini     # scores the recorded rollouts of a finished run

To train with it, write an overlay and give it to Snakemake (minutes):

    # brief.yaml
    extends: mini
    name: brief
    rl: {rewards: {rule: 1.0, "examples.own_reward:Brevity": 0.2}}

    snakemake --cores all rl_model --config preset=brief.yaml

Rewards are added with their weights, and each is logged by name beside the rule's verdict. The code of this module is
part of what decides whether the policy is trained again: change the class, and the next run trains.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.artifacts.records import Problem, read_jsonl
from pipeline.inference.engine import Sample
from rl.rollouts import Group, Question

ENOUGH = 20
"""Characters that a solution may have at no cost."""


class Brevity:
    """1 up to ENOUGH characters, then less and less. Made without arguments, once for a training."""

    def score(self, groups: Sequence[Group]) -> list[np.ndarray]:
        """All groups of a step at once: one array [G] for each group, one number for each output."""
        return [np.array([self.of_text(text) for text in group.texts]) for group in groups]

    def of_text(self, text: str) -> float:
        return min(1.0, ENOUGH / max(1, len(text.strip())))


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--results", type=Path, default=Path("results/mini"))
    args = parser.parse_args(argv)

    # Recorded rollouts, made groups again: a group is one question with all its outputs.
    groups, rewards = [], []
    for record in read_jsonl(args.results / "rl/rollouts.jsonl"):
        problem = Problem(record["id"], record["question"], record["answer"])
        outputs = record["outputs"]
        # Brevity reads texts only; tokens and log-probabilities are there for rewards that need them.
        samples = [Sample([], [], output["finish"]) for output in outputs]
        texts = [output["text"] for output in outputs]
        groups.append(Group(Question(problem, []), samples, texts))
        rewards.append([output["reward"] for output in outputs])

    scores = Brevity().score(groups)
    for group, brevity, reward in zip(groups, scores, rewards, strict=True):
        print(
            f"{group.question.problem.id}  reward {np.mean(reward):.2f}  brevity {brevity.mean():.2f}"
        )

        shortest = group.texts[int(brevity.argmax())].strip()
        print(f"    {' | '.join(shortest.splitlines())[:90]}")


if __name__ == "__main__":
    main()
