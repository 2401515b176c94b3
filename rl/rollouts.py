"""Rollouts: which questions a step has, the outputs sampled for them, and all that is known about the outputs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from pipeline.artifacts.records import Problem, Solution
from pipeline.config.rl import RL
from pipeline.inference.engine import Engine, Sample, SampleRequest, SamplingSettings
from pipeline.inference.forward_sampler import sampler_for
from pipeline.inference.vllm_engine import VLLMEngine
from pipeline.model import distributed
from pipeline.model.chat import encode_turns
from pipeline.model.precision import computes_in_bf16


@dataclass(slots=True)
class Question:
    """A problem, and its prompt as token ids."""

    problem: Problem
    prompt: list[int]


@dataclass(slots=True)
class Group:
    """One question with its G outputs, filled in as the step goes on.

    T_i counts the tokens of output i that the model wrote. The ends of steps are indices into all ids of the output,
    a tool's text included.
    """

    question: Question
    samples: list[Sample]
    texts: list[str]

    parts: dict[str, np.ndarray] = field(default_factory=dict)
    """Each reward by name: [G]."""

    rewards: np.ndarray = field(default_factory=lambda: np.zeros(0))
    """The weighted sum of the parts: [G]."""

    step_rewards: list[np.ndarray] = field(default_factory=list)
    """G arrays [K_i], set by a process reward model."""

    step_ends: list[np.ndarray] = field(default_factory=list)
    """G arrays [K_i], set by a process reward model."""

    advantages: list[np.ndarray] = field(default_factory=list)
    """G arrays [T_i], set by methods that have advantages."""

    @property
    def lengths(self) -> list[int]:
        """Tokens that the model wrote, for each output."""
        return [sample.length for sample in self.samples]

    @property
    def right(self) -> np.ndarray:
        """Which outputs the rule finds right, bool [G]."""
        return self.parts["rule"] > 0


def questions_of_step(
    questions: Sequence[Question], step: int, count: int, seed: int
) -> list[Question]:
    """The `count` questions of a step.

    A pure function of seed and step, so that a resumed run asks what it would have asked. All questions are used
    before one is repeated; each pass over them is shuffled anew, and a step at the end of a pass continues in the next.
    """
    chosen: list[Question] = []
    start = step * count

    while len(chosen) < count:
        turn, offset = divmod(start + len(chosen), len(questions))
        order = np.random.default_rng([seed, turn]).permutation(len(questions))
        missing = count - len(chosen)
        chosen += [questions[i] for i in order[offset : offset + missing]]
    return chosen


def engine_for(policy: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, settings: RL) -> Engine:
    """The engine that the settings choose, with the policy's weights."""
    if settings.engine == "vllm":
        in_bf16 = computes_in_bf16(settings.precision, policy)
        return VLLMEngine.of_model(policy, tokenizer, settings.vllm, settings.max_batch, in_bf16)

    on_cuda = policy.device.type == "cuda"
    compiles = settings.compile_sampler == "always"
    compiles = compiles or (settings.compile_sampler == "auto" and on_cuda)
    return sampler_for(policy, tokenizer, settings.max_batch, settings.precision, compiles)


def roll_out(
    sampler: Engine,
    questions: Sequence[Question],
    group_size: int,
    settings: SamplingSettings,
    step: int | str,
) -> list[Group]:
    """Sample `group_size` outputs for each question.

    The random numbers depend on the seed, the step and the question's place and id. With several processes each
    samples its share of the outputs, and all of them get all groups.
    """
    # The place is part of the key: with few problems a step may ask one of them twice.
    keyed = [
        (f"{step}/{place}/{question.problem.id}", question.prompt)
        for place, question in enumerate(questions)
    ]
    # Each process samples its share of the parts; afterwards all know all groups.
    parts = parts_of_group(len(questions), group_size, distributed.world_size())
    size = group_size // parts
    firsts = range(0, group_size, size)
    dealt = [(key, prompt, first) for key, prompt in keyed for first in firsts]
    mine = distributed.shard_for_rank(dealt)

    request = SampleRequest(
        prompts=[prompt for _, prompt, _ in mine],
        samples_per_prompt=size,
        settings=settings,
        keys=[key for key, _, _ in mine],
        first_indices=[first for _, _, first in mine],
    )
    samples_of_part = distributed.gather(sampler.sample(request))
    samples_of_question = [
        [sample for part in samples_of_part[start : start + parts] for sample in part]
        for start in range(0, len(samples_of_part), parts)
    ]

    # One call for all outputs: the tokenizer decodes a batch on all cores.
    every_sample = [sample for samples in samples_of_question for sample in samples]
    texts = sampler.tokenizer.batch_decode(
        [sample.ids for sample in every_sample], skip_special_tokens=True
    )

    groups = []
    for place, question in enumerate(questions):
        first = place * group_size
        texts_of_question = texts[first : first + group_size]
        groups.append(Group(question, samples_of_question[place], texts_of_question))
    return groups


def parts_of_group(questions: int, group_size: int, processes: int) -> int:
    """Into how many equal parts a question's outputs are cut, so that no process has more to do than need be.

    The fewest parts for that: outputs of one question that are sampled together share their prompt.
    """

    def outputs_of_busiest(parts: int) -> int:
        return -(-questions * parts // processes) * (group_size // parts)

    divisors = [parts for parts in range(1, group_size + 1) if group_size % parts == 0]
    return min(divisors, key=lambda parts: (outputs_of_busiest(parts), parts))


def group_record(group: Group, tokenizer: PreTrainedTokenizerBase, step: int) -> dict[str, Any]:
    """A group as JSON, for reading: the question, and all outputs with rewards and each token's advantage.

    With a process reward model also the steps: the index of each one's last token, and its reward. Where a tool wrote
    a part of an output, `written` says which tokens the model wrote; the advantage of the others is 0.
    """
    problem = group.question.problem
    return {
        "step": step,
        "id": problem.id,
        "question": problem.question,
        "answer": problem.answer,
        "outputs": [_output_record(group, index, tokenizer) for index in range(len(group.samples))],
    }


def _output_record(group: Group, index: int, tokenizer: PreTrainedTokenizerBase) -> dict[str, Any]:
    """One output of a group as JSON."""
    sample = group.samples[index]
    record: dict[str, Any] = {
        "text": group.texts[index],
        "reward": float(group.rewards[index]),
        "parts": {name: float(values[index]) for name, values in group.parts.items()},
        "finish": sample.finish,
        "tokens": [tokenizer.decode([token]) for token in sample.ids],
    }

    if sample.written is not None:
        record["written"] = sample.written

    # The tokens of a tool have no advantage; they show as 0.
    if group.advantages:
        values = np.zeros(len(sample.ids))
        values[sample.sampled] = group.advantages[index]
        record["advantages"] = [round(float(value), 4) for value in values]

    if group.step_rewards:
        steps = zip(group.step_ends[index], group.step_rewards[index], strict=True)
        record["steps"] = [{"end": int(end), "reward": round(float(r), 4)} for end, r in steps]

    return record


def solution_groups(
    solutions: Iterable[Solution],
    questions: Sequence[Question],
    tokenizer: PreTrainedTokenizerBase,
    mode: str = "cot",
) -> list[Group]:
    """Worked solutions in the place of sampled outputs: a group for each question that has one in the given mode."""
    by_text = {question.problem.question: question for question in questions}
    groups: dict[str, Group] = {}

    for solution in solutions:
        question = by_text.get(solution.question)
        if question is None or solution.format != mode:
            continue

        # A solution with programs holds their output too, which is not learnt.
        ids, written = encode_turns(tokenizer, solution.turns)
        sample = Sample(
            ids, [0.0] * sum(written), "stop", written=None if all(written) else written
        )
        group = groups.setdefault(question.problem.id, Group(question, [], []))
        group.samples.append(sample)
        group.texts += tokenizer.batch_decode([ids], skip_special_tokens=True)

    return list(groups.values())
