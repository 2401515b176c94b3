"""Where the curves of trainings are shown while they run; changes no result and reruns nothing."""

from typing import Literal

from pipeline.config.base import Incidental, Section

VARIABLE = "DEEPSEEKMATH_TRACKING"
"""The environment variable that hands the section on to jobs, as JSON."""


class Tracking(Section):
    """TensorBoard's files are always written; one service or program may receive the same besides."""

    tracker: Incidental[Literal["tensorboard", "wandb", "mlflow", "trackio"]] = "tensorboard"
    """Who receives the metrics, by its own client library (requirements-trackers.txt)."""

    project: Incidental[str] = "deepseekmath"
    """The project (Weights & Biases, trackio) or experiment (MLflow) that the runs belong to."""
