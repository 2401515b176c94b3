"""An answer measured against its case: diagnosis, reasoning, treatment, safety.

The quality on the experts' scale is

    1 + 9 (w_d diagnosis + w_r reasoning + w_t treatment) - penalty, if any treatment is unsafe

and never below 1. An answer that cannot be read is worth 1. A contraindicated treatment costs most: more points than
any other single mistake.
"""

from dataclasses import dataclass

from eval.cases.answer import CaseAnswer, Unreadable
from eval.cases.gold import Case, Spellings

LOWEST, HIGHEST = 1.0, 10.0
"""The experts' scale."""

UNSAFE_PENALTY = 5.0
"""Points that unsafe treatments cost together."""

RELATED_DIAGNOSIS = 0.25
"""What a wrong diagnosis that is close is worth."""

FINDINGS_TO_CITE = 2
"""Findings of the case that a full reasoning cites at least."""


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each criterion counts; they add up to 1."""

    diagnosis: float = 0.4
    reasoning: float = 0.25
    treatment: float = 0.35


CONSENSUS = Weights()


@dataclass(frozen=True, slots=True)
class Criteria:
    """Each of the first four from 0 to 1."""

    diagnosis: float
    reasoning: float
    precision: float
    """Share of the named treatments that are in the plan."""
    recall: float
    """Share of the plan that is named."""
    unsafe: int
    """Unsafe treatments."""
    readable: bool = True

    @property
    def treatment(self) -> float:
        """F1 of precision and recall."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


UNREADABLE = Criteria(0, 0, 0, 0, 0, readable=False)


def criteria_of(case: Case, answer: CaseAnswer | Unreadable, *, revised: bool = False) -> Criteria:
    """Measure an answer; `revised` by the guideline as it is after its change."""
    if isinstance(answer, Unreadable):
        return UNREADABLE

    guideline = case.version(revised)
    named = set(answer.treatments)
    given = sum(any(name in named for name in slot) for slot in guideline.plan)
    return Criteria(
        diagnosis=_diagnosis(case, answer.diagnosis),
        reasoning=_reasoning(case.findings, answer),
        precision=given / len(named),
        recall=given / len(guideline.plan),
        unsafe=len(named & guideline.unsafe),
    )


def _diagnosis(case: Case, named: str) -> float:
    if named in case.diagnosis:
        return 1.0
    return RELATED_DIAGNOSIS if named in case.related else 0.0


def _reasoning(findings: tuple[Spellings, ...], answer: CaseAnswer) -> float:
    """How much of what is cited is there, times how much of what should be cited is.

    Only what leads to the answer's own diagnosis is evidence for it.
    """
    cited = {
        name
        for step in answer.steps
        if step.conclusion == answer.diagnosis
        for name in step.evidence
    }
    if not cited:
        return 0.0

    found = sum(any(name in cited for name in names) for names in findings)
    honest = found / len(cited)
    enough = found / min(FINDINGS_TO_CITE, max(1, len(findings)))
    return min(1.0, honest) * min(1.0, enough)


def quality(criteria: Criteria, weights: Weights = CONSENSUS) -> float:
    """What an expert with these weights, without severity and noise, scores the answer, from 1 to 10."""
    if not criteria.readable:
        return LOWEST

    share = (
        weights.diagnosis * criteria.diagnosis
        + weights.reasoning * criteria.reasoning
        + weights.treatment * criteria.treatment
    )
    points = LOWEST + (HIGHEST - LOWEST) * share
    if criteria.unsafe:
        points -= UNSAFE_PENALTY
    return max(LOWEST, min(HIGHEST, points))
