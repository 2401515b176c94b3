"""Checkpoints of a running training: whole or absent, the last few and the best kept, deleted when
it is done.

A checkpoint holds the model's and the optimiser's state, those of models beside it (RL's value,
reference and reward models), the step, the random generators' states and whatever else the caller
needs to go on. The folder's fingerprint (settings and input digests) says which run it belongs to:
state of another run is moved aside, never mixed in (pipeline.artifacts.resume). A damaged checkpoint
(pipeline.training.intact) is passed over for the one before it.

    step-000000200.pt   one file, when every process holds the whole model
    step-000000200/     a folder, when the model is sharded: each process writes its part (torch's distributed
                        checkpointing)
    best.pt, best/      the same, after the step with the best evaluation

Either can be read by any number of processes, sharded or not.
"""

import os
import random
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipeline.artifacts.resume import claim_folder
from pipeline.artifacts.resume import fingerprint as fingerprint
from pipeline.artifacts.write import atomic_path
from pipeline.errors import UserError
from pipeline.model import distributed
from pipeline.training import stop
from pipeline.training.folder_lock import lock_folder, release_folder
from pipeline.training.intact import STATE, is_intact

FORMAT = 2
"""What a checkpoint holds and how; state of another format is another run's."""
MAIN = "main"
Trained = tuple[torch.nn.Module, torch.optim.Optimizer | None]
"""A model and what trains it, if anything."""


class Checkpoints:
    """Saves and finds checkpoints in `folder`; with `folder` None nothing is kept and every run
    starts anew.

    `run`, `code` and `fresh` decide whether the state in `folder` is taken up
    (pipeline.artifacts.resume.claim_folder). While the state is in use by another process, it is refused (UserError).
    """

    def __init__(
        self,
        folder: str | Path | None,
        run: str | Mapping[str, object],
        keep: int = 2,
        *,
        code: str | None = None,
        fresh: bool = False,
    ):
        self.folder = Path(folder) if folder else None
        self.keep = keep

        if self.folder is not None and distributed.is_main():
            lock_folder(self.folder)
            compared = {"run": run} if isinstance(run, str) else run
            claim_folder(self.folder, {"format": FORMAT, **compared}, code=code, fresh=fresh)
        # The others must not look for checkpoints before another run's are out of the way.
        distributed.wait_for_main()
        if self.folder is not None:
            stop.listen()

    def save(
        self,
        step: int,
        model: torch.nn.Module,
        optimiser: torch.optim.Optimizer,
        extra: dict[str, Any] | None = None,
        best: bool = False,
        beside: Mapping[str, Trained] | None = None,
    ) -> None:
        """Write the state after `step` optimiser steps; older checkpoints beyond `keep` are
        deleted.

        `best` puts it in the place of the best one instead. `beside` are other models by name,
        sharded or not as the first one.
        """
        if self.folder is None:
            return
        name = "best" if best else f"step-{step:09d}"
        models = {MAIN: (model, optimiser), **(beside or {})}
        state = {"step": step, "random": random_state(), "extra": extra or {}}

        if distributed.is_sharded(model):
            _save_parts(self.folder / name, models, state)
        elif distributed.is_main():
            _save_whole(self.folder / f"{name}.pt", models, state)

        if distributed.is_main():
            if best:
                # Left by processes that held the model in the other way; there is one best checkpoint.
                _remove(self.folder / ("best.pt" if distributed.is_sharded(model) else "best"))
            for old in self._saved()[: -self.keep]:
                _remove(old)
        # Nobody goes on before the checkpoint is whole.
        distributed.wait_for_main()

    def told_to_stop(self) -> bool:
        """Whether the job is about to be ended and there is a folder to save in; equal on all processes."""
        return self.folder is not None and stop.requested()

    def load(
        self,
        model: torch.nn.Module,
        optimiser: torch.optim.Optimizer,
        beside: Mapping[str, Trained] | None = None,
    ) -> tuple[int, dict[str, Any]]:
        """Restore the newest intact checkpoint; return its step and extra state, or (0, {}) when
        there is none."""
        newest = self._newest_intact()
        if newest is None:
            return 0, {}
        state = _load(newest, {MAIN: (model, optimiser), **(beside or {})})
        restore_random_state(state["random"])
        return state["step"], state["extra"]

    def load_best(self, model: torch.nn.Module) -> None:
        """Put the weights of the best checkpoint into the model."""
        places = (self.folder / "best.pt", self.folder / "best") if self.folder else ()
        for place in places:
            if not place.exists():
                continue
            if not is_intact(place):
                # An older one would be another model than the best.
                raise UserError(
                    f"{place}: the best checkpoint is damaged; --fresh, or deleting {self.folder}, starts anew"
                )
            _load(place, {MAIN: (model, None)})
            return
        raise UserError("optimisation.final = best: needs a folder for checkpoints (--resume)")

    def delete(self) -> None:
        """Delete all: the run is done and its artifact is written."""
        distributed.wait_for_main()
        if self.folder is not None and distributed.is_main():
            shutil.rmtree(self.folder, ignore_errors=True)
            release_folder(self.folder)

    def _newest_intact(self) -> Path | None:
        """The newest checkpoint without damage; damaged ones are renamed, one line each.

        The run then repeats some steps, from an older one or from the beginning, and ends with the
        same bytes.
        """
        for place in reversed(self._saved()):
            if is_intact(place):
                return place
            if distributed.is_main():
                aside = place.with_name(f"damaged-{place.name}")
                _remove(aside)
                place.rename(aside)
                print(
                    f"warning: {place}: this checkpoint is damaged and is not used (renamed to {aside.name}); "
                    "going on from an older one, or from the beginning where there is none",
                    file=sys.stderr,
                )
            # The others must not look for it again.
            distributed.barrier()
        return None

    def _saved(self) -> list[Path]:
        return sorted(self.folder.glob("step-*")) if self.folder else []


def _save_whole(place: Path, models: Mapping[str, Trained], state: dict[str, Any]) -> None:
    """One file, written by the first process: every process holds the same."""
    states = {}
    for name, (model, optimiser) in models.items():
        states[name] = {
            "model": model.state_dict(),
            "optimiser": optimiser.state_dict() if optimiser is not None else None,
        }
    # Through Python's file, for of a full disk torch's own says nothing that tells it from other errors.
    with atomic_path(place) as temporary, open(temporary, "wb") as out:
        torch.save(state | {"models": states}, out)


def _load(place: Path, models: Mapping[str, Trained]) -> dict[str, Any]:
    return _load_parts(place, models) if place.is_dir() else _load_whole(place, models)


def _load_whole(place: Path, models: Mapping[str, Trained]) -> dict[str, Any]:
    # Our own file: it may hold NumPy arrays and Python states besides tensors.
    state = torch.load(place, map_location="cpu", weights_only=False)
    for name, (model, optimiser) in models.items():
        held = state["models"][name]
        if distributed.is_sharded(model):
            _deal_out(held, model, optimiser)
            continue
        model.load_state_dict(held["model"])
        if optimiser is not None:
            optimiser.load_state_dict(held["optimiser"])
    return state


def _deal_out(
    held: dict[str, Any], model: torch.nn.Module, optimiser: torch.optim.Optimizer | None
) -> None:
    """Give a sharded model its parts of whole weights and moments, which every process has read."""
    from torch.distributed.checkpoint.state_dict import (
        StateDictOptions,
        set_model_state_dict,
        set_optimizer_state_dict,
    )

    whole = StateDictOptions(full_state_dict=True)
    set_model_state_dict(model, held["model"], options=whole)
    if optimiser is None:
        return

    # The file numbers the parameters in the order of the optimiser's groups; here they go by name.
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    order = [names[id(p)] for group in optimiser.param_groups for p in group["params"]]
    saved = held["optimiser"]
    by_name: dict[str, Any] = {
        "state": {order[number]: moments for number, moments in saved["state"].items()},
        "param_groups": [
            group | {"params": [order[number] for number in group["params"]]}
            for group in saved["param_groups"]
        ],
    }
    set_optimizer_state_dict(model, optimiser, by_name, options=whole)


def _save_parts(place: Path, models: Mapping[str, Trained], state: dict[str, Any]) -> None:
    """Every process writes its part into a hidden folder, which gets its name when all are done."""
    import torch.distributed.checkpoint as dcp

    partial = place.with_name(f".{place.name}")
    if distributed.is_main():
        _remove(partial)
        partial.mkdir()
    distributed.barrier()

    dcp.save(_parts(models), checkpoint_id=partial)

    if distributed.is_main():
        torch.save(state, partial / STATE)
        # Only the best checkpoint has a place that may be taken already.
        _remove(place)
        os.replace(partial, place)


def _load_parts(place: Path, models: Mapping[str, Trained]) -> dict[str, Any]:
    import torch.distributed.checkpoint as dcp
    from torch.distributed.checkpoint.state_dict import (
        set_model_state_dict,
        set_optimizer_state_dict,
    )

    # Loading fills the tensors of a state in place, so the models' own state says which part each
    # process reads.
    parts = _parts(models)
    dcp.load(parts, checkpoint_id=place)

    for name, (model, optimiser) in models.items():
        set_model_state_dict(model, parts[name]["model"])
        if optimiser is not None:
            set_optimizer_state_dict(model, optimiser, parts[name]["optimiser"])
    return torch.load(place / STATE, map_location="cpu", weights_only=False)


def _parts(models: Mapping[str, Trained]) -> dict[str, Any]:
    """What this process holds of the models and their optimisers, under the names of the
    weights."""
    from torch.distributed.checkpoint.state_dict import (
        get_model_state_dict,
        get_optimizer_state_dict,
    )

    parts: dict[str, Any] = {}
    for name, (model, optimiser) in models.items():
        parts[name] = {"model": get_model_state_dict(model)}
        if optimiser is not None:
            parts[name]["optimiser"] = get_optimizer_state_dict(model, optimiser)
    return parts


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


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
    """Put the global random generators back; those of GPUs only where there are as many as there
    were."""
    random.setstate(state["python"])
    np.random.set_state(state["numpy"])
    torch.set_rng_state(state["torch"])
    if state["cuda"] and len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["cuda"])
