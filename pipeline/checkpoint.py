"""Checkpoints of a running training: whole or absent, the last few kept, deleted when the training is done.

A checkpoint holds the model's and the optimiser's state, the step, the random generators' states and whatever else
the caller needs to go on. The folder's fingerprint (settings and input digests) says which run it belongs to:
state of another run is thrown away, never mixed in.
"""

import random
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipeline.artifacts import atomic_path, write_text
from pipeline.fingerprint import fingerprint as fingerprint


class Checkpoints:
    """Saves and finds checkpoints in `folder`; with `folder` None nothing is kept and every run starts anew."""

    def __init__(self, folder: str | Path | None, fingerprint: str, keep: int = 2):
        self.folder = Path(folder) if folder else None
        self.keep = keep
        if self.folder is None:
            return
        mark = self.folder / "fingerprint"
        if self.folder.exists() and not (mark.is_file() and mark.read_text() == fingerprint):
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        if not mark.is_file():
            write_text(mark, fingerprint)

    def save(
        self, step: int, model: torch.nn.Module, optimiser: torch.optim.Optimizer, extra: dict[str, Any] | None = None
    ) -> None:
        """Write the state after `step` optimiser steps; older checkpoints beyond `keep` are deleted."""
        if self.folder is None:
            return
        state = {
            "step": step,
            "model": model.state_dict(),
            "optimiser": optimiser.state_dict(),
            "random": random_state(),
            "extra": extra or {},
        }
        with atomic_path(self.folder / f"step-{step:09d}.pt") as temporary:
            torch.save(state, temporary)
        for old in self._files()[: -self.keep]:
            old.unlink()

    def load(self, model: torch.nn.Module, optimiser: torch.optim.Optimizer) -> tuple[int, dict[str, Any]]:
        """Restore the newest checkpoint; return its step and extra state, or (0, {}) when there is none."""
        files = self._files()
        if not files:
            return 0, {}
        # Our own file: it may hold NumPy arrays and Python states besides tensors.
        state = torch.load(files[-1], map_location="cpu", weights_only=False)
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        restore_random_state(state["random"])
        return state["step"], state["extra"]

    def delete(self) -> None:
        """Forget everything: the run is done and its artifact stands."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("step-*.pt")) if self.folder else []


def seed_everything(seed: int) -> None:
    """Seed Python's, NumPy's and torch's global generators."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def random_state() -> dict[str, Any]:
    """The states of all global random generators."""
    return {
        "python": random.getstate(),
        "numpy": np.random.get_state(),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def restore_random_state(state: dict[str, Any]) -> None:
    random.setstate(state["python"])
    np.random.set_state(state["numpy"])
    torch.set_rng_state(state["torch"])
    if state["cuda"]:
        torch.cuda.set_rng_state_all(state["cuda"])
