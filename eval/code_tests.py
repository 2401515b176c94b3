"""HumanEval and MBPP: from a model's text to one program, candidate first, tests after it, run in the sandbox.

The candidate is the last Python block that defines what the tests call, else the raw completion of the prompt, cut
where it starts on something new. The program prints a random mark after its last assert and not before: a candidate
that exits early, or prints much, has not passed. A candidate that goes looking for the mark in its own frames could
print it; a benchmark of goodwill does not.
"""

import re
import secrets
from collections.abc import Sequence

from eval.programs import python_blocks
from eval.sandbox import Sandbox
from pipeline.records import Problem

STOP = ("\nclass ", "\ndef ", "\n#", "\nif ", "\nprint(", "\nassert ", "\n```", "\n[DONE]")
"""Where the completion of a function ends: the first line that starts something else. Source: HumanEval's paper."""
_PRELUDE = "from typing import *\nimport math, re, sys, collections, itertools, functools, heapq, bisect, string\n"


def candidate(problem: Problem, output: str) -> str:
    """The code that a model wrote for a problem."""
    blocks = python_blocks(output)
    wanted = _entry_point(problem)
    fitting = [
        block for block in blocks if wanted and re.search(rf"^\s*(?:async\s+)?def {re.escape(wanted)}\b", block, re.M)
    ]
    if fitting:
        code = fitting[-1]
    elif blocks:
        code = "\n".join(blocks)
    else:
        code = output.partition("[BEGIN]")[2] or output
    if problem.kind != "completion":
        return code.split("[DONE]")[0]
    if wanted and re.search(rf"^def {re.escape(wanted)}\b", code, re.M):
        # The prompt's own imports and helpers stay available to a function that was written anew.
        return f"{problem.question}    pass\n\n{code}"
    return problem.question + _cut(code if blocks else output)


def _entry_point(problem: Problem) -> str:
    """The name that the tests call."""
    checked = re.search(r"check\((\w+)\)\s*\Z", problem.answer)
    if checked:
        return checked[1]
    called = re.search(
        r"assert\s+\(*(?:not\s+)?(?:set|sorted|list|tuple|abs|len|math\.isclose)?\(?\s*([A-Za-z_]\w*)\(", problem.answer
    )
    return called[1] if called else ""


def _cut(completion: str) -> str:
    ends = [place for place in (completion.find(stop, 1) for stop in STOP) if place >= 0]
    return completion[: min(ends)] if ends else completion


def tested_program(problem: Problem, output: str, mark: str) -> str:
    """Candidate, tests and the mark as one program."""
    return f"{_PRELUDE}\n{candidate(problem, output)}\n\n{problem.answer}\nprint({mark!r})\n"


def run_tests(sandbox: Sandbox, attempts: Sequence[tuple[Problem, str]]) -> list[str]:
    """For every (problem, output) the status: passed, failed (an assert or another exception), or the sandbox's own
    (timeout, memory, output, killed)."""
    marks = [secrets.token_hex(16) for _ in attempts]
    programs = [tested_program(problem, output, mark) for (problem, output), mark in zip(attempts, marks, strict=True)]
    statuses = []
    for run, mark in zip(sandbox.run_many(programs), marks, strict=True):
        if run.status == "ok":
            statuses.append("passed" if run.stdout.rstrip().rpartition("\n")[2] == mark else "failed")
        else:
            statuses.append("failed" if run.status == "error" else run.status)
    return statuses
