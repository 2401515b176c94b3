"""Ratings as JSON Lines: one answer a line with what each rater scored it.

    {"question": "…", "response": "…", "ratings": [{"rater": "anna", "score": 7}, {"rater": "ben", "score": 5}]}

Other fields (`problem_id`, `language`) are optional. A mistake is one line with file and line number.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.artifacts.records import read_jsonl_lines, whole_characters
from pipeline.errors import UserError

Scores = dict[str, float]
"""Rater -> score of one answer."""


@dataclass(slots=True)
class Rated:
    """One answer and its scores."""

    question: str
    response: str
    scores: Scores = field(default_factory=dict)
    problem_id: str = ""
    language: str = "en"

    def to_json(self) -> dict[str, Any]:
        ratings = [{"rater": rater, "score": score} for rater, score in self.scores.items()]
        return {
            "question": self.question,
            "response": self.response,
            "ratings": ratings,
            "problem_id": self.problem_id,
            "language": self.language,
        }


def read_ratings(
    paths: Sequence[str | Path],
    lowest: float,
    highest: float,
    known_raters: Sequence[str] | None = None,
) -> list[Rated]:
    """All rated answers of the files.

    Args:
        lowest, highest: the ends of the scale; a score outside is an error.
        known_raters: names that may occur; None allows all.

    Raises:
        UserError: one line that names file and line.
    """
    found = []
    for path in paths:
        for number, row in read_jsonl_lines(path):
            try:
                found.append(_rated(row, lowest, highest, known_raters))
            except ValueError as error:
                raise UserError(f"{path}, line {number}: {error}") from None

    if not found:
        names = ", ".join(map(str, paths))
        raise UserError(f"{names}: no ratings")
    return found


def _rated(
    row: dict[str, Any], lowest: float, highest: float, known_raters: Sequence[str] | None
) -> Rated:
    """A line's answer; a ValueError says what is wrong with it."""
    for name in ("question", "response"):
        if not isinstance(row.get(name), str) or not row[name].strip():
            raise ValueError(f"no {name}")
    ratings = row.get("ratings")
    if not isinstance(ratings, list) or not ratings:
        raise ValueError('no ratings; expected [{"rater": name, "score": number}, …]')

    scores: Scores = {}
    for rating in ratings:
        rater, score = _rating(rating, lowest, highest)
        if known_raters is not None and rater not in known_raters:
            raise ValueError(f"unknown rater {rater!r}; known are {', '.join(known_raters)}")
        if rater in scores:
            raise ValueError(f"rater {rater!r} scores twice")
        scores[rater] = score

    return Rated(
        question=whole_characters(row["question"]),
        response=whole_characters(row["response"]),
        scores=scores,
        problem_id=str(row.get("problem_id") or ""),
        language=str(row.get("language") or "en"),
    )


def _rating(rating: object, lowest: float, highest: float) -> tuple[str, float]:
    if not isinstance(rating, dict):
        raise ValueError('a rating is {"rater": name, "score": number}')
    rater, score = rating.get("rater"), rating.get("score")
    if not isinstance(rater, str) or not rater.strip():
        raise ValueError("a rating without rater")

    # True would count as 1.
    if isinstance(score, bool) or not isinstance(score, int | float) or not math.isfinite(score):
        raise ValueError(f"rater {rater!r}: score {score!r} is no number")
    if not lowest <= score <= highest:
        raise ValueError(f"rater {rater!r}: score {score:g} is out of {lowest:g} to {highest:g}")
    return rater, float(score)
