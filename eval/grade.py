r"""Grade pairs of gold answers and predictions: JSON Lines in, JSON Lines out, in the same order.

    python -m eval.grade PAIRS.jsonl > verdicts.jsonl
    echo '{"id": 1, "gold": "1/2", "prediction": "so \\boxed{0.5}"}' | python -m eval.grade -

Reads objects with `id`, `gold` and `prediction` (an answer or a whole solution; numbers are taken as text). Writes
`id`, `extracted` (the final answer found, null when there is none), `correct`, and how it was decided: `status`
(ok, no_answer, limit, crash), `method` (of the extraction) and `tier`. With `--compat` also `compat`: the verdict
of the public DeepSeekMath evaluation's rules; `--compat-task NAME` takes its few-shot rules for that benchmark. A bad
line ends the run with one line that names file and line, and exit code 2. Does not run programs.
"""

import argparse
import json
import sys
from typing import Any

from eval.grading.grader import grade
from eval.tasks.declarations import TABLE
from eval.verdicts.public_rules import compat_correct
from eval.verdicts.public_tasks import compat_verdict
from pipeline.artifacts.records import read_jsonl_lines
from pipeline.errors import UserError, run_main


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    source = "stdin" if args.pairs == "-" else args.pairs

    for number, row in read_jsonl_lines(args.pairs):
        where = f"{source}, line {number}"
        gold = _text(row, "gold", where)
        prediction = _text(row, "prediction", where)

        verdict = grade(gold, prediction, final_box_only=args.box_only, tolerance=args.tolerance)
        result = {
            "id": row.get("id", number),
            "extracted": verdict.extracted,
            "correct": verdict.correct,
            "status": verdict.status,
            "method": verdict.method,
            "tier": verdict.tier,
        }

        if args.compat_task:
            benchmark = TABLE[args.compat_task]
            result["compat"] = compat_verdict(benchmark, gold, prediction, "few-shot")
        elif args.compat:
            result["compat"] = compat_correct(gold, prediction)

        sys.stdout.write(_line(result))


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m eval.grade",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "pairs", metavar="PAIRS.jsonl", help='objects with id, gold, prediction; "-" is stdin'
    )
    parser.add_argument(
        "--box-only", action="store_true", help=r"as for rewards: only the last \boxed{} counts"
    )
    parser.add_argument(
        "--compat", action="store_true", help="add the verdict of the public DeepSeekMath rules"
    )
    parser.add_argument(
        "--compat-task", metavar="NAME", help="the same by the few-shot rules of this benchmark"
    )
    parser.add_argument(
        "--tolerance", type=float, help="relative tolerance for numbers (OCW courses: 0.01)"
    )
    args = parser.parse_args(argv)

    if args.tolerance is not None and not 0 <= args.tolerance < 1:
        raise UserError(f"--tolerance {args.tolerance}: allowed is 0 up to 1")
    if args.compat_task and args.compat_task not in TABLE:
        raise UserError(
            f"--compat-task {args.compat_task}: unknown; allowed are {', '.join(sorted(TABLE))}"
        )
    return args


def _line(result: dict[str, Any]) -> str:
    text = json.dumps(result, ensure_ascii=False)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:  # half a surrogate pair, as JSON may hold one
        text = json.dumps(result)
    return text + "\n"


def _text(row: dict[str, Any], key: str, where: str) -> str:
    """A field as text; null is no answer."""
    if key not in row:
        raise UserError(f"{where}: no {key!r}")

    value = row[key]
    if value is None:
        return ""
    if not isinstance(value, str | int | float):
        raise UserError(f"{where}: {key!r} is {type(value).__name__}, allowed are text and numbers")
    return str(value)


if __name__ == "__main__":
    run_main(main)
