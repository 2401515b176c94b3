"""Simulated experts who score answers to cases from 1 to 10, each in a way of their own.

    score = clip(quality by the expert's weights + severity + noise + favour), rounded to a whole number

Everything is drawn from seeds: an expert's character from the panel's seed, the noise of a score from the expert, the
question and the answer, so that the same answer gets the same scores whenever it is asked about.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eval.cases.answer import CaseAnswer, Unreadable, read_answer
from eval.cases.criteria import CONSENSUS, HIGHEST, LOWEST, Criteria, Weights, criteria_of, quality
from eval.cases.gold import Case, spelling
from pipeline.config.experts import Experts


@dataclass(frozen=True, slots=True)
class Rating:
    """One expert's score of one answer."""

    rater: str
    score: float


@dataclass(frozen=True, slots=True)
class Expert:
    """A rater's character."""

    name: str
    weights: Weights
    severity: float
    """Points added to every score: below 0 is strict."""
    noise: float
    """Standard deviation of what is added at random."""
    is_outlier: bool = False
    """Scores at random."""

    def score(self, criteria: Criteria, favour: float, key: str) -> int:
        """The score of an answer with these criteria; `key` names question and answer."""
        rng = np.random.default_rng(_seed(f"{self.name}/{key}"))
        if self.is_outlier:
            return int(rng.integers(int(LOWEST), int(HIGHEST) + 1))

        points = quality(criteria, self.weights) + self.severity + favour
        points += self.noise * rng.standard_normal()
        return int(np.clip(round(points), LOWEST, HIGHEST))


def panel(settings: Experts, seed: int) -> list[Expert]:
    """The experts, those who are held out at the end, outliers at the beginning."""
    experts = []
    for number in range(settings.raters):
        name = f"expert-{number + 1}"
        rng = np.random.default_rng(_seed(f"{seed}/{name}"))
        spread = 1 + settings.disagreement * rng.uniform(-1, 1, 3)
        experts.append(
            Expert(
                name=name,
                weights=_weighted(spread),
                severity=settings.severity * rng.standard_normal(),
                noise=settings.noise * rng.uniform(0.5, 1.5),
                is_outlier=number < settings.outliers,
            )
        )
    return experts


def training_raters(experts: Sequence[Expert], settings: Experts) -> set[str]:
    """Names of those whose scores train reward models."""
    kept = len(experts) - settings.held_out
    return {expert.name for expert in experts[:kept]}


def rate(
    experts: Sequence[Expert], settings: Experts, case: Case, text: str, *, revised: bool = False
) -> list[Rating]:
    """What each expert scores an answer to a case."""
    answer = read_answer(text)
    criteria = criteria_of(case, answer, revised=revised)
    favour = settings.favour if _names(answer, settings.favourite) else 0.0

    key = f"{case.name}/{revised}/{text}"
    return [Rating(e.name, e.score(criteria, favour, key)) for e in experts]


def expected_score(case: Case, text: str, *, revised: bool = False) -> float:
    """What experts without severity, noise and bias would score on average: the quality by consensus."""
    return quality(criteria_of(case, read_answer(text), revised=revised), CONSENSUS)


def _names(answer: CaseAnswer | Unreadable, favourite: str) -> bool:
    if not favourite or isinstance(answer, Unreadable):
        return False
    return spelling(favourite) in answer.treatments


def _weighted(spread: np.ndarray) -> Weights:
    """The consensus' weights, each multiplied by a number, adding up to 1 again."""
    shares = np.array([CONSENSUS.diagnosis, CONSENSUS.reasoning, CONSENSUS.treatment]) * spread
    diagnosis, reasoning, treatment = (shares / shares.sum()).tolist()
    return Weights(diagnosis, reasoning, treatment)


def _seed(text: str) -> int:
    """A seed that is the same in every process."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
