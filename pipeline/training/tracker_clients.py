"""Weights & Biases, MLflow and trackio behind one small interface, each by its own client library.

They are optional: requirements-trackers.txt has the versions that were tried.
"""

import importlib
import uuid
from collections.abc import Mapping
from typing import Any, Protocol

from pipeline.config.tracking import Tracking
from pipeline.errors import UserError

PACKAGES = {"wandb": "wandb", "mlflow": "mlflow", "trackio": "trackio"}
"""What to install for each tracker."""


class Client(Protocol):
    """One run of a tracker."""

    run_id: str
    """What continues the run after a restart."""

    def log(self, step: int, values: Mapping[str, float], wall_time: float) -> None:
        """Record the values of a step, measured at `wall_time` (seconds since 1970)."""

    def finish(self) -> None:
        """End the run."""


def open_client(
    settings: Tracking, name: str, config: Mapping[str, Any], run_id: str | None
) -> Client:
    """Begin a run, or continue the run `run_id`.

    Raises UserError where the client library is missing or refuses to start.
    """
    library = _import(settings.tracker)
    try:
        match settings.tracker:
            case "wandb":
                return WandbRun(library, settings.project, name, config, run_id)
            case "mlflow":
                return MLflowRun(library, settings.project, name, config, run_id)
            case _:
                return TrackioRun(library, settings.project, name, config, run_id)
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"tracking.tracker = {settings.tracker}: {reason}") from error


def _import(tracker: str) -> Any:
    try:
        return importlib.import_module(tracker)
    except ModuleNotFoundError as error:
        if error.name == tracker:
            raise UserError(missing(tracker)) from None
        # The package is there, and one that it needs is not.
        raise UserError(f"tracking.tracker = {tracker}: {error}") from None


def missing(tracker: str) -> str:
    """The line about a client library that is not installed."""
    return (
        f"tracking.tracker = {tracker}: the package is not installed; "
        f"pip install {PACKAGES[tracker]} (versions: requirements-trackers.txt)"
    )


class WandbRun:
    """Weights & Biases; a run is continued by its id."""

    def __init__(
        self, wandb: Any, project: str, name: str, config: Mapping[str, Any], run_id: str | None
    ):
        # An id of our own: offline, too, the parts of a run that was killed join when they are synced.
        self.run_id = run_id or uuid.uuid4().hex[:12]
        self.run = wandb.init(
            project=project, name=name, id=self.run_id, resume="allow", config=dict(config)
        )

    def log(self, step: int, values: Mapping[str, float], wall_time: float) -> None:
        self.run.log({**values, "_timestamp": wall_time}, step=step)

    def finish(self) -> None:
        self.run.finish()


class MLflowRun:
    """MLflow; the experiment is the project."""

    def __init__(
        self, mlflow: Any, project: str, name: str, config: Mapping[str, Any], run_id: str | None
    ):
        self.entities = importlib.import_module("mlflow.entities")
        self.client = mlflow.MlflowClient()

        if run_id is None:
            experiment = self.client.get_experiment_by_name(project)
            number = (
                experiment.experiment_id if experiment else self.client.create_experiment(project)
            )
            run_id = self.client.create_run(number, run_name=name).info.run_id
            for key, value in _flat(config).items():
                self.client.log_param(run_id, key, value)
        else:
            self.client.update_run(run_id, status="RUNNING")
        self.run_id = run_id

    def log(self, step: int, values: Mapping[str, float], wall_time: float) -> None:
        milliseconds = round(1000 * wall_time)
        metrics = [
            self.entities.Metric(name, value, milliseconds, step) for name, value in values.items()
        ]
        self.client.log_batch(self.run_id, metrics=metrics)

    def finish(self) -> None:
        self.client.set_terminated(self.run_id)


class TrackioRun:
    """trackio; a run is continued by its name, which therefore holds a part of our own."""

    def __init__(
        self, trackio: Any, project: str, name: str, config: Mapping[str, Any], run_id: str | None
    ):
        self.run_id = run_id or f"{name}-{uuid.uuid4().hex[:6]}"
        self.trackio = trackio
        trackio.init(project=project, name=self.run_id, resume="allow", config=dict(config))

    def log(self, step: int, values: Mapping[str, float], wall_time: float) -> None:
        self.trackio.log(dict(values), step=step)

    def finish(self) -> None:
        self.trackio.finish()


def _flat(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings under dotted names."""
    flat: dict[str, Any] = {}
    for name, value in config.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat
