"""Is a solution fit to learn from: a question, an answer, and programs that give it when they are
run.

Checks that need no execution run on every solution. Programs run in the sandbox, all of them or a
share chosen by the solution's id; the others are counted as not run.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from eval.grading.grader import grade
from pipeline.artifacts.records import Solution
from pipeline.progress import Progress

if TYPE_CHECKING:
    from eval.sandbox.pool import Execution

# Limits of a program. Solutions of data sets compute for milliseconds: what takes longer waits for
# input or loops.
TIMEOUT_SECONDS = 10.0
MEMORY_MB = 512
BATCH = 256
"""Solutions whose programs are handed to the sandbox at a time."""


def reason_against(solution: Solution) -> str | None:
    """Why the solution is no example, judged without running anything; None if nothing speaks
    against it."""
    roles = [turn["role"] for turn in solution.turns]
    if not solution.question.strip():
        return "no question"
    if not any(turn["content"].strip() for turn in solution.turns):
        return "empty solution"
    if not solution.answer.strip():
        # A program may still give it: MathInstruct's come without.
        return None if solution.format == "pot" else "no answer"

    if solution.format == "pot":
        return None if roles == ["code"] else "a program solution is not one program"
    if roles[-1] != "text":
        return "no final answer"
    if solution.format == "tool" and _lacks_output(roles):
        return "a program without output"

    final = solution.turns[-1]["content"]
    # The literal box first: it spares most solutions the grader.
    if f"\\boxed{{{solution.answer}}}" in final:
        return None
    if grade(solution.answer, final, solution.language).correct:
        return None
    return "states another answer"


def _lacks_output(roles: list[str]) -> bool:
    """Whether a program is followed by anything but its output."""
    return any(role == "code" and after != "output" for role, after in pairwise(roles))


def run_programs(
    solutions: list[Solution], share: float, counts: Counter, isolation: set[str]
) -> Iterator[tuple[Solution, str | None]]:
    """Yield each solution with the reason against it that running its programs gives.

    A `share` of the solutions with programs is run. `counts` receives how many were run or not,
    `isolation` what held while they ran. A program solution without an answer gets the one that its
    program prints.
    """
    with_programs = [solution for solution in solutions if solution.format != "cot"]
    chosen = [solution for solution in with_programs if _drawn(solution.id, share)]
    counts["programs_run"] += len(chosen)
    counts["programs_not_run"] += len(with_programs) - len(chosen)
    verdicts = _execute(chosen, isolation) if chosen else {}

    for solution in solutions:
        not_run = Verdict(solution.answer, None)
        verdict = verdicts.get(solution.id, not_run)
        reason = verdict.reason
        if not verdict.answer.strip() and reason is None:
            reason = "no answer (program not run)"
        yield replace(solution, answer=verdict.answer), reason


@dataclass(frozen=True, slots=True)
class Verdict:
    """What running a solution's programs gives: the answer, and the reason against the solution if
    there is one."""

    answer: str
    reason: str | None


def _execute(solutions: list[Solution], isolation: set[str]) -> dict[str, Verdict]:
    """Run the programs; verdicts by the solution's id."""
    from eval.sandbox.pool import (
        Sandbox,
    )  # needs Linux; a run that checks no programs works without

    verdicts: dict[str, Verdict] = {}
    workers = len(os.sched_getaffinity(0))
    with (
        Sandbox(timeout=TIMEOUT_SECONDS, memory_mb=MEMORY_MB, workers=workers) as box,
        Progress("sft programs", len(solutions), "solutions") as progress,
    ):
        isolation.add(box.level)
        for start in range(0, len(solutions), BATCH):
            group = solutions[start : start + BATCH]
            scripts = [_scripts(solution) for solution in group]

            # All scripts of the group at once, so that no worker waits; the results come in the
            # same order.
            results = iter(box.run_many([script for of_one in scripts for script in of_one]))
            for solution, of_one in zip(group, scripts, strict=True):
                executions = [next(results) for _ in of_one]
                verdicts[solution.id] = _verdict(solution, executions)
            progress.add(len(group))
    return verdicts


def _scripts(solution: Solution) -> list[str]:
    """One script for each code turn: earlier ones without their top-level prints, as the tool loop
    runs them."""
    from eval.programs.code_blocks import program_so_far

    fenced = ""
    scripts = []
    for turn in solution.turns:
        if turn["role"] == "code":
            fenced += f"```python\n{turn['content']}\n```\n"
            scripts.append(program_so_far(fenced) or "")
    return scripts


def _verdict(solution: Solution, executions: list[Execution]) -> Verdict:
    failed = next((e for e in executions if e.status != "ok"), None)
    if failed:
        return Verdict(solution.answer, f"program: {failed.status}")
    if solution.format == "pot":
        return _verdict_of_program(solution, executions[0].stdout)

    # A tool-integrated solution goes on from what its programs printed: that must be what they
    # print.
    recorded = [turn["content"] for turn in solution.turns if turn["role"] == "output"]
    for execution, text in zip(executions, recorded, strict=False):
        if not _same_output(execution.stdout, text):
            return Verdict(solution.answer, "program prints another output")
    return Verdict(solution.answer, None)


def _verdict_of_program(solution: Solution, stdout: str) -> Verdict:
    """A program solution is right if what it prints is the answer; it gives the answer where there
    is none."""
    from eval.programs.code_blocks import printed_answer

    printed = printed_answer(stdout)
    if printed is None:
        return Verdict(solution.answer, "program: prints nothing")
    answer = solution.answer or printed
    right = grade(answer, f"\\boxed{{{printed}}}", solution.language).correct
    return Verdict(answer, None if right else "program gives another answer")


def _same_output(printed: str, recorded: str) -> bool:
    """Equal but for white space, or equal in value."""
    if "".join(printed.split()) == "".join(recorded.split()):
        return True
    return grade(recorded.strip(), f"\\boxed{{{printed.strip()}}}").correct


def _drawn(identity: str, share: float) -> bool:
    """Whether an id is among a fixed share of all ids, the same on every machine."""
    number = int.from_bytes(hashlib.sha256(identity.encode()).digest()[:4], "big")
    return number < share * 2**32
