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
    if not (folder / "a.warc.gz").exists():
        write(
            folder / "a.warc.gz", [response(n, "A page of some words. " * 200) for n in range(300)]
        )
        write_json(folder / "config.json", {})
    outputs = {name: str(folder / out / name) for name in ("pages", "rejects", "stats")}
    return ["corpus.extract", "--config", str(folder / "config.json"), "--shard", "s", str(folder / "a.warc.gz"),
            *(word for name, path in outputs.items() for word in (f"--{name}", path))]  # fmt: skip


def deduplication(folder: Path, out: str) -> list[str]:
    if not (folder / "pages").exists():
        write_pages(folder, [page(number) for number in range(200)] + [page(0)], shards=20)
        write_json(folder / "config.json", {})
    return ["corpus.dedup", "--config", str(folder / "config.json"), "--pages", str(folder / "pages"),
            "--out", str(folder / out)]  # fmt: skip


@pytest.mark.parametrize(
    ("command", "begun"),
    [(extraction, "again/.pages*"), (deduplication, ".again.*/bands/*.parquet")],
)
def test_a_killed_job_ends_with_the_same_bytes_when_run_again(command, begun, tmp_path):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    run = [sys.executable, "-m"]
    subprocess.run(
        [*run, *command(tmp_path, "whole")],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
    )
    again = [*run, *command(tmp_path, "again")]
    job = subprocess.Popen(again, cwd=ROOT, env=environment, start_new_session=True, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)  # fmt: skip
    while not list(tmp_path.glob(begun)):
        assert job.poll() is None
        time.sleep(0.002)
    os.kill(job.pid, signal.SIGKILL)
    job.wait()
    assert not [path for path in (tmp_path / "again").glob("*") if not path.name.startswith(".")]
    subprocess.run(again, cwd=ROOT, env=environment, check=True, capture_output=True)
    whole = {
        p.relative_to(tmp_path / "whole"): p.read_bytes()
        for p in (tmp_path / "whole").rglob("*")
        if p.is_file()
    }
    assert whole
    for path, content in whole.items():
        assert (tmp_path / "again" / path).read_bytes() == content, path
