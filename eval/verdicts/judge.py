"""One verdict for one attempt, whatever the benchmark: `judge(benchmark, attempts, sandbox)`.

metric answer   eval.grading.grader on the text (or on what the program printed), with the declaration's tolerance
metric tests    eval.programs.unit_tests: pass@1 by running the tests in the sandbox
metric proof    eval.verdicts.isabelle: Isabelle where it is installed, status "not_run" elsewhere
"""

from collections.abc import Sequence

from eval.grading.grader import Verdict, grade
from eval.programs.unit_tests import candidate, run_tests
from eval.sandbox import Sandbox
from eval.tasks.declarations import Benchmark
from eval.verdicts.isabelle import check_proof, installed_checker, proof_text
from pipeline.artifacts.records import Problem


def judge(
    benchmark: Benchmark,
    attempts: Sequence[tuple[Problem, str, str | None]],
    sandbox: Sandbox | None = None,
) -> list[Verdict]:
    """Verdicts of attempts (problem, output, printed), in order.

    `printed` is what the attempt's program printed last where the mode is PoT, else None. `sandbox` is needed for
    the metric tests only. Statuses: those of eval.grading.grader, and for tests and proofs also timeout, memory,
    output,
    killed and not_run.
    """
    if benchmark.metric == "tests":
        if sandbox is None:
            raise ValueError("the metric tests needs a sandbox")
        statuses = run_tests(sandbox, [(problem, output) for problem, output, _ in attempts])
        return [
            _tested(*attempt[:2], status)
            for attempt, status in zip(attempts, statuses, strict=True)
        ]
    if benchmark.metric == "proof":
        checker = installed_checker()
        return [
            _proved(problem, output, check_proof(checker, problem, output))
            for problem, output, _ in attempts
        ]
    return [
        grade(
            problem.answer,
            output if printed is None else printed,
            problem.language,
            final_box_only=benchmark.box_only and printed is None,
            tolerance=benchmark.tolerance,
            answer_type=benchmark.answer,
        )
        for problem, output, printed in attempts
    ]


def _tested(problem: Problem, output: str, status: str) -> Verdict:
    code = candidate(problem, output).strip()
    decided = status in ("passed", "failed")
    return Verdict(
        status == "passed",
        code or None,
        "ok" if decided else status,
        "code",
        "tests" if decided else "none",
    )


def _proved(problem: Problem, output: str, status: str) -> Verdict:
    decided = status in ("proved", "failed")
    proof = proof_text(output) or None
    return Verdict(
        status == "proved",
        proof,
        "ok" if decided else status,
        "proof",
        "checker" if decided else "none",
    )
