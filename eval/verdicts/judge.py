"""One verdict for one attempt, whatever the benchmark: `judge(benchmark, attempts, sandbox)`.

metric answer   eval.grading.grader on the text (or on what the program printed), with the declaration's tolerance
metric tests    eval.programs.unit_tests: pass@1 by running the tests in the sandbox
metric proof    eval.verdicts.isabelle: Isabelle where it is installed, status "not_run" elsewhere
"""

from collections.abc import Sequence
from dataclasses import dataclass

from eval.grading.grader import Verdict, grade
from eval.programs.unit_tests import candidate, run_tests
from eval.sandbox import Sandbox
from eval.tasks.declarations import Benchmark
from eval.verdicts.isabelle import check_proof, installed_checker, proof_text
from pipeline.artifacts.records import Problem


@dataclass(frozen=True, slots=True)
class Submission:
    """An attempt to be judged. `printed`: what its program printed last where the mode is PoT, else None."""

    problem: Problem
    output: str
    printed: str | None = None


def judge(
    benchmark: Benchmark, attempts: Sequence[Submission], sandbox: Sandbox | None = None
) -> list[Verdict]:
    """Verdicts of attempts, in order. `sandbox` is needed for the metric tests only.

    Statuses: those of eval.grading.grader, and for tests and proofs also timeout, memory, output, killed and not_run.
    """
    if benchmark.metric == "tests":
        if sandbox is None:
            raise ValueError("the metric tests needs a sandbox")
        statuses = run_tests(sandbox, [(each.problem, each.output) for each in attempts])
        return [_tested(each, status) for each, status in zip(attempts, statuses, strict=True)]

    if benchmark.metric == "proof":
        checker = installed_checker()
        return [_proved(each, check_proof(checker, each.problem, each.output)) for each in attempts]

    return [_graded(benchmark, each) for each in attempts]


def _graded(benchmark: Benchmark, attempt: Submission) -> Verdict:
    text = attempt.output if attempt.printed is None else attempt.printed
    return grade(
        attempt.problem.answer,
        text,
        attempt.problem.language,
        # A program prints its answer without a box.
        final_box_only=benchmark.box_only and attempt.printed is None,
        tolerance=benchmark.tolerance,
        answer_type=benchmark.answer,
    )


def _tested(attempt: Submission, status: str) -> Verdict:
    code = candidate(attempt.problem, attempt.output).strip()
    decided = status in ("passed", "failed")
    return Verdict(
        correct=status == "passed",
        extracted=code or None,
        status="ok" if decided else status,
        method="code",
        tier="tests" if decided else "none",
    )


def _proved(attempt: Submission, status: str) -> Verdict:
    decided = status in ("proved", "failed")
    return Verdict(
        correct=status == "proved",
        extracted=proof_text(attempt.output) or None,
        status="ok" if decided else status,
        method="proof",
        tier="checker" if decided else "none",
    )
