"""What tests/pipeline/test_distributed.py starts under torchrun: small trainings on all processes, results in a JSON
file.

torchrun --nproc-per-node 2 tests/support/two_processes.py FOLDER        (or plain python: one process)
torchrun --nproc-per-node 3 tests/support/two_processes.py FOLDER        (afterwards: goes on with what two have left)
torchrun --nproc-per-node 2 tests/support/two_processes.py FOLDER slow   (two of them with time to be killed)
"""

import os
import sys
import time
from pathlib import Path

import numpy as np
import torch

from pipeline.artifacts.write import write_json, write_jsonl
from pipeline.config.schedule import constant
from pipeline.config.training import Optimisation
from pipeline.forward.batches import Row
from pipeline.forward.layout import layout_for, row_log_probs
from pipeline.model import distributed
from pipeline.model.load import load_model, save_model
from pipeline.training.checkpoint import Checkpoints
from pipeline.training.loop import Plan, train
from pipeline.training.prepare import prepare
from pipeline.training.step import adamw, weighted_nll
from tests.support.tiny_model import tiny_model, tiny_tokenizer

STEPS = 6
START = "start"
SLOW = sys.argv[2:] == ["slow"]


class Stopped(Exception):
    pass


def rows_of_step(step: int) -> list[Row]:
    """Rows of many lengths; the last step has one row, so that the second process has none."""
    draw = np.random.default_rng(step)
    lengths = [11] if step == STEPS - 1 else draw.integers(3, 40, 7)
    rows = [Row(draw.integers(0, 250, n).astype(np.int32), np.arange(n) > 0) for n in lengths]
    total = sum(len(row) - 1 for row in rows)
    for row in rows:
        row.columns["weight"] = np.full(len(row), 1 / total, np.float32)
    return rows


def save_start(folder: Path) -> None:
    """The model that all begin with: tied embeddings (one weight in two places), and a padding token that is a token of
    the texts, as EOS is where it is both."""
    start = tiny_model(tie_word_embeddings=True, pad_token_id=7)
    save_model(
        folder / START, start, tiny_tokenizer(), card="", stage="pipeline.training", settings={}
    )


def run(
    folder: Path, name: str, stop_at: int | None = None, then: dict | None = None, **settings
) -> dict:
    """Train the tiny model; with `stop_at` break off before that step and begin again, with the settings `then` (not
    at all where they are None)."""
    if SLOW:
        (folder / f"{name}.{distributed.rank()}.pid").write_text(str(os.getpid()))
    model = prepare(load_model(folder / START), Optimisation(precision="fp32", **settings))
    checkpoints = Checkpoints(folder / f"resume-{name}", "same")
    plan = Plan(
        name, STEPS, constant(1e-2), 64, precision="fp32", checkpoint_every=2, evaluate_every=4
    )
    plan.packed = name != "one"
    held_out = rows_of_step(100)

    def measured_rows(step: int) -> list[Row]:
        if step == stop_at:
            raise Stopped
        time.sleep(0.4 * SLOW)
        return rows_of_step(step)

    def evaluate() -> dict[str, float]:
        values = row_log_probs(
            model,
            distributed.shard_for_rank(held_out),
            64,
            layout=layout_for(model, packed=False),
            precision="fp32",
        )
        return distributed.all_reduce_sum({"nll": -sum(float(v.sum()) for v in values)})

    try:
        history = train(
            model, adamw(model), measured_rows, weighted_nll, plan, checkpoints, evaluate
        )
    except Stopped:
        return {} if then is None else run(folder, name, **then)
    if distributed.is_main():
        write_jsonl(folder / f"{name}.jsonl", history.lines)
    if name == "best":
        checkpoints.load_best(model)
    save_model(
        folder / name, model, tiny_tokenizer(), card="", stage="pipeline.training.loop", settings={}
    )
    return {
        "results": history.results,
        "parameters": model.num_parameters(),
        "sharded": distributed.is_sharded(model),
    }


@distributed.session()
def main() -> None:
    folder = Path(sys.argv[1])
    torch.set_num_threads(1)
    report = {"processes": distributed.world_size()}
    replicate, shard = {"distribution": "replicate"}, {"distribution": "shard"}
    if distributed.world_size() == 1 and not (folder / START).exists():
        save_start(folder)
        report["one"] = run(folder, "one")
        run(folder, "one_to_two", stop_at=5)
    elif distributed.world_size() == 1:
        run(folder, "three_to_one")
        return
    elif SLOW:
        run(folder, "slow-replicate", distribution="replicate")
        run(folder, "slow-shard")
        return
    elif distributed.world_size() == 3:
        run(folder, "replicate_three", **replicate)
        run(folder, "shard_three", **shard)
        run(folder, "two_to_three")
        run(folder, "three_to_one", stop_at=5)
    else:
        report["replicate"] = run(folder, "replicate", distribution="replicate")
        report["shard"] = run(folder, "shard")
        report["frugal"] = run(folder, "frugal", activation_checkpointing="always")
        # Each process taken for a node of its own: replicated over both.
        of_node, os.environ["LOCAL_WORLD_SIZE"] = os.environ["LOCAL_WORLD_SIZE"], "1"
        report["hybrid"] = run(folder, "hybrid", distribution="hybrid")
        os.environ["LOCAL_WORLD_SIZE"] = of_node
        report["resumed"] = run(folder, "resumed", stop_at=5, then={})
        run(folder, "one_to_two")
        run(folder, "two_to_three", stop_at=5)
        report["to_shard"] = run(folder, "to_shard", stop_at=5, then=shard, **replicate)
        report["to_replicate"] = run(folder, "to_replicate", stop_at=5, then=replicate, **shard)
        report["best"] = run(folder, "best")
    if distributed.is_main():
        write_json(folder / f"report-{distributed.world_size()}.json", report)


if __name__ == "__main__":
    main()
