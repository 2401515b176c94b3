"""From problems to questions: the prompts that RL and the labels of reward models sample from."""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from transformers import PreTrainedTokenizerBase

from eval.benchmarks import load_benchmark
from pipeline.artifacts.records import Problem
from pipeline.config.prompts import Prompts
from pipeline.errors import UserError
from pipeline.model.chat import encode_prompt
from rl.rollouts import Question


def load_questions(
    paths: Sequence[Path],
    tokenizer: PreTrainedTokenizerBase,
    prompts: Prompts,
    context: int,
    max_new_tokens: int,
    mode: str = "cot",
) -> list[Question]:
    """The prompts of all problems in `paths`, in order, each question once (files of solutions repeat questions).

    Problems whose prompt leaves no room for `max_new_tokens` in the model's context are left out and counted.

    Args:
        prompts: what each mode's prompt adds to a question.
        context: longest sequence of the model, in tokens.
        mode: "cot" asks for a step-by-step answer, "pot" for a program, "tool" for both in turns.

    Raises:
        UserError: two different questions share an id, or no prompt fits.
    """
    # By text: files of solutions repeat a question for each of its solutions.
    problems: dict[str, Problem] = {}
    for path in paths:
        for problem in load_benchmark(path):
            problems.setdefault(problem.question, problem)

    # Ids name random streams and examples, so they must tell questions apart.
    ids = {problem.id for problem in problems.values()}
    if len(ids) < len(problems):
        names = ", ".join(map(str, paths))
        raise UserError(f"{names}: two different questions share an id")

    questions = []
    for problem in problems.values():
        prompt = encode_prompt(tokenizer, problem.question, mode, problem.language, prompts)
        questions.append(Question(problem, prompt))

    room = context - max_new_tokens
    kept = [question for question in questions if len(question.prompt) <= room]

    left_out = len(questions) - len(kept)
    if left_out:
        print(f"{left_out} problems left out: prompt above {room} tokens", file=sys.stderr)
    if questions and not kept:
        raise UserError(
            f"max_new_tokens = {max_new_tokens}: no problem's prompt fits beside it into the model's context of"
            f" {context} tokens"
        )
    return kept


def hold_out(
    questions: Sequence[Question], count: int, seed: int
) -> tuple[list[Question], list[Question]]:
    """Split off `count` questions drawn by `seed`: (the others, the drawn ones), both in their original order."""
    # The 1 keeps this stream apart from that of the steps' questions.
    order = np.random.default_rng([seed, 1]).permutation(len(questions))
    drawn = set(order[:count].tolist())

    others = [question for place, question in enumerate(questions) if place not in drawn]
    return others, [questions[place] for place in sorted(drawn)]
