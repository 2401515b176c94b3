"""Programs in RL: the sandbox that runs them, and a sampler whose outputs are text and programs in turns.

Mode pot runs an output's program once, for its reward (rl.rewards: ProgramReward). Mode tool runs programs while the
output is being written: `ToolSampler` takes the place of the sampler, and everything behind it sees samples of which
some ids were not the model's (`Sample.written`): they are read, and count in no loss, denominator or length.
"""

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from eval.sampling.tool_loop import ASKS_FOR_OUTPUT, Turns, run_programs_between
from pipeline.inference.engine import Engine, Sample, SampleRequest

if TYPE_CHECKING:  # the sandbox needs Linux
    from eval.sandbox.pool import Execution, Sandbox


class Programs:
    """The sandbox, opened when it is first needed: RL without programs also works where there is none."""

    def __init__(self, timeout: float = 5.0, memory_mb: int = 512):
        self.timeout = timeout
        """Seconds that a program may run."""
        self.memory_mb = memory_mb
        self._sandbox: Sandbox | None = None

    @property
    def sandbox(self) -> "Sandbox":
        """The open sandbox; UserError where there can be none."""
        if self._sandbox is None:
            from eval.sandbox.pool import Sandbox  # needs Linux

            workers = os.cpu_count() or 1
            self._sandbox = Sandbox(timeout=self.timeout, memory_mb=self.memory_mb, workers=workers)
        return self._sandbox

    def run_many(self, programs: list[str]) -> "list[Execution]":
        """Executions of the programs, in order."""
        return self.sandbox.run_many(programs)

    @property
    def isolation(self) -> str:
        """The isolation that holds, for manifests."""
        return self.sandbox.level


class ToolSampler:
    """An engine whose samples are answers with tool use: programs run where the model asked for their output.

    `rounds` generations at most make a sample; each of them may have `max_new_tokens`. A sample's `finish` is that of
    its last generation.
    """

    def __init__(self, engine: Engine, programs: Programs, rounds: int):
        self.engine = engine
        self.programs = programs
        self.rounds = rounds
        self.tokenizer = engine.tokenizer

    def load(self, model: Any) -> None:
        """Take over the model's current weights."""
        self.engine.load(model)

    def sleep(self) -> None:
        """As the engine sleeps."""
        self.engine.sleep()

    def sample(self, request: SampleRequest) -> list[list[Sample]]:
        """As `Sampler.sample`; random numbers of later turns depend on the key, the sample's index and the turn."""
        settings = replace(request.settings, stop=ASKS_FOR_OUTPUT)
        first_turns = self.engine.sample(replace(request, settings=settings))

        # Each sample becomes an answer of its own, with random numbers of its own for the turns to come.
        answers: list[Turns] = []
        prompts = zip(request.prompts, request.key_names, first_turns, strict=True)
        for place, (prompt, key, group) in enumerate(prompts):
            for index, sample in enumerate(group):
                answer = Turns(list(prompt), f"{key}\0{request.index_of(place, index)}")
                answer.take(sample)
                answers.append(answer)

        run_programs_between(self.engine, self.programs, answers, self.rounds, settings)

        finished = iter(answers)
        return [[_sample(next(finished)) for _ in group] for group in first_turns]


def _sample(answer: Turns) -> Sample:
    """The answer as one sample; which ids the model wrote is said only where a tool wrote others."""
    written = None if all(answer.written) else answer.written
    return Sample(answer.output_ids, answer.logprobs, answer.finish, written=written)
