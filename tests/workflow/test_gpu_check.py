import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.gpu.check import CPU, flop_of_token, large_model

CHECK = Path(__file__).resolve().parents[1] / "gpu" / "check.sh"


def test_without_cuda_the_gpu_check_says_so_in_one_line_and_succeeds():
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here: run tests/gpu/check.sh")
    done = subprocess.run(
        [CHECK], capture_output=True, text=True, env=os.environ | {"PYTHON": sys.executable}
    )
    assert done.returncode == 0 and done.stdout.count("\n") == 1
    assert done.stdout.startswith("skipped: no CUDA device on this machine")


def test_the_arithmetic_of_a_step_counts_six_flop_a_multiplying_weight_and_causal_attention():
    model = large_model(CPU)
    layers = CPU.layers * (4 * CPU.hidden**2 + 3 * CPU.hidden * CPU.intermediate + 2 * CPU.hidden)
    weights = layers + CPU.hidden + CPU.hidden * CPU.vocabulary  # and not the input embedding
    # Queries meet half of all keys on average: 2 products x 2 FLOP x 3 passes x hidden x length / 2.
    assert flop_of_token(model, CPU, 100) == 6 * weights + CPU.layers * 6 * CPU.hidden * 100
