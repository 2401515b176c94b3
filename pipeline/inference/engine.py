"""What asks for samples and what gives them: settings, one sample, and the interface of a sampling engine."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from pipeline.errors import UserError
from pipeline.progress import Progress


@dataclass(frozen=True, slots=True)
class SamplingSettings:
    """How to choose tokens and when to stop.

    temperature 0 is greedy decoding. top_p < 1 keeps the smallest set of tokens whose probability reaches top_p
    (nucleus sampling); a sample's log-probabilities are then those of the truncated distribution. `stop` holds
    strings that end a sample once they stand in its text; `stop_ids` adds to the end-of-sequence tokens.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    max_new_tokens: int = 1024
    seed: int = 0
    stop: tuple[str, ...] = ()
    stop_ids: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.temperature < 0 or not 0 < self.top_p <= 1 or self.max_new_tokens < 1:
            raise UserError(
                f"{self}: temperature must be >= 0, top_p in (0, 1], max_new_tokens >= 1"
            )


@dataclass(slots=True)
class Sample:
    """One completion: the ids as sampled, the ending token included, and their log-probabilities.

    `finish` is "stop" (an end token or a stop string) or "length" (cut off). `stop` is the stop string that ended
    it, None for an end token. Greedy samples carry the log-probabilities at temperature 1. `written` says which ids
    were sampled where others stand between them (what a tool printed); `logprobs` are those of the sampled ones.
    """

    ids: list[int]
    logprobs: list[float]
    finish: str
    stop: str | None = None
    written: list[bool] | None = None

    @property
    def length(self) -> int:
        """Tokens that were sampled."""
        return len(self.ids) if self.written is None else sum(self.written)

    @property
    def sampled(self) -> np.ndarray:
        """Which of the ids were sampled: bool [ids]."""
        return (
            np.ones(len(self.ids), dtype=bool)
            if self.written is None
            else np.array(self.written, dtype=bool)
        )


class Kept(Protocol):
    """Where finished samples are kept as they end, and found again by a later run (see eval.sampling.sample_log)."""

    def get(self, key: object, index: int, prompt: Sequence[int]) -> Sample | None: ...

    def keep(self, key: object, index: int, prompt: Sequence[int], sample: Sample) -> None: ...


class Engine(Protocol):
    """What RL, label making and evaluation ask of a sampler; another one (vLLM, say) takes its place by having this.

    Whatever implements it must give ids and the log-probabilities of the distribution that was sampled from, at the
    sampling temperature. Those here: pipeline.inference.sampler.Sampler, and
    eval.sampling.transformers_engine.ForwardSampler for other models.
    """

    tokenizer: Any

    def load(self, model: Any) -> None:
        """Take over the model's current weights."""
        ...

    def sample(
        self,
        prompts: Sequence[Sequence[int]],
        samples_per_prompt: int,
        settings: SamplingSettings,
        keys: Sequence[object] | None = None,
        progress: Progress | None = None,
        kept: Kept | None = None,
    ) -> list[list[Sample]]:
        """For each prompt `samples_per_prompt` samples; see `Sampler.sample`."""
        ...
