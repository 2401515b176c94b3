"""kill -9 in the middle of a job, then the same command again: the same bytes, and nothing half-made between.

The final corpus, rounds and downloads have tests of the same kind beside their own.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.artifacts.write import write_json
from tests.support.corpus_tables import page, write_pages
from tests.support.warc_records import response, write

ROOT = Path(__file__).resolve().parents[2]


def extraction(folder: Path, out: str) -> list[str]:
    archive, config = folder / "a.warc.gz", folder / "config.json"
    if not archive.exists():
        # Long enough that the job can be killed in the middle.
        write(archive, [response(n, "A page of some words. " * 200) for n in range(300)])
        write_json(config, {})

    command = ["corpus.extract", str(archive), "--config", str(config), "--shard", "s"]
    for name in ("pages", "rejects", "stats"):
        command += [f"--{name}", str(folder / out / name)]
    return command


def deduplication(folder: Path, out: str) -> list[str]:
    pages, config = folder / "pages", folder / "config.json"
    if not pages.exists():
        write_pages(folder, [page(number) for number in range(200)] + [page(0)], shards=20)
        write_json(config, {})
    return [
        *("corpus.dedup", "--config", str(config)),
        *("--pages", str(pages), "--out", str(folder / out)),
    ]


def files_in(folder: Path) -> dict[Path, bytes]:
    """Path below the folder -> content."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder): path.read_bytes() for path in files}


@pytest.mark.parametrize(
    ("command", "begun"),
    [(extraction, "again/.pages*"), (deduplication, ".again.*/.signatures/*.parquet")],
)
def test_a_killed_job_ends_with_the_same_bytes_when_run_again(command, begun, tmp_path):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}

    def run(out: str) -> None:
        job = [sys.executable, "-m", *command(tmp_path, out)]
        subprocess.run(job, cwd=ROOT, env=environment, check=True, capture_output=True)

    run("whole")

    # Kill it as soon as the first temporary file is there.
    job = subprocess.Popen(
        [sys.executable, "-m", *command(tmp_path, "again")],
        cwd=ROOT,
        env=environment,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not list(tmp_path.glob(begun)):
        assert job.poll() is None
        time.sleep(0.002)
    os.kill(job.pid, signal.SIGKILL)
    job.wait()
    left = (tmp_path / "again").glob("*")
    assert all(path.name.startswith(".") for path in left)

    run("again")
    whole, again = files_in(tmp_path / "whole"), files_in(tmp_path / "again")
    assert whole
    # Nothing that the killed job had begun is left, neither inside nor beside what it writes.
    assert again == whole
    assert not list(tmp_path.glob(".again*"))
