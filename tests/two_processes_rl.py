"""What test_rl_distributed starts under torchrun: RL on all processes, weights and metrics in a folder.

torchrun --nproc-per-node 2 tests/two_processes_rl.py START FOLDER        (or plain python: the same with one process)
"""

import sys
from pathlib import Path

import test_rl_train

from pipeline import distributed
from pipeline.artifacts import write_jsonl
from pipeline.checkpoint import Checkpoints
from pipeline.models import save_model

RUNS = {
    "replicate": {},
    "shard": {"distribution": "shard"},
    "process": {"method": "ppo", "ppo": {"value_learning_rate": 1e-3}},
}


@distributed.session()
def main() -> None:
    start, folder = map(Path, sys.argv[1:])
    for name, changes in RUNS.items():
        learner = test_rl_train.learner(start, steps=3, checkpoint_every=100, evaluate_every=0, **changes)
        learner.run(Checkpoints(None, ""))
        save_model(folder / name, learner.policy, learner.tokenizer, card="", stage="rl.train", settings={})
        if distributed.is_main():
            write_jsonl(folder / f"{name}.jsonl", learner.lines)


if __name__ == "__main__":
    main()
