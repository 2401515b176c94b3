"""Settings of stage 5, evaluation. Defaults: DeepSeekMath section 5 and its public evaluation code."""

from typing import Literal

from pydantic import Field, model_validator

from pipeline.config.base import Section, SeededSection

Mode = Literal["cot", "pot", "tool"]


class SandboxSettings(Section):
    """Where model-written programs run."""

    timeout: float = Field(10.0, gt=0)
    """Wall seconds a program may take. Public code: 10."""
    memory_mb: int = Field(1024, ge=64)
    """NS: address space of a program."""
    workers: int = Field(0, ge=0)
    """NS: programs that run at the same time; 0 is as many as there are cores."""
    allow_weak: bool = False
    """Run programs even where the kernel offers no isolation. Off: refuse."""


class Evaluation(SeededSection):
    modes: list[Mode] = Field(default_factory=lambda: ["cot", "tool"], min_length=1)
    """Greedy accuracy is reported for each. Paper, Table 5: chain of thought and tool-integrated."""
    models: list[Literal["coder", "base", "sft", "rl"]] = Field(
        default_factory=lambda: ["coder", "base", "sft", "rl"], min_length=1
    )
    """Models of the results table, in its order."""
    shots: int = Field(8, ge=0)
    """Worked examples before the question for models that were never taught to chat (coder, base). Paper: 8 on
    GSM8K, 4 on MATH."""
    max_new_tokens: int = Field(1024, ge=1)
    """Public code: 1024."""
    samples: int = Field(64, ge=0)
    """Samples a problem for Maj@K and Pass@K of the chat models (sft, rl); 0 leaves them out. Paper, Figure 7: 64."""
    sample_modes: list[Mode] = Field(default_factory=lambda: ["cot"])
    """Modes that are sampled besides the greedy run."""
    temperature: float = Field(0.7, gt=0)
    """Paper, Figure 7: 0.7."""
    tool_rounds: int = Field(2, ge=1)
    """Generate-and-execute rounds of the tool-integrated mode. Public code: 2."""
    limit: int | None = Field(None, ge=1)
    """Use only the first so many problems of each benchmark; None is all."""
    batch: int = Field(256, ge=1)
    """Sequences decoded at the same time."""
    sandbox: SandboxSettings = SandboxSettings()

    @model_validator(mode="after")
    def _sampled_modes_are_evaluated(self) -> "Evaluation":
        extra = [mode for mode in self.sample_modes if mode not in self.modes]
        if extra:
            raise ValueError(
                f"sample_modes holds {', '.join(extra)}, which modes ({', '.join(self.modes)}) does not"
            )
        return self
