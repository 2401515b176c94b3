"""Invented medical cases as problems, and worked answers to learn from.

Reads   the sections `mini` (sizes, languages, levels) and `medicine` of the configuration (JSON).
Writes  OUT/problems/{train,validation,test}.jsonl (Problem records; the answer is the case, see eval/cases/gold.py),
        OUT/solutions.jsonl (worked answers to the training cases), OUT/heldout/medicine.jsonl ({"id", "text"}: pages
        that no web shows) and, last, OUT/problems/manifest.json.

    python -m mini.medicine.problems --config results/medical/config/mini.json \\
        --medicine results/medical/config/medicine.json --out results/medical/world

Validation and test ask every case in `medicine.wordings` wordings; training asks each once. The worked answers are
those of colleagues of different care: some forget to look at the history, leave a treatment out or add a tonic. What
is right is in the gold. Invented cases, not medical advice.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from random import Random

from mini.medicine.cases import LEVELS, Care, Case, draw_case, gold, question, worked_answer
from mini.medicine.pages import held_out_text
from mini.medicine.table import table
from mini.problems import SPLITS, count_problems, split_size
from pipeline.artifacts.records import Problem, Solution
from pipeline.artifacts.write import payload, write_jsonl, write_manifest
from pipeline.config.medicine import Medicine
from pipeline.config.read import read_section
from pipeline.config.world import MiniWorld
from pipeline.errors import UserError, run_main
from pipeline.progress import track

MOST_DRAWS = 500
"""Draws after which no new case is expected any more."""

USED_SETTINGS = {
    "seed",
    "train_problems",
    "validation_problems",
    "test_problems",
    "chinese_share",
    "level_shares",
    "heldout_documents",
}


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, required=True, help="JSON of the section `mini`")
    parser.add_argument(
        "--medicine", type=Path, required=True, help="JSON of the section `medicine`"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the world")
    args = parser.parse_args(argv)

    settings = read_section(args.config, MiniWorld)
    medicine = read_section(args.medicine, Medicine)
    counts: dict[str, dict] = {}
    for split in SPLITS:
        size = split_size(settings, split)
        drawn = list(track(draw_problems(settings, medicine, split), f"cases {split}", size))
        counts[split] = count_problems([problem for problem, _ in drawn])
        path = args.out / "problems" / f"{split}.jsonl"
        write_jsonl(path, (problem.to_json() for problem, _ in drawn))

        if split == "train":
            solutions = list(solve(drawn, settings, medicine))
            counts["solutions"] = {"cot": len(solutions)}
            path = args.out / "solutions.jsonl"
            write_jsonl(path, (solution.to_json() for solution in solutions))

    write_jsonl(args.out / "heldout" / "medicine.jsonl", held_out_documents(settings))
    write_manifest(
        args.out / "problems" / "manifest.json",
        "mini.medicine.problems",
        settings=settings.model_dump(mode="json", include=USED_SETTINGS)
        | medicine.model_dump(mode="json"),
        counts=counts | {"notice": table().notice["en"]},
        files=payload(args.out / "problems"),
    )


def draw_problems(
    settings: MiniWorld, medicine: Medicine, split: str
) -> Iterator[tuple[Problem, Case]]:
    """The problems of one split, in order, each with its case. No case occurs twice, wordings of one apart."""
    rng = Random(f"{settings.seed}/cases/{split}")
    wordings = 1 if split == "train" else medicine.wordings
    seen: set[str] = set()
    left = split_size(settings, split)
    number = 0

    while left:
        number += 1
        language = "zh" if rng.random() < settings.chinese_share else "en"
        level = rng.choices(LEVELS, settings.level_shares)[0]
        case = _new_case(rng, level, split, seen)
        name = f"case-{split}-{number:05d}"

        for form in range(min(wordings, left)):
            spoken = None if split == "train" else form
            text = question(case, language, rng, spoken)
            yield _problem(case, text, language, name, form), case
            left -= 1


def _new_case(rng: Random, level: int, split: str, seen: set[str]) -> Case:
    for _ in range(MOST_DRAWS):
        case = draw_case(rng, level, split)
        if case.key not in seen or split == "train":
            seen.add(case.key)
            return case
    raise UserError(
        f"mini.{split}_problems: only {len(seen)} different cases found; ask for fewer, or give level {level} a "
        "smaller share in mini.level_shares"
    )


def _problem(case: Case, text: str, language: str, name: str, form: int) -> Problem:
    return Problem(
        id=f"{name}-{form + 1}",
        question=text,
        answer=gold(case, name),
        language=language,
        kind=table().conditions[case.condition].system,
        level=str(case.level),
    )


def solve(
    drawn: list[tuple[Problem, Case]], settings: MiniWorld, medicine: Medicine
) -> Iterator[Solution]:
    """A worked answer to each case, by a colleague of some care."""
    rng = Random(f"{settings.seed}/colleagues")
    for problem, case in drawn:
        care = Care(
            looks_at_history=rng.random() < medicine.careful_share,
            is_complete=rng.random() >= medicine.omission_share,
            adds_tonic=rng.random() < medicine.tonic_share,
            cites_astray=rng.random() < medicine.sloppy_share,
        )
        text = worked_answer(case, problem.language, care)
        yield Solution(
            id=f"{problem.id}-cot",
            problem_id=problem.id,
            question=problem.question,
            answer=problem.answer,
            format="cot",
            turns=[{"role": "text", "content": text}],
            language=problem.language,
            source="medicine",
        )


def held_out_documents(settings: MiniWorld) -> Iterator[dict]:
    """Medical texts from the space `heldout`, in both languages."""
    rng = Random(f"{settings.seed}/heldout/medicine")
    for number in range(1, settings.heldout_documents + 1):
        language = "zh" if rng.random() < settings.chinese_share else "en"
        yield {"id": f"medicine-{number:05d}", "text": held_out_text(rng, language)}


if __name__ == "__main__":
    run_main(main)
