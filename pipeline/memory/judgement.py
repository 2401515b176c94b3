"""Which stages do not fit, and what to change."""

from dataclasses import dataclass

from pipeline.memory.card import Card
from pipeline.memory.stages import Need

ROOM = 0.95
"""Share of a card that may be taken: memory falls into pieces that nothing fits into."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether one moment of a stage fits."""

    need: Need
    fits: bool
    advice: str
    """What makes it fit; empty where it does."""


def judged(found: list[Need], card: Card) -> list[Judgement]:
    """Each moment against the card."""
    return [_judged(need, card) for need in found]


def _judged(need: Need, card: Card) -> Judgement:
    if need.total <= ROOM * card.memory:
        return Judgement(need, fits=True, advice="")

    # Models alone are too large: no batch is small enough.
    models = need.fixed + need.parts.get("other models", 0) + need.parts.get("process", 0)
    if models > ROOM * card.memory:
        advice = "more GPUs (distribution: shard deals weights, gradients and moments out), or a smaller checkpoint"
        return Judgement(need, fits=False, advice=advice)
    return Judgement(need, fits=False, advice=f"lower {need.lever}")
