"""One whole run of the smoke preset, shared by all tests that need finished results."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def smoke(tmp_path_factory):
    """The working folder of the run; its results lie in results/smoke. Tests read it and change nothing there."""
    folder = tmp_path_factory.mktemp("smoke")
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "all",
        "--snakefile",
        ROOT / "Snakefile",
        "--directory",
        folder,
    ]
    command += ["--cores", "2", "--config", "preset=smoke"]
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, cwd=ROOT, timeout=1800
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return folder


def pytest_collection_modifyitems(items):
    """What needs the smoke run goes to one worker, so that there is one run; it is long, so it starts first."""
    for item in items:
        if "smoke" in item.fixturenames:
            item.add_marker(pytest.mark.xdist_group("smoke"))
    items.sort(key=lambda item: "smoke" not in item.fixturenames)
