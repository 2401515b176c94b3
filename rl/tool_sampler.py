"""Programs in RL: the sandbox that runs them, and a sampler whose outputs are text and programs in turns.

Mode pot runs an output's program once, for its reward (rl.rewards: ProgramReward). Mode tool runs programs while the
output is being written: `ToolSampler` takes the place of the sampler, and everything behind it sees samples of which
some ids were not the model's (`Sample.written`): they are read, and count in no loss, denominator or length.
"""

import os
from dataclasses import replace
from typing import Any

from eval.sampling.tool_loop import ASKS_FOR_OUTPUT, Turns, run_programs_between
from pipeline.inference.engine import Engine, Sample, SampleRequest


class Programs:
    """The sandbox, opened when it is first needed: RL without programs also works where there is none."""

    def __init__(self, timeout: float = 5.0, memory_mb: int = 512):
        self.timeout, self.memory_mb, self._box = timeout, memory_mb, None

    @property
    def box(self) -> Any:
        if self._box is None:
            from eval.sandbox import Sandbox  # needs Linux

            self._box = Sandbox(
                timeout=self.timeout, memory_mb=self.memory_mb, workers=os.cpu_count() or 1
            )
        return self._box

    def run_many(self, programs: list[str]) -> list[Any]:
        """Executions of the programs, in order."""
        return self.box.run_many(programs)

    @property
    def isolation(self) -> str:
        """The isolation that holds, for manifests."""
        return self.box.level


class ToolSampler:
    """An engine whose samples are answers with tool use: programs run where the model asked for their output.

    `rounds` generations at most make a sample; each of them may have `max_new_tokens`. A sample's `finish` is that of
    its last generation.
    """

    def __init__(self, engine: Engine, programs: Programs, rounds: int):
        self.engine, self.programs, self.rounds, self.tokenizer = (
            engine,
            programs,
            rounds,
            engine.tokenizer,
        )

    def load(self, model: Any) -> None:
        """Take over the model's current weights."""
        self.engine.load(model)

    def sample(self, request: SampleRequest) -> list[list[Sample]]:
        """As `Sampler.sample`; random numbers of later turns depend on the key, the sample's index and the turn."""
        settings = replace(request.settings, stop=ASKS_FOR_OUTPUT)
        groups = self.engine.sample(replace(request, settings=settings))
        answers = []
        for prompt, key, group in zip(request.prompts, request.key_names, groups, strict=True):
            for index, sample in enumerate(group):
                answers.append(Turns(list(prompt), f"{key}\0{index}"))
                answers[-1].take(sample)
        run_programs_between(self.engine, self.programs, answers, self.rounds, settings)
        samples = iter(answers)
        return [[_sample(next(samples)) for _ in group] for group in groups]


def _sample(answer: Turns) -> Sample:
    written = None if all(answer.written) else answer.written
    return Sample(answer.output_ids, answer.logprobs, answer.finish, written=written)
