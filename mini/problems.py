"""MiniMath: generated word problems of one to four steps with worked solutions.

Reads   the section `mini` of the configuration (JSON).
Writes  OUT/problems/{train,validation,test}.jsonl (Problem records), OUT/solutions.jsonl (Solution records of
        training problems: CoT for all, a program and a tool-integrated solution for configurable shares) and, last,
        OUT/problems/manifest.json. Every solution's program has been executed and printed the answer.

    python -m mini.problems --config results/mini/config/mini.json --out results/mini/world

Train, validation and test are disjoint by problem: the key of a problem is its structure and its numbers
(`mini.word_problems.template.Case.key`), and a key belongs to one split for every seed, size and language. Held-out
problems repeat no
key among themselves. Not done here: web pages that show or leak problems (`mini.web`), and any real benchmark.
"""

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

from mini.word_problems.registry import LEVELS, draw_case
from mini.word_problems.template import Case, equations, program, question
from pipeline.artifacts.records import Problem, Solution
from pipeline.artifacts.write import write_jsonl, write_manifest
from pipeline.config.load import read_section
from pipeline.config.world import MiniWorld
from pipeline.errors import UserError, run_main
from pipeline.progress import track

SPLITS = ("train", "validation", "test")
MOST_DRAWS = 500
"""Draws after which no new problem is expected any more."""
_OPERATIONS = {
    "en": {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "%": "take the remainder"},
    "zh": {"+": "加", "-": "减", "*": "乘", "/": "除", "%": "求余数"},
}


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, required=True, help="JSON of the section `mini`")
    parser.add_argument("--out", type=Path, required=True, help="folder of the world")
    arguments = parser.parse_args(argv)
    settings = read_section(arguments.config, MiniWorld)
    counts: dict[str, dict] = {}
    for split in SPLITS:
        drawn = list(
            track(draw_problems(settings, split), f"problems {split}", split_size(settings, split))
        )
        counts[split] = _counts([problem for problem, _ in drawn])
        write_jsonl(
            arguments.out / "problems" / f"{split}.jsonl",
            (problem.to_json() for problem, _ in drawn),
        )
        if split == "train":
            solutions = list(solve(drawn, settings))
            counts["solutions"] = dict(
                sorted(Counter(solution.format for solution in solutions).items())
            )
            write_jsonl(
                arguments.out / "solutions.jsonl", (solution.to_json() for solution in solutions)
            )
    write_manifest(
        arguments.out / "problems" / "manifest.json",
        "mini.problems",
        settings=settings.model_dump(mode="json", include=USED_SETTINGS),
        counts=counts,
    )


USED_SETTINGS = {
    *("seed", "train_problems", "validation_problems", "test_problems"),
    *("chinese_share", "level_shares", "pot_share", "tool_share"),
}


def split_size(settings: MiniWorld, split: str) -> int:
    return getattr(settings, f"{split}_problems")


def draw_problems(settings: MiniWorld, split: str) -> Iterator[tuple[Problem, Case]]:
    """The problems of one split, in order, each with the case that it words.

    In training no question is repeated; in validation and test no key is. Raises UserError when the families hold
    too few different problems for the size asked for.
    """
    rng = Random(f"{settings.seed}/problems/{split}")
    seen: set[str] = set()
    size = split_size(settings, split)
    for number in range(1, size + 1):
        language = "zh" if rng.random() < settings.chinese_share else "en"
        level = rng.choices(LEVELS, settings.level_shares)[0]
        for _ in range(MOST_DRAWS):
            case = draw_case(rng, level, split)
            text = question(case, language, rng)
            mark = text if split == "train" else case.key
            if mark not in seen:
                break
        else:
            raise UserError(
                f"mini.{split}_problems = {size}: only {number - 1} different problems found; ask for fewer, "
                f"or give level {level} a smaller share in mini.level_shares"
            )
        seen.add(mark)
        yield _problem(case, text, language, f"minimath-{split}-{number:06d}"), case


def solve(drawn: list[tuple[Problem, Case]], settings: MiniWorld) -> Iterator[Solution]:
    """CoT for every problem, a program and a tool-integrated solution for their shares; each checked by execution."""
    rng = Random(f"{settings.seed}/solutions")
    for problem, case in drawn:
        check(problem, case)
        yield _solution(problem, "cot", cot_turns(case))
        if rng.random() < settings.pot_share:
            yield _solution(problem, "pot", pot_turns(case))
        if rng.random() < settings.tool_share:
            yield _solution(problem, "tool", tool_turns(case, problem.language))


def cot_turns(case: Case) -> list[dict]:
    """One equation a line, then the boxed answer."""
    lines = [*equations(case), f"\\boxed{{{case.answer}}}"]
    return [{"role": "text", "content": "\n".join(lines)}]


def pot_turns(case: Case) -> list[dict]:
    return [{"role": "code", "content": program(case)}]


def tool_turns(case: Case, language: str) -> list[dict]:
    """What will be computed in words, the program, what it prints, and the boxed answer."""
    words = [
        _OPERATIONS[language][step.strip("abcdefghijklmnopqrstuvwxyz0123456789")]
        for step in case.template.steps
    ]
    plan = (
        f"先{'，再'.join(words)}。"
        if language == "zh"
        else f"{', then '.join(words).capitalize()}."
    )
    return [
        {"role": "text", "content": plan},
        {"role": "code", "content": program(case)},
        {"role": "output", "content": str(case.answer)},
        {"role": "text", "content": f"\\boxed{{{case.answer}}}"},
    ]


def check(problem: Problem, case: Case) -> None:
    """Execute the case's program: what it prints must be the problem's answer."""
    printed: list[str] = []
    exec(program(case), {"__builtins__": {"print": lambda value: printed.append(str(value))}})
    if printed != [problem.answer]:
        raise AssertionError(
            f"{problem.id}: the program printed {printed}, the answer is {problem.answer}"
        )


def _problem(case: Case, text: str, language: str, identity: str) -> Problem:
    return Problem(
        id=identity,
        question=text,
        answer=str(case.answer),
        language=language,
        kind=case.template.family,
        level=str(case.template.level),
    )


def _solution(problem: Problem, form: str, turns: list[dict]) -> Solution:
    return Solution(
        id=f"{problem.id}-{form}",
        problem_id=problem.id,
        question=problem.question,
        answer=problem.answer,
        format=form,
        turns=turns,
        language=problem.language,
        source="minimath",
    )


def _counts(problems: list[Problem]) -> dict:
    """How many problems there are of each family, level and language."""
    by = {
        field: Counter(getattr(p, field) for p in problems)
        for field in ("kind", "level", "language")
    }
    return {"problems": len(problems)} | {
        field: dict(sorted(counter.items())) for field, counter in by.items()
    }


if __name__ == "__main__":
    run_main(main)
