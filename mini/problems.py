"""MiniMath: generated word problems of one to four steps with worked solutions.

Reads   the section `mini` of the configuration (JSON).
Writes  OUT/problems/{train,validation,test}.jsonl (Problem records), OUT/solutions.jsonl (Solution records of
        training problems: CoT for all, a program and a tool-integrated solution for configurable shares) and, last,
        OUT/problems/manifest.json. Every solution's program has been executed and printed the answer.

    python -m mini.problems --config results/mini/config/mini.json --out results/mini/world

Train, validation and test are disjoint by problem: the key of a problem is its structure and its numbers
(`mini.word_problems.template.Case.key`), and a key belongs to one split for every seed, size and language. Held-out
problems repeat no key among themselves. Not done here: web pages that show or leak problems (`mini.web`), and any real
benchmark.
"""

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

from mini.word_problems.registry import LEVELS, draw_case
from mini.word_problems.template import Case, equations, program, question, vocabulary
from pipeline.artifacts.records import Problem, Solution
from pipeline.artifacts.write import payload, write_jsonl, write_manifest
from pipeline.config.read import read_section
from pipeline.config.world import MiniWorld
from pipeline.errors import UserError, run_main
from pipeline.progress import track

SPLITS = ("train", "validation", "test")

MOST_DRAWS = 500
"""Draws after which no new problem is expected any more."""

USED_SETTINGS = {
    "seed",
    "train_problems",
    "validation_problems",
    "test_problems",
    "chinese_share",
    "level_shares",
    "pot_share",
    "tool_share",
}


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, required=True, help="JSON of the section `mini`")
    parser.add_argument("--out", type=Path, required=True, help="folder of the world")
    args = parser.parse_args(argv)

    settings = read_section(args.config, MiniWorld)
    counts: dict[str, dict] = {}
    for split in SPLITS:
        size = split_size(settings, split)
        drawn = list(track(draw_problems(settings, split), f"mini problems {split}", size))
        problems = [problem for problem, _ in drawn]
        counts[split] = count_problems(problems)
        path = args.out / "problems" / f"{split}.jsonl"
        write_jsonl(path, (problem.to_json() for problem in problems))

        if split == "train":
            solutions = list(solve(drawn, settings))
            formats = Counter(solution.format for solution in solutions)
            counts["solutions"] = dict(sorted(formats.items()))
            path = args.out / "solutions.jsonl"
            write_jsonl(path, (solution.to_json() for solution in solutions))

    write_manifest(
        args.out / "problems" / "manifest.json",
        "mini.problems",
        settings=settings.model_dump(mode="json", include=USED_SETTINGS),
        counts=counts,
        files=payload(args.out / "problems"),
    )


def split_size(settings: MiniWorld, split: str) -> int:
    sizes = {
        "train": settings.train_problems,
        "validation": settings.validation_problems,
        "test": settings.test_problems,
    }
    return sizes[split]


# Drawing problems


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

        # Drawn anew while it is known already: easy levels hold few problems.
        for _ in range(MOST_DRAWS):
            case = draw_case(rng, level, split)
            text = question(case, language, rng)
            # Training may ask one problem in several wordings; held out, that would count twice.
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


def _problem(case: Case, text: str, language: str, problem_id: str) -> Problem:
    return Problem(
        id=problem_id,
        question=text,
        answer=str(case.answer),
        language=language,
        kind=case.template.family,
        level=str(case.template.level),
    )


def count_problems(problems: list[Problem]) -> dict[str, int | dict[str, int]]:
    """How many problems there are of each family, level and language."""
    counts: dict[str, int | dict[str, int]] = {"problems": len(problems)}
    for field in ("kind", "level", "language"):
        values = [getattr(problem, field) for problem in problems]
        counter = Counter(values)
        counts[field] = dict(sorted(counter.items()))
    return counts


# Solving them


def solve(drawn: list[tuple[Problem, Case]], settings: MiniWorld) -> Iterator[Solution]:
    """CoT for every problem, a program and a tool-integrated solution for their shares; each checked by execution."""
    rng = Random(f"{settings.seed}/solutions")
    for problem, case in drawn:
        check(problem, case)
        yield _solution(problem, "cot", cot_turns(case))

        if rng.random() < settings.pot_share:
            yield _solution(problem, "pot", pot_turns(case))
        if rng.random() < settings.tool_share:
            turns = tool_turns(case, problem.language)
            yield _solution(problem, "tool", turns)


def cot_turns(case: Case) -> list[dict]:
    """One equation a line, then the boxed answer."""
    lines = equations(case)
    lines.append(_boxed(case))
    return [{"role": "text", "content": "\n".join(lines)}]


def pot_turns(case: Case) -> list[dict]:
    """The program alone."""
    return [{"role": "code", "content": program(case)}]


def tool_turns(case: Case, language: str) -> list[dict]:
    """What will be computed in words, the program, what it prints, and the boxed answer."""
    words = vocabulary(language)
    operations = [words.operations[step.operator] for step in case.template.steps]
    plan = words.plan.lead + words.plan.joiner.join(operations)

    return [
        {"role": "text", "content": plan.capitalize() + words.plan.end},
        {"role": "code", "content": program(case)},
        {"role": "output", "content": str(case.answer)},
        {"role": "text", "content": _boxed(case)},
    ]


def check(problem: Problem, case: Case) -> None:
    """Execute the case's program: what it prints must be the problem's answer."""
    # Nothing but `print`: the program needs no more, and a mistake in it can do no more.
    printed: list[str] = []
    builtins = {"print": lambda value: printed.append(str(value))}
    exec(program(case), {"__builtins__": builtins})

    if printed != [problem.answer]:
        raise AssertionError(
            f"{problem.id}: the program printed {printed}, the answer is {problem.answer}"
        )


def _boxed(case: Case) -> str:
    return f"\\boxed{{{case.answer}}}"


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


if __name__ == "__main__":
    run_main(main)
