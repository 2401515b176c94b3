"""Sample rows: a model's attempts as they are stored before grading, and as they are graded.

`attempt_rows` is what decoding and the sandbox cost hours for; it is kept (see eval.sampling.work_units).
`graded_rows` adds both verdicts, which cost seconds: `correct` by eval.grading.grader and `compat` by the public DeepSeekMath evaluation's
rules.
"""

from collections.abc import Sequence

import pyarrow as pa

from eval.sampling.attempts import Attempt
from eval.sandbox import Sandbox
from eval.tasks.declarations import Benchmark
from eval.verdicts.judge import judge
from eval.verdicts.public_tasks import compat_verdict
from pipeline.artifacts.records import Problem

ATTEMPTS = pa.schema(
    [
        ("id", pa.string()), ("greedy", pa.bool_()), ("sample", pa.int32()), ("prompt", pa.string()),
        ("output", pa.string()), ("printed", pa.string()), ("program", pa.string()), ("tokens", pa.int32()),
        ("finish", pa.string()), ("logprob", pa.float32()), ("seconds", pa.float32()),
    ]
)  # fmt: skip
"""`printed`: the last line that the last program printed; `program`: its status in the sandbox, empty where none ran;
`tokens`: written by the model; `finish`: stop or length; `logprob`: sum over those tokens; `seconds`: the wall time of
the part of the run that this sample belongs to, divided by that part's samples."""

SAMPLES = pa.schema(
    [
        ("id", pa.string()), ("kind", pa.string()), ("level", pa.string()), ("language", pa.string()),
        ("question", pa.string()), *(ATTEMPTS.field(i) for i in range(1, len(ATTEMPTS))),
        ("extracted", pa.string()), ("gold", pa.string()), ("correct", pa.bool_()), ("status", pa.string()),
        ("method", pa.string()), ("compat", pa.bool_()), ("program_correct", pa.bool_()),
    ]
)  # fmt: skip
"""`status` and `method` are the grader's; `compat` is null where the public rules know no such benchmark;
`program_correct`: whether what the program printed is right, null where none was asked for (tool mode only)."""


def attempt_rows(
    attempts: Sequence[Attempt], greedy: bool, seconds: float, tokenizer
) -> list[dict]:
    """Rows of ATTEMPTS; `seconds` is the wall time of all of them together."""
    prompts: dict[str, str] = {}
    for attempt in attempts:
        if attempt.problem.id not in prompts:
            prompts[attempt.problem.id] = tokenizer.decode(attempt.prompt_ids)
    return [
        {
            "id": a.problem.id, "greedy": greedy, "sample": a.sample, "prompt": prompts[a.problem.id],
            "output": a.output, "printed": a.printed, "program": a.program_status, "tokens": a.tokens,
            "finish": a.finish, "logprob": a.logprob, "seconds": seconds / len(attempts),
        }
        for a in attempts
    ]  # fmt: skip


def graded_rows(
    rows: list[dict],
    problems: Sequence[Problem],
    benchmark: Benchmark,
    mode: str,
    sandbox: Sandbox | None,
    style: str = "chat",
) -> list[dict]:
    """Rows of SAMPLES from rows of ATTEMPTS of these problems. `sandbox` is needed for the metric tests only; `style`
    ("chat", "few-shot") picks the public rules."""
    by_id = {problem.id: problem for problem in problems}
    tried = [
        (by_id[row["id"]], row["output"], (row["printed"] or "") if mode == "pot" else None) for row in rows
    ]  # fmt: skip
    verdicts = judge(benchmark, tried, sandbox)
    printed = [
        (by_id[row["id"]], row["output"], row["printed"] or "") for row in rows if mode == "tool"
    ]
    programs = iter(judge(benchmark, printed, sandbox))
    graded = []
    for row, (problem, output, shown), verdict in zip(rows, tried, verdicts, strict=True):
        text, rules = (
            (output, style) if mode == "cot" else (output if shown is None else shown, "chat")
        )
        compat = compat_verdict(benchmark, problem.answer, text, rules, problem.question)
        graded.append(
            row
            | {"kind": problem.kind, "level": problem.level, "language": problem.language}
            | {"question": problem.question, "gold": problem.answer, "compat": compat}
            | {"extracted": verdict.extracted, "correct": verdict.correct, "status": verdict.status}
            | {
                "method": verdict.method,
                "program_correct": next(programs).correct if mode == "tool" else None,
            }
        )
    return graded
