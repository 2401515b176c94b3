"""Sample rows: a model's attempts as they are stored before grading, and as they are graded.

`attempt_rows` is what decoding and the sandbox cost hours for; it is kept (see eval.sampling.work_units).
`graded_rows` adds both verdicts, which cost seconds: `correct` by eval.grading.grader and `compat` by the rules of the
public DeepSeekMath evaluation.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import pyarrow as pa

from eval.cases.gold import case_of
from eval.sampling.attempts import Attempt
from eval.sandbox import Sandbox
from eval.tasks.declarations import Benchmark
from eval.verdicts.judge import Submission, judge
from eval.verdicts.public_tasks import compat_verdict
from pipeline.artifacts.records import Problem

Row = dict[str, Any]


class Decoder(Protocol):
    """The part of a tokenizer that is needed here."""

    def decode(self, token_ids: list[int]) -> str: ...


# What decoding and the sandbox found out.
# printed: the last line that the last program printed; program: its status in the sandbox, empty where none ran;
# tokens: written by the model; finish: stop or length; logprob: sum over those tokens; seconds: the wall time of the
# part of the run that this sample belongs to, divided by that part's samples.
ATTEMPTS = pa.schema(
    [
        ("id", pa.string()), ("greedy", pa.bool_()), ("sample", pa.int32()), ("prompt", pa.string()),
        ("output", pa.string()), ("printed", pa.string()), ("program", pa.string()), ("tokens", pa.int32()),
        ("finish", pa.string()), ("logprob", pa.float32()), ("seconds", pa.float32()),
    ]
)  # fmt: skip

# Attempts with their problems and verdicts.
# status and method are the grader's; compat is null where the public rules know no such benchmark; program_correct:
# whether what the program printed is right, null where none was asked for (tool mode only).
SAMPLES = pa.schema(
    [
        ("id", pa.string()), ("kind", pa.string()), ("level", pa.string()), ("language", pa.string()),
        ("question", pa.string()), *(ATTEMPTS.field(i) for i in range(1, len(ATTEMPTS))),
        ("extracted", pa.string()), ("gold", pa.string()), ("correct", pa.bool_()), ("status", pa.string()),
        ("method", pa.string()), ("compat", pa.bool_()), ("program_correct", pa.bool_()),
    ]
)  # fmt: skip


def attempt_rows(
    attempts: Sequence[Attempt], greedy: bool, seconds: float, tokenizer: Decoder
) -> list[Row]:
    """Rows of ATTEMPTS; `seconds` is the wall time of all of them together."""
    # All samples of a problem have the same prompt: decode it once.
    prompts: dict[str, str] = {}
    for attempt in attempts:
        if attempt.problem.id not in prompts:
            prompts[attempt.problem.id] = tokenizer.decode(attempt.prompt_ids)

    rows = []
    for attempt in attempts:
        rows.append(
            {
                "id": attempt.problem.id,
                "greedy": greedy,
                "sample": attempt.sample,
                "prompt": prompts[attempt.problem.id],
                "output": attempt.output,
                "printed": attempt.printed,
                "program": attempt.program_status,
                "tokens": attempt.tokens,
                "finish": attempt.finish,
                "logprob": attempt.logprob,
                "seconds": seconds / len(attempts),
            }
        )
    return rows


def graded_rows(
    rows: list[Row],
    problems: Sequence[Problem],
    benchmark: Benchmark,
    mode: str,
    sandbox: Sandbox | None,
    style: str = "chat",
) -> list[Row]:
    """Rows of SAMPLES from rows of ATTEMPTS of these problems.

    `sandbox` is needed for the metric tests only; `style` ("chat", "few-shot") picks the public rules.
    """
    by_id = {problem.id: problem for problem in problems}

    # What counts: the text, and in PoT what the program printed.
    attempts = []
    for row in rows:
        printed = (row["printed"] or "") if mode == "pot" else None
        attempts.append(Submission(by_id[row["id"]], row["output"], printed))
    verdicts = judge(benchmark, attempts, sandbox)

    # In the tool mode also what the last program printed, as a second verdict.
    program_verdicts: list[bool | None] = [None] * len(rows)
    if mode == "tool":
        programs = [
            Submission(by_id[row["id"]], row["output"], row["printed"] or "") for row in rows
        ]
        program_verdicts = [verdict.correct for verdict in judge(benchmark, programs, sandbox)]

    graded = []
    for row, attempt, verdict, program_correct in zip(
        rows, attempts, verdicts, program_verdicts, strict=True
    ):
        problem = attempt.problem
        graded.append(
            {
                **row,
                "kind": problem.kind,
                "level": problem.level,
                "language": problem.language,
                "question": problem.question,
                "gold": problem.answer,
                "compat": _public_verdict(benchmark, attempt, mode, style),
                "extracted": verdict.extracted,
                "correct": verdict.correct,
                "status": verdict.status,
                "method": verdict.method,
                "program_correct": program_correct,
            }
        )
    return graded


def _public_verdict(
    benchmark: Benchmark, attempt: Submission, mode: str, style: str
) -> bool | None:
    """By the public rules. Those for few-shot prompts read a chain of thought; programs have the general ones."""
    # The public evaluation knows no cases.
    if case_of(attempt.problem.answer) is not None:
        return None

    text = attempt.output if attempt.printed is None else attempt.printed
    rules = style if mode == "cot" else "chat"
    problem = attempt.problem
    return compat_verdict(benchmark, problem.answer, text, rules, problem.question)
