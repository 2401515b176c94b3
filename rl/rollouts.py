"""Rollouts: which questions a step has, the outputs sampled for them, and everything known about the outputs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from transformers import PreTrainedTokenizerBase

from pipeline.artifacts.records import Problem, Solution
from pipeline.inference.engine import Engine, Sample, SampleRequest, SamplingSettings
from pipeline.model import distributed
from pipeline.model.chat import encode_turns


@dataclass(slots=True)
class Question:
    """A problem and its prompt's token ids."""

    problem: Problem
    prompt: list[int]


@dataclass(slots=True)
class Group:
    """One question's G outputs. `parts` holds each reward by name, `rewards` their weighted sum, both [G].

    `step_rewards[i]` and `step_ends[i]` [K_i] are set by a process reward model, `advantages[i]` [T_i] by the method.
    T_i counts the tokens that the model wrote; step ends are indices into all ids, a tool's output included.
    """

    question: Question
    samples: list[Sample]
    texts: list[str]
    parts: dict[str, np.ndarray] = field(default_factory=dict)
    rewards: np.ndarray | None = None
    step_rewards: list[np.ndarray] | None = None
    step_ends: list[np.ndarray] | None = None
    advantages: list[np.ndarray] | None = None

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
    """The `count` questions of a step: a pure function of seed and step that goes through all before repeating.

    Each pass over the questions is shuffled anew; a step at the end of a pass goes on in the next one.
    """
    chosen, start = [], step * count
    while len(chosen) < count:
        turn, offset = divmod(start + len(chosen), len(questions))
        order = np.random.default_rng([seed, turn]).permutation(len(questions))
        chosen += [questions[i] for i in order[offset : offset + count - len(chosen)]]
    return chosen


def roll_out(
    sampler: Engine,
    questions: Sequence[Question],
    group_size: int,
    settings: SamplingSettings,
    step: int,
) -> list[Group]:
    """Sample `group_size` outputs for each question; the random numbers depend on seed, step and question id.

    With several processes each samples its share of the questions, and all get all groups.
    """
    keyed = [
        (f"{step}/{place}/{question.problem.id}", question.prompt)
        for place, question in enumerate(questions)
    ]
    mine = distributed.shard_for_rank(keyed)
    request = SampleRequest(
        [prompt for _, prompt in mine], group_size, settings, keys=[key for key, _ in mine]
    )
    groups = distributed.gather(sampler.sample(request))
    texts = sampler.tokenizer.batch_decode(
        [s.ids for group in groups for s in group], skip_special_tokens=True
    )
    return [
        Group(question, samples, texts[i * group_size : (i + 1) * group_size])
        for i, (question, samples) in enumerate(zip(questions, groups, strict=True))
    ]


def group_record(group: Group, tokenizer: PreTrainedTokenizerBase, step: int) -> dict:
    """A group for reading: the question and all its outputs with rewards, their parts and each token's advantage.

    With a process reward model also its steps: the index of their last token and their reward. Where a tool wrote a
    part of an output, `written` says which tokens the model did; the others' advantage is 0.
    """
    outputs = []
    for index, sample in enumerate(group.samples):
        output = {
            "text": group.texts[index],
            "reward": float(group.rewards[index]),
            "parts": {name: float(values[index]) for name, values in group.parts.items()},
            "finish": sample.finish,
            "tokens": [tokenizer.decode([i]) for i in sample.ids],
        }
        if sample.written is not None:
            output["written"] = sample.written
        if group.advantages is not None:
            values = np.zeros(len(sample.ids))
            values[sample.sampled] = group.advantages[index]
            output["advantages"] = [round(float(value), 4) for value in values]
        if group.step_rewards is not None:
            pairs = zip(group.step_ends[index], group.step_rewards[index], strict=True)
            output["steps"] = [
                {"end": int(end), "reward": round(float(value), 4)} for end, value in pairs
            ]
        outputs.append(output)
    problem = group.question.problem
    about = {"step": step, "id": problem.id, "question": problem.question, "answer": problem.answer}
    return about | {"outputs": outputs}


def solution_groups(
    solutions: Iterable[Solution],
    questions: Sequence[Question],
    tokenizer: PreTrainedTokenizerBase,
    mode: str = "cot",
) -> list[Group]:
    """Worked solutions in the place of sampled outputs: one group for each question that has one of the mode."""
    by_question = {question.problem.question: question for question in questions}
    groups: dict[str, Group] = {}
    for solution in solutions:
        question = by_question.get(solution.question)
        if question is None or solution.format != mode:
            continue
        ids, written = encode_turns(tokenizer, solution.turns)
        group = groups.setdefault(question.problem.id, Group(question, [], []))
        group.samples.append(
            Sample(ids, [0.0] * sum(written), "stop", written=None if all(written) else written)
        )
        group.texts.append(tokenizer.decode(ids, skip_special_tokens=True))
    return list(groups.values())
