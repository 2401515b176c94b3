"""The invented conditions, findings, histories and treatments (conditions.yaml)."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from mini.templates.data_files import Lines, data_class, read_data
from pipeline.errors import UserError

DATA_FILES = ("conditions.yaml", "wording.yaml")
_FOLDER = Path(__file__).parent


@data_class
class Named:
    """Spellings by language; the first is the one that answers use."""

    en: tuple[str, ...]
    zh: tuple[str, ...]

    def name(self, language: str, other: bool = False) -> str:
        """The usual spelling, or another one where there is one."""
        names = self.zh if language == "zh" else self.en
        return names[-1] if other else names[0]

    @property
    def spellings(self) -> list[str]:
        return [*self.en, *self.zh]


@data_class
class Lab:
    """A laboratory value."""

    en: str
    zh: str
    unit: str
    normal: float
    """The highest normal value."""
    highest: float
    """The highest that a case gives."""

    def name(self, language: str) -> str:
        return self.zh if language == "zh" else self.en


@data_class
class Finding(Named):
    kind: Literal["symptom", "sign", "lab", "image"]
    lab: Lab | None = None


@data_class
class Treatment(Named):
    contraindicated: str | None
    """The history that forbids it."""


@data_class
class Slot:
    """One place of a plan."""

    first: str
    otherwise: str


@data_class
class Condition(Named):
    system: str
    findings: tuple[str, ...]
    risk: str
    plan: tuple[Slot, ...]


@data_class
class Table:
    """The content of conditions.yaml, by identifiers."""

    notice: dict[str, str]
    findings: dict[str, Finding]
    histories: dict[str, Named]
    risks: dict[str, Named]
    treatments: dict[str, Treatment]
    conditions: dict[str, Condition]
    withdrawn: str

    def plan(self, condition: str, history: str | None, *, revised: bool = False) -> list[str]:
        """The treatments that a patient with this history should get, in order.

        A place is left empty where both of its treatments are out of the question.
        """
        chosen = []
        for slot in self.conditions[condition].plan:
            allowed = [
                name
                for name in (slot.first, slot.otherwise)
                if name not in self.unsafe(history, revised=revised)
            ]
            chosen += allowed[:1]
        return chosen

    def unsafe(self, history: str | None, *, revised: bool = False) -> list[str]:
        """Treatments that a patient with this history must not get."""
        found = [
            name
            for name, treatment in self.treatments.items()
            if treatment.contraindicated is not None and treatment.contraindicated == history
        ]
        if revised and self.withdrawn not in found:
            found.append(self.withdrawn)
        return found


@data_class
class AnswerWords:
    reasoning: str
    diagnosis: str
    treatment: str
    arrow: str
    joiner: str


@data_class
class Words:
    """The content of wording.yaml for one language, which says what each field is."""

    sexes: tuple[str, str]
    patients: tuple[str, str]
    questions: tuple[str, ...]
    history: tuple[str, ...]
    joiner: str
    last: str
    answer: AnswerWords
    check: str
    chapter: Lines
    titles: dict[str, tuple[str, ...]]
    leads: tuple[str, ...]
    remarks: Lines
    abstract: Lines


@dataclass(frozen=True, slots=True)
class _Reference:
    """A name that one entry of the table uses of another."""

    where: str
    name: str
    among: str


@cache
def table() -> Table:
    """The table, checked: every name that is used is there."""
    path = _FOLDER / "conditions.yaml"
    found = read_data(path, Table)
    for reference in _references(found):
        if reference.name not in getattr(found, reference.among):
            raise UserError(f"{path}: {reference.where}: no {reference.among} {reference.name!r}")
    return found


@cache
def words(language: str) -> Words:
    return read_data(_FOLDER / "wording.yaml", dict[str, Words])[language]


def _references(found: Table) -> list[_Reference]:
    references = [_Reference("withdrawn", found.withdrawn, "treatments")]
    for name, treatment in found.treatments.items():
        if treatment.contraindicated is not None:
            references.append(_Reference(name, treatment.contraindicated, "histories"))
    for name, condition in found.conditions.items():
        references += [_Reference(name, finding, "findings") for finding in condition.findings]
        references.append(_Reference(name, condition.risk, "risks"))
        for slot in condition.plan:
            references.append(_Reference(name, slot.first, "treatments"))
            references.append(_Reference(name, slot.otherwise, "treatments"))
    return references
