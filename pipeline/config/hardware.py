"""The machine that a preset is written for; nothing is computed differently for it."""

from pydantic import Field

from pipeline.config.base import Incidental, Section


class Hardware(Section):
    """What `python -m pipeline.memory` holds the predicted memory of every stage against."""

    gpu_gb: Incidental[float | None] = Field(None, gt=0)
    """Memory of one GPU as its maker states it, in GB; none: the machine on which the command runs. NS."""

    gpus: Incidental[int] = Field(1, ge=1)
    """GPUs that train one model together in pretraining; on eight at a time (a node) in all other
    stages. NS."""
