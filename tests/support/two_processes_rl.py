"""What tests/rl/test_distributed.py starts under torchrun: reward models and RL on all processes, results in a folder.

torchrun --nproc-per-node 2 tests/support/two_processes_rl.py START FOLDER   (or plain python: one process)
"""

import sys
from pathlib import Path

from pipeline.model import distributed
from rl import reward_model
from rl import train as rl_train
from rl.trainer import Trainer
from tests.support import rl_toy

REWARDS = {"outcome": {}, "process": {"distribution": "shard"}}
"""Reward models: kind and changed settings."""
EVERYTHING = {"method": "ppo", "ppo": {"value_learning_rate": 1e-3}, "iterations": 2}
EVERYTHING |= {"rewards": {"outcome_model": 1.0}}
ALONE = {"plain": {}, "everything": EVERYTHING}
"""What one process does; two do it replicated and sharded."""
RUNS = {
    f"{name}_{how}": given | {"distribution": how}
    for name, given in ALONE.items()
    for how in ("replicate", "shard")
}


class Stopped(Exception):
    pass


def stopping(explore, last: int):
    """`Trainer.explore` until the step `last`."""

    def stop(self, step):
        if step == last:
            raise Stopped
        return explore(self, step)

    return stop


def train(start: Path, folder: Path, name: str, changes: dict) -> None:
    given = rl_toy.arguments(start, folder / name, **({"steps": 4, "evaluate_every": 0} | changes))
    rl_train.main([*given, "--outcome-model", str(folder / "outcome" / "reward")])


@distributed.session()
def main() -> None:
    start, folder = map(Path, sys.argv[1:])
    for name in (*REWARDS, *ALONE, *RUNS, "resumed"):
        (folder / name).mkdir(exist_ok=True)
    for kind, changes in REWARDS.items():
        given = {
            "epochs": 1,
            "samples_per_problem": 6,
            "completions": 2,
            "batch_solutions": 8,
        } | changes
        reward_model.main(rl_toy.reward_options(start, folder / kind, kind, **given))
    for name, changes in (RUNS if distributed.world_size() > 1 else ALONE).items():
        train(start, folder, name, changes)
    if distributed.world_size() > 1:
        explore = Trainer.explore
        Trainer.explore = stopping(explore, 3)
        try:
            train(start, folder, "resumed", RUNS["everything_shard"])
        except Stopped:
            Trainer.explore = explore
            train(start, folder, "resumed", RUNS["everything_shard"])


if __name__ == "__main__":
    main()
