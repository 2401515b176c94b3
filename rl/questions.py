"""Problems to questions: the prompts that RL and reward models sample from."""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from transformers import PreTrainedTokenizerBase

from eval.benchmarks import load_benchmark
from pipeline.config.world import Prompts
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
    """Prompts of all problems in `paths`, in order, each question once (solutions repeat questions).

    `mode` cot asks for a step-by-step answer, pot for a program, tool for both in turns. Problems whose prompt leaves
    no room for `max_new_tokens` in the model's context are left out and counted.
    """
    problems = {}
    for path in paths:
        for problem in load_benchmark(path):
            problems.setdefault(problem.question, problem)
    if len({problem.id for problem in problems.values()}) < len(problems):
        raise UserError(f"{', '.join(map(str, paths))}: two different questions share an id")
    questions = [
        Question(
            problem, encode_prompt(tokenizer, problem.question, mode, problem.language, prompts)
        )
        for problem in problems.values()
    ]
    room = context - max_new_tokens
    kept = [question for question in questions if len(question.prompt) <= room]
    if len(kept) < len(questions):
        print(
            f"{len(questions) - len(kept)} problems left out: prompt above {room} tokens",
            file=sys.stderr,
        )
    if questions and not kept:
        raise UserError(
            f"max_new_tokens = {max_new_tokens}: no problem's prompt fits beside it into the model's context of"
            f" {context} tokens"
        )
    return kept


def hold_out(
    questions: Sequence[Question], count: int, seed: int
) -> tuple[list[Question], list[Question]]:
    """(the others, `count` questions drawn by `seed`), both in their order."""
    chosen = set(np.random.default_rng([seed, 1]).permutation(len(questions))[:count].tolist())
    others = [question for place, question in enumerate(questions) if place not in chosen]
    return others, [questions[place] for place in sorted(chosen)]
