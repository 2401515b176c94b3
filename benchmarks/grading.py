"""How right, how fast and how bounded the grader is, in one table.

    python -m benchmarks.grading                     # about two minutes; with math-verify installed three
    python -m benchmarks.grading --json figures.json
    python -m benchmarks.grading --only speed

labelled    our own pairs by kind (tests/support/grading_pairs.txt) and endings of solutions, beside math-verify's share
agreement   with the verdicts that came with real model outputs (shared data); every disagreement is listed
speed       grades a second in this process, one core, warm: answers and whole solutions of GSM8K and MATH, beside
            math-verify (answers wrapped in $…$, its time-outs on) on the same pairs
worst       the slowest and largest of tests/support/hard_inputs.py, each in a fresh process that may use 512 MB
"""

import argparse
import json
import os
import random
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from eval.grading.extract.answer import extract
from eval.grading.grader import grade
from pipeline.artifacts.records import read_jsonl
from tests.support.grading_cases import ENDINGS, RIGHT, WRONG
from tests.support.hard_inputs import HARD_INPUTS

SHARED = Path(
    os.environ.get("SHARED_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data"
)
FORMS = {"text": "{}", "code": "\n```python\n{}\n```\n", "execution": "\n```output\n{}\n```\n"}
MEMORY = 512 * 2**20
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


def peer() -> Callable[[str, str], bool] | None:
    """math-verify on (gold, prediction) with the gold wrapped as it wants it, or None where it is not installed."""
    try:
        from math_verify import parse, verify
    except ImportError:
        return None
    import logging

    logging.disable(logging.CRITICAL)

    def judged(gold: str, text: str) -> bool:
        return verify(
            parse(f"${gold}$"), parse(text if len(text) > 200 or "boxed" in text else f"${text}$")
        )

    return judged


def labelled(other: Callable | None) -> dict:
    rows = {}
    for kind in dict.fromkeys([*RIGHT, *WRONG]):
        cases = [(*pair, True) for pair in RIGHT.get(kind, [])] + [
            (*pair, False) for pair in WRONG.get(kind, [])
        ]
        rows[kind] = _share(cases, other)
    rows["endings of solutions"] = _share([(gold, text, True) for text, gold in ENDINGS], other)
    total = sum(row["pairs"] for row in rows.values())
    keys = ["ours"] + (["peer"] if other else [])
    rows["all"] = {"pairs": total} | {
        k: sum(r[k] * r["pairs"] for r in rows.values()) / total for k in keys
    }
    return rows


def _share(cases: list, other: Callable | None) -> dict:
    row = {
        "pairs": len(cases),
        "ours": sum(grade(g, a).correct == e for g, a, e in cases) / len(cases),
    }
    if other:
        row["peer"] = sum(_quiet(other, g, a) == e for g, a, e in cases) / len(cases)
    return row


def _quiet(judged: Callable, gold: str, text: str) -> bool:
    try:
        return bool(judged(gold, text))
    except Exception:
        return False


def agreement() -> dict:
    rows, listed = {}, []
    for name, pairs in (
        ("gsm8k_openai_model_solutions", _openai),
        ("gsm8k_mathcoder_cl_34b", _mathcoder),
    ):
        same = total = 0
        for number, (gold, text, label) in enumerate(
            pairs(SHARED / "grading" / f"{name}.jsonl"), 1
        ):
            verdict = grade(gold, text)
            total += 1
            same += verdict.correct == label
            if verdict.correct != label:
                listed.append(
                    f"{name}, row {number}: label {label}, extracted {verdict.extracted!r}, gold {gold[-12:]!r}"
                )
        rows[name] = {"rows": total, "agree": same / total}
    return {"rows": rows, "disagreements": listed}


def _openai(path: Path) -> Iterable[tuple[str, str, bool]]:
    return (
        (row["gold_solution"], row["generation"], row["upstream_correct"])
        for row in read_jsonl(path)
    )


def _mathcoder(path: Path) -> Iterable[tuple[str, str, bool]]:
    for row in read_jsonl(path):
        text = "".join(FORMS[step["role"]].format(step["content"]) for step in row["steps"])
        yield row["gold"], text, row["upstream_correct"]


def workloads() -> dict[str, list[tuple[str, str]]]:
    """Pairs (gold, prediction): about one in six predictions is wrong, by one digit."""
    rng = random.Random(0)

    def spoiled(text: str) -> str:
        places = [match.start() for match in re.finditer(r"\d", text)]
        if not places or rng.random() > 1 / 6:
            return text
        at = rng.choice(places)
        return text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1 :]

    gsm8k = list(read_jsonl(SHARED / "benchmarks/gsm8k/test.jsonl"))
    golds = [row["answer"].rpartition("####")[2].strip() for row in gsm8k]
    mathcoder = [pair[:2] for pair in _mathcoder(SHARED / "grading/gsm8k_mathcoder_cl_34b.jsonl")]
    math = list(read_jsonl(SHARED / "benchmarks/math/test.jsonl"))
    answers = [extract(row["solution"], final_box_only=True).answer or "" for row in math]
    return {
        "GSM8K answers": [(gold, spoiled(gold)) for gold in golds],
        "GSM8K tool-integrated text": mathcoder,
        "MATH answers": [(gold, spoiled(gold)) for gold in answers],
        "MATH solutions": [
            (gold, spoiled(row["solution"])) for gold, row in zip(answers, math, strict=True)
        ],
    }


def speed(other: Callable | None, sample: int) -> dict:
    rows = {}
    for name, pairs in workloads().items():
        rows[name] = {"pairs": len(pairs), "ours": _rate(lambda g, t: grade(g, t).correct, pairs)}
        if other:
            part = random.Random(1).sample(pairs, min(sample, len(pairs)))
            rows[name]["peer"] = _rate(lambda g, t: _quiet(other, g, t), part)
            rows[name]["times"] = rows[name]["ours"] / rows[name]["peer"]
    return rows


def _rate(judged: Callable, pairs: list[tuple[str, str]]) -> float:
    """Grades a second of processor time; every text is new to the caches, the imports are not."""
    for gold, text in pairs[:3]:
        judged(gold + " ", text + " ")
    start = time.process_time()
    for gold, text in pairs:
        judged(gold, text)
    return len(pairs) / (time.process_time() - start)


def worst() -> dict:
    seconds, memory, failed = [], [], []
    for number in range(len(HARD_INPUTS)):
        command = [sys.executable, "-c", ONE, str(number)]
        limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))  # noqa: E731
        done = subprocess.run(command, capture_output=True, text=True, preexec_fn=limit, timeout=60)
        if done.returncode:
            failed.append(f"{HARD_INPUTS[number][:30]!r}: {done.stderr.strip().splitlines()[-1:]}")
            continue
        spent, used = done.stdout.split()
        seconds.append((float(spent), HARD_INPUTS[number][:30]))
        memory.append(int(used))
    slowest = sorted(seconds, reverse=True)[:3]
    return {
        "inputs": len(HARD_INPUTS),
        "slowest": slowest,
        "largest_mb": max(memory) / 2**20,
        "failed": failed,
    }


def show(figures: dict) -> None:
    for part, rows in figures.items():
        print(f"\n{part}")
        if part == "worst":
            for seconds, text in rows["slowest"]:
                print(f"  {seconds:6.3f} s  {text!r}")
            print(
                f"  {rows['inputs']} inputs, largest process {rows['largest_mb']:.0f} MB,"
                f" failed: {rows['failed'] or 'none'}"
            )
            continue
        for name, row in (rows["rows"] if part == "agreement" else rows).items():
            cells = "  ".join(
                f"{key} {value:,.3f}" if value < 10 else f"{key} {value:,.0f}"
                for key, value in row.items()
            )
            print(f"  {name:32}{cells}")
        for line in rows.get("disagreements", []):
            print(f"  {line}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=["labelled", "agreement", "speed", "worst"])
    parser.add_argument(
        "--sample",
        type=int,
        default=400,
        help="pairs of each workload that math-verify is timed on",
    )
    parser.add_argument("--json", type=Path, help="write the figures here")
    args = parser.parse_args()
    wanted = args.only or ["labelled", "agreement", "speed", "worst"]
    if not SHARED.exists():
        wanted = [part for part in wanted if part in ("labelled", "worst")]
        print(
            "no real data here (set SHARED_DATA): agreement and speed are left out", file=sys.stderr
        )
    other = peer() if {"labelled", "speed"} & set(wanted) else None
    if other is None and {"labelled", "speed"} & set(wanted):
        print("math-verify is not installed: no figures of it", file=sys.stderr)
    figures: dict = {}
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
