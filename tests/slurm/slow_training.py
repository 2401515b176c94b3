"""A small training with slow steps, for tests/slurm/test_slurm.py: two_processes.py's model, rows and loop.

python slow_training.py FOLDER SECONDS     a step takes so many; writes FOLDER/model, the state is in FOLDER/resume
"""

import sys
import time
from pathlib import Path

from pipeline.config.schedule import constant
from pipeline.config.training import Optimisation
from pipeline.errors import run_main
from pipeline.forward.batches import Row
from pipeline.model import distributed
from pipeline.model.load import save_model
from pipeline.training.checkpoint import Checkpoints
from pipeline.training.loop import Plan, train
from pipeline.training.prepare import prepare
from pipeline.training.step import adamw, weighted_nll
from tests.support.tiny_model import tiny_model, tiny_tokenizer
from tests.support.two_processes import rows_of_step

STEPS = 24


@distributed.session()
def main(argv: list[str] | None = None) -> None:
    folder, seconds = Path(sys.argv[1]), float(sys.argv[2])

    def slow_rows(step: int) -> list[Row]:
        if distributed.is_main():
            print(f"step {step}", flush=True)
        time.sleep(seconds)
        return rows_of_step(step)

    checkpoints = Checkpoints(folder / "resume", "slow")
    model = prepare(tiny_model(), Optimisation(precision="fp32"))
    plan = Plan("slow", STEPS, constant(1e-2), 64, precision="fp32", checkpoint_every=1000)
    train(model, adamw(model), slow_rows, weighted_nll, plan, checkpoints)
    save_model(
        folder / "model", model, tiny_tokenizer(), card="", stage="pipeline.training", settings={}
    )


if __name__ == "__main__":
    run_main(main)
