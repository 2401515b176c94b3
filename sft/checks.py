"""Is a solution fit to learn from: a question, an answer, and programs that give it when they are run.

Checks that need no execution run on every solution. Programs run in the sandbox, all of them or a share chosen by the
solution's id; the others are counted as not run.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from eval.grading.grader import grade
from pipeline.artifacts.records import Solution
from pipeline.progress import Progress

TIMEOUT, MEMORY_MB = 10.0, 512
BATCH = 256


def reason_against(solution: Solution) -> str | None:
    """Why the solution is no example, judged without running anything; None if nothing speaks against it."""
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
    if solution.format == "tool" and any(a == "code" and b != "output" for a, b in pairwise(roles)):
        return "a program without output"
    final = solution.turns[-1]["content"]
    if (
        f"\\boxed{{{solution.answer}}}" in final
        or grade(solution.answer, final, solution.language).correct
    ):
        return None
    return "states another answer"


def run_programs(
    solutions: list[Solution], share: float, counts: Counter, isolation: set[str]
) -> Iterator[tuple[Solution, str | None]]:
    """Yield each solution with the reason against it that running its programs gives.

    `counts` receives how many had programs that were run or not, `isolation` what held while they ran.
    """
    chosen = [s for s in solutions if s.format != "cot" and _drawn(s.id, share)]
    counts["programs_run"] += len(chosen)
    counts["programs_not_run"] += sum(s.format != "cot" for s in solutions) - len(chosen)
    verdicts = _execute(chosen, isolation) if chosen else {}
    for solution in solutions:
        answer, reason = verdicts.get(solution.id, (solution.answer, None))
        if not answer.strip() and reason is None:
            reason = "no answer (program not run)"
        yield replace(solution, answer=answer), reason


def _execute(solutions: list[Solution], isolation: set[str]) -> dict[str, tuple[str, str | None]]:
    """Run the programs: solution id -> (answer, reason against it or None)."""
    from eval.sandbox import Sandbox  # needs Linux; a run that checks no programs works without

    verdicts = {}
    workers = len(os.sched_getaffinity(0))
    with (
        Sandbox(timeout=TIMEOUT, memory_mb=MEMORY_MB, workers=workers) as box,
        Progress("programs", len(solutions), "solutions") as progress,
    ):
        isolation.add(box.level)
        for start in range(0, len(solutions), BATCH):
            group = solutions[start : start + BATCH]
            programs = [_programs(solution) for solution in group]
            results = iter(box.run_many([program for parts in programs for program in parts]))
            for solution, parts in zip(group, programs, strict=True):
                executions = [next(results) for _ in parts]
                verdicts[solution.id] = _verdict(solution, executions)
            progress.add(len(group))
    return verdicts


def _programs(solution: Solution) -> list[str]:
    """One script for each code turn: earlier ones without their top-level prints, as the tool loop runs them."""
    from eval.programs.code_blocks import program_so_far

    fenced, scripts = "", []
    for turn in solution.turns:
        if turn["role"] == "code":
            fenced += f"```python\n{turn['content']}\n```\n"
            scripts.append(program_so_far(fenced) or "")
    return scripts


def _verdict(solution: Solution, executions: list) -> tuple[str, str | None]:
    from eval.programs.code_blocks import printed_answer

    failed = next((e for e in executions if e.status != "ok"), None)
    if solution.format == "pot":
        printed = None if failed else printed_answer(executions[0].stdout)
        if failed or printed is None:
            return solution.answer, f"program: {failed.status if failed else 'prints nothing'}"
        answer = solution.answer or printed
        right = grade(answer, f"\\boxed{{{printed}}}", solution.language).correct
        return answer, None if right else "program gives another answer"
    if failed:
        return solution.answer, f"program: {failed.status}"
    shown = [turn["content"] for turn in solution.turns if turn["role"] == "output"]
    same = all(_same_output(e.stdout, text) for e, text in zip(executions, shown, strict=False))
    return solution.answer, None if same else "program prints another output"


def _same_output(printed: str, recorded: str) -> bool:
    a, b = "".join(printed.split()), "".join(recorded.split())
    return a == b or grade(recorded.strip(), f"\\boxed{{{printed.strip()}}}").correct


def _drawn(identity: str, share: float) -> bool:
    """A fixed share of all ids, the same on every machine."""
    return int.from_bytes(hashlib.sha256(identity.encode()).digest()[:4], "big") < share * 2**32
