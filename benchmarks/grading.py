"""Accuracy, speed and worst-case cost of the grader, in one table.

    python -m benchmarks.grading                     # about two minutes; with math-verify installed three
    python -m benchmarks.grading --json figures.json
    python -m benchmarks.grading --only speed

labelled    share of our own pairs judged as labelled, by kind (tests/support/grading_pairs.txt), and of endings of
            solutions; compared with math-verify
agreement   with the verdicts that were published with real model outputs (shared data); every disagreement is listed
speed       grades a second in this process, one core, warm: answers and whole solutions of GSM8K and MATH; compared
            with math-verify (answers wrapped in $…$, its time-outs on) on the same pairs
worst       the slowest and largest of tests/support/hard_inputs.py, each in a fresh process limited to 512 MB
"""

import argparse
import json
import logging
import os
import random
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from eval.grading.extract.answer import extract
from eval.grading.grader import grade
from pipeline.artifacts.records import read_jsonl
from tests.support.grading_cases import ENDINGS, RIGHT, WRONG
from tests.support.hard_inputs import HARD_INPUTS

SHARED = Path(
    os.environ.get("SHARED_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data"
)
PARTS = ("labelled", "agreement", "speed", "worst")

Figures = dict[str, Any]
Row = dict[str, float]
"""Figures of one line of the table, by column."""
Case = tuple[str, str, bool]
"""Gold, prediction, and whether it is right."""
Judge = Callable[[str, str], bool]

# How the steps of a tool-integrated solution are written as text.
FORMS = {"text": "{}", "code": "\n```python\n{}\n```\n", "execution": "\n```output\n{}\n```\n"}
MEMORY = 512 * 2**20
# A program that grades the hard input of a given number against several golds, and prints the longest time in
# seconds and the peak memory in bytes.
ONE = """
import resource, sys, time
sys.path.insert(0, ".")
from tests.support.hard_inputs import HARD_INPUTS
from eval.verdicts.public_rules import compat_correct
from eval.grading.grader import grade
grade("x+1", "1+x"); grade("1/2", "0.5"); grade("[1,2]", "(1,2)")
text, worst = HARD_INPUTS[int(sys.argv[1])], 0.0
for gold in ("5", "x^2+1", "\\\\{1,2\\\\}", "(1,2)", "B", text[:-1] + "2"):
    start = time.process_time()
    grade(gold, text)
    compat_correct(gold, text)
    worst = max(worst, time.process_time() - start)
print(worst, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def peer() -> Judge | None:
    """math-verify on (gold, prediction), each wrapped as it expects; None where it is not installed."""
    try:
        from math_verify import parse, verify
    except ImportError:
        return None

    # It logs every answer that it cannot parse.
    logging.disable(logging.CRITICAL)

    def judged(gold: str, text: str) -> bool:
        is_solution = len(text) > 200 or "boxed" in text
        return verify(parse(f"${gold}$"), parse(text if is_solution else f"${text}$"))

    return judged


def labelled(other: Judge | None) -> dict[str, Row]:
    """Share of pairs that are judged as labelled, for each kind."""
    rows: dict[str, Row] = {}
    for kind in dict.fromkeys([*RIGHT, *WRONG]):
        right = [(gold, answer, True) for gold, answer in RIGHT.get(kind, [])]
        wrong = [(gold, answer, False) for gold, answer in WRONG.get(kind, [])]
        rows[kind] = _share(right + wrong, other)
    rows["endings of solutions"] = _share([(gold, text, True) for text, gold in ENDINGS], other)

    total = sum(row["pairs"] for row in rows.values())
    every: Row = {"pairs": total}
    for judge in ("ours", "peer") if other else ("ours",):
        every[judge] = sum(row[judge] * row["pairs"] for row in rows.values()) / total
    rows["all"] = every
    return rows


def _share(cases: list[Case], other: Judge | None) -> Row:
    ours = sum(grade(gold, answer).correct == label for gold, answer, label in cases)
    row: Row = {"pairs": len(cases), "ours": ours / len(cases)}
    if other:
        theirs = sum(_quiet(other, gold, answer) == label for gold, answer, label in cases)
        row["peer"] = theirs / len(cases)
    return row


def _quiet(judged: Judge, gold: str, text: str) -> bool:
    """The other library's verdict; an exception of its own counts as "wrong"."""
    try:
        return bool(judged(gold, text))
    except Exception:
        return False


def agreement() -> Figures:
    """How often the grader agrees with published verdicts, and where it does not."""
    rows: dict[str, Row] = {}
    listed: list[str] = []
    sources = (
        ("gsm8k_openai_model_solutions", _openai),
        ("gsm8k_mathcoder_cl_34b", _mathcoder),
    )
    for name, read_cases in sources:
        same = total = 0
        cases = read_cases(SHARED / "grading" / f"{name}.jsonl")
        for number, (gold, text, label) in enumerate(cases, 1):
            verdict = grade(gold, text)
            total += 1
            same += verdict.correct == label
            if verdict.correct != label:
                listed.append(
                    f"{name}, row {number}: label {label}, extracted {verdict.extracted!r}, gold {gold[-12:]!r}"
                )
        rows[name] = {"rows": total, "agree": same / total}
    return {"rows": rows, "disagreements": listed}


def _openai(path: Path) -> Iterable[Case]:
    return (
        (row["gold_solution"], row["generation"], row["upstream_correct"])
        for row in read_jsonl(path)
    )


def _mathcoder(path: Path) -> Iterable[Case]:
    for row in read_jsonl(path):
        text = "".join(FORMS[step["role"]].format(step["content"]) for step in row["steps"])
        yield row["gold"], text, row["upstream_correct"]


def workloads() -> dict[str, list[tuple[str, str]]]:
    """Pairs (gold, prediction). In about one of six predictions a digit is changed."""
    rng = random.Random(0)

    def spoiled(text: str) -> str:
        places = [match.start() for match in re.finditer(r"\d", text)]
        if not places or rng.random() > 1 / 6:
            return text
        at = rng.choice(places)
        return text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1 :]

    gsm8k = list(read_jsonl(SHARED / "benchmarks/gsm8k/test.jsonl"))
    golds = [row["answer"].rpartition("####")[2].strip() for row in gsm8k]

    cases = _mathcoder(SHARED / "grading/gsm8k_mathcoder_cl_34b.jsonl")
    mathcoder = [(gold, text) for gold, text, _ in cases]

    math = list(read_jsonl(SHARED / "benchmarks/math/test.jsonl"))
    answers = [extract(row["solution"], final_box_only=True).answer or "" for row in math]

    # The order of the entries is that of the random draws.
    return {
        "GSM8K answers": [(gold, spoiled(gold)) for gold in golds],
        "GSM8K tool-integrated text": mathcoder,
        "MATH answers": [(gold, spoiled(gold)) for gold in answers],
        "MATH solutions": [
            (gold, spoiled(row["solution"])) for gold, row in zip(answers, math, strict=True)
        ],
    }


def speed(other: Judge | None, sample: int) -> dict[str, Row]:
    """Grades a second for each workload; the other library is timed on `sample` pairs of it."""
    rows: dict[str, Row] = {}
    for name, pairs in workloads().items():
        ours = _rate(_correct, pairs)
        rows[name] = {"pairs": len(pairs), "ours": ours}
        if other:
            part = random.Random(1).sample(pairs, min(sample, len(pairs)))
            theirs = _rate(partial(_quiet, other), part)
            rows[name] |= {"peer": theirs, "times": ours / theirs}
    return rows


def _correct(gold: str, text: str) -> bool:
    return grade(gold, text).correct


def _rate(judged: Judge, pairs: list[tuple[str, str]]) -> float:
    """Grades for each second of processor time. Every text is new to the caches; modules are loaded."""
    for gold, text in pairs[:3]:
        judged(gold + " ", text + " ")

    start = time.process_time()
    for gold, text in pairs:
        judged(gold, text)
    return len(pairs) / (time.process_time() - start)


def worst() -> Figures:
    """Time and memory of the hard inputs, each graded in a process of its own."""
    seconds: list[tuple[float, str]] = []
    memory: list[int] = []
    failed: list[str] = []
    for number, text in enumerate(HARD_INPUTS):
        done = subprocess.run(
            [sys.executable, "-c", ONE, str(number)],
            capture_output=True,
            text=True,
            preexec_fn=_limit_memory,
            timeout=60,
        )
        if done.returncode:
            failed.append(f"{text[:30]!r}: {done.stderr.strip().splitlines()[-1:]}")
            continue

        spent, used = done.stdout.split()
        seconds.append((float(spent), text[:30]))
        memory.append(int(used))

    slowest = sorted(seconds, reverse=True)[:3]
    return {
        "inputs": len(HARD_INPUTS),
        "slowest": slowest,
        "largest_mb": max(memory) / 2**20,
        "failed": failed,
    }


def _limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def show(figures: Figures) -> None:
    for part, found in figures.items():
        print(f"\n{part}")
        match part:
            case "worst":
                for seconds, text in found["slowest"]:
                    print(f"  {seconds:6.3f} s  {text!r}")
                print(
                    f"  {found['inputs']} inputs, largest process {found['largest_mb']:.0f} MB,"
                    f" failed: {found['failed'] or 'none'}"
                )
            case "agreement":
                show_rows(found["rows"])
                for line in found["disagreements"]:
                    print(f"  {line}")
            case _:
                show_rows(found)


def show_rows(rows: dict[str, Row]) -> None:
    for name, row in rows.items():
        # Shares need their decimals, counts and rates do not.
        cells = [
            f"{key} {value:,.3f}" if value < 10 else f"{key} {value:,.0f}"
            for key, value in row.items()
        ]
        print(f"  {name:32}{'  '.join(cells)}")


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=PARTS)
    parser.add_argument(
        "--sample",
        type=int,
        default=400,
        help="pairs of each workload that math-verify is timed on",
    )
    parser.add_argument("--json", type=Path, help="write the figures here")
    args = parser.parse_args(argv)

    wanted = args.only or list(PARTS)
    if not SHARED.exists():
        wanted = [part for part in wanted if part in ("labelled", "worst")]
        print(
            "no real data here (set SHARED_DATA): agreement and speed are left out", file=sys.stderr
        )

    other = None
    if "labelled" in wanted or "speed" in wanted:
        other = peer()
        if other is None:
            print("math-verify is not installed: no figures of it", file=sys.stderr)

    figures: Figures = {}
    if "labelled" in wanted:
        figures["labelled"] = labelled(other)
    if "agreement" in wanted:
        figures["agreement"] = agreement()
    if "speed" in wanted:
        figures["speed"] = speed(other, args.sample)
    if "worst" in wanted:
        figures["worst"] = worst()
    show(figures)
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
