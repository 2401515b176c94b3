"""Snakemake's lock is opened where the run that closed it is dead, and nowhere else."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.preflight import run_lock

ROOT = Path(__file__).resolve().parents[2]
RUN = """
import sys, time
from pathlib import Path
from pipeline.preflight import run_lock
run_lock.hold()
if "lock" in sys.argv:
    Path(".snakemake/locks").mkdir(exist_ok=True)
    Path(".snakemake/locks/0.input.lock").write_text("a")
print("held", flush=True)
if "stay" in sys.argv:
    time.sleep(60)
"""


def run(folder: Path, *words: str, **variables: str) -> subprocess.Popen:
    """A process that does what the Snakefile does; returns when it holds."""
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, *words],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | variables,
    )
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    return process


def killed(process: subprocess.Popen) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def locked(folder: Path) -> bool:
    return (folder / ".snakemake" / "locks" / "0.input.lock").exists()


def test_the_lock_of_a_killed_run_is_opened(tmp_path):
    killed(run(tmp_path, "lock", "stay"))
    assert locked(tmp_path)
    _, said = run(tmp_path).communicate()
    assert not locked(tmp_path) and "killed is opened" in said


def test_the_lock_of_a_living_run_stays(tmp_path):
    living = run(tmp_path, "lock", "stay")
    run(tmp_path).communicate()
    assert locked(tmp_path)

    # Also when another run that saw it is dead, and until the last one is.
    killed(living)
    other = run(tmp_path, "stay")
    assert not locked(tmp_path)
    killed(other)


def test_a_run_beside_a_living_one_opens_nothing_after_the_first_is_dead(tmp_path):
    first = run(tmp_path, "lock", "stay")
    second = run(tmp_path, "stay")
    killed(first)
    run(tmp_path).communicate()
    assert locked(tmp_path), "the second may have made the lock"
    killed(second)


def test_jobs_that_a_killed_run_left_over_keep_the_lock(tmp_path):
    killed(run(tmp_path, "lock", "stay"))
    job = subprocess.Popen(
        ["sleep", "60"], env=os.environ | {run_lock.VARIABLE: os.path.realpath(tmp_path)}
    )
    try:
        assert run_lock.left_over(os.path.realpath(tmp_path)) == [job.pid]
        _, said = run(tmp_path).communicate()
        assert locked(tmp_path) and str(job.pid) in said
    finally:
        killed(job)


@pytest.mark.parametrize("hosts", ["another-host\n", ""])
def test_a_lock_of_another_host_or_of_an_older_version_is_left_with_a_hint(tmp_path, hosts):
    killed(run(tmp_path, "lock", "stay"))
    (tmp_path / ".snakemake" / "run").write_text(hosts)
    _, said = run(tmp_path).communicate()
    assert locked(tmp_path) and "snakemake --unlock" in said
