"""The work of `python -m rl.own_code.check`: the user's own code run on worked examples."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

import numpy as np
import torch

from pipeline.artifacts.records import Problem, read_problems
from pipeline.config.read import read_section
from pipeline.config.rl import RL
from pipeline.errors import UserError
from pipeline.inference.engine import Sample
from rl.advantages import normalise, token_weights
from rl.objectives import kl_estimate
from rl.own_code.load import described
from rl.rewards import load_own_reward, scores_of
from rl.rollouts import Group, Question

PROBLEMS = [
    Problem(id="example-1", question="What is 1 + 1?", answer="2"),
    Problem(id="example-2", question="What is half of 3?", answer="1.5"),
]
TEXTS = ("1 + 1 = 2. The answer is \\boxed{2}.", "", "I do not know", "\\boxed{3/2}")
"""Outputs that rewards are tried on: right, empty, without an answer, right in another form."""


def try_out(args: argparse.Namespace) -> None:
    settings = read_section(args.config, RL)
    problems = list(islice(read_problems(args.problems), 2)) if args.problems else []
    check_own_code(settings, problems)


def check_own_code(settings: RL, problems: list[Problem] | None = None) -> None:
    """Raise a UserError for the first name of the settings that does not do what its place asks for."""
    for setting, names in settings.own_code.items():
        for name in names:
            with _tried(setting, name):
                match setting:
                    case "rewards":
                        _try_reward(name, problems or PROBLEMS)
                    case "normalisation":
                        _try_normalisation(name)
                    case "aggregation":
                        _try_aggregation(name)
                    case "kl":
                        _try_kl(name)


@contextmanager
def _tried(setting: str, name: str) -> Iterator[None]:
    """Turn whatever goes wrong inside into one line that begins with the setting and the name."""
    try:
        yield
    except UserError as error:
        text = str(error).removeprefix("rewards.").removeprefix(f"{name}: ")
    # Code of the user's may fail in any way.
    except Exception as error:
        text = f"failed on a worked example ({described(error)})"
    else:
        return
    raise UserError(f"rl.{setting}: {name}: {text}")


def _try_reward(name: str, problems: list[Problem]) -> None:
    """Groups of different sizes, so that a constant number of scores is noticed."""
    groups = [_group(problem, TEXTS[: 4 - place]) for place, problem in enumerate(problems)]
    reward = load_own_reward(name)
    scores_of(name, reward, groups)


def _group(problem: Problem, texts: tuple[str, ...]) -> Group:
    """A question with outputs, each of one token more than the one before it."""
    samples = [
        Sample(ids=[0] * length, logprobs=[-1.0] * length, finish="stop")
        for length in range(1, len(texts) + 1)
    ]
    return Group(Question(problem, prompt=[0, 0]), samples, list(texts))


def _try_normalisation(name: str) -> None:
    """One output of four is right; then two steps of an output are measured against all five of a group."""
    normalise(np.array([1.0, 0.0, 0.0, 0.0]), name)
    steps, pool = np.array([0.9, 0.5]), np.array([0.9, 0.5, 0.8, 0.2, 0.1])
    normalise(steps, name, pool)


def _try_aggregation(name: str) -> None:
    """One output of a single token, one of the longest length, one that is empty."""
    token_weights([1, 0, 5], name, 5)


def _try_kl(name: str) -> None:
    """A token that the reference finds as likely, one less and one more likely; there must be a gradient."""
    log_probs = torch.tensor([-1.0, -1.0, -3.0], requires_grad=True)
    reference = torch.tensor([-1.0, -2.0, -0.5])

    estimate = kl_estimate(log_probs, reference, name)
    if not torch.isfinite(estimate).all():
        raise UserError(f"gave {estimate.tolist()}, and every term must be finite")
    if not estimate.requires_grad:
        raise UserError("its terms have no gradient; compute them from log_probs with torch")

    (gradient,) = torch.autograd.grad(estimate.sum(), log_probs)
    if not torch.isfinite(gradient).all():
        raise UserError(f"its gradient is {gradient.tolist()}, and must be finite")
