"""What a right answer to a case is. A problem's `answer` holds it as a JSON object:

    {"case": "c12", "diagnosis": ["amber fever", "琥珀热"], "related": ["grey fever"],
     "findings": [["night cough", "夜咳"], ["high velmarin", "维马林升高"]],
     "plan": [["ostral"], ["nembral", "南布拉"]], "unsafe": ["corvane"],
     "revised": {"plan": [["ostral"], ["durpal"]], "unsafe": ["corvane", "nembral"]}}

case       cases with the same name are one case in other words: their answers should agree
diagnosis  spellings of the right diagnosis
related    diagnoses that are wrong but close
findings   what an answer may cite, each with its spellings
plan       the treatments in order, each with its spellings
unsafe     treatments that would harm this patient: contraindicated, or withdrawn
revised    plan and unsafe after the guideline has changed; without it nothing changes
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pipeline.errors import UserError

BEGINNING = '{"case"'
"""How the gold of a case starts: what other benchmarks have as an answer never does."""

CASES_KEPT = 20_000

Spellings = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Guideline:
    """What one version of the guideline says about a patient."""

    plan: tuple[Spellings, ...]
    unsafe: frozenset[str]


@dataclass(frozen=True, slots=True)
class Case:
    """The gold of a case. All spellings are as `spelling` returns them."""

    name: str
    diagnosis: Spellings
    related: frozenset[str]
    findings: tuple[Spellings, ...]
    guideline: Guideline
    revised: Guideline

    def version(self, revised: bool) -> Guideline:
        return self.revised if revised else self.guideline


def spelling(text: str) -> str:
    """A name without regard to case, spaces and a full stop at its end."""
    return " ".join(text.lower().split()).strip(" .。,，;；")


@lru_cache(maxsize=CASES_KEPT)
def case_of(gold: str) -> Case | None:
    """The case that a gold answer describes; None where it is an answer of another kind.

    Raises UserError with one line where it begins like a case and is none.
    """
    if not gold.lstrip().startswith(BEGINNING):
        return None

    try:
        values = json.loads(gold)
    except (ValueError, RecursionError) as error:
        raise UserError(f"a case's answer is not JSON ({error})") from None
    return _case(values)


def _case(values: dict[str, Any]) -> Case:
    lacks = [name for name in ("case", "diagnosis", "plan") if not values.get(name)]
    if lacks:
        raise UserError(f"a case's answer has no {' and no '.join(lacks)}")

    try:
        guideline = _guideline(values)
        revised = _guideline(values["revised"]) if values.get("revised") else guideline
        return Case(
            name=str(values["case"]),
            diagnosis=_spellings(values["diagnosis"]),
            related=frozenset(_spellings(values.get("related", []))),
            findings=tuple(_spellings(names) for names in values.get("findings", [])),
            guideline=guideline,
            revised=revised,
        )
    except (TypeError, KeyError, AttributeError):
        raise UserError(
            "a case's answer: diagnosis, related and unsafe are lists of names, findings and plan lists of such lists"
        ) from None


def _guideline(values: dict[str, Any]) -> Guideline:
    plan = tuple(_spellings(names) for names in values["plan"])
    return Guideline(plan, frozenset(_spellings(values.get("unsafe", []))))


def _spellings(names: object) -> Spellings:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise TypeError
    return tuple(spelling(name) for name in names)
