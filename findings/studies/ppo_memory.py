"""Memory of PPO and GRPO on a Llama with random weights: model states, predicted and measured, and the peak.

Each method takes its steps in a process of its own, since peak memory is a process's.
"""

import json
import subprocess
import sys

import numpy as np

from findings.evidence import problems_digest
from findings.statistics import Sample
from findings.studies.task import Outcome, Task

PROGRAMS = ("benchmarks.rl", "rl.train")

FP32 = 4
"""Bytes of a number."""

TRAINED = 4 * FP32
"""Bytes a parameter of a model that is trained: weight, gradient, and AdamW's two moments."""

FROZEN = FP32
"""Of one that is not."""

PREDICTED = {"grpo_outcome": TRAINED + FROZEN, "ppo": 2 * TRAINED + FROZEN}
"""Bytes a parameter: policy and reference, and PPO's value model, whose head is nothing beside its body."""


def run(task: Task) -> Outcome:
    measured = {method: memory_of(method) for method in PREDICTED}

    run = problems_digest([task.name, task.seed])

    def saved(values: dict[str, float]) -> Sample:
        """GRPO's saving, as a share of PPO's figure."""
        return Sample(run, np.array([1 - values["grpo_outcome"] / values["ppo"]]))

    states = {method: figures["state_mb"] for method, figures in measured.items()}
    peaks = {method: figures["peak_mb"] for method, figures in measured.items()}
    predicted = {method: float(size) for method, size in PREDICTED.items()}
    arms = {
        "predicted": {"states_saved": saved(predicted)},
        "measured": {"states_saved": saved(states), "peak_saved": saved(peaks)},
    }
    return Outcome(arms, notes={"bytes a parameter, predicted": PREDICTED, "measured": measured})


def memory_of(method: str) -> dict[str, float]:
    """Model states and growth of the peak in MiB, of a process that takes two steps."""
    command = [sys.executable, "-m", "benchmarks.rl", "memory-of", method]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found
