"""HumanEval and MBPP: from a model's text to a candidate, and the verdict of its tests.

The candidate is the last Python block that defines what the tests call, else the raw completion of the prompt, cut
where it starts on something new. Tests and candidate run in two processes (eval.programs.isolated_tests), so that no
candidate can reach the verdict. Tests that cannot be split (they hand over functions, or build objects of the
candidate's classes; the tests alone decide it) run in one program behind the candidate, which prints a random mark
after the last assert: leaving early or printing much is no pass there either, but a candidate that searches its own
frames could print the mark.
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

# Where the completion of a function ends: the first line that starts something else. Source: HumanEval's paper.
STOP = ("\nclass ", "\ndef ", "\n#", "\nif ", "\nprint(", "\nassert ", "\n```", "\n[DONE]")

# What candidates and tests of these sets take for granted
_PRELUDE = "from typing import *\nimport math, re, sys, collections, itertools, functools, heapq, bisect, string\n"


_CHECKED = re.compile(r"check\((\w+)\)\s*\Z")  # HumanEval
_ASSERTED = re.compile(  # MBPP: the first function that an assert calls, inside at most one builtin
    r"assert\s+\(*(?:not\s+)?(?:set|sorted|list|tuple|abs|len|math\.isclose)?\(?\s*([A-Za-z_]\w*)\("
)


def candidate(problem: Problem, output: str) -> str:
    """The code that a model wrote for a problem."""
    blocks = python_blocks(output)
    wanted = _entry_point(problem)

    fitting = []
    if wanted:
        definition = re.compile(rf"^\s*(?:async\s+)?def {re.escape(wanted)}\b", re.M)
        fitting = [block for block in blocks if definition.search(block)]

    if fitting:
        code = fitting[-1]
    elif blocks:
        code = "\n".join(blocks)
    else:
        # MBPP's few-shot format: [BEGIN] … [DONE]
        code = output.partition("[BEGIN]")[2] or output

    if problem.kind != "completion":
        return code.split("[DONE]")[0]

    if wanted and re.search(rf"^def {re.escape(wanted)}\b", code, re.M):
        # The prompt's own imports and helpers stay available to a function that was written anew.
        return f"{problem.question}    pass\n\n{code}"
    return problem.question + _cut(code if blocks else output)


def _entry_point(problem: Problem) -> str:
    """The name that the tests call."""
    found = _CHECKED.search(problem.answer) or _ASSERTED.search(problem.answer)
    return found[1] if found else ""


def _cut(completion: str) -> str:
    """A completion up to the first line that starts something else; its own first line is kept whatever it is."""
    places = [completion.find(stop, 1) for stop in STOP]
    found = [place for place in places if place >= 0]
    return completion[: min(found)] if found else completion


def tested_program(problem: Problem, output: str, mark: str) -> str:
    """Candidate, tests and the mark as one program."""
    return f"{_PRELUDE}\n{candidate(problem, output)}\n\n{problem.answer}\nprint({mark!r})\n"


def free_names(tests: str, helpers: str) -> list[str] | None:
    """Names that tests use and neither they nor `helpers` define: what the candidate must bring.

    None for tests that cannot be split: they are no Python, need no name, or use a class of the candidate's.
    """
    try:
        tree = ast.parse(tests)
        known = _defined(ast.parse(helpers))
    except (SyntaxError, ValueError, RecursionError):
        return None

    used = {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    names = sorted(used - _defined(tree) - known - set(dir(builtins)))

    # By convention a capital begins a class's name, and its objects cannot be handed to another process.
    if not names or any(name[0].isupper() for name in names):
        return None
    return names


def _defined(tree: ast.AST) -> set[str]:
    """All names that are bound anywhere in the code."""
    names: set[str] = set()

    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                names.add(name)
            case (
                ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ClassDef(name=name)
            ):
                names.add(name)
            case ast.arg(arg=name):
                names.add(name)
            case ast.ImportFrom(names=[ast.alias(name="*"), *_]):
                names.update(typing.__all__)  # the prelude's; what others bring is not known
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                names.update((alias.asname or alias.name).partition(".")[0] for alias in aliases)

    return names


def run_tests(sandbox: Sandbox, attempts: Sequence[tuple[Problem, str]]) -> list[str]:
    """For every (problem, output) the status: passed, failed (an assert or another exception), or the sandbox's own
    (timeout, memory, output, killed)."""
    with ThreadPoolExecutor(sandbox.workers) as threads:
        return list(threads.map(lambda attempt: _run_test(sandbox, *attempt), attempts))


def _run_test(sandbox: Sandbox, problem: Problem, output: str) -> str:
    # The helpers of HumanEval's prompt serve the tests too.
    prompt = f"{problem.question}    pass\n" if problem.kind == "completion" else ""
    helpers = _PRELUDE + prompt

    # In two processes, where the tests can be split
    names = free_names(problem.answer, helpers)
    if names is not None or prompt:
        called = sorted({*(names or []), _entry_point(problem)} - {""})
        if called:
            code = f"{_PRELUDE}\n{candidate(problem, output)}\n"
            status = run_split(sandbox, code, problem.answer, helpers, called)
            if status is not None:
                return status

    # In one process. The mark behind the last assert is random: a candidate that leaves early has not printed it.
    mark = secrets.token_hex(16)
    run = sandbox.run(tested_program(problem, output, mark))
    if run.status == "ok":
        return "passed" if run.stdout.rstrip().rpartition("\n")[2] == mark else "failed"
    return "failed" if run.status == "error" else run.status
