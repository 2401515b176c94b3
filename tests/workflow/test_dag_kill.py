"""kill -9 in the middle of a training, then the same command again: the same weights, bit for bit."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


COMMANDS = {
    "base": "pretrain.train --config {r}/config/pretrain.json --coder {r}/models/coder"
    " --tokens {r}/pretrain/tokens/manifest.json --heldout math={r}/world/heldout/math.jsonl",
    "sft": "sft.train --config {r}/config/sft.json --base {r}/models/base --examples {r}/sft/examples.parquet",
    "rl": "rl.train --config {r}/config/rl.json --prompts {r}/config/prompts.json --sft {r}/models/sft"
    " --problems {r}/world/problems/train.jsonl --heldout {r}/world/problems/validation.jsonl",
}


@pytest.mark.parametrize("stage", COMMANDS)
def test_a_killed_training_ends_with_the_same_bits(stage, smoke, tmp_path):
    command = COMMANDS[stage].format(r=smoke / "results" / "smoke")

    def start(name):
        arguments = [
            *command.split(),
            "--resume",
            tmp_path / name / "resume",
            "--out",
            tmp_path / name / "model",
        ]
        return subprocess.Popen(
            [sys.executable, "-m", *map(str, arguments)], cwd=ROOT, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | {"OMP_NUM_THREADS": "2"},
        )  # fmt: skip

    assert start("whole").wait() == 0
    job = start("killed")
    resume = tmp_path / "killed" / "resume"
    while not any(resume.glob("**/*[0-9]*")) and job.poll() is None:
        time.sleep(0.01)
    assert job.poll() is None, "killed before it ended, after its first checkpoint"
    os.killpg(job.pid, signal.SIGKILL)
    job.wait()
    assert not (tmp_path / "killed" / "model").exists(), (
        "no half-written model is taken for a whole one"
    )
    assert start("killed").wait() == 0
    whole, killed = (tmp_path / name / "model" for name in ("whole", "killed"))
    for file in ("model.safetensors", "manifest.json"):
        assert (whole / file).read_bytes() == (killed / file).read_bytes(), file
