"""Settings of stage 5, evaluation. Defaults: DeepSeekMath section 5 and its public evaluation
code."""

from typing import Literal

from pydantic import Field, model_validator

from pipeline.config.base import Incidental, Section, SeededSection
from pipeline.config.engines import VLLM, Engines

Mode = Literal["cot", "pot", "tool"]


class SandboxSettings(Section):
    """Where model-written programs run."""

    timeout: float = Field(10.0, gt=0)
    """Wall-clock seconds that a program may take. Public code: 10."""

    memory_mb: int = Field(1024, ge=64)
    """Address space of a program, in MiB. NS."""

    workers: Incidental[int] = Field(0, ge=0)
    """Programs that run at the same time; 0 is as many as there are cores. NS."""

    allow_weak: bool = False
    """Run programs even where the kernel offers no isolation. NS; off: refuse."""


class Evaluation(SeededSection):
    modes: list[Mode] = Field(["cot", "tool"], min_length=1)
    """How questions are asked; greedy accuracy is reported for each. Paper, Table 5: chain of
    thought and tool-integrated."""

    models: list[Literal["coder", "base", "sft", "rl"]] = Field(
        ["coder", "base", "sft", "rl"], min_length=1
    )
    """Models of the results table, in its order. Paper: base, instruct and RL models, beside
    others' numbers."""

    shots: int = Field(8, ge=0)
    """Worked examples before the question for models that were never taught to chat (coder, base).
    Paper: 8 on GSM8K, 4 on MATH."""

    max_new_tokens: int = Field(1024, ge=1)
    """Tokens of an output at most; with tools of each round. Public code: 1024."""

    samples: int = Field(64, ge=0)
    """Samples a problem for Maj@K and Pass@K of the chat models (sft, rl); 0 leaves them out.
    Paper, Figure 7: 64."""

    sample_modes: list[Mode] = Field(["cot"])
    """Modes that are sampled besides the greedy run. Paper, Figure 7: chain of thought."""

    temperature: float = Field(0.7, gt=0)
    """Sampling temperature of `samples`. Paper, Figure 7: 0.7."""

    tool_rounds: int = Field(2, ge=1)
    """Generate-and-execute rounds of the tool-integrated mode. Public code: 2."""

    limit: int | None = Field(None, ge=1)
    """Problems of each benchmark, its first ones; None is all, as in the paper."""

    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """What models compute in; see `precision` of the trainings. NS."""

    batch: Incidental[int] = Field(256, ge=1)
    """Sequences that are decoded at the same time. NS; sets memory and speed."""

    engine: Engines = "own"
    """What decodes: `own`, this project's samplers; `vllm`, whose random numbers are others and
    whose rounding differs (docs/models.md). NS."""

    vllm: VLLM = VLLM()

    sandbox: SandboxSettings = SandboxSettings()

    @model_validator(mode="after")
    def _sampled_modes_are_evaluated(self) -> "Evaluation":
        # The report sets each sampled score beside the greedy one of its mode.
        extra = [mode for mode in self.sample_modes if mode not in self.modes]
        if extra:
            raise ValueError(
                f"sample_modes holds {', '.join(extra)}, which modes ({', '.join(self.modes)}) does not"
            )
        return self
