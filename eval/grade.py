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

from eval.grading.grader import grade
from eval.tasks.declarations import TABLE
from eval.verdicts.public_rules import compat_correct
from eval.verdicts.public_tasks import compat_verdict
from pipeline.artifacts.records import read_jsonl_lines
from pipeline.errors import UserError, run_main


def main(argv: list[str] | None = None) -> None:
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
    arguments = parser.parse_args(argv)
    if arguments.tolerance is not None and not 0 <= arguments.tolerance < 1:
        raise UserError(f"--tolerance {arguments.tolerance}: allowed is 0 up to 1")
    if arguments.compat_task and arguments.compat_task not in TABLE:
        raise UserError(
            f"--compat-task {arguments.compat_task}: unknown; allowed are {', '.join(sorted(TABLE))}"
        )
    name = "stdin" if arguments.pairs == "-" else arguments.pairs
    for number, row in read_jsonl_lines(arguments.pairs):
        gold, prediction = (
            _text(row, key, f"{name}, line {number}") for key in ("gold", "prediction")
        )
        verdict = grade(
            gold, prediction, final_box_only=arguments.box_only, tolerance=arguments.tolerance
        )
        result = {
            "id": row.get("id", number),
            "extracted": verdict.extracted,
            "correct": verdict.correct,
        }
        result |= {"status": verdict.status, "method": verdict.method, "tier": verdict.tier}
        if arguments.compat_task:
            result["compat"] = compat_verdict(
                TABLE[arguments.compat_task], gold, prediction, "few-shot"
            )
        elif arguments.compat:
            result["compat"] = compat_correct(gold, prediction)
        sys.stdout.write(_line(result))


def _line(result: dict) -> str:
    text = json.dumps(result, ensure_ascii=False)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:  # half a surrogate pair, as JSON may hold one
        text = json.dumps(result)
    return text + "\n"


def _text(row: dict, key: str, where: str) -> str:
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
