"""How much better one run's model is than another's on the problems that both answered.

Problems are the same where their identity, question and right answer are: two generated worlds name
different problems alike.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eval.reporting.metrics import bootstrap, compare

SampleRows = list[dict[str, Any]]  # see eval/verdicts/graded_samples.py
Problem = tuple[str, str, str]  # identity, question, right answer


@dataclass(frozen=True, slots=True)
class Pair:
    """Two models' samples of one task, the first run's and another's."""

    task: str
    run: str  # the other one
    place: int  # its number on the page, which is also its colour
    model: str
    before: SampleRows
    after: SampleRows


@dataclass(frozen=True, slots=True)
class Difference:
    """Shares with a 95 % interval, over the problems that both have; none where `problems` is 0."""

    pair: Pair
    measure: str  # "greedy", or "mean of 8 samples"
    problems: int
    change: float = 0.0
    low: float = 0.0
    high: float = 0.0
    wins: int | None = None
    losses: int | None = None
    p: float | None = None


def differences(pairs: Sequence[Pair]) -> list[Difference]:
    """The greedy difference of each pair and, where both were sampled, that of samples' means."""
    found = []
    for pair in pairs:
        found.append(_greedy(pair))
        sampled = _sampled(pair)
        if sampled is not None:
            found.append(sampled)
    return found


def problem_of(row: dict[str, Any]) -> Problem:
    return row["id"], row["question"], row["gold"]


def verdicts(rows: SampleRows) -> dict[Problem, dict[str, Any]]:
    """Each problem's greedy sample; what was not run has no verdict."""
    return {problem_of(row): row for row in rows if row["greedy"] and row["status"] != "not_run"}


def _greedy(pair: Pair) -> Difference:
    before, after = verdicts(pair.before), verdicts(pair.after)
    shared = [problem for problem in before if problem in after]
    if not shared:
        return Difference(pair, "greedy", 0)

    measured = compare(
        [before[problem]["correct"] for problem in shared],
        [after[problem]["correct"] for problem in shared],
    )
    return Difference(
        pair,
        "greedy",
        len(shared),
        change=measured["difference"],
        low=measured["low"],
        high=measured["high"],
        wins=int(measured["wins"]),
        losses=int(measured["losses"]),
        p=measured["p"],
    )


def _sampled(pair: Pair) -> Difference | None:
    """The difference between the means of samples: it sees smaller changes than greedy answers do."""
    before, after = _means(pair.before), _means(pair.after)
    shared = [problem for problem in before if problem in after]
    if not shared:
        return None

    changes = [after[problem] - before[problem] for problem in shared]
    change = sum(changes) / len(changes)
    # Without any spread the interval is the point.
    low, high = bootstrap(changes, scale=None) if len(set(changes)) > 1 else (change, change)
    measure = f"mean of {_samples(pair.after)} samples"
    return Difference(pair, measure, len(shared), change=change, low=low, high=high)


def _means(rows: SampleRows) -> dict[Problem, float]:
    """Each problem's share of right answers among its samples."""
    right: dict[Problem, list[bool]] = defaultdict(list)
    for row in rows:
        if not row["greedy"] and row["status"] != "not_run":
            right[problem_of(row)].append(row["correct"])
    return {problem: sum(verdict) / len(verdict) for problem, verdict in right.items()}


def _samples(rows: SampleRows) -> int:
    return len({row["sample"] for row in rows if not row["greedy"]})
