"""Two processes compute what one does: the small model trained under torchrun on the CPU (gloo)."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import torch
from safetensors.torch import load_file

from pipeline.artifacts.write import read_json
from pipeline.model import distributed
from pipeline.model.load import load_model
from tests.support.processes import ENVIRONMENT, LAUNCHER, SUPPORT, start


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Results of the same training by one process, by two in all ways, by three, and by one again."""
    folder = tmp_path_factory.mktemp("processes")
    start(SUPPORT / "two_processes.py", folder)
    start(*LAUNCHER, SUPPORT / "two_processes.py", folder)
    start(*LAUNCHER[:-1], 3, SUPPORT / "two_processes.py", folder)
    start(SUPPORT / "two_processes.py", folder)
    return folder


def metrics(folder, name):
    return [json.loads(line) for line in (folder / f"{name}.jsonl").read_text().splitlines()]


THREE = ["replicate_three", "shard_three"]
OTHER_NUMBER = ["one_to_two", "two_to_three", "three_to_one"]
"""Stopped and gone on with by another number of processes."""


@pytest.mark.parametrize("name", ["replicate", "shard", "frugal", "hybrid", *THREE])
def test_several_processes_have_the_losses_norms_counts_and_evaluations_of_one(folder, name):
    one, two = metrics(folder, "one"), metrics(folder, name)
    assert (
        [line["step"] for line in two]
        == [line["step"] for line in one]
        == [0, 1, 2, 3, 4, 4, 5, 6, 6]
    )
    for a, b in zip(one, two, strict=True):
        for key in set(a) & {"loss", "grad_norm", "nll"}:
            assert b[key] == pytest.approx(a[key], rel=2e-5)
        assert a.get("scored") == b.get("scored") and a.get("learning_rate") == b.get(
            "learning_rate"
        )


@pytest.mark.parametrize(
    "name",
    ["replicate", "shard", "frugal", "hybrid", "to_shard", "to_replicate", *THREE, *OTHER_NUMBER],
)
def test_several_processes_end_with_the_weights_of_one(folder, name):
    one, two = (load_file(folder / each / "model.safetensors") for each in ("one", name))
    assert set(one) == set(two)
    assert max((one[key] - two[key]).abs().max().item() for key in one) < 1e-5


def test_the_model_was_sharded_where_it_was_asked_for_and_counts_all_its_weights(folder):
    report, one = read_json(folder / "report-2.json"), read_json(folder / "report-1.json")
    assert (
        report["processes"] == 2
        and report["shard"]["sharded"]
        and not report["replicate"]["sharded"]
    )
    assert report["shard"]["parameters"] == one["one"]["parameters"]


def test_a_sharded_run_that_was_stopped_ends_with_the_same_bits(folder):
    whole, resumed = (folder / name / "model.safetensors" for name in ("shard", "resumed"))
    assert whole.read_bytes() == resumed.read_bytes()


def test_a_stopped_run_goes_on_in_the_other_distribution(folder):
    report = read_json(folder / "report-2.json")
    assert report["to_shard"]["sharded"] and not report["to_replicate"]["sharded"]
    for name in ("to_shard", "to_replicate"):
        whole, changed = metrics(folder, "shard"), metrics(folder, name)
        assert [line["step"] for line in changed] == [line["step"] for line in whole]
        assert changed[-1]["nll"] == pytest.approx(whole[-1]["nll"], rel=2e-5)


def test_a_run_whose_processes_are_killed_twice_ends_with_the_same_bits(folder):
    """First while it trains replicated, then while it trains sharded; the third start goes through."""
    command = [sys.executable, *LAUNCHER, SUPPORT / "two_processes.py", folder, "slow"]
    for name in ("slow-replicate", "slow-shard"):
        launcher = subprocess.Popen(
            [*map(str, command)], env=ENVIRONMENT, stderr=subprocess.DEVNULL
        )
        while not list((folder / f"resume-{name}").glob("step-*")) and launcher.poll() is None:
            time.sleep(0.02)
        for process in (0, 1):
            os.kill(int((folder / f"{name}.{process}.pid").read_text()), signal.SIGKILL)
        assert launcher.wait() != 0 and not (folder / name).exists()
    start(*command[1:])
    for name in ("replicate", "shard"):
        whole, killed = (
            load_file(folder / each / "model.safetensors") for each in (name, f"slow-{name}")
        )
        assert all(torch.equal(whole[key], killed[key]) for key in whole)
        assert [line["step"] for line in metrics(folder, f"slow-{name}")] == [
            0,
            1,
            2,
            3,
            4,
            4,
            5,
            6,
            6,
        ]


def test_the_best_checkpoint_so_far_is_kept_beside_the_last_ones_and_can_be_loaded(folder):
    best, last = (load_file(folder / name / "model.safetensors") for name in ("best", "shard"))
    assert any((best[key] != last[key]).any() for key in best)
    assert (folder / "resume-best" / "best").is_dir() and (
        folder / "resume-one" / "best.pt"
    ).is_file()


def test_a_sharded_model_is_saved_whole_and_loads_in_plain_transformers(folder):
    model = load_model(folder / "shard")
    assert model.config.architectures == ["LlamaForCausalLM"]
    assert model.lm_head.weight is model.model.embed_tokens.weight


def test_a_process_that_waits_in_vain_says_so_and_ends(tmp_path):
    """The second process is gone for longer than the first one's patience."""
    script = tmp_path / "waits.py"
    script.write_text(WAITS)
    done = subprocess.run(
        [sys.executable, *map(str, LAUNCHER), str(script)],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        timeout=300,
    )
    assert done.returncode != 0
    assert "error: process 0 of 2 waited 0 minutes for the others" in done.stderr


WAITS = """
import time
from datetime import timedelta
from pipeline.model import distributed

distributed.PATIENCE = timedelta(seconds=3)

@distributed.session()
def main():
    if distributed.rank() == 1:
        time.sleep(60)
    distributed.gather([1])

main()
"""


def test_with_one_process_nothing_is_shared_out_or_added_up():
    with distributed.session():
        assert (distributed.world_size(), distributed.rank(), distributed.is_main()) == (1, 0, True)
        assert (
            distributed.shard_for_rank([1, 2, 3]) == [1, 2, 3]
            and distributed.all_reduce_max(4) == 4
        )
        assert distributed.all_reduce_sum({"a": 1.5}) == {"a": 1.5}
