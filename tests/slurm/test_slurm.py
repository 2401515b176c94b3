"""The launch script, the time limit and the DAG on a real Slurm of two nodes, which tests/slurm/run.sh has started."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from pipeline.workflow import ROOT

if "SLURM_TEST_FOLDER" not in os.environ:
    pytest.skip("needs a Slurm of its own: make test_slurm", allow_module_level=True)

HERE = Path(__file__).resolve().parent
PROFILE = ROOT / "profiles" / "slurm"
# As the executor does it: every variable of Slurm's is removed but the job's number.
LAUNCH = """#!/bin/bash
for name in ${!SLURM_*}; do [ $name = SLURM_JOB_ID ] || unset $name; done
cd %s
exec bash %s "$@"
"""


@pytest.fixture
def launch(tmp_path):
    """Submit the launch script with a program; returns the job's number."""
    script = tmp_path / "launch.sh"
    script.write_text(LAUNCH % (tmp_path, PROFILE / "torchrun.sh"))
    (tmp_path / ".snakemake").mkdir()

    def submit(shape: str, *program: object, minutes: int = 5) -> str:
        done = subprocess.run(
            ["sbatch", "--parsable", "--requeue", f"--time={minutes}", "--mem=3000", *shape.split(),
             f"--output={tmp_path}/%j.out", "--open-mode=append", script, *map(str, program)],
            capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return submit


def scontrol(job: str, name: str) -> str:
    text = subprocess.run(["scontrol", "show", "job", job], capture_output=True, text=True).stdout
    return re.findall(rf"\b{name}=(\S+)", text)[0]


def wait(job: str, *states: str, seconds: float = 180) -> str:
    """The job's state, when it is one of `states` or an end."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        state = scontrol(job, "JobState")
        if state in (*states, "COMPLETED", "FAILED", "TIMEOUT", "CANCELLED", "NODE_FAIL"):
            return state
        time.sleep(0.5)
    raise AssertionError(f"job {job} is {state} after {seconds} s")


@pytest.mark.parametrize(
    ("shape", "nodes", "processes"),
    [
        ("--nodes=2 --ntasks-per-node=2 --gpus-per-node=2", 2, 2),
        ("--nodes=2 --ntasks=2 --gpus-per-node=1", 2, 1),
        ("--nodes=1 --ntasks-per-node=2 --cpus-per-task=2", 1, 2),
    ],
)
def test_one_and_several_nodes_start_a_process_a_gpu_or_a_task(
    launch, tmp_path, shape, nodes, processes
):
    job = launch(shape, HERE / "probe.py")
    state = wait(job)
    text = (tmp_path / f"{job}.out").read_text()
    assert state == "COMPLETED", text

    found = re.findall(r"process (\d+) of (\d+), (\d+) of (\d+) on (node\d)", text)
    world = nodes * processes
    assert sorted(int(line[0]) for line in found) == list(range(world))
    assert {(int(line[1]), int(line[3])) for line in found} == {(world, processes)}
    assert len({(line[4], line[2]) for line in found}) == world


def test_an_uneven_number_of_gpus_is_refused(launch, tmp_path):
    job = launch("--nodes=2 --ntasks=2 --gpus=3", HERE / "probe.py")
    assert wait(job) == "FAILED"
    assert "nodes with 1 and with 2 GPUs" in (tmp_path / f"{job}.out").read_text()


def test_processes_that_wait_end_when_one_has_failed(launch):
    job = launch("--nodes=2 --ntasks-per-node=1 --gpus-per-node=1", HERE / "probe.py", "fail")
    assert wait(job) == "FAILED"


def test_a_time_limit_costs_no_finished_step_and_a_second_job_is_refused(launch, tmp_path):
    shape = "--nodes=2 --ntasks-per-node=1 --signal=USR1@15"
    # Slurm looks at time limits once a minute: the signal comes up to a minute before its time.
    job = launch(shape, HERE / "slow_training.py", tmp_path, 4, minutes=2)
    assert wait(job, "RUNNING") == "RUNNING"
    output = tmp_path / f"{job}.out"
    while "step 0" not in (output.read_text() if output.exists() else ""):
        time.sleep(0.5)

    second = launch("--nodes=1 --ntasks=2", HERE / "slow_training.py", tmp_path, 0)
    assert wait(second) == "FAILED"
    refusal = (tmp_path / f"{second}.out").read_text()
    assert re.search(rf"/resume: in use by process \d+ of Slurm job {job} on ", refusal)

    assert wait(job, seconds=400) == "COMPLETED"
    assert int(scontrol(job, "Restarts")) >= 1
    steps = [int(number) for number in re.findall(r"^step (\d+)", output.read_text(), re.M)]
    assert steps == list(range(24)), "every step once"

    alone = tmp_path / "alone"
    subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2",
         HERE / "slow_training.py", alone, "0"],
        check=True, capture_output=True, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    weights = [
        (folder / "model" / "model.safetensors").read_bytes() for folder in (tmp_path, alone)
    ]
    assert weights[0] == weights[1]


def merged(profile: dict, overlay: dict) -> dict:
    """The profile with the overlay's values in the place of its own, key by key."""
    result = dict(profile)
    for key, value in overlay.items():
        inner = result.get(key)
        result[key] = merged(inner, value) if isinstance(inner, dict) else value
    return result


def test_the_dag_runs_through_the_profile_and_goes_on_after_a_kill(tmp_path):
    """To the base model on two nodes and the instruct model on one; Snakemake is killed once on the way."""
    profile, overlay = (
        yaml.safe_load(file.read_text())
        for file in (PROFILE / "profile.yaml", HERE / "overlay.yaml")
    )
    (tmp_path / "profile").mkdir()
    (tmp_path / "profile" / "profile.yaml").write_text(yaml.safe_dump(merged(profile, overlay)))
    command = [
        sys.executable, "-m", "snakemake", "sft_model", "--snakefile", ROOT / "Snakefile",
        "--directory", tmp_path, "--workflow-profile", tmp_path / "profile", "--config", "preset=smoke",
    ]  # fmt: skip

    def start() -> subprocess.Popen:
        return subprocess.Popen(
            list(map(str, command)), text=True, cwd=tmp_path, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    first = start()
    assert first.stdout is not None
    for line in first.stdout:
        if "with SLURM jobid" in line:
            break
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()

    # What it had submitted works on; nothing may start beside it.
    number = line.split("SLURM jobid ")[1].split()[0]
    refused = start()
    output = refused.communicate(timeout=120)[0]
    assert refused.returncode != 0
    assert re.search(rf"still at work here \(.*Slurm jobs {number}\)", output), output[-3000:]

    until = time.monotonic() + 120
    while subprocess.run(["squeue", "--noheader"], capture_output=True).stdout:
        assert time.monotonic() < until
        time.sleep(1)

    second = start()
    output = second.communicate(timeout=800)[0]
    assert second.returncode == 0, output[-3000:]
    assert "the lock of a run that was killed is opened" in output
    for name in ("base", "sft"):
        assert (tmp_path / "results" / "smoke" / "models" / name / "manifest.json").exists()
