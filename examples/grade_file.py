"""Grade answers with the library call: what `python -m eval.grade` does, from your own program.

    python -m examples.grade_file                       # a few pairs from this file
    python -m examples.grade_file --pairs my_pairs.jsonl   # {"gold": ..., "prediction": ...} a line

A prediction is an answer or a whole solution; the grader finds the final answer in it. No text is ever executed.
"""

import argparse
from pathlib import Path

from eval.grading.grader import grade
from pipeline.artifacts.records import read_jsonl

PAIRS = [
    {"gold": "1/2", "prediction": r"Half of them are red, so the answer is \boxed{0.5}."},
    {"gold": "1/3", "prediction": "0.33"},  # two digits are not a third
    {"gold": r"(1, 3]", "prediction": r"Hence \boxed{1 < x \le 3}."},
    {"gold": r"(1, 3]", "prediction": r"Hence \boxed{(1, 3)}."},  # open or closed matters
    {"gold": "2 hours", "prediction": "It takes 120 minutes."},
    {"gold": r"x^2 - 1", "prediction": r"The product is $(x-1)(x+1)$."},
    {"gold": "3^{2025}", "prediction": "2^{2025}"},  # floating point would call both infinite
    {"gold": "12000", "prediction": "答案是 1.2 万。"},
]


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=Path, help="JSON Lines with gold and prediction")
    args = parser.parse_args(argv)
    pairs = list(read_jsonl(args.pairs)) if args.pairs else PAIRS

    right = 0
    for pair in pairs:
        verdict = grade(pair["gold"], pair["prediction"])
        right += verdict.correct

        # `extracted` is what the grader compared, `tier` is the rule that decided.
        mark = "right" if verdict.correct else "wrong"
        print(f"{mark}  {pair['gold']:10}  {verdict.extracted!s:18}  {verdict.tier}")

    print(f"{right} of {len(pairs)} right")


if __name__ == "__main__":
    main()
