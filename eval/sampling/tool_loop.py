"""The tool loop: a model writes a program and asks for its output, the sandbox runs it, the model goes on.

Evaluation and RL share it. What the sandbox wrote stands among the ids of an answer as ids that the model never
sampled: `written` tells the two apart, and no id is ever decoded and encoded again. Source of the rules (when a
program runs, what of its output is shown, how many rounds): the public evaluation code.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from eval.programs.code_blocks import printed_answer, program_so_far, shown_output
from pipeline.inference.engine import Engine, Sample, SampleRequest, SamplingSettings
from pipeline.model.chat import FENCE, OUTPUT_FENCE, encode_output

# The stop strings of a model that may use the tool
ASKS_FOR_OUTPUT = (OUTPUT_FENCE,)

# Ids at the end of an answer in which the request for an output is looked for: two fences and blanks are fewer.
_END_OF_ANSWER = 32


class Executed(Protocol):
    """How a program ended."""

    @property
    def status(self) -> str: ...

    @property
    def stdout(self) -> str: ...

    @property
    def stderr(self) -> str: ...


class Runner(Protocol):
    """What runs programs: the sandbox."""

    def run_many(self, programs: list[str]) -> Sequence[Executed]:
        """How each program ended, in order."""
        ...


@dataclass(slots=True)
class Turns:
    """An answer in the making: what the model wrote and, between, what its programs printed."""

    prompt_ids: list[int]
    key: str  # names the answer for the random numbers of its later turns
    output_ids: list[int] = field(default_factory=list)
    written: list[bool] = field(default_factory=list)  # for each of these ids: by the model?
    logprobs: list[float] = field(default_factory=list)  # of those that the model wrote
    finish: str = "stop"
    printed: str | None = None  # what its program printed last
    program_status: str = ""  # of the last program run: "" where none ran
    tokens: int = 0  # that the model wrote

    @property
    def logprob(self) -> float:
        """The log-probability of all that the model wrote."""
        return sum(self.logprobs)

    def take(self, sample: Sample) -> None:
        """Go on with what the model wrote."""
        self.output_ids += sample.ids
        self.written += [True] * len(sample.ids)
        self.logprobs += sample.logprobs
        self.tokens += sample.length
        self.finish = sample.finish

    def insert(self, ids: Sequence[int]) -> None:
        """Go on with what the sandbox wrote."""
        self.output_ids += ids
        self.written += [False] * len(ids)


def run_programs_between(
    sampler: Engine,
    sandbox: Runner,
    answers: Sequence[Turns],
    rounds: int,
    settings: SamplingSettings,
) -> None:
    """Run programs the model asked for and let it go on, in place; at most `rounds` generations in all.

    `answers` hold the first generation, sampled with the stop strings ASKS_FOR_OUTPUT, as `settings` do.
    """
    tokenizer = sampler.tokenizer
    for number in range(1, rounds + 1):
        asking = [answer for answer in answers if _wants_output(tokenizer, answer, settings)]
        if not asking:
            return

        programs = [program_so_far(tokenizer.decode(answer.output_ids)) or "" for answer in asking]
        for answer, run in zip(asking, sandbox.run_many(programs), strict=True):
            answer.program_status = run.status
            answer.printed = printed_answer(run.stdout)
            shown = shown_output(run.status, run.stdout, run.stderr, tokenizer)
            answer.insert(encode_output(tokenizer, shown))

        # The last output is inserted too: what a program printed is part of the answer.
        if number == rounds:
            return

        prompts = [answer.prompt_ids + answer.output_ids for answer in asking]
        keys = [f"{answer.key}\0{number}" for answer in asking]
        continued = sampler.sample(SampleRequest(prompts, 1, settings, keys))
        for answer, (sample,) in zip(asking, continued, strict=True):
            answer.take(sample)


def _wants_output(tokenizer: Any, answer: Turns, settings: SamplingSettings) -> bool:
    """Whether an answer asks for the output of its program, and has room to go on."""
    has_ended = answer.finish != "stop" or answer.tokens >= settings.max_new_tokens
    return not has_ended and _asks(tokenizer, answer)


def _asks(tokenizer: Any, answer: Turns) -> bool:
    """Whether an answer ends in a closed program and the mark that asks for its output.

    The public code runs nothing else.
    """
    text = tokenizer.decode(answer.output_ids[-_END_OF_ANSWER:]).rstrip()
    if not text.endswith(OUTPUT_FENCE):
        return False
    return bool(text.removesuffix(OUTPUT_FENCE).rstrip().endswith(FENCE))
