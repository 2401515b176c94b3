"""A training that is told to stop saves and ends; a folder of state has one training at a time."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.training import stop
from pipeline.training.folder_lock import lock_folder, release_folder

ROOT = Path(__file__).resolve().parents[2]
HOLD = """
import sys, time
from pathlib import Path
from pipeline.training.folder_lock import lock_folder
lock_folder(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""
TRAIN = """
import sys, time
from pathlib import Path
from tests.support.tiny_model import tiny_model
from pipeline.config.schedule import constant
from pipeline.training.checkpoint import Checkpoints
from pipeline.training.loop import Plan, train
from pipeline.training.step import adamw, weighted_nll
from tests.support.two_processes import rows_of_step

def slow(step):
    print(step, flush=True)
    time.sleep(0.2)
    return rows_of_step(step)

model = tiny_model()
plan = Plan("t", 6, constant(1e-2), 64, precision="fp32", checkpoint_every=100)
train(model, adamw(model), slow, weighted_nll, plan, Checkpoints(Path(sys.argv[1]), "same"))
total = sum(float(p.double().sum()) for p in model.parameters())
print("done", repr(total), flush=True)
"""


def python(code: str, *arguments: object, **variables: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | variables,
    )


def test_a_folder_in_use_is_refused_with_host_and_job_and_free_when_the_holder_is_killed(tmp_path):
    holder = python(HOLD, tmp_path / "base", SLURM_JOB_ID="4711")
    assert holder.stdout is not None and holder.stdout.readline() == "held\n"

    with pytest.raises(UserError, match=rf"in use by process {holder.pid} of Slurm job 4711 on "):
        lock_folder(tmp_path / "base")

    holder.kill()
    holder.wait()
    lock_folder(tmp_path / "base")
    lock_folder(tmp_path / "base")  # its own

    release_folder(tmp_path / "base")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("number", stop.SIGNALS)
def test_a_signal_costs_no_finished_step_and_the_result_is_the_same(number, tmp_path):
    whole = python(TRAIN, tmp_path / "whole")
    assert whole.stdout is not None
    expected = whole.stdout.read().splitlines()[-1]

    mark = tmp_path / "stopped"
    told = python(TRAIN, tmp_path / "told", STOPPED_FILE=str(mark))
    assert told.stdout is not None
    while told.stdout.readline() != "2\n":
        assert told.poll() is None
    told.send_signal(number)
    assert told.wait(60) == os.EX_TEMPFAIL == stop.EXIT_STATUS
    assert mark.exists() and [file.name for file in (tmp_path / "told").glob("step*")] == [
        "step-000000003.pt"
    ]

    again = python(TRAIN, tmp_path / "told")
    output = again.communicate(timeout=60)[0].splitlines()
    assert output[0] == "3" and output[-1] == expected


def test_a_second_signal_ends_the_process_at_once():
    code = "from pipeline.training import stop\nimport time\nstop.listen()\nprint('on', flush=True)\ntime.sleep(60)"
    process = python(code)
    assert process.stdout is not None and process.stdout.readline() == "on\n"

    process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == -signal.SIGTERM
