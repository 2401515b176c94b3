"""HumanEval and MBPP: from a model's text to a candidate, and the verdict of its tests.

The candidate is the last Python block that defines what the tests call, else the raw completion of the prompt, cut
where it starts on something new. Tests and candidate run in two processes (eval.programs.isolated_tests), so that no
candidate can
reach the verdict. Tests that cannot be split (they hand over functions, or build objects of the candidate's classes;
the tests alone decide it) run in one program behind the candidate, which prints a random mark after the last assert:
leaving early or printing much is no pass there either, but a candidate that searches its own frames could print the
mark.
"""

import ast
import builtins
import re
import secrets
import typing
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from eval.programs.code_blocks import python_blocks
from eval.programs.isolated_tests import run_split
from eval.sandbox import Sandbox
from pipeline.artifacts.records import Problem

STOP = ("\nclass ", "\ndef ", "\n#", "\nif ", "\nprint(", "\nassert ", "\n```", "\n[DONE]")
"""Where the completion of a function ends: the first line that starts something else. Source: HumanEval's paper."""
_PRELUDE = "from typing import *\nimport math, re, sys, collections, itertools, functools, heapq, bisect, string\n"


def candidate(problem: Problem, output: str) -> str:
    """The code that a model wrote for a problem."""
    blocks = python_blocks(output)
    wanted = _entry_point(problem)
    fitting = [
        block
        for block in blocks
        if wanted and re.search(rf"^\s*(?:async\s+)?def {re.escape(wanted)}\b", block, re.M)
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
        r"assert\s+\(*(?:not\s+)?(?:set|sorted|list|tuple|abs|len|math\.isclose)?\(?\s*([A-Za-z_]\w*)\(",
        problem.answer,
    )
    return called[1] if called else ""


def _cut(completion: str) -> str:
    ends = [place for place in (completion.find(stop, 1) for stop in STOP) if place >= 0]
    return completion[: min(ends)] if ends else completion


def tested_program(problem: Problem, output: str, mark: str) -> str:
    """Candidate, tests and the mark as one program."""
    return f"{_PRELUDE}\n{candidate(problem, output)}\n\n{problem.answer}\nprint({mark!r})\n"


def free_names(tests: str, helpers: str) -> list[str] | None:
    """Names that tests use and neither they nor `helpers` define: what the candidate must bring. None: not to be split,
    for tests that are no Python or use a class of the candidate's."""
    try:
        tree, known = ast.parse(tests), _defined(ast.parse(helpers))
    except (SyntaxError, ValueError, RecursionError):
        return None
    used = {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    names = sorted(used - _defined(tree) - known - set(dir(builtins)))
    return None if not names or any(name[0].isupper() for name in names) else names


def _defined(tree: ast.AST) -> set[str]:
    """All names that are bound anywhere in the code."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            names.update(typing.__all__)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names.update((alias.asname or alias.name).partition(".")[0] for alias in node.names)
    return names


def run_tests(sandbox: Sandbox, attempts: Sequence[tuple[Problem, str]]) -> list[str]:
    """For every (problem, output) the status: passed, failed (an assert or another exception), or the sandbox's own
    (timeout, memory, output, killed)."""
    with ThreadPoolExecutor(sandbox.workers) as threads:
        return list(threads.map(lambda attempt: _run_test(sandbox, *attempt), attempts))


def _run_test(sandbox: Sandbox, problem: Problem, output: str) -> str:
    shown = (
        f"{problem.question}    pass\n" if problem.kind == "completion" else ""
    )  # its helpers serve the tests too
    entry = _entry_point(problem)
    names = free_names(problem.answer, _PRELUDE + shown)
    if names is not None or shown:
        called = sorted({*(names or []), entry} - {""})
        code = f"{_PRELUDE}\n{candidate(problem, output)}\n"
        status = (
            run_split(sandbox, code, problem.answer, _PRELUDE + shown, called) if called else None
        )
        if status is not None:
            return status
    mark = secrets.token_hex(16)
    run = sandbox.run(tested_program(problem, output, mark))
    if run.status == "ok":
        return "passed" if run.stdout.rstrip().rpartition("\n")[2] == mark else "failed"
    return "failed" if run.status == "error" else run.status
