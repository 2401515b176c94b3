"""What asks for samples and what gives them: settings, a request, one sample, and the interface of an engine."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from pipeline.errors import UserError
from pipeline.progress import Progress


@dataclass(frozen=True, slots=True)
class SamplingSettings:
    """How to choose tokens and when to stop. Raises UserError for impossible settings.

    temperature 0 is greedy decoding. top_p < 1 keeps the smallest set of tokens whose probability reaches top_p
    (nucleus sampling); a sample's log-probabilities are then those of the truncated distribution. `stop` holds
    strings that end a sample as soon as its text contains one; `stop_ids` adds to the end-of-sequence tokens.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    max_new_tokens: int = 1024
    seed: int = 0
    stop: tuple[str, ...] = ()
    stop_ids: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        possible = self.temperature >= 0 and 0 < self.top_p <= 1 and self.max_new_tokens >= 1
        if not possible:
            raise UserError(
                f"{self}: temperature must be >= 0, top_p in (0, 1], max_new_tokens >= 1"
            )


@dataclass(slots=True)
class Sample:
    """One completion: the ids as sampled, the ending token included, and their log-probabilities.

    `finish` is "stop" (an end token or a stop string) or "length" (cut off). `stop` is the stop string that ended
    it, None for an end token. Greedy samples carry the log-probabilities at temperature 1. `written` says which ids
    were sampled where others stand between them (what a tool printed); `logprobs` are those of the sampled ones.
    `tokens` counts the tokens of an engine whose ids are no tokens (a server that gives text).
    """

    ids: list[int]
    logprobs: list[float]
    finish: str
    stop: str | None = None
    written: list[bool] | None = None
    tokens: int | None = None

    @property
    def length(self) -> int:
        """Tokens that were sampled."""
        if self.tokens is not None:
            return self.tokens
        return len(self.ids) if self.written is None else sum(self.written)

    @property
    def sampled(self) -> np.ndarray:
        """Which of the ids were sampled: bool [ids]."""
        if self.written is None:
            return np.ones(len(self.ids), dtype=bool)
        return np.array(self.written, dtype=bool)


class SampleStore(Protocol):
    """Keeps each sample as it finishes, so that a later run finds it (see eval.sampling.sample_log)."""

    def get(self, key: object, index: int, prompt: Sequence[int]) -> Sample | None:
        """The stored sample `index` of a prompt, None where there is none or the prompt was another."""
        ...

    def keep(self, key: object, index: int, prompt: Sequence[int], sample: Sample) -> None:
        """Store one finished sample."""
        ...


@dataclass(frozen=True, slots=True)
class SampleRequest:
    """What one call of `Engine.sample` is asked for: `samples_per_prompt` completions of each prompt.

    `prompts` are token ids, one sequence of at least one id for each prompt; they may differ in length. `keys`, one
    for each prompt, name the prompts for the random numbers: a sample's numbers depend on the seed, its prompt's key
    and its index among the prompt's samples, and on nothing else. Equal keys get equal numbers; without keys a
    prompt's key is its index. `first_indices`, one for each prompt, are the indices of their first samples where others
    are made elsewhere (on another process); 0 without them. `progress` is advanced by one for each finished sample. A
    sample that `store` already holds is taken from there instead of being sampled, and every newly finished one is
    added to it.
    """

    prompts: Sequence[Sequence[int]]
    samples_per_prompt: int
    settings: SamplingSettings
    keys: Sequence[object] | None = None
    progress: Progress | None = None
    store: SampleStore | None = None
    first_indices: Sequence[int] | None = None

    def index_of(self, place: int, number: int) -> int:
        """The index, among all samples of the prompt at `place`, of the one that is made here as number `number`."""
        return number if self.first_indices is None else self.first_indices[place] + number

    @property
    def key_names(self) -> list[str]:
        """Each prompt's key as text, as it enters the random numbers and the store."""
        keys = range(len(self.prompts)) if self.keys is None else self.keys
        return [str(key) for key in keys]


class Engine(Protocol):
    """What RL, label making and evaluation ask of a sampler; another one takes its place by having this.

    Whatever implements it must give ids and the log-probabilities of the distribution that was sampled from, at the
    sampling temperature. Those here:

        pipeline.inference.sampler.Sampler                 Llamas and their relatives
        pipeline.inference.forward_sampler.ForwardSampler  every other model
        pipeline.inference.vllm_engine.VLLMEngine          vLLM, in a process of its own
        eval.sampling.server_engine.ServerEngine           a server elsewhere, for evaluation
    """

    tokenizer: Any

    def load(self, model: Any) -> None:
        """Take over the model's current weights."""
        ...

    def sleep(self) -> None:
        """Give back the memory that only sampling needs, until the next `load` or `sample`.

        The trainer calls it between a rollout and the update.
        """
        ...

    def sample(self, request: SampleRequest) -> list[list[Sample]]:
        """For each prompt, in the order of the prompts, `request.samples_per_prompt` samples.

        A prompt that leaves no room in the model's context gives empty samples with finish "length".
        """
        ...
