"""Settings of sampling engines other than the project's own (docs/models.md, "Engines")."""

from typing import Literal

from pydantic import Field

from pipeline.config.base import Incidental, Section

Engines = Literal["own", "vllm"]


class VLLM(Section):
    """vLLM, in a process of its own and, if need be, with a Python of its own."""

    python: Incidental[str] = ""
    """Python of an environment that has vLLM. Empty: the environment variable VLLM_PYTHON, else the
    Python that runs the project. NS."""

    memory_share: Incidental[float] = Field(0.5, gt=0, lt=1)
    """Share of a GPU's memory that it may use while it samples, weights included. NS; in RL the
    policy's weights, gradients and moments stay beside it."""

    cache_mb: Incidental[int | None] = Field(None, ge=16)
    """MiB of its KV cache, in the place of what `memory_share` leaves. NS; on a processor, where
    nothing is freed between rollouts, 1024 if not set."""

    start_seconds: Incidental[int] = Field(900, ge=1)
    """How long it may take to start: it reads the model and, on a GPU, compiles it. NS."""
