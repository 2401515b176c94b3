"""A model's scores on a benchmark of cases, from its greedy answers.

    expert_score      what unbiased experts would score on average, with its interval
    treatment_precision, treatment_recall   of the treatments, against the plan
    unsafe_per_1000   answers with a contraindicated or withdrawn treatment, of a thousand
    consistency       share of the cases asked in several wordings whose answers name one diagnosis in all of them
    unreadable        answers of which no diagnosis or no treatment can be read, by reason
    revised           expert_score and unsafe_per_1000 by the guideline after its change, where any case has one

Wordings of a case are no independent draws: the intervals are those of a bootstrap over cases.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eval.cases.answer import CaseAnswer, Unreadable, read_answer
from eval.cases.criteria import HIGHEST, LOWEST, Criteria, criteria_of, quality
from eval.cases.gold import Case, case_of
from eval.reporting.metrics import bootstrap


@dataclass(frozen=True, slots=True)
class _Judged:
    """An answer with its case."""

    case: Case
    answer: CaseAnswer | Unreadable

    def criteria(self, revised: bool) -> Criteria:
        return criteria_of(self.case, self.answer, revised=revised)


def case_scores(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The scores of sample rows with "gold" and "output"; empty where their golds are no cases."""
    judged = []
    for row in rows:
        case = case_of(row["gold"])
        if case is None:
            return {}
        judged.append(_Judged(case, read_answer(row["output"])))
    if not judged:
        return {}

    criteria = [each.criteria(revised=False) for each in judged]
    scores = _scores(judged, revised=False)
    scores["treatment_precision"] = _mean([each.precision for each in criteria])
    scores["treatment_recall"] = _mean([each.recall for each in criteria])
    scores["reasoning"] = _mean([each.reasoning for each in criteria])
    scores["consistency"] = _consistency(judged)

    flaws = [each.answer.reason for each in judged if isinstance(each.answer, Unreadable)]
    scores["unreadable"] = dict(sorted(Counter(flaws).items()))
    if any(each.case.guideline != each.case.revised for each in judged):
        scores["revised"] = _scores(judged, revised=True)
    return scores


def _scores(judged: Sequence[_Judged], revised: bool) -> dict[str, Any]:
    """Expert score and unsafe answers by one version of the guideline."""
    criteria = [each.criteria(revised) for each in judged]
    points = [quality(each) for each in criteria]
    # As places between the ends of the scale, for which the bootstrap also knows what to say where all are at one end.
    span = HIGHEST - LOWEST
    low, high = bootstrap([(value - LOWEST) / span for value in _by_case(judged, points)])
    return {
        "expert_score": round(sum(points) / len(points), 4),
        "expert_score_low": round(LOWEST + span * low, 4),
        "expert_score_high": round(LOWEST + span * high, 4),
        "unsafe_per_1000": round(
            1000 * sum(each.unsafe > 0 for each in criteria) / len(criteria), 1
        ),
    }


def _by_case(judged: Sequence[_Judged], values: Sequence[float]) -> list[float]:
    """The mean over the wordings of each case."""
    of_case = defaultdict(list)
    for each, value in zip(judged, values, strict=True):
        of_case[each.case.name].append(value)
    return [sum(group) / len(group) for group in of_case.values()]


def _consistency(judged: Sequence[_Judged]) -> float | None:
    """None where every case is asked once. An answer that cannot be read agrees with none."""
    of_case = defaultdict(list)
    for each in judged:
        of_case[each.case.name].append(_meaning(each))

    groups = [names for names in of_case.values() if len(names) > 1]
    if not groups:
        return None
    agree = [None not in names and len(set(names)) == 1 for names in groups]
    return round(sum(agree) / len(agree), 4)


def _meaning(judged: _Judged) -> str | None:
    """The diagnosis, in whatever language it is named."""
    if isinstance(judged.answer, Unreadable):
        return None
    is_right = judged.answer.diagnosis in judged.case.diagnosis
    return judged.case.diagnosis[0] if is_right else judged.answer.diagnosis


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 4)
